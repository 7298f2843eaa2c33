"""What is written and not in force yet is said until it is: plan, deploy, status, verify."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes

WAY = "fab update-memcached"
LINE = f"in force after: {WAY} ("
MEMORY = 96
INVENTORY = f"""\
cluster: {{cluster}}
nodes: {{nodes}}
fencing: {{{{disabled: true, reason: containers have no power switch}}}}
services: {{{{memcached: {{{{memory: {MEMORY}}}}}}}}}
"""


@pytest.fixture
def inventory(serving: Cluster, tmp_path: Path) -> str:
    """An inventory with another memory size than the nodes' memcached runs with."""
    name = eyes.cib(serving).find(".//nvpair[@name='cluster-name']")
    assert name is not None
    nodes = "[" + ", ".join(serving.nodes) + "]"
    file = tmp_path / "inventory.yaml"
    file.write_text(INVENTORY.format(cluster=name.get("value"), nodes=nodes))
    return str(file)


def test_a_written_setting_is_pending_until_the_update(serving: Cluster, inventory: str) -> None:
    of = ("--inventory", inventory)
    before = eyes.processes(serving)
    done = serving.fab("deploy", "--yes", *of)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-2].strip().startswith(LINE)
    assert done.stdout.count(LINE) == 2, "in the plan and at the end, for all nodes at once"
    assert eyes.processes(serving) == before

    plan = serving.fab("plan", *of)
    assert plan.returncode == 2, plan.stdout + plan.stderr
    where = ", ".join(serving.nodes)
    line = f"{LINE}{where}: 64 MiB, not {MEMORY})"
    assert plan.stdout.splitlines().count(line) == 1
    assert len(line) <= 80
    found = serving.fab("plan", "--json", *of)
    (pending,) = json.loads(found.stdout)["pending"]
    assert (pending["hosts"], pending["in_force_after"]) == (list(serving.nodes), WAY)

    status = serving.fab("status", *of)
    assert status.returncode == 0, status.stdout + status.stderr
    assert f"notice: {line}" in status.stdout
    assert line in json.loads(serving.fab("status", "--json", *of).stdout)["notices"]
    assert line in serving.fab("verify-memcached", *of).stdout
    assert line in serving.fab("deploy", "--yes", *of).stdout, "also with nothing to change"

    serving.fab("update-memcached", "--yes", *of, check=True)

    plan = serving.fab("plan", *of)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert plan.stdout.splitlines()[-1] == "nothing to do"
    assert json.loads(serving.fab("plan", "--json", *of).stdout)["pending"] == []
    assert LINE not in serving.fab("status", *of).stdout
    settings = eyes.talk(serving, "c2", serving.address("c1"), r"stats settings\r\n")
    assert f"STAT maxbytes {MEMORY * 1024 * 1024}\n" in settings


DROP_IN = "/etc/systemd/system/memcached.service.d/own.conf"
WRITE_TEXT = r"[Service]\nUMask=077\n"


def test_a_unit_that_changed_on_disk_is_not_what_systemd_runs(serving: Cluster) -> None:
    said = "in force after: systemctl daemon-reload, then a restart (c2: memcached.service changed"
    assert said not in serving.fab("status").stdout
    serving.run("c2", f"printf '{WRITE_TEXT}' | install -D -m 644 /dev/stdin {DROP_IN}")
    try:
        status = serving.fab("status")
        assert f"notice: {said}" in status.stdout
        assert status.returncode == 0, status.stdout + status.stderr
        assert said in serving.fab("verify-memcached").stdout
    finally:
        serving.run("c2", f"rm {DROP_IN}; systemctl daemon-reload")
    assert said not in serving.fab("status").stdout


TRAP = "/etc/systemd/system/memcached.service.d/trap.conf"
MORE = MEMORY + 1
SET_TRAP = f"""
mkdir -p {Path(TRAP).parent}
printf '[Service]\\nExecStartPre=/bin/sh -c "! grep -q ^-m.{MORE} /etc/memcached.conf"\\n' >{TRAP}
systemctl daemon-reload
"""


def maximum(cluster: Cluster, node: str) -> str:
    """Return the line of a memcached's settings that says how much memory it may use."""
    said = eyes.talk(cluster, "c2", cluster.address(node), r"stats settings\r\n")
    return next(line for line in said.splitlines() if line.startswith("STAT maxbytes "))


@pytest.mark.long
def test_deploy_restarts_node_by_node_and_stops_at_the_first_that_fails(
    serving: Cluster, inventory: str
) -> None:
    file = Path(inventory)
    file.write_text(file.read_text().replace(f"memory: {MEMORY}", f"memory: {MORE}"))
    new = f"STAT maxbytes {MORE * 1024 * 1024}"
    of = ("--update", "--inventory", inventory)
    before = eyes.processes(serving)
    shown = serving.fab("deploy", "--dry-run", *of)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    where = ", ".join(serving.nodes)
    assert re.search(
        rf"^  ~ update memcached: {where}: .*, not {MORE}$", shown.stdout, re.MULTILINE
    )
    assert f"{where}: starts empty: it is not restartable" in shown.stdout
    assert eyes.processes(serving) == before

    serving.run("c2", SET_TRAP)
    try:
        done = serving.fab("deploy", "--yes", "--timeout", "60", *of)
        assert done.returncode == 1, done.stdout + done.stderr
        expected = {"c1": "changed", "c2": "failed", "c3": "skipped"}
        assert eyes.outcomes(done, "update-memcached") == expected, done.stdout
        assert "deploy is done" in done.stdout
        assert maximum(serving, "c1") == new
        assert eyes.processes(serving)["c3"] == before["c3"]
    finally:
        serving.run("c2", f"rm -f {TRAP}; systemctl daemon-reload")
        serving.run("c1", "pcs resource cleanup memcached && crm_resource --wait --timeout 60")
    first = eyes.processes(serving)["c1"]
    again = serving.fab("deploy", "--yes", *of)
    assert again.returncode == 0, again.stdout + again.stderr
    assert eyes.outcomes(again, "update-memcached")["c3"] == "changed"
    assert [maximum(serving, node) for node in serving.nodes] == [new] * 3
    assert eyes.processes(serving)["c1"] == first
    assert serving.fab("plan", "--inventory", inventory).returncode == 0
