"""Why a fence device gave no answer, and what that means: from its words, and others' answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pacefab.pacemaker.fencing import asking
from pacefab.pacemaker.fencing.asking import FenceAnswer

_USER = "the user is locked, disabled or not there, or lacks the privilege"
_PARAMETERS = "correct the device's parameters in the inventory, then fab deploy"


@dataclass(frozen=True)
class FencingCauses:
    """What is known besides an answer.

    Args:
        answers: those of every device from every node.
        seconds: the limit of each question.
    """

    answers: Sequence[FenceAnswer]
    seconds: int

    def explain(self, answer: FenceAnswer, refusal: str, own_limit: float) -> tuple[str, str]:
        """Return what was seen of a device, and its likely cause; empty: it answered.

        `refusal` is what the board itself said, `own_limit` the seconds that Pacemaker gives it.
        """
        if answer.ok:
            return f"in {answer.seconds:.1f} s", ""
        seen, cause = self._said(answer, refusal, own_limit)
        return seen, "; ".join(filter(None, (cause, self._others(answer))))

    def _said(self, answer: FenceAnswer, refusal: str, own_limit: float) -> tuple[str, str]:
        device, asker = answer.question.device, answer.question.asker
        elsewhere = self._elsewhere(answer)
        if answer.late:
            why = f"it hangs, is slower than the {own_limit:g} s that Pacemaker gives its monitor, "
            why += f"or something drops what {asker} sends"
            return f"no answer within {self.seconds} s", elsewhere or why
        if answer.absent:
            return f"{device.agent} is not there", f"install it on {asker}: fab deploy does"
        said = asking.last_line(answer.said)
        why = refusal or asking.reason(answer.said)
        return (f"{why} ({said})" if why else said), elsewhere or _cause(why, asker)

    def _elsewhere(self, answer: FenceAnswer) -> str:
        """Return that other nodes do reach the device: then it is the way there."""
        asked = answer.question
        same = [
            other
            for other in self.answers
            if other.ok
            and other.question.device.id == asked.device.id
            and other.question.target == asked.target
        ]
        nodes = ", ".join(dict.fromkeys(other.question.asker for other in same))
        if not nodes:
            return ""
        return f"{nodes} does reach it: look at the way from {asked.asker} (routes, firewalls)"

    def _others(self, answer: FenceAnswer) -> str:
        """Return which other devices do answer about the same node: it is still fenced."""
        asked = answer.question
        ids = dict.fromkeys(
            other.question.device.id
            for other in self.answers
            if other.ok and asked.target and other.question.target == asked.target
        )
        ids.pop(asked.device.id, None)
        return f"{asked.target} is still fenced by {', '.join(ids)}" if ids else ""


def _cause(refusal: str, asker: str) -> str:
    if "password" in refusal:
        return (
            "the password was changed on the board, or is wrong in the cluster: correct the secret "
            "in the inventory, then fab deploy"
        )
    if "certificate" in refusal:
        return "renew the board's certificate, or correct the nodes' clocks and what they trust"
    if "user" in refusal:
        return f"{_USER}: look at it on the board, or in the inventory"
    if refusal.startswith("nothing"):
        return f"the board is down or hangs, its address is wrong, or {asker} cannot reach it"
    return _PARAMETERS
