"""Options and what a node is -> settings, or a refusal that says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pacefab.errors import RefusedError, UsageError
from pacefab.host.model import FileState, HostFacts, Interface, Listener, Unit
from pacefab.pacemaker.model import Member, Membership
from pacefab.services.memcached.config import Settings
from pacefab.services.memcached.memcached import (
    Request,
    desired_node,
    desired_settings,
    listen_endpoints,
    render_config,
    running_settings,
)
from pacefab.services.service import Port, Site

FILE = "/etc/memcached.conf"
UNIT = Unit("memcached.service", "loaded", "inactive", "disabled", 0)
NODE = HostFacts(
    name="c1",
    distribution="debian 12",
    memory_mib=1024,
    family="debian",
    manager="apt-get",
    interfaces=(
        Interface("eth0", "10.0.0.1", 24),
        Interface("eth1", "192.168.7.1", 24),
        Interface("eth1", "fd00::1", 64),
    ),
    packages={"memcached": "1.6.18"},
    units={UNIT.name: UNIT},
    files={FILE: FileState("-m 64\n-p 11211\n-l 127.0.0.1\n", "640", "root:adm")},
)


def configured(text: str) -> HostFacts:
    return replace(NODE, files={FILE: FileState(text, "644", "root:root")})


CLUSTER = Membership("prod", (Member("c1", ("10.0.0.1",)), Member("c2", ("10.0.0.2",))))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"memory": 0}, "--memory 0"),
        ({"memory": -5}, "--memory -5"),
        ({"port": 65536}, "--port 65536"),
        ({"max_connections": 0}, "--max-connections 0"),
        ({"listen": "everywhere"}, "--listen everywhere"),
        ({"listen": "10.0.0.1,"}, "--listen 10.0.0.1,"),
        ({"listen": "$(reboot)"}, "--listen $(reboot)"),
    ],
)
def test_options_that_can_never_be_are_refused_before_any_contact(
    options: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        Request(**options)  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert caught.value.next_step.startswith("allowed: ")


@pytest.mark.parametrize(
    ("listen", "addresses"),
    [
        ("auto", ("10.0.0.1",)),
        ("192.168.7.0/24", ("192.168.7.1",)),
        ("10.0.0.1,fd00::/64", ("10.0.0.1", "fd00::1")),
        ("0.0.0.0", ("0.0.0.0",)),
        ("::", ("::",)),
    ],
)
def test_where_to_listen(listen: str, addresses: tuple[str, ...]) -> None:
    assert desired_settings(Request(listen), NODE, CLUSTER).listen == addresses


def test_what_is_not_asked_for_stays_as_the_file_says() -> None:
    node = configured("-m 512\n-p 11300\n-c 99\n-l 127.0.0.1\n")
    assert desired_settings(Request(), node, CLUSTER) == Settings(("10.0.0.1",), 11300, 512, 99)
    assert desired_settings(Request(memory=64), node, CLUSTER).memory == 64


@pytest.mark.parametrize(
    ("request_", "node", "membership", "said"),
    [
        (Request("10.9.9.0/24"), NODE, CLUSTER, "no address in 10.9.9.0/24"),
        (Request(memory=1000), NODE, CLUSTER, "the node has 1024 MiB"),
        (Request(), NODE, None, "no /etc/corosync/corosync.conf"),
        (
            Request(),
            replace(NODE, name="x", interfaces=NODE.interfaces[1:2]),
            CLUSTER,
            "cluster prod",
        ),
        (Request(), configured("-m lots\n"), CLUSTER, "'lots', not a number"),
        (Request(), replace(NODE, manager=None), CLUSTER, "debian 12 is not supported"),
    ],
)
def test_what_the_node_forbids(
    request_: Request, node: HostFacts, membership: Membership | None, said: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        desired_settings(request_, node, membership)
    assert said in caught.value.seen


def listening(address: str, pid: int, port: int = 11211) -> HostFacts:
    line = ("/usr/bin/memcached", "-l", "10.0.0.1")
    running = replace(UNIT, active="active", pid=7, command_line=line)
    sockets = (Listener("tcp", address, port, "nc", pid),)
    return replace(NODE, units={UNIT.name: running}, listeners=sockets)


@pytest.mark.parametrize("address", ["10.0.0.1", "0.0.0.0", "::"])
def test_a_port_that_another_process_has_is_refused(address: str) -> None:
    with pytest.raises(RefusedError, match="taken by nc"):
        desired_settings(Request(), listening(address, pid=99), CLUSTER)


@pytest.mark.parametrize(
    "node",
    [
        listening("10.0.0.1", pid=7),  # its own
        listening("10.0.0.1", pid=0),  # the kernel does not say; its own by its command line
        listening("127.0.0.1", pid=99),  # another address
        listening("10.0.0.1", pid=99, port=80),
    ],
)
def test_a_port_that_is_free_or_its_own_is_not(node: HostFacts) -> None:
    assert desired_settings(Request(), node, CLUSTER).port == 11211


def test_the_same_settings_leave_the_file_as_it_is() -> None:
    text = "-l 10.0.0.1 # mine\n-m 64\n-p 11211\n"
    assert render_config(NODE, text, Settings(("10.0.0.1",))) == text


def test_what_runs_is_read_from_the_process() -> None:
    assert running_settings(NODE) is None
    assert running_settings(listening("10.0.0.1", pid=7)) == Settings(("10.0.0.1",))


def test_the_script_that_is_about_to_become_memcached_says_no_settings() -> None:
    script = "/usr/share/memcached/scripts/systemd-memcached-wrapper"
    argv = ("/usr/bin/perl", "-w", script, "/etc/memcached.conf")
    starting = replace(UNIT, active="active", pid=7, command_line=argv)
    assert running_settings(replace(NODE, units={UNIT.name: starting})) is None


def test_what_is_desired_of_a_node() -> None:
    desired = desired_node(Request(memory=70), Site(CLUSTER, {"c1": NODE}, {}, str), "c1")
    (file,) = desired.files
    assert file.render(NODE.text(FILE)) == (
        "-m 70\n-p 11211\n-l 10.0.0.1\n-u memcache\n-c 1024\n-U 0\n"
    )
    assert (file.mode, file.owner) == ("640", "root:adm"), "as the operator gave them"
    assert (desired.packages, desired.units) == (("memcached",), ("memcached.service",))
    assert desired.ports == (Port(11211, clients=True),)


@pytest.mark.parametrize(
    ("listen", "endpoints"),
    [
        (("0.0.0.0",), ("10.0.0.1",)),
        ((), ("10.0.0.1",)),
        (("127.0.0.1", "::1", "localhost"), ()),
        (("127.0.0.1", "10.0.0.1"), ("10.0.0.1",)),
        (("cache.example",), ("cache.example",)),
    ],
)
def test_where_others_should_get_an_answer(
    listen: tuple[str, ...], endpoints: tuple[str, ...]
) -> None:
    assert listen_endpoints(Settings(listen), "10.0.0.1") == endpoints
