"""What a verification found: checks, and who reached whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pacefab.services.checks import Check, Contact


@dataclass(frozen=True)
class Verification:
    """All checks of one run; `notices` are what an operator should know, and no failure."""

    service: str
    cluster: str
    checks: tuple[Check, ...]
    notices: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What did the checks, as the operator types it."""
        return f"verify-{self.service}"

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if not check.ok)

    @property
    def matrix(self) -> Mapping[str, tuple[Contact, ...]]:
        """Who reached whom, by the node that asked; empty where a service does not check that."""
        found: dict[str, tuple[Contact, ...]] = {}
        for contact in (check.contact for check in self.checks):
            if contact:
                found[contact.asker] = (*found.get(contact.asker, ()), contact)
        return found
