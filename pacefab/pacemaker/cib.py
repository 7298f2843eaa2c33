"""The CIB as a document: its version, its sections, its elements by id. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from pacefab.pacemaker.naming import unused
from pacefab.transport import xml_answers

PROPERTIES = "cib-bootstrap-options"  # the set that pcs and Pacemaker itself write to
OWNER = "pacefab"
OWNED = "pacefab-owned"
SECRETS = "pacefab-secrets"  # RESOURCE:PARAMETER of what an inventory called a secret
_NO_VERSION = 1 << 31  # Pacemaker counts in C's int
_NAMING = frozenset({"obj_ref", "resource_ref", "role"})  # their id is that of something else
_REFERENCES = ("rsc", "first", "then", "with-rsc")


@dataclass(frozen=True)
class Cib:
    """A CIB as read from a node; `root` is never changed in place."""

    root: etree._Element

    @property
    def version(self) -> tuple[int, int, int]:
        """admin_epoch, epoch, num_updates: which of two CIBs is newer (Pacemaker Explained)."""
        a, e, n = (int(self.root.get(k, "0")) for k in ("admin_epoch", "epoch", "num_updates"))
        return a, e, n

    @property
    def quorum(self) -> bool:
        """Whether the node it was read from has a DC and quorum; crm_mon reads it from here too."""
        return bool(self.root.get("dc-uuid")) and self.root.get("have-quorum") in {"1", "true"}

    @property
    def dc(self) -> str:
        """The node that was the DC when it was read; empty: there was none."""
        own = self.root.get("dc-uuid")
        nodes = self.root.iterfind("configuration/nodes/node")
        return next((n.get("uname", "") for n in nodes if n.get("id") == own), "")

    def is_configured_as(self, other: Cib) -> bool:
        """Whether the other one says the same, whatever its version and what runs."""
        own, its = (etree.tostring(c.configuration, method="c14n") for c in (self, other))
        return own == its

    def text(self, *, status: bool = True) -> str:
        """Return the XML; without `status` only what is configured, not what runs."""
        root = copy.deepcopy(self.root)
        for element in [] if status else root.findall("status"):
            root.remove(element)
        return etree.tostring(root, encoding="unicode")

    def next(self) -> CibDraft:
        """Return a copy to change, one epoch on.

        The patch between the two says from which version to which it leads; Pacemaker refuses it
        when the CIB is no longer the one that we read.
        """
        root = copy.deepcopy(self.root)
        _, epoch, _ = self.version
        root.set("epoch", str(epoch + 1))
        root.set("num_updates", "0")
        return CibDraft(root)

    @cached_property
    def configuration(self) -> etree._Element:
        """The element that holds the sections."""
        return self._find("configuration")

    @cached_property
    def resources(self) -> etree._Element:
        """The element that holds the resources; `parse` has seen that it is there."""
        return self._find("configuration/resources")

    @cached_property
    def constraints(self) -> etree._Element:
        """The element that holds the constraints."""
        return self._find("configuration/constraints")

    @property
    def all_resources(self) -> list[etree._Element]:
        """The resources at the top; comments, which a CIB may hold anywhere, are none."""
        return self.resources.findall("*")

    @property
    def all_constraints(self) -> list[etree._Element]:
        """The constraints; comments are none."""
        return self.constraints.findall("*")

    def section(self, name: str) -> etree._Element | None:
        """Return a section of the configuration; None where it has none of that name."""
        return self.root.find(f"configuration/{name}")

    def _find(self, path: str) -> etree._Element:
        found = self.root.find(path)
        if found is None:
            raise ValueError(f"the CIB has no {path}")
        return found

    def element(self, resource_id: str) -> etree._Element | None:
        """Return the element of a resource, of whatever kind."""
        return self._by_id.get(resource_id)

    @cached_property
    def ids(self) -> set[str]:
        """Every id that is in use in the configuration; unique in it, whatever it names.

        Those of nodes are apart: the connection to a remote node has the node's.
        """
        nodes = {node.get("id") for node in self.root.iterfind("configuration/nodes/node")}
        return set(_index(self.configuration)) - (nodes - set(self._by_id))

    @cached_property
    def _by_id(self) -> dict[str, etree._Element]:
        """Every element below the resources by its id: a large CIB is asked for many."""
        return _index(self.resources)

    def primitives_of(self, agent: str) -> list[etree._Element]:
        """Return the element of every primitive of an agent, at any depth."""
        return [e for e in self.resources.iter("primitive") if self.agent(e) == agent]

    def agent(self, primitive: etree._Element) -> str:
        """Return a primitive's agent, its template's where it is made from one; empty: none."""
        return next(filter(None, map(agent_of, self.sources(primitive))), "")

    def parameters(self, primitive: etree._Element) -> dict[str, str]:
        """Return a primitive's parameters that hold always; its own come before its template's."""
        found: dict[str, str] = {}
        for element in reversed(self.sources(primitive)):
            found |= pairs(plain_set(element, "instance_attributes"))
        return found

    def sources(self, primitive: etree._Element) -> list[etree._Element]:
        """Return a primitive's element, and then that of the template that it is made from."""
        template = self.element(str(primitive.get("template", "")))
        return [primitive] if template is None else [primitive, template]

    def constraints_on(self, *resource_ids: str) -> list[etree._Element]:
        """Return the constraints that name one of the resources, resource sets included."""
        desired = set(resource_ids)
        return [c for c in self.all_constraints if desired & set(named_by(c))]

    @property
    def own_set(self) -> etree._Element | None:
        """The property set in which pacefab keeps its record and its notes."""
        return self.root.find(f"configuration/crm_config/cluster_property_set[@id='{OWNER}']")

    @property
    def owned(self) -> tuple[str, ...]:
        """What pacefab has made here, by its own record."""
        return tuple(pairs(self.own_set).get(OWNED, "").split())

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """The parameters that an inventory called secrets, and whose names do not say so."""
        return tuple(pairs(self.own_set).get(SECRETS, "").split())


class CibDraft(Cib):
    """A CIB that is being changed; elements come and go by `add` and `remove`.

    So every id in it stays unique, and is found at once.
    """

    def add(self, parent: etree._Element, tag: str, desired: str) -> etree._Element:
        """Append a new element; its id is numbered where the desired one is taken."""
        return self.put(parent, etree.Element(tag, id=unused(desired, self.ids)))

    def put(
        self, parent: etree._Element, element: etree._Element, place: int | None = None
    ) -> etree._Element:
        """Put an element that has its ids into its parent, last or at `place`."""
        parent.insert(len(parent) if place is None else place, element)
        found = _index(element, itself=True)
        self.ids.update(found)
        if self._holds(element):
            self._by_id.update(found)
        return element

    def remove(self, element: etree._Element) -> None:
        """Take an element out with all that is in it; their ids are free again."""
        parent = element.getparent()
        if parent is None:
            return
        gone, inside = _index(element, itself=True), self._holds(element)
        parent.remove(element)
        self.ids.difference_update(gone)
        for name in gone if inside else ():
            self._by_id.pop(name, None)

    def rename(self, element: etree._Element, desired: str) -> None:
        """Give an element another id, numbered where it is taken; empty: it keeps its own."""
        own = str(element.get("id"))
        if not desired or own == desired:
            return
        self.ids.discard(own)
        element.set("id", name := unused(desired, self.ids))
        self.ids.add(name)
        if self._by_id.pop(own, None) is not None:
            self._by_id[name] = element

    def _holds(self, element: etree._Element) -> bool:
        return self.resources in element.iterancestors()


def _index(root: etree._Element, *, itself: bool = False) -> dict[str, etree._Element]:
    """Return the elements of a tree by id, the first where there are two."""
    found: dict[str, etree._Element] = {}
    for element in root.iter() if itself else root.iterdescendants():
        if (name := element.get("id")) and element.tag not in _NAMING:
            found.setdefault(str(name), element)
    return found


def parse(text: str) -> Cib:
    """Return the CIB of `cibadmin -Q`, or of the configuration alone (`--scope configuration`).

    Raises:
        ValueError: this is no CIB; never taken for an empty one.
    """
    root = xml_answers.parse(text, blanks=False)
    if root.tag == "configuration":
        whole = etree.Element("cib")
        whole.append(root)
        root = whole
    sections = [root.find(f"configuration/{name}") for name in ("resources", "constraints")]
    if root.tag != "cib" or any(section is None for section in sections):
        raise ValueError(f"not a CIB with resources and constraints: <{root.tag}>")
    found = Cib(root)
    if not all(0 <= number < _NO_VERSION for number in found.version):  # or they are no numbers
        raise ValueError("its version is none")
    return found


def parse_names(text: str) -> dict[str, str]:
    """Return node id -> the name that Pacemaker uses, of the cluster's own nodes.

    Remote and guest nodes have no id of corosync. Only the beginning of the CIB is read: the nodes
    come before what is large.

    Raises:
        ValueError: this is no CIB.
    """
    nodes = xml_answers.first(text, "nodes")
    found = {
        node.get("id", ""): node.get("uname", "")
        for node in (() if nodes is None else nodes)
        if node.tag == "node" and node.get("type", "member") in {"member", "normal"}
    }
    if wrong := next((name for name in found.values() if not name.isprintable()), None):
        raise ValueError(f"a name that cannot be one: {wrong[:40]!r}")
    return found


def agent_of(element: etree._Element) -> str:
    """Return a primitive's agent as pcs writes it; empty when it has none of its own."""
    return ":".join(filter(None, (element.get(key) for key in ("class", "provider", "type"))))


def named_by(constraint: etree._Element) -> Iterator[str]:
    """Return the resources that a constraint names, resource sets included."""
    yield from filter(None, (constraint.get(key) for key in _REFERENCES))
    yield from filter(None, (ref.get("id") for ref in constraint.iter("resource_ref")))


def plain_set(element: etree._Element, kind: str) -> etree._Element | None:
    """Return the set of name-value pairs that holds always: the first one without a rule.

    One that is empty counts only where there is no other.

    Sets with rules and further sets are the operator's own; nothing of ours reads or writes them.
    """
    plain = [nvset for nvset in element.iterchildren(kind) if _is_plain(nvset)]
    return next((s for s in plain if len(s)), plain[0] if plain else None)


def _is_plain(nvset: etree._Element) -> bool:
    """Whether a set has values of its own, and no rule."""
    return nvset.get("id-ref") is None and not any(
        child.tag == "rule" or (child.tag == "nvpair" and child.get("id-ref") is not None)
        for child in nvset
    )


def pairs(nvset: etree._Element | None) -> dict[str, str]:
    """Return what a set holds; nothing when there is no set.

    Of two pairs of one name Pacemaker takes the first one.
    """
    found: dict[str, str] = {}
    for pair in nvset.iterchildren("nvpair") if nvset is not None else ():
        found.setdefault(pair.get("name", ""), pair.get("value", ""))
    return found


EMPTY = parse("""<cib epoch="0" num_updates="0" admin_epoch="0"><configuration>
<crm_config/><nodes/><resources/><constraints/></configuration></cib>""")
"""What a cluster that is not there yet holds."""
