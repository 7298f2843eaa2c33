"""upgrade --check as a whole, on hosts that answer as captured nodes did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from pacefab.errors import RefusedError
from pacefab.pacemaker import cib
from pacefab.pacemaker.upgrade.findings import Severity
from pacefab.report.upgrade import forms
from pacefab.services.memcached.memcached import LOOK
from pacefab.transport.connection import Host
from pacefab.workflows.nodes.view import ClusterView, observe_cluster
from pacefab.workflows.upgrade.check import UpgradeCheck, check
from pacefab.workflows.upgrade.repairs import Repairs
from tests.unit import captured
from tests.unit.test_upgrade_check import BOOT, STEPS, mirror
from tests.unit.test_upgrade_rules import DATA
from tests.unit.test_view import Answers, Silent

PLANTED = (DATA / "planted.xml").read_text()
EMPTY = captured.text("debian12", "monitor-empty.xml")
RESTART = captured.text("debian12", "simulation-restart.xml")


def host(number: int, kind: str = "debian12", **given: str) -> Answers:
    """Return a node of a cluster that has no resource, from a mirror that has the next release."""
    folder = captured.FOLDER / "upgrade" / kind
    said = {name: (folder / f"{name}.txt").read_text() for name in STEPS if name != "boot"}
    said |= {name: mirror(name) for name in ("sources", "reach")}
    usual = {
        "boot": "",
        "files": "absent\n" * len(LOOK.files),
        "units": "LoadState=not-found\n\n",
        "cib": captured.text("debian12", "cib-empty.xml"),
        "monitor": EMPTY,
        "simulation": f"{EMPTY}\n--\n{RESTART}\n--\n<transition_graph/>",
    }
    return Answers(f"c{number}", number, **{**said, **usual, **given})


def checked(*hosts: Answers, named: int = 3, to: str | None = None) -> UpgradeCheck:
    """Check a cluster of these hosts, of which so many are named."""
    known = cast("dict[str, Host]", {one.name: one for one in hosts})
    first = dict(list(known.items())[:named])
    return check(first, known.get, 8, to=to)


def seen(configuration: str) -> ClusterView:
    """Return the view of a cluster with this CIB."""
    nodes = {f"c{n}": host(n, cib=configuration) for n in (1, 2, 3)}
    return observe_cluster(cast("dict[str, Host]", nodes), LOOK, 8)


def where(found: UpgradeCheck) -> Sequence[str]:
    return [f"{name}: {one.where}" for name, one in found.findings]


def test_a_fresh_cluster_can_go_to_the_next_release() -> None:
    hosts = [host(n) for n in (1, 2, 3)]
    found = checked(*hosts)
    assert where(found) == []
    assert found.target == "debian 13 (trixie)"
    text = forms.render_text(found)
    assert f"one after the other: {', '.join(found.order)}" in text
    assert text[-1].endswith("the cluster can go")


def test_nodes_that_were_not_named_are_asked_too_each_in_one_round_more() -> None:
    hosts = [host(n) for n in (1, 2, 3)]
    found = checked(*hosts, named=1)
    assert [node.name for node in found.nodes] == ["c1", "c2", "c3"]
    assert [one.asked for one in hosts] == [2, 2, 2]


def test_a_fresh_cluster_stays_where_it_is() -> None:
    hosts = [host(n) for n in (1, 2, 3)]
    found = checked(*hosts, to="bookworm")
    assert where(found) == []
    assert found.order == ()


def test_the_planted_configuration_is_found_with_its_plan() -> None:
    found = checked(*(host(n, cib=PLANTED) for n in (1, 2, 3)))
    assert len([one for _, one in found.findings if one.planned]) == 18
    assert found.plan is not None
    assert len(found.plan.configuration.changes) == 13
    assert len(found.of(Severity.BEFORE)) >= 15
    assert any(line.endswith("update promotable clone state-master") for line in
               forms.render_text(found))  # fmt: skip


def test_what_one_node_has_is_said_of_that_node() -> None:
    found = checked(host(1), host(2, boot=BOOT), host(3, audit="half configured\n"))
    assert where(found) == ["half installed packages: c3", "units at boot: c2"]
    assert [one.where for one in found.failed] == ["c3", "c2"]


def test_a_node_that_does_not_answer_is_a_finding() -> None:
    found = checked(host(1), host(2), Silent("c3", 3))
    assert "answers of nodes: c3" in where(found)
    assert found.failed


def test_another_distribution_is_refused_with_what_is_known() -> None:
    os = "ID=centos\nID_LIKE=rhel\nVERSION_ID=9\n"
    with pytest.raises(RefusedError, match="centos 9") as refused:
        checked(host(1), host(2), host(3, os=os))
    assert (refused.value.host, refused.value.seen) == ("c3", "it is centos 9")


def test_a_mixed_cluster_goes_on_to_where_its_newest_node_is() -> None:
    found = checked(host(1), host(2), host(3, "debian13"))
    assert found.target == "debian 13 (trixie)"
    assert where(found) == ["begun upgrade: c3"]
    assert set(found.order) == {"c1", "c2"}


def test_the_fixes_are_applied_as_they_were_shown_or_not_at_all() -> None:
    planted = cib.parse(PLANTED)
    plan = Repairs().plan_cluster(seen(PLANTED))
    after = Repairs().render(planted, plan)
    assert after is not None
    assert after.version == (0, 10, 0)
    other = cib.parse(PLANTED.replace('value="-5"', 'value="3"'))
    assert Repairs().render(other, plan) is None
    assert not Repairs().plan_cluster(seen(after.text()))
