"""A watchdog's time without SBD: Pacemaker shuts down on every node, and stays down. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import Cib, pairs, plain_set
from pacefab.pacemaker.model import Configuration

_ENABLED = ("stonith-enabled", "fencing-enabled")
_NAMES = ("stonith-watchdog-timeout", "fencing-watchdog-timeout")


def until_sbd_runs(cib: Cib, desired: Configuration, *, alone: bool) -> Configuration:
    """Return what can be desired while SBD is set up and does not run: no time of a watchdog.

    `alone`: nothing else fences, so that fencing is not enabled before either.
    """
    if has_watchdog(cib):
        return desired
    later = {*_NAMES, *(_ENABLED if alone else ())}
    kept = {name: value for name, value in desired.properties.items() if name not in later}
    return replace(desired, properties=kept)


def has_watchdog(cib: Cib) -> bool:
    """Whether SBD runs, as Pacemaker says in `have-watchdog`."""
    settings = cib.root.find("configuration/crm_config")
    known = pairs(plain_set(settings, "cluster_property_set")) if settings is not None else {}
    return known.get("have-watchdog", "").lower() == "true"


def check_watchdog(cib: Cib, desired: Configuration) -> None:
    """Refuse a time for which SBD would have to run, which Pacemaker says in `have-watchdog`.

    Raises:
        RefusedError: it does not: pacemaker-controld ends with "stonith-watchdog-timeout configured
            but SBD not active" (pcmk__valid_sbd_timeout), which stops the whole cluster.
    """
    # A time with a digit that is not 0, in whatever unit, is none of 0.
    name = next((n for n in _NAMES if re.search("[1-9]", desired.properties.get(n, ""))), "")
    if name and not has_watchdog(cib):
        raise RefusedError(
            f"set {name} to {desired.properties[name]}",
            "SBD does not run here (the property have-watchdog is not true), and Pacemaker would "
            "shut down on every node",
            "nothing was changed: set up SBD on all nodes first (package sbd, a watchdog device, "
            f"fencing: sbd: in the inventory), or take {name} out of the inventory",
        )
