"""Whether HAProxy's unit reads the file that we write (`-f $CONFIG` in both families). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from pathlib import PurePosixPath

from pacefab.host.model import HostFacts
from pacefab.services import starting

ENVIRONMENT = ("/etc/default/haproxy", "/etc/sysconfig/haproxy")  # Debian's, EL's
_VARIABLE = re.compile(r"""^[ \t"]*(\w+)=["']?([^"'\n]*)""", re.MULTILINE)
_REFERENCE = re.compile(r"\$(?:\{(?P<whole>\w+)\}|(?P<words>\w+))")


def check(facts: HostFacts, unit: str, path: str) -> None:
    """Raise a RefusedError when what is written to the file at `path` would not be in force."""
    found = facts.unit(unit)
    files = {name: facts.text(name) or "" for name in found.environment_files}
    values = dict(_VARIABLE.findall("\n".join([*found.environment, *files.values()])))
    named = set(re.findall(r"-f \$\{?(\w+)", " ".join(found.commands)))
    blamed = [name for name, text in files.items() if named & set(dict(_VARIABLE.findall(text)))]
    starting.check(found, path, partial(_reads, path, {"CONFIG": path, **values}), blamed=blamed)


def _reads(path: str, values: Mapping[str, str], command: list[str]) -> bool:
    """Whether a command reads the file, by itself or with its folder (haproxy(1))."""
    words = [word for each in command for word in _meant(each, values)]
    folder = next((word for flag, word in pairwise(words) if flag == "-C"), "/")
    last = words[words.index("--") + 1 :] if "--" in words else []
    files = [*(word for flag, word in pairwise(words) if flag == "-f"), *last]
    own = PurePosixPath(path)
    return any(PurePosixPath(folder, word) in {own, own.parent} for word in files)


def _meant(word: str, values: Mapping[str, str]) -> list[str]:
    """Return what systemd makes of a word that is a variable: $NAME is split at blanks."""
    reference = _REFERENCE.fullmatch(word)
    if reference is None:
        return [word]
    whole = reference["whole"]
    return [values.get(whole, "")] if whole else values.get(reference["words"], "").split()
