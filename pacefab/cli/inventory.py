"""Inventories as the tasks know them: with the services there are, and as an ssh_config.

Imported only when an inventory is read: pydantic and ruamel.yaml take 0.1 s to import.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ModelWrapValidatorHandler, PrivateAttr, create_model, model_validator

from pacefab.inventory import document
from pacefab.inventory.cluster import Inventory
from pacefab.inventory.file import read
from pacefab.inventory.model import EMPTY_IS_DEFAULTS, Part
from pacefab.inventory.nodes import Node, PlacedSection
from pacefab.pacemaker.model import Member
from pacefab.pacemaker.placement.remote import ServicePlace
from pacefab.services import registry


class OrderedServices(Part):
    """Services by name, in the order of the document."""

    _order: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="wrap")
    @classmethod
    def _remember_order(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        made = handler(data)
        made._order = tuple(data) if isinstance(data, dict) else ()  # noqa: SLF001  # is its own
        return made

    @property
    def sections(self) -> dict[str, Any]:
        """The settings of each service that is named."""
        return {name: getattr(self, name) for name in self._order}


def _service_field(name: str) -> tuple[Any, Any]:
    section = registry.service(name).section
    keys = [field.alias or key for key, field in section.model_fields.items()]
    description = f"{name}'s settings, a mapping of {', '.join(keys)}"
    return Annotated[section | None, EMPTY_IS_DEFAULTS], Field(
        default=None, description=description
    )


_FIELDS: dict[str, Any] = {name: _service_field(name) for name in registry.names()}
Services: Any = create_model(
    "Services",
    __base__=OrderedServices,
    __doc__="Services by name, each with its own settings.",
    **_FIELDS,
)


class ClusterInventory(Inventory):
    """A cluster: its nodes, and the services on them with their settings."""

    services: Services = Field(
        default_factory=Services,
        description="services by name with their settings; there are "
        + ", ".join(registry.names()),
    )

    @property
    def sections(self) -> Mapping[str, Any]:
        """The settings of each service that is desired, in the order of the document."""
        sections: dict[str, Any] = self.services.sections
        return sections

    @property
    def places(self) -> dict[str, ServicePlace]:
        """Where services run that are placed by node attributes, by service."""
        placed = {n: s.nodes for n, s in self.sections.items() if isinstance(s, PlacedSection)}
        return {name: self._place(nodes) for name, nodes in placed.items() if nodes}

    def _place(self, attributes: Mapping[str, str]) -> ServicePlace:
        fits = (node for node in self.nodes if attributes.items() <= node.attributes.items())
        nodes = (Member(n.name, (n.address,) if n.address else ()) for n in fits)
        return ServicePlace(attributes, tuple(nodes))

    @property
    def remote_places(self) -> frozenset[str]:
        """The remote nodes on which services run."""
        placed = {name for place in self.places.values() for name in place.names}
        return frozenset(node.name for node in self.remotes if node.name in placed)

    def section(self, service: str) -> Any:
        """Return a service's settings; None when it is not desired."""
        return self.sections.get(service)

    def service_ids(self) -> Mapping[str, str]:
        """Return the service that each id of a resource belongs to."""
        return {
            id_: service
            for service, section in self.sections.items()
            for id_ in registry.service(service).ids(section)
        }

    def misfits(self) -> Iterator[tuple[document.Path, str]]:
        """Yield what services name and the inventory does not have: where, and what."""
        nodes = [node.name for node in self.members]
        for name, section in self.sections.items():
            for path, said in registry.service(name).misfits(section, self.sections, nodes):
                yield ("services", name, *path), said
        for name, place in self.places.items():
            if said := self._misplaced(place):
                yield ("services", name, "nodes"), said

    def _misplaced(self, place: ServicePlace) -> str:
        """Return why a service cannot run where it is placed; empty: it can."""
        words = ", ".join(f"{name}: {value}" for name, value in place.attributes.items())
        guests = [n.name for n in self.nodes if n.role == "guest" and n.name in place.names]
        if guests:
            return (
                f"the guest node {guests[0]} has {words}, and nothing is installed on guests; "
                "give it another value"
            )
        return "" if place.nodes else f"no node has the attributes {{{words}}}"

    def ssh_config(self, name: str) -> str:
        """Return a node as the last section of an ssh_config; empty when there is nothing to add.

        There it gives only what sections before do not: the first value wins (ssh_config(5)).
        """
        node = next((node for node in self.nodes if node.name == name), None)
        return _section(node) if node else ""


def read_inventory(file: Path) -> ClusterInventory:
    """Return the inventory in a file. Same errors as `pacefab.inventory.read`."""
    return read(file, ClusterInventory)


def _section(node: Node) -> str:
    settings = {"HostName": node.address, "User": node.user, "Port": node.port}
    lines = [f"  {key} {value}\n" for key, value in settings.items() if value is not None]
    return "".join([f"Host {node.name}\n", *lines]) if lines else ""


def render_schema() -> str:
    """Return the JSON schema of inventories, for editors (draft 2020-12, as pydantic writes it)."""
    return json.dumps(ClusterInventory.model_json_schema(), indent=2) + "\n"
