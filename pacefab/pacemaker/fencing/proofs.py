"""What is known of real fencing: Pacemaker's history of it, and the note that outlives it. Pure.

The history is in the memory of the nodes' pacemaker-fenced: once the whole cluster has stopped, it
is empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from lxml import etree

from pacefab.transport import xml_answers

_SWITCHING = {"off", "reboot"}
_BY_HAND = "a human"  # stonith_admin --confirm: somebody says that it is off
_CTIME = "%a %b %d %H:%M:%S %Y"  # Pacemaker 2.0


@dataclass(frozen=True)
class Proof:
    """A node that was fenced: when (seconds since 1970), how (off, reboot), by which node."""

    node: str
    at: int
    action: str
    by: str = ""

    @property
    def day(self) -> str:
        """When, as an operator reads it, in UTC."""
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%d %H:%M")


def parse_history(text: str) -> tuple[Proof, ...]:
    """Return the successes that `stonith_admin --history '*' --output-as=xml` prints; TZ is UTC.

    Raises:
        ValueError: this is no such XML.
    """
    root = xml_answers.parse(text)
    if root.tag not in {"pacemaker-result", "fence_history"}:
        raise ValueError(f"not a history of fencing: <{root.tag}>")
    return tuple(_proofs(root.iter("fence_event")))


def _proofs(events: Iterable[etree._Element]) -> Iterator[Proof]:
    for event in events:
        done, by = event.get("completed", ""), event.get("delegate", "")
        action, at = event.get("action", ""), _seconds(done)
        succeeded = event.get("status") == "success"
        if succeeded and action in _SWITCHING and by != _BY_HAND and at is not None:
            yield Proof(event.get("target", ""), at, action, by)


def _seconds(text: str) -> int | None:
    for read in (datetime.fromisoformat, _read_ctime):
        try:
            found = read(text.strip())
        except ValueError:
            continue
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    return None


def _read_ctime(text: str) -> datetime:
    return datetime.strptime(text, _CTIME).replace(tzinfo=UTC)


def parse_note(text: str) -> tuple[Proof, ...]:
    """Return what `render_note` wrote; a line that is damaged is none."""
    return tuple(proof for line in text.splitlines() if (proof := _noted(line)) is not None)


def _noted(line: str) -> Proof | None:
    try:
        found = json.loads(line)
        return Proof(str(found["node"]), int(found["at"]), str(found["action"]), str(found["by"]))
    except (ValueError, KeyError, TypeError):
        return None


def render_note(proofs: Mapping[str, Proof]) -> str:
    """Return the note that nodes keep: a line of JSON for each node that was fenced."""
    return "".join(json.dumps(asdict(proofs[node])) + "\n" for node in sorted(proofs))


def latest(proofs: Iterable[Proof]) -> dict[str, Proof]:
    """Return the last proof of each node."""
    return {proof.node: proof for proof in sorted(proofs, key=lambda proof: proof.at)}


def unproven(nodes: Sequence[str], proofs: Mapping[str, Proof]) -> tuple[str, ...]:
    """Return the nodes of which no real fencing is known."""
    return tuple(node for node in nodes if node not in proofs)
