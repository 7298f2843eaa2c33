"""How a change that failed ends: one truth, whichever of its parts could be put back."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pacefab.errors import CommandError, LostError, PacefabError, RefusedError
from pacefab.pacemaker import cib as cibs
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.transport.connection import Host
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.rollout import node_changes
from pacefab.workflows.rollout.node_changes import NodeChanges
from pacefab.workflows.transaction import here
from pacefab.workflows.transaction.entry import State
from pacefab.workflows.transaction.transaction import Transaction
from tests.unit.test_transaction import CIB, Silent, entry
from tests.unit.test_view import Answers
from tests.unit.test_view import Silent as Away

BEFORE = cibs.parse(CIB.text())
CHANGED = CIB.text().replace('name="interleave" value="true"', 'name="interleave" value="false"')
NOT_FINISHED = ": the change is not finished: fab status names it, and how to end it"
ENDED = {
    "put back": ({}, {"is_back": True}, "the old state was put back", State.UNDONE),
    "nothing to put back": ({}, {}, "", State.UNDONE),
    "a file was not put back": (
        {}, {"is_back": True, "is_stuck": True}, f"not all of it was put back{NOT_FINISHED}", None,
    ),
    "putting it back failed": (
        {"cib": CHANGED}, {}, f"the configuration is not as it was before{NOT_FINISHED}", None,
    ),
    "others changed it": (
        {"cib": CHANGED}, {"is_back": True},
        "its changes were put back, what others have changed since it began was not"
        + NOT_FINISHED, None,
    ),
}  # fmt: skip


class Ending(Transaction):
    """A transaction that remembers how it was ended."""

    ended: State | None = None

    def end(self, state: State, *_: Any, **_options: Any) -> None:
        """Remember it."""
        self.ended = state


def failed(**set_: bool) -> Ending:
    """Return a transaction whose change failed."""
    own = Ending("deploy")
    own.entry, own._before = entry(1, state=State.BEGUN), BEFORE  # noqa: SLF001  # as begin does
    for name, value in set_.items():
        setattr(own, name, value)
    return own


def nodes(**given: str) -> dict[str, Host]:
    return cast("dict[str, Host]", {"c1": Answers("c1", 1, **given)})


@pytest.mark.parametrize("case", ENDED)
def test_each_ending_is_said_as_it_is_noted(case: str) -> None:
    given, flags, said, state = ENDED[case]
    own = failed(**flags)
    assert own.end_undone(nodes(**given), cast("Any", Silent())) == said
    assert own.ended is state


def test_a_rollback_that_failed_does_not_sound_as_if_it_had_gone_back() -> None:
    own = failed(is_back=True)
    own.entry = entry(2, "rollback", State.BEGUN, target=entry(1).id)
    said = own.end_undone(nodes(), cast("Any", Silent()))
    assert said == "the state before this rollback was put back"


def test_what_cannot_be_kept_while_nodes_are_changed_says_what_is_unchanged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = failed()
    own.entry = entry(2, state=State.BEGUN)
    full = {"c1": CommandError("note the change", "no space", "free some")}
    monkeypatch.setattr(own, "_tried", lambda _: full)
    monkeypatch.setattr(here, "store", lambda *_: None)
    with pytest.raises(CommandError) as caught:
        own.keep(cibs.parse(CHANGED.replace('epoch="', 'epoch="9', 1)))
    assert caught.value.next_step == "the configuration was not changed; free some"


def test_what_no_node_says_is_not_known_and_what_is_to_stay_is_done() -> None:
    own = failed(is_back=True)
    away = cast("dict[str, Host]", {"c1": Away("c1", 1)})
    said = own.end_undone(away, cast("Any", Silent()))
    assert said.startswith("whether the configuration is as it was before is not known")
    assert said.endswith(NOT_FINISHED)
    kept = failed()
    said = kept.end_undone(nodes(cib=CHANGED), cast("Any", Silent()), kept=True)
    assert said == "what was changed stays (--keep-on-failure): fab rollback undoes it"
    assert kept.ended is State.DONE


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (
            "patch",
            "putting back the configuration from before this run failed too: change the CIB: no",
        ),
        (
            "settle",
            "the configuration from before this run is back, the cluster has not followed: ",
        ),
        ("", "look"),
    ],
)
def test_what_failed_of_going_back_is_named(
    monkeypatch: pytest.MonkeyPatch, fails: str, said: str
) -> None:
    def refuse(*_: Any, **_options: Any) -> None:
        raise RefusedError("change the CIB", "no")

    for name in ("query_cib", "patch", "settle"):
        done = refuse if name == fails else lambda *_, **_options: BEFORE
        monkeypatch.setattr(apply_cib, name, done)
    error = CommandError("start it", "it does not", "look")
    back = apply_cib.restore_after(error, cast("Host", None), BEFORE, ConfigurationPlan())
    assert back is not bool(fails)
    assert error.next_step.startswith(said)


@pytest.mark.parametrize("back", [True, False])
def test_a_lost_node_that_was_put_back_may_no_longer_do_what_was_sent_to_it(
    monkeypatch: pytest.MonkeyPatch, *, back: bool
) -> None:
    def lose(*_: Any, **_options: Any) -> None:
        raise LostError("change it", "the connection was lost", "look", host="c1")

    def undo(_self: NodeChanges, _name: str, _node: NodePlan) -> None:
        if not back:
            raise CommandError("put it back", "no route")

    monkeypatch.setattr(node_changes, "change_node", lose)
    monkeypatch.setattr(NodeChanges, "_restore_lost", undo)
    failures: dict[str, PacefabError] = {}
    seen = SimpleNamespace(hosts={"c1": None}, answered={"c1": None})
    watch = SimpleNamespace(begin=lambda _: None, fail_all=lambda e: [failures.update(e)][:0])
    own = NodeChanges(
        cast("Any", None), cast("Any", seen), cast("Any", Silent()), cast("Any", watch), "",
        cast("Any", SimpleNamespace(restore=list)),
    )  # fmt: skip
    plan = replace(NodePlan(), changes=("a file",))
    with pytest.raises(KeyError):  # the watch above has no line for it
        own.change({"c1": plan}, 1)
    assert "it may still do" in failures["c1"].next_step
    said = own.restore(1, keep=False)
    assert ("it may still do" in failures["c1"].next_step) is not back
    assert any("it may still do" in line for line in said) is not back
