"""HAProxy's configuration file: settings and site in, text out. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

from pacefab.addresses import bracketed, is_address
from pacefab.errors import UsageError
from pacefab.services.family import Family
from pacefab.services.galera import health_check
from pacefab.services.haproxy.section import SECRET, HaproxySection, Proxy, Stats
from pacefab.services.service import Site
from pacefab.services.templating import render
from pacefab.services.vips.section import VipsSection

# As each family's own haproxy.cfg has it; Debian's unit brings the journal into the chroot.
_LOG: dict[Family, str] = {"debian": "/dev/log local0", "rhel": "127.0.0.1 local2"}
SOCKET: dict[Family, str] = {
    "debian": "/run/haproxy/admin.sock",
    "rhel": "/var/lib/haproxy/stats",
}

# bcrypt, 2^6 rounds: HAProxy computes it at each request, in some 4 ms. A password is at most this
# long, and the salt is written in an alphabet of bcrypt's own.
_ROUNDS = 6
_MOST_BYTES = 72
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BCRYPT = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def render_config(section: HaproxySection, site: Site, node: str, family: Family) -> str:
    """Return haproxy.cfg for one node; the nodes' differ in the address of the stats page only.

    Raises:
        UsageError: a proxy names a VIP or a server that the inventory does not have, or the
            password of the stats page is too long.
    """
    return render(
        Path(__file__).with_name("haproxy.cfg.j2"),
        log=_LOG[family],
        socket=SOCKET[family],
        max_connections=section.max_connections,
        stats=_stats(section.stats, site, node) if section.stats else None,
        proxies=[_proxy(proxy, site) for proxy in section.proxies],
    )


def endpoint(proxy: Proxy, site: Site) -> tuple[str, int]:
    """Return where clients reach the proxy. Errors of `render_config`."""
    vips = site.sections.get("vips")
    address = vips.address_of(proxy.vip) if isinstance(vips, VipsSection) else None
    if address is None and not is_address(proxy.vip):
        names = [vip.name for vip in vips.addresses] if isinstance(vips, VipsSection) else []
        raise _mistaken(proxy, f"there is no VIP {proxy.vip}", ["an address", *names])
    return address or proxy.vip, proxy.port


def _proxy(proxy: Proxy, site: Site) -> dict[str, object]:
    address, port = endpoint(proxy, site)
    galera = proxy.check == "galera"
    return {
        **proxy.model_dump(),
        "bind": f"{bracketed(address)}:{port}",
        "table": "ipv6" if ":" in address else "ip",
        "check_path": "/" if galera else proxy.check_path,
        "check_port": health_check.PORT if galera else None,
        "interval": "5s" if galera else "2s",  # a process of the node's answers for the database
        "servers": list(_servers(proxy, site)),
    }


def _servers(proxy: Proxy, site: Site) -> Iterator[dict[str, str]]:
    nodes = site.membership.names
    for server in proxy.servers or nodes:
        if server not in nodes and not is_address(server):
            raise _mistaken(proxy, f"there is no node {server}", ["addresses", *nodes])
        address = server if is_address(server) else site.own_address(server)
        endpoint = f"{bracketed(address)}:{proxy.backend_port or proxy.port}"
        yield {"name": server, "address": endpoint}


def _stats(stats: Stats, site: Site, node: str) -> dict[str, str]:
    salt = f"pacefab {site.membership.cluster} {stats.user}"
    return {
        "user": stats.user,
        "hash": _hash(site.secret(SECRET), salt),
        "bind": f"{bracketed(site.own_address(node))}:{stats.port}",
    }


def _hash(password: str, salt: str) -> str:
    """Return what crypt(3) compares a password with; the same each time, so that files are.

    The salt is made of what is no secret: made of the password, it would be a quick way to it.
    """
    import bcrypt  # noqa: PLC0415  (most runs have no use for it)

    secret = password.encode()
    if len(secret) > _MOST_BYTES:
        raise UsageError(
            f"hash the secret {SECRET}", f"it has {len(secret)} bytes", f"at most {_MOST_BYTES}"
        )
    digest = base64.b64encode(hashlib.sha256(salt.encode()).digest()[:16])
    letters = digest.rstrip(b"=").translate(bytes.maketrans(_BASE64, _BCRYPT))
    return bcrypt.hashpw(secret, b"$2b$%02d$" % _ROUNDS + letters).decode()


def _mistaken(proxy: Proxy, seen: str, allowed: list[str]) -> UsageError:
    return UsageError(
        "read the inventory",
        f"services: haproxy: proxies: {proxy.name}: {seen}",
        f"allowed: {', '.join(allowed)}",
    )
