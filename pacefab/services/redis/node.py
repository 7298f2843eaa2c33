"""What Redis or Valkey needs on a node, by what the distribution offers. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pacefab.errors import RefusedError, UsageError
from pacefab.host.model import HostFacts
from pacefab.services.family import Family, common_family
from pacefab.services.redis.section import SECRET, RedisSection
from pacefab.services.service import DesiredNode, Look, Port, Site, whole
from pacefab.services.vips.section import Vip, VipsSection

NAME = "redis"  # of the service and of its primitive
PORT = 6379
LAST_PASSWORD = "/run/pacefab-redis-password"  # noqa: S105  (a path)
SYSCTL = "/etc/sysctl.d/60-pacefab-redis.conf"
# Redis listens at the VIPs that follow it, on every node, before they come.
KERNEL = {"net.ipv4.ip_nonlocal_bind": "1", "net.ipv6.ip_nonlocal_bind": "1"}
_SYSCTL_TEXT = "\n".join(
    [
        "# Written by pacefab: Redis listens at VIPs that may be on other nodes.",
        *(f"{name} = {value}" for name, value in KERNEL.items()),
        "",
    ]
)

Software = Literal["redis", "valkey"]
_FIRST_EL_WITHOUT_REDIS = 10
_LAG_SECONDS = 10  # a follower that says nothing for so long counts as gone
_HIDDEN = r"(?m)(?<=^requirepass )\S+|(?<=^masterauth )\S+"
# The agent takes the rest of the line for the password; Redis ends it at a blank, and knows quotes.
_PASSWORD = re.compile(r"[^\s\"']+")

# Redis that runs gets the new settings at once: the agent asks it with the new password from now
# on. It is the previous one's that lets us in, or after a change that was undone the last one's.
_APPLY = r"""
config=$1 client=$2 address=$3 last=$4
value() { sed -n 's/^requirepass //p' "$1" 2>/dev/null; }
talk() {
  if [ -n "$1" ]; then REDISCLI_AUTH=$1; export REDISCLI_AUTH; else unset REDISCLI_AUTH; fi
  timeout 10 "$client" -h "$address" 2>/dev/null
}
for word in "$(cat "$last" 2>/dev/null)" "$(value "$config.previous")" "$(value "$config")" ''; do
  [ "$(echo ping | talk "$word")" = PONG ] || continue
  # Redis older than 7 takes it at its next start only.
  sed -n 's/^bind \(.*\)/config set bind "\1"/p' "$config" | talk "$word" >/dev/null
  names='masterauth|min-replicas-to-write|min-replicas-max-lag|appendonly|maxmemory|requirepass'
  said=$(sed -En "s/^($names) /config set \1 /p" "$config" | talk "$word")
  case $said in *ERR*) echo "$said" >&2; exit 1 ;; esac
  (umask 077; value "$config" >"$last")
  exit
done
"""


@dataclass(frozen=True)
class RedisFlavour:
    """What differs between the two and between families."""

    packages: Mapping[Family, str]
    user: str
    config: str  # beside the package's own, which stays as it is
    data: str
    client: str
    process: str
    parameters: Mapping[str, str] = field(default_factory=dict)  # of the agent, made for Redis


FLAVOURS: Mapping[Software, RedisFlavour] = {
    "redis": RedisFlavour(
        packages={"debian": "redis-server", "rhel": "redis"},
        user="redis",
        config="/etc/redis-pacemaker.conf",
        data="/var/lib/redis",
        client="redis-cli",
        process="redis-server",
    ),
    "valkey": RedisFlavour(
        packages={"debian": "valkey-server", "rhel": "valkey"},
        user="valkey",
        config="/etc/valkey-pacemaker.conf",
        data="/var/lib/valkey",
        client="valkey-cli",
        process="valkey-server",
        parameters={
            "bin": "/usr/bin/valkey-server",
            "client_bin": "/usr/bin/valkey-cli",
            "rundir": "/run/valkey",
            "user": "valkey",
        },
    ),
}


def look(section: RedisSection) -> Look:
    """Return what to look at, whatever the distribution offers."""
    flavours = [FLAVOURS[section.software]] if section.software else list(FLAVOURS.values())
    packages = tuple(name for flavour in flavours for name in flavour.packages.values())
    return Look(
        packages=packages,
        units=tuple(f"{name}.service" for name in packages),
        files=(SYSCTL, LAST_PASSWORD, *(flavour.config for flavour in flavours)),
        kernel=tuple(KERNEL),
    )


def desired(section: RedisSection, site: Site, node: str) -> DesiredNode:
    """Return package, configuration and port of one node."""
    flavour = flavour_of(section, site)
    package = flavour.packages[common_family(site.facts.values())]
    text = _config(section, site, node, flavour)
    owner = f"root:{flavour.user}"
    words = (flavour.config, flavour.client, site.own_address(node), LAST_PASSWORD)
    apply = ("sh", "-c", _APPLY, "pacefab", *words)
    return DesiredNode(
        packages=(package,),
        files=(
            *(whole(SYSCTL, _SYSCTL_TEXT) for _ in following(site)[:1]),
            whole(flavour.config, text, mode="640", owner=owner, hidden=_HIDDEN, apply=apply),
        ),
        units=(f"{package}.service",),
        ports=(Port(PORT, clients=True),),
        kernel=KERNEL if following(site) else {},
    )


def following(site: Site) -> tuple[Vip, ...]:
    """Return the VIPs that follow the promoted instance."""
    section: VipsSection | None = site.sections.get("vips")
    if section is None:
        return ()
    return tuple(vip for vip in section.addresses if section.followed_by(vip) == NAME)


def flavour_of(section: RedisSection, site: Site) -> RedisFlavour:
    """Return what all nodes run.

    Raises:
        RefusedError: the nodes' distributions offer different ones.
    """
    if section.software:
        return FLAVOURS[section.software]
    offered = {name: _offered(facts) for name, facts in site.facts.items()}
    if len(set(offered.values())) != 1:
        raise RefusedError(
            "choose between Redis and Valkey",
            f"the nodes' distributions offer {offered}",
            "write services: redis: software: valkey, where all of them have it",
        )
    return FLAVOURS[next(iter(offered.values()))]


def _offered(facts: HostFacts) -> Software:
    """Return which of the two a node's distribution has; Redis where it has both."""
    major = re.search(r"\d+", facts.distribution)
    late = major is not None and int(major[0]) >= _FIRST_EL_WITHOUT_REDIS
    return "valkey" if facts.family == "rhel" and late else "redis"


def _config(section: RedisSection, site: Site, node: str, flavour: RedisFlavour) -> str:
    password = _checked(site.secret(SECRET))
    replicas = section.min_replicas
    if replicas is None:
        replicas = len(site.membership.names) // 2
    vips = [vip.address for vip in following(site)]
    lines = [
        "# Written by pacefab from the inventory (services: redis): changes are overwritten.",
        " ".join(["bind", "127.0.0.1", site.own_address(node), *vips]),
        f"port {PORT}",
        f"masterauth {password}",
        f"min-replicas-to-write {replicas}",
        f"min-replicas-max-lag {_LAG_SECONDS}",
        f"dir {flavour.data}",
        f"appendonly {'yes' if section.appendonly else 'no'}",
        f"maxmemory {section.memory or 0}mb",
        f"requirepass {password}",
        "",
    ]
    return "\n".join(lines)


def _checked(password: str) -> str:
    """Return the password.

    Raises:
        UsageError: the resource agent cannot read it from the configuration.
    """
    if not _PASSWORD.fullmatch(password):
        raise UsageError(
            "use the secret redis",
            "it has blanks or quotes, which the resource agent cannot read from redis.conf",
            "give another one: openssl rand -hex 32",
        )
    return password
