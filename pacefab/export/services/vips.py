"""Addresses of the CIB -> the VIPs of the service, and what each of them is tied to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pydantic import ValidationError

from pacefab.errors import PacefabError
from pacefab.export.draft import made
from pacefab.export.services.reading import Data, ServicesShown, number
from pacefab.export.words import Unsayable
from pacefab.pacemaker.compare import meaning
from pacefab.pacemaker.configuration import read_constraint
from pacefab.pacemaker.model import Colocation, Constraint, Order, Primitive
from pacefab.services import registry
from pacefab.services.haproxy.service import RESOURCE as LOAD_BALANCER_PRIMITIVE
from pacefab.services.vips.section import PREFIX, Vip, VipsSection
from pacefab.services.vips.service import LOAD_BALANCER, configuration

_PARAMETERS = {"nic": "nic", "netmask": "cidr_netmask"}


def read_vips(shown: ServicesShown) -> Data:
    """Return the VIPs whose names begin as those of the service.

    Where some run with the load balancer, those that do are the service's.
    """
    names = [name for name in shown.primitives("vips") if name.startswith(PREFIX)]
    ties = {str(meaning(c)) for e in shown.cib.all_constraints if (c := read_constraint(e))}
    followed = {name: _followed(shown, name, ties) for name in names}
    tied = [n for n in names if LOAD_BALANCER_PRIMITIVE in shown.primitives("haproxy")
            and _holds(ties, _balanced(n))]  # fmt: skip
    taken = [n for n in names if followed[n] or not tied or n in tied]
    vips = [vip for name in taken if _fits(vip := _vip(shown, name, followed[name]))]
    if not vips:
        raise Unsayable(f"none is as {PREFIX}NAME would be")
    return made({"with_load_balancer": bool(tied) or None, "addresses": vips})


def _fits(vip: Data) -> bool:
    """Whether the inventory takes a VIP: its name, and an address at all."""
    try:
        Vip.model_validate(vip)
    except ValidationError:
        return False
    return True


def _balanced(name: str) -> tuple[Constraint, ...]:
    return Order(name, LOAD_BALANCER, kind="Optional"), Colocation(name, LOAD_BALANCER)


def _followed(shown: ServicesShown, name: str, ties: set[str]) -> str:
    """Return the service whose promoted instance a VIP follows; empty: none."""
    for service in registry.names():
        clone = registry.service(service).promoted
        follows = (
            Order(clone, name, first_action="promote"),
            Colocation(name, clone, with_role="Promoted"),
        )
        if clone and shown.primitives(service) and _holds(ties, follows):
            return service
    return ""


def _holds(ties: set[str], constraints: Iterable[Constraint]) -> bool:
    return all(str(meaning(each)) in ties for each in constraints)


def _vip(shown: ServicesShown, name: str, follows: str) -> Data:
    """Return a VIP; interface and netmask only where they are others than the nodes show."""
    element = shown.cib.element(name)
    given = {} if element is None else shown.cib.parameters(element)
    plain = {"name": name.removeprefix(PREFIX), "address": given.get("ip", "")}
    usual = _found_on_nodes(shown, plain)
    more = {
        key: number(given[parameter]) if key == "netmask" else given[parameter]
        for key, parameter in _PARAMETERS.items()
        if parameter in given and given[parameter] != usual.get(parameter)
    }
    return made({**plain, **more, "follows": follows})


def _found_on_nodes(shown: ServicesShown, plain: Data) -> dict[str, str]:
    """Return the parameters that the service gives a VIP of which only the address is known."""
    try:
        section = VipsSection.model_validate({"addresses": (plain,)})
        site = replace(shown.intent("vips", section).site(shown.facts), sections={})
        (primitive,) = configuration(section, site).resources
    except (PacefabError, ValueError):
        return {}
    return dict(primitive.parameters) if isinstance(primitive, Primitive) else {}
