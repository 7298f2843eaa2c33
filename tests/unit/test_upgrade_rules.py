"""What Pacemaker 3 drops or reads in another way is found, and written for it as a plan."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from lxml import etree

from pacefab.pacemaker import cib
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.restore import plan_restore, render_restored
from pacefab.pacemaker.upgrade.findings import Examined, Severity, UpgradeFinding, examine
from pacefab.pacemaker.upgrade.rules import PACEMAKER_3
from tests.unit import captured

DATA = Path(__file__).resolve().parents[1] / "data" / "upgrade"
PLANTED = cib.parse((DATA / "planted.xml").read_text())
BEFORE, NOTICE = Severity.BEFORE, Severity.NOTICE
FRESH = [
    f"{kind}/{name}"
    for kind in captured.KINDS
    for name in sorted(p.name for p in (captured.FOLDER / kind).glob("cib-*.xml"))
]
EXPECTED = [
    ("properties", "stonith-action", BEFORE, True),
    ("properties", "remove-after-stop", BEFORE, True),
    ("properties", "crmd-transition-delay", BEFORE, True),
    ("properties", "concurrent-fencing", NOTICE, False),
    ("nodes of the CIB", "gateway", BEFORE, False),
    ("attributes of nodes", "c2", NOTICE, False),
    ("defaults of resources", "default-params", BEFORE, False),
    ("shared values", "other-params", BEFORE, True),
    ("classes of resources", "oldjob", BEFORE, False),
    ("classes of resources", "watcher", BEFORE, False),
    ("agents", "o2cb", BEFORE, False),
    ("promotable clones", "state-master", BEFORE, True),
    ("names of meta attributes", "state-master", NOTICE, True),
    ("bundles", "box", BEFORE, False),
    ("bundles", "crate", BEFORE, True),
    ("options of resources", "web", BEFORE, True),
    ("options of resources", "web", BEFORE, True),
    ("instances of clones", "two-clone", BEFORE, True),
    ("migration thresholds", "web", BEFORE, True),
    ("pending operations", "two monitor", NOTICE, True),
    ("lifetimes of constraints", "web-by-day", BEFORE, True),
    ("lifetimes of constraints", "other-near-web", BEFORE, False),
    ("rules of constraints", "web-places", BEFORE, True),
    ("scores", "other-here", BEFORE, False),
    ("operators of rules", "other-joined", BEFORE, False),
    ("roles", "other-role", BEFORE, False),
    ("names of roles", "web-with-master", NOTICE, True),
    ("names of roles", "state-monitor-10", NOTICE, True),
    ("names of roles", "state-monitor-11", NOTICE, True),
    ("constraints on instances", "web-with-first", BEFORE, False),
    ("dates by the moon", "near-spec", BEFORE, False),
    ("rules of sets", "web-two-rules", BEFORE, True),
    ("rules on nodes", "web-meta-by-node", BEFORE, False),
    ("tests of rules", "other-joined-expr", BEFORE, False),
    ("fencing levels", "level-12", BEFORE, False),
]


def found(where: Cib) -> list[tuple[str, str, Severity, bool]]:
    """Return everything that is found in a CIB, short."""
    return [
        (name, one.where, one.severity, one.planned)
        for name, one in every(examine(where, PACEMAKER_3))
    ]


def every(examined: Examined) -> list[tuple[str, UpgradeFinding]]:
    return [(name, one) for name, findings in examined.findings.items() for one in findings]


def fixed(where: Cib) -> Cib:
    """Return the CIB that the plan of the fixes makes."""
    return render_restored(where, examine(where, PACEMAKER_3).fixed)


def test_each_planted_incompatibility_is_found_and_nothing_else() -> None:
    assert found(PLANTED) == EXPECTED


def test_each_finding_says_what_was_seen_why_it_matters_and_the_fix() -> None:
    for _, one in every(examine(PLANTED, PACEMAKER_3)):
        assert one.seen
        assert one.why
        assert one.fix


@pytest.mark.parametrize("name", FRESH)
def test_nothing_is_found_in_what_clusters_of_either_generation_have(name: str) -> None:
    kind, _, file = name.partition("/")
    fresh = cib.parse(captured.text(kind, file))
    examined = examine(fresh, PACEMAKER_3)
    assert every(examined) == []
    assert examined.fixed is fresh


def test_the_plan_fixes_what_it_says_and_a_second_one_changes_nothing() -> None:
    after = fixed(PLANTED)
    assert found(after) == [one for one in EXPECTED if not one[3]]
    again = examine(after, PACEMAKER_3)
    assert not plan_restore(after, again.fixed).changes


def test_the_cib_that_was_examined_stays_as_it_is() -> None:
    before = PLANTED.text()
    examine(PLANTED, PACEMAKER_3)
    assert PLANTED.text() == before


@pytest.mark.parametrize(
    "said",
    [
        "update property stonith-action: poweroff -> off",
        "remove property remove-after-stop: true -> absent",
        "add property transition-delay: absent -> 2s",
        "update promotable clone state-master",
        "add location constraint web-places-2-1",
    ],
)
def test_the_plan_is_an_ordinary_one(said: str) -> None:
    changes = plan_restore(PLANTED, examine(PLANTED, PACEMAKER_3).fixed).changes
    assert said in [str(change) for change in changes]


def element(where: Cib, name: str) -> etree._Element:
    return next(e for e in where.configuration.iter("*") if e.get("id") == name)


def test_a_master_becomes_a_promotable_clone_with_what_it_had() -> None:
    clone = element(fixed(PLANTED), "state-master")
    assert clone.tag == "clone"
    values = {pair.get("name"): pair.get("value") for pair in clone.findall("*/nvpair")}
    assert values == {"promoted-max": "1", "promotable": "true"}
    assert [op.get("role") for op in clone.iter("op")] == ["Promoted", "Unpromoted"]


def test_a_lifetime_becomes_a_part_of_the_rule_which_keeps_the_score() -> None:
    constraint = element(fixed(PLANTED), "web-by-day")
    assert sorted(map(str, constraint.keys())) == ["id", "rsc"]
    outer = constraint.findall("rule")
    assert [(rule.get("score"), rule.get("boolean-op")) for rule in outer] == [("100", "and")]
    place, times = outer[0].findall("*")
    assert (place.get("attribute"), place.get("value")) == ("#uname", "c1")
    assert times.find("date_expression/date_spec") is not None
    assert times.get("score") is None


def test_a_lifetime_beside_a_rule_is_joined_with_it() -> None:
    root = copy.deepcopy(PLANTED.root)
    constraint = next(e for e in root.iter("rsc_location") if e.get("id") == "web-by-day")
    for name in ("node", "score"):
        del constraint.attrib[name]
    rule = etree.fromstring(
        '<rule id="own" score="7" role="Promoted">'
        '<expression id="own-1" attribute="site" operation="eq" value="x"/></rule>'
    )
    constraint.insert(0, rule)
    outer = element(fixed(Cib(root)), "web-by-day").findall("rule")
    assert [(r.get("score"), r.get("role")) for r in outer] == [("7", "Promoted")]
    assert [inner.get("id") for inner in outer[0].findall("rule")] == ["own", "web-by-day-rule"]


def test_rules_side_by_side_become_constraints_of_their_own() -> None:
    after = fixed(PLANTED)
    rules = [
        (c.get("rsc"), [r.get("score") for r in c.findall("rule")])
        for c in after.all_constraints
        if str(c.get("id")).startswith("web-places")
    ]
    assert rules == [("web", ["50"]), ("web", ["-INFINITY"])]


def test_every_id_stays_unique() -> None:
    ids = [
        e.get("id")
        for e in fixed(PLANTED).configuration.iter("*")
        if e.get("id") and e.tag not in {"obj_ref", "resource_ref", "role"}
    ]
    assert len(ids) == len(set(ids))


def schema(name: str) -> list[tuple[str, Severity]]:
    root = copy.deepcopy(cib.parse(captured.text("debian12", "cib-clone.xml")).root)
    root.set("validate-with", name)
    return [(kind, severity) for kind, _, severity, _ in found(Cib(root))]


@pytest.mark.parametrize("name", ["", "none", "pacemaker-1.1", "pacemaker-next", "Pacemaker-3.9"])
def test_a_schema_that_pacemaker_3_does_not_know_is_to_be_raised_first(name: str) -> None:
    assert schema(name) == [("schema of the CIB", BEFORE)]


def test_an_old_schema_is_read() -> None:
    assert schema("pacemaker-2.10") == [("schema of the CIB", NOTICE)]
    assert schema("pacemaker-3.0") == []


def test_roles_are_renamed_where_the_schema_has_the_new_words() -> None:
    root = copy.deepcopy(PLANTED.root)
    root.set("validate-with", "pacemaker-3.6")
    roles = [one for one in found(Cib(root)) if one[0] == "names of roles"]
    assert [planned for *_, planned in roles] == [False] * 3


@pytest.mark.parametrize("score", ["INFINITY", "-infinity", "+5", "-1000000", "yellow", "0"])
def test_scores_that_pacemaker_reads_are_none_of_the_findings(score: str) -> None:
    root = copy.deepcopy(PLANTED.root)
    constraint = next(e for e in root.iter("rsc_location") if e.get("id") == "other-here")
    constraint.set("score", score)
    assert "scores" not in [name for name, *_ in found(Cib(root))]


def test_what_pacemaker_3_said_of_the_planted_cib_it_no_longer_says_of_the_fixed_one() -> None:
    """What is left is what no change of the CIB can fix: classes, agents, containers, nodes."""
    planted, after = (
        captured.text("upgrade", f"verify-{name}-debian13.txt") for name in ("planted", "fixed")
    )
    for said in (
        "Ignoring location constraint rule",
        "Dropping can_fail",
        "Dropping restart-type",
        "'-5' is not a valid value",
        "remove-after-stop property is unsupported",
        "CIB did not pass schema validation",
    ):
        assert said in planted
        assert said not in after
