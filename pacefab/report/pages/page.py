"""A template of this package and its values -> the text of a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pacefab.report.stream import clean


def render_page(
    template: str, values: Mapping[str, Any], filters: Mapping[str, Callable[..., str]] = {}
) -> str:
    """Return the page; what values hold is escaped, and nothing unprintable of it is left.

    `template` is its path below `pacefab/report`; `filters` are the ones that it has besides
    Jinja's.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # 50 ms

    environment = Environment(
        loader=PackageLoader("pacefab.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clean,
    )
    environment.filters |= filters
    return environment.get_template(template).render(values)


def _clean(value: object) -> object:
    return clean(value) if type(value) is str else value
