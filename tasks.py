"""Local work: clusters of containers, tests, lint. Services on clusters are the work of fab."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from invoke import main as running
from invoke.context import Context
from invoke.exceptions import Exit, UnexpectedExit
from invoke.tasks import task
from lxml import etree

from pacefab.cli.endings import open_missing, watch_output
from pacefab.cli.options import number
from pacefab.cli.reading.explaining import adopt_invoke
from pacefab.harness.campaign.task import campaign
from pacefab.harness.tasks import (
    IMAGE_HELP,
    NODES,
    NODES_HELP,
    cluster_down,
    cluster_shell,
    cluster_up,
    errors_as_text,
)
from pacefab.tasks.migrate import migrate

__all__ = [
    "campaign",
    "cluster_down",
    "cluster_shell",
    "cluster_up",
    "migrate",
]  # invoke lists them too

COVERED = ("pacefab/legacy", "pacefab/pacemaker")
TESTED_IMAGES = "debian12,debian13,rpm"
WORKERS = 3  # much of a test's time is Pacemaker waiting; two processors bear three
INTERRUPTED, NONE_FOUND = 2, 5  # exit codes of pytest
RESULTS = Path(".pacefab/results.xml")
SEEN_LINES = 15  # of each failed test

if hasattr(running.program, "core"):  # invoke runs; no test imports this file
    open_missing()
    watch_output()
    adopt_invoke()


@task(
    help={
        "keep": "leave the clusters running at the end",
        "k": "only tests whose names match, as of pytest",
        "workers": "test files run side by side, each worker on clusters of its own; tests that "
        "measure time run alone after the others",
        "short": "leave out the tests that are marked long",
    }
    | NODES_HELP
    | IMAGE_HELP
)
def test_cluster(
    c: Context,
    image: str = "auto",
    nodes: str = NODES,
    k: str = "",
    keep: bool = False,
    workers: str = "1",
    short: bool = False,
) -> None:
    """Run the end-to-end tests, on clusters of their own.

    Example: invoke test-cluster --image rpm -k install
    """
    with errors_as_text():
        at_once = number("--workers", workers, least=1)
        images = image.split(",")
        check_clusters(images, nodes.split(","))
    arguments = ["tests/cluster", "--nodes", nodes]
    arguments += ["-k", k] if k else []
    arguments += ["--keep"] if keep else []
    if at_once == 1:
        pytest(c, *arguments, "--image", image, *(["-m", "not long"] if short else []))
        return
    failed = []
    for phase in phases(images, at_once, short=short):
        try:
            pytest(c, *arguments, *phase, "--junitxml", str(RESULTS))
        except UnexpectedExit as error:
            if error.result.exited == INTERRUPTED:
                raise
            if error.result.exited != NONE_FOUND:
                failed += [f"tests failed in: {' '.join(phase)}", *failures(RESULTS)]
    if failed:
        raise Exit("\n".join(failed), code=1)


def failures(results: Path) -> Iterator[str]:
    """Yield each test that failed, with what pytest saw there, from its JUnit file.

    The run is long, and its end is what is looked at.
    """
    for case in etree.parse(results).iter("testcase"):
        for found in (*case.iter("failure"), *case.iter("error")):
            seen = [line for line in (found.text or "").splitlines() if line.startswith("E ")]
            yield "\n".join([f"{case.get('classname')}::{case.get('name')}", *seen[:SEEN_LINES]])


def check_clusters(images: list[str], nodes: list[str]) -> None:
    """Refuse, before anything starts, what no cluster can be made of. Raises `HarnessError`."""
    import docker  # noqa: F401, PLC0415  # one that is missing is named before pytest starts

    from pacefab.harness.image import check_kind  # noqa: PLC0415
    from pacefab.harness.place import check_names  # noqa: PLC0415

    check_names("test", nodes)
    for image in images:
        check_kind(image)


def phases(images: list[str], workers: int, *, short: bool) -> Iterator[list[str]]:
    """Yield pytest's options for each part of a run: image by image, what measures time last.

    So a worker keeps its cluster from file to file. Images but the first run the tests marked for
    every one of them.
    """
    side_by_side = ["--numprocesses", str(workers), "--dist", "loadfile", "--no-loadscope-reorder"]
    length = " and not long" if short else ""
    for image in images:
        which = "not quiet" if image == images[0] else "every_image and not quiet"
        yield ["--image", image, "-m", f"{which}{length}", *side_by_side]
    yield ["--image", ",".join(images), "-m", f"quiet{length}"]


@task
def lint(c: Context) -> None:
    """Check style, types and the direction of imports.

    Example: invoke lint
    """
    for command in ("ruff check", "ruff format --check", "mypy", "lint-imports"):
        run(c, f"{Path(sys.executable).parent}/{command}")


@task
def docs(c: Context) -> None:
    """Build the documentation and the manual page into .pacefab/docs; warnings are errors.

    Example: invoke docs
    """
    program, to = f"{sys.executable} -m sphinx -W --keep-going --quiet", ".pacefab/docs"
    for builder in ("html", "man"):
        run(c, f"{program} -b {builder} -t {builder} -d {to}/{builder}.trees docs {to}/{builder}")
    print("read .pacefab/docs/html/index.html, or: man -l .pacefab/docs/man/pacefab.1")


@task
def test_quick(c: Context) -> None:
    """Run the tests that need no cluster; print what they cover of the parts that are pure.

    Example: invoke lint test-quick
    """
    covered = [f"--cov={folder}" for folder in COVERED]
    side_by_side = ["--numprocesses", "auto"]
    pytest(c, "tests", "--ignore=tests/cluster", *side_by_side, *covered, "--cov-report=term")


@task(lint, test_quick, help={"long": "those too that are marked long: it takes hours then"})
def test(c: Context, long: bool = False) -> None:
    """Run lint and all tests, end-to-end on three kinds of nodes.

    Example: invoke test
    """
    test_cluster(c, image=TESTED_IMAGES, workers=str(WORKERS), short=not long)


@task(
    help={
        "arguments": "more options of scripts/benchmark, benchmark-stack or benchmark-scale",
        "peers": "the same job by pyinfra and Ansible too",
        "stack": "measure the whole classic stack instead, and its CIB against pcs",
        "scale": "measure plan and deploy with up to 1000 resources, status with 15 nodes instead",
        "check": "exit 1 when a bound is missed",
    }
)
def bench(
    c: Context,
    arguments: str = "",
    peers: bool = False,
    stack: bool = False,
    scale: bool = False,
    check: bool = False,
) -> None:
    """Measure the tasks against the bash they replace, and on 30 hosts against ssh itself.

    Example: invoke bench --peers --check
    """
    checked = " --check" if check else ""
    if stack or scale:
        program = "benchmark-stack" if stack else "benchmark-scale"
        run(c, f"{sys.executable} scripts/{program}{checked} {arguments}")
        return
    wide = " --peers" if peers else ""
    programs = (
        f"scripts/benchmark{wide}{checked} {arguments}",
        f"scripts/benchmark-hosts{checked}",
    )
    missed = [program for program in programs if not measured(c, program)]
    if missed:
        raise Exit(code=1)


@task(
    help={
        "sample": "only so many configurations, evenly of all",
        "simulate": "compare what Pacemaker would do, too (in a container of Debian 13)",
        "path": "a folder of CIBs (*.xml) in place of those of the package pacemaker-cts",
    }
)
def corpus(_: Context, sample: str = "0", simulate: bool = False, path: str = "") -> None:
    """Export Pacemaker's own test configurations and make them again; is anything lost?

    Each that is not the same is named with what differs. Exit 1: one does otherwise without a word.

    Example: invoke corpus --sample 60 --simulate
    """
    with errors_as_text():
        from pacefab.harness import corpus as oracle  # noqa: PLC0415

        files = oracle.configurations(
            Path(path) if path else None, number("--sample", sample, least=0)
        )
        judged = list(oracle.judge_all(files))
        others = oracle.simulate(files, judged) if simulate else {}
    named = {one.name: one.unsaid for one in judged if one.unsaid}
    for name, unsaid in named.items():
        print("\n  ".join([name, *unsaid]))
    silent = {name: said for name, said in others.items() if name not in named}
    for name, said in silent.items():
        print(f"{name}\n  Pacemaker would do otherwise: {said}")
    same = len(judged) - len(named) - len(silent)
    print(f"{same} of {len(judged)} the same, {len(named)} with what is not named above")
    if silent:
        raise Exit(f"{len(silent)} would do otherwise without a word", code=1)


def measured(c: Context, program: str) -> bool:
    """Run a benchmark; return whether it ended well."""
    command = f"{sys.executable} {program}"
    return bool(c.run(command, pty=sys.stdout.isatty(), in_stream=False, warn=True))


def pytest(c: Context, *arguments: str) -> None:
    """Run pytest of this environment."""
    run(c, " ".join([sys.executable, "-m", "pytest", *map(shlex.quote, arguments)]))


def run(c: Context, command: str) -> None:
    """Run a command from the repository's root; its exit code ends the task."""
    c.run(command, pty=sys.stdout.isatty(), in_stream=False)
