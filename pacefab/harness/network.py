"""A cluster's network: of Docker's own address pool, with addresses that survive a restart."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

import docker.errors
from docker.types import IPAMConfig, IPAMPool
from testcontainers.core.network import Network

from .errors import HarnessError

ATTEMPTS: Final = 5
ALIASES: Final = ipaddress.IPv4Network("192.0.2.0/24")
"""The network of documentation (RFC 5737) and so of our inventories, on top of Docker's own.

A network made with this subnet would cut its nodes off from resolver and mirror.
"""
FIRST_HOST: Final = 11
"""Nodes get .11, .12, ...: the addresses below and above are free for virtual IPs."""


def create_network(name: str, labels: dict[str, str]) -> Network:
    """Create a network whose subnet Docker chose and which nevertheless allows fixed addresses.

    Docker takes fixed addresses only where the subnet was named. So a first network learns a free
    subnet, and a second one asks for it by name; another process may be quicker in between, hence
    the attempts.
    """
    for _ in range(ATTEMPTS):
        subnet = _free_subnet(name, labels)
        pool = IPAMConfig(pool_configs=[IPAMPool(subnet=str(subnet))])
        try:
            return _create(name, labels, ipam=pool)
        except docker.errors.APIError as error:
            seen = str(error)
            if "overlaps" not in seen:
                break
    raise HarnessError(
        f"creating the network {name}",
        seen=seen,
        next_step="docker network ls shows who has the subnets",
    )


def addresses(network: Network, names: Sequence[str]) -> dict[str, str]:
    """Return the address of each node on the network."""
    first = subnet_of(network).network_address + FIRST_HOST
    return {name: str(first + offset) for offset, name in enumerate(names)}


def aliases(names: Sequence[str]) -> dict[str, str]:
    """Return the second address of each bare node, as inventory/openstack.yaml has them."""
    first = ALIASES.network_address + FIRST_HOST
    return {name: f"{first + offset}/{ALIASES.prefixlen}" for offset, name in enumerate(names)}


def subnet_of(network: Network) -> ipaddress.IPv4Network:
    """Ask the engine for the network's subnet."""
    (config,) = docker.from_env().networks.get(network.id).attrs["IPAM"]["Config"]
    return ipaddress.IPv4Network(config["Subnet"])


def _free_subnet(name: str, labels: dict[str, str]) -> ipaddress.IPv4Network:
    probe = _create(name, labels)
    try:
        return subnet_of(probe)
    finally:
        probe.remove()


def _create(name: str, labels: dict[str, str], ipam: IPAMConfig | None = None) -> Network:
    network = Network(docker_network_kw={"labels": labels, "ipam": ipam, "check_duplicate": True})
    network.name = name
    return network.create()
