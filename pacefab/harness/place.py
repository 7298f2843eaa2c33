"""Where the harness keeps its clusters, and how its commands are typed there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_SOURCE: Final = Path(__file__).resolve().parents[2]
IN_CHECKOUT: Final = (_SOURCE / "pyproject.toml").is_file()
"""Whether this is pacefab's own checkout; otherwise it is an installed package."""
STATE: Final = (_SOURCE if IN_CHECKOUT else Path.cwd()) / ".pacefab"
"""Where clusters keep their ssh_config, keys and description: one folder each.

It is in pacefab's checkout; for an installed package in the folder where the process began.
"""


def open_state() -> Path:
    """Return the folder of all clusters, made if need be: private, and nothing for Git."""
    STATE.mkdir(mode=0o700, exist_ok=True)
    ignore = STATE / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    return STATE


def typed(command: str) -> str:
    """Return how a command of the harness is typed here: `invoke cluster-up` in the checkout."""
    return f"{'invoke' if IN_CHECKOUT else 'python -m pacefab.harness'} {command}"
