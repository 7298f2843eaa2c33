"""What an operator agrees to before it is applied: shown, refused where it has to be, asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from pacefab.errors import RefusedError
from pacefab.workflows.nodes.progress import Audience
from pacefab.workflows.rollout.planning import Plan
from pacefab.workflows.transaction.transaction import OVERTAKEN


class Reader(Audience, Protocol):
    """Who watches, is shown plans, and is asked."""

    def show(self, plan: Plan, reason: str) -> None:
        """See a plan; `reason` says why it is shown again, empty the first time."""


@dataclass(frozen=True)
class Agreement:
    """What one run was allowed to apply.

    Without `asks_of_additions`, a plan that only adds something is applied without showing and
    asking.
    """

    step: str
    audience: Reader
    asks_of_additions: bool = True
    allow_interruption: bool = False
    shown: list[Plan] = field(default_factory=list)

    def reach(self, plan: Plan) -> bool:
        """Have a plan agreed to, unless this very one was, before another run was waited for.

        Returns whether it was asked about. Errors of `ask`.
        """
        if self.shown and self.shown[-1].summary == plan.summary:
            return True
        asked = self.ask(plan, OVERTAKEN if self.shown else "")
        self.shown.append(plan)
        return asked

    def ask(self, plan: Plan, reason: str = "") -> bool:
        """Show the plan, and have it agreed to; what is not to be asked about is only noted.

        Returns whether it was asked about.

        Raises:
            PacefabError: it may not be applied.
        """
        asked = self.asks_of_additions or plan.alters
        if asked:
            self.audience.show(plan, reason)
        else:
            self.audience.note(plan.cluster, plan.additions)
        if plan.configuration.changes and (halted := plan.placement.halted):
            raise RefusedError(
                self.step,
                f"{halted.said}: what is to be changed would not come about",
                f"nothing was changed; end it, then run this again: {halted.way_out}",
            )
        if plan.interruptions and not self.allow_interruption:
            raise RefusedError(
                self.step,
                "it would interrupt what runs:\n" + "\n".join(map(str, plan.interruptions)),
                "the cluster was not changed; in a maintenance window: --allow-interruption",
            )
        if asked:
            self.audience.ask(self.step, f"Apply this to {plan.cluster}?")
        return asked
