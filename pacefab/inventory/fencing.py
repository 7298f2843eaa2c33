"""The section `fencing`: how a node that no longer answers is kept from doing harm."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from pacefab.inventory.model import HostName, Name, Part, unfit
from pacefab.inventory.pacemaker_options import ResourceMeta
from pacefab.inventory.resources import OPERATIONS, PARAMETERS, OperationEntry, Parameters
from pacefab.inventory.sections.levels import LevelEntry

# Pacemaker's own parameters of a device that say which nodes it fences.
_HOST_PARAMETERS = ("pcmk_host_list", "pcmk_host_map")
# Agents that know the names of the hosts that they fence: Pacemaker asks them (pcmk_host_check is
# dynamic-list where no hosts are given and the agent's metadata has the action list).
LISTING = frozenset(
    f"fence_{name}"
    for name in (
        "aliyun", "aws", "azure_arm", "compute", "docker", "evacuate", "gce", "ibm_powervs",
        "ibm_vpc", "kubevirt", "nutanix_ahv", "openstack", "pve", "rhevm", "vbox", "virsh",
        "vmware_rest", "vmware_soap", "vmware_vcloud", "xenapi", "xvm",
    )
)  # fmt: skip


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


class Fencing(Part):
    """Devices, or the decision to do without."""

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
        if not self.disabled and not self.devices and not self.levels:
            raise unfit("there is no device, and fencing is not disabled")
        return self
