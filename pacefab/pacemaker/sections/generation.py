"""What the Pacemaker of a CIB understands: names of properties, and values that it dropped. Pure.

Pacemaker 3.0.2 gave the properties of fencing new names (its ChangeLog; feature set 3.20.5) and
reads the old ones where the new one is not set; older ones ignore the new names. The feature set of
a CIB is that of the oldest node, so it says what all nodes understand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import Cib, pairs
from pacefab.pacemaker.configuration import property_set
from pacefab.pacemaker.model import Configuration
from pacefab.pacemaker.sections.property_names import NEW_NAMES

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_NEW_NAMES_SINCE = (3, 20, 5)
_THREE = (3, 20, 0)  # the feature set of Pacemaker 3.0.0
_OLD_NAMES = {new: old for old, new in NEW_NAMES.items()}


@dataclass(frozen=True)
class Generation:
    """How new the Pacemaker of a cluster is; `feature_set` is (0, 0, 0) where there is none yet."""

    feature_set: tuple[int, int, int]

    @property
    def has_new_names(self) -> bool:
        """Whether it understands fencing-enabled and the like."""
        return self.feature_set >= _NEW_NAMES_SINCE


@dataclass(frozen=True)
class _Dropped:
    """A value of a property, or every one, that Pacemaker has dropped, and what replaces it."""

    since: tuple[int, int, int]
    version: str
    name: str  # the old one
    value: str  # empty: whatever it is
    instead: str


_DROPPED = (
    _Dropped(_THREE, "3.0.0", "stonith-action", "poweroff", "write off"),
    _Dropped(_THREE, "3.0.0", "remove-after-stop", "", "leave it out: a stopped resource is kept"),
)


def generation(cib: Cib) -> Generation:
    """Return the generation of a CIB."""
    found = _VERSION.fullmatch(cib.root.get("crm_feature_set", ""))
    major, minor, patch = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    return Generation((major, minor, patch))


def fit(cib: Cib, desired: Configuration) -> Configuration:
    """Return what is desired with each property under the name that the cluster has for it.

    That is the name under which it is set; else the new one where Pacemaker understands it.

    Raises:
        RefusedError: this Pacemaker has dropped a property, or a value of it.
    """
    own = generation(cib)
    _check(own, desired.properties)
    present = pairs(property_set(cib))
    named = {_name(name, own, present): value for name, value in desired.properties.items()}
    return desired if named == desired.properties else replace(desired, properties=named)


def _name(name: str, own: Generation, present: Mapping[str, str]) -> str:
    old, new = _OLD_NAMES.get(name, name), NEW_NAMES.get(name, name)
    if old == new or not own.has_new_names:
        return old
    return old if old in present and new not in present else new


def stale(desired: Mapping[str, str]) -> Iterator[str]:
    """Yield the other names of properties that are desired: both at once are never desired."""
    both = {**_OLD_NAMES, **NEW_NAMES}
    yield from (both[name] for name in desired if name in both)


def _check(own: Generation, properties: Mapping[str, str]) -> None:
    for each in _DROPPED:
        for name in (each.name, NEW_NAMES.get(each.name, each.name)):
            value = properties.get(name)
            if value is None or own.feature_set < each.since or each.value not in {"", value}:
                continue
            said = f"{name}={value}" if each.value else name
            raise RefusedError(
                f"set the property {name}",
                f"Pacemaker has dropped {said} in {each.version}, which this cluster runs or is "
                "newer than",
                f"nothing was changed; {each.instead}",
            )
