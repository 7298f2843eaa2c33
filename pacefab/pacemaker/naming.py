"""Ids as pcs gives them (0.10 to 0.12), and names that say that a value is a secret. Pure."""

from __future__ import annotations

import re

from pacefab.pacemaker.model import Colocation, Constraint, Location, Order, OwnTerms, Primitive
from pacefab.pacemaker.nouns.piece import Piece

# What an id may not hold is left out, as pcs does it (XML Schema, type NCName).
_NOT_FIRST = re.compile(r"^[^A-Za-z_]")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_.\-]")
_SECRET = re.compile(
    r"passw|passphrase|pwd|secret|credential|token|community|cookie|(?<!by)(?<!com)pass$|pw$|psk$"
    r"|(^|[_-])pass[_-]|(^|[_-])auth($|[_-])|(^|[_-]|api|auth|private|access|shared|pass)key$",
    re.IGNORECASE,
)
_WHERE_ONE_IS = re.compile(r"[_-]?(script|file|path|dir)$", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"""([\w-]+)(["']?\s*[=:]\s*)("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s;,]+)"""
)
_IN_URI = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)", re.IGNORECASE)
_PARAMETER = re.compile(r" parameter (\S+): (?!\((another )?secret\)|absent -> \()")
SETTING_LETTERS = 20
"""Of a property's or default's name as many letters go into the id of its nvpair."""


def clean(text: str) -> str:
    """Return text as an id may be."""
    return _NOT_IN_ID.sub("", _NOT_FIRST.sub("", text))


def is_secret(name: str) -> bool:
    """Whether a parameter is a secret by its name: passwd, api_token, key.

    Where one is kept (passwd_script, key_file) is none.
    """
    return bool(_SECRET.search(name)) and not _WHERE_ONE_IS.search(name)


def masked(sentence: str) -> str:
    """Return what a change says without values of secrets: earlier versions noted them.

    A value may hold anything, so nothing behind one is shown.
    """
    for found in _PARAMETER.finditer(sentence):
        if is_secret(found[1]):
            return f"{sentence[: found.end()]}(secret)"
    return sentence


def mask_assigned(text: str) -> str:
    """Return what a program wrote without what it assigns to a secret: passwd=…, ssh://me:…@."""
    plain = _ASSIGNED.sub(
        lambda found: f"{found[1]}{found[2]}(secret)" if is_secret(found[1]) else found[0], text
    )
    return _IN_URI.sub(r"\1(secret)", plain)


def secret_names(*either: Primitive) -> frozenset[str]:
    """Return the parameters whose values are never shown.

    Those are the ones that an inventory calls secrets, or called so before, or the agent, and those
    that are by their name.
    """
    named = (name for each in either for name in each.parameters if is_secret(name))
    return frozenset(named).union(*(each.hidden for each in either))


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
    if isinstance(constraint, OwnTerms):
        return _own_terms_id(constraint)
    return _location_id(constraint)


def _own_terms_id(constraint: OwnTerms) -> str:
    """Return the kind and the resources; of sets pcs takes the ids too (order_set_A_B)."""
    piece, word = constraint.piece, constraint.piece.tag.removeprefix("rsc_")
    sets = [child for child in piece.children if child.tag == "resource_set"]
    if sets:
        return "_".join([word, *("_".join(["set", *_in_set(one)]) for one in sets)])
    keys = ("ticket", "rsc", "rsc-pattern", "first", "with-rsc", "then")
    return "-".join([word, *(piece.attributes[key] for key in keys if key in piece.attributes)])


def _in_set(one: Piece) -> list[str]:
    return [child.attributes.get("id", "") for child in one.children]


def _location_id(location: Location) -> str:
    if not location.node:
        return f"location-{location.resource}"
    return f"location-{location.resource}-{location.node}-{location.score}"
