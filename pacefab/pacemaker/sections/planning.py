"""Desired and present objects of the smaller sections -> what would have to change. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from lxml import etree

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import Configuration, SectionObject
from pacefab.pacemaker.naming import unused
from pacefab.pacemaker.sections.change import Action, ObjectChange
from pacefab.pacemaker.sections.kinds import KINDS, Kind, kind_of

Made = tuple[str, ObjectChange | None]  # the key it is owned under, what is to be done


def made(cib: Cib, desired: Configuration) -> Iterator[Made]:
    """Yield every desired object with its change; None: it is as it should be.

    Raises:
        RefusedError: an id belongs to something else, or the object there has what an inventory
            cannot say.
    """
    taken = set(cib.ids)
    present = {kind.noun: _Present(cib, kind) for kind in KINDS}
    for noun in desired.objects:
        kind = kind_of(noun)
        there = present[kind.noun].like(noun)
        if there is not None:
            yield kind.key_of(there.id), _update(kind, there, noun)
            continue
        name = noun.id or unused(kind.default_id(noun), taken)
        _check_free(cib, kind, name)
        taken.add(name)
        new = replace(noun, id=name)
        yield kind.key_of(name), ObjectChange(Action.ADD, kind.word, name, desired=new)


def _update(kind: Kind, present: SectionObject, noun: SectionObject) -> ObjectChange | None:
    desired = kind.adapt(present, replace(noun, id=present.id))
    found = tuple(kind.differences(present, desired))
    update = ObjectChange(Action.UPDATE, kind.word, present.id, found, present, desired)
    return update if found else None


class _Present:
    """The objects of one kind, each to be found once."""

    def __init__(self, cib: Cib, kind: Kind) -> None:
        read = (kind.read(element, cib.secrets) for element in kind.elements(cib))
        self._kind, self._left = kind, [noun for noun in read if noun is not None]

    def like(self, desired: SectionObject) -> SectionObject | None:
        """Return the object in whose place the desired one comes; one that says the same first."""
        identity, meaning = self._kind.identity, self._kind.meaning
        alike = [one for one in self._left if identity(one) == identity(desired)]
        alike.sort(key=lambda one: meaning(one) != meaning(desired))
        for found in alike[:1]:
            self._left.remove(found)
            return found
        return None


def _check_free(cib: Cib, kind: Kind, name: str) -> None:
    """Raise a RefusedError when an id is taken; a user may be called as something else is."""
    own = next((e for e in kind.elements(cib) if e.get("id") == name), None)
    if own is None and (kind.free_ids or name not in cib.ids):
        return
    seen = f"the id {name} belongs to something else"
    if own is not None:
        seen = f"the {kind.word} there has what is not of Pacemaker's schema"
    raise RefusedError(
        f"look for the {kind.word} {name}",
        seen,
        f"""see it with: cibadmin --query --xpath "//*[@id='{name}']\"""",
    )


def keys(cib: Cib) -> dict[str, tuple[Kind, etree._Element]]:
    """Return every object of these sections by the key it would be owned under."""
    return {
        kind.key_of(element.get("id", "")): (kind, element)
        for kind in KINDS
        for element in kind.elements(cib)
    }


def removals(cib: Cib, going: Collection[str]) -> Iterator[ObjectChange]:
    """Yield the removals of the objects that have these keys."""
    for key, (kind, element) in keys(cib).items():
        if key in going:
            present = kind.read(element, cib.secrets)
            yield ObjectChange(Action.REMOVE, kind.word, element.get("id", ""), present=present)


def recorded(desired: Configuration) -> Iterator[str]:
    """Yield ID:ATTRIBUTE of what is a secret of an alert and not by its name."""
    for noun in desired.objects:
        yield from kind_of(noun).recorded(noun)


def restored_objects(now: Cib, before: Cib) -> Iterator[ObjectChange]:
    """Yield what makes the objects of these sections what they were in an earlier CIB."""
    present, earlier = keys(now), keys(before)
    secrets = {*now.secrets, *before.secrets}
    for key in {**present, **earlier}:
        kind = (present.get(key) or earlier[key])[0]
        old, new = (_element(found, key) for found in (present, earlier))
        if _text(old) == _text(new):
            continue
        had, has = (None if e is None else kind.read(e, secrets) for e in (old, new))
        found = tuple(kind.differences(had, has)) if had and has else ()
        action = Action.UPDATE if old is not None else Action.ADD
        action = Action.REMOVE if new is None else action
        yield ObjectChange(action, kind.word, key.partition(":")[2], found, had, has)


def _element(found: dict[str, tuple[Kind, etree._Element]], key: str) -> etree._Element | None:
    return found[key][1] if key in found else None


def _text(element: etree._Element | None) -> bytes:
    return b"" if element is None else etree.tostring(element, method="c14n")
