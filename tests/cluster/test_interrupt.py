"""Ctrl-C and kill -9: prompt, no traceback, and the next run converges."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator

import pytest

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from tests.cluster import eyes

PROMPT = 15
"""Seconds from Ctrl-C to the end of fab, on a machine that has others to serve."""


@pytest.fixture
def emptied(cluster: Cluster) -> Iterator[Cluster]:
    cluster.reset()
    yield cluster
    cluster.reset()


def start(cluster: Cluster, *tasks: str) -> subprocess.Popen[str]:
    """Start fab and return while it works."""
    # A suite that runs in the background inherits a SIGINT that is ignored, and so would fab.
    return subprocess.Popen(
        ["env", "--default-signal=INT", *eyes.fab_argv(cluster, *tasks)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env=eyes.environment(),
        cwd=REPOSITORY_ROOT,
    )


def heard(fab: subprocess.Popen[str], pattern: str) -> str:
    """Read what fab prints up to a line that matches."""
    assert fab.stdout
    text = ""
    for line in fab.stdout:
        text += line
        if re.search(pattern, line):
            return text
    raise AssertionError(f"{pattern} not in:\n{text}")


def converges(cluster: Cluster) -> None:
    """Assert that the next run ends well, and the one after it has nothing to do."""
    done = cluster.fab("install-memcached", "create-memcached", "status", "verify-memcached")
    assert done.returncode == 0, done.stdout + done.stderr
    with eyes.unchanged(cluster):
        again = cluster.fab("install-memcached", "create-memcached")
    assert again.returncode == 0, again.stdout + again.stderr
    assert " changed " not in again.stdout
    for node in cluster.nodes:
        assert eyes.unit(cluster, node, "LoadState", "UnitFileState") == ["loaded", "disabled"]


def test_ctrl_c_ends_a_create_at_once_and_the_next_run_converges(installed: Cluster) -> None:
    installed.fab("remove-memcached", "--yes", check=True)
    fab = start(installed, "create-memcached")
    try:
        text = heard(fab, "create memcached-clone")
        fab.send_signal(signal.SIGINT)
        rest, _ = fab.communicate(timeout=PROMPT)
    finally:
        fab.kill()
    assert fab.returncode == 130, text + rest
    assert "interrupted" in text + rest
    assert "Traceback" not in text + rest
    converges(installed)


@pytest.mark.parametrize("moment", [0.0, 0.2, 0.8])
def test_a_killed_create_leaves_the_old_cib_or_the_new_one(
    installed: Cluster, moment: float
) -> None:
    installed.fab("remove-memcached", "--yes", check=True)
    fab = start(installed, "create-memcached")
    try:
        heard(fab, "create memcached-clone")
        with pytest.raises(subprocess.TimeoutExpired):  # it is at work at that moment
            fab.wait(timeout=moment)
    finally:
        fab.kill()
        fab.communicate()
    # One CIB for the cluster, with all of the clone or nothing of it; asked once, as what the node
    # was told before the kill may still arrive.
    resources = eyes.cib(installed).findall("configuration/resources/*")
    if resources:
        (clone,) = resources
        meta = clone.findall("meta_attributes/nvpair")
        assert [(one.get("name"), one.get("value")) for one in meta] == [("interleave", "true")]
        operations = clone.findall("primitive[@id='memcached']/operations/op")
        assert {one.get("name") for one in operations} == {"monitor", "start", "stop"}
    done = installed.fab("create-memcached", "status")
    assert done.returncode == 0, done.stdout + done.stderr
    assert eyes.started_on(installed) == installed.nodes


def test_ctrl_c_ends_an_install_at_once_and_the_next_run_converges(emptied: Cluster) -> None:
    fab = start(emptied, "install-memcached")
    try:
        # Packages are at work on the nodes now.
        emptied.run(
            "c1",
            "until pgrep -x dpkg >/dev/null || test -e /usr/bin/memcached; do sleep 0.05; done",
        )
        fab.send_signal(signal.SIGINT)
        text, _ = fab.communicate(timeout=PROMPT)
    finally:
        fab.kill()
    assert fab.returncode == 130, text
    assert "interrupted" in text
    assert "Traceback" not in text
    converges(emptied)


def test_a_killed_install_is_finished_by_the_next_run(emptied: Cluster) -> None:
    fab = start(emptied, "install-memcached")
    try:
        emptied.run(
            "c2",
            "until pgrep -x dpkg >/dev/null || test -e /usr/bin/memcached; do sleep 0.05; done",
        )
    finally:
        fab.kill()
        fab.communicate()
    converges(emptied)
