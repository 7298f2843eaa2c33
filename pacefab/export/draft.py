"""What an export is made of: where it reads, and what it has so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from pacefab.pacemaker.cib import Cib

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Source:
    """What is exported.

    Args:
        cib: the configuration.
        corosync: the text of corosync.conf; empty: it is not known.
        place: where the CIB came from, as comments say it.
        plain: whether services are left in Pacemaker's terms.
    """

    cib: Cib
    corosync: str = ""
    place: str = "cib.xml"
    plain: bool = False


@dataclass(frozen=True)
class Unsaid:
    """One part of the cluster that an inventory cannot say: what it is, and its XML."""

    what: str
    xml: str
    why: str = "the inventory has no words for it"

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass
class Draft:
    """An inventory as plain data; `places`: the comment on each part, by its path.

    `secrets` are the names of the secrets that it refers to; their values are nowhere.
    """

    data: dict[str, Any] = field(default_factory=dict)
    places: dict[Path, str] = field(default_factory=dict)
    unsaid: list[Unsaid] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)  # name -> RESOURCE PARAMETER

    def leave(self, element: etree._Element, why: str = "") -> None:
        """Name an element that the inventory does not get."""
        xml = etree.tostring(element, encoding="unicode", with_tail=False)
        what = " ".join(filter(None, (str(element.tag), element.get("id"))))
        self.unsaid.append(Unsaid(what, xml, why) if why else Unsaid(what, xml))


Section = Callable[[Source, Draft], None]
"""What writes one part of the inventory's data, and names with `leave` what has no place there."""


def made(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return a mapping without what is empty: the inventory's own defaults."""
    return {key: value for key, value in items if value not in ({}, [], (), "", None)}
