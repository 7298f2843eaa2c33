"""Local work: clusters of containers, tests, lint. Services on clusters are the work of fab."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from invoke import main as running
from invoke.context import Context
from invoke.exceptions import Exit, UnexpectedExit
from invoke.tasks import task

from pacefab.cli.endings import watch_output
from pacefab.errors import PacefabError, UsageError
from pacefab.harness.cluster import DEFAULT_NODES, Cluster, ensure_cluster, known_clusters
from pacefab.harness.errors import HarnessError
from pacefab.report.text import render_error

NAMES = ",".join(DEFAULT_NODES)
COVERED = ("pacefab/legacy", "pacefab/pacemaker")
TESTED_IMAGES = "debian12,debian13,rpm"
WORKERS = 3  # much of a test's time is Pacemaker waiting; two processors bear three
INTERRUPTED, NONE_FOUND = 2, 5  # exit codes of pytest
NAME_HELP = {"name": "the cluster's name (default: dev, which fab finds by itself)"}
NODES_HELP = {"nodes": "names of its nodes, separated by commas"}
IMAGE_HELP = {"image": "node image: auto, centos9, centos10, debian12, debian13 or rpm"}

BARE_HELP = {
    "bare": "nodes with sshd and nothing of a cluster, in none; debian12 (auto) or debian13"
}

if hasattr(running.program, "core"):  # invoke runs; no test imports this file
    watch_output()


@task(help=NAME_HELP | NODES_HELP | IMAGE_HELP | BARE_HELP)
def cluster_up(
    _: Context, name: str = "dev", nodes: str = NAMES, image: str = "auto", bare: bool = False
) -> None:
    """Start a cluster to try things on, unless it is up.

    Bare nodes have the addresses 192.0.2.11, .12, ... too, those of inventory/openstack.yaml.

    Example: invoke cluster-up --image debian13 --nodes c1,c2,c3
    """
    with told():
        cluster = ensure_cluster(name, nodes.split(","), image, bare=bare)
    config = os.path.relpath(cluster.ssh_config)
    print(f"log in: ssh -F {config} {cluster.nodes[0]}   stop: invoke cluster-down --name {name}")


@task(help=NAME_HELP | {"all": "all clusters of this checkout, those of running tests too"})
def cluster_down(_: Context, name: str = "dev", all: bool = False) -> None:  # noqa: A002
    """Stop a cluster and remove everything it had.

    Example: invoke cluster-down --all
    """
    with told():
        for cluster in known_clusters() if all else [Cluster.load(name)]:
            cluster.stop()
            print(f"{cluster.name} removed")


@task(help={"node": "name of the node"} | NAME_HELP)
def cluster_shell(_: Context, node: str, name: str = "dev") -> None:
    """Log in to a node as root.

    Example: invoke cluster-shell c1
    """
    with told():
        cluster = Cluster.load(name)
        cluster.address(node)
    os.execvp("ssh", ["ssh", "-F", str(cluster.ssh_config), node])  # noqa: S606  (an argv, and no shell)


@task(
    help={
        "keep": "leave the clusters running at the end",
        "k": "only tests whose names match, as of pytest",
        "workers": "test files run side by side, each worker on clusters of its own; tests that "
        "measure time run alone after the others",
    }
    | NODES_HELP
    | IMAGE_HELP
)
def test_cluster(
    c: Context,
    image: str = "auto",
    nodes: str = NAMES,
    k: str = "",
    keep: bool = False,
    workers: int = 1,
) -> None:
    """Run the end-to-end tests, on clusters of their own.

    Example: invoke test-cluster --image rpm -k install
    """
    arguments = ["tests/cluster", "--nodes", nodes]
    arguments += ["-k", k] if k else []
    arguments += ["--keep"] if keep else []
    if workers == 1:
        pytest(c, *arguments, "--image", image)
        return
    failed = []
    for phase in phases(image.split(","), workers):
        try:
            pytest(c, *arguments, *phase)
        except UnexpectedExit as error:
            if error.result.exited == INTERRUPTED:
                raise
            if error.result.exited != NONE_FOUND:
                failed.append(" ".join(phase))
    if failed:
        raise Exit("\n".join(["tests failed in:", *failed]), code=1)


def phases(images: list[str], workers: int) -> Iterator[list[str]]:
    """Yield pytest's options for each part of a run: image by image, what measures time last.

    So a worker keeps its cluster from file to file. Images but the first run the tests marked for
    every one of them.
    """
    side_by_side = ["--numprocesses", str(workers), "--dist", "loadfile", "--no-loadscope-reorder"]
    for image in images:
        which = "not quiet" if image == images[0] else "every_image and not quiet"
        yield ["--image", image, "-m", which, *side_by_side]
    yield ["--image", ",".join(images), "-m", "quiet"]


@task
def lint(c: Context) -> None:
    """Check style, types and the direction of imports.

    Example: invoke lint
    """
    for command in ("ruff check", "ruff format --check", "mypy", "lint-imports"):
        run(c, f"{Path(sys.executable).parent}/{command}")


@task
def test_quick(c: Context) -> None:
    """Run the tests that need no cluster; print what they cover of the parts that are pure.

    Example: invoke lint test-quick
    """
    covered = [f"--cov={folder}" for folder in COVERED]
    side_by_side = ["--numprocesses", "auto"]
    pytest(c, "tests", "--ignore=tests/cluster", *side_by_side, *covered, "--cov-report=term")


@task(lint, test_quick)
def test(c: Context) -> None:
    """Run lint and all tests, end-to-end on three kinds of nodes.

    Example: invoke test
    """
    test_cluster(c, image=TESTED_IMAGES, workers=WORKERS)


@task(
    help={
        "arguments": "more options of scripts/benchmark, or of scripts/benchmark-stack",
        "peers": "the same job by pyinfra and Ansible too",
        "stack": "measure the whole classic stack instead, and its CIB against pcs",
        "check": "exit 1 when a bound is missed",
    }
)
def bench(
    c: Context, arguments: str = "", peers: bool = False, stack: bool = False, check: bool = False
) -> None:
    """Measure the tasks against the bash they replace, and on 30 hosts against ssh itself.

    Example: invoke bench --peers --check
    """
    checked = " --check" if check else ""
    if stack:
        run(c, f"{sys.executable} scripts/benchmark-stack{checked} {arguments}")
        return
    wide = " --peers" if peers else ""
    programs = (
        f"scripts/benchmark{wide}{checked} {arguments}",
        f"scripts/benchmark-hosts{checked}",
    )
    missed = [program for program in programs if not measured(c, program)]
    if missed:
        raise Exit(code=1)


def measured(c: Context, program: str) -> bool:
    """Run a benchmark; return whether it ended well."""
    command = f"{sys.executable} {program}"
    return bool(c.run(command, pty=sys.stdout.isatty(), in_stream=False, warn=True))


@task(
    help={
        "from_": "the folder of bash scripts and ini files",
        "ini": "an ini file in the place of the one of its name, or of one that is missing",
        "to": "the inventory to write",
        "report": "a file for the account of every line, as JSON",
        "check": "compare only: a file with what cibadmin --query says on the scripts' cluster",
        "plain": "plain resources in place of services: to adopt a running cluster unchanged",
        "force": "overwrite an inventory that is there",
    }
)
def migrate(
    _: Context,
    from_: str,
    to: str = "inventory/migrated.yaml",
    ini: str = "",
    report: str = "",
    check: str = "",
    plain: bool = False,
    force: bool = False,
) -> None:
    """Translate a folder of legacy bash scripts into an inventory; nothing is executed.

    With --check, exit code 0: the cluster is as the scripts say; 2: it is not.

    Example: invoke migrate --from ~/openstack-ha --to inventory/openstack-ha.yaml
    """
    # It needs a parser of bash, which no other task does.
    from pacefab.tasks.migrate import check_folder, migrate_folder  # noqa: PLC0415

    folder, variables = Path(from_), Path(ini) if ini else None
    with told():
        if not check:
            migrate_folder(folder, variables, Path(to), report, plain=plain, force=force)
        elif check_folder(folder, variables, Path(check)):
            raise Exit(code=2)


def pytest(c: Context, *arguments: str) -> None:
    """Run pytest of this environment."""
    run(c, " ".join([sys.executable, "-m", "pytest", *map(shlex.quote, arguments)]))


def run(c: Context, command: str) -> None:
    """Run a command from the repository's root; its exit code ends the task."""
    c.run(command, pty=sys.stdout.isatty(), in_stream=False)


@contextmanager
def told() -> Iterator[None]:
    """End with the error's text, which fits a screen, in place of a traceback."""
    try:
        yield
    except HarnessError as error:
        raise Exit(str(error), code=1) from error
    except PacefabError as error:
        code = 2 if isinstance(error, UsageError) else 1
        raise Exit("\n".join(render_error(error)), code=code) from error
