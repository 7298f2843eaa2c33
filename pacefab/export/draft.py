"""What an export is made of: where it reads, and what it has so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from pacefab.export.words import Sets
from pacefab.host.model import HostFacts
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.metadata import Metadata
from pacefab.pacemaker.model import Membership

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Source:
    """What is exported.

    Args:
        cib: the configuration.
        corosync: the text of corosync.conf; empty: it is not known.
        membership: the cluster's name and nodes with their addresses; None: not known.
        place: where the CIB came from, as comments say it.
        metadata: of agents, where nodes were asked: which operations they advise.
        plain: whether services are left in Pacemaker's terms.
        facts: the nodes that answered, by name, with what services need to have looked at there.
    """

    cib: Cib
    corosync: str = ""
    membership: Membership | None = None
    place: str = "cib.xml"
    metadata: Mapping[str, Metadata] = field(default_factory=dict)
    plain: bool = False
    facts: Mapping[str, HostFacts] = field(default_factory=dict)


@dataclass(frozen=True)
class NotSaid:
    """One part of the cluster that an inventory cannot say: what it is, and its XML."""

    what: str
    xml: str
    why: str = "the inventory has no words for it"

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass
class ExportDraft:
    """An inventory as plain data; `places`: the comment on each part, by its path.

    `values` are those of secrets by the names that stand in their place; they go nowhere.
    `sets` writes further sets. `taken` is what another section says: properties, resources,
    constraints; `services` are the resources of services among it. `reasons` say of primitives why
    they are no service's or node's. `secrets` are those that services need besides.
    """

    sets: Sets
    values: dict[str, str] = field(repr=False)
    data: dict[str, Any] = field(default_factory=dict)
    places: dict[Path, str] = field(default_factory=dict)
    unsaid: list[NotSaid] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    services: set[str] = field(default_factory=set)
    reasons: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    _origins: dict[int, tuple[Any, etree._Element]] = field(default_factory=dict)

    def came_from(self, entry: Any, element: etree._Element) -> None:
        """Note the element that an entry of the data says."""
        self._origins[id(entry)] = (entry, element)

    def xml_of(self, entry: Any) -> str:
        """Return the element that an entry said; its own text where it came from none."""
        _, element = self._origins.get(id(entry), (entry, None))
        if element is None:
            return str(entry)
        return etree.tostring(element, encoding="unicode", with_tail=False)

    def moved_up(self, path: Path) -> None:
        """Give comments to the entries that moved up in a list from which one was taken out."""
        *above, place = path
        if not isinstance(place, int):
            return
        places = {}
        for each, text in self.places.items():
            number = each[len(above)] if each[: len(above)] == tuple(above) != each else None
            if isinstance(number, int) and number > place:
                places[*above, number - 1, *each[len(path) :]] = text
            elif number != place:
                places[each] = text
        self.places = places

    def leave(self, element: etree._Element, why: str = "") -> None:
        """Name an element that the inventory does not get."""
        xml = etree.tostring(element, encoding="unicode", with_tail=False)
        what = " ".join(filter(None, (str(element.tag), element.get("id"))))
        self.unsaid.append(NotSaid(what, xml, why) if why else NotSaid(what, xml))

    def say(self, what: str, text: str, why: str) -> None:
        """Name a part that is no element of its own."""
        self.unsaid.append(NotSaid(what, text, why))


Section = Callable[[Source, ExportDraft], None]
"""What writes one part of the inventory's data, and names with `leave` what has no place there."""


def made(items: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping without what is empty: the inventory's own defaults."""
    return {key: value for key, value in items.items() if value not in ({}, [], (), "", None)}


def bare(cib: Cib) -> Cib:
    """Return a CIB with the nodes and the state of this one, and nothing configured."""
    root = etree.Element("cib", {str(k): str(v) for k, v in cib.root.items()})
    configuration = etree.SubElement(root, "configuration")
    etree.SubElement(configuration, "crm_config")
    nodes = etree.SubElement(configuration, "nodes")
    for node in cib.root.iterfind("configuration/nodes/node"):
        etree.SubElement(nodes, "node", {str(k): str(v) for k, v in node.items()})
    etree.SubElement(configuration, "resources")
    etree.SubElement(configuration, "constraints")
    return Cib(root)
