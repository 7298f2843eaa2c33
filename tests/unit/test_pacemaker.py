"""CIB, crm_mon, crm_simulate and corosync.conf as real nodes printed them."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree
from ruamel.yaml import YAML

from fabfile.errors import RefusedError
from fabfile.pacemaker import cib, corosync, monitor, simulation
from fabfile.pacemaker.model import Operation
from fabfile.pacemaker.plan import Action, plan_clone, plan_removal
from fabfile.pacemaker.render import render_cib, render_pcs, render_restored
from fabfile.report import classic
from fabfile.services.memcached import AGENT, CLONE, RESOURCE, wanted_clone
from tests.unit import captured

PLANS = sorted((Path(__file__).parents[1] / "plans").glob("*.yaml"))


def operations(kind: str) -> tuple[Operation, ...]:
    return cib.parse_metadata_operations(captured.text(kind, "metadata.xml"))


@pytest.mark.parametrize("kind", captured.KINDS)
def test_what_we_render_is_what_pcs_wrote(kind: str) -> None:
    empty = cib.parse(captured.text(kind, "cib-empty.xml"))
    change = plan_clone(empty, wanted_clone(operations(kind)))
    assert change.action is Action.ADD
    ours = render_cib(empty, change)
    theirs = cib.parse(captured.text(kind, "cib-clone.xml"))
    assert canonical(ours.resources) == canonical(theirs.resources)
    assert ours.version == (empty.version[0], empty.version[1] + 1, 0)
    assert canonical(empty.root) == canonical(cib.parse(captured.text(kind, "cib-empty.xml")).root)


def canonical(element: etree._Element) -> str:
    return etree.tostring(element, method="c14n").decode()


@pytest.mark.parametrize("case", PLANS, ids=lambda path: path.stem)
@pytest.mark.parametrize("kind", captured.KINDS)
def test_plan(case: Path, kind: str) -> None:
    """Given a present CIB, the plan is as written; applied, nothing is left to do."""
    spec = YAML(typ="safe").load(case)
    present = cib.parse(edited(captured.text(kind, spec["present"]), spec.get("edit", {})))
    wanted = wanted_clone(operations(kind))
    if "refused" in spec:
        with pytest.raises(RefusedError, match=spec["refused"]):
            plan_clone(present, wanted)
        return
    change = plan_clone(present, wanted)
    assert change.action.value == spec["action"]
    assert [str(difference) for difference in change.differences] == spec.get("differences", [])
    after = render_cib(present, change)
    assert plan_clone(after, wanted).action is Action.NONE
    restored = render_restored(after, present, wanted)
    assert canonical(restored.resources) == canonical(present.resources)


def edited(text: str, edits: dict[str, str]) -> str:
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("kind", captured.KINDS)
def test_removal_takes_the_clone_and_only_with_leave_its_constraints(kind: str) -> None:
    present = cib.parse(captured.text(kind, "cib-constraint.xml"))
    change = plan_removal(present, wanted_clone(()))
    assert change.action is Action.REMOVE
    named = present.constraints_on(CLONE, RESOURCE)
    assert len(named) == 1
    kept = render_cib(present, change)
    assert kept.element(CLONE) is None
    assert len(kept.constraints) == 1
    assert len(render_cib(present, change, with_constraints=True).constraints) == 0
    assert plan_removal(kept, wanted_clone(())).action is Action.NONE


def test_other_resources_are_left_alone() -> None:
    present = cib.parse(captured.text("debian12", "cib-mixed.xml"))
    after = render_cib(present, plan_removal(present, wanted_clone(())))
    assert [e.get("id") for e in after.resources] == ["vip", "state-clone"]
    assert canonical(after.resources[0]) == canonical(present.resources[1])


@pytest.mark.parametrize("broken", ["", "<cib", "<other/>", "<cib><configuration/></cib>"])
def test_an_unreadable_cib_is_never_an_empty_one(broken: str) -> None:
    with pytest.raises(ValueError, match=r"XML|no CIB"):
        cib.parse(broken)


def test_the_pcs_line_is_the_one_an_operator_types() -> None:
    line = "pcs resource create memcached systemd:memcached clone interleave=true"
    assert render_pcs(wanted_clone(operations("debian12"))) == line


def test_operations_come_from_the_agents_metadata() -> None:
    names = [(op.name, op.interval, op.timeout) for op in operations("debian13")]
    expected = [("monitor", "60s", "100s"), ("start", "0s", "100s"), ("stop", "0s", "100s")]
    assert names == expected


def test_a_started_clone_in_the_classic_layout() -> None:
    status = monitor.parse(captured.text("debian12", "monitor-started.xml"))
    assert status.quorum
    assert status.started_on(RESOURCE) == {"c1", "c2", "c3"}
    assert classic.render(status) == [
        " Clone Set: memcached-clone [memcached]",
        "     Started: [ c1 c2 c3 ]",
    ]


def test_a_node_without_an_instance_in_the_classic_layout() -> None:
    status = monitor.parse(captured.text("debian12", "monitor-one-stopped.xml"))
    assert classic.render(status)[1:] == ["     Started: [ c1 c2 ]", "     Stopped: [ c3 ]"]


def test_standby_is_a_word_of_the_node() -> None:
    status = monitor.parse(captured.text("debian12", "monitor-standby.xml"))
    assert {node.name: node.word for node in status.nodes} == {
        "c1": "online", "c2": "standby", "c3": "online",
    }  # fmt: skip


def test_addresses_and_promotable_clones_in_the_classic_layout() -> None:
    status = monitor.parse(captured.text("debian12", "monitor-mixed.xml"))
    lines = classic.render(status)
    assert " vip     (ocf::heartbeat:IPaddr2):       Started c3" in lines
    assert lines[-3:] == [
        " Master/Slave Set: state-clone [state]",
        "     Masters: [ c3 ]",
        "     Slaves: [ c1 c2 ]",
    ]


def test_failed_starts_are_told() -> None:
    status = monitor.parse(captured.text("debian13", "monitor-started.xml"))
    assert {f.node for f in status.failures} == {"c1", "c2", "c3"}
    assert {(f.resource, f.operation) for f in status.failures} == {("memcached", "start")}
    assert status.started_on(RESOURCE) == set()


def test_what_pacemaker_would_do_is_read_from_its_simulation() -> None:
    assert simulation.parse(captured.text("debian12", "simulation-remove.xml")) == (
        "stop vip on c3",
    )


@pytest.mark.parametrize("kind", captured.KINDS)
def test_membership_is_read_from_corosync_conf(kind: str) -> None:
    text = captured.text(kind, "corosync.conf")
    resolved = corosync.parse_resolved("c1 10.0.0.1\nc2 10.0.0.2\nc3 127.0.1.1\n")
    membership = corosync.parse(text, resolved)
    assert membership.names == ("c1", "c2", "c3")
    assert [member.addresses for member in membership.members] == [("10.0.0.1",), ("10.0.0.2",), ()]
    assert membership.cluster.startswith("capture-")


def test_a_brace_that_is_not_closed_is_an_error() -> None:
    with pytest.raises(ValueError, match="brace"):
        corosync.parse("totem {\n cluster_name: x\n", {})


def test_the_agent_of_a_provider_is_written_as_pcs_writes_it() -> None:
    present = cib.parse(captured.text("debian12", "cib-mixed.xml"))
    assert [p.id for p in present.primitives_of("ocf:heartbeat:IPaddr2")] == ["vip"]
    assert [p.id for p in present.primitives_of(AGENT)] == ["memcached"]
