"""The section `resources`: what no service describes, in Pacemaker's own terms."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pacefab.inventory.model import EMPTY_IS_DEFAULTS, Name, Part, unfit
from pacefab.inventory.pacemaker_options import AnyMeta, ResourceMeta
from pacefab.inventory.values import TIME, Boolean, Number, Parameter, Time

PARAMETERS = (
    "the agent's parameters by name, each a text, a whole number, true or false; one that is a "
    "secret as {secret: NAME}"
)
OPERATIONS = (
    "a list of operations, each a mapping of name, interval, timeout, on_fail, role, start_delay, "
    "enabled, record_pending, check_level; others are those that the agent advises"
)
_CLONE_META = "options of the clone by Pacemaker's names (interleave, clone-max …), or nothing"

Parameters = dict[Name, Parameter]


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


class ResourceEntry(Part):
    """A primitive: alone, cloned, promotable, or in a group."""

    agent: Annotated[
        str, Field(pattern=r"^(ocf:[A-Za-z0-9_.-]+|systemd|service|lsb):[A-Za-z0-9_.@\\-]+$")
    ] = Field(
        description="a resource agent as pcs writes it: ocf:heartbeat:IPaddr2, systemd:memcached"
    )
    parameters: Parameters = Field(default={}, description=PARAMETERS)
    meta: ResourceMeta = Field(
        default_factory=ResourceMeta,
        description="Pacemaker's meta attributes of a resource, by name",
    )
    operations: tuple[OperationEntry, ...] = Field(default=(), description=OPERATIONS)
    clone: Annotated[AnyMeta | None, EMPTY_IS_DEFAULTS] = Field(
        default=None, description=_CLONE_META
    )
    promotable: Annotated[AnyMeta | None, EMPTY_IS_DEFAULTS] = Field(
        default=None, description=_CLONE_META
    )
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
        forms = [form for form in ("clone", "promotable", "group") if self.form(form)]
        if len(forms) > 1:
            raise unfit(f"it is {' and '.join(forms)}, and can only be one of them")
        return self

    def form(self, name: str) -> bool:
        """Whether it is a clone, promotable, or in a group."""
        return getattr(self, name) is not None
