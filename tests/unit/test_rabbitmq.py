"""RabbitMQ's section and site -> files, resource, and what the answers of a node mean."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest

from pacefab.errors import RefusedError, UsageError
from pacefab.host.model import HostFacts
from pacefab.pacemaker.model import Clone, Member, Membership
from pacefab.services.probes.probe import Probe, Reading
from pacefab.services.rabbitmq import node_figures
from pacefab.services.rabbitmq.section import RabbitmqSection
from pacefab.services.rabbitmq.service import SERVICE
from pacefab.services.service import File, Site
from pacefab.transport.command import Section

NAMES = ("c1", "c2", "c3")
SECRETS = {"rabbitmq": 'with # and " and ü', "rabbitmq_cookie": "COOKIE-OF-TESTS"}
ENVIRONMENT = "/etc/rabbitmq/rabbitmq-env.conf"
CONFIG = "/etc/rabbitmq/rabbitmq.conf"
DEFINITIONS = "/etc/rabbitmq/pacefab-definitions.json"
PROBE = "/etc/rabbitmq/pacefab-probe"
COOKIE = "/var/lib/rabbitmq/.erlang.cookie"
# What node_figures.py printed, RabbitMQ 3.10.8 on Debian 12.
SEEN: dict[str, Any] = {
    "messages": {"ready": 4, "unacknowledged": 1},
    "nodes": [
        {
            "partitions": [],
            "mem_alarm": False,
            "disk_free_alarm": False,
            "name": f"rabbit@10.0.0.{n}",
            "running": True,
            "mem_used": 132366336,
        }
        for n in (1, 2, 3)
    ],
    "own": "rabbit@10.0.0.1",
    "queues": 3,
    "without_quorum": [],
    "without_leader": [],
    "critical": [],
}


def site(names: tuple[str, ...] = NAMES, prefix: str = "10.0.0.", **secrets: str) -> Site:
    members = tuple(Member(name, (f"{prefix}{n}",)) for n, name in enumerate(names, start=1))
    facts = {
        name: HostFacts(
            name=name, distribution="debian 12", memory_mib=512, family="debian", manager="apt-get"
        )
        for name in names
    }
    given = {**SECRETS, **secrets}
    return Site(Membership("openstack", members), facts, {}, given.__getitem__)


def files(where: Site, node: str = "c2", **settings: Any) -> dict[str, File]:
    desired = SERVICE.node(RabbitmqSection.model_validate(settings), where, node)
    return {file.path: file for file in desired.files}


def text(path: str, where: Site | None = None, node: str = "c2", **settings: Any) -> str:
    return files(where or site(), node, **settings)[path].render(None)


def probes(where: Site | None = None) -> list[Probe]:
    return list(SERVICE.probes(RabbitmqSection(), where or site()))


def read(probe: Probe, **answer: Any) -> Reading:
    name = probe.steps[0].name
    return probe.read({name: Section(name, 0, json.dumps(answer), "")})


def test_nodes_find_each_other_by_address() -> None:
    assert "NODENAME=rabbit@10.0.0.2\n" in text(ENVIRONMENT)
    assert "USE_LONGNAME=true\n" in text(ENVIRONMENT)
    assert "inet_dist_use_interface {10,0,0,2}" in text(ENVIRONMENT)
    config = text(CONFIG)
    peers = re.findall(r"^cluster_formation.classic_config.nodes.\d = (.*)$", config, re.MULTILINE)
    assert peers == ["rabbit@10.0.0.1", "rabbit@10.0.0.2", "rabbit@10.0.0.3"]
    assert "cluster_partition_handling = pause_minority\n" in config


def test_nodes_find_each_other_by_name() -> None:
    where = site(prefix="fd00::")
    environment = text(ENVIRONMENT, where, members="names")
    assert "NODENAME=rabbit@c2\n" in environment
    assert "USE_LONGNAME=false\n" in environment
    assert "-proto_dist inet6_tcp -kernel inet_dist_use_interface {64768,0,0,0,0,0,0,2}" in (
        environment
    )
    assert "listeners.tcp.own = [fd00::2]:5672\n" in text(CONFIG, where, members="names")
    dotted = site(("c1.example", "c2.example"))
    assert "USE_LONGNAME=true\n" in text(ENVIRONMENT, dotted, "c2.example", members="names")


def test_names_that_erlang_does_not_know_are_refused() -> None:
    with pytest.raises(RefusedError, match="IPv6"):
        files(site(prefix="fd00::"))
    with pytest.raises(RefusedError, match="some have dots"):
        files(site(("c1", "c2.example")), "c1", members="names")


def test_every_listener_is_behind_the_password() -> None:
    config = text(CONFIG)
    listeners = re.findall(r"^listeners\.\S+ = (.*)$", config, re.MULTILINE)
    assert listeners == ["10.0.0.2:5672"]
    assert "management.tcp.ip = 127.0.0.1\n" in config
    users = json.loads(text(DEFINITIONS))["users"]
    assert [user["name"] for user in users] == ["admin", "pacefab-probe"]  # and no guest


def test_the_hash_is_that_of_the_password() -> None:
    passwords = [SECRETS["rabbitmq"], text(PROBE).strip()]
    for user, password in zip(json.loads(text(DEFINITIONS))["users"], passwords, strict=True):
        raw = base64.b64decode(user["password_hash"])
        assert raw[4:] == hashlib.sha256(raw[:4] + password.encode()).digest()
    assert text(DEFINITIONS) == text(DEFINITIONS, node="c3")


def test_the_probes_may_use_their_own_queues_alone() -> None:
    _, rights = json.loads(text(DEFINITIONS))["permissions"]
    assert rights["user"] == "pacefab-probe"
    for right in ("configure", "write", "read"):
        assert re.search(rights[right], "pacefab-probe-c1")
        assert not re.search(rights[right], "orders")
        assert not re.search(rights[right], "not-pacefab-probe-c1")


def test_queues_are_quorum_queues() -> None:
    (vhost,) = json.loads(text(DEFINITIONS))["vhosts"]
    assert vhost["name"] == "/"
    assert vhost["metadata"]["default_queue_type"] == vhost["default_queue_type"] == "quorum"


def test_secrets_are_seen_by_rabbitmq_alone() -> None:
    desired = files(site())
    cookie, definitions, probe = desired[COOKIE], desired[DEFINITIONS], desired[PROBE]
    assert (probe.mode, probe.owner, probe.secret) == ("600", "root:root", True)
    # rabbitmqctl lets RabbitMQ that runs know new passwords, by the cookie that it has.
    assert list(desired).index(DEFINITIONS) < list(desired).index(COOKIE)
    assert (cookie.mode, cookie.owner, cookie.secret) == ("400", "rabbitmq:rabbitmq", True)
    assert cookie.render("of the package") == SECRETS["rabbitmq_cookie"]
    assert (definitions.mode, definitions.owner) == ("640", "root:rabbitmq")
    shown = re.sub(definitions.hidden, "hidden", definitions.render(None))
    assert '"password_hash": "hidden"' in shown
    for secret in SECRETS.values():
        assert not [path for path in desired if path != COOKIE and secret in text(path)]
        argv = [word for asked in probes() for step in asked.steps for word in step.argv]
        assert not [word for word in argv if secret in word]


@pytest.mark.parametrize("cookie", ["two words", "ü", "x" * 256])
def test_a_cookie_that_erlang_cannot_read_is_refused_without_showing_it(cookie: str) -> None:
    with pytest.raises(UsageError) as refused:
        files(site(rabbitmq_cookie=cookie))
    assert cookie not in str(refused.value)


def test_further_settings() -> None:
    config = text(CONFIG, memory=512, settings={"channel_max": 100, "log.file.level": "warning"})
    assert "vm_memory_high_watermark.absolute = 512MiB\n" in config
    assert "channel_max = 100\n" in config
    assert "log.file.level = warning\n" in config


def test_it_is_the_unit_that_pacemaker_starts() -> None:
    (clone,) = SERVICE.configuration(RabbitmqSection(), site()).resources
    assert isinstance(clone, Clone)
    assert clone.primitive.agent == "systemd:rabbitmq-server"


def test_each_node_is_asked_from_its_neighbour_and_for_what_it_sees() -> None:
    asked = [(probe.of, probe.node) for probe in probes()]
    assert asked == [("c1", "c2"), ("c1", "c1"), ("c2", "c3"), ("c2", "c2"), ("c3", "c1"),
                     ("c3", "c3")]  # fmt: skip
    where = site()
    placed = {"rabbitmq": frozenset({"c1", "c3"})}
    some = probes(Site(where.membership, where.facts, {}, where.secret, placed=placed))
    assert {probe.of for probe in some} == {"c1", "c3"}


def test_a_confirmed_message() -> None:
    probe = probes()[0]
    assert read(probe, seconds=0.1) == Reading(figures={"confirm_seconds": 0.1})
    assert read(probe, error="log in: timed out after 2.5 s").wrong.startswith("log in: timed")
    assert probe.read({}).wrong == "no answer"


def test_figures_of_a_node() -> None:
    found = read(probes()[1], **SEEN)
    assert not found.wrong
    assert found.figures == {
        "nodes_running": 3,
        "partitions": 0,
        "alarms": 0,
        "messages_ready": 4,
        "messages_unacknowledged": 1,
        "queues": 3,
        "queues_without_quorum": 0,
        "queues_without_leader": 0,
        "memory_bytes": 132366336,
    }


def changed(place: int, **values: Any) -> dict[str, Any]:
    """Return what is seen with one of the nodes changed."""
    nodes = [{**node, **values} if n == place else node for n, node in enumerate(SEEN["nodes"])]
    return {**SEEN, "nodes": nodes}


def lacking(*names: str, absent: tuple[str, ...] = ("rabbit@10.0.0.3",)) -> list[dict[str, Any]]:
    """Return queues as a node names those that lack something."""
    return [{"name": name, "there": ["rabbit@10.0.0.1"], "absent": [*absent]} for name in names]


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (changed(2, running=False), "it does not see c3 running"),
        ({**SEEN, "nodes": SEEN["nodes"][:1]}, "it does not see c2, c3 running"),
        (changed(0, partitions=["rabbit@10.0.0.3"]), "a partition separates it from rabbit@10.0.0"),
        (changed(0, mem_alarm=True), "memory alarm: publishers have to wait"),
        (changed(0, disk_free_alarm=True), "disk alarm"),
        (
            {**SEEN, "without_quorum": lacking("a", "b", "c", "d")},
            "queue a, b, c and 1 more; start ",
        ),
        ({**SEEN, "without_quorum": lacking("a")}, "start rabbitmq on c3"),
        ({**SEEN, "without_leader": lacking("a b")}, "rabbitmqctl delete_queue 'a b'"),
        ({"error": "connection refused"}, "its management API: connection refused"),
    ],
)
def test_what_is_wrong_with_a_node(seen: dict[str, Any], words: str) -> None:
    assert words in read(probes()[1], **seen).wrong


def test_an_alarm_elsewhere_is_that_nodes() -> None:
    assert not read(probes()[1], **changed(1, mem_alarm=True)).wrong


def test_a_queue_needs_a_majority_of_its_members() -> None:
    assert queues_of("without_quorum", queue("abc"), queue("ab"), queue("a"), OTHERS) == ["a"]


OTHERS: dict[str, Any] = {"name": "old", "type": "classic"}


def queue(online: str, members: str = "abc", leader: str = "a") -> dict[str, Any]:
    """Return a quorum queue that is called as the members that are there."""
    kind = {"type": "quorum", "leader": leader}
    return {"name": online, "members": [*members], "online": [*online], **kind}


def queues_of(trouble: str, *queues: dict[str, Any], own: str = "a") -> list[str]:
    return [found["name"] for found in node_figures.troubles([*queues], own)[trouble]]


def test_a_queue_needs_a_leader_that_is_there() -> None:
    assert queues_of("without_leader", queue("abc"), queue("bc"), queue("b")) == ["bc"]


def test_a_node_is_critical_for_queues_that_would_have_no_majority_without_it() -> None:
    assert queues_of("critical", queue("abc"), queue("ab"), queue("ba", "ba"), queue("a")) == [
        "ab", "ba",
    ]  # fmt: skip
    assert not queues_of("critical", queue("ab"), own="c")


def test_a_node_is_stopped_when_its_queues_can_do_without_it() -> None:
    (probe,) = SERVICE.before_stop(RabbitmqSection(), site(), "c1")
    assert probe.node == "c1"
    assert not read(probe, **SEEN).wrong
    own = lacking("pacefab-probe-c1")  # nothing is in the queue of a probe
    assert not read(probe, **{**SEEN, "critical": own}).wrong
    for absent, way in (("rabbit@10.0.0.3",), "start rabbitmq on c3"), ((), "rabbitmq-queues grow"):
        found = read(probe, **{**SEEN, "critical": [*own, *lacking("orders", absent=absent)]})
        assert "queue orders" in found.wrong
        assert way in found.wrong


def test_without_an_inventory_a_cluster_that_others_made_is_greeted() -> None:
    where = site()
    seen = Site(where.membership, where.facts, {}, recognised=True)
    first, second, *_ = probes(seen)
    assert json.loads(first.steps[0].argv[-1])["greet"] is True
    assert not read(second).wrong  # {}: no password of ours is there
    assert not read(second, **changed(2, running=False)).wrong
