"""An inventory: one YAML file that describes a cluster, its nodes and its services' settings."""

from pacefab.inventory.cluster import Inventory
from pacefab.inventory.file import read
from pacefab.inventory.model import Node, Part

__all__ = ["Inventory", "Node", "Part", "read"]
