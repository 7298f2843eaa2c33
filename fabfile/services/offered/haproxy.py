"""HAProxy on every node: the load balancer behind which the services' VIPs stand."""

from __future__ import annotations

from fabfile.pacemaker.model import Clone, Configuration, Primitive
from fabfile.services.description import Service, Site
from fabfile.services.haproxy_section import SECRET, HaproxySection

UNIT = "haproxy.service"
RESOURCE = "lb-haproxy"


def configuration(_section: HaproxySection, _site: Site) -> Configuration:
    """Return the clone. `interleave=true`: what follows it on a node waits for that node only."""
    primitive = Primitive(RESOURCE, "systemd:haproxy")
    return Configuration(resources=(Clone(f"{RESOURCE}-clone", primitive, {"interleave": "true"}),))


SERVICE = Service(
    "haproxy",
    HaproxySection,
    configuration=configuration,
    secrets=lambda section: [SECRET] if section.stats else [],
)
