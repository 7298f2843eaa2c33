"""Whoever sits at the terminal: sees what is about to be done, and agrees to it or not.

One rule for all tasks: what stops, empties or rewrites something that runs is shown, asked about
on a terminal, and refused elsewhere unless it was agreed to beforehand.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pacefab import interrupts
from pacefab.errors import RefusedError, UsageError
from pacefab.report.text import Printer

if TYPE_CHECKING:
    from pacefab.workflows.rollout.planning import Plan
    from pacefab.workflows.rollout.updates import NodeByNode

UNCHANGED = "nothing was changed"


class Operator:
    """Sees plans as its options say; `yes`: has agreed to everything beforehand."""

    def __init__(
        self, printer: Printer, *, yes: bool = False, full: bool = False, show_pcs: bool = False
    ) -> None:
        self._printer = printer
        self._yes = yes
        self._full = full
        self._show_pcs = show_pcs
        self._shown: tuple[NodeByNode, ...] = ()
        self._agreed: tuple[NodeByNode, ...] = ()
        self.note = printer.note
        self.waiting = printer.waiting
        self.finished = printer.finished

    def show(self, plan: Plan, reason: str) -> None:
        """Print a plan before it is applied."""
        if reason:
            self._printer.text([reason, ""])
        self.print_plan(plan)
        self._printer.lines([""])
        self._shown = plan.updates

    def preview(self, lines: Sequence[str]) -> None:
        """Print what is about to be done."""
        self._printer.text([*lines, ""])

    def print_plan(self, plan: Plan) -> None:
        """Print a plan with the details that the operator asked for."""
        from pacefab.report import plan as report

        self._printer.text(report.render_text(plan, full=self._full), report.style)
        if self._show_pcs:
            title = "the same by pcs, step by step:"
            self._printer.lines(["", title, *report.render_shell(plan)])

    def ask(self, step: str, question: str) -> None:
        """Return when the operator agrees.

        Raises:
            UsageError: there is nobody to ask.
            RefusedError: the answer was no.
        """
        if self._yes:
            return
        advice = f"{UNCHANGED}; agree beforehand: --yes; only look: --dry-run"
        said = answer(self._printer, step, f"{question} [y/N] ", advice)
        if said.lower() not in {"y", "yes"}:
            raise RefusedError(step, "not agreed to", UNCHANGED)
        self._agreed = self._shown

    def has_agreed(self, update: NodeByNode) -> bool:
        """Whether this restart, as it is due now, was in the plan to which the answer was yes."""
        return update in self._agreed


def answer(printer: Printer, step: str, question: str, advice: str) -> str:
    """Return what the operator types, empty for Ctrl-D.

    Raises:
        UsageError: there is no terminal; `advice` is what to do instead.
    """
    if not sys.stdin.isatty():
        raise UsageError(step, "this has to be agreed to, and there is no terminal to ask", advice)
    with interrupts.at_once():
        return printer.ask(question).strip()
