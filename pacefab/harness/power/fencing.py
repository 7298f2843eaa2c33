"""Fencing for a formed cluster: a device for each node, as an operator would make it with pcs."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Final

from lxml import etree

from pacefab.harness.nodes import run_in
from pacefab.harness.parallel import on_all

from .wiring import Wiring, read

AGENT: Final = "fence_ipmilan"
PACKAGES: Final = "fence-agents-ipmilan fence-agents ipmitool"
INSTALL_SECONDS: Final = 180
MONITOR: Final = "60s"


def device_id(node: str) -> str:
    """Return what the device is called that fences a node."""
    return f"fence-{node}"


def install_agent(containers: Collection[str]) -> None:
    """Install the fence agent on nodes from their own repository, where they lack it.

    A node that was fenced comes back as it boots, so corosync and Pacemaker are enabled too. Raises
    `HarnessError`.
    """
    script = (
        f"command -v {AGENT} >/dev/null || for package in {PACKAGES}; do "
        'if apt-cache show "$package" >/dev/null 2>&1; then '
        'DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$package" '
        ">/dev/null; fi; done; systemctl enable --quiet corosync pacemaker"
    )
    on_all(partial(run_in, command=script, timeout=INSTALL_SECONDS), containers)


def configure(folder: Path, container: str) -> None:
    """Give a formed cluster its fence devices, by one of its nodes. Raises `HarnessError`.

    The passwords go through standard input, and so stand in no argv.
    """
    wiring = read(folder)
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
