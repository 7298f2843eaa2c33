"""Meta attributes in force of a primitive: its own, its template's, its container's. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from pacefab.pacemaker.cib import Cib, pairs, plain_set
from pacefab.pacemaker.nouns.status import NodeStatus
from pacefab.pacemaker.placement.remote import able
from pacefab.pacemaker.word import Cause

_CONTAINERS = {"group", "clone", "master", "bundle"}


def has_clones(cib: Cib, running: Mapping[str, frozenset[str]], node: NodeStatus) -> bool:
    """Whether a clone, which services are, runs on a node, and nothing has placed it there.

    What runs once was placed there.
    """
    here = (name for name, nodes in running.items() if node.name in nodes)
    clones = (name for name in here if as_clone(cib, name) is not None)
    return any(able(cib, name, [node]) is None for name in clones)


def as_clone(cib: Cib, primitive: str) -> etree._Element | None:
    """Return the clone or bundle that a primitive is in; None: one instance is all there is."""
    every = ancestors(cib, primitive)
    return next((e for e in every if e.tag in {"clone", "master", "bundle"}), None)


def full_clone(cib: Cib, primitive: str, running: Collection[str]) -> Cause | None:
    """Return that as many instances of a clone run as there may be; `running` is on which nodes."""
    clone = as_clone(cib, primitive)
    values = pairs(plain_set(clone, "meta_attributes")) if clone is not None else {}
    most = values.get("clone-max", "")
    if clone is None or not most.isdecimal() or len(running) < int(most):
        return None
    name = str(clone.get("id"))
    said = f"{name} runs on no more nodes than {most} (clone-max)"
    return Cause(said, f"pcs resource meta {name} clone-max=", resource=name)


def ancestors(cib: Cib, primitive: str) -> Iterator[etree._Element]:
    """Yield a primitive's element and those of the group and the clone that it is in."""
    element = cib.element(primitive)
    while element is not None and element.tag in {"primitive", *_CONTAINERS}:
        yield element
        element = element.getparent()


@dataclass(frozen=True)
class MetaSetting:
    """A meta attribute in force: its value, and what it is set on ("" for all resources)."""

    value: str
    holder: str
    kind: str  # the holder's tag


def find(cib: Cib, primitive: str, name: str) -> MetaSetting | None:
    """Return a meta attribute where it is set: the primitive's own comes before all others."""
    for element in _holders(cib, primitive):
        values = pairs(plain_set(element, "meta_attributes"))
        if name in values:
            holder = "" if element.tag == "rsc_defaults" else str(element.get("id"))
            return MetaSetting(values[name], holder, str(element.tag) if holder else "")
    return None


def _holders(cib: Cib, primitive: str) -> Iterator[etree._Element]:
    for element in ancestors(cib, primitive):
        yield element
        template = element.get("template")
        found = cib.element(template) if template else None
        if found is not None:
            yield found
    defaults = cib.section("rsc_defaults")
    if defaults is not None:
        yield defaults


def left_alone(setting: MetaSetting, primitive: str, name: str) -> Cause:
    """Return that a primitive is in maintenance or unmanaged, by the attribute of that name."""
    managed = name == "is-managed"
    said, watched = ("unmanaged", "starts") if managed else ("in maintenance", "watches")
    way_out = f"pcs resource manage {setting.holder}"
    if not managed or setting.kind in {"template", ""}:
        way_out = reset(setting, name)
    return Cause(
        f"{called(setting, primitive)} is {said}, Pacemaker neither {watched} nor restarts it "
        f"({name}={setting.value}{origin(setting)})",
        way_out,
        resource=about(setting, primitive),
    )


def called(setting: MetaSetting, primitive: str) -> str:
    """Return what a setting is about, as the subject of a sentence."""
    if setting.kind == "template":
        return primitive
    return setting.holder or "every resource"


def about(setting: MetaSetting, primitive: str) -> str:
    """Return the resource that a setting is about; empty: all."""
    return primitive if setting.kind == "template" else setting.holder


def origin(setting: MetaSetting) -> str:
    """Return where a setting stands that is not at the resource itself."""
    if setting.kind == "template":
        return f", by the template {setting.holder}"
    return "" if setting.holder else ", by rsc_defaults"


def reset(setting: MetaSetting, name: str) -> str:
    """Return the command that takes a meta attribute away from what it is set on."""
    if not setting.holder:
        return f"pcs resource defaults update {name}="
    if setting.kind == "template":
        return f"change it in the template {setting.holder}: pcs cluster edit"
    return f"pcs resource meta {setting.holder} {name}="
