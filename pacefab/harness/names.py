"""Names of clusters and of their nodes: which there are, and which can be."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from typing import Final

from .cleanup import DESCRIPTION
from .errors import HarnessUsageError
from .place import STATE

PLAIN_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


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
