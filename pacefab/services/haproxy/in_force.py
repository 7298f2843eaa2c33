"""Whether HAProxy's unit reads the file that we write (`-f $CONFIG` in both families). Pure."""

from __future__ import annotations

import re
from functools import partial
from itertools import pairwise
from pathlib import PurePosixPath

from pacefab.host.model import HostFacts
from pacefab.services import starting

ENVIRONMENT = ("/etc/default/haproxy", "/etc/sysconfig/haproxy")  # Debian's, EL's
_CONFIG = re.compile(r"""^[ \t]*CONFIG=["']?([^"'\s]+)""", re.MULTILINE)


def check(facts: HostFacts, unit: str, path: str) -> None:
    """Raise a RefusedError when what is written to the file at `path` would not be in force."""
    found = facts.unit(unit)
    files = [facts.text(name) or "" for name in found.environment_files]
    values = _CONFIG.findall("\n".join([*found.environment, *files]))
    reads = partial(_reads, path, values[-1] if values else path)
    blamed = [name for name in found.environment_files if _CONFIG.search(facts.text(name) or "")]
    starting.check(found, path, reads, blamed=blamed)


def _reads(path: str, config: str, words: list[str]) -> bool:
    """Whether a command reads the file, by itself or with its folder; `config` is $CONFIG."""
    named = [word for flag, word in pairwise(words) if flag == "-f"]
    real = [config if word in {"$CONFIG", "${CONFIG}"} else word for word in named]
    folder = str(PurePosixPath(path).parent)
    return any(word.rstrip("/") in {path, folder} for word in real)
