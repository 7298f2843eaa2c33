"""A watchdog's time without SBD: Pacemaker shuts down on every node, and stays down. Pure."""

from __future__ import annotations

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import Cib, pairs, plain_set
from pacefab.pacemaker.model import Configuration

_NAMES = ("stonith-watchdog-timeout", "fencing-watchdog-timeout")


def check_watchdog(cib: Cib, desired: Configuration) -> None:
    """Refuse a time for which SBD would have to run, which Pacemaker says in `have-watchdog`.

    Raises:
        RefusedError: it does not: pacemaker-controld ends with "stonith-watchdog-timeout configured
            but SBD not active" (pcmk__valid_sbd_timeout), which stops the whole cluster.
    """
    settings = cib.root.find("configuration/crm_config")
    known = pairs(plain_set(settings, "cluster_property_set")) if settings is not None else {}
    name = next((n for n in _NAMES if desired.properties.get(n, "0").strip("0s ")), "")
    if name and known.get("have-watchdog", "").lower() != "true":
        raise RefusedError(
            f"set {name} to {desired.properties[name]}",
            "SBD does not run here (the property have-watchdog is not true), and Pacemaker would "
            "shut down on every node",
            "nothing was changed: set up SBD on all nodes first (package sbd, a watchdog device, "
            f"pcs stonith sbd enable), or take {name} out of the inventory",
        )
