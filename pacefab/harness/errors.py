"""What the harness raises: where, what was attempted, what was seen, what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LAST_LINES = 15


class HarnessError(Exception):
    """A cluster could not be built, reached or used; the text fits one screen."""

    def __init__(
        self, attempted: str, *, node: str = "", seen: str = "", next_step: str = ""
    ) -> None:
        """Keep the parts, for whoever wants to show them otherwise."""
        super().__init__(attempted)
        self.attempted = attempted
        self.node = node
        self.seen = seen
        self.next_step = next_step

    def __str__(self) -> str:
        """Tell the parts that are known, a paragraph each."""
        parts = [f"{self.node}: {self.attempted}" if self.node else self.attempted]
        if self.seen.strip():
            parts.append("\n".join(f"  {line}" for line in last_lines(self.seen)))
        if self.next_step:
            parts.append(f"  next: {self.next_step}")
        return "\n".join(parts)


class HarnessUsageError(HarnessError):
    """The options ask for something that there is not; nothing was started or removed."""


def missing_extra(error: ModuleNotFoundError) -> str:
    """Return what an operator reads where the harness' own packages are not installed."""
    return "\n".join(
        [
            "use pacefab's clusters of containers",
            f"  the Python package {error.name} is not installed",
            "  next: pip install 'pacefab[harness]'",
        ]
    )


def one_of(typed: str, known: Iterable[str]) -> str:
    """Return a next step that names what there is, the nearest to what was typed first."""
    choices = list(known)
    nearest = difflib.get_close_matches(typed, choices, n=1)
    meant = f"did you mean {nearest[0]}? " if nearest else ""
    return f"{meant}there is {', '.join(choices)}" if choices else "there is none"


def last_lines(text: str, count: int = LAST_LINES) -> list[str]:
    """Return the last lines of an output, where the reason usually is."""
    return text.strip().splitlines()[-count:]
