"""What a campaign does and how it judges: of nodes as they printed it, and of made-up ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pacefab.harness.campaign import judgement, looking, records, scenario, snapshot
from pacefab.harness.campaign.campaign import CampaignOrder
from pacefab.harness.campaign.faults import FAULTS
from pacefab.harness.campaign.judgement import StateKind, judge
from pacefab.harness.campaign.lies import LIARS
from pacefab.harness.campaign.operators import Ended
from pacefab.harness.campaign.records import Record
from pacefab.harness.campaign.snapshot import NodeSnapshot, Snapshot, parse
from tests.unit import captured

CONFIG = "/etc/memcached.conf"
OLD = NodeSnapshot({CONFIG: "old", "/etc/other": "x"}, ("memcached 1",), ("primitive old",))
NEW = NodeSnapshot({CONFIG: "new", "/etc/other": "x"}, ("memcached 1",), ("primitive new",))
HALF = replace(NEW, cib=OLD.cib)


def each(*nodes: NodeSnapshot) -> Snapshot:
    return {f"c{number}": node for number, node in enumerate(nodes, 1)}


OLDS, NEWS = each(OLD, OLD), each(NEW, NEW)


@pytest.mark.parametrize(
    ("now", "standing"),
    [
        (OLDS, StateKind.OLD),
        (NEWS, StateKind.NEW),
        (each(OLD, NEW), StateKind.MIXED),
        (each(HALF, HALF), StateKind.MIXED),
        (each(OLD, replace(OLD, cib=NEW.cib)), StateKind.MIXED),
        (each(OLD, replace(OLD, files={**OLD.files, CONFIG: "torn"})), StateKind.OTHER),
        (each(OLD, replace(OLD, files={**OLD.files, f"{CONFIG}.new": "x"})), StateKind.OTHER),
        (each(OLD, replace(OLD, packages=())), StateKind.OTHER),
        (each(NEW, replace(NEW, cib=())), StateKind.OTHER),
        ({"c2": NEW}, StateKind.NEW),
    ],
    ids=["old", "new", "a node each", "files first", "a CIB of its own", "a torn file",
         "a file more", "no package", "no CIB", "only some nodes"],
)  # fmt: skip
def test_files_packages_and_every_nodes_cib_are_judged_together(
    now: Snapshot, standing: StateKind
) -> None:
    assert judge(now, OLDS, NEWS).standing is standing


def looked(name: str) -> NodeSnapshot:
    """Return what a node printed in a campaign."""
    return parse(captured.text("campaign", f"{name}.txt"))


def test_a_real_deploy_that_was_cut_off_between_files_and_cib_is_neither_old_nor_new() -> None:
    old, new, cut = (looked(name) for name in ("old", "new", "cut-off"))
    found = judge({"c1": cut}, {"c1": old}, {"c1": new})
    assert found == judgement.Judgement(
        StateKind.MIXED,
        ("c1: /etc/haproxy/haproxy.cfg new", f"c1: {CONFIG} new", "c1: CIB old"),
    )
    assert judge({"c1": new}, {"c1": old}, {"c1": new}).standing is StateKind.NEW
    assert "the lease is held" in cut.leftovers
    assert len(cut.begun) == 2
    assert cut.units == tuple(f"{u} active under Pacemaker's drop-in" for u in looking.UNITS)
    assert any(line.startswith("/resources/primitive#beta ") for line in new.cib)


def test_a_mixed_state_says_what_stands_where() -> None:
    why = judge(each(HALF, OLD), OLDS, NEWS).why
    assert f"c1: {CONFIG} new" in why
    assert "c1: CIB old" in why


def test_a_state_that_is_neither_says_how_it_differs() -> None:
    torn = replace(NEW, files={**NEW.files, CONFIG: "torn"}, cib=("primitive third",))
    (*said,) = judge(each(NEW, torn), OLDS, NEWS).why
    assert f"{CONFIG} is torn, not new" in said
    assert "CIB has primitive third" in said
    assert "CIB lacks primitive new" in said


@pytest.mark.parametrize(("standing", "named", "fine"), [
    (StateKind.OLD, False, True), (StateKind.NEW, False, True), (StateKind.MIXED, False, False),
    (StateKind.OTHER, False, False), (StateKind.MIXED, True, True), (StateKind.OTHER, True, True),
])  # fmt: skip
def test_what_is_neither_old_nor_new_has_to_be_named(
    standing: StateKind, *, named: bool, fine: bool
) -> None:
    assert judgement.acceptable(judgement.Judgement(standing), named=named) is fine


def test_a_unit_that_runs_on_is_wrong_in_the_end() -> None:
    runs = replace(OLD, units=("memcached active under Pacemaker's drop-in",))
    stopped = replace(OLD, units=("memcached inactive ",))
    (said,) = judgement.wrongs(each(runs), each(stopped))
    assert said == "c1: units memcached active under Pacemaker's drop-in, not memcached inactive"
    assert judgement.wrongs(each(runs), each(runs)) == []


def test_leftovers_are_what_an_undisturbed_run_does_not_leave() -> None:
    always = replace(OLD, leftovers=("temporary file /tmp/x",))
    now = replace(always, leftovers=(*always.leftovers, "the lease is held"), begun=("s1",))
    assert judgement.leftovers(each(now), each(always)) == [
        "c1: the lease is held",
        "c1: s1 is called begun",
    ]


def test_the_order_of_siblings_and_pacemakers_own_notes_are_no_difference() -> None:
    one = """<cib epoch="1"><configuration>
    <crm_config><cluster_property_set id="o"><nvpair id="o-1" name="dc-version" value="1"/>
    <nvpair id="o-2" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
    <resources><primitive id="a" class="ocf"/><primitive class="ocf" id="b"/></resources>
    </configuration><status/></cib>"""
    other = one.replace('value="1"', 'value="2"').replace("epoch", "num_updates")
    other = other.replace('<primitive id="a" class="ocf"/>', "")
    other = other.replace("</resources>", '<primitive class="ocf" id="a"/></resources>')
    assert snapshot.cib_lines(one) == snapshot.cib_lines(other)
    assert snapshot.cib_lines(one) != snapshot.cib_lines(one.replace('"false"', '"true"'))
    group = '<cib><configuration><group id="g">{}{}</group></configuration></cib>'
    first, second = '<primitive id="a"/>', '<primitive id="b"/>'
    assert snapshot.cib_lines(group.format(first, second)) != snapshot.cib_lines(
        group.format(second, first)
    )


@pytest.mark.parametrize("text", ["", "== cib\n<cib", "== files\nx"])
def test_a_node_that_says_nothing_of_use_is_in_no_known_state(text: str) -> None:
    assert judge({"c1": parse(text)}, OLDS, NEWS).standing is StateKind.OTHER


def test_each_state_is_reached_by_commands_that_lead_to_where_the_next_begins() -> None:
    states = {state for c in scenario.COMMANDS for state in (c.begins, c.ends)}
    for state in states:
        way = scenario.way_to(state)
        assert way[-1].ends == state
        assert [c.begins for c in way[1:]] == [c.ends for c in way[:-1]]


def test_a_command_that_is_not_there_is_refused_by_its_name() -> None:
    assert {c.name for c in scenario.chosen(["deploy", "rollback"])} == {"deploy", "rollback"}
    with pytest.raises(ValueError, match="depoly"):
        scenario.chosen(["deploy", "depoly"])


def test_a_step_is_the_same_whatever_else_a_campaign_does() -> None:
    whole = {s.number: s for s in CampaignOrder(20, faults=True, operators=True, lies=True).steps()}
    assert len(whole) == 20 + 3 * len(FAULTS) + 2 + 10 + len(LIARS)
    for number, step in whole.items():
        (alone,) = CampaignOrder(only=number).steps()
        assert (alone.kind, alone.command) == (step.kind, step.command)


def test_kinds_take_turns_so_that_a_campaign_that_is_cut_short_has_some_of_each() -> None:
    first = CampaignOrder(40, faults=True, operators=True, lies=True).steps()[:12]
    assert {step.kind for step in first} == {"kills", "faults", "operators", "lies"}


def test_the_table_counts_by_command_and_says_how_to_repeat_what_is_wrong() -> None:
    fine = Record(1, "kills", "deploy", disturbed=True, standing="mixed", named=True, ended=True)
    wrong = Record(2, "kills", "deploy", "killed after 1 s", standing="new", wrong=["a torn file"])
    left = Record(3, "kills", "rollback", standing="old", ended=True, leftovers=["c1: a lease"])
    rows = records.rows([fine, wrong, left])
    assert rows[0] == ["kills", "deploy", "2", "1", "0", "1", "1", "1", "1", "1", "0"]
    assert rows[-1] == ["all", "", "3", "1", "1", "1", "1", "1", "2", "1", "1"]
    said = records.complaints(7, [fine, wrong, left])
    assert said[0] == ("step 2 (kills, deploy, killed after 1 s): repeat it with --seed 7 --step 2")
    assert said[1] == "    a torn file"
    assert len(said) == 4
    assert records.as_data(7, [fine])["steps"][0]["standing"] == "mixed"


@pytest.mark.parametrize(
    ("said", "count"),
    [("+ c1 deploy changed\n", 0), ("Traceback (most recent", 1), ("\x1b]0;x\x07", 2)],
)
def test_what_no_run_may_print_is_found(said: str, count: int) -> None:
    assert len(Ended(1, said, 1.0).defects()) == count
