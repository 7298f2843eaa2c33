"""Access control: roles with permissions, and the users and groups that have them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lxml import etree

from pacefab.pacemaker.cib import CibDraft
from pacefab.pacemaker.elements import add
from pacefab.pacemaker.model import SectionObject

_PERMISSION = ("kind", "xpath", "reference", "object-type", "attribute", "description", "id")


@dataclass(frozen=True)
class Permission:
    """What a role may do (read, write, deny) with a part of the CIB.

    The part is an XPath, the object with an id, or every element of a type, or with an attribute.
    """

    kind: str
    xpath: str = ""
    reference: str = ""
    object_type: str = ""
    attribute: str = ""
    description: str = ""
    id: str = ""

    def __str__(self) -> str:
        """Return it as an operator says it: write reference web."""
        part = f"xpath {self.xpath}" if self.xpath else f"reference {self.reference}"
        if self.object_type:
            part = f"object_type {self.object_type} {self.attribute}".strip()
        return f"{self.kind} {part}" + (f" ({self.description})" if self.description else "")


@dataclass(frozen=True)
class AclRole(SectionObject):
    """Permissions under a name."""

    permissions: tuple[Permission, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class AclUser(SectionObject):
    """A user of the system and the roles that he has; `name` where it is not the id."""

    roles: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class AclGroup(SectionObject):
    """A group of the system and the roles that its members have; `name` where it is not the id."""

    roles: tuple[str, ...] = ()
    name: str = ""


def read_role(element: etree._Element, _: Collection[str] = ()) -> AclRole | None:
    """Return a role; None for one that is not of Pacemaker's schema."""
    inner = element.findall("*")
    if any(child.tag != "acl_permission" for child in inner):
        return None
    return AclRole(
        tuple(_permission(child) for child in inner),
        element.get("description", ""),
        id=element.get("id", ""),
    )


def _permission(element: etree._Element) -> Permission:
    return Permission(*(element.get(name, "") for name in _PERMISSION))


def read_user(element: etree._Element, _: Collection[str] = ()) -> AclUser:
    """Return a user."""
    return AclUser(_roles(element), element.get("name", ""), id=element.get("id", ""))


def read_group(element: etree._Element, _: Collection[str] = ()) -> AclGroup:
    """Return a group."""
    return AclGroup(_roles(element), element.get("name", ""), id=element.get("id", ""))


def _roles(element: etree._Element) -> tuple[str, ...]:
    return tuple(role.get("id", "") for role in element.iterfind("role"))


def write_role(cib: CibDraft, section: etree._Element, role: AclRole) -> etree._Element:
    """Append a role with its permissions."""
    element = add(cib, section, "acl_role", role.id, description=role.description)
    for each in role.permissions:
        add(
            cib, element, "acl_permission", each.id or f"{role.id}-{each.kind}",
            kind=each.kind, xpath=each.xpath, reference=each.reference,
            object_type=each.object_type, attribute=each.attribute, description=each.description,
        )  # fmt: skip
    return element


def write_user(cib: CibDraft, section: etree._Element, user: AclUser) -> etree._Element:
    """Append a user; the schema lets a user be called as anything else is."""
    return _write(cib, section, "acl_target", user)


def write_group(cib: CibDraft, section: etree._Element, group: AclGroup) -> etree._Element:
    """Append a group."""
    return _write(cib, section, "acl_group", group)


def _write(
    cib: CibDraft, section: etree._Element, tag: str, noun: AclUser | AclGroup
) -> etree._Element:
    element = etree.Element(tag, id=noun.id)
    if noun.name:
        element.set("name", noun.name)
    cib.put(section, element)
    for role in noun.roles:
        etree.SubElement(element, "role", id=role)
    return element


def meaning_of_role(role: AclRole) -> Mapping[str, str]:
    """Return what a role says; Pacemaker reads its permissions in their order."""
    found = {f"permission {n}": str(each) for n, each in enumerate(role.permissions, 1)}
    return {**found, **({"description": role.description} if role.description else {})}


def meaning(noun: AclUser | AclGroup) -> Mapping[str, str]:
    """Return what a user or a group says."""
    found = {f"role {role}": "there" for role in noun.roles}
    return {**found, **({"name": noun.name} if noun.name else {})}


def pcs_lines_of_role(role: AclRole, *, remove: bool) -> list[list[str]]:
    """Return the line with which pcs makes or removes it; types of elements it cannot name."""
    if remove:
        return [["pcs", "acl", "role", "delete", role.id]]
    words = ["pcs", "acl", "role", "create", role.id]
    words += [f"description={role.description}"] if role.description else []
    for each in role.permissions:
        part = ("xpath", each.xpath) if each.xpath else ("id", each.reference)
        words += [each.kind, *part] if part[1] else []
    return [words]


def pcs_lines(noun: AclUser | AclGroup, *, remove: bool) -> list[list[str]]:
    """Return the line with which pcs makes or removes it."""
    word = "user" if isinstance(noun, AclUser) else "group"
    if remove:
        return [["pcs", "acl", word, "delete", noun.id]]
    return [["pcs", "acl", word, "create", noun.id, *noun.roles]]
