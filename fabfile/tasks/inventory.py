"""Inventories as the tasks know them: with the services there are, and as an ssh_config.

Imported only when an inventory is read: pydantic and ruamel.yaml take 200 ms to import.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from fabfile.inventory import Inventory, Node, Part, Settings, read
from fabfile.services.memcached_section import MemcachedSection


class Services(Part):
    """Services by name, each with its own settings."""

    memcached: Settings[MemcachedSection] | None = Field(
        None,
        description="memcached's settings, a mapping of listen, port, memory, max_connections",
    )


class ClusterInventory(Inventory):
    """A cluster: its nodes, and the services on them with their settings."""

    services: Settings[Services] = Field(
        Services(), description="services by name with their settings; there is memcached"
    )


def read_inventory(file: Path) -> ClusterInventory:
    """Return the inventory in a file. Same errors as `fabfile.inventory.read`."""
    return read(file, ClusterInventory)


def render_ssh_config(inventory: Inventory) -> str:
    """Return the nodes as sections for the end of an ssh_config.

    There they give only what the sections before do not: the first value wins (ssh_config(5)).
    """
    return "".join(_section(node) for node in inventory.nodes)


def _section(node: Node) -> str:
    settings = {"HostName": node.address, "User": node.user, "Port": node.port}
    lines = [f"  {key} {value}\n" for key, value in settings.items() if value is not None]
    return f"Host {node.name}\n{''.join(lines)}"
