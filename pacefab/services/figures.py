"""What a service's probes read in numbers and words, and how each is shown: one table. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Value = float | str
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
