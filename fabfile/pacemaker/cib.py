"""CIB XML -> model. Pure: text in, nouns out."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from lxml import etree

from fabfile.pacemaker.model import Clone, Operation, Primitive

_OPERATION_FIELDS = {"id", "name", "interval", "timeout"}
_ID_REFERENCES = ("rsc", "first", "then", "with-rsc", "id")


@dataclass(frozen=True)
class Cib:
    """A CIB as read from a node; `root` is never changed in place."""

    root: etree._Element

    @property
    def version(self) -> tuple[int, int, int]:
        """admin_epoch, epoch, num_updates: which of two CIBs is newer (Pacemaker Explained)."""
        a, e, n = (int(self.root.get(k, "0")) for k in ("admin_epoch", "epoch", "num_updates"))
        return a, e, n

    def text(self, *, status: bool = True) -> str:
        """Return the XML; without `status` only what is configured, not what runs."""
        root = copy.deepcopy(self.root)
        for element in [] if status else root.findall("status"):
            root.remove(element)
        return etree.tostring(root, encoding="unicode")

    @property
    def resources(self) -> etree._Element:
        """The element that holds the resources; `parse` has seen that it is there."""
        return self._section("resources")

    @property
    def constraints(self) -> etree._Element:
        """The element that holds the constraints."""
        return self._section("constraints")

    def _section(self, name: str) -> etree._Element:
        found = self.root.find(f"configuration/{name}")
        if found is None:
            raise ValueError(f"the CIB has no {name}")
        return found

    def element(self, resource_id: str) -> etree._Element | None:
        """Return the element of a resource, of whatever kind."""
        every = self.resources.iterdescendants()
        return next((e for e in every if e.get("id") == resource_id), None)

    def clone(self, clone_id: str) -> Clone | None:
        """Return a clone of one primitive; None when that id is none."""
        element = self.element(clone_id)
        if element is None or element.tag not in {"clone", "master"}:
            return None
        primitive = element.find("primitive")
        if primitive is None:
            return None
        return Clone(clone_id, read_primitive(primitive), _nvpairs(element, "meta_attributes"))

    def primitives_of(self, agent: str) -> list[Primitive]:
        """Return every primitive of an agent, at any depth."""
        every = (
            read_primitive(e) for e in self.root.iterfind("configuration/resources//primitive")
        )
        return [one for one in every if one.agent == agent]

    def constraints_on(self, *resource_ids: str) -> list[etree._Element]:
        """Return the constraints that name one of the resources, resource sets included."""
        wanted = set(resource_ids)
        return [constraint for constraint in self.constraints if wanted & _named(constraint)]


def parse(text: str) -> Cib:
    """Return the CIB of `cibadmin -Q`.

    Raises:
        ValueError: this is no CIB; never taken for an empty one.
    """
    try:
        root = etree.fromstring(text.encode(), etree.XMLParser(remove_blank_text=True))
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not XML: {error}") from error
    if root.tag != "cib" or root.find("configuration/resources") is None:
        raise ValueError(f"no CIB with resources, but <{root.tag}>")
    return Cib(root)


def read_primitive(element: etree._Element) -> Primitive:
    """Return the primitive of its element."""
    parts = [element.get("class", ""), element.get("provider"), element.get("type", "")]
    return Primitive(
        id=element.get("id", ""),
        agent=":".join(part for part in parts if part),
        parameters=_nvpairs(element, "instance_attributes"),
        meta=_nvpairs(element, "meta_attributes"),
        operations=tuple(_operation(op) for op in element.iterfind("operations/op")),
    )


def parse_metadata_operations(text: str) -> tuple[Operation, ...]:
    """Return the operations that pcs gives a new primitive, from the agent's metadata.

    pcs (lib/cib/resource, 0.11 and 0.12) copies every action but three, sorted by name, with an
    interval of 60s for monitor and 0s for the others where the agent advises none.

    Raises:
        ValueError: the text is no metadata.
    """
    try:
        root = etree.fromstring(text.encode())
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not XML: {error}") from error
    actions = root.iterfind("actions/action")
    advised = [_advised(a) for a in actions if a.get("name") not in _NO_OPERATIONS]
    return tuple(sorted(advised, key=lambda op: op.name))


_NO_OPERATIONS = {"meta-data", "status", "validate-all"}


def _advised(action: etree._Element) -> Operation:
    name = action.get("name", "")
    interval = action.get("interval") or ("60s" if name == "monitor" else "0s")
    others = {key: action.get(key, "") for key in ("role", "start-delay") if action.get(key)}
    return Operation(name, interval, action.get("timeout", ""), others)


def _operation(element: etree._Element) -> Operation:
    others = {str(k): str(v) for k, v in element.items() if k not in _OPERATION_FIELDS}
    name, interval = element.get("name", ""), element.get("interval", "0")
    return Operation(name, interval, element.get("timeout", ""), others)


def _nvpairs(element: etree._Element, kind: str) -> dict[str, str]:
    return {
        pair.get("name", ""): pair.get("value", "") for pair in element.iterfind(f"{kind}/nvpair")
    }


def _named(constraint: etree._Element) -> set[str]:
    names = {constraint.get(key) for key in _ID_REFERENCES if key != "id"}
    names |= {ref.get("id") for ref in constraint.iter("resource_ref")}
    return {name for name in names if name}
