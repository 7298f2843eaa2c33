"""create-memcached and remove-memcached in detail: differences, failing starts, other writers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes
from tests.cluster.eyes import Done

SETTLED = "crm_resource --wait --timeout 30"
FAILING = "#!/bin/sh\necho this program is broken on purpose >&2\nexit 1\n"
OTHERS = '<primitive id="other" class="ocf" provider="pacemaker" type="Dummy"/>'
THEIRS = '<rsc_location id="theirs" rsc="other" node="c2" score="5"/>'
ORDER = '<rsc_order id="order" first="memcached-clone" then="other" kind="Optional"/>'
STALE = r"""
set -e
cd "$(mktemp -d)"
cibadmin --query >old.xml
cp old.xml new.xml
late='<primitive id="late" class="ocf" provider="pacemaker" type="Dummy"/>'
CIB_file=$PWD/new.xml cibadmin --create --scope resources --xml-text "$late"
crm_diff --original old.xml --new new.xml >diff.xml || [ $? = 1 ]
crm_attribute --type crm_config --name between --update 1
cibadmin --patch --xml-file diff.xml
"""


@pytest.fixture
def ready(installed: Cluster) -> Cluster:
    """Installed, without the clone and without failures of an earlier test."""
    if eyes.has_clone(installed):
        installed.fab("remove-memcached", "--yes", "--with-constraints", check=True)
    installed.run("c1", "crm_resource --cleanup --quiet")
    return installed


@pytest.fixture
def serving(installed: Cluster) -> Cluster:
    installed.fab("create-memcached", "--update", check=True)
    return installed


@contextmanager
def broken_program(cluster: Cluster, node: str) -> Iterator[None]:
    """Let memcached's program fail at once on a node."""
    program = "/usr/bin/memcached"
    cluster.run(node, "cat >/var/tmp/broken && chmod 755 /var/tmp/broken", stdin=FAILING)
    cluster.run(node, f"mount --bind /var/tmp/broken {program}")
    try:
        yield
    finally:
        cluster.run(node, f"umount {program} && rm /var/tmp/broken")


@contextmanager
def interfering(cluster: Cluster, when: str) -> Iterator[None]:
    """Let somebody else change the CIB right before a patch of ours goes in, on whatever node."""
    program, real = "/usr/sbin/cibadmin", "/var/tmp/cibadmin.real"
    change = "crm_attribute --type crm_config --name busy --update $$"
    wrapper = f'#!/bin/sh\ncase $1 in --patch) {when} && {change};; esac\nexec {real} "$@"\n'
    for node in cluster.nodes:
        make = f"cp {program} {real}; cat >{real}.wrap; chmod 755 {real}.wrap"
        cluster.run(node, f"{make}; mount --bind {real}.wrap {program}", stdin=wrapper)
    try:
        yield
    finally:
        for node in cluster.nodes:
            cluster.run(node, f"umount {program} && rm {real} {real}.wrap")
        cluster.run("c1", "crm_attribute --type crm_config --name busy --delete")


def differs(cluster: Cluster, *reported: str) -> None:
    """Assert that create shows the difference, leaves it, and changes it with --update."""
    with eyes.unchanged(cluster):
        done = cluster.fab("create-memcached")
    eyes.assert_refused(done, "different", "--update", *reported, status=1)
    with eyes.unchanged(cluster):
        planned = cluster.fab("create-memcached", "--update", "--dry-run")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    before = eyes.processes(cluster)
    updated = cluster.fab("create-memcached", "--update", "--yes")
    assert updated.returncode == 0, updated.stdout + updated.stderr
    assert eyes.outcomes(updated, "create-memcached")[cluster.name] == "changed"
    assert eyes.clone_meta(cluster) == {"interleave": "true"}
    assert eyes.processes(cluster) == before
    again = cluster.fab("create-memcached")
    assert eyes.outcomes(again, "create-memcached")[cluster.name] == "unchanged"


def test_a_dry_run_shows_what_pacemaker_would_do(ready: Cluster) -> None:
    with eyes.unchanged(ready):
        done = ready.fab("create-memcached", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    for node in ready.nodes:
        assert any("start" in line and node in line for line in done.stdout.splitlines())


def test_interleave_off_is_shown_and_updated_on_demand(serving: Cluster) -> None:
    serving.run("c1", "pcs resource meta memcached-clone interleave=false")
    differs(serving, "interleave", "false", "true")


def test_interleave_on_the_primitive_is_shown_and_updated_on_demand(serving: Cluster) -> None:
    serving.run("c1", "pcs resource meta memcached-clone interleave=")
    serving.run("c1", "pcs resource meta memcached interleave=true")
    differs(serving, "interleave")
    pairs = eyes.cib(serving).findall(".//primitive[@id='memcached']/meta_attributes/nvpair")
    assert [pair.get("name") for pair in pairs] == []


def test_another_interval_of_the_monitor_is_shown_and_updated_on_demand(serving: Cluster) -> None:
    serving.run("c1", "pcs resource update memcached op monitor interval=33")
    differs(serving, "monitor", "33")


def test_a_start_that_fails_names_the_node_and_puts_the_old_state_back(ready: Cluster) -> None:
    with broken_program(ready, "c2"):
        done = ready.fab("create-memcached")
    eyes.assert_refused(done, "c2", "start", "old state was put back", status=1)
    assert not eyes.has_clone(ready)
    for node in ready.nodes:
        assert eyes.pid(ready, node) == ""
    # The cause is fixed: nothing else must be cleaned up by hand.
    again = ready.fab("create-memcached")
    assert again.returncode == 0, again.stdout + again.stderr
    assert eyes.started_on(ready) == ready.nodes


def test_a_start_that_fails_is_kept_for_a_look_when_asked(ready: Cluster) -> None:
    with broken_program(ready, "c3"):
        done = ready.fab("create-memcached", "--keep-on-failure")
        assert eyes.has_clone(ready)
        status = ready.fab("status")
    eyes.assert_refused(done, "c3", "start", status=1)
    assert "put back" not in done.stdout + done.stderr
    assert status.returncode == 1
    assert "c3" in status.stdout.partition("degraded:")[2]


def test_time_that_is_too_short_is_reported(ready: Cluster) -> None:
    slow = "/run/systemd/system/memcached.service.d"
    text = "[Service]\nExecStartPre=/bin/sleep 8\n"
    ready.run("c2", f"mkdir -p {slow} && cat >{slow}/slow.conf", stdin=text)
    ready.run("c2", "systemctl daemon-reload")
    try:
        done = ready.fab("create-memcached", "--timeout", "4")
    finally:
        ready.run("c2", f"rm -r {slow} && systemctl daemon-reload")
        ready.run("c1", SETTLED, timeout=60)
    eyes.assert_refused(done, "c2", "--timeout", status=1)
    assert not eyes.has_clone(ready)
    assert set(eyes.processes(ready).values()) == {""}, "what was taken back runs no more"


def test_a_standby_node_is_left_out_and_reported(ready: Cluster) -> None:
    ready.run("c3", f"crm_standby --node c3 --update on && {SETTLED}")
    try:
        done = ready.fab("create-memcached")
        assert eyes.started_on(ready) == ["c1", "c2"]
    finally:
        ready.run("c3", f"crm_standby --node c3 --delete && {SETTLED}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "standby" in eyes.line_of(done, "c3", "create-memcached") + done.stdout


def test_a_change_by_somebody_else_in_between_is_survived(ready: Cluster) -> None:
    with interfering(ready, "[ ! -e /run/once ] && touch /run/once"):
        done = ready.fab("create-memcached", hosts=["c1"])
        once = [ready.run(node, "rm /run/once", check=False) for node in ready.nodes]
    assert done.returncode == 0, done.stdout + done.stderr
    assert sum(rm.returncode == 0 for rm in once) == 1, "nobody else came in between"
    assert eyes.clone_meta(ready) == {"interleave": "true"}


def test_a_cib_that_never_rests_is_reported(ready: Cluster) -> None:
    with interfering(ready, "true"):
        done = ready.fab("create-memcached", hosts=["c1"])
    eyes.assert_refused(done, "another user changed it", status=1)
    assert not eyes.has_clone(ready)


def test_pacemaker_refuses_a_patch_of_an_older_cib(installed: Cluster) -> None:
    # What guards us against a second operator; all our changes go this way.
    done = installed.run("c1", STALE, check=False)
    installed.run("c1", "crm_attribute --type crm_config --name between --delete")
    assert done.returncode == 103, done.stdout + done.stderr
    assert eyes.cib(installed).find(".//primitive[@id='late']") is None


def test_two_creates_at_once_make_one_clone(ready: Cluster) -> None:
    found: list[Done] = []
    threads = [
        threading.Thread(target=lambda: found.append(ready.fab("create-memcached")))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    for done in found:
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(eyes.cib(ready).findall(".//clone")) == 1
    assert eyes.started_on(ready) == ready.nodes


def test_remove_leaves_other_resources_and_constraints_alone(serving: Cluster) -> None:
    for scope, xml in (("resources", OTHERS), ("constraints", THEIRS), ("constraints", ORDER)):
        serving.run("c1", f"cibadmin --create --scope {scope} --xml-pipe", stdin=xml)
    serving.run("c1", SETTLED)
    try:
        with eyes.unchanged(serving):
            refused = serving.fab("remove-memcached", "--yes")
            planned = serving.fab("remove-memcached", "--with-constraints", "--dry-run")
        done = serving.fab("remove-memcached", "--yes", "--with-constraints")
        again = serving.fab("remove-memcached", "--yes")
        root = eyes.cib(serving)
    finally:
        for scope, xml in (("constraints", THEIRS), ("resources", OTHERS)):
            serving.run("c1", f"cibadmin --delete --scope {scope} --xml-pipe", stdin=xml)
    eyes.assert_refused(refused, "order", "--with-constraints", status=1)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    assert [one.get("id") for one in root.findall(".//resources/*")] == ["other"]
    assert [one.get("id") for one in root.findall(".//constraints/*")] == ["theirs"]
    assert eyes.outcomes(again, "remove-memcached")[serving.name] == "unchanged"
    for node in serving.nodes:
        assert eyes.pid(serving, node) == ""
        assert eyes.is_installed(serving, node), "no package goes without --purge"
