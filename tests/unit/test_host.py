"""Packages, units, sockets and files of a node, from what real nodes printed."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from fabfile.host import files, packages, units
from fabfile.host.model import Listener, Package
from fabfile.transport.command import Section
from tests.unit import captured

APT, DNF = Package("apt-get", "memcached", None), Package("dnf", "memcached", None)


@pytest.mark.parametrize(
    ("kind", "distribution", "family"),
    [
        ("debian12", "debian 12", "debian"),
        ("debian13", "debian 13", "debian"),
        ("rpm", "centos 9", "rhel"),
    ],
)
def test_the_family_goes_by_os_release(kind: str, distribution: str, family: str) -> None:
    sections = captured.section("os", captured.text(kind, "os-release"))
    assert packages.parse_distribution(sections) == (distribution, family)


def observed(os_release: str, managers: str, dpkg: str = "", rpm: str = "") -> dict[str, Section]:
    return {
        **captured.section("os", os_release),
        **captured.section("managers", managers),
        **captured.section("dpkg", dpkg, 0 if dpkg else 1),
        **captured.section("rpm", rpm, 0 if rpm else 1),
    }


def test_dnf_on_debian_is_not_the_package_manager_there() -> None:
    text = captured.text("debian12", "os-release")
    sections = observed(text, "/usr/bin/dnf\n/usr/bin/apt-get\n", "installed 1.6.18-1")
    assert packages.parse("memcached", sections) == Package("apt-get", "memcached", "1.6.18-1")


def test_removed_but_configured_is_not_installed() -> None:
    text = captured.text("debian12", "os-release")
    sections = observed(text, "/usr/bin/apt-get\n", "config-files 1.6.18-1")
    assert packages.parse("memcached", sections) == APT


def test_yum_serves_where_there_is_no_dnf() -> None:
    text = captured.text("rpm", "os-release")
    sections = observed(text, "/usr/bin/yum\n", rpm="1.6.9-7.el9")
    assert packages.parse("memcached", sections) == Package("yum", "memcached", "1.6.9-7.el9")


def test_an_unknown_distribution_has_no_package_manager() -> None:
    assert packages.parse("memcached", observed("ID=alpine\nVERSION_ID=3\n", "")) is None


@pytest.mark.parametrize(
    ("said", "next_step"),
    [
        (
            "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1 (apt)",
            "lock",
        ),
        ("dpkg: error processing archive: cannot copy: No space left on device", "disk is full"),
        ("E: Failed to fetch http://x/y  Could not connect to x:80", "mirror cannot be reached"),
        ("E: Unable to locate package memcached", "no repository"),
        ("something new", "by hand"),
    ],
)
def test_why_a_package_manager_failed_and_what_next(said: str, next_step: str) -> None:
    error = packages.explain(
        APT, Section("install", 100, f"Reading package lists...\n{said}\n", "")
    )
    assert next_step in error.next_step
    assert said in error.seen


@pytest.mark.parametrize(
    "line",
    [
        "Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by",
        "Waiting for the package manager's lock, at most 120 s",
    ],
)
def test_waiting_for_a_lock_is_told(line: str) -> None:
    assert packages.waiting(line) == line
    assert packages.waiting("Setting up memcached (1.6.18) ...") is None


def test_a_unit_that_is_not_there() -> None:
    shown = captured.section("unit", captured.text("debian12", "unit-absent.txt"))
    unit = units.parse_unit("memcached.service", shown)
    assert (unit.load, unit.running, unit.starts_at_boot, unit.pid) == (
        "not-found",
        False,
        False,
        0,
    )


def test_a_unit_that_pacemaker_started() -> None:
    shown = captured.section("unit", captured.text("debian12", "unit-started.txt"))
    unit = units.parse_unit("memcached.service", shown)
    assert (unit.load, unit.running, unit.starts_at_boot) == ("loaded", True, False)
    assert unit.pid > 0


def test_sockets_with_and_without_a_known_process() -> None:
    found = units.parse_listeners(
        captured.section("listeners", captured.text("debian12", "sockets.txt"))
    )
    assert Listener("tcp", "127.0.0.1", 11211, "", 0) in found
    assert any(one.program == "sshd" and one.port == 22 and one.pid > 0 for one in found)
    assert any(one.address == "::" and one.port == 22 for one in found)


def run(step_argv: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(step_argv, capture_output=True, text=True, check=False, timeout=20)


def test_a_file_is_replaced_whole_with_its_mode_and_the_previous_one_beside_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "memcached.conf"
    path.write_text("old\n")
    path.chmod(0o640)
    written = files.plan_write(str(path), "new\n", "old\n")
    assert run(written.argv).returncode == 0
    assert path.read_text() == "new\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "memcached.conf.previous").read_text() == "old\n"
    assert written.undo is not None
    run(written.undo)
    assert path.read_text() == "old\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["memcached.conf"]


def test_a_new_file_is_gone_again_when_undone(tmp_path: Path) -> None:
    path = tmp_path / "memcached.conf"
    written = files.plan_write(str(path), "new\n", None)
    assert run(written.argv).returncode == 0
    assert written.undo is not None
    run(written.undo)
    assert list(tmp_path.iterdir()) == []


def test_missing_unreadable_and_empty_are_three_things(tmp_path: Path) -> None:
    def observed(path: Path) -> dict[str, Section]:
        done = run(files.observe("f", str(path)).argv)
        return captured.section("f", done.stdout, done.returncode, done.stderr)

    (tmp_path / "empty").touch()
    assert files.parse("f", observed(tmp_path / "missing")) is None
    assert files.parse("f", observed(tmp_path / "empty")) == ""
    with pytest.raises(ValueError, match="Is a directory"):
        files.parse("f", observed(tmp_path))


def test_a_file_that_is_no_utf8_survives() -> None:
    raw = b"-m 64 # gr\xfc\xdfe\n"
    text = files.parse("f", captured.section("f", base64.b64encode(raw).decode()))
    assert text is not None
    encoded = files.plan_write("/x", text, text).argv[5]
    assert base64.b64decode(encoded) == raw


def test_a_difference_names_the_file_and_only_what_changed() -> None:
    assert files.difference("/etc/m", "a\nb\n", "a\nc\n") == ("/etc/m: - b", "/etc/m: + c")
