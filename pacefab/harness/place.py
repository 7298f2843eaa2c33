"""Where the harness keeps its clusters, what they are called, how its commands are typed there."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .errors import HarnessUsageError

_SOURCE: Final = Path(__file__).resolve().parents[2]
IN_CHECKOUT: Final = (_SOURCE / "pyproject.toml").is_file()
"""Whether this is pacefab's own checkout; otherwise it is an installed package."""
STATE: Final = (_SOURCE if IN_CHECKOUT else Path.cwd()) / ".pacefab"
"""Where clusters keep their ssh_config, keys and description: one folder each.

It is in pacefab's checkout; for an installed package in the folder where the process began.
"""
DESCRIPTION: Final = "cluster.json"
PLAIN_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


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


def known_names() -> list[str]:
    """Return the names of all clusters that were started from here, broken ones too."""
    return sorted(path.parent.name for path in STATE.glob(f"*/{DESCRIPTION}"))


def unique_name(prefix: str) -> str:
    """Return a name that no other cluster has."""
    return f"{prefix}-{os.getpid()}-{secrets.token_hex(2)}"


def check_names(name: str, nodes: Sequence[str]) -> None:
    """Refuse names that no host could have, and so all that means something to a shell.

    Raises `HarnessUsageError`.
    """
    for word in (name, *nodes):
        if not PLAIN_NAME.fullmatch(word):
            raise HarnessUsageError(
                f"{word!r} can't name a cluster or a node", next_step="use a-z, 0-9 and -"
            )
    if not nodes or len(set(nodes)) != len(nodes):
        raise HarnessUsageError(f"node names {','.join(nodes)!r}", next_step="name each node once")
