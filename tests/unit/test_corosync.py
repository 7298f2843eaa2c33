"""corosync.conf: read, compared with what is desired, rendered; as real nodes have it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pacefab.cli.inventory import ClusterInventory, read_inventory
from pacefab.errors import UsageError
from pacefab.export.draft import Source
from pacefab.export.export import export
from pacefab.pacemaker import cib
from pacefab.pacemaker.corosync import commands, conf
from pacefab.pacemaker.corosync.plan import (
    CorosyncPlan,
    CorosyncSettings,
    Effect,
    earlier,
    plan_corosync,
    restored,
)
from pacefab.pacemaker.members import corosync as members
from pacefab.workflows.checks import quorum_device
from pacefab.workflows.formation import steps
from tests.unit import captured

LINKS = captured.text("corosync", "two-links.conf")
DEVICE = captured.text("corosync", "device.conf")
PLAIN = captured.text("debian12", "corosync.conf")
NODES = """\
cluster: test
nodes:
  - {name: c1, address: 172.19.0.11, links: [192.0.2.11]}
  - {name: c2, address: 172.19.0.12, links: [192.0.2.12]}
  - {name: c3, address: 172.19.0.13, links: [192.0.2.13]}
fencing: {disabled: true, reason: a test}
"""
AS_SET_UP = "corosync: {links: [{link_priority: 1}, {link_priority: 5}], totem: {token: 5000}}\n"


def read(folder: Path, text: str) -> ClusterInventory:
    file = folder / "inventory.yaml"
    file.write_text(text)
    return read_inventory(file)


def settings(folder: Path, corosync: str) -> CorosyncSettings:
    found = read(folder, NODES + corosync).settings()
    assert found is not None
    return found


def plan(
    folder: Path, corosync: str, *texts: str, restart: bool = False, stopped: bool = False
) -> CorosyncPlan:
    own = settings(folder, corosync)
    files = {f"c{i}": text for i, text in enumerate(texts or (LINKS,) * 3, start=1)}
    return plan_corosync(
        files, lambda present: own.desired(present, {}), restart=restart, stopped=stopped
    )


@pytest.mark.parametrize("text", [LINKS, DEVICE, PLAIN])
def test_a_real_file_is_rendered_as_it_was_read(text: str) -> None:
    assert conf.parse(conf.render(conf.parse(text))) == conf.parse(text)
    assert conf.render(conf.parse(text)).split() == text.split()
    assert not conf.unknown(conf.parse(text))


def test_comments_and_what_no_inventory_says_stay() -> None:
    text = LINKS.replace("    version: 2\n", "    # by hand\n    version: 2\n    rrp_mode: none\n")
    block = conf.changed(conf.parse(text), {("totem", "token"): "9000"}, 3)
    assert "# by hand" in conf.render(block)
    assert conf.unknown(block) == ["totem.rrp_mode: none"]
    assert conf.version(block) == 3


def test_the_file_that_pcs_made_of_an_inventory_needs_nothing(tmp_path: Path) -> None:
    assert not plan(tmp_path, AS_SET_UP)


def test_pcs_is_given_all_of_it(tmp_path: Path) -> None:
    words = commands.setup_words(settings(tmp_path, AS_SET_UP))
    assert " ".join(words) == (
        "transport knet link linknumber=0 link_priority=1 link linknumber=1 link_priority=5 "
        "crypto cipher=aes256 hash=sha256 totem token=5000"
    )


def test_a_time_is_changed_at_once(tmp_path: Path) -> None:
    found = plan(tmp_path, AS_SET_UP.replace("5000", "6000"))
    assert list(map(str, found.changes)) == ["~ totem token: 5000 → 6000"]
    assert not found.restart
    assert conf.values(conf.parse(found.text))["totem", "token"] == "6000"
    assert conf.version(conf.parse(found.text)) == conf.version(conf.parse(LINKS)) + 1
    assert not plan(tmp_path, AS_SET_UP.replace("5000", "6000"), *[found.text] * 3)


def test_what_needs_a_restart_waits_until_it_is_asked_for(tmp_path: Path) -> None:
    corosync = AS_SET_UP.replace("{token: 5000}", "{token: 6000}, quorum: {wait_for_all: true}")
    kept = plan(tmp_path, corosync)
    assert list(map(str, kept.deferred)) == ["+ quorum wait_for_all: 1"]
    assert "wait_for_all" not in kept.text
    assert "--restart-cluster" in kept.notices[0]
    assert plan(tmp_path, corosync, restart=True).restart
    stopped = plan(tmp_path, corosync, stopped=True)
    assert "wait_for_all: 1" in stopped.text
    assert not stopped.restart


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ("link_priority: 1", "link_priority: 9", Effect.LIVE),
        ("link_priority: 1", "link_priority: 1, mcastport: 5500", Effect.RESTART),
        ("link_priority: 1", "link_priority: 1, transport: sctp", Effect.RESTART),
        ("totem:", "ip_version: ipv4, totem:", Effect.RESTART),
        ("totem:", "link_mode: active, totem:", Effect.LIVE),
        ("totem:", "crypto: {cipher: aes128}, totem:", Effect.LIVE),
        ("totem:", "compression: {model: zlib}, totem:", Effect.LIVE),
        ("totem:", "quorum: {auto_tie_breaker: true}, totem:", Effect.RESTART),
        ("totem:", "qdevice: {host: q1, algorithm: lms}, totem:", Effect.DEVICE),
    ],
)
def test_each_change_has_its_effect(
    before: str, after: str, effect: Effect, tmp_path: Path
) -> None:
    found = plan(tmp_path, AS_SET_UP.replace(before, after), restart=True)
    assert {change.effect for change in found.changes} == {effect}


def test_a_node_with_another_file_is_named(tmp_path: Path) -> None:
    other = LINKS.replace("token: 5000", "token: 4000")
    found = plan(tmp_path, AS_SET_UP, LINKS, LINKS, other)
    assert not found.changes
    assert found.summary == ("corosync.conf of c3: differs from the others': totem token 4000",)
    assert (list(found.before), found.text.split()) == (["c3"], LINKS.split())


def test_a_link_is_added_and_removed_at_once(tmp_path: Path) -> None:
    one = plan(tmp_path, AS_SET_UP)
    assert not one
    bare = NODES.replace(", links: [192.0.2.11]", "").replace(", links: [192.0.2.12]", "")
    bare = bare.replace(", links: [192.0.2.13]", "")
    own = read(tmp_path, bare + "corosync: {totem: {token: 5000}}\n").settings()
    assert own is not None
    files = dict.fromkeys(("c1", "c2", "c3"), LINKS)
    found = plan_corosync(files, lambda present: own.desired(present, {}))
    assert {change.effect for change in found.changes if change.key[1] == "1"} == {Effect.LIVE}
    assert "ring1_addr" not in found.text
    assert "interface" not in found.text
    back = plan(tmp_path, AS_SET_UP, *[found.text] * 3)
    assert conf.values(conf.parse(back.text)) == conf.values(conf.parse(LINKS))


def test_an_address_that_changes_needs_a_restart(tmp_path: Path) -> None:
    found = plan(tmp_path, AS_SET_UP, *[LINKS.replace("172.19.0.12", "172.19.0.99")] * 3)
    assert list(map(str, found.deferred)) == ["~ link 0 of c2: 172.19.0.99 → 172.19.0.12"]


def test_a_name_that_stands_for_the_address_stays(tmp_path: Path) -> None:
    own = settings(tmp_path, AS_SET_UP)
    text = LINKS.replace("172.19.0.12", "c2.example")
    resolved = {"c2.example": "172.19.0.12"}
    assert not plan_corosync(dict.fromkeys("ab", text), lambda p: own.desired(p, resolved))


def test_two_node_follows_from_the_rest(tmp_path: Path) -> None:
    two = (
        LINKS[: LINKS.index("    node {\n        ring0_addr: 172.19.0.13")]
        + LINKS[LINKS.index("quorum {") - 3 :]
    )
    assert len(conf.section(conf.parse(two), "nodelist")) == 2
    found = plan(tmp_path, AS_SET_UP, two, two)
    assert list(map(str, found.changes)) == ["+ quorum two_node: 1"]
    ties = AS_SET_UP.replace("totem:", "quorum: {auto_tie_breaker: true}, totem:")
    with_two = found.text
    assert "two_node" not in plan(tmp_path, ties, with_two, with_two, restart=True).text
    kept = plan(tmp_path, ties, with_two, with_two)
    assert not kept.changes  # two_node stays until the tie breaker is there
    assert [change.key[1] for change in kept.deferred] == ["auto_tie_breaker", "two_node"]


def test_a_device_that_goes_has_gone_when_the_rest_is_written(tmp_path: Path) -> None:
    token = AS_SET_UP.replace("5000", "7000")
    found = plan(tmp_path, token, *[DEVICE] * 3)
    assert found.removes_device
    assert "device" not in found.text
    assert conf.version(conf.parse(found.text)) == conf.version(conf.parse(DEVICE)) + 2
    again = conf.parse(restored(DEVICE, found.text, device=False))
    assert "device" not in conf.render(again)
    assert conf.version(again) > conf.version(conf.parse(found.text))


def test_pcs_adds_changes_and_removes_a_device(tmp_path: Path) -> None:
    def device(words: str) -> dict[conf.Key, str]:
        text = AS_SET_UP.replace("totem:", f"qdevice: {{{words}}}, totem:")
        return {k: v for k, v in settings(tmp_path, text).values.items() if k[0] == "device"}

    one = device("host: q1, algorithm: ffsplit, timeout: 9000, heuristics: {exec: {a: /bin/true}}")
    two = device("host: q1, algorithm: ffsplit, tie_breaker: highest")
    (add,) = commands.device_steps({}, one)
    assert " ".join(add.argv) == (
        "pcs quorum device add timeout=9000 model net algorithm=ffsplit host=q1 heuristics "
        "exec_a=/bin/true mode=on"
    )
    (change,) = commands.device_steps(one, two)
    assert " ".join(change.argv) == (
        "pcs quorum device update timeout= model tie_breaker=highest heuristics exec_a= mode="
    )
    later = "host: q1, algorithm: ffsplit, tls: required, keep_active_partition_tie_breaker: off"
    (encrypt,) = commands.device_steps(two, device(later))
    assert " ".join(encrypt.argv) == (  # pcs 0.11 takes them so
        "pcs quorum device update model keep_active_partition_tie_breaker=off tie_breaker= "
        "tls=required --force"
    )
    (back,) = commands.device_steps(device(later), two)
    assert back.argv[-3:] == ("tie_breaker=highest", "tls=", "--force")
    moved = commands.device_steps(two, device("host: q2, algorithm: lms"))
    assert [step.argv[3] for step in moved] == ["remove", "add"]
    assert "very secret" not in " ".join(commands.plan_authentication("q1", "very secret").argv)


def test_ports_that_links_are_given_are_opened(tmp_path: Path) -> None:
    def ports(links: str, transport: str = "knet") -> tuple[int, ...]:
        nodes = NODES if transport == "knet" else re.sub(r", links: \[\S+\]", "", NODES)
        text = f"corosync: {{transport: {transport}, links: [{links}]}}\n"
        found = read(tmp_path, nodes + text).settings()
        return found.ports if found else ()

    assert ports("{mcastport: 6000}, {mcastport: 5407}") == (6000,)
    assert ports("{link_priority: 3}") == ()
    assert ports("{mcastport: 6000}", "udpu") == (5999, 6000)


def test_the_way_back_is_to_the_earlier_values_of_the_nodes_that_there_are() -> None:
    now = LINKS.replace("token: 5000", "token: 9000").replace("ring0_addr: 172.19.0.13", "name: x")
    found = plan_corosync({"c1": now, "c2": now}, earlier(LINKS))
    assert "~ totem token: 9000 → 5000" in map(str, found.changes)
    assert not plan_corosync({"c1": LINKS, "c2": LINKS}, earlier(LINKS))


FULL = """\
corosync: {ip_version: ipv4, link_mode: active, knet_pmtud_interval: 20, links: [{mcastport: 5500,
  ping_interval: 100, ping_timeout: 900, pong_count: 3, ping_precision: 99}, {transport: sctp}],
  crypto: {model: openssl, cipher: aes192, hash: sha512}, compression: {model: zlib, level: 3,
  threshold: 200}, totem: {token: 5000, consensus: 7000, block_unlisted_ips: false, join: 60},
  quorum: {wait_for_all: false}, qdevice: {host: q1.example, algorithm: lms, tie_breaker: '2',
  port: 5500, tls: off, connect_timeout: 2000, force_ip_version: '4', timeout: 9000,
  sync_timeout: 20000,
  heuristics: {mode: sync, interval: 5000, exec: {ping: /bin/ping -c1 192.0.2.1}}}}
"""
TIES = """\
corosync: {quorum: {auto_tie_breaker: true, last_man_standing: true, last_man_standing_window: 999}}
"""


def written(folder: Path, corosync: str) -> str:
    """Return the file that an inventory makes of the captured one."""
    text = plan(folder, corosync, restart=True).text or LINKS
    device = {k: v for k, v in settings(folder, corosync).values.items() if k[0] == "device"}
    return conf.render(conf.changed(conf.parse(text), device, 9))  # as pcs adds it


def source(text: str) -> Source:
    """Return a cluster with this file, and nothing in its CIB."""
    empty = cib.parse(captured.text("debian12", "cib-empty.xml"))
    return Source(empty, text, members.parse(text, {}))


@pytest.mark.parametrize("corosync", [AS_SET_UP, FULL, TIES, "corosync: {crypto: {hash: sha1}}\n"])
def test_what_an_inventory_says_is_exported_as_it_was(corosync: str, tmp_path: Path) -> None:
    text = written(tmp_path, corosync)
    exported = export(source(text))
    assert not exported.unsaid
    assert exported.inventory.settings() == settings(tmp_path, corosync)
    own = settings(tmp_path, corosync)
    assert not plan_corosync(dict.fromkeys("ab", text), lambda p: own.desired(p, {}))


def test_a_cluster_as_pcs_sets_it_up_needs_no_section() -> None:
    assert export(source(PLAIN)).inventory.corosync is None


def test_what_no_inventory_can_say_is_named() -> None:
    text = LINKS.replace("    version: 2\n", "    version: 2\n    token_warning: 50\n")
    text = text.replace("provider:", "expected_votes: 5\n    provider:").replace(
        "nodeid: 3", "nodeid: 3\n        quorum_votes: 2"
    )
    text = text.replace("timestamp: on", "timestamp: hires").replace("ring1_addr", "ring3_addr")
    unsaid = export(source(text)).unsaid
    named = " ".join(part.xml for part in unsaid)
    for part in (
        "token_warning",
        "expected_votes",
        "quorum_votes",
        "timestamp: hires",
        "ring3_addr",
    ):
        assert part in named


MISTAKES = {
    "corosync: {transport: udp}": "udp has one link, and nodes have links",
    "corosync: {transport: udpu, crypto: {cipher: aes256}}": "crypto is for knet",
    "corosync: {links: [{}, {}, {link_priority: 3}]}": "no node has an address on link 2",
    "corosync: {links: [{ttl: 3}]}": "ttl is an option of udp",
    "corosync: {links: [{ping_interval: 100}]}": "come together",
    "corosync: {crypto: {cipher: aes256, hash: none}}": "a cipher needs a hash",
    "corosync: {totem: {token: 5000, consensus: 5000}}": "at least 1.2 * token, here 6000",
    "corosync: {totem: {token_retransmit: 20}}": "30 or more",
    "corosync: {totem: {tokn: 5000}}": "no such key (did you mean token?)",
    "corosync: {quorum: {last_man_standing_window: 20}}": "does nothing without",
    "corosync: {quorum: {auto_tie_breaker: true}, qdevice: {host: q, algorithm: lms}}": "excludes",
    "corosync: {qdevice: {host: c2, algorithm: lms}}": "it is a node of the cluster",
    "corosync: {qdevice: {host: q1, algorithm: half}}": "ffsplit",
    "corosync: {link_mode: fast}": "passive, active or rr",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_what_corosync_would_refuse_or_ignore_is_found_before(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, f"{NODES}{text}\n")
    assert MISTAKES[text] in caught.value.seen


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (", links: [192.0.2.12]", "", "it has no address on link 1"),
        ("[192.0.2.12]", "[192.0.2.11]", "192.0.2.11 is c1's on link 1 already"),
        ("[192.0.2.12]", "[172.19.0.12]", "172.19.0.12 is c2's on link 0 already"),
        ("[192.0.2.12]", "['2001:db8::1']", "on link 1 other nodes have IPv4"),
        ("address: 172.19.0.12, ", "", "it has links and no address"),
    ],
)
def test_links_are_the_same_on_all_nodes(
    before: str, after: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, NODES.replace(before, after))
    assert said in caught.value.seen


def test_without_the_section_the_file_is_as_it_is(tmp_path: Path) -> None:
    assert read(tmp_path, "cluster: a\nnodes: [c1, c2]\n").settings() is None


def test_pcs_is_given_every_address_at_setup_and_one_for_trust(tmp_path: Path) -> None:
    inventory = read(tmp_path, NODES + AS_SET_UP)
    every = inventory.membership().members
    setup = steps.plan_setup("test", every, inventory.settings())
    assert " ".join(setup.argv).startswith(
        "pcs cluster setup test c1 addr=172.19.0.11 addr=192.0.2.11 c2 addr=172.19.0.12"
    )
    assert steps.plan_authentication(every[:1], "x").argv[-2:] == ("c1", "addr=172.19.0.11")
    (join,) = steps.plan_join(every[0], forget=False)
    assert join.argv[-3:] == ("c1", "addr=172.19.0.11", "addr=192.0.2.11")


@pytest.mark.parametrize(
    ("out", "wrong"),
    [
        ("State:\t\t\tConnected\n", ""),
        ("State:\t\t\tConnect failed\n", "Connect failed"),
        ("", "Can't connect to QDevice socket (is QDevice running?)"),
    ],
)
def test_a_node_that_is_not_connected_to_the_device_is_named(out: str, wrong: str) -> None:
    error = "Can't connect to QDevice socket (is QDevice running?)"
    found = captured.section("device", out, err="" if out else error)
    assert quorum_device.state(found["device"]) == wrong
