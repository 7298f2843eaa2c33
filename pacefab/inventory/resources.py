"""The section `resources`: what no service describes, in Pacemaker's own terms."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pacefab.inventory.model import EMPTY_IS_DEFAULTS, Name, ParameterName, Part, unfit
from pacefab.inventory.own_terms import SETS, AttributeSet, Container, Id, Network, StorageMapping
from pacefab.inventory.pacemaker_options import AnyMeta, ResourceMeta
from pacefab.inventory.values import TIME, Boolean, Number, Parameter, ScalarText, Time

PARAMETERS = (
    "the agent's parameters by name, each a text, a whole number, true or false; one that is a "
    "secret as {secret: NAME}"
)
OPERATIONS = (
    "a list of operations, each a mapping of name, interval, timeout, on_fail, role, start_delay, "
    "enabled, record_pending, check_level; others are those that the agent advises"
)
_CONTAINER = (
    "a mapping of image, replicas, replicas_per_host, promoted_max, network, run_command, options"
)
_CLONE_META = "options of the clone by Pacemaker's names (interleave, clone-max …), or nothing"

Parameters = dict[ParameterName, Parameter]


_TEXTS = "by Pacemaker's names, each a text as it stands in the CIB"
AGENT = r"(ocf:[A-Za-z0-9_.-]+|systemd|service|lsb|stonith|upstart|heartbeat|nagios)"


class OperationsEntry(Part):
    """What the list of operations itself has."""

    id: Id | None = Field(default=None, description="its id, where another resource refers to it")
    id_ref: Id | None = Field(
        default=None, description="the id of another resource's operations, which are these too"
    )


class Further(Part):
    """What few resources have, besides their plain attributes."""

    parameters: tuple[AttributeSet, ...] | None = Field(
        default=None, description=f"further sets of parameters, {SETS}"
    )
    meta: tuple[AttributeSet, ...] | None = Field(
        default=None, description=f"further sets of meta attributes, {SETS}"
    )
    utilization: tuple[AttributeSet, ...] | None = Field(
        default=None, description=f"sets of utilization, {SETS}"
    )
    unlisted_meta: dict[str, ScalarText] = Field(
        default={},
        description=f"meta attributes that pacefab has no kind of value for, {_TEXTS}",
    )
    operations: OperationsEntry | None = Field(
        default=None, description="a mapping of id, id_ref: of the list of operations"
    )
    description: ScalarText | None = Field(default=None, description="a sentence about it")


FURTHER = (
    "a mapping of parameters, meta, utilization (each a list of further sets, with rules or "
    "scores), unlisted_meta, operations, description; without, what the cluster has of them stays"
)
UTILIZATION = "what it needs of a node, whole numbers by name, such as cpu: 2"


class OperationEntry(Part):
    """What Pacemaker does to a resource: a row of <operations>."""

    name: Name = Field(description="an action of the agent, such as monitor, start, stop, promote")
    interval: Time | None = Field(
        default=None, description=f"{TIME}; without it 60s for monitor, 0s for the others"
    )
    timeout: Time | None = Field(default=None, description=TIME)
    on_fail: (
        Literal[
            "ignore", "block", "demote", "stop", "restart", "standby", "fence", "restart-container"
        ]
        | None
    ) = Field(
        default=None,
        description="one of ignore, block, demote, stop, restart, standby, fence, "
        "restart-container",
    )
    role: Literal["Promoted", "Unpromoted", "Started", "Stopped"] | None = Field(
        default=None, description="one of Promoted, Unpromoted, Started, Stopped"
    )
    start_delay: Time | None = Field(default=None, description=TIME)
    enabled: Boolean | None = Field(default=None, description="true or false")
    record_pending: Boolean | None = Field(default=None, description="true or false")
    check_level: Number | None = Field(
        default=None, description="a whole number, the agent's OCF_CHECK_LEVEL"
    )
    unlisted: dict[str, ScalarText] = Field(
        default={},
        description=f"attributes that have no key here, or no value that one takes, {_TEXTS}",
    )
    parameters: tuple[AttributeSet, ...] = Field(
        default=(), description=f"sets of parameters of this operation alone, {SETS}"
    )
    meta: tuple[AttributeSet, ...] = Field(
        default=(), description=f"sets of its meta attributes, {SETS}"
    )
    id: Id | None = Field(default=None, description="its id, where another operation refers to it")


class PrimitiveEntry(Part):
    """What resources and templates have in common."""

    agent: Annotated[str, Field(pattern=rf"^{AGENT}:[A-Za-z0-9_.@/\\-]+$")] | None = Field(
        default=None,
        description="a resource agent as pcs writes it: ocf:heartbeat:IPaddr2, systemd:memcached",
    )
    parameters: Parameters = Field(default={}, description=PARAMETERS)
    meta: ResourceMeta = Field(
        default_factory=ResourceMeta,
        description="Pacemaker's meta attributes of a resource, by name",
    )
    operations: tuple[OperationEntry, ...] = Field(default=(), description=OPERATIONS)
    advised_operations: bool = Field(
        default=True,
        description="true or false: whether it gets the operations that its agent advises, too",
    )
    utilization: dict[ParameterName, ScalarText] = Field(default={}, description=UTILIZATION)
    further: Further | None = Field(default=None, description=FURTHER)


class TemplateEntry(PrimitiveEntry):
    """What the resources of a template have in common; it runs nothing itself."""

    @model_validator(mode="after")
    def _agent(self) -> Self:
        if self.agent is None:
            raise unfit("it needs an agent")
        return self


class CopiesEntry(Part):
    """How a resource or a group is there several times."""

    clone: Annotated[AnyMeta | None, EMPTY_IS_DEFAULTS] = Field(
        default=None, description=_CLONE_META
    )
    promotable: Annotated[AnyMeta | None, EMPTY_IS_DEFAULTS] = Field(
        default=None, description=_CLONE_META
    )
    clone_id: Name | None = Field(
        default=None, description="the id of the clone, where it is not NAME-clone"
    )
    clone_further: Further | None = Field(default=None, description=f"of the clone, {FURTHER}")

    def form(self, name: str) -> bool:
        """Whether it is a clone, promotable, in a group or in a bundle."""
        return getattr(self, name, None) is not None

    @property
    def copied(self) -> bool:
        """Whether it is a clone, promotable or not."""
        return self.form("clone") or self.form("promotable")


class GroupEntry(CopiesEntry):
    """What a group has besides its members, which name it themselves."""

    meta: ResourceMeta = Field(
        default_factory=ResourceMeta,
        description="Pacemaker's meta attributes of the group, by name",
    )
    further: Further | None = Field(default=None, description=FURTHER)


class BundleEntry(Part):
    """Containers; the resource that runs in them names the bundle itself."""

    podman: Container | None = Field(default=None, description=_CONTAINER)
    docker: Container | None = Field(default=None, description=_CONTAINER)
    rkt: Container | None = Field(default=None, description=_CONTAINER)
    before: Name | None = Field(
        default=None,
        description="where no resource runs in it: the resource behind it in the configuration; "
        "without, it comes last",
    )
    network: Network | None = Field(
        default=None,
        description="a mapping of ip_range_start, host_netmask, host_interface, control_port, "
        "add_host, port_mapping",
    )
    storage: tuple[StorageMapping, ...] | None = Field(
        default=None,
        description="a list of mappings of source_dir, source_dir_root, target_dir, options",
    )
    meta: ResourceMeta = Field(
        default_factory=ResourceMeta,
        description="Pacemaker's meta attributes of the bundle, by name",
    )
    further: Further | None = Field(default=None, description=FURTHER)

    @model_validator(mode="after")
    def _one_engine(self) -> Self:
        if [self.podman, self.docker, self.rkt].count(None) != 2:  # noqa: PLR2004
            raise unfit("it needs one of podman, docker, rkt")
        return self


class ResourceEntry(PrimitiveEntry, CopiesEntry):
    """A primitive: alone, cloned, promotable, in a group or in a bundle."""

    template: Name | None = Field(
        default=None, description="in place of agent: the template it is made from"
    )
    bundle: Name | None = Field(default=None, description="the bundle that it runs in")
    group: Name | None = Field(
        default=None, description="the group it belongs to; members start in the order written here"
    )
    disabled: bool | None = Field(
        default=None,
        description="true or false: whether Pacemaker leaves it stopped; without, as operators "
        "have set it (pcs resource disable)",
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = [form for form in ("clone", "promotable", "group", "bundle") if self.form(form)]
        if len(forms) > 1:
            raise unfit(f"it is {' and '.join(forms)}, and can only be one of them")
        if (self.agent is None) == (self.template is None):
            raise unfit("it needs one of agent and template")
        return self
