"""What publishers and a consumer do while a drill breaks RabbitMQ. Pure."""

from __future__ import annotations

from pacefab.services.load import ClientLoad, LoadServer
from pacefab.services.rabbitmq.node import PORT, UNIT
from pacefab.services.rabbitmq.probes import RESOURCE
from pacefab.services.rabbitmq.section import SECRET, RabbitmqSection
from pacefab.services.service import Site


def load(section: RabbitmqSection, site: Site) -> ClientLoad:
    """Return the load: a quorum queue of its own, a publisher through every node, a consumer."""
    addresses = {name: site.own_address(name) for name in site.membership.names}
    return ClientLoad(
        resource=RESOURCE,
        servers=tuple(LoadServer(name, address, PORT) for name, address in addresses.items()),
        hello=b"AMQP\x00\x00\x09\x01",
        answer=b"\x01\x00\x00",  # a method on channel 0: connection.start
        program="pacefab.services.rabbitmq.load_program",
        what="publishers, one through every node, each of which waits for the confirm of a "
        "persistent message before the next; a consumer takes them off the quorum queue",
        threads=len(addresses),
        rate=150,
        options={"user": section.user},
        secrets={"password": site.secret(SECRET)},
        unit=UNIT,
    )
