"""What a resource does not run for: a ticket that the site does not have. Pure."""

from __future__ import annotations

from lxml import etree

from pacefab.pacemaker.cib import Cib, named_by
from pacefab.pacemaker.model import role_of
from pacefab.pacemaker.placement.settings import ancestors
from pacefab.pacemaker.word import Cause

_TRUE = {"true", "1"}


def missing_ticket(cib: Cib, primitive: str) -> Cause | None:
    """Return that a primitive waits for a ticket; None: it has all that it needs.

    A constraint of the role Promoted keeps it from being promoted alone.
    """
    names = {str(element.get("id")) for element in ancestors(cib, primitive)}
    for constraint in cib.constraints.iterfind("rsc_ticket"):
        ticket = constraint.get("ticket", "")
        if names & set(named_by(constraint)) and _stops(constraint) and not _has(cib, ticket):
            return Cause(
                f"{primitive} needs the ticket {ticket}, which this site does not have "
                f"({constraint.get('id')})",
                f"grant it: crm_ticket --ticket {ticket} --grant (--force without booth)",
                named=True,
                resource=primitive,
            )
    return None


def _stops(constraint: etree._Element) -> bool:
    return role_of(constraint.get("rsc-role", "")) in {"", "Started"}


def _has(cib: Cib, ticket: str) -> bool:
    """Whether a ticket is granted, and not in standby."""
    for state in cib.root.iterfind("status/tickets/ticket_state"):
        if state.get("id") == ticket:
            return state.get("granted") in _TRUE and state.get("standby") not in _TRUE
    return False
