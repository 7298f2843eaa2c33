"""The node through which the cluster is asked and changed; when it is lost, another one is it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from pacefab.errors import LostError, PacefabError, UnreachableError
from pacefab.pacemaker import cib_text, live
from pacefab.transport.command import Section, Step
from pacefab.transport.connection import QUERY_SECONDS, Host
from pacefab.transport.execution import LineCallback
from pacefab.waiting import Pending, wait_until
from pacefab.workflows.nodes.persistence import persist

_SUCCESSION_SECONDS = 40  # for those that are left to agree that they have quorum, and on a DC


class Asked(Protocol):
    """What answers questions and carries out changes: a host, or the doorway of a cluster."""

    @property
    def name(self) -> str:
        """Its name as an operator knows it."""

    def query(self, steps: Sequence[Step], *, seconds: float = ...) -> Mapping[str, Section]:
        """Run every step in one round trip. Errors of `Host.query`."""

    def change(
        self, steps: Sequence[Step], *, seconds: float, on_line: LineCallback | None = None
    ) -> Mapping[str, Section]:
        """Run the steps until one fails. Errors of `Host.change`."""


class Doorway:
    """A node with quorum, and those that take its place, in their order.

    A question is put again to the next one. Of a change it is not known whether it was made: that
    is raised (`LostError`), and the next question, which looks, goes to whoever answers. Of each
    node that is lost `note` hears.
    """

    def __init__(self, hosts: Mapping[str, Host], first: str) -> None:
        """Take the nodes on which Pacemaker runs, by name."""
        self._hosts = hosts
        self._node = first
        self.lost: dict[str, PacefabError] = {}
        self.note: Callable[[str, str], None] = lambda _node, _said: None

    @property
    def name(self) -> str:
        """The node that is asked now."""
        return self._node

    def query(
        self, steps: Sequence[Step], *, seconds: float = QUERY_SECONDS
    ) -> Mapping[str, Section]:
        """Run every step in one round trip, on another node when this one is lost.

        Raises:
            PacefabError: no node that has quorum is left; it says why the first was lost.
        """
        while True:
            try:
                return persist(lambda: self._hosts[self._node].query(steps, seconds=seconds))
            except (LostError, UnreachableError) as error:
                self._succeed(error)

    def change(
        self, steps: Sequence[Step], *, seconds: float, on_line: LineCallback | None = None
    ) -> Mapping[str, Section]:
        """Run the steps until one fails; where the node cannot be reached at all, on another one.

        Raises:
            LostError: the node was lost; whether it still makes the change is not known.
            PacefabError: as `query`.
        """
        while True:
            try:
                return self._hosts[self._node].change(steps, seconds=seconds, on_line=on_line)
            except UnreachableError as error:  # nothing was begun
                self._succeed(error)

    def approach(self, node: str) -> bool:
        """Go to a node, if it is one of them and not lost; return whether that is another one."""
        there = node in self._others()
        self._node = node if there else self._node
        return there

    def leave(self) -> bool:
        """Go to another node that has quorum, as this one has none; return whether there is one."""
        found = next((name for name in self._others() if self._is_quorate(name)), None)
        self._node = found or self._node
        return found is not None

    def _others(self) -> list[str]:
        return [name for name in self._hosts if name != self._node and name not in self.lost]

    def _succeed(self, error: PacefabError) -> None:
        """Let the next node that has quorum take over; raise the error when none does in time."""
        lost = self._node
        self.lost[lost] = error

        def look() -> bool | Pending:
            return self.leave() or Pending()

        if not self._others() or isinstance(wait_until(look, _SUCCESSION_SECONDS), Pending):
            raise error
        self.note(lost, f"it was lost, the cluster is asked through {self._node} from now on")

    def _is_quorate(self, name: str) -> bool:
        try:
            return live.read_cib(self._hosts[name].query(cib_text.observe())).quorum
        except (LostError, UnreachableError) as error:
            self.lost[name] = error
        except PacefabError:  # no cluster runs there, or it is too busy to answer
            pass
        return False
