"""One management board: an IPMI 2.0 server in front of a power switch, with planted faults."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import Any, Final

from pyghmi.ipmi.bmc import Bmc

from .switch import OFF, ON, Later, PowerSwitch
from .wiring import BoardFault, BoardWiring, Wiring

SLOW_SECONDS: Final = 20
SOFT_SECONDS: Final = 90
BUSY: Final = 0xC0
"""Completion code "node busy" of the IPMI specification, table 5-2."""


class ManagementBoard(Bmc):  # type: ignore[misc]  # pyghmi has no types
    """The board of one node; what it is like is read anew for each request.

    Args:
        node: whose board it is.
        wiring: returns the boards of the cluster as they are now.
        switch: the node's power.
        later: does something after a number of seconds.
    """

    def __init__(
        self, node: str, wiring: Callable[[], Wiring], switch: PowerSwitch, later: Later
    ) -> None:
        """Listen on the board's port."""
        self._node, self._wiring, self._switch, self._later = node, wiring, switch, later
        super().__init__(self, port=self._board.port, bmcuuid=switch.uuid, address=wiring().address)

    @property
    def _board(self) -> BoardWiring:
        return self._wiring().boards[self._node]

    def _has(self, *faults: BoardFault) -> bool:
        return not set(faults).isdisjoint(self._board.faults)

    @property
    def _silent(self) -> bool:
        dead = self._has(BoardFault.DIES_WITH_NODE) and self._switch.state() == OFF
        return dead or self._has(BoardFault.HANGS)

    def get(self, user: str) -> str | None:
        """Return the password of a user, as pyghmi asks for it; None: there is no such user."""
        if user != self._wiring().user:
            return None
        wrong = self._has(BoardFault.WRONG_PASSWORD)
        return secrets.token_hex(8) if wrong else self._board.password

    def sessionless_data(self, data: bytes, sockaddr: tuple[Any, ...]) -> None:
        """Take a packet that opens a session; from another network there is no answer."""
        if self._wiring().is_reached_from(sockaddr[0]) and not self._silent:
            super().sessionless_data(data, sockaddr)

    def handle_raw_request(self, request: dict[str, Any], session: Any) -> None:
        """Take a command of a session."""
        if self._silent:
            return
        if self._has(BoardFault.SLOW):
            answer = super().handle_raw_request
            self._later(SLOW_SECONDS, lambda: answer(request, session))
            return
        super().handle_raw_request(request, session)

    def get_system_guid(self) -> uuid.UUID:
        """Return what distinguishes this node's board from all others."""
        return self._switch.uuid

    def get_power_state(self) -> str:
        """Return on or off."""
        state = self._switch.state()
        if self._has(BoardFault.WRONG_STATE):
            return OFF if state == ON else ON
        return state

    def power_off(self) -> None:
        """Cut the power, or what a bad board does in its place."""
        if self._has(BoardFault.SOFT_OFF):
            self._later(SOFT_SECONDS, self._switch.press_button)
        elif not self._has(BoardFault.DOES_NOTHING, BoardFault.NEVER_OFF):
            self._switch.off()

    def power_on(self) -> None:
        """Give power."""
        if not self._has(BoardFault.DOES_NOTHING):
            self._switch.on()

    def power_reset(self) -> int | None:
        """Cut the power and give it again; a system without power cannot be reset."""
        if self._switch.state() == OFF:
            return BUSY
        if not self._has(BoardFault.DOES_NOTHING, BoardFault.SOFT_OFF, BoardFault.NEVER_OFF):
            self._switch.reset()
        return None

    power_cycle = power_reset

    def power_shutdown(self) -> None:
        """Ask the system to turn itself off."""
        if not self._has(BoardFault.DOES_NOTHING, BoardFault.NEVER_OFF):
            self._switch.press_button()
