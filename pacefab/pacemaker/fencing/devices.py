"""Fence devices by their parameters: whom they fence, and by which name. Pure.

What the parameters mean is pacemaker-fenced(7) and Pacemaker's own reader of them
(build_port_aliases and parse_host_line of daemons/fenced).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from pacefab.pacemaker.model import Configuration, Primitive, primitives

FENCE = "stonith:"
# These have one board each, whatever outlet they are asked for.
_BOARDS = frozenset(
    f"fence_{name}"
    for name in ("idrac", "ilo3", "ilo4", "ilo5", "imm", "ipmilan", "ipmilanplus", "redfish")
)
_ENTRY = re.compile(r"(?:\\.|[^;\s])+")
_NAME = re.compile(r"((?:\\.|[^:=])+)[:=](.*)")
_ESCAPED = re.compile(r"\\(.)")
_ADDRESS = (("ip", "ipaddr"), ("ipport",))


@dataclass(frozen=True)
class FenceDevice:
    """One device; `members` of a group or clone are devices too."""

    primitive: Primitive
    pairs: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())  # of pcmk_host_map

    @property
    def id(self) -> str:
        """What the CIB calls it."""
        return self.primitive.id

    @property
    def agent(self) -> str:
        """Its agent: fence_ipmilan."""
        return self.primitive.agent.removeprefix(FENCE)

    def parameter(self, *names: str, default: str = "") -> str:
        """Return a parameter by the first of its names that is given."""
        given = self.primitive.parameters
        return next((given[name] for name in names if name in given), default)

    @property
    def disabled(self) -> bool:
        """Whether Pacemaker does not use it, as it is not to run."""
        return self.primitive.meta.get("target-role", "").capitalize() == "Stopped"

    @property
    def is_board(self) -> bool:
        """Whether it is the management board of one machine."""
        return self.agent in _BOARDS

    @property
    def address(self) -> tuple[str, ...]:
        """Where the board is: two devices of one address reach the same one; empty: unknown."""
        found = tuple(self.parameter(*names) for names in _ADDRESS)
        return found if found[0] else ()

    @cached_property
    def listed(self) -> tuple[str, ...]:
        """The nodes of pcmk_host_list."""
        return tuple(filter(None, re.split(r"[\s,;]+", self.parameter("pcmk_host_list"))))

    @cached_property
    def targets(self) -> Mapping[str, tuple[str, ...]] | None:
        """The nodes that it says it fences, with their outlets; None: it is asked, or fences all.

        A node without an outlet is called by its own name.
        """
        check = self.parameter("pcmk_host_check")
        if check not in {"", "static-list"} or not (self.listed or self.pairs):
            return None
        return {**{node: (node,) for node in self.listed}, **dict(self.pairs)}

    def fences(self, node: str) -> bool:
        """Whether it fences a node, as far as its parameters say; Pacemaker takes either case."""
        return self.targets is None or node.casefold() in {n.casefold() for n in self.targets}


def read_map(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield node and outlets of each entry of a pcmk_host_map ("c1:1;c2:2,3"), in its order."""
    for entry in _ENTRY.findall(text):
        if found := _NAME.fullmatch(entry):
            outlets = (_ESCAPED.sub(r"\1", outlet) for outlet in found[2].split(","))
            yield _ESCAPED.sub(r"\1", found[1]), tuple(filter(None, outlets))


def read_devices(configuration: Configuration) -> tuple[FenceDevice, ...]:
    """Return every fence device of a configuration, those in groups and clones too."""
    every = chain.from_iterable(map(primitives, configuration.resources))
    return tuple(
        FenceDevice(one, tuple(read_map(one.parameters.get("pcmk_host_map", ""))))
        for one in every
        if one.agent.startswith(FENCE)
    )
