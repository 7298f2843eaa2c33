"""What SBD needs on a node: its package, its file of settings, its unit. Pure.

The unit is enabled and not started: corosync starts it, and with it a cluster that is restarted
(sbd.service is part of corosync.service). Not proven on a node with a watchdog.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from pacefab.host.model import HostFacts, Program
from pacefab.pacemaker.fencing import sbd
from pacefab.pacemaker.fencing.sbd import SbdSettings
from pacefab.services.family import Family, family_of
from pacefab.services.service import DesiredNode, File, Look

UNIT: Final = "sbd.service"
_PACKAGE: Final = "sbd"
_PROGRAM: Final = "/usr/sbin/sbd"
CONFIG: Final[Mapping[Family, str]] = {"debian": "/etc/default/sbd", "rhel": "/etc/sysconfig/sbd"}

LOOK: Final = Look((_PACKAGE,), (UNIT,), tuple(CONFIG.values()))
"""What to look at on every node."""


def node(settings: SbdSettings, facts: HostFacts) -> DesiredNode:
    """Return what a node needs.

    Raises:
        RefusedError: its distribution is not known.
    """
    path = CONFIG[family_of(facts)]
    file = File(path, lambda old: sbd.write_config(old, settings))
    return DesiredNode(packages=(_PACKAGE,), files=(file,), at_boot=(UNIT,))


def brought(programs: Iterable[Program]) -> tuple[Program, ...]:
    """Return the programs that agents call, with the package that brings SBD's."""
    return tuple(
        replace(each, debian=(_PACKAGE,), rhel=(_PACKAGE,)) if each.path == _PROGRAM else each
        for each in programs
    )


def waits(settings: SbdSettings, facts: HostFacts) -> bool:
    """Whether SBD does not run on a node, or not with these settings; a restart brings it.

    Raises:
        RefusedError: its distribution is not known.
    """
    text = facts.text(CONFIG[family_of(facts)])
    return not facts.unit(UNIT).running or text is None or sbd.read_config(text) != settings
