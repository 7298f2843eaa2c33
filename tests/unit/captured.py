"""What real nodes printed (scripts/capture); SOURCE.md beside each names versions and commands."""

from __future__ import annotations

from pathlib import Path

from pacefab.transport.command import Section

FOLDER = Path(__file__).resolve().parents[1] / "captured"
KINDS = ("debian12", "debian13", "rpm")


def text(kind: str, name: str) -> str:
    """Return a captured file's text."""
    return (FOLDER / kind / name).read_text()


def section(name: str, out: str = "", status: int = 0, err: str = "") -> dict[str, Section]:
    """Return sections that hold one, as a query gives them."""
    return {name: Section(name, status, out, err)}
