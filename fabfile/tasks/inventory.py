"""Inventories as the tasks know them: with the services there are, and as an ssh_config.

Imported only when an inventory is read: pydantic and ruamel.yaml take 0.1 s to import.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field

from fabfile.inventory import Inventory, Node, Part, read
from fabfile.inventory.model import EMPTY_IS_DEFAULTS
from fabfile.services.memcached_section import MemcachedSection


class Services(Part):
    """Services by name, each with its own settings."""

    memcached: Annotated[MemcachedSection | None, EMPTY_IS_DEFAULTS] = Field(
        default=None,
        description="memcached's settings, a mapping of listen, port, memory, max_connections",
    )


class ClusterInventory(Inventory):
    """A cluster: its nodes, and the services on them with their settings."""

    services: Services = Field(
        default=Services(), description="services by name with their settings; there is memcached"
    )

    def ssh_config(self, name: str) -> str:
        """Return a node as the last section of an ssh_config; empty when there is nothing to add.

        There it gives only what sections before do not: the first value wins (ssh_config(5)).
        """
        node = next((node for node in self.nodes if node.name == name), None)
        return _section(node) if node else ""


def read_inventory(file: Path) -> ClusterInventory:
    """Return the inventory in a file. Same errors as `fabfile.inventory.read`."""
    return read(file, ClusterInventory)


def _section(node: Node) -> str:
    settings = {"HostName": node.address, "User": node.user, "Port": node.port}
    lines = [f"  {key} {value}\n" for key, value in settings.items() if value is not None]
    return "".join([f"Host {node.name}\n", *lines]) if lines else ""


def render_schema() -> str:
    """Return the JSON schema of inventories, for editors (draft 2020-12, as pydantic writes it)."""
    return json.dumps(ClusterInventory.model_json_schema(), indent=2) + "\n"
