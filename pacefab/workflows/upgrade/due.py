"""What a node needs: newer packages, and restarts of what runs with old files. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pacefab.host.patches import PatchFacts, User

CLUSTER_UNITS: Final = (
    "pacemaker.service", "corosync.service", "corosync-qdevice.service", "sbd.service",
)  # fmt: skip
"""The cluster services; a node without them is out of the cluster."""
_PACEMAKER: Final = "pacemaker"  # its unit has its daemons, and what its agents have started
# What must not restart under those who use it (needrestart leaves the like alone): it goes on.
_KEPT: Final = re.compile(
    r"dbus.*|systemd-logind|systemd-networkd|NetworkManager|networking|wpa_supplicant|"
    r"(?:serial-|console-)?getty.*|(?:gdm|gdm3|lightdm|sddm)|docker|containerd|libvirtd|virt.*"
)
_SHOWN: Final = 3  # of the packages that a restart is for


@dataclass(frozen=True)
class PatchDue:
    """What is due on a node.

    Args:
        facts: what the node said.
        uses: who uses files of the packages that would be upgraded.
        old: who uses files that were replaced.
        managed: the units that Pacemaker runs.
    """

    facts: PatchFacts
    uses: tuple[User, ...] = ()
    old: tuple[User, ...] = ()
    managed: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether anything is due."""
        return bool(self.facts.newer or self.facts.half_done or self._restarts or self.at_boot)

    @property
    def _restarts(self) -> bool:
        return bool(self.machine or self.cluster or self.resources or self.services)

    @property
    def machine(self) -> tuple[str, ...]:
        """Why the machine restarts."""
        newer = (f"{p.name} is upgraded" for p in self.facts.newer if p.of_machine and p.old)
        kernels = (f"{p.name} is new" for p in self.facts.newer if p.of_machine and not p.old)
        return (*newer, *kernels, *self.facts.machine)

    @property
    def cluster(self) -> tuple[str, ...]:
        """Why the cluster services are stopped."""
        return tuple(self._reasons(u for u in CLUSTER_UNITS if u not in self.managed))

    @property
    def resources(self) -> tuple[str, ...]:
        """What Pacemaker runs here with files that were replaced; it starts anew by a standby."""
        return tuple(dict.fromkeys(u.process for u in self.old if self._is_resource(u)))

    @property
    def services(self) -> dict[str, str]:
        """Other units that are restarted, and why."""
        others = self._others()
        return {u: next(self._reasons([u])) for u in others if not self._kept(u)}

    @property
    def left(self) -> tuple[str, ...]:
        """Units that go on with files that were replaced, until the machine restarts."""
        if self.machine:
            return ()
        return tuple(unit for unit in self._others() if self._kept(unit))

    @property
    def at_boot(self) -> tuple[str, ...]:
        """Units that Pacemaker runs and systemd would start at boot."""
        return tuple(unit for unit in self.facts.enabled if unit in self.managed)

    @property
    def changes(self) -> tuple[str, ...]:
        """What is done there, a line each."""
        return (
            *map(str, self.facts.newer),
            *(["packages that were begun are configured"] if self.facts.half_done else []),
            *(f"the machine restarts: {why}" for why in self.machine),
            *(f"the cluster services restart: {why}" for why in self.cluster),
            *(f"{name} starts anew: it runs with files that were replaced" for name in self._anew),
            *(f"{unit} restarts: {why}" for unit, why in self.services.items() if not self.machine),
            *(f"{unit} is disabled: Pacemaker runs it" for unit in self.at_boot),
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """What an operator should know besides, a line each."""
        back = ", ".join(self.facts.kept_back)
        return (
            *([f"kept back, as another package would go: {back}"] if back else []),
            *(f"{unit} goes on with old files until the machine restarts" for unit in self.left),
        )

    @property
    def _anew(self) -> tuple[str, ...]:
        return () if self.facts.newer else self.resources

    def _others(self) -> list[str]:
        """Return the units of neither Pacemaker nor the cluster that use what is, or was, new."""
        users = (u.unit for u in (*self.uses, *self.old))
        none = {*CLUSTER_UNITS, *self.managed}
        return [u for u in dict.fromkeys(users) if u not in none and not _is_session(u)]

    def _kept(self, unit: str) -> bool:
        return _KEPT.fullmatch(unit.removesuffix(".service")) is not None or unit == "init.scope"

    def _is_resource(self, user: User) -> bool:
        foreign = user.unit == CLUSTER_UNITS[0] and not user.process.startswith(_PACEMAKER)
        return user.unit in self.managed or foreign

    def _reasons(self, units: Iterable[str]) -> Iterator[str]:
        """Yield for each unit that uses what is, or was, new why it restarts."""
        for unit in units:
            mine = [u for u in self.uses if u.unit == unit and not self._is_resource(u)]
            names = list(dict.fromkeys(u.what for u in mine))
            if names:
                more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
                yield f"{unit} uses {', '.join([*names[:_SHOWN], *more])}"
            elif any(u.unit == unit and not self._is_resource(u) for u in self.old):
                yield f"{unit} runs with files that were replaced"


def _is_session(unit: str) -> bool:
    """Whether it is of a user who is logged in; init.scope is systemd itself."""
    return unit.startswith("user@") or (unit.endswith(".scope") and unit != "init.scope")
