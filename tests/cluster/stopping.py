"""Runs of the program that end at a chosen point, as a machine that loses power ends them.

The point is a function of the program; the process sends itself a signal before it or after it.
What nodes were sent by then is on its way, or at work there.
"""

from __future__ import annotations

import signal
import subprocess
import sys

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from tests.cluster import eyes

_HOOK = r"""
import os, sys
from importlib import import_module

_, point, moment, number, elsewhere, *words = sys.argv
if elsewhere:
    from pacefab.workflows.transaction import head
    head._machine = lambda: elsewhere
if point:
    module, _, path = point.partition(":")
    *outer, name = path.split(".")
    owner = import_module(module)
    for part in outer:
        owner = getattr(owner, part)
    real = getattr(owner, name)

    def hooked(*args, **options):
        if moment == "before":
            os.kill(os.getpid(), int(number))
        found = real(*args, **options)
        if moment == "after":
            os.kill(os.getpid(), int(number))
        return found

    setattr(owner, name, hooked)
sys.argv = ["pacefab", *words]
from pacefab.cli.program import main
main()
"""
NODES_CHANGED = "pacefab.workflows.rollout.node_changes:NodeChanges.change"
ONE_NODE_CHANGED = "pacefab.workflows.rollout.node_changes:change_node"
PATCHED = "pacefab.workflows.nodes.apply_cib:patch"
STOPPED = "pacefab.workflows.rolling.ban:Bans.stop"
NODE_UPDATED = "pacefab.workflows.rolling.node_update:Due.change"
REMOVED = "pacefab.workflows.rollout.remove:_Removal._settle"
ENDING = "pacefab.workflows.transaction.transaction:Transaction.end"


def start(
    cluster: Cluster,
    *args: str,
    point: str = "",
    moment: str = "after",
    number: signal.Signals = signal.SIGKILL,
    elsewhere: str = "",
    hosts: str = "",
) -> subprocess.Popen[str]:
    """Start a run that stops itself there; `elsewhere`: as if it were on another machine."""
    words = eyes.fab_argv(cluster, *args, hosts=hosts)[1:]
    return subprocess.Popen(
        [sys.executable, "-c", _HOOK, point, moment, str(int(number)), elsewhere, *words],
        env=eyes.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=REPOSITORY_ROOT,
    )


def killed(cluster: Cluster, *args: str, point: str, moment: str = "after", hosts: str = "") -> str:
    """Run it to its death; return what it said. What is at work on nodes has ended then."""
    process = start(cluster, *args, point=point, moment=moment, hosts=hosts)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL, said
    for node in cluster.nodes:
        cluster.run(node, "flock /run/pacefab.lock true")
    return said
