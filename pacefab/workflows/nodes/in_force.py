"""Settings that are written and not in force yet: known, and said in one place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pacefab.host.model import HostFacts
from pacefab.services import registry
from pacefab.services.service import AtStart, DesiredNode

_SECONDS = 1  # a program that started so soon after a file was written has read it

_RELOADED = frozenset({"haproxy"})


@dataclass(frozen=True)
class PendingSetting:
    """A service of a node runs with other settings than those that are written there.

    `what` says how they differ, short: "64 MiB, not 128 MiB".
    """

    service: str
    what: str


@dataclass(frozen=True)
class SharedPending:
    """The same setting, pending on `nodes`."""

    service: str
    what: str
    nodes: tuple[str, ...]

    @property
    def needs_update(self) -> bool:
        """Whether update-NAME is what puts it in force."""
        return self.service in registry.names() and self.service not in _RELOADED

    @property
    def in_force_after(self) -> str:
        """What puts it in force, as an operator types or does it."""
        if self.service in _RELOADED:
            return f"systemctl reload {self.service}"
        if self.needs_update:
            return f"fab update-{self.service}"
        return f"a restart of {self.service}, node by node"

    def __str__(self) -> str:
        where = ", ".join(self.nodes)
        return f"in force after: {self.in_force_after} ({where}: {self.what})"


def share(pending: Mapping[str, Iterable[PendingSetting]]) -> tuple[SharedPending, ...]:
    """Return what is pending, by node, with what is the same on several nodes once."""
    where: dict[PendingSetting, list[str]] = {}
    for node, settings in pending.items():
        for setting in dict.fromkeys(settings):
            where.setdefault(setting, []).append(node)
    return tuple(SharedPending(s.service, s.what, tuple(nodes)) for s, nodes in where.items())


def find_pending(
    facts: HostFacts, desired: DesiredNode, changing: Iterable[str] = ()
) -> tuple[PendingSetting, ...]:
    """Return what is not in force on a node; `changing` are files that are about to be written."""
    processes = [
        PendingSetting(
            process.unit.removesuffix(".service"), process.difference or process.settings
        )
        for process in desired.processes
        if not process.as_desired and facts.unit(process.unit).running
    ]
    paths = set(changing)
    older = (_older(facts, item, paths) for item in desired.at_start)
    return (*processes, *(pending for pending in older if pending))


def _older(facts: HostFacts, item: AtStart, changing: set[str]) -> PendingSetting | None:
    started = [facts.started[name] for name in item.programs if name in facts.started]
    if not started:
        return None
    for path in item.files:
        due = path in changing and not item.reloaded
        if due or facts.written.get(path, 0) > min(started) + _SECONDS:
            return PendingSetting(item.service, f"older than {path}")
    return None
