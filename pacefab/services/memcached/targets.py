"""Where clients find each node's memcached now. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pacefab.host.model import HostFacts
from pacefab.pacemaker.model import Membership
from pacefab.services.memcached import memcached
from pacefab.services.memcached.config import Settings
from pacefab.services.memcached.probe import Target


def present(facts: HostFacts) -> Settings:
    """Return the settings that a node's memcached runs with; those of its start where none runs.

    They differ while a change waits for the next restart.
    """
    return memcached.running_settings(facts) or memcached.effective_settings(facts)


def find_targets(membership: Membership, facts: Mapping[str, HostFacts]) -> list[Target]:
    """Return where every node's memcached should answer now; none where it listens to itself alone.

    A node without `facts`, which gave no answer, is taken to listen at its own address, at the port
    of the others.
    """
    ports = [*(present(own).port for own in facts.values()), Settings().port]
    found: list[Target] = []
    for member in membership.members:
        known = facts.get(member.name)
        settings = present(known) if known else Settings(port=ports[0])
        address = member.addresses[0] if member.addresses else member.name
        found += [
            Target(member.name, place, settings.port, settings.barred)
            for place in memcached.listen_endpoints(settings, address)
        ]
    return found
