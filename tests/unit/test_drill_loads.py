"""Client loads of drills: how they are started, what they say, and what a node runs about them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pacefab.drill import on_node
from pacefab.drill.faults import FAULTS, Victim
from pacefab.drill.load import Load
from pacefab.errors import CommandError
from pacefab.host.model import HostFacts
from pacefab.pacemaker.model import Member, Membership
from pacefab.services import registry
from pacefab.services.load import ClientLoad, LoadServer
from pacefab.services.redis.section import RedisSection
from pacefab.services.service import Site, no_load
from pacefab.services.vips.section import VipsSection

PASSWORD = "open-sesame"  # noqa: S105  (of no server)
NODES = ("c1", "c2", "c3")
FACTS = {
    name: HostFacts(name, "debian 12", 512, family="debian", manager="apt-get") for name in NODES
}
MEMBERSHIP = Membership("demo", tuple(Member(n, (f"10.0.0.{n[1]}",)) for n in NODES))
SERVICE = """
from pacefab.services.load_program import WritingLoad, read_request

class Store(WritingLoad):
    def connect(self, address, port):
        if self.request["options"].get("down"):
            raise OSError("nobody is there")
        return self.put

    def put(self, text):
        if text.endswith("7"):
            raise ValueError(text)

    def missing(self):
        return {"lost": sum(text.endswith("3") for text in self.written), "redelivered": 0}

Store(read_request()).main()
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClientLoad:
    """A service of another package: a store that refuses a write in ten, and loses one in ten."""
    (tmp_path / "a_store.py").write_text(SERVICE)
    monkeypatch.syspath_prepend(tmp_path)
    servers = tuple(LoadServer(name, f"10.0.0.{name[1]}", 7) for name in NODES)
    secrets = {"password": PASSWORD}
    return ClientLoad("store", servers, b"", b"", "a_store", "writers", 3, 300, secrets=secrets)


def site(**sections: object) -> Site:
    return Site(MEMBERSHIP, FACTS, sections, lambda _: PASSWORD)


def test_a_load_of_another_package_runs_and_counts(store: ClientLoad) -> None:
    with Load(store, 300) as load:
        load.fill(20)
        while sum(window.stored for window in load.windows) < 60:
            pass
        argv = Path(f"/proc/{load._process.pid}/cmdline").read_text()  # noqa: SLF001
        said = load.count(20)
    assert "a_store" in argv
    assert PASSWORD not in argv
    assert said["stored"] >= 60
    assert 0 < said["lost"] < said["stored"] / 5
    assert sum(window.error for window in load.windows) > 0
    assert 0 < max(window.gap for window in load.windows) < 20


def test_a_load_that_cannot_begin_says_why(store: ClientLoad) -> None:
    down = replace(store, options={"down": True})
    with Load(down, 300) as load, pytest.raises(CommandError) as caught:
        load.fill(20)
    assert caught.value.seen == "nobody is there"


def test_secrets_are_in_no_text_of_a_load(store: ClientLoad) -> None:
    assert PASSWORD not in repr(store)
    assert store.request["password"] == PASSWORD


@pytest.mark.parametrize("name", ["memcached", "rabbitmq", "redis"])
def test_the_services_that_drills_break(name: str) -> None:
    service = registry.service(name)
    load = service.load(service.default, site())
    assert load is not None
    assert load.resource == name
    assert [server.node for server in load.servers] == [*NODES]
    found = subprocess.run(
        [sys.executable, "-c", f"import {load.program}"], capture_output=True, check=False
    )
    assert found.returncode == 0, found.stderr


def test_other_services_have_no_load() -> None:
    assert registry.service("haproxy").load is no_load


def test_redis_is_written_to_by_way_of_the_vip_that_follows() -> None:
    vips = VipsSection.model_validate(
        {"follows": "redis", "addresses": ({"name": "store", "address": "10.0.0.99"},)}
    )
    redis = registry.service("redis")
    load = redis.load(RedisSection(), site(vips=vips))
    assert load is not None
    assert load.request["options"] == {"vips": ["10.0.0.99"]}


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("name", ["memcached", "rabbitmq", "redis"])
def test_what_a_node_runs_is_shell_that_it_understands(name: str, kind: str) -> None:
    service = registry.service(name)
    load = service.load(service.default, site())
    assert load is not None
    victim = Victim("c3", ("10.0.0.1", "10.0.0.2"), 6379, load)
    (step,) = on_node.plan_failure(FAULTS[kind], victim, 60)
    assert PASSWORD not in json.dumps(step.argv)
    *_, undo, cause, node, _, first, _ = step.argv
    assert (node, first) == ("c3", "10.0.0.1")
    for script in (undo, cause):
        subprocess.run(["sh", "-n", "-c", script], check=True)


def test_a_failure_names_the_service() -> None:
    fault = FAULTS["pause"].of("redis")
    assert (fault.what.split()[0], fault.undone) == ("redis", "has a redis that answers again")


def test_a_process_without_a_unit_is_found_by_its_command_line() -> None:
    load = registry.service("redis").load(RedisSection(), site())
    assert load is not None
    found = subprocess.run(
        ["grep", "-cE", load.process], text=True, capture_output=True, check=False,
        input="/usr/bin/redis-server 127.0.0.1:6379\n/usr/bin/redis-server 127.0.0.1:6380\n"
        "sh -c pkill redis-server 127.0.0.1:6379\n",
    )  # fmt: skip
    assert found.stdout == "1\n"
