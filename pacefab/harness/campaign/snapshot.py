"""What a cluster is, as its nodes say by their own programs. Pure: text of a node -> values.

The product is not asked: files below /etc by their digests, packages, the CIB of each node by its
own copy, units, and what a run may have left behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

_SECTION: Final = "== "
_VOLATILE: Final = {"last-lrm-refresh", "dc-version", "cluster-infrastructure", "have-watchdog"}
_LISTS: Final = {"pacefab-owned"}
"""Values that are words in any order."""
_ORDERED: Final = {"group", "resource_set"}
"""Elements whose children mean something by their order."""


@dataclass(frozen=True)
class NodeSnapshot:
    """One node: its parts of the state, and what should not be there.

    Args:
        files: digest, mode and owner of each file; the target of a link.
        packages: a line each.
        cib: the configuration of the node's own CIB, a line for each element.
        units: a line for each unit of the services: active or not, Pacemaker's drop-in or not.
        begun: ids of changes that its history calls begun.
        leftovers: what a run left behind, in words.
    """

    files: Mapping[str, str]
    packages: tuple[str, ...] = ()
    cib: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()


Snapshot = Mapping[str, NodeSnapshot]
"""What each node that could be asked is, by its name."""


def parse(text: str) -> NodeSnapshot:
    """Return what a node printed for the look; a CIB that could not be read is empty."""
    sections = dict(_sections(text))

    def lines(name: str) -> tuple[str, ...]:
        return tuple(sections.get(name, "").splitlines())

    files = dict(line.split(" ", 1)[::-1] for line in lines("files") if " " in line)
    return NodeSnapshot(
        files=files,
        packages=tuple(sorted(lines("packages"))),
        cib=cib_lines(sections.get("cib", "")),
        units=lines("units"),
        begun=lines("begun"),
        leftovers=tuple(sorted(set(lines("leftovers")))),
    )


def _sections(text: str) -> Iterator[tuple[str, str]]:
    for part in f"\n{text}".split(f"\n{_SECTION}")[1:]:
        name, _, rest = part.partition("\n")
        yield name, rest


def cib_lines(text: str) -> tuple[str, ...]:
    """Return the configuration of a CIB, a line for each element; the order of siblings is free.

    Left out is what Pacemaker notes there by itself.
    """
    if not text.strip():
        return ()
    try:
        root = ET.fromstring(text)  # noqa: S314  (of a node of the harness)
    except ET.ParseError as error:
        return (f"it cannot be read: {error}",)
    found = root.find("configuration")
    return () if found is None else tuple(sorted(_elements(found, "")))


def _elements(element: ET.Element, path: str) -> Iterator[str]:
    for number, child in enumerate(element):
        if child.get("name") in _VOLATILE:
            continue
        place = f"{number}:" if element.tag in _ORDERED else ""
        here = f"{path}/{place}{child.tag}#{child.get('id', '')}".removesuffix("#")
        words = dict(child.attrib)
        if child.get("name") in _LISTS:
            words["value"] = " ".join(sorted(words.get("value", "").split()))
        said = " ".join(f"{k}={v}" for k, v in sorted(words.items()) if k != "id")
        yield f"{here} {said}".strip()
        yield from _elements(child, here)
