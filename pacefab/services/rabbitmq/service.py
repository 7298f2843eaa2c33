"""RabbitMQ on every node, started by systemd's unit; the nodes find each other by themselves.

Not by `ocf:heartbeat:rabbitmq-cluster`: that agent empties the data folder of the first node that
starts and of each one that joins, and has the others forget a node that stops, which takes it out
of every quorum queue for good. After each node was down once, a quorum queue has no members left.
RabbitMQ 3.8 and newer returns to its cluster with its data by itself.
"""

from __future__ import annotations

from pacefab.pacemaker.model import Clone, Configuration, Operation, Primitive
from pacefab.pacemaker.ownership import find_runner
from pacefab.services.rabbitmq import node, probes
from pacefab.services.rabbitmq.load import load
from pacefab.services.rabbitmq.section import COOKIE, SECRET, RabbitmqSection
from pacefab.services.service import Service, Site

AGENT = f"systemd:{node.UNIT.removesuffix('.service')}"
CLONE = f"{probes.RESOURCE}-clone"

_OPERATIONS = (
    Operation("stop", interval="0s", timeout="120s"),
    Operation("monitor", interval="10s", timeout="60s"),
)


def configuration(_section: RabbitmqSection, _site: Site) -> Configuration:
    """Return the clone; all instances start at once, because they wait for each other."""
    primitive = Primitive(probes.RESOURCE, AGENT, operations=_OPERATIONS)
    return Configuration(resources=(Clone(CLONE, primitive, {"interleave": "true"}),))


SERVICE = Service(
    "rabbitmq",
    RabbitmqSection,
    look=node.look,
    node=node.desired,
    configuration=configuration,
    probes=lambda section, site: tuple(probes.probes(section, site)),
    secrets=lambda _: (SECRET, COOKIE),
    ids=lambda _: (CLONE,),
    units=(node.UNIT,),
    found=lambda cib: RabbitmqSection() if find_runner(cib, node.UNIT) else None,
    figures=probes.FIGURES,
    load=load,
    before_stop=probes.before_stop,
    data=("/var/lib/rabbitmq",),
)
