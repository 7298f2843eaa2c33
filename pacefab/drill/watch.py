"""Watch the cluster while it is being broken, through a node that is not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from pacefab.drill.timeline import Sample, WatchedVip, take_sample
from pacefab.errors import CommandError, PacefabError, RefusedError
from pacefab.pacemaker import live
from pacefab.services.load import ClientLoad, LoadServer
from pacefab.services.probes import tcp
from pacefab.services.probes.probe import Endpoint
from pacefab.transport.command import Section, Step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import fan_out, values
from pacefab.waiting import Pending, wait_until

ANSWER_SECONDS = 0.5
_VIP_SECONDS = 0.3
_OFF = "offline"  # a node that is not known to be off is unclean
_DISCARD = 9  # a port that hardly anything listens to: whoever has the address refuses
_POLL_SECONDS = 0.25
_END_SECONDS = 10.0  # for a question that is under way
_ASK_SECONDS = 10.0  # a node whose power is cut says nothing, not even that
_SILENCE_SECONDS = 60.0  # until none of those that could be asked is taken to come back


@dataclass
class Watch:
    """Takes a sample about every quarter of a second; as a context manager it ends with the block.

    Args:
        hosts: the nodes that are asked: the first one, and the next one when it is lost.
        load: its servers are asked from here.
        vips: addresses that are asked from the node; one that does not answer at the start (a
            firewall) is believed to be where Pacemaker says.
    """

    hosts: Sequence[Host]
    load: ClientLoad
    vips: Sequence[WatchedVip] = ()
    samples: list[Sample] = field(default_factory=list)
    _silent: frozenset[str] = frozenset()
    _error: PacefabError | None = None

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._silent = frozenset(self._addresses) - self._ask_vips()
        self.samples.append(self._take())
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(_END_SECONDS)

    def until(self, holds: Callable[[Sequence[Sample]], bool], seconds: float) -> bool:
        """Wait at most `seconds` for a condition on the samples; return whether it came.

        Raises:
            PacefabError: none of the watching nodes could be asked any more.
        """

        def look() -> bool | Pending:
            if self._error:
                raise self._error
            return holds(tuple(self.samples)) or Pending()

        return wait_until(look, seconds, poll=0.1) is True

    def has_lost(self, node: str) -> bool:
        """Whether the others know by now that a node is out of the cluster, and safely so."""
        return self.samples[-1].nodes.get(node) == _OFF

    def rest(self, seconds: float) -> None:
        """Let time pass. Same errors as `until`."""
        self.until(lambda _: False, seconds)

    def _run(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            try:
                self.samples.append(self._take())
            except PacefabError as error:
                if time.monotonic() - self.samples[-1].at > _SILENCE_SECONDS:
                    self._error = error
                    return
                self.hosts = (*self.hosts[1:], self.hosts[0])
            except KeyboardInterrupt:  # whoever reads the samples ends by itself
                return

    def _take(self) -> Sample:
        steps = [*live.observe_status(), *plan_vips(self._addresses)]
        sections = self.hosts[0].query(steps, seconds=_ASK_SECONDS)
        up = read_vips(self._addresses, sections["vips"]) | self._silent
        vips = {vip.resource: vip.address in up for vip in self.vips}
        answering = serving(self.load)
        return take_sample(time.monotonic(), live.read_status(sections), vips, answering)

    def _ask_vips(self) -> frozenset[str]:
        section = self.hosts[0].query(plan_vips(self._addresses))["vips"]
        return read_vips(self._addresses, section)

    @property
    def _addresses(self) -> list[str]:
        return [vip.address for vip in self.vips]


def serving(load: ClientLoad) -> frozenset[str]:
    """Return the nodes whose instance answers at all its addresses, asked from here."""
    silent = {server.node for server in unreachable(load)}
    return frozenset(server.node for server in load.servers) - silent


def unreachable(load: ClientLoad) -> dict[LoadServer, str]:
    """Return the servers that do not answer as they should within half a second, and why."""
    by_name = {str(server): server for server in load.servers}
    asked = fan_out(by_name, lambda _, server: _why_silent(server, load))
    return {by_name[name]: why for name, why in values(asked).items() if why}


def _why_silent(server: LoadServer, load: ClientLoad) -> str:
    try:
        with socket.create_connection((server.address, server.port), ANSWER_SECONDS) as link:
            link.settimeout(ANSWER_SECONDS)
            link.sendall(load.hello)
            said = link.recv(100)
    except TimeoutError:
        return "no answer in time"
    except OSError as error:
        return error.strerror or str(error)
    return "" if said.startswith(load.answer) else f"it said {said!r}"


def check_reachable(service: str, load: ClientLoad) -> None:
    """Raise an error when the service cannot be used from here: no load could run.

    Raises:
        RefusedError: it wants a password, or speaks TLS.
        CommandError: it cannot be reached.
    """
    if barred := sorted({f"{s.node}: {s.barred}" for s in load.servers if s.barred}):
        raise RefusedError(
            "run the client load",
            "\n".join(barred),
            "nothing was broken; a drill's load sets and gets keys over a plain connection",
        )
    if silent := unreachable(load):
        raise CommandError(
            f"reach every {service} from this machine, for the client load",
            "\n".join(f"{server.node} at {server}: {why}" for server, why in silent.items()),
            "nothing was broken; run this on a machine in the cluster's network (a node will do), "
            f"or open {service}'s port to this one",
        )


def plan_vips(addresses: Sequence[str]) -> list[Step]:
    """Return the step of `read_vips`, which takes little more than 0.3 s at most."""
    return [tcp.observe(_targets(addresses), _VIP_SECONDS, "vips")]


def read_vips(addresses: Sequence[str], section: Section) -> frozenset[str]:
    """Return the addresses that answer: a connection is made, or refused by whoever has it."""
    if not section.ok:
        return frozenset()
    answers = tcp.parse(_targets(addresses), section).items()
    return frozenset(target.address for target, answer in answers if not answer.wrong)


def _targets(addresses: Sequence[str]) -> list[Endpoint]:
    return [Endpoint("VIP", address, _DISCARD, refused=True) for address in addresses]
