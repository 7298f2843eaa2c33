"""What a service is asked, and what its answer says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pacefab.addresses import bracketed
from pacefab.services.figures import Value
from pacefab.transport.command import Section, Step


@dataclass(frozen=True)
class Endpoint:
    """An address and what it should answer; one that begins with / is a socket of the node's own.

    After `say` is sent, `answer` has to be in the first line that comes back. Without, that the
    connection is accepted is enough; and with `refused`, that a host refuses it. `whole`: all that
    comes back is read, until the other side closes.
    """

    name: str
    address: str
    port: int
    say: str = ""
    answer: str = ""
    refused: bool = False
    whole: bool = False

    @property
    def place(self) -> str:
        """The address and the port, as a client writes them."""
        port = f":{self.port}" if self.port else ""
        return f"{bracketed(self.address)}{port}"

    def __str__(self) -> str:
        return f"{self.name} ({self.place})"


@dataclass(frozen=True)
class Reading:
    """What a probe found: what is wrong (empty: nothing is), and the service's own figures.

    `notices` are worth knowing and no failure of the service.
    """

    wrong: str = ""
    figures: Mapping[str, Value] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Probe:
    """A question to a service as its client would ask it, from `node`.

    All probes of a node are put side by side, and each step has some seconds. `judge` gets the
    sections of the steps, and the answers of the `endpoints` (`tcp.answers`); it may return what is
    wrong alone. `resource` is the primitive that is asked, `of` the node of its instance and `at`
    its address; all are empty where the service as a whole is asked. An instance that Pacemaker is
    not to run is not asked.
    """

    name: str  # "vip-db:3306 answers"
    node: str
    steps: tuple[Step, ...]
    judge: Callable[[Mapping[str, Section]], Reading | str]
    resource: str = ""
    of: str = ""
    at: str = ""
    endpoints: tuple[Endpoint, ...] = ()

    def read(self, sections: Mapping[str, Section]) -> Reading:
        """Return what the answers to the steps say."""
        found = self.judge(sections)
        return Reading(found) if isinstance(found, str) else found
