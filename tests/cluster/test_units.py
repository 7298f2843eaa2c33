"""Whose a unit is, and what is in force, however memcached is run and whatever starts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pacefab.harness.cluster import Cluster
from pacefab.harness.parallel import on_all
from tests.cluster import eyes
from tests.cluster.lengths import long_but

INSTALL, CREATE = "install-memcached", "create-memcached"
LATER = "in force after: "
# An agent of the operator's own, which runs whatever unit it is given.
AGENT = r"""#!/bin/sh
case $1 in
  meta-data) cat <<'XML'
<?xml version="1.0"?>
<resource-agent name="unit" version="1"><version>1.1</version>
<longdesc lang="en">runs a unit</longdesc><shortdesc lang="en">runs a unit</shortdesc>
<parameters><parameter name="unit"><longdesc lang="en">which</longdesc>
<shortdesc lang="en">which</shortdesc><content type="string"/></parameter></parameters>
<actions><action name="start" timeout="20s"/><action name="stop" timeout="20s"/>
<action name="monitor" timeout="20s" interval="20s"/><action name="meta-data" timeout="5s"/>
</actions></resource-agent>
XML
  exit 0 ;;
esac
unit=${OCF_RESKEY_unit:-memcached}
case $1 in
  start) systemctl start "$unit" ;;
  stop) systemctl stop "$unit" ;;
  monitor) systemctl is-active --quiet "$unit" || exit 7 ;;
esac
"""
TEMPLATE = """<template id="mc-tmpl" class="systemd" type="memcached"><operations>
<op id="mc-m" name="monitor" interval="20s"/></operations></template>"""


def clone(primitive: str, name: str = "cl_cache") -> str:
    """Return a clone's element around a primitive's."""
    return f'<clone id="{name}"><primitive {primitive}</primitive></clone>'


UNIT = """<instance_attributes id="p_cache-params">
<nvpair id="p_cache-unit" name="unit" value="memcached.service"/></instance_attributes>"""
ACME = 'id="p_cache" class="ocf" provider="acme" type="unit">'
FORMS = {
    "template": (TEMPLATE, clone('id="p_cache" template="mc-tmpl">')),
    "lsb": (clone('id="p_cache" class="lsb" type="memcached">'),),
    "service": (clone('id="memcached" class="service" type="memcached">', "memcached-clone"),),
    "suffix": (clone('id="p_cache" class="systemd" type="memcached.service">'),),
    "ocf": (clone(ACME + UNIT),),
}
OPAQUE = clone(ACME)


def everywhere(cluster: Cluster, script: str) -> None:
    """Run a script on every node."""
    on_all(lambda node: cluster.run(node, script, timeout=60), cluster.nodes)


def processes(cluster: Cluster) -> dict[str, str]:
    """Return pid and kernel start time of the process of each node's unit; empty: none runs."""
    script = (
        "p=$(systemctl show -p MainPID --value memcached)"
        "; [ $p = 0 ] || cut -d' ' -f1,22 /proc/$p/stat"
    )
    return {node: cluster.run(node, script).stdout.strip() for node in cluster.nodes}


def put(cluster: Cluster, path: str, text: str, mode: str = "644") -> None:
    """Put a file on every node."""
    folder = path.rpartition("/")[0]
    script = f"mkdir -p {folder} && cat >{path} <<'PACEFAB'\n{text}PACEFAB\nchmod {mode} {path}"
    everywhere(cluster, script)


@contextmanager
def running(cluster: Cluster, *elements: str) -> Iterator[None]:
    """Have Pacemaker run resources during the block, made without pacefab or pcs."""
    for element in elements:
        cluster.run("c1", f"cibadmin --create -o resources --xml-text '{element}'")
    try:
        eyes.until(lambda: all(processes(cluster).values()), "memcached runs on every node")
        cluster.run("c1", "crm_resource --wait --timeout 60", timeout=90)
        yield
    finally:
        cluster.run("c1", "cibadmin --replace -o resources --xml-text '<resources/>'")
        cluster.run("c1", "crm_resource --wait --timeout 60", timeout=90)
        eyes.until(lambda: not any(processes(cluster).values()), "memcached has stopped")


@pytest.fixture(scope="module")
def prepared(installed: Cluster) -> Cluster:
    """The package on every node, the operator's agent beside it, and no resource."""
    put(installed, "/usr/lib/ocf/resource.d/acme/unit", AGENT, "755")
    return installed


@pytest.mark.parametrize("form", long_but(("template", "suffix"), FORMS))
def test_what_pacemaker_runs_is_neither_stopped_nor_run_twice(prepared: Cluster, form: str) -> None:
    memory = str(80 + list(FORMS).index(form))
    with running(prepared, *FORMS[form]):
        before = processes(prepared)
        done = prepared.fab(INSTALL, "--memory", memory)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count(LATER) == 3, done.stdout
        cib = eyes.cib_state(prepared)
        made = prepared.fab(CREATE)
        assert made.returncode == 0, made.stdout + made.stderr
        top = "memcached-clone" if form == "service" else "cl_cache"
        assert re.search(rf"is there, under the id {top} .*left as it is", made.stdout, re.DOTALL)
        assert made.stdout.count("Started, serves at") == 3, made.stdout
        for task in ("status", "verify-memcached") if form in {"lsb", "ocf"} else ():
            looked = prepared.fab(task)
            assert looked.returncode == 0, looked.stdout + looked.stderr
        assert eyes.cib_state(prepared) == cib
        assert processes(prepared) == before


def test_deploy_and_a_purge_refuse_before_they_change_anything(
    prepared: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("inventory") / "one.yaml"
    path.write_text(
        f"cluster: {prepared.name}\nnodes: [{', '.join(prepared.nodes)}]\n"
        "fencing: {disabled: true, reason: a test cluster}\nservices: {memcached: {memory: 99}}\n"
    )
    with running(prepared, *FORMS["template"]), eyes.unchanged(prepared):
        before = processes(prepared)
        purged = prepared.fab("remove-memcached", "--purge", "--yes")
        eyes.assert_refused(purged, "p_cache in cl_cache (systemd:memcached) runs it")
        done = prepared.fab("deploy", "--inventory", str(path), "--yes")
        eyes.assert_refused(done, "p_cache in cl_cache", "systemd:memcached", "fab export")
        assert processes(prepared) == before


def test_what_an_unknown_agent_may_run_is_not_stopped(prepared: Cluster) -> None:
    with running(prepared, OPAQUE), eyes.unchanged(prepared):
        done = prepared.fab(INSTALL, "--memory", "91", "--yes")
        eyes.assert_refused(done, "p_cache in cl_cache (ocf:acme:unit)", "memcached.service")
        made = prepared.fab(CREATE)
        eyes.assert_refused(made, "p_cache in cl_cache (ocf:acme:unit)")


OVERRIDE = "/etc/systemd/system/memcached.service.d/override.conf"
OWN = "[Service]\nExecStart=\nExecStart=/usr/bin/memcached -u memcache -m 128 -p 11211 -l 0.0.0.0\n"


@pytest.mark.long
def test_a_command_that_does_not_read_the_file_is_refused_first(prepared: Cluster) -> None:
    prepared.fab(INSTALL, check=True)
    try:
        put(prepared, OVERRIDE, OWN)
        everywhere(prepared, "systemctl daemon-reload")
        made = prepared.fab(CREATE)
        assert made.returncode == 0, made.stdout + made.stderr
        with eyes.unchanged(prepared):
            for task in ((INSTALL, "--memory", "70"), ("update-memcached", "--memory", "71")):
                done = prepared.fab(*task, "--yes")
                words = ("memcached.service starts /usr/bin/memcached", "(override.conf)",
                         "/etc/memcached.conf is not read", "systemctl revert")  # fmt: skip
                eyes.assert_refused(done, *words)
            checked = prepared.fab("verify-memcached")
            assert checked.returncode == 1, checked.stdout
            assert "is not read" in checked.stdout
        put(prepared, OVERRIDE, "[Service]\nRestart=no\n")
        everywhere(prepared, "systemctl daemon-reload")
        done = prepared.fab(INSTALL, "--memory", "72")
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        everywhere(prepared, f"rm -f {OVERRIDE}; systemctl daemon-reload")
        prepared.fab("remove-memcached", "--yes", check=True)


def test_a_file_without_a_user_gets_the_packages(prepared: Cluster) -> None:
    everywhere(prepared, "rm -f /etc/memcached.conf.previous; echo '-d -m 64' >/etc/memcached.conf")
    done = prepared.fab(INSTALL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "+ -u memcache" in done.stdout
    assert "this whole line is ignored: it begins with -d" in done.stdout
    with eyes.unchanged(prepared):
        assert "unchanged" in prepared.fab(INSTALL, check=True).stdout


@pytest.mark.long
def test_one_that_wants_a_password_is_served_by_its_connection(prepared: Cluster) -> None:
    put(prepared, "/etc/memcached.auth", "foo:bar\n")
    everywhere(prepared, "echo '-Y /etc/memcached.auth' >>/etc/memcached.conf")
    try:
        done = prepared.fab(INSTALL)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("its health cannot be asked: it wants a password (-Y)") == 3
        made = prepared.fab(CREATE)
        assert made.returncode == 0, made.stdout + made.stderr
        assert made.stdout.count("it wants a password (-Y)") == 3
        status = prepared.fab("status", "--json")
        assert status.returncode == 0, status.stdout
        assert prepared.fab("verify-memcached").returncode == 0
        updated = prepared.fab("update-memcached", "--memory", "73", "--yes")
        assert updated.returncode == 0, updated.stdout + updated.stderr
        prepared.run("c2", "pkill -STOP -x memcached")
        hung = prepared.fab("status")
        assert hung.returncode == 1, hung.stdout
        assert "timeout" in hung.stdout
    finally:
        prepared.run("c2", "pkill -CONT -x memcached", check=False)
        prepared.fab("remove-memcached", "--yes", check=True)
        everywhere(prepared, "rm -f /etc/memcached.auth; sed -i '/^-Y/d' /etc/memcached.conf")
