"""SELinux where it enforces, by stand-ins of its programs: no kernel here has it.

They answer in the words of the real ones' manual pages, keep what they are given, and write down
each call that changes something.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from pacefab.harness.parallel import on_all
from tests.cluster import eyes
from tests.cluster.eyes import Done

PORT = 11311
CONFIG = "/etc/haproxy/haproxy.cfg"
STATE = "/run/selinux-stand-in"
PROGRAMS = {
    "getenforce": "echo Enforcing",
    "getsebool": f'echo "$1 --> $(cat {STATE}/$1)"',
    "setsebool": f'echo "setsebool $*" >>{STATE}/calls; echo "$3" >{STATE}/$2',
    "semanage": f"""
[ "$*" != 'port -l' ] || exec cat {STATE}/ports
echo "semanage $*" >>{STATE}/calls
[ "$2" = -m ] || {{ echo 'ValueError: Port already defined' >&2; exit 1; }}
echo "$4 tcp $7" >>{STATE}/ports""",
    "restorecon": f"""
case $* in
*' -n '*)
  [ ! -s {STATE}/wrong ] || echo "Would relabel $(cat {STATE}/wrong) from u:r:a:s0 to u:r:b:s0" ;;
*) echo "restorecon $*" >>{STATE}/calls; : >{STATE}/wrong ;;
esac""",
}
START = f"""
mkdir -p {STATE}; echo off >{STATE}/haproxy_connect_any; : >{STATE}/calls
echo 'memcache_port_t                tcp      11211' >{STATE}/ports
"""


@pytest.fixture(scope="module")
def enforcing(bare: Cluster) -> Iterator[Cluster]:
    """The nodes with programs that say that SELinux enforces a policy."""
    paths = [f"/usr/local/sbin/{name}" for name in PROGRAMS]

    def put(node: str) -> None:
        bare.run(node, START)
        for path, text in zip(paths, PROGRAMS.values(), strict=True):
            bare.run(node, f"cat >{path}; chmod +x {path}", stdin=f"#!/bin/sh\n{text}\n")

    on_all(put, bare.nodes)
    yield bare
    on_all(lambda node: bare.run(node, f"rm -rf {STATE} {' '.join(paths)}"), bare.nodes)


def fab(cluster: Cluster, folder: Path, *words: str) -> Done:
    file = folder / "cluster.yaml"
    own = ipaddress.ip_network(f"{cluster.address(cluster.nodes[0])}/24", strict=False)
    file.write_text(
        f"cluster: {cluster.name}\nnodes: [{', '.join(cluster.nodes)}]\n"
        "fencing: {disabled: true, reason: containers have no power switch}\nservices:\n"
        f"  haproxy: {{proxies: [{{name: cache, vip: all, port: 11999, backend_port: {PORT}}}]}}\n"
        f"  vips: {{with_load_balancer: true, addresses: [{{name: all, address: {own[-6]}}}]}}\n"
        f"  memcached: {{port: {PORT}}}\n"
    )
    return cluster.fab(*words, "--inventory", str(file))


def calls(cluster: Cluster, node: str) -> list[str]:
    """Return what changed SELinux's policy on a node, new files' own labels left out."""
    lines = eyes.read(cluster, node, f"{STATE}/calls").splitlines()
    return [line for line in lines if not line.startswith("restorecon /")]


def test_the_policy_is_changed_as_the_plan_shows_and_no_more(
    enforcing: Cluster, tmp_path: Path
) -> None:
    planned = fab(enforcing, tmp_path, "plan", "--full")
    for change in ("boolean haproxy_connect_any set to on", f"port {PORT}/tcp gets the type"):
        assert f"SELinux: {change}" in planned.stdout
    done = fab(enforcing, tmp_path, "deploy", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    expected = [
        "setsebool -P haproxy_connect_any on",
        f"semanage port -a -t memcache_port_t -p tcp {PORT}",
        f"semanage port -m -t memcache_port_t -p tcp {PORT}",
    ]
    for node in enforcing.nodes:
        assert calls(enforcing, node) == expected
    again = fab(enforcing, tmp_path, "plan")
    assert again.returncode == 0, again.stdout + again.stderr


def test_what_the_policy_lacks_later_is_drift(enforcing: Cluster, tmp_path: Path) -> None:
    one, other = enforcing.nodes[:2]
    enforcing.run(one, f"echo off >{STATE}/haproxy_connect_any")
    enforcing.run(other, f"echo {CONFIG} >{STATE}/wrong")
    verified = fab(enforcing, tmp_path, "verify-haproxy")
    assert verified.returncode == 1
    assert "SELinux boolean" in verified.stdout
    assert "SELinux label" in verified.stdout
    on_all(lambda node: enforcing.run(node, f": >{STATE}/calls"), enforcing.nodes)
    done = fab(enforcing, tmp_path, "deploy", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    found = [calls(enforcing, node) for node in enforcing.nodes]
    assert found == [["setsebool -P haproxy_connect_any on"], [f"restorecon -v {CONFIG}"], []]
    fab(enforcing, tmp_path, "verify-haproxy", "verify-memcached").check_returncode()
