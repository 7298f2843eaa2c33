"""What was seen during a drill, by Pacemaker and by clients. Pure: no clock, no connection.

Times are seconds of the monotonic clock of the machine that fab runs on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pacefab.drill.boots import Boots
from pacefab.drill.faults import Fault
from pacefab.drill.recording import Recording
from pacefab.pacemaker.nouns.status import ClusterStatus, FailedAction, Instance


@dataclass(frozen=True)
class Window:
    """What the load did in one short time that ended at `at`.

    `worst` and `median` are seconds of an operation, `gap` those without any that was acknowledged.
    """

    at: float
    hit: int = 0
    miss: int = 0
    stored: int = 0
    unanswered: int = 0  # a set that was given up without an exception
    error: int = 0  # an exception that reached the application
    worst: float = 0.0
    median: float = 0.0
    gap: float = 0.0

    @property
    def operations(self) -> int:
        """How many calls came back."""
        return self.hit + self.miss + self.stored + self.unanswered + self.error


@dataclass(frozen=True)
class Sample:
    """The cluster at one moment, as another node than the victim saw it.

    `roles` are (node, role) of each resource's instances; `serving` are the nodes whose instance of
    the service answered us; `vips` maps each VIP's resource to its node, empty while none has it.
    """

    at: float
    nodes: Mapping[str, str]
    roles: Mapping[str, frozenset[tuple[str, str]]]
    failures: frozenset[str]
    serving: frozenset[str]
    vips: Mapping[str, str]
    pending: bool = False  # something is being started, stopped, …

    @property
    def believed(self) -> tuple[object, ...]:
        """What Pacemaker believes, the service's own answers left aside."""
        return self.nodes, self.roles, self.failures

    @property
    def shape(self) -> tuple[object, ...]:
        """How much of everything runs, wherever it does."""
        counts = {name: sorted(role for _, role in roles) for name, roles in self.roles.items()}
        return self.nodes, counts, self.serving, sorted(map(bool, self.vips.values()))


@dataclass(frozen=True)
class WatchedVip:
    """A virtual address: the id of its resource, and whether it can be asked for."""

    resource: str
    address: str


def take_sample(
    at: float,
    status: ClusterStatus,
    vips: Mapping[str, bool],
    serving: frozenset[str],
) -> Sample:
    """Return the sample of what was seen at one moment.

    Args:
        at: when.
        status: what crm_mon reported.
        vips: resource of each VIP -> whether it answers (where it never did: True).
        serving: the nodes whose instance answered.
    """
    roles: dict[str, set[tuple[str, str]]] = {}
    for instance in _instances(status):
        found = roles.setdefault(instance.id.partition(":")[0], set())
        found |= {(node, _role(instance)) for node in instance.nodes if not instance.orphaned}
    return Sample(
        at=at,
        nodes={node.name: node.word for node in status.nodes},
        roles={name: frozenset(found) for name, found in roles.items()},
        failures=frozenset(map(_failure, status.failures)),
        serving=serving,
        vips={name: _holder(roles.get(name, set())) if up else "" for name, up in vips.items()},
        pending=any(instance.pending for instance in _instances(status)),
    )  # fmt: skip


def _instances(status: ClusterStatus) -> Iterator[Instance]:
    for item in status.resources:
        yield from (item,) if isinstance(item, Instance) else item.instances


def _failure(failure: FailedAction) -> str:
    return f"{failure.operation} of {failure.resource} failed on {failure.node}"


def _role(instance: Instance) -> str:
    return instance.pending or ("failed" if instance.failed else instance.role)


def _holder(roles: set[tuple[str, str]]) -> str:
    return next((node for node, role in sorted(roles) if role == "Started"), "")


@dataclass(frozen=True)
class Event:
    """Something that happened, in a few words."""

    at: float
    text: str


def changes(before: Sample, after: Sample) -> list[Event]:
    """Return what is different between two samples, an event each."""
    texts = [
        f"{node} is {word}" for node, word in after.nodes.items() if before.nodes.get(node) != word
    ]
    texts += sorted(after.failures - before.failures)
    vips = set(after.vips)
    for name, now in after.roles.items():
        if name not in vips:
            texts += _moves(name, before.roles.get(name, frozenset()), now)
    texts += [f"{node} no longer answers" for node in sorted(before.serving - after.serving)]
    texts += [f"{node} answers again" for node in sorted(after.serving - before.serving)]
    for name, node in after.vips.items():
        if before.vips.get(name) != node:
            texts.append(f"{name} is on {node}" if node else f"{name} is away")
    return [Event(after.at, text) for text in texts]


def _moves(
    name: str, before: frozenset[tuple[str, str]], now: frozenset[tuple[str, str]]
) -> list[str]:
    gone = {node for node, _ in before} - {node for node, _ in now}
    stopped = [f"{name} is stopped on {node}" for node in sorted(gone)]
    return stopped + [f"{name} is {role} on {node}" for node, role in sorted(now - before)]


@dataclass(frozen=True)
class Trace:
    """One drill as it was seen, from some seconds before the failure to some after recovery.

    `undone` is when we began to undo it. `samples` begin before the failure. `kept` says whether
    all that was acknowledged has to be there. `fencing` says whether the cluster fences; `boots`
    and `recordings` are what the nodes themselves said afterwards.
    """

    fault: Fault
    node: str
    begun: str  # wall clock, ISO 8601
    caused: float
    undone: float
    samples: tuple[Sample, ...]
    windows: tuple[Window, ...]
    stored: int  # acknowledged, of a cache that was marked before
    lost: int  # of them after
    redelivered: int | None = None  # came again; None: nothing is delivered
    kept: bool = False
    fencing: bool = False
    boots: Boots = field(default_factory=lambda: Boots({}, {}))
    recordings: tuple[Recording, ...] = ()

    @property
    def by_fencing(self) -> bool:
        """Whether the failure ended with a node's power being cut."""
        return self.fencing and self.fault.fenced and bool(self.boots.gone)
