"""What clients do while a drill breaks Redis: write where writes are taken. Pure."""

from __future__ import annotations

import re

from pacefab.services.load import ClientLoad, LoadServer
from pacefab.services.redis.node import NAME, PORT, flavour_of, following
from pacefab.services.redis.section import SECRET, RedisSection
from pacefab.services.service import Site


def load(section: RedisSection, site: Site) -> ClientLoad:
    """Return the load: writes by way of the VIP that follows; without, at whoever takes them."""
    process = flavour_of(section, site).process
    vips = [vip.address for vip in following(site)]
    addresses = {name: site.own_address(name) for name in site.membership.names}
    return ClientLoad(
        resource=NAME,
        servers=tuple(LoadServer(name, address, PORT) for name, address in addresses.items()),
        hello=b"PING\r\n",
        answer=b"-NOAUTH",
        program="pacefab.services.redis.load_program",
        what="clients that set keys and wait for each answer, "
        + ("at the VIP that follows" if vips else "at whichever node takes writes"),
        threads=4,
        rate=400,
        options={"vips": vips},
        secrets={"password": site.secret(SECRET)},
        process=rf"^\S*{re.escape(process)} \S+:{PORT}( |$)",
    )
