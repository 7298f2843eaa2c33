"""Fencing for a formed cluster: a device for each node, as an operator would make it with pcs."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from lxml import etree

from pacefab.harness.nodes import run_in

from .wiring import Wiring, read

AGENT: Final = "fence_ipmilan"
MONITOR: Final = "60s"


def device_id(node: str) -> str:
    """Return what the device is called that fences a node."""
    return f"fence-{node}"


def configure(folder: Path, containers: Collection[str]) -> None:
    """Give a formed cluster its fence devices.

    The passwords go through standard input, and so stand in no argv. Raises `HarnessError`.
    """
    container, wiring = next(iter(containers)), read(folder)
    modify = "cibadmin --modify --allow-create --scope resources --xml-pipe"
    run_in(container, modify, stdin=etree.tostring(devices(wiring), encoding="unicode"))
    run_in(container, "crm_attribute --type crm_config --name stonith-enabled --update true")


def devices(wiring: Wiring) -> etree._Element:
    """Return the CIB's resources that are the fence devices of all boards."""
    resources = etree.Element("resources")
    for node, board in wiring.boards.items():
        name = device_id(node)
        device = etree.SubElement(
            resources, "primitive", {"id": name, "class": "stonith", "type": AGENT}
        )
        pairs = etree.SubElement(device, "instance_attributes", id=f"{name}-instance_attributes")
        parameters = {
            "ip": wiring.address, "ipport": str(board.port), "lanplus": "1",
            "password": board.password, "pcmk_host_list": node, "username": wiring.user,
        }  # fmt: skip
        for key, value in parameters.items():
            etree.SubElement(pairs, "nvpair", id=f"{pairs.get('id')}-{key}", name=key, value=value)
        operations = etree.SubElement(device, "operations")
        etree.SubElement(
            operations, "op", id=f"{name}-monitor-interval-{MONITOR}", interval=MONITOR,
            name="monitor",
        )  # fmt: skip
    return resources
