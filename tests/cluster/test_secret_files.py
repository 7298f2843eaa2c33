"""A file with a secret: what others on the node see of it while it is written, changed, taken back.

HAProxy's configuration holds the hash of a password; the files of this module are its.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes
from tests.cluster.eyes import Done

CONFIG = "/etc/haproxy/haproxy.cfg"
# What any user can see, again and again: argv of all processes, modes of the file and its copies.
WATCH = r"""
touch /tmp/watching
while :; do
    cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' >>/tmp/argv
    stat -c '%n %a' /etc/haproxy/haproxy.cfg* /etc/haproxy/.haproxy.cfg* 2>/dev/null >>/tmp/modes
    cat /etc/haproxy/haproxy.cfg* /etc/haproxy/.haproxy.cfg* 2>/dev/null >>/tmp/texts
done
"""


@pytest.fixture(scope="module")
def inventory(bare: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("inventory") / "cluster.yaml"
    proxy = f"{{name: cache, vip: {bare.address('c1')}, port: 11999}}"
    file.write_text(
        f"cluster: lab\nnodes: [{', '.join(bare.nodes)}]\n"
        f"services:\n  haproxy:\n    stats: {{port: 1993, user: admin}}\n    proxies: [{proxy}]\n"
    )
    return file


def install(cluster: Cluster, inventory: Path, password: str) -> Done:
    named = ("--inventory", str(inventory))
    secret = {"PACEFAB_SECRET_HAPROXY_STATS": password}
    return cluster.fab("install-haproxy", *named, hosts=["c1"], env=secret)


@contextmanager
def watched(cluster: Cluster) -> Iterator[None]:
    """Let an ordinary user of c1 look around all the time."""
    cluster.run("c1", "rm -f /tmp/argv /tmp/modes /tmp/texts /tmp/watching")
    cluster.run("c1", "cat >/run/watch", stdin=WATCH)
    cluster.run("c1", "systemd-run --quiet --collect --unit=watcher --uid=nobody sh /run/watch")
    eyes.until(lambda: eyes.exists(cluster, "c1", "/tmp/watching"), "somebody looks")
    try:
        yield
    finally:
        cluster.run("c1", "systemctl stop watcher")


def hash_in(cluster: Cluster) -> str:
    """Return the password's hash as it stands in the configuration."""
    lines = eyes.read(cluster, "c1", CONFIG).splitlines()
    (line,) = [line for line in lines if "password" in line]
    return line.split()[-1]


def test_a_secret_is_seen_by_nobody_while_it_is_written(bare: Cluster, inventory: Path) -> None:
    first = install(bare, inventory, "correct horse")
    assert first.returncode == 0, first.stdout + first.stderr
    old = hash_in(bare)
    with watched(bare):
        done = install(bare, inventory, "battery staple")
    assert done.returncode == 0, done.stdout + done.stderr
    assert eyes.outcomes(done, "install-haproxy") == {"c1": "changed"}
    assert f"{CONFIG}: changed, not shown: it holds a secret" in done.stdout
    new = hash_in(bare)
    assert new != old

    seen = bare.run("c1", "cat /tmp/argv /tmp/texts").stdout
    assert "#pacefab" in seen, "the watcher saw our processes"
    text = base64.b64encode(eyes.read(bare, "c1", CONFIG).encode()).decode()
    for secret in (new, old, "battery staple", text[:60], text[-60:]):
        assert secret not in seen
        assert secret not in done.stdout + done.stderr
    modes = {line.split()[1] for line in eyes.read(bare, "c1", "/tmp/modes").splitlines()}
    assert modes == {"600"}
    assert eyes.exists(bare, "c1", f"{CONFIG}.previous")


def test_what_haproxy_refuses_never_gets_in_place(bare: Cluster, inventory: Path) -> None:
    before = eyes.read(bare, "c1", CONFIG)
    bare.run("c1", "mv /usr/sbin/haproxy /usr/sbin/haproxy.away")
    bare.run("c1", "printf '#!/bin/sh\\necho it is wrong >&2; exit 1\\n' >/usr/sbin/haproxy")
    bare.run("c1", "chmod 755 /usr/sbin/haproxy")
    try:
        done = install(bare, inventory, "something else")
    finally:
        bare.run("c1", "mv /usr/sbin/haproxy.away /usr/sbin/haproxy")
    eyes.assert_refused(done, "error on c1", CONFIG, "it is wrong", status=1)
    assert eyes.read(bare, "c1", CONFIG) == before
    assert bare.run("c1", "ls /etc/haproxy").stdout.split().count("haproxy.cfg") == 1
