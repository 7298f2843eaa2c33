"""Ctrl-C, SIGTERM and kill -9: prompt, no traceback, what was undone; the next run converges."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from tests.cluster import eyes
from tests.cluster.lengths import long_but

PROMPT = 60
"""Seconds from Ctrl-C to the end of fab, on a slow machine that has others to serve."""

_AT_WORK = "pgrep -x dpkg || pgrep --full '[d]nf -y|[y]um -y' || test -e /usr/bin/memcached"
INSTALLING = f"until {{ {_AT_WORK}; }} >/dev/null; do sleep 0.05; done"
"""Waits on a node until a package manager is at work there, or has been."""


@pytest.fixture
def emptied(cluster: Cluster) -> Iterator[Cluster]:
    cluster.reset()
    yield cluster
    cluster.reset()


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
    fab = eyes.start(installed, "create-memcached")
    try:
        text = heard(fab, "create memcached-clone")
        fab.send_signal(signal.SIGINT)
        rest, _ = fab.communicate(timeout=PROMPT)
    finally:
        fab.kill()
    assert fab.returncode == 130, text + rest
    # Whether it came before the patch or after it, the resource is not there.
    assert re.search("interrupted: (the old state was put back|nothing was changed)", text + rest)
    assert "Traceback" not in text + rest
    assert not eyes.has_clone(installed)
    converges(installed)


def stopped(fab: subprocess.Popen[str], *signals: signal.Signals) -> str:
    """Send signals; return what was printed from then on, none of it a traceback."""
    try:
        for number in signals:
            fab.send_signal(number)
        text, _ = fab.communicate(timeout=120)
    finally:
        fab.kill()
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize(
    "number", long_but([signal.SIGINT], [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
)
def test_an_interrupted_update_leaves_the_node_as_it_was(
    installed: Cluster, number: signal.Signals
) -> None:
    installed.fab("create-memcached", check=True)
    installed.run("c1", "crm_resource --wait --timeout 60")
    path = eyes.config_path(installed)
    before = [eyes.read(installed, node, path) for node in installed.nodes]
    fab = eyes.start(installed, "update-memcached", "--max-connections", "2345", "--yes")
    heard(fab, "banned from the node")
    banned = "cibadmin --query --xpath '//rsc_location[@id=\"pacefab-update-c1\"]'"
    installed.run("c1", f"until {banned} >/dev/null 2>&1; do sleep 0.05; done")
    text = stopped(fab, number, number)  # the second one while the ban is being lifted
    assert fab.returncode == 128 + number, text
    assert "interrupted: the ban on c1 is lifted, its files are as before; run this again" in text
    assert [eyes.read(installed, node, path) for node in installed.nodes] == before
    assert eyes.cib(installed).find(".//rsc_location") is None
    assert eyes.started_on(installed) == installed.nodes


def test_an_interrupted_drill_says_what_was_undone_and_not_to_run_it_again(
    installed: Cluster,
) -> None:
    installed.fab("create-memcached", check=True)
    installed.run("c1", "crm_resource --wait --timeout 60")
    words = ("drill", "--kind", "standby", "--node", "c3", "--yes-break", installed.name)
    fab = eyes.start(installed, *words, "--hold", "300")
    heard(fab, "^… c3 *standby")
    standby = "crm_attribute --node c3 --name standby --lifetime reboot --query"
    installed.run("c1", f"until {standby} >/dev/null 2>&1; do sleep 0.1; done")
    text = stopped(fab, signal.SIGTERM)
    assert fab.returncode == 143, text
    assert "interrupted: c3 is out of standby again\n" in text
    assert "run this again" not in text
    assert installed.run("c1", standby, check=False).returncode != 0
    # memcached starts there again, which is no change of the next test's.
    installed.run("c1", "crm_resource --wait --timeout 60", timeout=70)


def test_who_stops_waiting_for_another_runs_lock_changes_nothing_later(installed: Cluster) -> None:
    hold = "systemd-run --unit held --quiet flock /run/pacefab.lock sleep 300"
    receivers = "pgrep --full 'pacefab #[p]acefab' || true"
    with eyes.unchanged(installed):
        installed.run("c2", f"{hold}; while flock -n /run/pacefab.lock true; do sleep 0.05; done")
        try:
            fab = eyes.start(installed, "install-memcached", "--memory", "77", hosts="c2")
            heard(fab, "Waiting for another run")
            text = stopped(fab, signal.SIGINT)
        finally:
            installed.run("c2", "systemctl stop held")
        assert fab.returncode == 130, text
        assert "interrupted: nothing was changed" in text
        eyes.until(lambda: not installed.run("c2", receivers).stdout, "it waits no longer there")


def test_in_the_background_of_a_script_sigterm_ends_it(installed: Cluster, tmp_path: Path) -> None:
    installed.fab("create-memcached", check=True)
    seen = tmp_path / "seen"
    fab = shlex.join(eyes.fab_argv(installed, "verify-memcached", "remove-memcached", "--yes"))
    wait = f"until grep -q ^verify {seen} || ! kill -0 $!; do sleep 0.05; done"
    script = f"{fab} >{seen} 2>&1 & {wait}; kill -TERM $!; wait $!"
    done = subprocess.run(
        ["sh", "-c", script], env=eyes.environment(), cwd=REPOSITORY_ROOT, text=True, check=False,
        capture_output=True, stdin=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip
    assert done.returncode == 143, done.stdout + done.stderr + seen.read_text()
    assert "Traceback" not in seen.read_text()
    assert "interrupted: " in seen.read_text()


@pytest.mark.parametrize("moment", long_but([0.2], [0.0, 0.2, 0.8]))
def test_a_killed_create_leaves_the_old_cib_or_the_new_one(
    installed: Cluster, moment: float
) -> None:
    installed.fab("remove-memcached", "--yes", check=True)
    fab = eyes.start(installed, "create-memcached")
    try:
        heard(fab, "create memcached-clone")
        with pytest.raises(subprocess.TimeoutExpired):  # it is at work at that moment
            fab.wait(timeout=moment)
    finally:
        fab.kill()
        fab.communicate()
    # One CIB for the cluster, with all of the clone or nothing of it; asked once, as what the node
    # was sent before the kill may still arrive.
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
    fab = eyes.start(emptied, "install-memcached")
    try:
        # Packages are at work on the nodes now.
        emptied.run("c1", INSTALLING)
        fab.send_signal(signal.SIGINT)
        text, _ = fab.communicate(timeout=PROMPT)
    finally:
        fab.kill()
    assert fab.returncode == 130, text
    assert "still at work and ends that by itself" in text
    assert "run this again" in text
    assert "Traceback" not in text
    converges(emptied)


def test_a_killed_install_is_finished_by_the_next_run(emptied: Cluster) -> None:
    fab = eyes.start(emptied, "install-memcached")
    try:
        emptied.run("c2", INSTALLING)
    finally:
        fab.kill()
        fab.communicate()
    converges(emptied)
