"""Why an instance that Pacemaker starts on a node would not serve. Pure."""

from __future__ import annotations

from pacefab.host.model import HostFacts
from pacefab.services.memcached import memcached
from pacefab.services.memcached.section import MemcachedSection
from pacefab.services.service import Site


def obstacle(_section: MemcachedSection, site: Site, node: str, added: bool) -> str:
    """Return why it would not serve; empty: nothing is against it. See `Service.obstacle`.

    Raises:
        RefusedError: another process has its port, or its file cannot be read.
    """
    facts = site.facts[node]
    return _not_ready(facts) or (_outside(facts) if added else "")


def _not_ready(facts: HostFacts) -> str:
    settings = memcached.effective_settings(facts)
    if facts.packages[memcached.PACKAGE] is None:
        return "memcached is not installed"
    if facts.unit(memcached.UNIT).load == "masked":
        return "memcached.service is masked: Pacemaker could not start it"
    if not memcached.listen_endpoints(settings, "*"):
        said = f"memcached is set to {settings.describe()}: no other node could reach it"
        return "; ".join(filter(None, (said, memcached.unread(facts))))
    return ""


def _outside(facts: HostFacts) -> str:
    """Return with which other settings it runs already; Pacemaker would adopt it so."""
    settings, running = memcached.effective_settings(facts), memcached.running_settings(facts)
    if running and not memcached.same(running, settings):
        return f"memcached runs outside Pacemaker ({running.describe()}) and would be adopted so"
    memcached.check_port(settings, facts)
    return ""
