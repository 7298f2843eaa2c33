"""An inventory: one YAML file that describes a cluster, its nodes and its services' settings."""

from fabfile.inventory.cluster import Inventory
from fabfile.inventory.file import read
from fabfile.inventory.model import Node, Part

__all__ = ["Inventory", "Node", "Part", "read"]
