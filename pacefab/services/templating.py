"""Configuration files from templates, each of which lies beside its service's modules."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: Path, **values: object) -> str:
    """Return a template's text with these values; a name that it lacks is an error."""
    return _environment(template.parent).get_template(template.name).render(**values)


@functools.cache
def _environment(folder: Path) -> Environment:
    """Return where a folder's templates are compiled, each once: every node has them."""
    # Here, because every run imports every service, and most render nothing.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  (no HTML; values are checked where they are read)
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
