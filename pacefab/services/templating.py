"""Configuration files from templates, each of which lies beside its service's modules."""

from __future__ import annotations

from pathlib import Path


def render(template: Path, **values: object) -> str:
    """Return a template's text with these values; a name that it lacks is an error."""
    # Here, because every run imports every service, and most render nothing.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(template.parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  (no HTML; values are checked where they are read)
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template.name).render(**values)
