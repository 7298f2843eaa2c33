"""Fence devices by their parameters: whom they fence, and by which name. Pure.

What the parameters mean is pacemaker-fenced(7) and Pacemaker's own reader of them
(build_port_aliases, parse_host_line and target_list_type of daemons/fenced).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address

from pacefab.pacemaker.model import Configuration, GroupClone, Primitive, Resource, primitives

FENCE = "stonith:"
WATCHDOG = "watchdog"
"""What Pacemaker calls the device that nodes with SBD are fenced by without any other."""
# These have one board each, whatever outlet they are asked for.
_BOARDS = frozenset(
    f"fence_{name}"
    for name in ("idrac", "ilo3", "ilo4", "ilo5", "imm", "ipmilan", "ipmilanplus", "redfish")
)
# These look, and switch nothing.
_LOOKS_ONLY = frozenset({"fence_dummy", "fence_heuristics_ping", "fence_kdump"})
_BY_ITSELF = "fence_watchdog"
_ENTRY = re.compile(r"(?:\\.|[^;\s])+")
_NAME = re.compile(r"((?:\\.|[^:=])+)[:=](.*)")
_SECOND = re.compile(r"(?<!\\)[:=]")
_ESCAPED = re.compile(r"\\(.)")
_ADDRESS = (("ip", "ipaddr"), ("ipport",))


@dataclass(frozen=True)
class FenceDevice:
    """One device; `members` of a group or clone are devices too.

    Args:
        primitive: as it is configured.
        pairs: of pcmk_host_map.
        within: the ids of the group and the clone that it is in.
        stopped: whether one of those is not to run.
    """

    primitive: Primitive
    pairs: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())
    within: tuple[str, ...] = ()
    stopped: bool = False

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
        return self.stopped or _is_stopped(self.primitive.meta)

    @property
    def is_board(self) -> bool:
        """Whether it is the management board of one machine."""
        return self.agent in _BOARDS

    @property
    def switches(self) -> bool:
        """Whether it puts a node out of action, and does not only look or wait."""
        return self.agent not in _LOOKS_ONLY

    @property
    def is_watchdog(self) -> bool:
        """Whether a node is fenced by its own watchdog, which no other node has to reach."""
        return self.agent == _BY_ITSELF

    @property
    def address(self) -> tuple[str, ...]:
        """Where the board is: two devices of one address reach the same one; empty: unknown.

        An IPv6 address is in its one short form, however it is written.
        """
        host, port = (self.parameter(*names) for names in _ADDRESS)
        return (_plain(host), port) if host else ()

    @property
    def where(self) -> str:
        """The address as one reads it, with its port; empty: unknown."""
        host, port = self.address or ("", "")
        shown = f"[{host}]" if port and ":" in host else host
        return ":".join(filter(None, (shown, port)))

    @cached_property
    def listed(self) -> tuple[str, ...]:
        """The nodes of pcmk_host_list."""
        return tuple(filter(None, re.split(r"[\s,;]+", self.parameter("pcmk_host_list"))))

    @property
    def host_check(self) -> str:
        """How Pacemaker finds out whom it fences, as pcmk_host_check says; empty: by the rest."""
        return self.parameter("pcmk_host_check")

    @cached_property
    def targets(self) -> Mapping[str, tuple[str, ...]] | None:
        """The nodes that it says it fences, with their outlets; None: it is asked, or fences all.

        A node without an outlet is called by its own name.
        """
        if self.host_check == "static-list" and not (self.listed or self.pairs):
            return {}
        if self.host_check not in {"", "static-list"} or not (self.listed or self.pairs):
            return None
        return {**{node: (node,) for node in self.listed}, **dict(self.pairs)}

    def fences(self, node: str) -> bool:
        """Whether it fences a node, as far as its parameters say; Pacemaker takes either case."""
        return self.targets is None or node.casefold() in {n.casefold() for n in self.targets}


IMPLIED_WATCHDOG = FenceDevice(Primitive(WATCHDOG, f"{FENCE}{_BY_ITSELF}"))
"""The device that Pacemaker has of itself where SBD runs and `stonith-watchdog-timeout` is set."""


def read_map(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield node and outlets of each entry of a pcmk_host_map ("c1:1;c2:2,3"), in its order."""
    for entry in _ENTRY.findall(text):
        if found := _NAME.fullmatch(entry):
            outlets = (_ESCAPED.sub(r"\1", outlet) for outlet in found[2].split(","))
            yield _ESCAPED.sub(r"\1", found[1]), tuple(filter(None, outlets))


def malformed(text: str) -> Iterator[tuple[str, str]]:
    """Yield the entries of a pcmk_host_map that Pacemaker passes over or misreads, and why."""
    for entry in _ENTRY.findall(text):
        found = _NAME.fullmatch(entry)
        if found is None:
            yield entry, "write NODE:OUTLET, without a space behind the colon"
        elif _SECOND.search(found[2]):
            yield entry, r"write ; between nodes, and \: for a colon of an outlet's own name"
    if "\n" in text:
        yield " ".join(text.split()), "write ; between nodes: a line end separates nothing"


def read_devices(configuration: Configuration) -> tuple[FenceDevice, ...]:
    """Return every fence device of a configuration, those in groups and clones too."""
    return tuple(
        FenceDevice(
            one,
            tuple(read_map(one.parameters.get("pcmk_host_map", ""))),
            tuple(_around(resource)) if resource is not one else (),
            resource is not one and _is_stopped(resource.meta),
        )
        for resource in configuration.resources
        for one in primitives(resource)
        if one.agent.startswith(FENCE)
    )


def _around(resource: Resource) -> Iterator[str]:
    yield resource.id
    if isinstance(resource, GroupClone):
        yield resource.group.id


def _plain(host: str) -> str:
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:  # a name
        return host.casefold()


def _is_stopped(meta: Mapping[str, str]) -> bool:
    return meta.get("target-role", "").capitalize() == "Stopped"
