"""Nodes that lie: programs that answer whoever comes by SSH with something else than the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from pacefab.harness.cluster import Cluster

LIARS: Final[Mapping[str, tuple[str, str]]] = {
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
"""What a lie is called: the program that lies, and what it does in place of its work."""


@contextmanager
def lying(cluster: Cluster, node: str, program: str, script: str) -> Iterator[None]:
    """Let a program of a node lie to those who come by SSH; its folder comes first on the path."""
    path, own = f"/usr/local/sbin/{program}", cluster.run(node, f"command -v {program}").stdout
    others = f'grep -q -e ssh -e session /proc/self/cgroup || exec {own.strip()} "$@"'
    text = f"#!/bin/sh\n{others}\n{script}\n"
    cluster.run(node, f"cat >{path} && chmod 755 {path}", stdin=text)
    try:
        yield
    finally:
        cluster.run(node, f"rm -f {path}")
