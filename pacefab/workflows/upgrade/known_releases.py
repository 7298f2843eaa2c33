"""The releases of distributions that an upgrade leads from and to, and what they bring. Pure.

Versions are those of the releases' own packages (packages.debian.org, packages.ubuntu.com); of
Debian 12 and 13 they were seen on nodes (tests/captured).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pacefab.errors import RefusedError, UsageError

Version = tuple[int, int]


@dataclass(frozen=True)
class Release:
    """A release of a distribution, and the versions of what a cluster is made of."""

    id: str  # debian, ubuntu
    version: str  # 12
    codename: str  # bookworm
    packages: Mapping[str, Version] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.id} {self.version} ({self.codename})"


def _release(
    name: str, version: str, codename: str, pacemaker: Version, rabbitmq: Version, mariadb: Version
) -> Release:
    packages = {
        "pacemaker": pacemaker, "corosync": (3, 1),
        "rabbitmq-server": rabbitmq, "mariadb-server": mariadb,
    }  # fmt: skip
    return Release(name, version, codename, packages)


RELEASES: Final = (
    _release("debian", "11", "bullseye", (2, 0), (3, 8), (10, 5)),
    _release("debian", "12", "bookworm", (2, 1), (3, 10), (10, 11)),
    _release("debian", "13", "trixie", (3, 0), (4, 0), (11, 8)),
    _release("ubuntu", "22.04", "jammy", (2, 1), (3, 9), (10, 6)),
    _release("ubuntu", "24.04", "noble", (2, 1), (3, 12), (10, 11)),
)
"""In the order of each distribution: to the next one, and no further, leads an upgrade."""
_VERSION = re.compile(r"(?:\d+:)?(\d+)\.(\d+)")


def names() -> list[str]:
    """Return the codenames."""
    return [release.codename for release in RELEASES]


def number(version: str) -> Version | None:
    """Return the first two numbers of a package's version; None: it has none."""
    found = _VERSION.match(version)
    return (int(found[1]), int(found[2])) if found else None


def of(id_: str, version: str) -> Release | None:
    """Return the release that os-release names; None: one that is not known here."""
    return next((g for g in RELEASES if (g.id, g.version) == (id_, version)), None)


def called(codename: str) -> Release:
    """Return the release of a codename.

    Raises:
        UsageError: there is none.
    """
    found = next((g for g in RELEASES if g.codename == codename), None)
    if found is None:
        allowed = f"give one of {', '.join(names())}"
        raise UsageError("read the options", f"--to {codename[:60]}", allowed)
    return found


def distance(own: Release, target: Release) -> int:
    """Return how many releases lie between: 1 for the next one, 0 for itself.

    Raises:
        RefusedError: they are of different distributions.
    """
    if own.id != target.id:
        raise RefusedError(
            f"upgrade to {target}", f"the nodes are {own}", "give a release of that: --to"
        )
    return RELEASES.index(target) - RELEASES.index(own)


def following(own: Release) -> Release:
    """Return the release after one; itself where none is known."""
    rest = RELEASES[RELEASES.index(own) + 1 :]
    return next((g for g in rest if g.id == own.id), own)
