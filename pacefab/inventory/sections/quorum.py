"""Parts of the section `corosync` that say who goes on when nodes are gone: quorum, quorum device.

Names, ranges and what excludes what are those of `pcs quorum` (pcs 0.11); meanings and defaults
those of votequorum(5) and corosync-qdevice(8).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pacefab.inventory.model import Part, Port, unfit
from pacefab.inventory.sections.totem import Positive, Text, texts
from pacefab.pacemaker.corosync.conf import Key

_VOTES, _DEVICE = "votequorum(5)", "corosync-qdevice(8)"


class Quorum(Part):
    """Options of votequorum; two_node follows from the number of nodes, as pcs sets it."""

    wait_for_all: bool | None = Field(
        default=None,
        description="true or false: at the first start all nodes are waited for (default true of "
        f"two nodes without quorum device, else false; {_VOTES})",
    )
    auto_tie_breaker: bool | None = Field(
        default=None,
        description="true or false: of two halves the one with the lowest node id goes on (default "
        f"false; {_VOTES})",
    )
    last_man_standing: bool | None = Field(
        default=None,
        description="true or false: votes of nodes that are gone are no longer expected (default "
        f"false; {_VOTES})",
    )
    last_man_standing_window: Positive | None = Field(
        default=None,
        description=f"a whole number, 1 or more: ms until then (default 10000; {_VOTES})",
    )

    @model_validator(mode="after")
    def _window_of_what(self) -> Self:
        if self.last_man_standing_window and not self.last_man_standing:
            raise unfit("last_man_standing_window does nothing without last_man_standing: true")
        return self


class Heuristics(Part):
    """Commands by which a node shows that it is well, for a quorum device."""

    mode: Literal["on", "sync"] = Field(
        default="on",
        description="on (regularly) or sync (when the membership changes) (default on; corosync's "
        f"own is off, as without heuristics; {_DEVICE})",
    )
    exec: Mapping[Annotated[str, Field(pattern=r"^[-_/a-zA-Z0-9]+$")], Text] = Field(
        min_length=1,
        description="commands by name (letters, digits, - _ and /), each a path with arguments; "
        f"all have to succeed ({_DEVICE}: exec_NAME)",
    )
    interval: Positive | None = Field(
        default=None,
        description=f"a whole number, 1 or more: ms between runs (default 30000; {_DEVICE})",
    )
    timeout: Positive | None = Field(
        default=None,
        description="a whole number, 1 or more: ms for a run (default half of connect_timeout; "
        f"{_DEVICE})",
    )
    sync_timeout: Positive | None = Field(
        default=None,
        description="a whole number, 1 or more: ms for a run when the membership changes (default "
        f"half of the device's sync_timeout; {_DEVICE})",
    )


class QuorumDevice(Part):
    """A host outside the cluster, with corosync-qnetd, that votes."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$")] = Field(
        description="the name or address by which the nodes reach the host on which corosync-qnetd "
        f"and pcsd run; that is no node ({_DEVICE})"
    )
    algorithm: Literal["ffsplit", "lms"] = Field(
        description="ffsplit (one vote, for the half with more nodes or the tie_breaker) or lms "
        f"(the last node that it sees goes on) ({_DEVICE})"
    )
    tie_breaker: Annotated[str, Field(pattern=r"^(lowest|highest|[1-9][0-9]*)$")] | None = Field(
        default=None,
        description="lowest, highest or a node id in quotes: which half wins (default lowest; "
        f"{_DEVICE})",
    )
    port: Port | None = Field(
        default=None, description=f"qnetd's TCP port, from 1 to 65535 (default 5403; {_DEVICE})"
    )
    connect_timeout: Annotated[int, Field(ge=1000, le=120000)] | None = Field(
        default=None,
        description="a whole number from 1000 to 120000: ms for connecting (default 0.8 * "
        f"sync_timeout; {_DEVICE})",
    )
    force_ip_version: Literal["0", "4", "6"] | None = Field(
        default=None, description=f'"4" or "6", in quotes (default "0", either; {_DEVICE})'
    )
    tls: Literal["on", "off", "required"] | None = Field(
        default=None,
        description="on (where qnetd has it), off or required: whether the way to qnetd is "
        f"encrypted (default on; {_DEVICE})",
    )
    keep_active_partition_tie_breaker: Literal["on", "off"] | None = Field(
        default=None,
        description="on or off, ffsplit alone: of two halves the one that had quorum goes on "
        f"(default on; corosync-qdevice 3.0.2 and newer, {_DEVICE})",
    )
    timeout: Positive | None = Field(
        default=None,
        description="a whole number, 1 or more: ms until its vote is lost (default "
        f"10000; {_VOTES})",
    )
    sync_timeout: Positive | None = Field(
        default=None,
        description="a whole number, 1 or more: ms for its vote when the membership changes "
        f"(default 30000; {_VOTES})",
    )
    heuristics: Heuristics | None = Field(
        default=None,
        description="a mapping of mode, exec, interval, timeout, sync_timeout (default: none)",
    )

    def values(self) -> dict[Key, str]:
        """Return what stands in corosync.conf of it, by the place there."""
        generic, net = {"timeout", "sync_timeout"}, texts(self)
        found: dict[Key, str] = {("device", k): v for k, v in net.items() if k in generic}
        found |= {("device", "net", k): v for k, v in net.items() if k not in generic}
        found["device", "model"] = "net"
        if self.algorithm == "ffsplit":
            found["device", "votes"] = "1"
        if self.heuristics:
            own = {
                **texts(self.heuristics),
                **{f"exec_{k}": v for k, v in self.heuristics.exec.items()},
            }
            found |= {("device", "heuristics", k): v for k, v in own.items()}
        return found
