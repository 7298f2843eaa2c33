"""Fencing levels, alerts, access control, tags and utilization -> their part of an inventory.

What the inventory's own types refuse is left, so that the rest can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

from lxml import etree
from pydantic import TypeAdapter, ValidationError

from pacefab.export.draft import Draft, Path, Source, made
from pacefab.inventory.model import Login, Name, Part
from pacefab.inventory.sections.access import RoleEntry
from pacefab.inventory.sections.alerts import AlertEntry
from pacefab.inventory.sections.levels import LevelEntry
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import SectionObject
from pacefab.pacemaker.naming import is_secret
from pacefab.pacemaker.sections.access import AclGroup, AclRole, AclUser, Permission
from pacefab.pacemaker.sections.alerts import ClusterAlert, Recipient, Selection
from pacefab.pacemaker.sections.kinds import KINDS, SECTIONS
from pacefab.pacemaker.sections.levels import FencingLevel
from pacefab.pacemaker.sections.tags import Tag

NounT = TypeVar("NounT", bound=SectionObject)

_NOT_IN_NAME = re.compile(r"[^a-z0-9_]+")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_LOGIN: TypeAdapter[str] = TypeAdapter(Login)


def unknown_objects(source: Source, draft: Draft) -> None:
    """Name what stands in these sections and is of none of their kinds."""
    tags = {kind.tag for kind in KINDS}
    for name in SECTIONS:
        section = source.cib.section(name)
        for element in () if section is None else section.iterfind("*"):
            if element.tag not in tags:
                draft.leave(element)


def levels(source: Source, draft: Draft) -> None:
    """Write `fencing.levels`."""
    found: list[dict[str, Any]] = []
    for element, noun in _nouns(source.cib, draft, FencingLevel):
        entry = made(
            (
                ("node", noun.target), ("pattern", noun.pattern), ("attribute", noun.attribute),
                ("value", noun.value), ("level", _number(noun.index)),
                ("devices", list(noun.devices)),
            )
        )  # fmt: skip
        absent = [name for name in noun.devices if source.cib.element(name) is None]
        if absent:
            draft.leave(element, f"there is no fence device {', '.join(absent)}")
        elif _fits(draft, element, LevelEntry, entry):
            found.append(entry)
    if found:
        draft.data.setdefault("fencing", {})["levels"] = found
        draft.places["fencing", "levels"] = _place(source, "fencing-topology")


def alerts(source: Source, draft: Draft) -> None:
    """Write `alerts`; of secrets the names alone."""
    for element, noun in _nouns(source.cib, draft, ClusterAlert):
        found: dict[str, str] = {}
        entry = _alert(noun, found)
        if _named(draft, element, _NAME) and _fits(draft, element, AlertEntry, entry):
            draft.data.setdefault("alerts", {})[noun.id] = entry
            draft.secrets.update(found)
    _note(source, draft, "alerts")


def access(source: Source, draft: Draft) -> None:
    """Write `acls`."""
    roles: dict[str, Any] = {}
    for element, role in _nouns(source.cib, draft, AclRole):
        permissions = [_permission(each) for each in role.permissions]
        entry = made((("description", role.description), ("permissions", permissions)))
        if _named(draft, element, _NAME) and _fits(draft, element, RoleEntry, entry):
            roles[role.id] = entry
    users = dict(_holders(source, draft, AclUser, roles))
    groups = dict(_holders(source, draft, AclGroup, roles))
    if acls := made((("roles", roles), ("users", users), ("groups", groups))):
        draft.data["acls"] = acls
    _note(source, draft, "acls")


def tags(source: Source, draft: Draft) -> None:
    """Write `tags`."""
    for element, noun in _nouns(source.cib, draft, Tag):
        names = all(_named(draft, element, _NAME, name) for name in (noun.id, *noun.references))
        if names and noun.references:
            draft.data.setdefault("tags", {})[noun.id] = list(noun.references)
    _note(source, draft, "tags")


def utilization(source: Source, draft: Draft) -> None:
    """Write what nodes offer into the nodes that have been written before."""
    entries: list[Any] = draft.data.get("nodes", [])
    places = {e if isinstance(e, str) else e.get("name"): n for n, e in enumerate(entries)}
    for node in source.cib.root.iterfind("configuration/nodes/node"):
        offered = _offered(draft, node)
        place = places.get(node.get("uname"))
        if offered and place is not None:
            entry = entries[place]
            mapping = {"name": entry} if isinstance(entry, str) else entry
            entries[place] = {**mapping, "utilization": offered}


def _offered(draft: Draft, node: etree._Element) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, nvset in enumerate(node.iterfind("utilization")):
        if number or nvset.get("id-ref") or nvset.find("rule") is not None:
            draft.leave(nvset)
            continue
        for pair in nvset.iterfind("nvpair"):
            name, value = pair.get("name", ""), pair.get("value", "")
            if _WHOLE.fullmatch(value) and _named(draft, pair, _NAME, name):
                found[name] = int(value)
            elif not _WHOLE.fullmatch(value):
                draft.leave(pair, "it is no whole number")
    return found


def _nouns(cib: Cib, draft: Draft, noun: type[NounT]) -> Iterator[tuple[etree._Element, NounT]]:
    """Yield the elements of a kind with their nouns; what no noun says is left."""
    kind = next(kind for kind in KINDS if kind.noun is noun)
    for element in kind.elements(cib):
        found = kind.read(element, cib.secrets)
        if isinstance(found, noun):
            yield element, found
        else:
            draft.leave(element)


def _fits(draft: Draft, element: etree._Element, kind: type[Part], entry: Any) -> bool:
    """Whether the inventory takes an entry; one that it does not is left."""
    try:
        kind.model_validate(_frozen(entry))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = " ".join(map(str, first["loc"]))
        draft.leave(element, f"the inventory does not take its {where}".rstrip())
        return False
    return True


def _named(
    draft: Draft, element: etree._Element, kind: TypeAdapter[str], name: str | None = None
) -> bool:
    own = str(element.get("id", "")) if name is None else name
    try:
        kind.validate_python(own)
    except ValidationError:
        draft.leave(element, f"an inventory cannot have the name {own!r}")
        return False
    return True


def _frozen(value: Any) -> Any:
    """Return data as a file's reader gives it, whose lists are tuples."""
    if isinstance(value, dict):
        return {key: _frozen(inner) for key, inner in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _alert(noun: ClusterAlert, secrets: dict[str, str]) -> dict[str, Any]:
    values = [each.value for each in noun.recipients]
    recipients = [_recipient(r, secrets, named=values.count(r.value) > 1) for r in noun.recipients]
    return made(
        (
            ("path", noun.path), ("description", noun.description),
            ("attributes", _attributes(noun.id, noun, secrets)), ("meta", _meta(noun.meta)),
            ("select", _select(noun.select)), ("recipients", recipients),
        )
    )  # fmt: skip


def _recipient(noun: Recipient, secrets: dict[str, str], *, named: bool) -> Any:
    entry = made(
        (
            ("value", noun.value), ("id", noun.id if named else ""),
            ("description", noun.description),
            ("attributes", _attributes(noun.id, noun, secrets)), ("meta", _meta(noun.meta)),
        )
    )  # fmt: skip
    return noun.value if list(entry) == ["value"] else entry


def _attributes(
    name: str, noun: ClusterAlert | Recipient, secrets: dict[str, str]
) -> dict[str, Any]:
    """Return the attributes; in place of a secret's value its name, which is noted."""
    found: dict[str, Any] = {}
    for key, value in noun.attributes.items():
        if is_secret(key) or key in noun.hidden:
            called = _NOT_IN_NAME.sub("_", f"{name}_{key}".lower()).lstrip("_0123456789")
            secrets[called] = f"{name} {key}"
            found[key] = {"secret": called}
        else:
            found[key] = value
    return found


def _meta(meta: Any) -> dict[str, Any]:
    flags = {"true": True, "false": False}
    return {k: flags.get(v, v) if k == "enabled" else v for k, v in meta.items()}


def _select(select: Selection | None) -> dict[str, Any]:
    if select is None:
        return {}
    attributes: Any = list(select.attributes) or select.any_attribute
    return {
        **dict.fromkeys(sorted(select.events), True),
        **({"attributes": attributes} if attributes else {}),
    }


def _permission(noun: Permission) -> dict[str, Any]:
    return made(
        (
            ("kind", noun.kind), ("xpath", noun.xpath), ("reference", noun.reference),
            ("object_type", noun.object_type), ("attribute", noun.attribute),
            ("description", noun.description),
        )
    )  # fmt: skip


def _holders(
    source: Source, draft: Draft, kind: type[AclUser | AclGroup], roles: dict[str, Any]
) -> Iterator[tuple[str, list[str]]]:
    for element, noun in _nouns(source.cib, draft, kind):
        absent = [role for role in noun.roles if role not in roles]
        if noun.name:
            draft.leave(element, "its name is another one than its id")
        elif absent:
            draft.leave(element, f"there is no role {', '.join(absent)}")
        elif _named(draft, element, _LOGIN if kind is AclUser else _NAME):
            yield noun.id, list(noun.roles)


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _place(source: Source, section: str) -> str:
    return f"{source.place}: {section}"


def _note(source: Source, draft: Draft, section: str) -> None:
    path: Path = (section,)
    if section in draft.data:
        draft.places[path] = _place(source, section)
