"""What a verification found: checks, and who reached whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pacefab.services.memcached.probe import Answer, Target

Matrix = Mapping[str, Mapping[Target, Answer]]  # asking node -> target -> answer


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `cause` is what probably is behind a failure."""

    name: str
    where: str  # node, "c1 -> c2", or the resource
    ok: bool
    seen: str
    cause: str = ""


@dataclass(frozen=True)
class Verification:
    """All checks of one run, and the matrix behind the first of them.

    `notices` are what an operator should be reminded of, and no failure.
    """

    cluster: str
    matrix: Matrix
    checks: tuple[Check, ...]
    notices: tuple[str, ...] = ()
    service: str = "memcached"

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if not check.ok)
