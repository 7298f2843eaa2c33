"""Reset a cluster to how it was formed, without the product: quicker than a new one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import docker

from . import formation
from .nodes import run_in, run_script
from .parallel import on_all

CIB: Final = "cib.xml"
PACKAGES: Final = "packages.txt"
SETTLE_SECONDS: Final = 120
# What is configured no more is shown until it has stopped, but not while its first probe or start
# is under way (-1 is "pending"). crm_resource --wait takes 2 s at least.
# Fence devices are as they were formed; what runs besides is not.
# Seen once with Pacemaker 3.0: taken away within moments of its creation, a resource stayed
# Started, and nothing stopped it. The nodes are then asked again what they run.
NOTHING_RUNS: Final = """
later=$(($(date +%s) + 10))
while crm_mon --one-shot --output-as=xml | grep '<resource ' | grep -v 'agent="stonith:' ||
    cibadmin --query | grep -q '<lrm_rsc_op .*op-status="-1"'
do
    if [ "$(date +%s)" -ge "$later" ]; then
        crm_resource --refresh --quiet
        later=$((later + 60))
    fi
    sleep 0.2
done
"""


def remember(folder: Path, containers: Mapping[str, str]) -> None:
    """Write down the configuration and the packages of a cluster that was just formed."""
    first = next(iter(containers.values()))
    query = "cibadmin --query --scope configuration"
    (folder / CIB).write_text(run_in(first, query).stdout)
    (folder / PACKAGES).write_text("\n".join(_packages(first)))


def restore(folder: Path, containers: Mapping[str, str]) -> None:
    """Revive stopped nodes, put the first configuration back, and remove packages that came later.

    Raises `HarnessError` when a node doesn't come back or the cluster doesn't settle.
    """
    on_all(revive, containers.values())
    first = next(iter(containers.values()))
    formation.wait_formed(containers.values())
    replace = "cibadmin --replace --scope configuration --xml-pipe"
    run_in(first, replace, stdin=(folder / CIB).read_text())
    run_in(first, f"{NOTHING_RUNS}\ncrm_resource --cleanup --quiet", timeout=SETTLE_SECONDS)
    known = set((folder / PACKAGES).read_text().split())
    on_all(partial(_strip, known=known), containers.values())


def revive(container: str) -> None:
    """Make a paused, stopped or killed node run, and a member of the cluster."""
    found = docker.from_env().containers.get(container)
    if found.status == "paused":
        found.unpause()
    elif found.status != "running":
        found.start()
    formation.join(container)


def _strip(container: str, known: set[str]) -> None:
    added = [package for package in _packages(container) if package not in known]
    run_script(container, "reset", stdin=" ".join(added) + "\n")


def _packages(container: str) -> list[str]:
    return run_script(container, "packages").stdout.split()
