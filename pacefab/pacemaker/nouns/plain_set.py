"""Which of an element's sets is the plain one, whose pairs are the noun's own. Pure.

It is the first one without a rule, and without values that stand elsewhere, whatever its score: so
`cib.plain_set` reads it. Ids of values, to which others refer, go into its mark.
"""

from __future__ import annotations

from collections.abc import Mapping

from pacefab.pacemaker.nouns.piece import PLAIN, Piece, is_mark, marked

_Pairs = Mapping[str, str]
_Further = Mapping[str, tuple[Piece, ...]]


def said(kind: str, plain: _Pairs, further: _Further) -> tuple[_Pairs, _Further]:
    """Return pairs and sets of a kind; as they are, where nothing is said of further sets."""
    if kind not in further:
        return plain, further
    own, sets = parted(kind, plain, further[kind])
    return own, {**further, kind: sets}


def emptied(
    kind: str, present: _Pairs, there: tuple[Piece, ...]
) -> tuple[_Pairs, tuple[Piece, ...]] | None:
    """Return pairs and sets where neither is desired of a kind, and nothing is said of its sets.

    Those that have a rule or a score stay; without the plain one, one with a score is read as that.
    One that has neither cannot be known from the plain one, and goes with it. `present` are the
    pairs of the plain set, `there` the sets with its mark. None: there is no other than that.
    """
    if all(is_mark(piece) and len(piece.attributes) == 1 for piece in there):
        return None
    whole = (_whole(piece, present) for piece in there)
    return parted(kind, {}, tuple(p for p in whole if not _is_plain(p) or "score" in p.attributes))


def parted(kind: str, plain: _Pairs, sets: tuple[Piece, ...]) -> tuple[_Pairs, tuple[Piece, ...]]:
    """Return the pairs of the plain set, and the sets with the mark of where that stands."""
    own = any(is_mark(piece) and _values(piece) for piece in sets)
    given = marked(kind, sets, plain=bool(plain) or own)
    whole = filled(tuple(_whole(piece, plain) for piece in given))
    first = next((piece for piece in whole if _is_plain(piece)), None)
    if first is None:
        return {}, whole
    return _values(first), tuple(_mark(each) if each is first else each for each in whole)


def _whole(piece: Piece, plain: _Pairs) -> Piece:
    """Return the set that a mark stands for."""
    if not is_mark(piece):
        return piece
    ids = {child.attributes.get("name", ""): child.id for child in piece.children}
    values = tuple(
        Piece("nvpair", {"name": name, "value": value}, (), ids.get(name, ""))
        for name, value in {**_values(piece), **plain}.items()
    )
    score = {name: value for name, value in piece.attributes.items() if name != PLAIN}
    return Piece(piece.tag, score, values, piece.id)


def _is_plain(piece: Piece) -> bool:
    """Whether a CIB's reader takes a set for the plain one."""
    return "id-ref" not in piece.attributes and all(
        child.tag == "nvpair" and "id-ref" not in child.attributes for child in piece.children
    )


def _mark(piece: Piece) -> Piece:
    named = tuple(
        Piece("nvpair", {"name": child.attributes.get("name", "")}, (), child.id)
        for child in piece.children
        if child.id
    )
    return Piece(piece.tag, {PLAIN: "true", **piece.attributes}, named, piece.id)


def _values(piece: Piece) -> dict[str, str]:
    """Return the pairs in a set; of a mark those that it has a value for."""
    found: dict[str, str] = {}
    for child in piece.children:
        if "value" in child.attributes:
            found.setdefault(child.attributes.get("name", ""), child.attributes["value"])
    return found


def filled(sets: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Return sets without those that hold nothing, which count as none."""
    return tuple(p for p in sets if p.children or is_mark(p) or "id-ref" in p.attributes)
