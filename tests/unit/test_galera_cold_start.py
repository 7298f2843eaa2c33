"""A Galera that waits for a node: who is waited for, and from whom it is started without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pacefab.errors import CommandError, RefusedError
from pacefab.pacemaker import cib, monitor
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.configuration import read_configuration
from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.pacemaker.placement import galera, graph, outcome
from pacefab.pacemaker.placement.galera import GaleraReport, GaleraResource
from pacefab.pacemaker.readiness import missing, unfinished
from pacefab.services.galera import cold_start
from pacefab.services.galera.cold_start import GaleraData, choose
from pacefab.transport.command import Section
from pacefab.workflows.checks import placed
from pacefab.workflows.recovery.left_out import keep_out, left_out, let_in
from pacefab.workflows.recovery.lost import check_down
from tests.unit import captured

FIRST, SECOND, THIRD = ("controller1-vm", "controller2-vm", "controller3-vm")
UUID, OTHER = "6bb9e0cc-cb1f-11f0-a3b1-6e5ee1a4f6ef", "11111111-2222-3333-4444-555555555555"
ZEROS = "00000000-0000-0000-0000-000000000000"


def live() -> Cib:
    return cib.parse(captured.text("galera", "waiting-cib.xml"))


def status(of: Cib | None = None, state: str = "waiting") -> ClusterStatus:
    """Return the state as `live.read_word` gives it."""
    seen = monitor.parse(captured.text("galera", f"{state}-mon.xml"))
    to_do = graph.parse(captured.text("galera", f"{state}-graph.xml"))
    found = outcome.read(of or live(), seen, to_do)
    return replace(seen, due=to_do.operations, placement=found)


def changed(*replacements: tuple[str, str]) -> Cib:
    """Return the CIB with other words in it, each of which is there."""
    text = captured.text("galera", "waiting-cib.xml")
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return cib.parse(text)


def resource(of: Cib | None = None) -> GaleraResource:
    (found,) = galera.find(of or live())
    return found


def reports(**numbers: int | None) -> GaleraResource:
    """Return a resource whose nodes have reported these numbers."""
    said = {node: GaleraReport(number) for node, number in numbers.items()}
    return GaleraResource("galera", "galera-clone", {}, said)


def data(**histories: str | None) -> Mapping[str, GaleraData]:
    return {node: GaleraData(history) for node, history in histories.items()}


def test_the_agent_of_a_dead_node_has_not_reported() -> None:
    found = resource()
    assert (found.id, found.clone) == ("galera", "galera-clone")
    assert list(found.reports) == [FIRST, SECOND, THIRD]
    assert found.silent == found.awaited(status()) == (THIRD,)
    assert (found.reports[FIRST].committed or 0) > (found.reports[SECOND].committed or 0) > 0


def test_status_says_whom_it_waits_for_and_the_way_out() -> None:
    found = status().placement
    assert found is not None
    (reason,) = [text for text in placed.reasons(found) if text.startswith("galera ")]
    assert f"before {THIRD} has reported its last transaction: {THIRD} is offline" in reason
    assert reason.endswith(f"fab start-galera --without {THIRD} --data-loss-accepted")


def test_a_wait_for_it_ends_at_once_with_the_reason() -> None:
    desired = read_configuration(live())
    with pytest.raises(CommandError, match=f"before {THIRD} has reported") as raised:
        missing(status(), desired)
    assert "--without" in raised.value.next_step


def test_it_waits_while_its_agents_are_watched_too() -> None:
    text = captured.text("galera", "waiting-mon.xml")
    assert 'role="Unpromoted"' in text
    watched = text.replace('role="Unpromoted"', 'role="Unpromoted" pending="Monitoring"')
    assert resource().awaited(monitor.parse(watched)) == (THIRD,)


def test_a_promotion_under_way_is_awaited_whoever_is_missing() -> None:
    now = cib.parse(captured.text("galera", "promoting-cib.xml"))
    seen = status(now, "promoting")
    assert resource(now).promoted(seen) == (FIRST,)
    assert seen.placement is not None
    assert seen.placement.unpromoted == {}
    assert "galera: Promoting" in unfinished(seen, ["galera"])
    assert f"galera is not Started on {FIRST}" in missing(seen, read_configuration(now))


def test_nobody_is_waited_for_where_one_was_the_last_to_stop() -> None:
    safe = changed(
        ('name="galera-safe-to-bootstrap" value="0"', 'name="galera-safe-to-bootstrap" value="1"')
    )
    assert resource(safe).awaited(status()) == ()
    found = status(safe).placement
    assert found is not None
    assert found.unpromoted == {}


def test_a_resource_of_another_id_and_without_a_map_is_known_too() -> None:
    other = changed(
        ('"galera-clone"', '"db-master"'),
        ('id="galera"', 'id="db"'),
        ('name="galera-', 'name="db-'),
        ('name="cluster_host_map"', 'name="unused"'),
        ("gcomm://192.0.2.11,192.0.2.12,192.0.2.13", f"gcomm://{FIRST},{THIRD}"),
    )
    found = resource(other)
    assert (found.id, found.clone) == ("db", "db-master")
    assert list(found.reports) == [FIRST, THIRD]
    assert found.silent == (THIRD,)


def test_a_member_that_is_no_node_any_more_is_named() -> None:
    gone = changed((f";{THIRD}:192.0.2.13", ""))
    assert resource(gone).silent == ("192.0.2.13",)
    found = status(gone).placement
    assert found is not None
    assert "192.0.2.13 is no node of this cluster" in found.unpromoted["galera"].said


def test_the_highest_number_is_started_first() -> None:
    every = reports(c1=7, c2=12, c3=None)
    found = choose(every, ["c3"], data(c1=UUID, c2=UUID))
    assert (found.node, found.lost, found.copying) == ("c2", ("c3",), ())
    assert found.lines == (
        "c1: last transaction 7, takes what it lacks from it",
        "c2: last transaction 12, started first",
        "c3: last transaction unknown; what only c3 has is lost, if it has more than 12",
    )


def test_large_numbers_are_compared_as_numbers() -> None:
    every = reports(c1=9999999999999999999, c2=10000000000000000000, c3=None)
    assert choose(every, ["c3"], data(c1=UUID, c2=UUID)).node == "c2"


def test_of_equal_numbers_the_one_with_its_state_on_disk_is_first() -> None:
    every = reports(c1=7, c2=7, c3=None)
    assert choose(every, ["c3"], data(c1=UUID, c2=None)).node == "c1"
    assert choose(every, ["c3"], data(c1=None, c2=UUID)).node == "c2"


def test_one_without_its_state_is_first_where_it_is_ahead_and_others_copy() -> None:
    found = choose(reports(c1=9, c2=7, c3=None), ["c3"], data(c1=None, c2=UUID))
    assert (found.node, found.copying) == ("c1", ("c1", "c2"))
    assert "c2: last transaction 7, takes a whole copy from it" in found.lines


def test_data_that_may_be_no_whole_copy_are_never_first() -> None:
    found = choose(reports(c1=7, c2=7, c3=None), ["c3"], data(c1=UUID, c2=ZEROS))
    assert (found.node, found.copying) == ("c1", ("c2",))
    with pytest.raises(RefusedError, match=r"c2 may be no whole copy.*ahead of c1, which is at 7"):
        choose(reports(c1=7, c2=8, c3=None), ["c3"], data(c1=UUID, c2=ZEROS))
    with pytest.raises(RefusedError, match="c1, c2 may be no whole copy"):
        choose(reports(c1=7, c2=8, c3=None), ["c3"], data(c1=ZEROS, c2=ZEROS))


def test_numbers_of_two_histories_are_not_compared() -> None:
    with pytest.raises(RefusedError) as raised:
        choose(reports(c1=7, c2=8, c3=None), ["c3"], data(c1=UUID, c2=OTHER))
    assert f"c1: uuid {UUID}" in raised.value.seen
    assert f"c2: uuid {OTHER}" in raised.value.seen


def test_a_database_that_runs_already_is_refused() -> None:
    running = {"c1": GaleraData(UUID), "c2": GaleraData(UUID, running=True)}
    with pytest.raises(RefusedError, match="a database runs on c2"):
        choose(reports(c1=7, c2=8, c3=None), ["c3"], running)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stopped", (True, True, False)),
        ("crashed", (True, False, False)),
        ("running", (True, False, True)),
    ],
)
def test_what_a_node_has_on_disk(name: str, expected: tuple[bool, bool, bool]) -> None:
    text = captured.text("galera", f"state-{name}.txt")
    found = cold_start.parse({"galera data": Section("galera data", 0, text, "")})
    seen = (found.history is not None, found.number is not None, found.running)
    assert seen == expected
    assert not found.broken


def test_a_node_without_a_state_on_disk_has_no_history() -> None:
    assert cold_start.parse({"galera data": Section("galera data", 0, "", "")}) == GaleraData()


def test_a_node_that_is_left_out_is_kept_out_until_it_is_let_in() -> None:
    before = live()
    after = keep_out(before, resource(), [THIRD])
    assert after is not None
    assert left_out(after, resource()) == {THIRD: f"pacefab-without-galera-clone-{THIRD}"}
    assert keep_out(after, resource(), [THIRD]) is None
    again = let_in(after, resource(), [THIRD])
    assert again is not None
    assert left_out(again, resource()) == {}
    assert let_in(before, resource(), [THIRD]) is None


def test_a_member_that_is_no_node_needs_no_constraint() -> None:
    assert keep_out(live(), resource(), ["192.0.2.99"]) is None


def test_a_node_of_which_pacemaker_is_not_certain_is_not_left_out() -> None:
    text = captured.text("galera", "waiting-mon.xml")
    third = text[text.index(f'<node name="{THIRD}"') :].partition("/>")[0]
    assert 'unclean="false"' in third
    unclean = text.replace(third, third.replace('unclean="false"', 'unclean="true"'))

    check_down(status(), THIRD)
    with pytest.raises(RefusedError, match=f"{THIRD} is UNCLEAN") as raised:
        check_down(monitor.parse(unclean), THIRD, back=True)
    assert f"pcs stonith confirm {THIRD}" in raised.value.next_step
    with pytest.raises(RefusedError, match=f"{SECOND} is online"):
        check_down(status(), SECOND)
    check_down(status(), SECOND, back=True)
