"""Pacemaker's word for what should run where: the nouns of it, frozen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

_NAMES = 3  # resources that a sentence names


@dataclass(frozen=True)
class Cause:
    """Why Pacemaker does not run something somewhere, or does not keep it running.

    `deliberate`: an operator has set it so; else something is wrong. `named` says that other words
    of Pacemaker's (a failed action, a node that is offline) name it already. `resource` and `node`
    are empty where it is about all. `shared` is what is so of other resources likewise: a sentence
    that begins with their names, and its way out.
    """

    said: str  # "c3 is in standby, its services are not asked"
    way_out: str  # a command, or where to look
    deliberate: bool = True
    named: bool = False
    away: bool = False  # the node itself is not there
    waits: bool = False  # it may pass by itself, once something else is there
    halts: bool = False  # Pacemaker does nothing at all, whatever is configured
    resource: str = ""
    node: str = ""
    shared: str = ""

    def __str__(self) -> str:
        return f"{self.said}: {self.way_out}"


def sentences(causes: Iterable[Cause]) -> list[str]:
    """Return what causes say, each once; what is so of several resources is one sentence."""
    every = tuple(causes)
    alike: dict[str, dict[str, None]] = {}
    for cause in every:
        alike.setdefault(cause.shared, {})[cause.resource] = None
    said = (
        f"{_listed(tuple(alike[cause.shared]))} {cause.shared}"
        if cause.shared and len(alike[cause.shared]) > 1
        else str(cause)
        for cause in every
    )
    return list(dict.fromkeys(said))


def _listed(names: tuple[str, ...]) -> str:
    """Return names as a line holds them: of many the first few, and how many more there are."""
    if len(names) <= _NAMES + 1:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{', '.join(names[:_NAMES])} and {len(names) - _NAMES} more"


@dataclass(frozen=True)
class Placement:
    """Pacemaker's word for what is to run where: a simulation of what it would do, to the end.

    Args:
        running: by primitive: the nodes where it would run then.
        unmanaged: of these, the nodes where Pacemaker neither stops it nor starts it again.
        against: by primitive: why Pacemaker does not keep it running on each other node, and on
            those where it is unmanaged; of one that is no clone, once it would run nowhere.
        causes: all of it, each once, and what is set although it keeps nothing from running.
        unpromoted: by promotable primitive: for what its agent waits that does not come by itself
            before it lets one instance be promoted.
        beside: the primitives that were placed on remote nodes, and are waited for there too.
    """

    running: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unmanaged: Mapping[str, frozenset[str]] = field(default_factory=dict)
    against: Mapping[str, Mapping[str, Cause]] = field(default_factory=dict)
    causes: tuple[Cause, ...] = ()
    unpromoted: Mapping[str, Cause] = field(default_factory=dict)
    beside: frozenset[str] = frozenset()

    def kept(self, primitive: str) -> frozenset[str]:
        """Return the nodes where Pacemaker starts a primitive and keeps it running."""
        running = self.running.get(primitive, frozenset())
        return running - self.unmanaged.get(primitive, frozenset())

    @property
    def placed(self) -> dict[str, frozenset[str]]:
        """By primitive: the nodes where Pacemaker keeps it running."""
        return {primitive: self.kept(primitive) for primitive in self.running}

    @property
    def halted(self) -> Cause | None:
        """Why Pacemaker would do nothing at all, whatever were configured; None: it would."""
        return next((cause for cause in self.causes if cause.halts), None)

    def concerning(self, ids: Collection[str]) -> tuple[Cause, ...]:
        """Return the causes that are about one of these resources, or about all."""
        return tuple(c for c in self.causes if not c.resource or c.resource in ids)

    def waits_for(self, primitive: str, nodes: Collection[str]) -> bool:
        """Whether a primitive runs nowhere for no other reason than that these nodes are away."""
        against = self.against.get(primitive, {})
        accidents = {node for node, cause in against.items() if not cause.deliberate}
        away = {node for node in accidents if against[node].away}
        return not self.running.get(primitive) and bool(away & set(nodes)) and accidents == away

    def deliberate(self, primitive: str, node: str) -> bool:
        """Whether a primitive is kept from a node, or unmanaged there, because it was set so."""
        return self.chosen(primitive, node) is not None

    def chosen(self, primitive: str, node: str) -> Cause | None:
        """Return what an operator has set against a primitive on a node; None: nothing."""
        cause = self.against.get(primitive, {}).get(node)
        return cause if cause and cause.deliberate else None
