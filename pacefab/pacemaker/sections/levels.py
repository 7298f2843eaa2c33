"""Fencing levels: which devices fence a node, and which after those have failed. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lxml import etree

from pacefab.pacemaker.cib import CibDraft
from pacefab.pacemaker.elements import add
from pacefab.pacemaker.model import SectionObject

_KNOWN = {
    "id", "index", "devices", "target", "target-pattern", "target-attribute", "target-value",
}  # fmt: skip
_CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "digit": "0-9", "lower": "a-z", "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}  # fmt: skip


@dataclass(frozen=True)
class FencingLevel(SectionObject):
    """What fences nodes at level `index`: every one of `devices`, in this order.

    The nodes are one by its name (`target`), those whose names match `pattern`, or those that have
    `value` as node attribute `attribute`.
    """

    index: str
    devices: tuple[str, ...]
    target: str = ""
    pattern: str = ""
    attribute: str = ""
    value: str = ""

    @property
    def nodes(self) -> str:
        """The nodes as an operator says them: c1, names like c.*, rack=a."""
        if self.attribute:
            return f"{self.attribute}={self.value}"
        return f"names like {self.pattern}" if self.pattern else self.target

    @property
    def is_read(self) -> bool:
        """Whether it can be said which nodes it covers: its pattern, if any, is understood."""
        return not self.pattern or self._expression is not None

    @property
    def _expression(self) -> re.Pattern[str] | None:
        """The pattern, an extended expression of POSIX, as one of Python's."""
        text = self.pattern.replace(r"\d", "d")
        for name, members in _CLASSES.items():
            text = text.replace(f"[:{name}:]", members)
        try:
            return None if "[:" in text or "[[" in text else re.compile(text)
        except re.error:
            return None

    def covers(self, node: str, attributes: Mapping[str, str]) -> bool:
        """Whether it is a level of a node with these attributes.

        A name is taken in either case, a pattern as it is (topology_matches of daemons/fenced). One
        that is of Pacemaker's dialect alone covers no node.
        """
        if self.target:
            return node.casefold() == self.target.casefold()
        if self.pattern:
            expression = self._expression
            return bool(expression and expression.search(node))
        return attributes.get(self.attribute) == self.value


def read(element: etree._Element, _: Collection[str] = ()) -> FencingLevel | None:
    """Return a level; None for one that is not of Pacemaker's schema."""
    if not set(element.keys()) <= _KNOWN or len(element):
        return None
    return FencingLevel(
        element.get("index", ""),
        tuple(element.get("devices", "").split(",")),
        element.get("target", ""),
        element.get("target-pattern", ""),
        element.get("target-attribute", ""),
        element.get("target-value", ""),
        id=element.get("id", ""),
    )


def write(cib: CibDraft, section: etree._Element, level: FencingLevel) -> etree._Element:
    """Append a level, with the attributes in the order in which pcs writes them."""
    element = add(
        cib, section, "fencing-level", level.id or default_id(level),
        index=level.index, devices=",".join(level.devices),
        target=level.target, target_pattern=level.pattern,
    )  # fmt: skip
    if level.attribute:
        element.set("target-attribute", level.attribute)
        element.set("target-value", level.value)
    return element


def default_id(level: FencingLevel) -> str:
    """Return the id that pcs gives a level."""
    return f"fl-{level.target or level.pattern or level.attribute}-{level.index}"


def identity(level: FencingLevel) -> str:
    """Return what two levels have in common of which one takes the other's place."""
    return f"{level.nodes} {level.index}"


def meaning(level: FencingLevel) -> Mapping[str, str]:
    """Return what a level says, its id aside."""
    return {"nodes": level.nodes, "level": level.index, "devices": " ".join(level.devices)}


def pcs_lines(level: FencingLevel, *, remove: bool) -> list[list[str]]:
    """Return the line with which pcs adds or removes it."""
    nodes = f"regexp%{level.pattern}" if level.pattern else level.target
    if level.attribute:
        nodes = f"attrib%{level.attribute}={level.value}"
    words = ["pcs", "stonith", "level", "remove" if remove else "add", level.index]
    if remove:  # pcs takes the nodes as an option there
        return [[*words, "target", nodes, "stonith", *level.devices]]
    return [[*words, nodes, *level.devices]]
