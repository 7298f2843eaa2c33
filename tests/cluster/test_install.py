"""install-memcached in detail: options, what runs already, addresses, dry runs."""

from __future__ import annotations

import json

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes

LATER = "in force after: fab update-memcached"
# As an operator's install leaves it: enabled, and running on the loopback address.
INSTALL = r"""
if command -v apt-get >/dev/null; then
    DEBIAN_FRONTEND=noninteractive apt-get install -qq memcached
else
    yum install -q -y memcached
    sed -i 's/^OPTIONS=.*/OPTIONS="-l 127.0.0.1"/' /etc/sysconfig/memcached
fi
systemctl enable --quiet --now memcached
"""
VARIABLES = {"PORT": "-p", "MAXCONN": "-c", "CACHESIZE": "-m"}  # of EL's unit


def options(cluster: Cluster, node: str) -> set[str]:
    """Return the options in a node's file, with their values."""
    path = eyes.config_path(cluster)
    lines = eyes.read(cluster, node, path).splitlines()
    if path == "/etc/memcached.conf":
        return {line.partition("#")[0].strip() for line in lines if line.startswith("-")}
    values = {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}
    words = values.pop("OPTIONS").split()
    found = {f"{option} {value}" for option, value in zip(words[::2], words[1::2], strict=True)}
    return found | {
        f"{VARIABLES[key]} {value}" for key, value in values.items() if key in VARIABLES
    }


def test_a_dry_run_changes_nothing(bare: Cluster) -> None:
    with eyes.unchanged(bare):
        done = bare.fab("install-memcached", "--dry-run", "--memory", "70")
    assert done.returncode == 0
    assert eyes.outcomes(done, "install-memcached") == dict.fromkeys(bare.nodes, "planned")
    assert "would be: package memcached installed with " in done.stdout


def test_a_process_that_ran_before_with_another_address_is_stopped(bare: Cluster) -> None:
    bare.run("c1", INSTALL, timeout=120)
    eyes.until(lambda: eyes.sockets(bare, "c1") == ["tcp 127.0.0.1"], "it listens")
    done = bare.fab("install-memcached", "--yes", hosts=["c1"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert eyes.outcomes(done, "install-memcached") == {"c1": "changed"}
    assert "stopped memcached, which ran outside Pacemaker (listen 127.0.0.1" in done.stdout
    assert "unit disabled" in done.stdout
    assert eyes.unit(bare, "c1", "UnitFileState", "ActiveState") == ["disabled", "inactive"]


def test_a_masked_unit_is_unmasked(installed: Cluster) -> None:
    installed.run("c2", "systemctl mask --quiet memcached")
    done = installed.fab("install-memcached", hosts=["c2"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unit unmasked" in done.stdout
    state = eyes.unit(installed, "c2", "LoadState", "UnitFileState", "ActiveState")
    assert state == ["loaded", "disabled", "inactive"]


def test_an_enabled_unit_is_disabled(installed: Cluster) -> None:
    installed.run("c2", "systemctl enable --quiet memcached")
    done = installed.fab("install-memcached")
    assert done.returncode == 0, done.stdout + done.stderr
    found = eyes.outcomes(done, "install-memcached")
    assert found == {"c1": "unchanged", "c2": "changed", "c3": "unchanged"}
    assert eyes.unit(installed, "c2", "UnitFileState") == ["disabled"]


def test_a_process_outside_pacemaker_with_the_right_settings_is_adopted(
    installed: Cluster,
) -> None:
    installed.run("c3", "systemctl start memcached")
    eyes.until(lambda: eyes.pid(installed, "c3") != "", "the unit's wrapper has become memcached")
    before = eyes.processes(installed)
    done = installed.fab("install-memcached", "create-memcached")
    assert done.returncode == 0, done.stdout + done.stderr
    assert eyes.processes(installed)["c3"] == before["c3"] != ""


@pytest.mark.parametrize(
    ("listen", "expected"), [("0.0.0.0", "0.0.0.0"), ("{network}", "{address}")]
)
def test_listen_takes_every_address_or_the_one_in_a_network(
    installed: Cluster, listen: str, expected: str
) -> None:
    address = installed.address("c1")
    network = address.rpartition(".")[0] + ".0/24"
    done = installed.fab("install-memcached", "--listen", listen.format(network=network))
    assert done.returncode == 0, done.stdout + done.stderr
    for node in installed.nodes:
        desired = expected.format(address=installed.address(node))
        assert f"-l {desired}" in options(installed, node)


def test_options_not_given_stay_as_they_are(installed: Cluster) -> None:
    installed.fab("install-memcached", "--memory", "33", "--max-connections", "77", check=True)
    installed.fab("install-memcached", "--memory", "34", check=True)
    with eyes.unchanged(installed):
        done = installed.fab("install-memcached")
    assert eyes.outcomes(done, "install-memcached") == dict.fromkeys(installed.nodes, "unchanged")
    assert {"-m 34", "-c 77", "-p 11211", "-U 0"} <= options(installed, "c2")


def test_a_change_waits_for_the_next_restart_while_pacemaker_runs_it(serving: Cluster) -> None:
    before = eyes.processes(serving)
    done = serving.fab("install-memcached", "--memory", "35", "--max-connections", "78")
    assert done.returncode == 0, done.stdout + done.stderr
    assert eyes.outcomes(done, "install-memcached") == dict.fromkeys(serving.nodes, "changed")
    assert done.stdout.count(LATER) == 3
    assert {"-m 35", "-c 78"} <= options(serving, "c1")
    assert eyes.processes(serving) == before

    again = serving.fab("install-memcached")
    assert again.stdout.count(LATER) == 3, "it is said until it was restarted"
    assert eyes.outcomes(again, "install-memcached") == dict.fromkeys(serving.nodes, "unchanged")

    serving.run("c1", "crm_resource --restart --resource memcached-clone", timeout=120)
    assert LATER not in serving.fab("install-memcached").stdout
    settings = eyes.talk(serving, "c2", serving.address("c1"), r"stats settings\r\n")
    assert f"STAT maxbytes {35 * 1024 * 1024}\n" in settings


def test_verify_shows_a_node_that_is_set_otherwise(serving: Cluster) -> None:
    serving.fab("install-memcached", "--memory", "36", hosts=["c2"], check=True)
    done = serving.fab("verify-memcached")
    assert done.returncode == 1
    assert "failed: configuration equal, all nodes" in done.stdout
    assert "c2: 36 MiB" in done.stdout


def test_a_port_change_waits_too_and_the_cluster_is_shown_as_it_is(serving: Cluster) -> None:
    before = eyes.processes(serving)
    done = serving.fab("install-memcached", "--port", "11300")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(LATER) == 3
    assert eyes.processes(serving) == before
    # Clients of today still get their answers, at the port that memcached runs with.
    status = serving.fab("status", "--json")
    assert status.returncode == 0, status.stdout
    assert [one["port"] for one in json.loads(status.stdout)["nodes"]] == [eyes.PORT] * 3
    create = serving.fab("create-memcached", "--timeout", "5")
    assert create.returncode == 0, create.stdout + create.stderr


def test_an_output_that_lacks_a_character_ends_no_install(bare: Cluster) -> None:
    bare.reset()
    done = bare.fab("install-memcached", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert eyes.outcomes(done, "install-memcached") == dict.fromkeys(bare.nodes, "changed")
    assert "... c1           installing the package with " in done.stdout
