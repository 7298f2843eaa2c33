"""Which of an element's sets is the plain one, whose pairs are the noun's own. Pure.

It is the first one without a rule, and without values that stand elsewhere, whatever its score: so
`cib.plain_set` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping

from pacefab.pacemaker.nouns.piece import PLAIN, Piece, is_mark, marked

_Values = Mapping[str, str]
_Further = Mapping[str, tuple[Piece, ...]]


def said(kind: str, plain: _Values, further: _Further) -> tuple[_Values, _Further]:
    """Return pairs and sets of a kind; as they are, where nothing is said of further sets."""
    if kind not in further:
        return plain, further
    own, sets = parted(kind, plain, further[kind])
    return own, {**further, kind: sets}


def parted(kind: str, plain: _Values, sets: tuple[Piece, ...]) -> tuple[_Values, tuple[Piece, ...]]:
    """Return the pairs of the plain set, and the sets with the mark of where that stands."""
    given = marked(kind, sets, plain=bool(plain))
    whole = filled(tuple(_whole(piece, plain) for piece in given))
    first = next((piece for piece in whole if _is_plain(piece)), None)
    if first is None:
        return {}, whole
    return _pairs(first), tuple(_mark(each) if each is first else each for each in whole)


def _whole(piece: Piece, plain: _Values) -> Piece:
    """Return the set that a mark stands for."""
    if not is_mark(piece):
        return piece
    values = tuple(Piece("nvpair", {"name": n, "value": value}) for n, value in plain.items())
    score = {name: value for name, value in piece.attributes.items() if name != PLAIN}
    return Piece(piece.tag, score, values, piece.id)


def _is_plain(piece: Piece) -> bool:
    """Whether a CIB's reader takes a set for the plain one; ids of values need one of their own."""
    return "id-ref" not in piece.attributes and all(
        child.tag == "nvpair" and not child.id and "id-ref" not in child.attributes
        for child in piece.children
    )


def _mark(piece: Piece) -> Piece:
    return Piece(piece.tag, {PLAIN: "true", **piece.attributes}, (), piece.id)


def _pairs(piece: Piece) -> dict[str, str]:
    found: dict[str, str] = {}
    for child in piece.children:
        found.setdefault(child.attributes.get("name", ""), child.attributes.get("value", ""))
    return found


def filled(sets: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Return sets without those that hold nothing, which count as none."""
    return tuple(p for p in sets if p.children or is_mark(p) or "id-ref" in p.attributes)
