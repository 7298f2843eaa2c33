"""Pacemaker's word for what should run where, in states that real clusters were in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from lxml import etree

from pacefab.errors import CommandError
from pacefab.pacemaker import cib, monitor
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.configuration import read_configuration
from pacefab.pacemaker.model import Clone, Configuration, Primitive
from pacefab.pacemaker.nouns.status import CloneStatus, ClusterStatus
from pacefab.pacemaker.placement import graph, outcome
from pacefab.pacemaker.placement.causes import Causes
from pacefab.pacemaker.placement.constraints import UPDATE_BAN, needed
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.readiness import StartFailedError, missing
from pacefab.pacemaker.word import Cause, Placement, sentences
from pacefab.services.memcached.memcached import desired_clone
from pacefab.workflows.checks import placed
from pacefab.workflows.rolling.ban import Bans
from tests.unit import captured

LONE = Primitive("lone", "ocf:pacemaker:Dummy")
EVERYWHERE = frozenset({"c1", "c2", "c3"})


def clone(name: str) -> Clone:
    return Clone(f"{name}-clone", Primitive(name, "ocf:pacemaker:Dummy"))


def live(state: str) -> Cib:
    return cib.parse(captured.text("word", f"{state}-cib.xml"))


def status_of(state: str) -> ClusterStatus:
    """Return a state as `live.read_word` gives it."""
    status = monitor.parse(captured.text("word", f"{state}-mon.xml"))
    to_do = graph.parse(captured.text("word", f"{state}-graph.xml"))
    placement = outcome.read(live(state), status, to_do)
    return replace(status, due=to_do.operations, placement=placement)


def word(state: str) -> Placement:
    found = status_of(state).placement
    assert found is not None
    return found


def awaited(state: str, *resources: Primitive | Clone) -> str:
    return missing(status_of(state), Configuration(resources=resources))


def test_what_is_not_restricted_has_no_cause() -> None:
    found = word("healthy")
    assert found.causes == ()
    assert found.kept("cache") == found.kept("state") == EVERYWHERE
    assert found.kept("lone") == {"c1"}
    assert placed.reasons(found) == placed.notices(found) == []


@pytest.mark.parametrize(
    ("state", "notice"),
    [
        ("nodes", "c3 is in standby, its services are not asked: pcs node unstandby c3"),
        ("nodes", "c2 is in maintenance, .*: pcs node unmaintenance c2"),
        ("maintenance", "the cluster is in maintenance mode, .*maintenance-mode=false"),
        ("stop-all", "stop-all-resources is set, .*stop-all-resources=false"),
        ("opt-in", r"cache-clone is not allowed on c2, c3, .*location cache-clone prefers c2 c3"),
        ("opt-in", r"pair is not allowed on c1, c2, c3, .* \(symmetric-cluster=false\)"),
        ("defaults-unmanaged", "every resource is unmanaged, .*defaults update is-managed="),
        ("defaults-stopped", "every resource is disabled .*defaults update target-role="),
        ("health", "many is unmanaged, .* by the template plan.*in the template plan"),
        ("remote", "c3 is a remote node"),
        ("remote", "g1 is a guest node"),
        ("resources", r"cache-clone is disabled \(target-role Stopped\): .*enable cache-clone"),
        ("resources", r"a2 is disabled .*: pcs resource enable a2"),
        ("resources", "follower needs a2, which does not run .*: pcs resource enable a2"),
        ("resources", "lone is unmanaged, .*: pcs resource manage lone"),
        ("resources", "watched is in maintenance, .*: pcs resource meta watched maintenance="),
        ("resources", "state-clone is kept from being promoted .*meta state-clone target-role="),
        ("resources", ("c3 is banned for banned-clone by cli-ban-banned-clone-on-c3: "
         "pcs resource clear banned-clone c3")),
        ("resources", ("c2 is banned for banned-clone by .* until 2026-11-30 03:06:14Z: "
         "pcs resource clear banned-clone c2")),
        ("resources", ("c1 is banned for avoided-clone by location-avoided-clone-c1--100: "
         "pcs constraint delete location-avoided-clone-c1--100")),
        ("resources", r"c1 is banned for ruled-clone by location-ruled-clone \(rack eq b\): "),
        ("resources", r"few-clone runs on no more nodes than 2 \(clone-max\)"),
    ],
)  # fmt: skip
def test_what_an_operator_has_set_is_a_notice_with_its_way_out(state: str, notice: str) -> None:
    found = placed.notices(word(state))
    assert [one for one in found if re.match(notice, one)], found
    assert len(found) == len(set(found))


def test_what_keeps_many_resources_off_alike_is_one_line() -> None:
    text = captured.text("word", "opt-in-cib.xml").replace(
        'name="symmetric-cluster" value="false"', 'name="symmetric-cluster" value="true"'
    )
    names = ("cache-clone", "state-clone", "few-clone", "pair")
    every = "".join(EXCLUSIVE.format(name) for name in names)
    status = monitor.parse(captured.text("word", "opt-in-mon.xml"))
    to_do = graph.parse(captured.text("word", "opt-in-graph.xml"))
    whole = cib.parse(text.replace("<constraints>", f"<constraints>{every}"))
    found = [one for one in placed.notices(outcome.read(whole, status, to_do)) if "allowed" in one]
    assert found[0].startswith("cache-clone is not allowed on c2, c3 by at-cache-clone ")
    said = "pair, state-clone and few-clone are not allowed on c1, c2, c3 by exclusive locations"
    assert found[1:] == [f"{said} (osprole eq controller): pcs constraint location"]


def test_of_many_resources_a_few_are_named() -> None:
    off = "are off: see"
    alike = [Cause(f"{name} is off", "see", resource=name, shared=off) for name in "abcde"]
    assert sentences([*alike, Cause("all is off", "see")]) == [
        "a, b, c and 2 more are off: see",
        "all is off: see",
    ]
    assert sentences(alike[:1] * 2) == ["a is off: see"]
    assert sentences(alike[:4]) == ["a, b, c and d are off: see"]


EXCLUSIVE = (
    '<rsc_location id="at-{0}" rsc="{0}" resource-discovery="exclusive"><rule id="at-{0}-rule" '
    'score="0"><expression id="at-{0}-e" attribute="osprole" operation="eq" value="controller"/>'
    "</rule></rsc_location>"
)
COLOCATION = (
    '<rsc_colocation rsc="follower" with-rsc="a2" score="INFINITY" '
    'id="colocation-follower-a2-INFINITY"/>'
)
SETS = '<rsc_colocation id="sets" score="INFINITY">{}</rsc_colocation>'


def resource_set(*names: str, **words: str) -> str:
    inner = "".join(f'<resource_ref id="{name}"/>' for name in names)
    said = "".join(f' {key}="{value}"' for key, value in words.items())
    return f"<resource_set{said}>{inner}</resource_set>"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('value="Stopped"', 'value="stopped"'),
        ('value="Stopped"', 'value="STOPPED"'),
        (COLOCATION, COLOCATION.replace("INFINITY", "1000000", 1)),
        (COLOCATION, SETS.format(resource_set("a2", "follower"))),
        (COLOCATION, SETS.format(resource_set("follower") + resource_set("lone", "a2"))),
        (COLOCATION, '<rsc_order id="o" first="a2" then="follower"/>'),
        (COLOCATION, f'<rsc_order id="o">{resource_set("a2", "follower")}</rsc_order>'),
    ],
)
def test_the_spelling_of_what_an_operator_has_set_makes_no_difference(old: str, new: str) -> None:
    text = captured.text("word", "resources-cib.xml")
    shown = captured.text("word", "resources-mon.xml")
    assert old in text
    to_do = graph.parse(captured.text("word", "resources-graph.xml"))
    as_set = old.replace("value=", "target_role=")
    status = monitor.parse(shown.replace(as_set, new.replace("value=", "target_role=")))
    found = outcome.read(cib.parse(text.replace(old, new)), status, to_do)
    assert (placed.notices(found), placed.reasons(found)) == (
        placed.notices(word("resources")), placed.reasons(word("resources")),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("constraint", "needs"),
    [
        (SETS.format(resource_set("a", "b", "c")), {"b": ["a"], "c": ["b"]}),
        (SETS.format(resource_set("a", "b", sequential="false")), {}),
        (SETS.format(resource_set("a", "b", sequential="false") + resource_set("c", "d")),
         {"a": ["d"], "b": ["d"], "d": ["c"]}),
        (SETS.replace("INFINITY", "500").format(resource_set("a", "b")), {}),
        ('<rsc_order id="o">{}{}</rsc_order>'.format(
            resource_set("a", "b"), resource_set("c", "d", sequential="false")),
         {"b": ["a"], "c": ["b"], "d": ["b"]}),
        (f'<rsc_order id="o" kind="Optional">{resource_set("a", "b")}</rsc_order>', {}),
    ],
)  # fmt: skip
def test_sets_of_resources_say_who_needs_whom(constraint: str, needs: dict[str, list[str]]) -> None:
    dummy = '<primitive id="{}" class="ocf" provider="pacemaker" type="Dummy"/>'
    resources = "".join(map(dummy.format, "abcd"))
    text = captured.text("debian12", "cib-empty.xml")
    text = text.replace("<resources/>", f"<resources>{resources}</resources>")
    known = cib.parse(text.replace("<constraints/>", f"<constraints>{constraint}</constraints>"))
    found = {name: [other for other, _ in needed(known, name)] for name in "abcd"}
    assert {name: others for name, others in found.items() if others} == needs


def test_a_set_may_need_a_promoted_instance() -> None:
    sets = SETS.format(resource_set("follower") + resource_set("a2", role="Master"))
    text = captured.text("word", "resources-cib.xml").replace(COLOCATION, sets)
    assert list(needed(cib.parse(text), "follower")) == [("a2", True)]


@pytest.mark.parametrize("state", ["stop-all", "opt-in"])
def test_an_option_of_the_cluster_counts_in_whatever_set_it_is(state: str) -> None:
    text = captured.text("word", f"{state}-cib.xml")
    status = monitor.parse(captured.text("word", f"{state}-mon.xml"))
    to_do = graph.parse(captured.text("word", f"{state}-graph.xml"))
    set_of_pcs = '<cluster_property_set id="cib-bootstrap-options">'
    elsewhere = text.replace(set_of_pcs, '<cluster_property_set id="site">')
    own = '<nvpair id="o" name="{}" value="{}"/></cluster_property_set></crm_config>'
    both = elsewhere.replace(
        "</crm_config>", set_of_pcs + own.format("stop-all-resources", "false")
    )  # fmt: skip
    assert both != elsewhere != text
    found = outcome.read(cib.parse(elsewhere), status, to_do)
    assert found.causes == word(state).causes
    said = placed.notices(outcome.read(cib.parse(both), status, to_do))
    assert not any("stop-all-resources" in notice for notice in said)


def test_what_is_so_by_accident_is_a_reason() -> None:
    found = placed.reasons(word("health"))
    assert [one.partition(" (")[0] for one in found] == [
        "c3 is unhealthy by its #health attributes",
        "Pacemaker does not run lone on c1, c2",
    ]
    # Quorum, nodes that are offline and failed actions have reasons of their own.
    assert placed.reasons(word("no-quorum")) == placed.reasons(word("remote")) == []
    assert placed.node_troubles(status_of("no-quorum")) == ["c2 is offline", "c3 is offline"]
    assert placed.node_troubles(status_of("remote")) == ["the remote node r2 is offline"]


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        ("nodes", {"c1"}), ("maintenance", set()), ("stop-all", set()), ("opt-in", {"c1"}),
        ("defaults-unmanaged", set()), ("defaults-stopped", set()), ("resources", set()),
        ("health", {"c1", "c2"}), ("no-quorum", set()), ("remote", {"c1", "c2", "c3", "g1"}),
    ],
)  # fmt: skip
def test_where_a_clone_is_kept_running(state: str, kept: set[str]) -> None:
    assert word(state).kept("cache") == kept


def test_what_runs_unmanaged_runs_and_is_not_kept() -> None:
    found = word("defaults-unmanaged")
    assert found.running["cache"] == EVERYWHERE
    assert found.deliberate("cache", "c1")
    assert not word("healthy").deliberate("cache", "c1")


@pytest.mark.parametrize("state", ["nodes", "maintenance", "stop-all", "opt-in", "resources"])
def test_what_is_not_to_run_is_not_awaited(state: str) -> None:
    restricted = ("banned", "avoided", "ruled", "few") if state != "nodes" else ()
    clones = [clone(name) for name in ("cache", *restricted)]
    assert awaited(state, LONE, *clones) == ""


def test_a_clone_that_is_kept_to_remote_nodes_runs_where_it_should() -> None:
    status = status_of("remote")
    assert status.placement is not None
    word_ = replace(
        status.placement, running={**status.placement.running, "cache": frozenset({"c3"})}
    )
    (there,) = [i for i in status.instances("cache") if i.nodes == ("c3",)]
    every = (CloneStatus("cache-clone", promotable=False, instances=(there,)),)
    only_there = replace(status, resources=every, placement=word_)
    assert missing(only_there, Configuration(resources=(clone("cache"),))) == ""
    nowhere = replace(only_there, resources=(replace(every[0], instances=()),))
    assert missing(nowhere, Configuration(resources=(clone("cache"),))) != ""


def test_that_a_remote_node_has_no_instance_needs_no_cause() -> None:
    status = status_of("remote")
    running = {**graph_of().running(status), "cache": frozenset({"c1", "c2"})}
    causes = Causes(live("remote"), status, running)
    assert causes.of("cache", "c3") is None
    assert causes.of("cache", "r2") is not None  # it is offline


def test_a_node_by_pacemaker_remote_is_not_awaited() -> None:
    status = status_of("remote")
    stopped = tuple(one for one in status.resources if one.id != "cache-clone")
    assert awaited("remote", clone("cache")) == ""
    said = missing(replace(status, resources=stopped), Configuration(resources=(clone("cache"),)))
    assert said == "cache is not Started on c1, c2"


def test_what_failed_is_an_error_at_once() -> None:
    with pytest.raises(StartFailedError, match="start failed on c2"):
        awaited("resources", clone("broken"))


def test_what_pacemaker_cannot_place_is_an_error_at_once() -> None:
    with pytest.raises(CommandError, match=r"does not run lone on c1, c2 .*utilization") as caught:
        awaited("health", LONE)
    assert "pcs status" in caught.value.next_step


def test_ids_are_read_from_the_right() -> None:
    text = captured.text("word", "resources-mon.xml")
    for key, resource in [
        ("p_start_x_start_0", "p_start_x"), ("my_res_monitor_10000", "my_res"),
        ("my_vm_migrate_to_0", "my_vm"), ("d2:0_stop_0", "d2:0"),
    ]:  # fmt: skip
        (failure,) = monitor.parse(text.replace("broken_start_0", key)).failures
        assert failure.resource == resource
        bare = text.replace("broken_start_0", key).replace(' task="start"', "")
        (failure,) = monitor.parse(bare).failures
        assert key.startswith(f"{resource}_{failure.operation}_")


def test_the_ban_of_an_update_that_was_cut_off_is_an_accident() -> None:
    text = captured.text("word", "resources-cib.xml")
    status = captured.text("word", "resources-mon.xml")
    old, new = "cli-ban-banned-clone-on-c3", f"{UPDATE_BAN}c3"
    found = outcome.read(
        cib.parse(text.replace(old, new)),
        monitor.parse(status.replace(old, new)),
        graph.parse(captured.text("word", "resources-graph.xml")),
    )
    (reason,) = [one for one in placed.reasons(found) if "banned" in one]
    assert new in reason
    assert "an update was cut off" in reason


def test_comments_in_a_cib_are_no_resources_and_no_constraints() -> None:
    plain = live("resources")
    commented = cib.parse(captured.text("word", "resources-cib.xml"))
    for place in ("resources", "constraints", "resources/clone", "constraints/rsc_location/rule"):
        for element in commented.root.iterfind(f"configuration/{place}"):
            element.insert(0, etree.Comment("who, when, why"))
    assert read_configuration(commented) == read_configuration(plain)
    memcached = Configuration(resources=(desired_clone(),))
    assert Bans("memcached", memcached).found(commented) == {}
    nothing = Configuration()
    assert plan_configuration(commented, nothing) == plan_configuration(plain, nothing)


def graph_of(*actions: str) -> graph.Graph:
    """Return a graph of actions, as crm_simulate of Pacemaker 2.1.5 writes each."""
    sets = "".join(f"<synapse><action_set>{one}</action_set><inputs/></synapse>" for one in actions)
    return graph.parse(f"<transition_graph>{sets}</transition_graph>")


def operation(name: str, resource: str, node: str, **meta: str) -> str:
    given = "".join(f' CRM_meta_{key}="{value}"' for key, value in meta.items())
    return (
        f'<rsc_op operation="{name}" operation_key="{resource}_{name}_0" on_node="{node}">'
        f'<primitive id="{resource}"/><attributes{given}/></rsc_op>'
    )


UNFENCED = (
    '<crm_event operation="stonith" on_node="c2">'
    '<attributes CRM_meta_stonith_action="on"/></crm_event>'
)
IMPLIED = (
    '<pseudo_event operation="stop" operation_key="cache_stop_0">'
    '<attributes CRM_meta_on_node="c1"/></pseudo_event>'
)
NOTIFIED = (
    '<rsc_op operation="notify" operation_key="cache_post_notify_stop_0" on_node="c1">'
    '<primitive id="cache"/><attributes/></rsc_op>'
)
MIGRATED = (operation("stop", "lone", "c1"), operation("migrate_from", "lone", "c3"))


@pytest.mark.parametrize(
    ("actions", "resource", "nodes"),
    [
        ([], "lone", {"c1"}),
        ([operation("stop", "lone", "c1")], "lone", set()),
        ([operation("start", "lone", "c1"), operation("stop", "lone", "c1")], "lone", {"c1"}),
        ([operation("start", "lone", "c2"), operation("stop", "lone", "c1")], "lone", {"c2"}),
        (MIGRATED, "lone", {"c3"}),
        ([operation("stop", "cache:1", "c2")], "cache", {"c1", "c3"}),
        # A node that is fenced loses everything; one that is unfenced nothing.
        (['<crm_event operation="stonith" on_node="c2"/>'], "cache", {"c1", "c3"}),
        (
            [UNFENCED],
            "cache", {"c1", "c2", "c3"},
        ),
        # What others imply has only a key; a notification of a stop is none.
        (
            [IMPLIED],
            "cache", {"c2", "c3"},
        ),
        (
            [NOTIFIED],
            "cache", {"c1", "c2", "c3"},
        ),
    ],
)  # fmt: skip
def test_what_runs_once_pacemaker_has_done_all(
    actions: Sequence[str], resource: str, nodes: set[str]
) -> None:
    status = monitor.parse(captured.text("word", "healthy-mon.xml"))
    assert graph_of(*actions).running(status)[resource] == nodes


def test_what_is_to_be_done_once_is_said_and_recurring_monitors_are_not() -> None:
    recurring = operation("monitor", "lone", "c1", interval="10000")
    found = graph_of(operation("monitor", "new", "c1"), recurring).operations
    assert list(map(str, found)) == ["monitor new on c1"]
    with pytest.raises(ValueError, match="graph"):
        graph.parse("<pacemaker-result/>")


def test_a_resource_that_was_taken_away_is_gone_once_it_has_stopped() -> None:
    status = monitor.parse(captured.text("word", "healthy-mon.xml"))
    (lone,) = status.instances("lone")
    orphan = replace(lone, id="gone", orphaned=True)
    assert orphan.left_over
    assert not replace(orphan, nodes=(), role="Stopped").left_over
    status = replace(status, resources=(*status.resources, orphan))
    assert graph_of().running(status)["gone"] == {"c1"}
    assert "gone" not in graph_of(operation("stop", "gone", "c1")).running(status)
