"""Packages, units, sockets and files of a node, from what real nodes printed."""

from __future__ import annotations

import base64
import os
import pwd
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pacefab.host import files, firewall, kept_files, packages, units
from pacefab.host.model import FileState, Interface, Listener
from pacefab.transport.command import Section, Step
from tests.unit import captured


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
    sections = observed(text, "/usr/bin/dnf\n/usr/bin/apt-get\n", "memcached 1.6.18-1 installed\n")
    assert packages.parse_manager(sections) == "apt-get"
    names = ("memcached", "no-such")
    found = {"memcached": "1.6.18-1", "no-such": None}
    assert packages.parse_packages(names, sections) == found


@pytest.mark.parametrize(
    "printed", ["memcached 1.6.18-1 config-files\n", "memcached  not-installed\n"]
)
def test_removed_but_configured_is_not_installed(printed: str) -> None:
    text = captured.text("debian12", "os-release")
    sections = observed(text, "/usr/bin/apt-get\n", printed)
    assert packages.parse_packages(["memcached"], sections) == {"memcached": None}


def test_yum_serves_where_there_is_no_dnf() -> None:
    printed = "memcached 1.6.9-7.el9 installed\npackage galera is not installed\n"
    sections = observed(captured.text("rpm", "os-release"), "/usr/bin/yum\n", rpm=printed)
    assert packages.parse_manager(sections) == "yum"
    found = {"memcached": "1.6.9-7.el9", "galera": None}
    assert packages.parse_packages(["memcached", "galera"], sections) == found


def test_an_unknown_distribution_has_no_package_manager() -> None:
    assert packages.parse_manager(observed("ID=alpine\nVERSION_ID=3\n", "")) is None


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
    out = f"Reading package lists...\n{said}\n"
    error = packages.explain(Section("install memcached with apt-get", 100, out, ""))
    assert error is not None
    assert next_step in error.next_step
    assert said in error.seen


def test_a_step_of_no_package_manager_is_not_explained_by_one() -> None:
    assert packages.explain(Section("write /etc/memcached.conf", 1, "", "")) is None


@pytest.mark.parametrize(
    "line",
    [
        "Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by",
        "Waiting for the package manager's lock, at most 120 s",
    ],
)
def test_waiting_for_a_lock_is_printed(line: str) -> None:
    assert packages.waiting(line)
    assert not packages.waiting("Setting up memcached (1.6.18) ...")


APT_STEPS = {
    "install": packages.plan_install("apt-get", ["memcached"], ["memcached.service"]),
    "upgrade": packages.plan_upgrade("apt-get", ["memcached"], ["memcached.service"]),
    "purge": packages.plan_purge("apt-get", ["memcached"]),
}


@pytest.mark.parametrize("kind", APT_STEPS)
def test_needrestart_is_suspended_whenever_apt_changes_something(kind: str, tmp_path: Path) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text(f"#!/bin/sh\nenv | grep NEEDRESTART | sort >>{tmp_path}/seen\n")
    apt.chmod(0o755)
    (change,) = (step for step in APT_STEPS[kind] if step.name.startswith(kind))
    undone = [Step("undo", change.undo)] if change.undo else []
    for step in (change, *undone):
        argv = [word.replace("/run/", f"{tmp_path}/") for word in step.argv]
        path = f"{tmp_path}:{os.environ['PATH']}"
        subprocess.run(argv, env={"PATH": path}, capture_output=True, check=False, timeout=30)
        seen = (tmp_path / "seen").read_text().split()
        assert set(seen) == {"NEEDRESTART_MODE=l", "NEEDRESTART_SUSPEND=1"}
        (tmp_path / "seen").unlink()


@pytest.mark.parametrize("kind", ["debian12", "rpm"])
def test_units_that_pacemaker_started_and_that_are_not_there(kind: str) -> None:
    names = ["memcached.service", "absent.service"]
    shown = captured.section("units", captured.text(kind, "units.txt"))
    started, absent = units.parse_units(names, shown).values()
    assert (started.load, started.running, started.starts_at_boot) == ("loaded", True, False)
    assert started.pid > 0
    assert started.command_line[0] == "/usr/bin/memcached"
    assert {"-p", "11211"} < set(started.command_line)
    assert (absent.load, absent.running, absent.pid) == ("not-found", False, 0)
    assert absent.command_line == ()


def test_a_unit_that_failed_to_start() -> None:
    shown = captured.section("units", captured.text("debian13", "units.txt"))
    failed, _ = units.parse_units(["memcached.service", "absent.service"], shown).values()
    assert (failed.active, failed.running, failed.command_line) == ("failed", False, ())


def test_no_unit_at_all() -> None:
    assert units.parse_units([], captured.section("units")) == {}


@pytest.mark.parametrize("kind", ["debian12", "debian13"])
def test_zones_and_rules_of_a_firewall(kind: str) -> None:
    found = firewall.parse(captured.section("firewall", captured.text(kind, "firewall.txt")))
    assert found is not None
    ours = firewall.rule("192.0.2.11", 80, "tcp")
    assert firewall.missing(found, "public", [ours]) == ()
    other = firewall.rule("fd00::1", 80, "tcp")
    assert firewall.missing(found, "public", [ours, other]) == (other,)
    assert firewall.zones(found, [Interface("eth0", "10.0.0.1", 24)], ["10.0.0.1"]) == ("public",)


def test_no_active_firewall() -> None:
    assert firewall.parse(captured.section("firewall", status=3)) is None


def test_sockets_with_and_without_a_known_process() -> None:
    found = units.parse_listeners(
        captured.section("listeners", captured.text("debian12", "sockets.txt"))
    )
    assert Listener("tcp", "127.0.0.1", 11211, "", 0) in found
    assert any(one.program == "sshd" and one.port == 22 and one.pid > 0 for one in found)
    assert any(one.address == "::" and one.port == 22 for one in found)


@pytest.mark.parametrize(
    ("shown", "address"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("127.0.0.53%lo", "127.0.0.53"),
        ("*", "::"),
        ("[::]", "::"),
        ("[::1]", "::1"),
        ("[fe80::5054:ff:fe12:3456]%eth0", "fe80::5054:ff:fe12:3456"),
        ("[::ffff:10.0.0.1]", "10.0.0.1"),
    ],
)
def test_an_address_is_what_an_operator_would_write(shown: str, address: str) -> None:
    line = f'tcp LISTEN 0 1024 {shown}:11211 *:* users:(("java",pid=7,fd=9))\n'
    (found,) = units.parse_listeners({"listeners": Section("listeners", 0, line, "")})
    assert found == Listener("tcp", address, 11211, "java", 7)


def run(step: Step) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        step.argv, input=step.stdin, capture_output=True, text=True, check=False, timeout=20
    )


def undo(step: Step) -> None:
    assert step.undo is not None
    assert run(Step("undo", step.undo)).returncode == 0


def mine(path: Path, text: str, mode: str = "640") -> FileState:
    return FileState(text, mode, f"{path.owner()}:{path.group()}")


def look(*paths: Path) -> dict[str, FileState | None]:
    names = [str(path) for path in paths]
    done = run(files.observe(names)[0])
    return files.parse(names, captured.section("files", done.stdout, done.returncode))


def test_a_file_is_replaced_whole_with_the_previous_one_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "memcached.conf"
    path.write_text("old\n")
    path.chmod(0o644)
    old = mine(tmp_path, "old\n", "644")
    written = files.plan_write(str(path), mine(tmp_path, "new\n"), old)
    assert run(written).returncode == 0
    assert look(path) == {str(path): mine(tmp_path, "new\n")}
    previous = tmp_path / "memcached.conf.previous"
    # What held a secret is never more readable than the file that took its place.
    assert look(previous) == {str(previous): mine(tmp_path, "old\n")}
    undo(written)
    assert look(path) == {str(path): old}
    assert [entry.name for entry in tmp_path.iterdir()] == ["memcached.conf"]


def test_a_link_stays_one_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "real.conf", tmp_path / "memcached.conf"
    target.write_text("old\n")
    target.chmod(0o640)
    link.symlink_to("real.conf")
    written = files.plan_write(str(link), mine(tmp_path, "new\n"), mine(tmp_path, "old\n"))
    assert run(written).returncode == 0
    assert (link.is_symlink(), target.read_text()) == (True, "new\n")
    undo(written)
    assert (link.is_symlink(), target.read_text()) == (True, "old\n")


@pytest.mark.parametrize(
    ("was", "becomes", "beside"),
    [("640", "644", "640"), ("644", "600", "600"), ("600", "600", "600")],
)
def test_the_previous_file_is_never_more_readable_than_either(
    tmp_path: Path, was: str, becomes: str, beside: str
) -> None:
    path, previous = tmp_path / "haproxy.cfg", tmp_path / "haproxy.cfg.previous"
    path.write_text("password of before\n")
    path.chmod(int(was, 8))
    old, new = mine(tmp_path, "password of before\n", was), mine(tmp_path, "none\n", becomes)
    written = files.plan_write(str(path), new, old)
    assert run(written).returncode == 0
    assert look(previous)[str(previous)] == replace(old, mode=beside)
    undo(written)
    assert look(path, previous) == {str(path): old, str(previous): None}


def test_a_link_in_the_place_of_the_previous_file_is_not_followed(tmp_path: Path) -> None:
    path, other = tmp_path / "m.conf", tmp_path / "other"
    path.write_text("old\n")
    other.write_text("untouched\n")
    (tmp_path / "m.conf.previous").symlink_to("other")
    old = mine(tmp_path, "old\n", "644")
    written = files.plan_write(str(path), mine(tmp_path, "new\n"), old)
    assert run(written).returncode == 0
    undo(written)
    assert (other.read_text(), path.read_text()) == ("untouched\n", "old\n")


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other users")
NOBODY = 65534


@root_only
@pytest.mark.parametrize("way", ["theirs", "open", "link", "folder is a link"])
def test_no_file_is_written_through_a_folder_that_others_may_write(
    tmp_path: Path, way: str
) -> None:
    tmp_path.chmod(0o755)
    folder, precious = tmp_path / "folder", tmp_path / "precious"
    precious.mkdir()
    target = precious / "m.conf"
    target.write_text("precious\n")
    path = folder / "m.conf"
    if way == "folder is a link":
        (tmp_path / "theirs").mkdir()
        os.chown(tmp_path / "theirs", NOBODY, -1)
        (tmp_path / "theirs" / "folder").symlink_to(precious)
        path = tmp_path / "theirs" / "folder" / "m.conf"
    else:
        folder.mkdir()
    if way == "theirs":
        os.chown(folder, NOBODY, -1)
    if way == "open":
        folder.chmod(0o777)
    if way == "link":  # in a folder where anybody may make one, but nobody takes away root's
        folder.chmod(0o1777)
        path.symlink_to(target)
        os.chown(path, NOBODY, -1, follow_symlinks=False)
    done = run(files.plan_write(str(path), FileState("new\n", "640", "root:root"), None))
    assert done.returncode != 0
    assert f"others may write a folder or set a link on the way to {path}" in done.stderr
    assert target.read_text() == "precious\n"
    assert [e.name for e in tmp_path.rglob("*") if "XX" in e.name or ".m.conf" in e.name] == []


@root_only
def test_a_package_and_administrators_may_own_a_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for user, group, mode in (("daemon", "daemon", 0o775), ("root", "staff", 0o2775)):
        folder = tmp_path / group
        folder.mkdir()
        shutil.chown(folder, user, group)
        folder.chmod(mode)
        path = folder / "service.conf"
        written = files.plan_write(str(path), FileState("new\n", "644", "root:root"), None)
        assert run(written).returncode == 0
        assert path.read_text() == "new\n"


@root_only
def test_the_user_of_a_file_may_own_its_folder_but_sets_no_link(tmp_path: Path) -> None:
    """As Debian's redis owns /etc/redis: nothing is made where that user could swap it."""
    tmp_path.chmod(0o755)
    folder, precious = tmp_path / "redis", tmp_path / "precious"
    folder.mkdir(mode=0o750)
    os.chown(folder, NOBODY, -1)
    precious.write_text("precious\n")
    path = folder / "redis.conf"
    user = f"{pwd.getpwuid(NOBODY).pw_name}:root"
    written = files.plan_write(str(path), FileState("new\n", "640", user), None)
    assert run(written).returncode == 0
    assert (path.read_text(), path.owner()) == ("new\n", user.partition(":")[0])
    path.unlink()
    path.symlink_to(precious)
    assert run(written).returncode != 0
    assert precious.read_text() == "precious\n"


def test_a_new_file_is_gone_again_when_undone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "memcached.conf"
    written = files.plan_write(str(path), mine(tmp_path, ""), None)
    assert run(written).returncode == 0
    assert path.read_text() == ""
    undo(written)
    assert list(path.parent.iterdir()) == []


def test_what_the_check_refuses_never_gets_in_place(tmp_path: Path) -> None:
    path = tmp_path / "haproxy.cfg"
    path.write_text("old\n")
    old = look(path)[str(path)]
    for said, status in (("new", 0), ("newer", 1)):
        check = ("grep", "-qx", "new", "{}")
        done = run(files.plan_write(str(path), mine(tmp_path, f"{said}\n"), old, check))
        assert done.returncode == status
        assert path.read_text() == "new\n"


def test_missing_unreadable_and_empty_are_three_things(tmp_path: Path) -> None:
    empty, missing = tmp_path / "empty", tmp_path / "missing"
    empty.touch(mode=0o600)
    assert look(empty, missing) == {
        str(empty): mine(tmp_path, "", "600"), str(missing): None,
    }  # fmt: skip
    with pytest.raises(ValueError, match="Is a directory"):
        look(empty, tmp_path)


def test_a_file_that_is_no_utf8_survives(tmp_path: Path) -> None:
    path = tmp_path / "file"
    raw = b"-m 64 # gr\xfc\xdfe\n"
    path.write_bytes(raw)
    old = look(path)[str(path)]
    assert old is not None
    path.unlink()
    assert run(files.plan_write(str(path), old, None)).returncode == 0
    assert path.read_bytes() == raw


def test_a_text_travels_in_no_argv() -> None:
    written = files.plan_write("/x", FileState("secret", "600", "root:root"), None)
    encoded = base64.b64encode(b"secret").decode()
    assert written.stdin == encoded
    assert not any(encoded in word or "secret" in word for word in written.argv)
    assert encoded not in repr(written)


A, B = FileState("a\nb\n", "644", "root:root"), FileState("a\nc\n", "640", "root:root")


def test_a_difference_names_the_file_and_only_what_changed() -> None:
    lines = ("/etc/m: - b", "/etc/m: + c", "/etc/m: mode 644 -> 640")
    assert files.difference("/etc/m", A, B) == lines


def test_a_difference_shows_no_secret() -> None:
    lines = ("/etc/m: changed, not shown: it holds a secret", "/etc/m: mode 644 -> 640")
    assert files.difference("/etc/m", A, B, secret=True) == lines
    same = FileState(A.text, "640", "root:root")
    assert files.difference("/etc/m", A, same, secret=True) == lines[1:]


def test_a_difference_shows_all_but_what_is_hidden() -> None:
    old = FileState("port 1\nuser u password abc\n", "600", "root:root")
    new = FileState("port 2\nuser u password def\n", "600", "root:root")
    hidden = r"password \S+"
    lines = ("/etc/m: - port 1", "/etc/m: + port 2")
    assert files.difference("/etc/m", old, new, hidden=hidden) == lines
    fresh = files.difference("/etc/m", None, new, hidden=hidden)
    assert fresh == ("/etc/m: + port 2", "/etc/m: + user u (secret)")
    other = FileState("port 1\nuser u password def\n", "600", "root:root")
    unshown = ("/etc/m: changed, not shown: it holds a secret",)
    assert files.difference("/etc/m", old, other, hidden=hidden) == unshown


def test_what_is_kept_is_the_first_state_and_absence_too(tmp_path: Path) -> None:
    there, absent = tmp_path / "there", tmp_path / "absent"
    there.write_text("old\n")
    there.chmod(0o640)

    def local(step: Step) -> Step:
        argv = [str(tmp_path / "history") if w == kept_files.FOLDER else w for w in step.argv]
        return replace(step, argv=tuple(argv))

    kept = local(kept_files.plan_store("1", [str(there), str(absent)]))
    assert run(kept).returncode == 0
    there.write_text("new\n")
    absent.write_text("new\n")
    assert run(kept).returncode == 0
    printed = run(local(kept_files.observe("1")[0]))
    found = kept_files.parse(captured.section("kept files", printed.stdout))
    assert found == {str(there): mine(tmp_path, "old\n"), str(absent): None}
    assert (tmp_path / "history").stat().st_mode & 0o777 == 0o700
