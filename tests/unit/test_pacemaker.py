"""CIB, crm_mon, crm_simulate and corosync.conf as real nodes printed them."""

from __future__ import annotations

import pytest

from pacefab.pacemaker import cib, monitor
from pacefab.pacemaker.members import corosync
from pacefab.pacemaker.placement import graph, simulation
from pacefab.report import classic
from pacefab.services.memcached.memcached import AGENT, RESOURCE
from tests.unit import captured


@pytest.mark.parametrize("broken", ["", "<cib", "<other/>", "<cib><configuration/></cib>"])
def test_an_unreadable_cib_is_never_an_empty_one(broken: str) -> None:
    with pytest.raises(ValueError, match=r"XML|not a CIB"):
        cib.parse(broken)


@pytest.mark.parametrize(
    ("there", "instead"), [('have-quorum="1"', 'have-quorum="0"'), (' dc-uuid="3"', "")]
)
def test_a_cib_says_whether_there_is_quorum_and_a_dc(there: str, instead: str) -> None:
    text = captured.text("debian12", "cib-clone.xml")
    assert cib.parse(text).quorum
    assert not cib.parse(text.replace(there, instead)).quorum


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


def test_an_instance_beyond_the_number_of_copies_makes_no_node_one_without() -> None:
    """As Pacemaker has it of a clone whose clone-max was more once, or that was probed."""
    text = captured.text("debian12", "monitor-one-stopped.xml")
    last = text.rindex('orphaned="false"', 0, text.index("</clone>"))
    orphaned = text[:last] + 'orphaned="true"' + text[last + len('orphaned="false"') :]
    assert classic.render(monitor.parse(orphaned))[1:] == ["     Started: [ c1 c2 ]"]


def test_standby_is_a_word_of_the_node() -> None:
    status = monitor.parse(captured.text("debian12", "monitor-standby.xml"))
    assert {node.name: node.word for node in status.nodes} == {
        "c1": "online", "c2": "standby", "c3": "online",
    }  # fmt: skip


def test_addresses_and_promotable_clones_in_the_classic_layout() -> None:
    status = monitor.parse(captured.text("debian12", "monitor-mixed.xml"))
    lines = classic.render(status)
    assert " vip    (ocf::heartbeat:IPaddr2):       Started c3" in lines
    assert lines[-3:] == [
        " Master/Slave Set: state-clone [state]",
        "     Masters: [ c3 ]",
        "     Slaves: [ c1 c2 ]",
    ]
    former = classic.render(status, former_ids=True)
    assert former[-3] == " Master/Slave Set: state-master [state]"


def test_failed_starts_are_reported() -> None:
    status = monitor.parse(captured.text("debian13", "monitor-started.xml"))
    assert {f.node for f in status.failures} == {"c1", "c2", "c3"}
    assert {(f.resource, f.operation) for f in status.failures} == {("memcached", "start")}
    assert status.started_on(RESOURCE) == set()


@pytest.mark.parametrize("kind", ["debian12", "debian13"])
@pytest.mark.parametrize(
    ("after", "reported", "interrupts"),
    [
        ("start", ["start new on c3"], False),
        ("move", ["move vip-rabbitmq from c2 to c3"], True),
        ("restart", ["restart vip-rabbitmq on c2"], True),
        ("stop-clone", ["stop memcached:0 on c2", "stop memcached:1 on c1"], True),
    ],
)
def test_what_pacemaker_would_do_is_read_from_its_simulation(
    kind: str, after: str, reported: list[str], interrupts: bool
) -> None:
    actions = simulation.parse(captured.text(kind, f"simulation-{after}.xml"))
    assert [str(action) for action in actions] == reported
    assert {action.interrupts for action in actions} == {interrupts}


@pytest.mark.parametrize("kind", ["debian12", "debian13"])
def test_operations_that_are_due_are_read_without_recurring_monitors(kind: str) -> None:
    due = graph.parse(captured.text(kind, "graph-restart.xml")).operations
    assert [str(one) for one in due] == ["stop vip-rabbitmq on c2", "start vip-rabbitmq on c2"]


def test_a_resource_that_is_taken_away_stops() -> None:
    (action,) = simulation.parse(captured.text("debian12", "simulation-remove.xml"))
    assert str(action) == "stop vip on c3"
    assert action.interrupts


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
    assert [p.get("id") for p in present.primitives_of("ocf:heartbeat:IPaddr2")] == ["vip"]
    assert [p.get("id") for p in present.primitives_of(AGENT)] == ["memcached"]
