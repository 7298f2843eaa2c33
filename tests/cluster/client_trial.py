"""A trial of client libraries: all at once, while a server is stopped, and while one is cut off."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes

PROGRAM = Path(__file__).with_name("client_load.py")
STOPPED, DROPPED = "c2", "c3"
BLACK_HOLE = f"INPUT -p tcp --dport {eyes.PORT} -j DROP"
DEAD_SECONDS = 10  # of what is generated, until a server is tried again
BACK_SECONDS = 2 * DEAD_SECONDS + 2  # pymemcache looks every 10 s for those dead for 10 s
PHASES = ("stopped", "dropped")


@dataclass(frozen=True)
class Client:
    """A client and its configuration: of these kinds, in so many threads."""

    name: str
    kind: str
    text: str
    threads: int = 3
    rounds: int = 0


@dataclass
class Seen:
    """What a client saw, by phase."""

    calls: dict[str, list[tuple[float, float, str]]]
    connections: list[tuple[float, str]]
    back: Mapping[str, float] = field(default_factory=dict)  # when a phase ended

    def worst(self, phase: str) -> float:
        """Return the longest call in seconds."""
        return max(seconds for _, seconds, _ in self.calls[phase])

    def errors(self, phase: str) -> list[str]:
        """Return what reached the application as an exception, or never came back."""
        return [how for _, _, how in self.calls[phase] if how.startswith(("error", "hung"))]

    def slow(self, phase: str) -> int:
        """Return how many calls took more than 0.3 s."""
        return sum(seconds > 0.3 for _, seconds, _ in self.calls[phase])

    def lost(self, phase: str) -> int:
        """Return how many gets did not find what had just been set."""
        return sum(how in {"miss", "stale"} for _, _, how in self.calls[phase])

    def row(self, phase: str) -> str:
        """Return a phase's figures as a part of the table."""
        worst, errors = self.worst(phase), len(self.errors(phase))
        return f"{worst:9.2f} {errors:7} {self.lost(phase):6} {self.slow(phase):6}"


def clients(formats: Mapping[str, str]) -> list[Client]:
    """Return ours, named by the format, and what else is in use."""
    oslo, where = formats["oslo"], formats["list"].strip()
    password = "[keystone_authtoken]\nauth_type = v3token\nauth_url = http://localhost/\n"  # noqa: S105
    token = formats["authtoken"].replace("[keystone_authtoken]\n", password)
    memcached = oslo.replace("oslo_cache.memcache_pool", "dogpile.cache.memcached")
    pymemcache = oslo.replace("oslo_cache.memcache_pool", "dogpile.cache.pymemcache")
    retrying = pymemcache + "enable_retry_client = true\nhashclient_dead_timeout = 10\n"
    servers = [server.split(":")[0] for server in where.split(",")]
    django = formats["django"]
    options = django[django.index('"OPTIONS": {') : django.index("}") + 1]
    client = "from pymemcache.client.hash import HashClient\nclient = HashClient({})\n"
    return [
        Client("oslo", "oslo", oslo),
        Client("authtoken", "authtoken", token),
        Client("django", "django", django),
        Client("pymemcache", "pymemcache", formats["pymemcache"]),
        Client("pool-short-threads", "oslo", oslo, threads=6, rounds=5),
        Client("memcached-short-threads", "oslo", memcached, threads=6, rounds=5),
        Client("dogpile-memcached", "oslo", memcached),
        Client("dogpile-pymemcache", "oslo", pymemcache),
        Client("dogpile-pymemcache-retry", "oslo", retrying),
        Client(
            "django-ignore-exc", "django", django.replace(options, '"OPTIONS": {"ignore_exc": 1}')
        ),
        Client(
            "pymemcache-defaults", "pymemcache", client.format([(s, eyes.PORT) for s in servers])
        ),
    ]


def run(cluster: Cluster, tried: list[Client], folder: Path) -> dict[str, Seen]:
    """Run the clients through both phases; return what each saw, by its name."""
    running = {one.name: start(one, folder) for one in tried}
    try:
        for process in running.values():
            wait_ready(process)
        times = {phase: cut(cluster, phase) for phase in PHASES}
        return {name: finish(process, times) for name, process in running.items()}
    finally:
        for process in running.values():
            process.kill()


def start(client: Client, folder: Path) -> subprocess.Popen[str]:
    """Start a client's load."""
    file = folder / f"{client.name}.conf"
    file.write_text(client.text)
    argv = [client.kind, file, client.threads, client.rounds]
    log = file.with_suffix(".log").open("w")
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), *map(str, argv)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
    )  # fmt: skip


def wait_ready(process: subprocess.Popen[str]) -> None:
    """Wait until all threads of a client have used the cache."""
    assert process.stdout
    assert process.stdout.readline() == "ready\n", process.args


def cut(cluster: Cluster, phase: str) -> tuple[float, float]:
    """Take a server away and give it back; return when it was first away, and when back."""
    away, node = (stopped, STOPPED) if phase == "stopped" else (black_hole, DROPPED)
    begun = time.monotonic()
    with away(cluster):
        time.sleep(DEAD_SECONDS + 2)  # so that a dead server is tried again, in vain
    back = time.monotonic()
    while not is_open(cluster.address(node)):
        back = time.monotonic()  # the last moment at which nobody could have connected
        assert back < begun + 120, f"memcached on {node} is not back"
        time.sleep(0.02)
    time.sleep(BACK_SECONDS)
    return begun, back


@contextmanager
def stopped(cluster: Cluster) -> Iterator[None]:
    """Let Pacemaker stop one memcached: connections are refused."""
    cluster.run(STOPPED, f"crm_standby --node {STOPPED} --update on && crm_resource --wait")
    assert not eyes.pid(cluster, STOPPED)
    try:
        yield
    finally:
        cluster.run(STOPPED, f"crm_standby --node {STOPPED} --delete")


@contextmanager
def black_hole(cluster: Cluster) -> Iterator[None]:
    """Drop one server's packets: nobody says that it is away."""
    cluster.run(DROPPED, f"iptables -A {BLACK_HOLE}")
    try:
        yield
    finally:
        cluster.run(DROPPED, f"iptables -D {BLACK_HOLE}")


def is_open(host: str) -> bool:
    """Whether memcached accepts connections there."""
    try:
        socket.create_connection((host, eyes.PORT), timeout=1).close()
    except OSError:
        return False
    return True


def finish(process: subprocess.Popen[str], times: Mapping[str, tuple[float, float]]) -> Seen:
    """Return what a client saw between losing a server and having it back."""
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0, process.args
    found: dict[str, Any] = json.loads(out)
    calls = {
        phase: [tuple(call) for call in found["calls"] if begun <= call[0] < back]
        for phase, (begun, back) in times.items()
    }
    return Seen(calls, found["connections"], {phase: back for phase, (_, back) in times.items()})
