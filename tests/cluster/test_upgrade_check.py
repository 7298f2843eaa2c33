"""upgrade --check on real nodes: what was planted is found, fixed as a plan, and found no more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes

# On a cluster of Pacemaker 2.1 alone: the schema of 3.0 has neither any more.
MASTER = (
    '<master id="planted-master"><primitive id="planted" class="ocf" provider="pacemaker" '
    'type="Stateful"/></master>'
)
DATED = (
    '<rsc_location id="planted-dated" rsc="planted-master" node="c1" score="5"><lifetime>'
    '<rule id="planted-rule" score="0"><date_expression id="planted-date" operation="gt" '
    'start="2020-01-01"/></rule></lifetime></rsc_location>'
)
LOCAL = {("repositories of others", node) for node in ("c1", "c2", "c3")}
UNCONFIGURED = {("packages of the next release", node) for node in ("c1", "c2", "c3")}


def checked(cluster: Cluster, *options: str) -> dict[str, Any]:
    """Return what upgrade --check found."""
    done = cluster.fab("upgrade", "--check", "--json", *options)
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1), done.stdout + done.stderr
    return found


def places(found: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["check"], one["where"]) for one in found["findings"]}


@pytest.fixture
def release(serving: Cluster) -> str:
    """The codename of the nodes' own release, which has a Pacemaker of that generation."""
    if not serving.image.startswith("debian"):
        pytest.skip("an upgrade of this distribution is not known here")
    return serving.run("c1", ". /etc/os-release && echo $VERSION_CODENAME").stdout.strip()


def test_nothing_is_found_on_a_fresh_cluster_that_stays_in_its_generation(
    serving: Cluster, release: str
) -> None:
    before = serving.run("c1", "cibadmin -Q --scope configuration").stdout
    found = checked(serving, "--to", release)
    assert found["findings"] == []
    assert found["ok"]
    assert [node["node"] for node in found["nodes"]] == list(serving.nodes)
    assert serving.run("c1", "cibadmin -Q --scope configuration").stdout == before


def test_what_is_planted_on_nodes_is_found(serving: Cluster, release: str) -> None:
    serving.run("c1", "systemctl enable memcached")
    serving.run("c2", "apt-mark hold memcached")
    serving.run("c3", "crm_standby --node c3 --update on")
    try:
        found = checked(serving, "--to", release)
    finally:
        serving.run("c3", "crm_standby --node c3 --delete; crm_resource --wait -T 60")
        serving.run("c2", "apt-mark unhold memcached")
        serving.run("c1", "systemctl disable memcached")
    assert {
        ("units at boot", "c1"), ("held packages", "c2"), ("set aside", "c3"),
    } <= places(found)  # fmt: skip
    assert not found["ok"]


def test_a_configuration_is_fixed_as_a_plan(serving: Cluster, release: str) -> None:
    if release != "bookworm":
        pytest.skip("its Pacemaker has dropped what is planted")
    serving.run("c1", f"cibadmin --create --scope resources --xml-text '{MASTER}'")
    serving.run("c1", f"cibadmin --create --scope constraints --xml-text '{DATED}'")
    serving.run("c1", "crm_attribute --name stonith-action --update poweroff")
    serving.run("c1", "crm_resource --wait -T 60")
    try:
        found = checked(serving)
        assert places(found) == LOCAL | UNCONFIGURED | {
            ("promotable clones", "planted-master"),
            ("lifetimes of constraints", "planted-dated"),
            ("properties", "stonith-action"),
        }
        assert found["plan"]["pacemaker"] == []
        done = serving.fab("upgrade", "--fix", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "planted-master" in serving.run("c1", "cibadmin -Q --xpath //clone").stdout
        assert places(checked(serving)) == LOCAL | UNCONFIGURED
        again = serving.fab("upgrade", "--fix", "--yes")
        assert "unchanged" in again.stdout, again.stdout + again.stderr
        assert eyes.started_on(serving) == serving.nodes
    finally:
        serving.run("c1", "crm_attribute --name stonith-action --delete", check=False)
        serving.run("c1", "pcs resource delete planted-master --force", check=False)
        serving.run("c1", "pcs resource delete planted --force", check=False)


def test_another_distribution_is_refused_in_a_sentence(serving: Cluster) -> None:
    if serving.image.startswith("debian"):
        pytest.skip("its releases are known")
    done = serving.fab("upgrade", "--check")
    assert done.returncode == 1
    assert "known here: debian 11" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
