"""Ask memcached itself, from a node, over the network: targets in, answers out. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pacefab.errors import CommandError
from pacefab.services.probes.node_python import python
from pacefab.transport.command import Section, Step

PROBE_SECONDS = 2.0  # far more than a connection on a local network takes

_PROGRAM = Path(__file__).with_name("node_probe.py")


@dataclass(frozen=True)
class Target:
    """Where a node's memcached should answer; `barred` is why no key can be set, by its settings.

    It is empty where everybody can.
    """

    node: str
    address: str
    port: int
    barred: str = field(default="", compare=False)

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """What a target said; `stats` and `settings` are memcached's own names and values.

    One that is `barred` ("it wants a password (-Y)") serves when it accepts connections; more
    cannot be asked, and it has no statistics.
    """

    served: bool  # a key was set, read back and deleted, as far as it can be asked
    error: str  # empty when it served: "timeout", "Connection refused", ...
    seconds: float
    stats: Mapping[str, str]
    settings: Mapping[str, str]
    barred: str = ""

    @property
    def connected(self) -> bool:
        """Whether something accepted the connection, memcached or not."""
        return bool(self.stats) or self.error not in _NOT_CONNECTED

    def number(self, name: str) -> int:
        """Return a statistic; 0 when memcached does not report it."""
        return int(self.stats.get(name, "0") or 0)

    @property
    def hit_ratio(self) -> float | None:
        """Return get_hits / (get_hits + get_misses); None before the first get."""
        hits, misses = self.number("get_hits"), self.number("get_misses")
        return hits / (hits + misses) if hits + misses else None


_NOT_CONNECTED = {"timeout", "Connection refused", "No route to host", "Network is unreachable"}


def observe(targets: Sequence[Target], seconds: float = PROBE_SECONDS) -> list[Step]:
    """Return the step that asks every target at once; each has `seconds` to answer."""
    request = {"targets": [[t.address, t.port] for t in targets], "seconds": seconds}
    return [python("probe", _PROGRAM, json.dumps(request))]


def parse(targets: Sequence[Target], sections: Mapping[str, Section]) -> dict[Target, Answer]:
    """Return each target's answer.

    Raises:
        CommandError: the node could not ask (no Python).
    """
    section = sections.get("probe")
    if section is None or not section.ok:
        raise CommandError(
            "ask memcached from this node",
            section.text if section else "no answer",
            "the node needs python3, which pcs brings",
        )
    said = json.loads(section.out)
    return {t: _answer(t, answer) for t, answer in zip(targets, said, strict=True)}


def _answer(target: Target, said: Mapping[str, object]) -> Answer:
    served = bool(said.get("served"))
    error = str(said.get("error") or ("" if served else f"it said {said.get('said')!r}"))
    barred = str(said.get("barred") or "")
    if target.barred and not served and error not in _NOT_CONNECTED:
        barred = target.barred
    if barred:
        served, error = True, ""
    stats, settings = said.get("stats"), said.get("settings")
    return Answer(
        served=served,
        error=error,
        seconds=float(str(said.get("seconds", 0))),
        stats=stats if isinstance(stats, dict) else {},
        settings=settings if isinstance(settings, dict) else {},
        barred=barred,
    )
