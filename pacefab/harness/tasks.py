"""Clusters of containers from the command line: `invoke cluster-up` in pacefab's checkout.

Elsewhere: `python -m pacefab.harness cluster-up`. Importing this needs none of the harness' own
packages: a task imports them when it runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task, task

from pacefab.errors import UsageError
from pacefab.report.text import render_last_words

from .errors import HarnessError, HarnessUsageError, missing_extra
from .place import typed

NODES = "c1,c2,c3"
NAME_HELP = {"name": "the cluster's name (default: dev, which fab finds by itself)"}
NODES_HELP = {"nodes": "names of its nodes, separated by commas"}
IMAGE_HELP = {"image": "node image: auto, centos9, centos10, debian12, debian13 or rpm"}
FENCING_HELP = {
    "fencing": "insist on a management board for each node, of bare ones too",
    "no-fencing": "a cluster that does not fence: no boards, no fence devices",
}
BARE_HELP = {
    "bare": "nodes with sshd and nothing of a cluster, in none; debian12 (auto), debian13, rpm",
    "replace": "remove a running cluster of this name that has other nodes or another image",
}


class LetteredTask(Task[Any]):
    """A task whose options have letters for short: the - within a name is none."""

    def arg_opts(self, name: str, default: str, taken_names: set[str]) -> dict[str, Any]:
        """Return how an option is parsed, as invoke asks for it."""
        return super().arg_opts(name, default, {*taken_names, "-"})


@task(help=NAME_HELP | NODES_HELP | IMAGE_HELP | BARE_HELP | FENCING_HELP, klass=LetteredTask)
def cluster_up(
    _: Context,
    name: str = "dev",
    nodes: str = NODES,
    image: str = "auto",
    bare: bool = False,
    replace: bool = False,
    fencing: bool = False,
    no_fencing: bool = False,
) -> None:
    """Start a cluster to try things on, unless it is up.

    It fences: each node has a simulated management board. Bare nodes have none, nor have those of
    an image without a fence agent (centos9, centos10, rpm). One that is up is taken with boards or
    without, unless an option says which.

    Bare nodes have the addresses 192.0.2.11, .12, ... too, those of inventory/openstack.yaml.

    Example: invoke cluster-up --image debian13 --nodes c1,c2,c3
    """
    with errors_as_text():
        from .kept import ClusterKind, ensure_cluster  # noqa: PLC0415

        if fencing and no_fencing:
            raise HarnessUsageError("--fencing and --no-fencing", next_step="give one of them")
        asked = fencing if fencing or no_fencing else None
        kind = ClusterKind(image, bare=bare, fencing=asked)
        cluster = ensure_cluster(name, nodes.split(","), kind, replace=replace)
        config = os.path.relpath(cluster.ssh_config)
        print(f"log in: ssh -F {config} {cluster.nodes[0]}")
        print(f"stop:   {typed(f'cluster-down --name {name}')}")


@task(help=NAME_HELP | {"all": "all clusters that were started here, those of running tests too"})
def cluster_down(_: Context, name: str = "dev", all: bool = False) -> None:  # noqa: A002
    """Stop a cluster and remove everything it had.

    Example: invoke cluster-down --all
    """
    with errors_as_text():
        from .kept import remove_cluster  # noqa: PLC0415
        from .place import known_names  # noqa: PLC0415

        names = known_names() if all else [name]
        for cluster in names:
            remove_cluster(cluster)
            print(f"{cluster} removed")
        if not names:
            print("there is no cluster here")


@task(help={"node": "name of the node"} | NAME_HELP)
def cluster_shell(_: Context, node: str, name: str = "dev") -> None:
    """Log in to a node as root.

    Example: invoke cluster-shell c1
    """
    with errors_as_text():
        from .cluster import Cluster  # noqa: PLC0415

        cluster = Cluster.load(name)
        cluster.address(node)
    os.execvp("ssh", ["ssh", "-F", str(cluster.ssh_config), node])  # noqa: S606  (an argv, and no shell)


@contextmanager
def errors_as_text() -> Iterator[None]:
    """End with the error's text, which fits a screen, in place of a traceback.

    Exit code 2: the options ask for what cannot be, or the harness' packages are not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).startswith("pacefab"):
            raise
        raise Exit(missing_extra(error), code=2) from error
    except UsageError as error:
        raise Exit(render_last_words(error), code=2) from error
    except HarnessError as error:
        code = 2 if isinstance(error, HarnessUsageError) else 1
        raise Exit(str(error), code=code) from error
