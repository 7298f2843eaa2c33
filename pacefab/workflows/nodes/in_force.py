"""Settings that are written and not in force yet: known, and said in one place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from pacefab.host.model import HostFacts
from pacefab.pacemaker.ownership import Runner
from pacefab.services import registry
from pacefab.services.service import AtStart, DesiredNode

_SECONDS = 1  # a program that started so soon after a file was written has read it


@dataclass(frozen=True)
class PendingSetting:
    """A service of a node runs with other settings than those that are written there.

    `what` says how they differ, short: "64 MiB, not 128 MiB". `way` puts them in force; empty: what
    restarts the service.
    """

    service: str
    what: str
    way: str = ""


@dataclass(frozen=True)
class SharedPending:
    """The same setting, pending on `nodes`."""

    service: str
    what: str
    nodes: tuple[str, ...]
    way: str = ""

    @property
    def needs_update(self) -> bool:
        """Whether update-NAME is what puts it in force."""
        return not self.way and self.service in registry.names()

    @property
    def in_force_after(self) -> str:
        """What puts it in force, as an operator types or does it."""
        if self.needs_update:
            return f"fab update-{self.service}"
        return self.way or f"a restart of {self.service}, node by node"

    def __str__(self) -> str:
        where = ", ".join(self.nodes)
        return f"in force after: {self.in_force_after} ({where}: {self.what})"


def share(
    pending: Mapping[str, Iterable[PendingSetting]], ways: Mapping[str, str] = MappingProxyType({})
) -> tuple[SharedPending, ...]:
    """Return what is pending, by node, with what is the same on several nodes once.

    `ways` are what restarts services that update-NAME does not, by service (`other_ways`).
    """
    where: dict[PendingSetting, list[str]] = {}
    for node, settings in pending.items():
        for setting in dict.fromkeys(settings):
            where.setdefault(setting, []).append(node)
    return tuple(
        SharedPending(s.service, s.what, tuple(nodes), s.way or ways.get(s.service, ""))
        for s, nodes in where.items()
    )


def other_ways(sections: Mapping[str, Any], runners: Iterable[Runner]) -> dict[str, str]:
    """Return what restarts the services that another resource runs than the one of their name.

    Args:
        sections: settings by service.
        runners: the primitives of the cluster, and what they run.
    """
    found = {}
    for name, section in sections.items():
        service = registry.service(name)
        own = set(service.ids(section))
        others = [r for r in runners if r.agent in service.agents or r.units & set(service.units)]
        if others and not any({runner.id, runner.top} & own for runner in others):
            found[name] = f"pcs resource restart {others[0].top}"
    return found


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
    return (*processes, *(pending for pending in older if pending), *_outdated(facts, desired))


def _outdated(facts: HostFacts, desired: DesiredNode) -> Iterator[PendingSetting]:
    """Yield the units that run as systemd once read them, and whose files have changed since."""
    for name in (*desired.units, *desired.helpers):
        unit = facts.unit(name)
        if unit.running and unit.outdated:
            short, way = name.removesuffix(".service"), "systemctl daemon-reload, then a restart"
            yield PendingSetting(short, f"{name} changed on disk", way)


def _older(facts: HostFacts, item: AtStart, changing: set[str]) -> PendingSetting | None:
    started = [facts.started[name] for name in item.programs if name in facts.started]
    if not started:
        return None
    for path in item.files:
        due = path in changing and not item.reloaded
        if due or facts.written.get(path, 0) > min(started) + _SECONDS:
            way = f"systemctl reload {item.service}" if item.reloaded else ""
            return PendingSetting(item.service, f"older than {path}", way)
    return None


def find_overruled(facts: HostFacts, desired: DesiredNode) -> tuple[str, ...]:
    """Return the settings of the kernel that the next boot makes others than desired.

    A file of sysctl.d that comes after ours has the last word then.
    """
    own = [PurePosixPath(file.path) for file in desired.files if "/sysctl.d/" in file.path]
    found = []
    for name, value in desired.kernel.items():
        boot = facts.at_boot.get(name)
        if boot is None or boot.value == value or not own:
            continue
        last = PurePosixPath(boot.path)
        if last not in own and last.name > min(path.name for path in own):
            found.append(f"{name} is {boot.value} after the next boot, by {boot.path}: correct it")
    return tuple(found)
