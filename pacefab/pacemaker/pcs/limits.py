"""What a noun says and pcs (0.10 to 0.12) has no command for. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pacefab.pacemaker.model import (
    Bundle,
    Clone,
    Further,
    Group,
    GroupClone,
    Operation,
    Primitive,
    Resource,
    Template,
    primitives,
)
from pacefab.pacemaker.nouns.piece import is_mark
from pacefab.pacemaker.sections.access import AclGroup, AclRole, AclUser
from pacefab.pacemaker.sections.alerts import ClusterAlert
from pacefab.pacemaker.sections.change import Noun


def limits(noun: Noun) -> Iterator[str]:
    """Yield each part of a noun that pcs cannot make; the rest of it, it can."""
    if isinstance(noun, ClusterAlert):
        yield from ["the events of an alert"] if noun.select else []
        each = [noun.further, *(recipient.further for recipient in noun.recipients)]
        yield from ["further sets of an alert"] if any(each) else []
    elif isinstance(noun, AclRole):
        by_type = any(permission.object_type for permission in noun.permissions)
        yield from ["permissions by a type of elements"] if by_type else []
    elif isinstance(noun, AclUser | AclGroup):
        yield from ["another name"] if noun.name and noun.name != noun.id else []
    elif isinstance(noun, Resource) and not isinstance(noun, Template):
        yield from _of_resource(noun)


def _of_resource(resource: Resource) -> Iterator[str]:
    parts: list[Resource] = [resource, *primitives(resource)]
    parts += [resource.group] if isinstance(resource, GroupClone) else []
    for part in {part.id: part for part in parts}.values():
        if isinstance(part, Primitive | Group | Clone | GroupClone | Bundle):
            yield from _of_sets(part.id, part.further)
            yield from (f"the {name} of {part.id}" for name in part.others)
    for primitive in primitives(resource):
        yield from [f"the template of {primitive.id}"] if primitive.template else []
        if any(map(_is_beyond, primitive.operations)):
            yield f"sets of operations of {primitive.id}"


def _of_sets(name: str, further: Further) -> Iterator[str]:
    for kind, sets in further.items():
        own = [piece for piece in sets if not is_mark(piece) or len(piece.attributes) > 1]
        plain = kind == "utilization" and len(own) == 1 and not own[0].attributes
        if kind == "operations":
            own = [piece for piece in sets if piece.attributes or piece.children]
        if own and not plain:
            yield f"further {kind} of {name}"


def _is_beyond(operation: Operation) -> bool:
    return bool(operation.further) or "id-ref" in operation.others
