"""Every service as Pacemaker runs it and as it answers itself: asked once, all nodes at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pacefab.errors import PacefabError
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import primitive_ids
from pacefab.pacemaker.nouns.status import CloneStatus, ClusterStatus
from pacefab.services import registry
from pacefab.services.figures import Figure, Value, wrong_figures
from pacefab.services.probes.probe import Probe
from pacefab.services.service import Service, Site
from pacefab.workflows.checks import places
from pacefab.workflows.checks.probing import ProbeResult, put
from pacefab.workflows.nodes.view import ClusterView

RUNNING = frozenset({"Started", "Promoted", "Unpromoted"})
"""The states of an instance that runs, and of which nothing is being changed now."""


@dataclass(frozen=True)
class InstanceHealth:
    """One instance of a service: Pacemaker's word, and its own answers if it was asked."""

    resource: str  # the primitive
    node: str  # empty: it runs on none
    state: str  # Started, Promoted, Stopped, Starting, failed, absent
    results: tuple[ProbeResult, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether Pacemaker says that it runs, and does nothing about it now."""
        return self.state in RUNNING

    @property
    def answers(self) -> bool:
        """Whether it was asked and answered every question as it should."""
        return bool(self.results) and not self.wrong

    @property
    def wrong(self) -> tuple[ProbeResult, ...]:
        """The answers that are not as they should be."""
        return tuple(result for result in self.results if result.wrong)

    @property
    def figures(self) -> dict[str, Value]:
        """What its answers say in numbers and words."""
        found: dict[str, Value] = {}
        for result in self.results:
            found |= {k: v for k, v in result.reading.figures.items() if k not in found}
        return found


@dataclass(frozen=True)
class ServiceHealth:
    """A service: its instances, the answers of the service as a whole, and what it has figures of.

    `error` is why it could not be asked at all.
    """

    name: str
    figures: tuple[Figure, ...]
    instances: tuple[InstanceHealth, ...]
    whole: tuple[ProbeResult, ...] = ()
    error: str = ""

    @property
    def exists(self) -> bool:
        """Whether the cluster has a resource of it."""
        return any(instance.resource for instance in self.instances)

    @property
    def several(self) -> bool:
        """Whether it is made of several resources, as VIPs are."""
        return len({instance.resource for instance in self.instances}) > 1

    def on(self, node: str) -> tuple[InstanceHealth, ...]:
        """Return its instances on a node."""
        return tuple(instance for instance in self.instances if instance.node == node)

    def serves(self, instance: InstanceHealth) -> bool:
        """Whether an instance runs and answers; one of which nobody asks, when the whole does."""
        asked = any(each.results for each in self.instances)
        fine = instance.answers if asked else not any(result.wrong for result in self.whole)
        return instance.runs and fine and not self.error

    def called(self, instance: InstanceHealth) -> str:
        """Return what an instance is called: its resource where the service has several."""
        return instance.resource if self.several else self.name


def recognise(cib: Cib) -> dict[str, Any]:
    """Return the sections of the services that a cluster shows by itself."""
    found = {name: registry.service(name).found(cib) for name in registry.names()}
    return {name: section for name, section in found.items() if section is not None}


def site_of(seen: ClusterView, sections: Mapping[str, Any], *, recognised: bool) -> Site:
    """Return what descriptions may know of a cluster as it runs now.

    Args:
        seen: the cluster of a moment ago.
        sections: by service.
        recognised: whether the sections are the cluster's own word, not an inventory's.
    """
    status = seen.status
    placed = {name: status.started_on(name) for name in status.primitives}
    facts = {name: found for name, found in seen.facts.items() if name not in seen.strangers}
    known = {name: places.find(seen, registry.service(name)) for name in sections}
    return Site(
        seen.membership,
        facts,
        sections,
        placed=placed,
        recognised=recognised,
        places={name: place for name, place in known.items() if place},
    )


def ask_services(
    seen: ClusterView, site: Site, chosen: Collection[str] | None = None
) -> tuple[ServiceHealth, ...]:
    """Put the questions of the site's services to what Pacemaker runs now; harmless.

    Those of `chosen` alone, where it is given.
    """
    every = site.sections
    sections = {name: every[name] for name in every if chosen is None or name in chosen}
    asked = {name: _probes(registry.service(name), sections[name], site) for name in sections}
    put_all = [p for probes in asked.values() if not isinstance(probes, str) for p in probes]
    results = iter(_in_order(put_all, put(seen.hosts, put_all)))

    def read(service: Service[Any]) -> ProbeResult:
        return _sound(service.figures, next(results))

    return tuple(
        _health(
            registry.service(name),
            find_primitives(registry.service(name), sections[name], site, seen.cib),
            seen,
            [] if isinstance(probes, str) else [read(registry.service(name)) for _ in probes],
            probes if isinstance(probes, str) else "",
        )
        for name, probes in asked.items()
    )


def _sound(known: Sequence[Figure], result: ProbeResult) -> ProbeResult:
    """Return a result without figures that are none, which are wrong then."""
    reading = result.reading
    if wrong := wrong_figures(known, reading.figures):
        said = "; ".join(filter(None, (reading.wrong, wrong)))
        return replace(result, reading=replace(reading, wrong=said, figures={}))
    return result


def _in_order(probes: Sequence[Probe], results: Iterable[ProbeResult]) -> list[ProbeResult]:
    """Return the results in the order of the probes; they come by node."""
    found = {id(result.probe): result for result in results}
    return [found[id(probe)] for probe in probes]


def _probes(service: Service[Any], section: Any, site: Site) -> Sequence[Probe] | str:
    """Return a service's questions, or why there are none."""
    try:
        return service.probes(section, site.of(service.name))
    except PacefabError as error:
        return f"{error.attempted}: {error.seen}"


def find_primitives(service: Service[Any], section: Any, site: Site, cib: Cib) -> list[str] | None:
    """Return the ids of a service's primitives in the CIB.

    Of one that names neither agents nor units, those that it would make. None: it makes none, or
    that cannot be said now; its instances are not known then, and it is asked as a whole.
    """
    if service.agents or service.units:
        return list(service.primitives(cib))
    try:
        desired = primitive_ids(service.configuration(section, site.of(service.name)).resources)
    except PacefabError:
        return None
    if not desired:
        return None
    return sorted(name for name in desired if cib.element(name) is not None)


def _health(
    service: Service[Any],
    primitives: Sequence[str] | None,
    seen: ClusterView,
    results: Sequence[ProbeResult],
    error: str,
) -> ServiceHealth:
    if primitives is not None and not primitives:
        nodes = (node.name for node in seen.status.nodes if not node.remote)
        absent = (InstanceHealth("", node, "absent") for node in nodes)
        return ServiceHealth(service.name, service.figures, tuple(absent))
    known = primitives or ()
    alone = len(known) == 1
    every = tuple(
        InstanceHealth(
            name, node, state, _of(results, name, node, alone=alone) if state in RUNNING else ()
        )
        for name in known
        for node, state in instances(seen.status, name, places.able(seen, name))
    )
    whole = tuple(result for result in results if not result.probe.of)
    return ServiceHealth(service.name, service.figures, every, whole, error)


def _of(
    results: Sequence[ProbeResult], resource: str, node: str, *, alone: bool
) -> tuple[ProbeResult, ...]:
    """Return the answers of an instance; where it is the only primitive, whatever its id is."""
    return tuple(
        result
        for result in results
        if result.probe.of == node and (alone or result.probe.resource == resource)
    )


def instances(
    status: ClusterStatus, resource: str, able: Collection[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Yield node and state of a primitive's instances: of a clone on every node that may have one.

    These are the members where `able` does not say which; on others it is where it runs there.
    """
    known = status.instances(resource)
    cloned = any(
        isinstance(item, CloneStatus) and set(item.instances) & set(known)
        for item in status.resources
    )
    running = {
        node: instance.pending or ("failed" if instance.failed else instance.role)
        for instance in known
        for node in instance.nodes
    }
    for node in status.nodes if cloned else ():
        may = not node.remote if able is None else node.name in able
        if may or node.name in running:
            yield node.name, running.get(node.name, "Stopped")
    if not cloned:
        yield from running.items() or [("", "Stopped")]
