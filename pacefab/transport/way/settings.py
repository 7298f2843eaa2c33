"""What OpenSSH's configuration says about one host (ssh_config(5)), whoever read it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_DEFAULTS: Mapping[str, Sequence[str]] = {
    "userknownhostsfile": ["~/.ssh/known_hosts ~/.ssh/known_hosts2"],
    "globalknownhostsfile": ["/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"],
    "identityfile": [f"~/.ssh/id_{kind}" for kind in ("rsa", "ecdsa", "ed25519")],
    "stricthostkeychecking": ["ask"],
}
"""ssh's own, where nothing is set; of the keys those kinds that can be used here."""


@dataclass(frozen=True)
class Sources:
    """Where a host's configuration comes from; what comes first wins.

    Args:
        file: read instead of the user's and the machine's files, as with `ssh -F`.
        section: more of an ssh_config, read after the files.
    """

    file: Path | None = None
    section: str = ""


@dataclass(frozen=True)
class HostSettings:
    """The values of each keyword (in lower case), a line of the configuration each."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def all(self, keyword: str) -> Sequence[str]:
        """Return the values of a keyword that may be there several times."""
        return self.values.get(keyword) or _DEFAULTS.get(keyword, ())

    def one(self, keyword: str) -> str | None:
        """Return the value of a keyword; None when it is not set, or `none`."""
        value = next(iter(self.all(keyword)), "none")
        return None if value.lower() == "none" else value

    def says(self, keyword: str, *, default: bool) -> bool:
        """Whether a keyword of yes and no is yes."""
        value = self.one(keyword)
        return default if value is None else value.lower() in {"yes", "true"}

    def number(self, keyword: str) -> int | None:
        """Return a number greater than 0; None when it is not set."""
        value = self.one(keyword)
        return int(value) if value and value.isdigit() and int(value) > 0 else None

    def listed(self, keyword: str) -> list[str]:
        """Return a value that is a list with commas; empty when it is not set."""
        value = self.one(keyword)
        return value.split(",") if value else []

    def file_names(self, keyword: str) -> list[str]:
        """Return a value that is several names of files.

        `ssh -G` writes them with blanks between and no quotes, so blanks within a name are found
        by looking which file there is.
        """
        words = (self.one(keyword) or "").split(" ")
        names = []
        while words and words[0]:
            ends = range(len(words), 1, -1)
            end = next((n for n in ends if os.path.exists(" ".join(words[:n]))), 1)  # noqa: PTH110
            names.append(" ".join(words[:end]))
            words = words[end:]
        return [name for name in names if name.lower() != "none"]
