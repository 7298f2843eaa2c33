"""Where fence devices may run, by location constraints. Pure.

That is Pacemaker's rule (register_if_fencing_device of daemons/fenced): where neither the score of
a device nor that of its group is below 0. What cannot be known here, such as a rule by the date,
keeps a device off no node.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce

from pacefab.pacemaker.fencing.devices import FenceDevice
from pacefab.pacemaker.fencing.findings import FencingScene
from pacefab.pacemaker.model import Constraint, Location, OwnTerms, is_true
from pacefab.pacemaker.nouns.piece import Piece

_INFINITY = 1_000_000.0
_LOCATION = "rsc_location"
_STARTED = {"", "Started"}  # the role of a ban; others are of no use for a fence device
_BY_RULE = {"rule", "lifetime"}
_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "defined": lambda _own, _value: True,
    "not_defined": lambda _own, _value: False,
}


def runs_on(scene: FencingScene, device: FenceDevice) -> tuple[str, ...]:
    """Return the members on which location constraints let a device run."""
    return tuple(node for node in scene.members if _may_run(scene, device, node))


def placing(scene: FencingScene, resource: str) -> tuple[Constraint, ...]:
    """Return the location constraints of a resource."""
    return tuple(c for c in scene.configuration.constraints if _is_of(c, resource))


def _may_run(scene: FencingScene, device: FenceDevice, node: str) -> bool:
    names = (device.id, *device.within)
    said = [tuple(_scores(scene, name, node)) for name in names]
    known = [tuple(score for score in scores if score is not None) for scores in said]
    if any(reduce(_add, scores, 0.0) < 0 for scores in known):
        return False
    everywhere = is_true(scene.property("symmetric-cluster", default="true"))
    return everywhere or any(said)


def _scores(scene: FencingScene, resource: str, node: str) -> Iterator[float | None]:
    """Yield the scores that a resource has on a node; None: one that cannot be known here."""
    for one in placing(scene, resource):
        if isinstance(one, OwnTerms):
            yield from _in_own_terms(one.piece, node)
        elif isinstance(one, Location):
            holds = _holds(scene, one, node)
            if holds is not False:
                yield _score(one.score) if holds else None


def _holds(scene: FencingScene, one: Location, node: str) -> bool | None:
    """Whether a constraint is about a node; None: that cannot be known here."""
    if one.node:
        return one.node.casefold() == node.casefold()
    known = {**scene.attributes_of(node), "#uname": node, "#kind": "cluster"}
    own, test = known.get(one.attribute), _TESTS.get(one.operation)
    if own is None or test is None:  # an attribute may be given for as long as the node runs
        return None
    return test(own.casefold(), one.value.casefold())


def _in_own_terms(piece: Piece, node: str) -> Iterator[float | None]:
    given = piece.attributes
    if any(child.tag in _BY_RULE for child in piece.children):
        yield None
    elif given.get("node", "").casefold() == node.casefold() and given.get("role", "") in _STARTED:
        yield _score(given.get("score", ""))


def _is_of(constraint: Constraint, resource: str) -> bool:
    if isinstance(constraint, Location):
        return constraint.resource == resource
    if not isinstance(constraint, OwnTerms) or constraint.piece.tag != _LOCATION:
        return False
    piece = constraint.piece
    named = {one.attributes.get("id") for one in piece.walk() if one.tag == "resource_ref"}
    by_pattern = _matches(piece.attributes.get("rsc-pattern", ""), resource)
    return by_pattern or resource in {*named, piece.attributes.get("rsc")}


def _matches(pattern: str, resource: str) -> bool:
    """Whether a pattern is of a resource; with a ! before it, of all others."""
    try:
        found = bool(pattern) and bool(re.search(pattern.removeprefix("!"), resource))
    except re.error:
        return False
    return bool(pattern) and found is not pattern.startswith("!")


def _add(one: float, other: float) -> float:
    """Return the sum of two scores: minus infinity outweighs all, infinity the rest."""
    if min(one, other) <= -_INFINITY:
        return -_INFINITY
    return min(one + other, _INFINITY)


def _score(text: str) -> float:
    sign, name = text[:1], text.lstrip("+-")
    if name.upper() == "INFINITY":
        return -_INFINITY if sign == "-" else _INFINITY
    return float(text) if name.isdigit() else 0.0
