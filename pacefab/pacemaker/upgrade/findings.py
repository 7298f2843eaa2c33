"""What stands in the way of an upgrade, and which change of the CIB removes it. Pure.

A rule reads a copy of the CIB that may be changed, and yields what it finds together with the
change that fixes it there. So the fixed CIB is made by the same words that found the fault, and the
plan is what differs between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from pacefab.pacemaker.cib import Cib, CibDraft


class Severity(StrEnum):
    """What a finding means for the upgrade."""

    BEFORE = "before"  # to be fixed before the upgrade
    SERVICE = "service"  # a service's own upgrade takes more than one step
    NOTICE = "notice"  # nothing is lost by it; to be known, or renamed afterwards


@dataclass(frozen=True)
class UpgradeFinding:
    """Something that an upgrade meets.

    Args:
        where: a host, or the id of an element of the CIB.
        seen: what is there.
        why: what the upgrade makes of it.
        fix: what to do.
        severity: whether it has to be fixed first.
        planned: the fix is a change of the CIB, and in the plan.
    """

    where: str
    seen: str
    why: str
    fix: str
    severity: Severity = Severity.BEFORE
    planned: bool = False


Change = Callable[[], None]
Found = tuple[UpgradeFinding, Change | None]
Rule = Callable[[CibDraft], Iterator[Found]]


def found(
    where: object,
    seen: str,
    why: str,
    fix: str,
    change: Change | None = None,
    severity: Severity = Severity.BEFORE,
) -> Found:
    """Write a finding with its change; None: no change of the CIB can be written for it."""
    planned = change is not None
    return UpgradeFinding(str(where), seen, why, fix, severity, planned), change


@dataclass(frozen=True)
class Examined:
    """What rules found in a CIB, by what they look at; a rule that found nothing is there too.

    `fixed` is the CIB with every change that the findings have; without one, the CIB as it is.
    """

    findings: dict[str, tuple[UpgradeFinding, ...]]
    fixed: Cib


def examine(cib: Cib, rules: Iterable[tuple[str, Rule]]) -> Examined:
    """Return what the rules find in a CIB, which stays as it is."""
    draft = cib.next()
    every = [(name, list(rule(draft))) for name, rule in rules]
    changes = [change for _, rows in every for _, change in rows if change is not None]
    for change in changes:
        change()
    findings = {name: tuple(finding for finding, _ in rows) for name, rows in every}
    return Examined(findings, draft if changes else cib)
