"""SELinux: answers of its programs, what is planned of them, and that it is what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pacefab.host import selinux
from pacefab.host.model import HostFacts, Selinux, SelinuxPort
from pacefab.services.haproxy import service as haproxy
from pacefab.services.memcached import memcached
from pacefab.services.service import DesiredNode, Look, whole
from pacefab.transport.command import Section
from pacefab.workflows.nodes.node_plan import NodePlan, plan_node
from tests.unit import captured

CONFIG = "/etc/haproxy/haproxy.cfg"
LABEL = "unconfined_u:object_r:etc_t:s0"
PORT = SelinuxPort("memcache_port_t", 11311)
NODE = HostFacts("c1", "centos 9", 4096, family="rhel", manager="dnf")
DESIRED = DesiredNode(booleans=(haproxy.BOOLEAN,), labelled=(PORT,))


def answers(**texts: str | Section) -> dict[str, Section]:
    found = {**captured.section("selinux")}
    for name, text in texts.items():
        step = f"selinux {name}"
        given = text if isinstance(text, Section) else Section(step, 0, text, "")
        found[step] = given
    return found


def recorded(restorecon: str = "restorecon.txt") -> Selinux:
    found = selinux.parse(
        answers(
            booleans=captured.text("selinux", "getsebool.txt"),
            ports=captured.text("selinux", "semanage-port.txt"),
            labels=captured.text("selinux", restorecon),
        )
    )
    assert found
    return found


def planned(found: Selinux | None, desired: DesiredNode = DESIRED) -> NodePlan:
    return plan_node(replace(NODE, selinux=found), desired, managed=(), firewall=None)


@pytest.mark.parametrize("form", ["restorecon.txt", "restorecon-older.txt"])
def test_the_programs_answers(form: str) -> None:
    found = recorded(form)
    assert found.booleans == {haproxy.BOOLEAN: False}
    assert found.mislabelled == {CONFIG: LABEL}
    assert found.semanage
    assert found.ports
    assert found.ports["vnc_port_t", "tcp"] == ((5900, 5983), (5985, 5999))


def test_a_port_within_a_range_has_its_type() -> None:
    found = recorded()
    there = SelinuxPort("vnc_port_t", 5990)
    assert selinux.missing_ports(found, [there, PORT]) == [PORT]
    assert selinux.missing_ports(found, [replace(there, number=5984)])
    assert selinux.missing_ports(found, [SelinuxPort("memcache_port_t", 11211, "udp")]) == []


def test_what_is_missing_is_planned_and_shown() -> None:
    desired = replace(DESIRED, files=(whole(CONFIG, "listen\n"),))
    plan = planned(recorded(), desired)
    assert plan.changes[-3:] == (
        "SELinux: boolean haproxy_connect_any set to on",
        "SELinux: port 11311/tcp gets the type memcache_port_t",
        f"SELinux: {CONFIG} gets its label {LABEL}",
    )
    boolean, port, labels = plan.steps[-3:]
    assert boolean.argv == ("setsebool", "-P", "haproxy_connect_any", "on")
    assert boolean.undo == ("setsebool", "-P", "haproxy_connect_any", "off")
    assert port.argv[-3:] == ("memcache_port_t", "tcp", "11311")
    assert port.undo == ("semanage", "port", "-d", "-t", "memcache_port_t", "-p", "tcp", "11311")
    assert labels.argv == ("restorecon", "-v", CONFIG)


def test_what_is_as_desired_is_left() -> None:
    ports = {("memcache_port_t", "tcp"): ((11311, 11311),)}
    assert planned(Selinux({haproxy.BOOLEAN: True}, ports)) == NodePlan()
    assert planned(Selinux()) == NodePlan(), "a policy without it, a list that was not asked for"


def test_nothing_is_planned_where_it_does_not_enforce() -> None:
    assert selinux.parse({**captured.section("selinux", status=3)}) is None
    assert planned(None) == NodePlan()


def test_semanage_is_installed_where_a_port_needs_it() -> None:
    missing = Section("selinux ports", 127, "", "")
    found = selinux.parse(answers(booleans="haproxy_connect_any --> on\n", ports=missing))
    assert found == Selinux({haproxy.BOOLEAN: True}, semanage=False)
    plan = planned(found)
    assert plan.packages == ("policycoreutils-python-utils",)
    assert planned(found, DesiredNode(booleans=(haproxy.BOOLEAN,))) == NodePlan()


def test_only_another_port_than_the_policys_is_asked_about() -> None:
    assert memcached.labelled(11211) == memcached.labelled(None) == ()
    assert memcached.labelled(11311) == (PORT,)
    look = Look(booleans=(haproxy.BOOLEAN,))
    names = [step.name for step in selinux.observe(look.booleans, look.labelled, look.files)]
    assert names == ["selinux", "selinux booleans"]
    assert [step.name for step in selinux.observe((), (PORT,), (CONFIG,))] == [
        "selinux", "selinux ports", "selinux labels",
    ]  # fmt: skip
