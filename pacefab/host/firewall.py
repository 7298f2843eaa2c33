"""firewalld of a node: which zones and rich rules it has, and the steps that open ports.

Rich rules only add to a zone. A zone of our own, bound to the nodes' addresses as sources, would
take all of their traffic out of the zone that the operator set up (firewalld.zone(5)).
"""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pacefab.errors import RefusedError
from pacefab.host.model import Firewall, Interface
from pacefab.transport.command import Section, Step, shell, step

_INACTIVE = 3
# firewall-cmd takes 0.3 s to start, busctl 0.01 s (firewalld.dbus(5)). Where there is none, nor is
# firewalld, and systemd need not be asked.
_LOOK = r"""
command -v firewall-cmd >/dev/null || exit 3
systemctl is-active --quiet firewalld || exit 3
name=org.fedoraproject.FirewallD1 root=/org/fedoraproject/FirewallD1
ask() { busctl call "$name" "$@"; }
word() { sed 's/^[so] "\(.*\)"$/\1/'; }
default=$(ask "$root" "$name" getDefaultZone | word)
zones=$default
for path in /sys/class/net/*; do
  zone=$(ask "$root" "$name.zone" getZoneOfInterface s "${path##*/}" | word)
  echo "zone ${path##*/} ${zone:-$default}"
  zones="$zones $zone"
done
for zone in $(printf '%s\n' $zones | sort -u); do
  echo "runtime $zone $(ask "$root" "$name.zone" getRichRules s "$zone")"
  object=$(ask "$root/config" "$name.config" getZoneByName s "$zone" | word)
  echo "permanent $zone $(ask "$object" "$name.config.zone" getRichRules)"
done
"""


def observe() -> list[Step]:
    """Return the step that `parse` understands."""
    return [shell("firewall", _LOOK)]


def parse(sections: Mapping[str, Section]) -> Firewall | None:
    """Return zones and rules; None where no firewalld is active."""
    section = sections["firewall"]
    if section.status == _INACTIVE:
        return None
    found: dict[str, dict[str, list[str]]] = {"zone": {}, "runtime": {}, "permanent": {}}
    for line in section.out.splitlines():
        kind, name, *rest = shlex.split(line)
        found[kind][name] = rest
    return Firewall(
        zones={name: rest[0] for name, rest in found["zone"].items()},
        runtime={zone: frozenset(rest[2:]) for zone, rest in found["runtime"].items()},
        permanent={zone: frozenset(rest[2:]) for zone, rest in found["permanent"].items()},
    )


def zones(firewall: Firewall, interfaces: Iterable[Interface], addresses: Sequence[str]) -> Names:
    """Return the zones of the interfaces that have one of the addresses.

    Raises:
        RefusedError: there is none, or firewalld did not report it.
    """
    names = [interface.name for interface in interfaces if interface.address in addresses]
    found = tuple(dict.fromkeys(firewall.zones[n] for n in names if n in firewall.zones))
    if not found:
        raise RefusedError(
            "find the firewall's zone",
            "firewalld has none for the interfaces of the cluster's addresses",
            "look at: firewall-cmd --get-active-zones; or set firewall: unmanaged",
        )
    return found


Names = tuple[str, ...]


def every_zone(firewall: Firewall, interfaces: Iterable[Interface]) -> Names:
    """Return the zones of all interfaces that have an address: clients come by any of them."""
    names = (interface.name for interface in interfaces)
    return tuple(dict.fromkeys(firewall.zones[n] for n in names if n in firewall.zones))


def rule(address: str, port: int, protocol: str) -> str:
    """Return the rich rule that lets an address or a network reach a port, in firewalld's words."""
    family = f"ipv{ipaddress.ip_network(address).version}"
    where = f'family="{family}" source address="{address}"'
    return f'rule {where} port port="{port}" protocol="{protocol}" accept'


def missing(firewall: Firewall, zone: str, rules: Iterable[str]) -> tuple[str, ...]:
    """Return the rules that do not hold both now and after firewalld's next start."""
    both = firewall.runtime.get(zone, frozenset()) & firewall.permanent.get(zone, frozenset())
    return tuple(rule for rule in rules if rule not in both)


def plan_open(zone: str, rules: Iterable[str]) -> list[Step]:
    """Return the steps that add rules, now and for good; one that is there already may be named."""
    return [
        _plan_add(f"open ports in zone {zone}", ("firewall-cmd", f"--zone={zone}"), rules),
        _plan_add(
            f"open ports in zone {zone} for good",
            ("firewall-cmd", "--permanent", f"--zone={zone}"),
            rules,
        ),
    ]


def plan_close(firewall: Firewall, zone: str, rules: Iterable[str]) -> list[Step]:
    """Return the steps that take away those of the rules that there are, now and for good."""
    both = (("", (), firewall.runtime), (" for good", ("--permanent",), firewall.permanent))
    found = [
        (when, words, [rule for rule in rules if rule in known.get(zone, frozenset())])
        for when, words, known in both
    ]
    return [
        step(
            f"close ports in zone {zone}{when}",
            "firewall-cmd",
            *words,
            f"--zone={zone}",
            *(f"--remove-rich-rule={rule}" for rule in gone),
        )
        for when, words, gone in found
        if gone
    ]


def _plan_add(name: str, command: Names, rules: Iterable[str]) -> Step:
    added = step(name, *command, *(f"--add-rich-rule={rule}" for rule in rules))
    return replace(added, undo=(*command, *(f"--remove-rich-rule={rule}" for rule in rules)))
