"""Ids as pcs gives them (0.10 to 0.12). Pure."""

from __future__ import annotations

import re

from pacefab.pacemaker.model import Colocation, Constraint, Location, Order

# What an id may not hold is left out, as pcs does it (XML Schema, type NCName).
_NOT_FIRST = re.compile(r"^[^A-Za-z_]")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_.\-]")
SETTING_LETTERS = 20
"""Of a property's or default's name as many letters go into the id of its nvpair."""


def clean(text: str) -> str:
    """Return text as an id may be."""
    return _NOT_IN_ID.sub("", _NOT_FIRST.sub("", text))


def unused(desired: str, taken: set[str]) -> str:
    """Return the id, numbered when there is one of that name."""
    found, number = clean(desired), 0
    while found in taken:
        number += 1
        found = f"{clean(desired)}-{number}"
    return found


def constraint_id(constraint: Constraint) -> str:
    """Return the id that pcs gives a constraint for which none was asked."""
    if isinstance(constraint, Order):
        return f"order-{constraint.first}-{constraint.then}-{constraint.kind or 'mandatory'}"
    if isinstance(constraint, Colocation):
        pair = f"{constraint.resource}-{constraint.with_resource}"
        return f"colocation-{pair}-{constraint.score}"
    return _location_id(constraint)


def _location_id(location: Location) -> str:
    if not location.node:
        return f"location-{location.resource}"
    return f"location-{location.resource}-{location.node}-{location.score}"
