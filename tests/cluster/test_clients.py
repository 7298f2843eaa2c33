"""Real client libraries, configured as client-config prints it, while a server is lost.

Configurations that users have, and that were said to fail over or not to, run beside ours; the
table that is printed settles it. And the files of clients: what is found in them, and written.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import client_trial, eyes
from tests.cluster.client_trial import (
    BACK_SECONDS,
    BLACK_HOLE,
    DEAD_SECONDS,
    DROPPED,
    PHASES,
    STOPPED,
    Seen,
)

pytestmark = pytest.mark.quiet

OURS = ("oslo", "authtoken", "django", "pymemcache", "pool-short-threads")


NOVA = """\
# nova of site A
[pci]
alias = {"vendor_id": "8086"}
alias = {"vendor_id": "10de"}

[cache]
# agreed with operations
memcache_servers = localhost:11211
[keystone_authtoken]
memcached_servers = 192.0.2.200:11211
"""


@pytest.fixture(scope="module")
def generated(serving: Cluster) -> dict[str, str]:
    """What client-config prints, by format."""
    found = json.loads(serving.fab("client-config", "--json", check=True).stdout)
    assert [one["address"] for one in found["servers"]] == [*map(serving.address, serving.nodes)]
    return dict(found["formats"])


@pytest.fixture(scope="module")
def seen(
    serving: Cluster, generated: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Seen]:
    """What each client saw while one memcached was stopped, and while one was cut off."""
    folder = tmp_path_factory.mktemp("clients")
    return client_trial.run(serving, client_trial.clients(generated), folder)


def test_the_table(seen: dict[str, Seen], capsys: pytest.CaptureFixture[str]) -> None:
    """Print what README shows."""
    titles = "".join(f"  {phase + ': worst s':>13} errors   lost   slow" for phase in PHASES)
    with capsys.disabled():
        print(f"\n{'client':<26}{titles}")  # noqa: T201
        for name, one in seen.items():
            print(f"{name:<26}", *(f"{one.row(phase):>35}" for phase in PHASES))  # noqa: T201
    assert all(len(one.calls[phase]) for one in seen.values() for phase in PHASES)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", OURS)
def test_ours_gives_no_error_and_no_long_stall(
    seen: dict[str, Seen], name: str, phase: str
) -> None:
    one = seen[name]
    timeout = 1.0 if name == "authtoken" else 0.5  # keystonemiddleware takes whole seconds
    limit = 0.75 + (timeout if phase == "dropped" else 0)  # 0.75: what a busy machine adds
    assert one.errors(phase) == []
    assert one.worst(phase) < limit
    assert one.lost(phase) < len(one.calls[phase]) / 50


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", OURS)
def test_ours_uses_a_server_again_that_came_back(
    seen: dict[str, Seen], serving: Cluster, name: str, phase: str
) -> None:
    one = seen[name]
    host = serving.address(STOPPED if phase == "stopped" else DROPPED)
    back = one.back[phase]
    assert any(host == to and back < when < back + BACK_SECONDS for when, to in one.connections)


@pytest.mark.parametrize("name", ["dogpile-pymemcache", "dogpile-pymemcache-retry"])
def test_oslo_cache_with_pymemcache_does_not_fail_over(seen: dict[str, Seen], name: str) -> None:
    assert seen[name].errors("stopped")
    assert seen[name].worst("dropped") > DEAD_SECONDS  # as long as packets are dropped


def test_dogpile_s_memcached_fails_over_thread_by_thread(seen: dict[str, Seen]) -> None:
    lasting, pool = seen["dogpile-memcached"], seen["pool-short-threads"]
    assert lasting.errors("stopped") == lasting.errors("dropped") == []
    assert seen["memcached-short-threads"].slow("dropped") > 2 * pool.slow("dropped")


def test_ignoring_exceptions_alone_does_not_help(seen: dict[str, Seen]) -> None:
    assert seen["django-ignore-exc"].worst("dropped") > DEAD_SECONDS
    assert seen["pymemcache-defaults"].worst("dropped") > DEAD_SECONDS


def test_the_list_is_the_same_whoever_is_asked_and_whoever_is_down(serving: Cluster) -> None:
    def ask(*hosts: str) -> str:
        return serving.fab("client-config", "--format", "list", hosts=hosts, check=True).stdout

    usual = ask("c1", "c2", "c3")
    assert usual == ",".join(f"{serving.address(n)}:{eyes.PORT}" for n in serving.nodes) + "\n"
    assert ask("c3", "c1") == usual
    serving.run("c3", f"iptables -A {BLACK_HOLE}")
    try:
        assert ask("c2") == usual
    finally:
        serving.run("c3", f"iptables -D {BLACK_HOLE}")


@pytest.fixture
def nova(serving: Cluster) -> Iterator[str]:
    """A service's file on two hosts, readable by its group, and a unit of it that runs."""
    path = "/etc/nova/nova.conf"
    for node in ("c1", "c2"):
        make = f"mkdir -p /etc/nova && cat >{path} && chown root:mail {path} && chmod 640 {path}"
        serving.run(node, make, stdin=NOVA)
    serving.run("c1", "systemd-run --quiet --collect --unit nova-api sleep 1000")
    yield path
    serving.run("c1", "systemctl stop nova-api; rm -rf /etc/nova")
    serving.run("c2", "rm -rf /etc/nova")


def test_files_are_written_once_and_then_have_nothing_that_hurts(
    serving: Cluster, nova: str
) -> None:
    checks = ("check-clients", nova, "--on", "c1,c2")
    write = ("client-config", "--write", nova, "--on", "c1,c2")
    before = serving.fab(*checks)
    assert before.returncode == 1
    assert (
        f"c1:{nova}:8: memcache_servers = localhost:11211\n  hurts: only the local" in before.stdout
    )

    planned = serving.fab(*write, "--dry-run", check=True)
    assert eyes.read(serving, "c1", nova) == NOVA
    done = serving.fab(*write, check=True)
    assert eyes.outcomes(done, "client-config") == {"c1": "changed", "c2": "changed"}
    for said in (planned.stdout, done.stdout):
        assert f"    {nova}: - memcache_servers = localhost:11211\n" in said
        assert f"{nova}: takes effect after a restart of nova-api.service\n" in said

    text = eyes.read(serving, "c1", nova)
    servers = ",".join(f"{serving.address(node)}:{eyes.PORT}" for node in serving.nodes)
    left = iter(text.splitlines())
    assert all(line in left for line in NOVA.splitlines() if "_servers" not in line)
    assert f"memcache_servers = {servers}\n" in text
    assert serving.run("c1", f"stat -c '%a %U:%G' {nova}").stdout == "640 root:mail\n"
    assert serving.run("c1", "ls /etc/nova").stdout.split() == ["nova.conf", "nova.conf.previous"]

    again = serving.fab(*write, check=True)
    assert eyes.outcomes(again, "client-config") == {"c1": "unchanged", "c2": "unchanged"}
    assert serving.fab(*checks).returncode == 0


def test_a_file_that_is_not_there_is_reported_and_the_others_are_written(
    serving: Cluster, nova: str
) -> None:
    done = serving.fab("client-config", "--write", nova)
    eyes.assert_refused(done, "error on c3", "there is no such file", "--on")
    assert eyes.outcomes(done, "client-config") == {
        "c1": "changed",
        "c2": "changed",
        "c3": "failed",
    }


def test_a_vip_among_the_servers_is_reported(serving: Cluster, nova: str) -> None:
    create = "pcs resource create vip ocf:heartbeat:IPaddr2 ip=192.0.2.200 --disabled"
    serving.run("c1", create)
    try:
        done = serving.fab("check-clients", nova, "--on", "c1")
    finally:
        serving.run("c1", "pcs resource delete vip")
    assert done.returncode == 1
    reported = f"c1:{nova}:10: memcached_servers = 192.0.2.200:11211\n  hurts: 192.0.2.200 is a VIP"
    assert reported in done.stdout


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["check-clients"], ["no file"]),
        (["client-config", "--dry-run"], ["without --write"]),
        (["client-config", "--format", "ini"], ["--format ini", "oslo, authtoken"]),
        (["client-config", "--write", "/etc/x/local_settings.py"], ["Python is not edited"]),
    ],
)
def test_options_that_cannot_be_are_usage_errors(
    serving: Cluster, args: list[str], words: list[str]
) -> None:
    eyes.assert_refused(serving.fab(*args), *words, status=2)


def test_without_hosts_files_of_this_machine_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "nova.conf"
    file.write_text(NOVA)
    argv = [str(Path(sys.executable).with_name("fab")), "check-clients", str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert f"{file}:8: memcache_servers = localhost:11211" in done.stdout
    assert "a single server (or a VIP)" in done.stdout
