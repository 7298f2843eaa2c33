"""Local work: clusters to try things on, tests, lint. Tasks for real clusters are fab's."""

from __future__ import annotations

import sys

from invoke import Context, Exit, task

from tests.harness import cleanup
from tests.harness.cluster import DEFAULT_NODES, Cluster
from tests.harness.errors import HarnessError

DEV = "dev"


@task
def cluster_up(c, name=DEV, nodes=",".join(DEFAULT_NODES), image="auto"):
    try:
        Cluster.start(name, nodes.split(","), image, owner=cleanup.KEPT)
    except HarnessError as e:
        raise Exit(str(e), 1)
