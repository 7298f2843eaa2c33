"""What starts memcached, and whether it reads the file that we write."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pacefab.errors import RefusedError
from pacefab.host import units
from pacefab.host.model import FileState, HostFacts, Interface, Unit
from pacefab.pacemaker.model import Member, Membership
from pacefab.services.memcached.config import DEBIAN_PATH, REDHAT_PATH
from pacefab.services.memcached.memcached import (
    UNIT,
    Request,
    desired_node,
    effective_settings,
    unread,
)
from pacefab.services.service import Site
from tests.unit import captured

CLUSTER = Membership("dev", (Member("c1", ("10.0.0.1",)),))
EL = "/usr/bin/memcached -p ${PORT} -u ${USER} -m ${CACHESIZE} -c ${MAXCONN} $OPTIONS"


def shown(name: str) -> Unit:
    """Return memcached's unit as a real node's systemd showed it."""
    section = captured.section("units", captured.text("debian12", f"in-force-{name}.txt"))
    return units.parse_units([UNIT, "absent.service"], section)[UNIT]


def node(unit: Unit, text: str = "-m 64\n-u memcache\n", manager: str = "apt-get") -> HostFacts:
    path = DEBIAN_PATH if manager == "apt-get" else REDHAT_PATH
    return HostFacts(
        name="c1",
        distribution="debian 12",
        memory_mib=1024,
        family="debian" if manager == "apt-get" else "rhel",
        manager=manager,
        interfaces=(Interface("eth0", "10.0.0.1", 24),),
        packages={"memcached": "1"},
        units={UNIT: unit},
        files={path: FileState(text, "644", "root:root")},
    )


def install(facts: HostFacts) -> None:
    desired_node(Request(), Site(CLUSTER, {"c1": facts}, {}, str), "c1")


@pytest.mark.parametrize("name", ["shipped", "limits", "alias"])
def test_the_packages_command_reads_the_file(name: str) -> None:
    assert unread(node(shown(name))) == ""
    install(node(shown(name)))


@pytest.mark.parametrize(
    ("name", "seen", "next_step"),
    [
        (
            "override",
            (
                "/usr/bin/memcached -u memcache -m 128 -p 11211 -l 0.0.0.0 -c 4096 "
                "(limits.conf, override.conf): /etc/memcached.conf is not read"
            ),
            "systemctl revert memcached",
        ),
        (
            "wrapper",
            (
                "memcached.service starts /usr/local/bin/start-cache /etc/memcached.conf "
                "(memcached.service): /etc/memcached.conf is not read"
            ),
            "edit /etc/systemd/system/memcached.service",
        ),
        ("socket", "memcached.socket starts memcached.service on demand", "disable --now"),
    ],
)
def test_what_does_not_is_refused_with_the_way_out(name: str, seen: str, next_step: str) -> None:
    with pytest.raises(RefusedError) as refused:
        install(node(shown(name)))
    assert seen in refused.value.seen
    assert next_step in refused.value.next_step


def test_what_is_in_force_then_are_the_commands_own_options() -> None:
    settings = effective_settings(node(shown("override")))
    assert (settings.memory, settings.listen, settings.max_connections) == (128, ("0.0.0.0",), 4096)
    assert effective_settings(node(shown("shipped"))).memory == 64


def test_an_alias_is_a_name_of_the_unit() -> None:
    assert shown("alias").names == ("memcached.service", "kasse.service")


@pytest.mark.parametrize(
    ("command", "files", "read"),
    [
        (EL, (REDHAT_PATH,), True),
        (EL, ("/etc/default/cache", REDHAT_PATH), True),
        (EL, (REDHAT_PATH, "/etc/default/cache"), False),
        (EL, (), False),
        (EL.replace("${PORT}", "11211"), (REDHAT_PATH,), False),
        (f"{EL} -m 512", (REDHAT_PATH,), False),
        ("/usr/bin/memcached -u memcached $OPTIONS", (REDHAT_PATH,), False),
    ],
)
def test_of_el_every_variable_has_to_count(
    command: str, files: tuple[str, ...], read: bool
) -> None:
    shipped = "/usr/lib/systemd/system/memcached.service"
    unit = Unit(UNIT, "loaded", "inactive", "disabled", 0, commands=(command,),
                fragment=shipped, environment_files=files)  # fmt: skip
    assert (unread(node(unit, "", "dnf")) == "") is read


BOUND = "/usr/bin/taskset -c 0-3 /usr/bin/nice -n -5"


def started(command: str, *files: str) -> Unit:
    """Return memcached's unit with a command of the operator's, by a drop-in."""
    drop_in = "/etc/systemd/system/memcached.service.d/cpu.conf"
    return Unit(UNIT, "loaded", "inactive", "disabled", 0, commands=(command,),
                fragment="/usr/lib/systemd/system/memcached.service", drop_ins=(drop_in,),
                environment_files=files)  # fmt: skip


def test_what_only_binds_it_to_processors_leaves_the_file_in_force() -> None:
    wrapper = "/usr/share/memcached/scripts/systemd-memcached-wrapper"
    install(node(started(f"{BOUND} {wrapper} /etc/memcached.conf")))
    install(node(started(f"/usr/bin/numactl --interleave=all {EL}", REDHAT_PATH), "", "dnf"))


def test_a_command_behind_such_a_program_is_what_is_in_force() -> None:
    facts = node(started(f"{BOUND} /usr/bin/memcached -m 512 -l 10.0.0.1 -u memcache"))
    assert effective_settings(facts).memory == 512
    with pytest.raises(RefusedError, match=r"taskset -c .* is not read"):
        install(facts)


def test_a_program_without_its_path_is_not_guessed() -> None:
    facts = node(started("/usr/bin/env MALLOC_ARENA_MAX=1 memcached -m 512"))
    assert "is not read" in unread(facts)
    assert effective_settings(facts).memory == 64


def test_a_unit_that_is_not_there_yet_will_read_it() -> None:
    install(node(replace(shown("override"), load="not-found")))


def test_a_unix_socket_alone_reaches_nobody() -> None:
    with pytest.raises(RefusedError, match=r"-s /run/mc.sock: memcached listens at that socket"):
        install(node(shown("shipped"), "-s /run/mc.sock\n-u memcache\n"))


def test_environment_files_are_named_without_systemds_remark() -> None:
    text = captured.text("debian12", "in-force-shipped.txt").replace(
        "Names=memcached.service",
        "EnvironmentFiles=/etc/sysconfig/memcached (ignore_errors=no)\nNames=memcached.service",
        1,
    )
    found = units.parse_units([UNIT, "absent.service"], captured.section("units", text))
    assert found[UNIT].environment_files == (REDHAT_PATH,)
