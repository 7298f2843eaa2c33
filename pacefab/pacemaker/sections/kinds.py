"""The kinds of objects that have sections of their own, each with how it is read and written.

A kind is added here, and in a module that says what it is. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from pacefab.pacemaker.cib import Cib, CibDraft
from pacefab.pacemaker.compare import masked, same_value
from pacefab.pacemaker.model import Difference, SectionObject
from pacefab.pacemaker.sections import access, alerts, levels, tags
from pacefab.pacemaker.sections.change import ObjectChange

Lines = list[list[str]]
_NO_SECRETS: frozenset[str] = frozenset()


def _as_it_is(_: SectionObject, desired: Any) -> Any:
    return desired


def _id(noun: SectionObject) -> str:
    return noun.id


def _none(_: SectionObject) -> frozenset[str]:
    return _NO_SECRETS


@dataclass(frozen=True)
class Kind:
    """One kind.

    Args:
        word: what operators call it.
        key: what is before the id where our record names one.
        section: the section of the CIB that holds them.
        tag: of an element.
        noun: what an element is read as.
        read: element and names of secrets -> noun; None for what the noun cannot say.
        write: appends a noun's element to the section, and returns it.
        meaning: what a noun says, so that two that say the same are equal.
        pcs_lines: the lines with which pcs makes or removes it.
        default_id: the id of one that has none.
        identity: two of one identity cannot both be there.
        adapt: present and desired -> the desired one with what it keeps of the present one.
        secrets: the attributes that are never shown.
        recorded: ID:ATTRIBUTE of secrets that do not look it, for our record.
        free_ids: whether an id may be that of an object of another kind too.
    """

    word: str
    key: str
    section: str
    tag: str
    noun: type[SectionObject]
    read: Callable[[etree._Element, Collection[str]], SectionObject | None]
    write: Callable[[CibDraft, etree._Element, Any], etree._Element]
    meaning: Callable[[Any], Mapping[str, str]]
    pcs_lines: Callable[..., Lines]
    default_id: Callable[[Any], str] = _id
    identity: Callable[[Any], str] = _id
    adapt: Callable[[Any, Any], Any] = _as_it_is
    secrets: Callable[[Any], frozenset[str]] = _none
    recorded: Callable[[Any], Iterator[str] | frozenset[str]] = _none
    free_ids: bool = False

    def key_of(self, name: str) -> str:
        """Return what our record calls an object of this kind; unlike an id, it has a colon."""
        return f"{self.key}:{name}"

    def elements(self, cib: Cib) -> list[etree._Element]:
        """Return the elements of this kind."""
        section = cib.section(self.section)
        return [] if section is None else section.findall(self.tag)

    def differences(self, present: SectionObject, desired: SectionObject) -> Iterator[Difference]:
        """Yield in what two of this kind differ; of secrets only that they do."""
        hidden = self.secrets(present) | self.secrets(desired)
        before, after = self.meaning(present), self.meaning(desired)
        for name in sorted({**before, **after}):
            if _same(name, before.get(name), after.get(name)):
                continue
            found = Difference(f"{desired.id} {name}", before.get(name), after.get(name))
            words = name.rsplit(" ", 2)
            secret = words[-2:-1] == ["attribute"] and words[-1] in hidden
            yield masked(found) if secret else found


def _same(name: str, present: str | None, desired: str | None) -> bool:
    """Whether two values come to the same; only Pacemaker's own options have other spellings."""
    if name.split(" ")[-2:-1] == ["meta"]:
        return same_value(present, desired)
    return present == desired


KINDS: tuple[Kind, ...] = (
    Kind(
        "fencing level", "fencing-level", "fencing-topology", "fencing-level", levels.FencingLevel,
        levels.read, levels.write, levels.meaning, levels.pcs_lines,
        default_id=levels.default_id, identity=levels.identity,
    ),
    Kind(
        "alert", "alert", "alerts", "alert", alerts.ClusterAlert,
        alerts.read, alerts.write, alerts.meaning, alerts.pcs_lines,
        adapt=alerts.adapt, secrets=alerts.secrets, recorded=alerts.recorded,
    ),
    Kind(
        "ACL role", "acl-role", "acls", "acl_role", access.AclRole,
        access.read_role, access.write_role, access.meaning_of_role, access.pcs_lines_of_role,
    ),
    Kind(
        "ACL user", "acl-user", "acls", "acl_target", access.AclUser,
        access.read_user, access.write_user, access.meaning, access.pcs_lines, free_ids=True,
    ),
    Kind(
        "ACL group", "acl-group", "acls", "acl_group", access.AclGroup,
        access.read_group, access.write_group, access.meaning, access.pcs_lines,
    ),
    Kind("tag", "tag", "tags", "tag", tags.Tag,
         tags.read, tags.write, tags.meaning, tags.pcs_lines),
)  # fmt: skip
SECTIONS = tuple(dict.fromkeys(kind.section for kind in KINDS))


def kind_of(noun: SectionObject) -> Kind:
    """Return the kind of a noun."""
    return next(kind for kind in KINDS if type(noun) is kind.noun)


def kind_of_word(word: str) -> Kind | None:
    """Return the kind that operators call so; None for what has no section of its own."""
    return next((kind for kind in KINDS if kind.word == word), None)


def read_objects(cib: Cib) -> tuple[SectionObject, ...]:
    """Return every object of these sections that our nouns can say."""
    found = (kind.read(element, cib.secrets) for kind in KINDS for element in kind.elements(cib))
    return tuple(noun for noun in found if noun is not None)


def object_lines(change: ObjectChange) -> Lines:
    """Return the pcs lines of a change; what is other than before is removed and made anew."""
    kind = kind_of_word(change.kind)
    if kind is None:
        return []
    old = kind.pcs_lines(change.present, remove=True) if change.present else []
    return [*old, *(kind.pcs_lines(change.desired, remove=False) if change.desired else [])]
