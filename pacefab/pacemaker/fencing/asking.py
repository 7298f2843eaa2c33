"""What a fence device is asked, as Pacemaker would ask it, and what its answer means. Pure.

Only what reads is asked: status, monitor, list. The options go to the agent by standard input, as
Pacemaker gives them (fence agents' API, FenceAgentAPI.md of fence-agents).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from pacefab.pacemaker.fencing.devices import PLUGS, FenceDevice, targets_in
from pacefab.pacemaker.metadata import Metadata
from pacefab.pacemaker.naming import mask_assigned, secret_names
from pacefab.transport.command import Section, Step, shell

ON, OFF, FAILED = 0, 2, 1  # what status ends with
_OVER: Final = {124, 137}  # what timeout(1) ends with: it sent TERM, or KILL
_ABSENT: Final = {126, 127}
_READING: Final = {"status", "monitor", "list", "list-status"}
# Their status says nothing of a node's power.
_WITHOUT_STATUS: Final = {"fence_heuristics_ping", "fence_kdump", "fence_sbd", "fence_watchdog"}
# Pacemaker's own parameters, what delays, and what writes secrets somewhere.
_NOT_GIVEN: Final = re.compile(
    r"pcmk_\w+|priority|provides|stonith-timeout|fence-timeout|action|option|delay|verbose"
    r"|verbose_level|quiet|debug|debug_file|port|plug|nodename"
)
_KEPT_ELSEWHERE: Final = "lrm://"  # by `crm_resource` or pcs: the value is in a file of each node

# The first line is how many milliseconds it took.
_USAGE: Final = "Please use '-h' for usage"  # what the agents' library ends errors with
_REASONS: Final = (
    ("certificate has expired", "the board's certificate has expired"),
    ("certificate is not yet valid", "the board's certificate is not valid yet"),
    ("certificate verify failed", "the board's certificate is not trusted"),
    ("doesn't match", "the board's certificate has another name"),
    ("connection refused", "nothing listens there"),
    ("no route to host", "nothing is reached there"),
    ("unable to connect/login", "the device refuses the user or the password"),
    (
        "unable to get powerstate",
        "the board refuses the user or the password, or has no such system",
    ),
)
_ASK = r"""
begin=$(date +%s%N)
said=$(timeout -k 1 "$1" "$2" 2>&1); status=$?
end=$(date +%s%N)
echo $(((end - begin) / 1000000))
printf '%s\n' "$said" | head -c 4000
exit $status
"""


@dataclass(frozen=True)
class FenceQuestion:
    """One thing that a device is asked from one node; `target` is the node that it is about."""

    device: FenceDevice
    asker: str
    action: str
    target: str = ""
    outlet: str = ""

    @property
    def name(self) -> str:
        """What its section is called."""
        return f"{self.device.id} {self.action} {self.target} {self.outlet}"

    def step(self, metadata: Metadata | None, limit: int) -> Step:
        """Return the step that asks, within `limit` seconds."""
        options = "".join(f"{name}={value}\n" for name, value in self._options(metadata))
        return shell(self.name, _ASK, str(limit), self.device.agent, stdin=options)

    def _options(self, metadata: Metadata | None) -> Iterator[tuple[str, str]]:
        given = self.device.primitive.parameters
        own = self._argument(metadata) if self.target else ""
        yield "action", self.device.parameter(f"pcmk_{self.action}_action", default=self.action)
        for name, value in given.items():
            if name != own and not _NOT_GIVEN.fullmatch(name.strip()):
                yield name, value
        if self.target:
            yield from self._about(own, metadata)

    def _argument(self, metadata: Metadata | None) -> str:
        """Return the parameter by which the agent is given the outlet; empty: by none."""
        known = _known(metadata)
        own = self.device.argument or next((name for name in PLUGS if name in known), "")
        return "" if own.casefold() == "none" else own

    def _about(self, own: str, metadata: Metadata | None) -> Iterator[tuple[str, str]]:
        if own:
            yield own, self.outlet
        if "nodename" in _known(metadata):
            yield "nodename", self.target


def _known(metadata: Metadata | None) -> set[str]:
    return {parameter.name for parameter in metadata.parameters} if metadata else set(PLUGS)


@dataclass(frozen=True)
class FenceAnswer:
    """What a device said: `status` is the agent's exit status; None: it was not asked, and why."""

    question: FenceQuestion
    status: int | None
    seconds: float = 0.0
    said: str = ""

    @property
    def ok(self) -> bool:
        """Whether it answered: it is on, or off."""
        return self.status in {ON, OFF} if self.question.action == "status" else self.status == ON

    @property
    def late(self) -> bool:
        """Whether it gave no answer in time."""
        return self.status in _OVER

    @property
    def absent(self) -> bool:
        """Whether the node has no such agent."""
        return self.status in _ABSENT


def questions(
    device: FenceDevice,
    asker: str,
    nodes: Collection[str],
    metadata: Metadata | None,
    *,
    naming: bool = False,
) -> tuple[FenceQuestion, ...]:
    """Return what a device is asked from a node: each target's state, or what it knows.

    `naming`: also what it calls the outlets that are named, which one node's asking is enough for.
    """
    if device.targets is not None and device.agent not in _WITHOUT_STATUS:
        known = {node.casefold(): node for node in nodes}
        lists = naming and device.named_outlets and metadata and "list" in metadata.actions
        called = (FenceQuestion(device, asker, "list"),) if lists else ()
        return called + tuple(
            FenceQuestion(device, asker, "status", known[target.casefold()], outlet)
            for target, outlets in device.targets.items()
            for outlet in outlets
            if target.casefold() in known
        )
    asked = [FenceQuestion(device, asker, "monitor")]
    if device.targets is None and metadata and "list" in metadata.actions:
        asked.append(FenceQuestion(device, asker, "list"))
    return tuple(asked)


def unaskable(device: FenceDevice) -> str:
    """Return why a device cannot be asked by its agent; empty: it can."""
    given = device.primitive.parameters
    if not re.fullmatch(r"fence_[\w.-]+", device.agent):
        return f"{device.agent} is no agent that takes its options by standard input"
    if any(value.startswith(_KEPT_ELSEWHERE) for value in given.values()):
        return "a secret of it is in a file of the nodes (cibsecret)"
    if any(not (name + value).isprintable() for name, value in given.items()):
        return "a parameter holds what is no text, such as a line end"
    other = [device.parameter(f"pcmk_{name}_action", default=name) for name in _READING]
    if wrong := sorted(set(other) - _READING - {"metadata"}):
        return f"it would do {wrong[0]} in place of looking (pcmk_*_action)"
    return ""


def read(question: FenceQuestion, section: Section) -> FenceAnswer:
    """Return what a device said, without the values of secrets."""
    took, _, said = section.out.partition("\n")
    seconds = int(took) / 1000 if took.isdigit() else 0.0
    text = "\n".join(filter(None, (said.strip(), section.err.strip())))
    return FenceAnswer(question, section.status, seconds, masked(question.device, text))


def masked(device: FenceDevice, text: str) -> str:
    """Return what a program said of a device, without its secrets."""
    hidden = secret_names(device.primitive)
    for name in hidden & device.primitive.parameters.keys():
        if value := device.primitive.parameters[name]:
            text = text.replace(value, "(secret)")
    return mask_assigned(text)


def last_line(text: str) -> str:
    """Return the line of an agent's words that says why, without time and level of its log."""
    every = (line.strip() for line in text.splitlines())
    lines = [line for line in every if line and not line.endswith(_USAGE)]
    found = next((line for line in reversed(lines) if "Failed:" in line or "rror" in line), "")
    said = found or (lines[-1] if lines else "it said nothing")
    return re.sub(r"^.*?\b(?:ERROR|WARNING|CRITICAL): ", "", said)[:200]


def reason(text: str) -> str:
    """Return in words why an agent was refused, where it says so itself; empty: it does not.

    The words are those of Python's requests and of the agents' library (fencing.py of
    fence-agents 4.12), which agents over HTTPS log.
    """
    said = text.lower()
    return next((refusal for sign, refusal in _REASONS if sign in said), "")


def listed(answer: FenceAnswer) -> tuple[str, ...]:
    """Return the names that a list has, as Pacemaker reads it: every word of it may be one."""
    return targets_in(answer.said)


def called(device: FenceDevice, node: str) -> str:
    """Return, in lower case, by which name a device has to list a node: that of its map."""
    mapped = {name.casefold(): outlets for name, outlets in device.pairs}
    return ",".join(mapped.get(node.casefold()) or (node,)).casefold()


def names(answer: FenceAnswer) -> dict[str, str]:
    """Return what a list calls each outlet: "outlet,name" in each line."""
    pairs = (line.split(",") for line in answer.said.splitlines() if "," in line)
    return {pair[0].strip(): pair[1].strip() for pair in pairs}
