"""The section `fencing`: how a node that no longer answers is kept from doing harm."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from pacefab.inventory.model import HostName, Name, Part, unfit
from pacefab.inventory.pacemaker_options import ResourceMeta
from pacefab.inventory.resources import OPERATIONS, PARAMETERS, OperationEntry, Parameters
from pacefab.inventory.sections.levels import LevelEntry
from pacefab.pacemaker.fencing.devices import LISTING
from pacefab.pacemaker.fencing.sbd import SbdSettings

# Pacemaker's own parameters of a device that say which nodes it fences.
_HOST_PARAMETERS = ("pcmk_host_list", "pcmk_host_map")
DevicePath = Annotated[str, Field(pattern=r"^/dev/[A-Za-z0-9_.:/@+-]+$", max_length=200)]


class Device(Part):
    """A fence agent with its parameters: one device for several nodes, or one for each."""

    agent: Annotated[str, Field(pattern=r"^fence_[A-Za-z0-9_-]+$")] = Field(
        description="a fence agent, such as fence_ipmilan (pcs stonith list shows what there is)"
    )
    parameters: Parameters = Field(default={}, description=PARAMETERS)
    nodes: tuple[HostName, ...] = Field(
        default=(), description="a list of the nodes that this one device fences"
    )
    per_node: dict[HostName, Parameters] = Field(
        default={},
        description="a device for each node: by the node's name what differs from parameters",
    )
    meta: ResourceMeta = Field(
        default_factory=ResourceMeta,
        description="Pacemaker's meta attributes of a resource, by name",
    )
    operations: tuple[OperationEntry, ...] = Field(default=(), description=OPERATIONS)

    @model_validator(mode="after")
    def _one_way_to_its_nodes(self) -> Self:
        ways = [
            *(key for key in ("nodes", "per_node") if getattr(self, key)),
            *(key for key in _HOST_PARAMETERS if key in self.parameters),
        ]
        asked = self.agent in LISTING or "pcmk_host_check" in self.parameters
        if not ways and not asked:
            raise unfit("it does not say which nodes it fences: write nodes or per_node")
        if len(ways) > 1:
            raise unfit(f"{' and '.join(ways)} both say which nodes it fences: keep one")
        return self


class Sbd(Part):
    """SBD: each node's watchdog resets it, by messages on shared disks or when it loses quorum."""

    watchdog: DevicePath = Field(
        default="/dev/watchdog", description="the path of the nodes' watchdog device"
    )
    timeout: Annotated[int, Field(ge=1, le=3600)] = Field(
        default=5,
        description="a whole number from 1 to 3600: seconds after which a watchdog that is not fed "
        "resets its node; Pacemaker waits twice as long (property stonith-watchdog-timeout)",
    )
    devices: tuple[DevicePath, ...] = Field(
        default=(),
        max_length=3,
        description="up to three paths of shared disks, which sbd create has prepared (default: "
        "none, the watchdog alone); a fence device of the agent fence_sbd writes to them",
    )
    delay_start: bool = Field(
        default=False,
        description="true or false: whether a node that boots waits until a message to it expires",
    )

    def settings(self) -> SbdSettings:
        """Return what nodes' file of settings is to say."""
        return SbdSettings(self.watchdog, self.timeout, self.devices, self.delay_start)


class Fencing(Part):
    """Devices, SBD, or the decision to do without."""

    disabled: bool = Field(
        default=False, description="true, with a reason, or false: whether nothing is ever fenced"
    )
    reason: Annotated[str, Field(pattern=r"\S")] | None = Field(
        default=None, description="a sentence: why this cluster does without fencing"
    )
    devices: dict[Name, Device] = Field(
        default={},
        description="fence devices by name (a letter first, then letters, digits, _ . and -), each "
        "a mapping of agent, parameters, nodes or per_node, meta, operations",
    )
    sbd: Sbd | None = Field(
        default=None,
        description="a mapping of watchdog, timeout, devices, delay_start: nodes that their own "
        "watchdog resets (set up as sbd documents it, and not proven on a real watchdog)",
    )
    levels: tuple[LevelEntry, ...] = Field(
        default=(),
        description="which devices are tried together, and which after those: a list of mappings "
        "of node, pattern or attribute with value, and level, devices",
    )

    @model_validator(mode="after")
    def _decided(self) -> Self:
        if self.disabled and not self.reason:
            raise unfit("fencing is disabled without a reason, which status would show")
        if not self.disabled and self.reason:
            raise unfit("there is a reason, and fencing is not disabled")
        if not self.disabled and not (self.devices or self.levels or self.sbd):
            raise unfit("there is no device, and fencing is not disabled")
        if self.disabled and self.sbd:
            raise unfit("fencing is disabled, and sbd would reset nodes: keep one of them")
        return self
