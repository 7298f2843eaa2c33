"""What a service's probes read in numbers and words, and how each is shown: one table. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Value = float | str
_MOST = 1 << 63  # what no counter reaches: those of the services have 64 bits
_LONGEST = 200  # characters of a text
_LONGEST_SPAN = 86400 * 365 * 1000  # seconds
Shown = Callable[[Mapping[str, Value]], str]


@dataclass(frozen=True)
class Alert:
    """When a metric is to call somebody: `when` it is so (PromQL behind its name) for `minutes`."""

    name: str
    when: str  # "> 0.1"
    minutes: int = 5


@dataclass(frozen=True)
class Figure:
    """A figure that a service's probes read: its key in JSON, its metric, its column of text.

    A `counter` only rises; an `info` is a text, which metrics have as a label of one metric of the
    service. One without a `column` is left out of the text. `show` gets all figures of an instance
    and returns the cell; it is called only where this one is there. A metric is called after the
    service and `metric`, or the key where that is empty (and `_total`, for a counter); "-": none.
    """

    name: str  # with its unit where it has one: uptime_seconds
    help: str
    kind: Literal["gauge", "counter", "info"] = "gauge"
    column: str = ""
    show: Shown | None = None
    metric: str = ""
    alert: Alert | None = None

    def text(self, figures: Mapping[str, Value]) -> str:
        """Return the cell of the column."""
        value = figures.get(self.name)
        if value is None:
            return "-"
        if self.show:
            return self.show(figures)
        return value if isinstance(value, str) else f"{round(value, 2):.15g}"

    @property
    def exported(self) -> str:
        """What the metric is called behind the service's name; empty where there is none."""
        ending = "_total" if self.kind == "counter" else ""
        return "" if self.metric == "-" else (self.metric or self.name) + ending


def wrong_figures(known: Sequence[Figure], read: Mapping[str, object]) -> str:
    """Return which figures are not of their kind, in an operator's words; empty: all of them are.

    What a service says is its own: a number may be a word there, or endless. Of what is read beside
    the figures (the address) either will do.
    """
    kinds = {figure.name: figure.kind for figure in known}
    wrong = [
        f"{name} is {str(value)[:40]!r}"
        for name, value in read.items()
        if not _fits(kinds.get(name), value)
    ]
    return f"its figures make no sense: {', '.join(wrong)}" if wrong else ""


def _fits(kind: str | None, value: object) -> bool:
    text, number = _is_text(value), _is_number(value)
    return text if kind == "info" else number or (text and kind is None)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < _MOST  # neither is inf, nor nan


def span(seconds: Value) -> str:
    """Return a time that has passed, as people write it."""
    return str(timedelta(seconds=min(int(seconds), _LONGEST_SPAN)))
