"""Galera's resource until it serves: the clone as it is in the CIB, settled and asked."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import Cib, pairs, plain_set
from pacefab.pacemaker.model import Clone, Configuration, Primitive
from pacefab.pacemaker.placement import galera
from pacefab.pacemaker.placement.galera import GaleraResource
from pacefab.services.galera import cold_start, probes
from pacefab.services.galera.cold_start import ATTEMPT, GaleraData
from pacefab.services.galera.section import GaleraSection
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.waiting import Waits
from pacefab.workflows.checks.probing import serve
from pacefab.workflows.checks.service_health import site_of
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.view import ClusterView, observe_cluster


@dataclass(frozen=True)
class GaleraServing:
    """The wait until Pacemaker has promoted what it is to promote, and each database answers."""

    seen: ClusterView
    resource: GaleraResource

    def desired(self, cib: Cib) -> Configuration:
        """Return what is desired of Pacemaker: the clone as it is.

        Raises:
            RefusedError: it is a bundle, or else no plain clone.
        """
        element = cib.element(self.resource.clone)
        if element is None or element.tag not in {"clone", "master"}:
            what = f"{self.resource.clone} is no clone: what is desired of it is unknown"
            raise RefusedError(ATTEMPT, what, "look at: pcs status")
        # A promotable clone was an element of its own, master, until Pacemaker 2.0.
        promotable = {"promotable": "true"} if element.tag == "master" else {}
        meta = {**pairs(plain_set(element, "meta_attributes")), **promotable}
        clone = Clone(self.resource.clone, Primitive(self.resource.id, galera.AGENT), meta)
        return Configuration(resources=(clone,))

    def wait(self, cib: Cib, seconds: float, waits: Waits) -> tuple[str, ...]:
        """Return the nodes that serve.

        Raises:
            PacefabError: not all do in time.
        """
        deadline = time.monotonic() + seconds
        apply_cib.settle_configuration(self.seen.host, self.desired(cib), seconds, waits)
        now = observe_cluster(self.seen.hosts, self.seen.look, len(self.seen.hosts))
        site = site_of(now, {"galera": GaleraSection()}, recognised=True)
        every = list(probes.probes(site, self.resource.id))
        serve(now.hosts, every, max(deadline - time.monotonic(), _ANSWER_SECONDS), waits)
        return site.instances(self.resource.id)


_ANSWER_SECONDS = 10.0  # a database that has just been promoted has at least these to answer


def read_data(
    seen: ClusterView, resource: GaleraResource, nodes: tuple[str, ...]
) -> dict[str, GaleraData]:
    """Return what nodes have on disk.

    Raises:
        RefusedError: one of them could not be asked.
    """
    for node in nodes:
        if node not in seen.views:
            said = seen.silent[node].seen if node in seen.silent else "it did not answer"
            what = f"what {node} has could not be read: {said}"
            raise RefusedError(ATTEMPT, what, f"make it reachable: ssh {node}", host=node)
    asked = [cold_start.observe(resource.parameters)]
    found = fan_out(
        {node: seen.hosts[node] for node in nodes},
        lambda _, host: cold_start.parse(host.query(asked)),
    )
    for error in errors(found).values():
        raise error
    return values(found)
