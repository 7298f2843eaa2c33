"""Which files a run reads: the inventory and its secrets."""

from __future__ import annotations

import os
from pathlib import Path

USUAL_INVENTORIES = (Path("inventory", "cluster.yaml"), Path("cluster.yaml"))


def inventory_file(option: str | None) -> Path | None:
    """Return the file of --inventory, else of PACEFAB_INVENTORY, else the nearest usual one.

    Usual are inventory/cluster.yaml and cluster.yaml, in the current folder or above.
    """
    if named := option or os.environ.get("PACEFAB_INVENTORY"):
        return Path(named)
    here = Path.cwd()
    usual = (folder / name for folder in (here, *here.parents) for name in USUAL_INVENTORIES)
    return next((file for file in usual if file.exists()), None)


def secrets_file(option: str | None, inventory: Path | None) -> Path | None:
    """Return the file of --secrets, else of PACEFAB_SECRETS, else the one beside the inventory."""
    if named := option or os.environ.get("PACEFAB_SECRETS"):
        return Path(named)
    usual = inventory.with_suffix(".secrets.yaml") if inventory and inventory.name else None
    return usual if usual and usual.exists() else None
