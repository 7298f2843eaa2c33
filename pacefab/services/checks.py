"""What verify-NAME checks: what was seen, whether it should be so, and who reached whom. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pacefab.transport.command import Section, Step


@dataclass(frozen=True)
class Contact:
    """What one node's question to an instance on another came to: a cell of who reached whom."""

    asker: str
    node: str
    address: str
    port: int
    served: bool
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `cause` is what probably is behind a failure.

    `of` is the node of the instance that was asked: where no cause is known, it is looked for there
    (a firewall). `contact` is what the check was read from, where one node asked another.
    """

    name: str
    where: str  # node, "c1 -> c2", or the resource
    ok: bool
    seen: str
    cause: str = ""
    of: str = ""
    contact: Contact | None = None


@dataclass(frozen=True)
class Inspection:
    """A question that verify-NAME alone puts, from `node`, and the checks that its answer is.

    All those of a node are put side by side, each step has some seconds. `judge` gets the sections
    of the steps, and raises a PacefabError where the node could not ask.
    """

    node: str
    steps: tuple[Step, ...]
    judge: Callable[[Mapping[str, Section]], Sequence[Check]]
