"""What a node is and what its services want -> steps, and sentences about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pacefab.errors import RefusedError
from pacefab.host import firewall, kernel
from pacefab.host.model import (
    Absent,
    FileState,
    Firewall,
    HostFacts,
    Interface,
    Program,
    Unit,
)
from pacefab.services.service import DesiredNode, File, Port, Process, whole
from pacefab.workflows.nodes.in_force import PendingSetting
from pacefab.workflows.nodes.node_plan import NodePlan, plan_node, plan_rollback

CONFIG, SOCKET = "/etc/lb.cfg", "/etc/systemd/system/check.socket"
LB, CHECK = "lb.service", "check.socket"
PRESENT = {
    CONFIG: FileState("listen 1\n", "644", "root:root"),
    SOCKET: FileState("[Socket]\n", "644", "root:root"),
}
NODE = HostFacts(
    name="c1",
    distribution="debian 12",
    memory_mib=1024,
    family="debian",
    manager="apt-get",
    interfaces=(Interface("eth0", "10.0.0.1", 24), Interface("eth1", "192.0.2.1", 24)),
    packages={"lb": "2.6", "sync": "3.2"},
    units={
        LB: Unit(LB, "loaded", "active", "disabled", 7),
        CHECK: Unit(CHECK, "loaded", "active", "enabled", 0),
    },
    files=PRESENT,
)
DESIRED = DesiredNode(
    packages=("lb", "sync"),
    files=(
        whole(CONFIG, "listen 1\n", apply=("true",), reload=LB, check=("lb", "-c", "{}")),
        whole(SOCKET, "[Socket]\n"),
    ),
    units=(LB,),
    helpers=(CHECK,),
    ports=(Port(80),),
)


def plan(
    facts: HostFacts = NODE,
    desired: DesiredNode = DESIRED,
    managed: Sequence[str] = (LB,),
    addresses: Sequence[str] | None = None,
) -> NodePlan:
    return plan_node(facts, desired, managed=managed, firewall=addresses)


def names(planned: NodePlan) -> list[str]:
    return [step.name for step in planned.steps]


def with_unit(**changes: object) -> HostFacts:
    changed = replace(NODE.units[LB], **changes)  # type: ignore[arg-type]
    return replace(NODE, units={**NODE.units, LB: changed})


def with_file(path: str, text: str, **changes: object) -> DesiredNode:
    files = [whole(path, text, **changes) if f.path == path else f for f in DESIRED.files]
    return replace(DESIRED, files=tuple(files))


def test_a_node_that_is_as_desired_has_nothing_to_do() -> None:
    assert plan() == NodePlan()
    assert not plan()


def test_all_missing_packages_are_installed_in_one_call_their_units_guarded() -> None:
    facts = replace(NODE, packages={"lb": None, "sync": None}, units={}, files={})
    planned = plan(facts)
    assert planned.packages == ("lb", "sync")
    guard, install, unguard = planned.install
    assert install.argv[-2:] == ("lb", "sync")
    assert guard.argv[-1] == unguard.argv[-1] == f"/run/systemd/system/{LB}"
    assert planned.purge[0].argv == install.undo
    assert planned.changes[:2] == (
        "package lb installed with apt-get", "package sync installed with apt-get",
    )  # fmt: skip
    assert f"{CONFIG}: + listen 1" in planned.changes


def test_a_package_beside_one_that_is_there_masks_nothing_that_runs() -> None:
    (install,) = plan(replace(NODE, packages={"lb": "2.6", "sync": None})).install
    assert install.argv[-1] == "sync"


def test_packages_need_a_manager_that_we_know() -> None:
    with pytest.raises(RefusedError, match="debian 12 is not supported"):
        plan(replace(NODE, packages={}, manager=None))


def test_a_changed_file_is_checked_applied_and_reloaded() -> None:
    planned = plan(desired=with_file(CONFIG, "listen 2\n", apply=("true",), reload=LB))
    assert names(planned) == [f"write {CONFIG}", f"apply {CONFIG}", f"reload {LB}"]
    assert [step.again for step in planned.steps] == [False, True, True]
    assert planned.changes == (f"{CONFIG}: - listen 1", f"{CONFIG}: + listen 2")
    assert [(file.path, old) for file, old in planned.files] == [(CONFIG, PRESENT[CONFIG])]


@pytest.mark.parametrize("options", [{"mode": "0640"}, {"owner": "lb:lb"}])
def test_mode_and_owner_are_desired_too(options: dict[str, str]) -> None:
    (change,) = plan(desired=with_file(CONFIG, "listen 1\n", **options)).changes
    assert next(iter(options.values())).lstrip("0") in change


def test_a_secret_is_nowhere_in_what_is_reported() -> None:
    planned = plan(desired=with_file(CONFIG, "password s3cret\n", secret=True))
    assert planned.changes == (f"{CONFIG}: changed, not shown: it holds a secret",)
    assert "s3cret" not in repr(planned.steps)


def test_a_changed_unit_file_is_read_and_its_helper_restarted() -> None:
    planned = plan(desired=with_file(SOCKET, "[Socket]\nListenStream=1\n"))
    assert names(planned) == [f"write {SOCKET}", "read unit files", f"restart {CHECK}"]
    assert planned.changes[-1] == f"{CHECK} restarted"


def test_a_helper_that_does_not_run_is_enabled_and_started() -> None:
    facts = replace(NODE, units={LB: NODE.units[LB]})
    assert plan(facts).changes == (f"{CHECK} enabled and started",)


@pytest.mark.parametrize(
    ("facts", "change"),
    [
        (with_unit(load="masked"), "unit unmasked: Pacemaker starts lb"),
        (with_unit(enabled="enabled"), "unit disabled: Pacemaker starts lb"),
    ],
)
def test_only_pacemaker_starts_a_unit(facts: HostFacts, change: str) -> None:
    assert plan(facts).changes == (change,)


def test_what_runs_outside_pacemaker_is_stopped_unless_it_runs_as_desired() -> None:
    assert plan(managed=()).changes == ("stopped lb, which ran outside Pacemaker",)
    fitting = replace(DESIRED, processes=(Process(LB, "port 1", as_desired=True),))
    assert plan(desired=fitting, managed=()) == NodePlan()
    other = replace(DESIRED, processes=(Process(LB, "port 2", as_desired=False),))
    planned = plan(desired=other, managed=())
    assert not planned.pending, "it will not run so any more"
    (change,) = planned.changes
    assert change == "stopped lb, which ran outside Pacemaker (port 2) and would be adopted so"


def test_what_pacemaker_runs_with_other_settings_is_reported_and_left() -> None:
    process = Process(LB, "port 2", as_desired=False, difference="port 2, not 1")
    planned = plan(desired=replace(DESIRED, processes=(process,)))
    assert not planned
    assert planned.pending == (PendingSetting("lb", "port 2, not 1"),)


RULE = firewall.rule("10.0.0.1", 80, "tcp")
ACTIVE = Firewall({"eth0": "internal", "eth1": "public"}, {"internal": frozenset()}, {})


def test_ports_are_opened_for_the_clusters_addresses_in_their_interfaces_zone() -> None:
    planned = plan(replace(NODE, firewall=ACTIVE), addresses=["10.0.0.1", "10.0.0.2"])
    assert planned.changes == (
        "firewall: 80/tcp opened in zone internal for 10.0.0.1, 10.0.0.2",
    )  # fmt: skip
    now, for_good = planned.steps
    assert f"--add-rich-rule={RULE}" in now.argv
    assert "--permanent" in for_good.argv
    assert for_good.undo is not None
    assert f"--remove-rich-rule={RULE}" in for_good.undo


def test_open_ports_stay_as_they_are() -> None:
    rules = {"internal": frozenset({RULE})}
    opened = replace(ACTIVE, runtime=rules, permanent=rules)
    assert plan(replace(NODE, firewall=opened), addresses=["10.0.0.1"]) == NodePlan()
    forgetful = replace(opened, permanent={})
    assert plan(replace(NODE, firewall=forgetful), addresses=["10.0.0.1"])


def test_clients_reach_what_is_for_them_by_every_interface() -> None:
    facts = replace(NODE, firewall=ACTIVE)
    desired = replace(DESIRED, ports=(Port(80), Port(443, clients=True)))
    planned = plan_node(
        facts, desired, managed=(LB,), firewall=["10.0.0.1"], clients=("10.9.0.0/16", "fd00:1::/64")
    )
    assert planned.changes == (
        "firewall: 80/tcp, 443/tcp opened in zone internal for 10.0.0.1",
        "firewall: 443/tcp opened in zone internal for 10.9.0.0/16, fd00:1::/64",
        "firewall: 443/tcp opened in zone public for 10.9.0.0/16, fd00:1::/64",
    )
    *_, now, for_good = planned.steps
    rules = [firewall.rule(network, 443, "tcp") for network in ("10.9.0.0/16", "fd00:1::/64")]
    assert now.argv[2:] == tuple(f"--add-rich-rule={rule}" for rule in rules)
    assert "--permanent" in for_good.argv
    assert 'family="ipv6" source address="fd00:1::/64"' in rules[1]
    alone = plan_node(facts, desired, managed=(LB,), firewall=None, clients=("10.9.0.0/16",))
    assert not alone


def test_a_firewall_that_is_not_managed_is_only_reported() -> None:
    planned = plan(replace(NODE, firewall=ACTIVE))
    assert not planned
    assert "firewalld is active" in planned.remarks[0]


def test_files_go_back_to_what_they_were_and_take_effect() -> None:
    before = {CONFIG: FileState("listen 0\n", "600", "lb:lb"), SOCKET: None}
    planned = plan_rollback(NODE, before, DESIRED)
    assert names(planned) == [
        f"write {CONFIG}", f"apply {CONFIG}", f"remove {SOCKET}", "read unit files", f"reload {LB}",
    ]  # fmt: skip
    assert f"{CONFIG}: + listen 0" in planned.changes
    assert planned.changes[-1] == f"{SOCKET}: removed"
    assert plan_rollback(NODE, PRESENT, DESIRED) == NodePlan()
    assert plan_rollback(NODE, {"/etc/gone": None}, DESIRED) == NodePlan()


def test_a_file_is_rendered_from_what_is_there() -> None:
    edited = File(CONFIG, lambda text: f"{text}more\n")
    planned = plan(desired=replace(DESIRED, files=(edited,)))
    assert planned.changes == (f"{CONFIG}: + more",)


BIND, BIND6 = "net.ipv4.ip_nonlocal_bind", "net.ipv6.ip_nonlocal_bind"
FREE = replace(DESIRED, kernel={BIND: "1", BIND6: "1"})


def test_a_setting_of_the_kernel_is_set_though_its_file_is_as_desired() -> None:
    planned = plan(replace(NODE, kernel={BIND: "0", BIND6: "1"}), FREE)
    assert planned.changes == (f"{BIND} is 0, not 1",)
    (setting,) = planned.steps
    assert setting.argv[-3:] == (f"{BIND}=1", kernel.record(BIND), "0")
    assert setting.undo == ("sysctl", "-q", "-w", f"{BIND}=0")


@pytest.mark.parametrize("now", [{BIND: "1", BIND6: "1"}, {BIND: "1"}])
def test_a_setting_that_is_right_or_that_the_kernel_lacks_is_no_change(now: dict[str, str]) -> None:
    assert not plan(replace(NODE, kernel=now), FREE)


IPMITOOL = Program("/usr/bin/ipmitool", ("ipmitool",), ("ipmitool",), caller="fence_ipmilan")
FENCED = replace(DESIRED, programs=(IPMITOOL,))


def lacking(package: str, *, installed: bool = False) -> HostFacts:
    return replace(NODE, absent={IPMITOOL.path: Absent(package, installed=installed)})


def test_what_a_fence_agent_calls_is_installed_with_it() -> None:
    assert not plan(desired=FENCED), "it is there"
    planned = plan(lacking("ipmitool"), FENCED)
    assert planned.changes == ("package ipmitool installed with apt-get",)
    assert planned.packages == ("ipmitool",)


@pytest.mark.parametrize("facts", [lacking(""), lacking("ipmitool", installed=True)])
def test_a_program_that_no_package_brings_is_reported_before_a_change(facts: HostFacts) -> None:
    with pytest.raises(RefusedError) as error:
        plan(facts, FENCED)
    assert "fence_ipmilan needs /usr/bin/ipmitool" in error.value.seen
    assert "nothing was changed" in error.value.next_step


def running(**changes: object) -> HostFacts:
    return with_unit(active="active", **changes)


def test_a_unit_is_managed_by_any_of_its_names_and_by_what_starts_it_along() -> None:
    assert plan(running(names=(LB, "alias.service")), managed=["alias.service"]) == NodePlan()
    assert plan(running(pulled_in_by=("whole.target",)), managed=["whole.target"]) == NodePlan()
    assert plan(running(), managed=["other.service"]).interruptions


def test_what_an_unknown_agent_may_run_is_refused_and_not_stopped() -> None:
    opaque = ["p_x in cl_x (ocf:acme:x)"]
    with pytest.raises(RefusedError, match=r"p_x in cl_x \(ocf:acme:x\)") as refused:
        plan_node(running(), DESIRED, managed=[], opaque=opaque, firewall=None)
    assert "systemctl stop lb" in refused.value.next_step
    stopped = with_unit(active="inactive", pid=0)
    assert not plan_node(stopped, DESIRED, managed=[], opaque=opaque, firewall=None)
    assert not plan_node(running(), DESIRED, managed=[LB], opaque=opaque, firewall=None)


def test_a_helper_that_pacemaker_runs_is_left_to_it() -> None:
    planned = plan(desired=with_file(SOCKET, "[Socket]\nnew\n"), managed=[LB, CHECK])
    assert f"restart {CHECK}" not in names(planned)
    assert not planned.interruptions
    assert any(CHECK in remark for remark in planned.remarks)


def test_remarks_of_a_service_are_in_the_plan_and_change_nothing() -> None:
    planned = plan(desired=replace(DESIRED, remarks=("a line is ignored",)))
    assert planned.remarks == ("a line is ignored",)
    assert not planned
