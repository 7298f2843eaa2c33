"""What holds in a CIB of names with values, as Pacemaker takes it from all sets. Pure.

Of several sets that one counts that has the higher score, and a resource's before its template's
(Pacemaker Explained, "Rules"; pe__unpack_dataset_nvpairs). Sets and values may be references to
others. What holds by a rule only is passed over: it may hold at another time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from lxml import etree

from pacefab.pacemaker.cib import OWNER, PROPERTIES, Cib
from pacefab.pacemaker.configuration import read_operation
from pacefab.pacemaker.model import Operation

_INFINITY = 1_000_000


class Effective:
    """The values of one CIB."""

    def __init__(self, cib: Cib) -> None:
        """Read nothing yet."""
        self._cib = cib

    def of(self, primitive: etree._Element, kind: str) -> dict[str, str]:
        """Return what a primitive has of a kind (instance_attributes, meta_attributes)."""
        found: dict[str, str] = {}
        for element in reversed(self._cib.sources(primitive)):
            found |= self._merged(element.iterchildren(kind))
        return found

    def properties(self) -> dict[str, str]:
        """Return the cluster's properties; those of the usual set come first."""
        every = list(self._cib.root.iterfind("configuration/crm_config/cluster_property_set"))
        usual = [one for one in every if one.get("id") == PROPERTIES]
        others = [one for one in every if one.get("id") not in {PROPERTIES, OWNER}]
        return self._merged(others) | self._merged(usual)

    def defaults(self, section: str) -> dict[str, str]:
        """Return what all resources (rsc_defaults) or operations (op_defaults) have."""
        found = self._cib.section(section)
        return {} if found is None else self._merged(found.iterchildren("meta_attributes"))

    def attributes(self) -> dict[str, dict[str, str]]:
        """Return the permanent attributes of each node."""
        nodes = self._cib.root.iterfind("configuration/nodes/node")
        return {
            n.get("uname", ""): self._merged(n.iterchildren("instance_attributes")) for n in nodes
        }

    def operations(self, primitive: etree._Element) -> tuple[Operation, ...]:
        """Return a primitive's operations, and those of its template that it has not itself."""
        found: dict[tuple[str, str], Operation] = {}
        for element in self._cib.sources(primitive):
            for operation in map(read_operation, element.iterfind("operations/op")):
                found.setdefault((operation.name, operation.interval), operation)
        return tuple(found.values())

    def _merged(self, sets: Iterable[etree._Element]) -> dict[str, str]:
        known = [self._resolved(one) for one in sets]
        always = [one for one in known if one is not None and one.find("rule") is None]
        found: dict[str, str] = {}
        for one in sorted(always, key=lambda one: -_score(one.get("score", "0"))):
            for name, value in self._pairs(one):
                found.setdefault(name, value)
        return found

    def _pairs(self, nvset: etree._Element) -> Iterator[tuple[str, str]]:
        for own in nvset.iterchildren("nvpair"):
            pair = self._resolved(own)
            if pair is not None:
                name = own.get("name") or pair.get("name", "")
                yield str(name), str(pair.get("value", ""))

    def _resolved(self, element: etree._Element) -> etree._Element | None:
        """Return an element, or the one that it refers to; None: there is no such one."""
        other = element.get("id-ref")
        return self._by_id.get(other) if other else element

    @cached_property
    def _by_id(self) -> dict[str, etree._Element]:
        every = self._cib.configuration.iter("nvpair", *_SETS)
        return {str(one.get("id")): one for one in every if one.get("id")}


_SETS = ("instance_attributes", "meta_attributes", "cluster_property_set")


def _score(text: str) -> float:
    if text.lstrip("+-").upper() == "INFINITY":
        return -_INFINITY if text.startswith("-") else _INFINITY
    return float(text) if text.lstrip("+-").isdigit() else 0
