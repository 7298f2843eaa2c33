"""`python -m pacefab.harness cluster-up`: the harness' tasks, wherever pacefab is installed."""

from __future__ import annotations

from importlib.metadata import version

from invoke.collection import Collection

from pacefab.cli.endings import open_missing, watch_output
from pacefab.cli.reading.explaining import Explaining

from .tasks import cluster_down, cluster_shell, cluster_up

open_missing()
watch_output()
Explaining(
    name="python -m pacefab.harness",
    binary="python -m pacefab.harness",
    version=version("pacefab"),
    namespace=Collection(cluster_up, cluster_down, cluster_shell),
).run()
