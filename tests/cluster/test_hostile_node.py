"""A node whose programs lie: one sentence about that node, and the others are shown as they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pacefab.harness.cluster import Cluster

LIARS = {
    "addresses without end": ("ip", "exec yes y"),
    "no name": ("uname", "printf '\\033]0;owned\\007\\033[2J\\000'"),
    "addresses that are none": ("ip", "echo 1: eth0 inet; echo inet scope"),
    "a CIB that is none": ("cibadmin", "echo '<cib epoch=\"x\"><configuration><resources/>'"),
    "a CIB with a version that is none": (
        "cibadmin",
        "echo '<cib epoch=\"x\"><configuration><resources/></configuration></cib>'",
    ),
    "a CIB with entities": (
        "cibadmin",
        "printf '%s' '<!DOCTYPE cib [<!ENTITY a \"b\">]>' '<cib><configuration><resources/>'",
    ),
    "a state that is none": ("crm_mon", "head -c 100000 /dev/urandom"),
    "a graph that is none": ("crm_simulate", "exec yes '<transition_graph>'"),
}


@contextmanager
def lying(cluster: Cluster, program: str, script: str) -> Iterator[None]:
    """Let a program of c1 lie to those who come by SSH; its folder comes first on the path."""
    path, own = f"/usr/local/sbin/{program}", cluster.run("c1", f"command -v {program}").stdout
    others = f'grep -q -e ssh -e session /proc/self/cgroup || exec {own.strip()} "$@"'
    text = f"#!/bin/sh\n{others}\n{script}\n"
    cluster.run("c1", f"cat >{path} && chmod 755 {path}", stdin=text)
    try:
        yield
    finally:
        cluster.run("c1", f"rm -f {path}")


@pytest.mark.parametrize("kind", LIARS)
def test_a_node_that_lies_is_named_and_hides_none(serving: Cluster, kind: str) -> None:
    program, script = LIARS[kind]
    with lying(serving, program, script):
        begun = time.monotonic()
        done = serving.fab("status", timeout=150)
        took = time.monotonic() - begun
        left = serving.run("c1", "pgrep -x yes", check=False).stdout
    said = done.stdout + done.stderr
    assert took < 100  # s: the limit of a look, and some
    assert done.returncode in {1, 2}, said
    assert "c1" in said.partition("degraded:")[2] + done.stderr, said
    for node in ("c2", "c3"):
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"{node} ")]
        assert "yes" in line, line
    assert "defect" not in said
    assert "Traceback" not in said
    assert all(letter.isprintable() or letter == "\n" for letter in said)
    assert left == "", "what prints without end still runs"


def test_the_node_is_fine_again(serving: Cluster) -> None:
    done = serving.fab("status")
    assert done.returncode == 0, done.stdout
