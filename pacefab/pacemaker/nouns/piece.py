"""Parts of a CIB in Pacemaker's own terms: an element with attributes and children. Pure.

What has no noun of its own is one of these: further sets with their rules, resource sets, bundles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

SETS = ("instance_attributes", "meta_attributes", "utilization")
PLAIN = "plain"  # marks where the set stands whose pairs a noun has itself
_OF_KIND = "promotable"  # no value of the noun's: its kind says it
# What these call id is the id of something else, or they have none.
_NAMING = {("resource_set", "resource_ref"), ("tag", "obj_ref"), ("acl_target", "role"),
           ("acl_group", "role")}  # fmt: skip
_WITHOUT_ID = {"network", "storage", "docker", "podman", "rkt", "operations", "lifetime",
               "select_attributes", "select_nodes", "select_fencing", "select_resources",
               "select"}  # fmt: skip
_ORDERED = {"resource_ref", "obj_ref", "role"}
_ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}


@dataclass(frozen=True)
class Piece:
    """An element; `id` is its own, empty where no one refers to it, and says nothing of it."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: tuple[Piece, ...] = ()
    id: str = ""

    @property
    def meaning(self) -> str:
        """What it says: ids and an order without meaning aside; of a mark not its values."""
        said = " ".join(
            f"{name}={_plain(self.attributes[name])}" for name in sorted(self.attributes)
        )
        inside = [child.meaning for child in (() if is_mark(self) else self.children)]
        if not any(child.tag in _ORDERED for child in self.children):
            inside.sort()
        return f"{self.tag}({said}{' ' if said and inside else ''}{' '.join(inside)})"

    def matches(self, desired: Piece) -> bool:
        """Whether it says what is desired, with the ids that are desired."""
        return self.meaning == desired.meaning and desired.ids <= self.ids

    @property
    def ids(self) -> frozenset[str]:
        """The ids that it and what is in it have of their own."""
        return frozenset(filter(None, (piece.id for piece in self.walk())))

    def walk(self) -> Iterator[Piece]:
        """Yield it and everything in it."""
        yield self
        for child in self.children:
            yield from child.walk()


def _plain(value: str) -> str:
    """Return a value in one spelling: of booleans, infinite scores and roles there are several."""
    lower = value.lower()
    if lower in {"true", "false"}:
        return lower
    if lower.removeprefix("+") in {"infinity", "1000000"}:
        return "INFINITY"
    if lower in {"-infinity", "-1000000"}:
        return "-INFINITY"
    return _ROLES.get(value, value)


def read_piece(element: etree._Element) -> Piece:
    """Return an element with all that is in it; comments are nothing."""
    attributes = {str(name): str(value) for name, value in element.items()}
    parent = element.getparent()
    naming = parent is not None and (parent.tag, element.tag) in _NAMING
    own = "" if naming else attributes.pop("id", "")
    return Piece(
        str(element.tag), attributes, tuple(map(read_piece, element.iterfind("*"))), own
    )  # fmt: skip


def has_id(piece: Piece) -> bool:
    """Whether its element has an id of its own."""
    return piece.tag not in {*_WITHOUT_ID, *_ORDERED} and "id-ref" not in piece.attributes


def read_sets(
    element: etree._Element, plain: etree._Element | None, kind: str
) -> tuple[Piece, ...]:
    """Return the sets of a kind in their order; of the plain one only where it stands."""
    return tuple(
        _mark(found) if found is plain else read_piece(found)
        for found in element.iterchildren(kind)
        if is_filled(found)
    )


def is_filled(element: etree._Element) -> bool:
    """Whether a set says something: it has values, or is another one."""
    return bool(len(element) or element.get("id-ref"))


def _mark(plain: etree._Element) -> Piece:
    score = {"score": str(plain.get("score"))} if plain.get("score") else {}
    pairs = ((e.get("name", ""), e.get("id", "")) for e in plain.iterchildren("nvpair"))
    named = tuple(Piece("nvpair", {"name": n}, (), own) for n, own in pairs if n != _OF_KIND)
    return Piece(str(plain.tag), {PLAIN: "true", **score}, named, plain.get("id", ""))


def is_mark(piece: Piece) -> bool:
    """Whether a piece says no more than where the plain set stands, and ids of values in it."""
    return PLAIN in piece.attributes


def without_usual(sets: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Return sets without the mark of a plain one that is first, as it is by itself."""
    usual = bool(sets) and is_mark(sets[0]) and len(sets[0].attributes) == 1
    return sets[1:] if usual else sets


def marked(kind: str, sets: tuple[Piece, ...], *, plain: bool) -> tuple[Piece, ...]:
    """Return sets with the mark of a plain one where there is one: first, if nothing is said."""
    if not plain:
        return tuple(piece for piece in sets if not is_mark(piece))
    if any(map(is_mark, sets)):
        return sets
    return (Piece(kind, {PLAIN: "true"}), *sets)


def same_pieces(present: tuple[Piece, ...], desired: tuple[Piece, ...]) -> bool:
    """Whether pieces say in their order what is desired."""
    return len(present) == len(desired) and all(
        one.matches(other) for one, other in zip(present, desired, strict=True)
    )
