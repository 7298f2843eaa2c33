"""What verify-memcached checks of its own: facts, a CIB and answers in, checks out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pacefab.errors import CommandError
from pacefab.host.model import FileState, HostFacts, Listener
from pacefab.pacemaker.cib import Cib, parse
from pacefab.pacemaker.model import Member, Membership
from pacefab.report.verification import render_json, render_text
from pacefab.services.checks import Check, Inspection
from pacefab.services.memcached.checks import checks
from pacefab.services.memcached.section import MemcachedSection
from pacefab.services.service import Site
from pacefab.workflows.checks.verification import Verification
from tests.unit import captured
from tests.unit.test_memcached import FILE, NODE, UNIT

NODES = ("c1", "c2", "c3")
MEMBERSHIP = Membership("demo", tuple(Member(n, (f"10.0.0.{n[1]}",)) for n in NODES))
SERVED = {"served": True, "stats": {"version": "1.6.18"}, "settings": {}, "seconds": 0.002}
SILENT = {"error": "timeout", "seconds": 2.0}
CIB = parse(captured.text("debian12", "cib-clone.xml"))


def node(name: str, *, memory: int = 64, udp: int = 0) -> HostFacts:
    """Return a node whose memcached runs as its file says."""
    address = f"10.0.0.{name[1]}"
    text = f"-m {memory}\n-p 11211\n-l {address}\n-u memcache\n-U {udp}\n"
    command = ("/usr/bin/memcached", *text.split())
    unit = replace(UNIT, active="active", pid=7, command_line=command)
    return replace(
        NODE,
        name=name,
        interfaces=(replace(NODE.interfaces[0], address=address),),
        units={UNIT.name: unit},
        files={FILE: FileState(text, "644", "root:root")},
        listeners=(Listener("tcp", address, 11211, "memcached", 7),),
    )


def look(site: Site, *silent: str, cib: Cib = CIB) -> list[Check]:
    """Return every check; the nodes that are `silent` answer nobody, and the others all."""
    found: list[Check] = []
    for item in checks(MemcachedSection(), site, cib):
        if isinstance(item, Check):
            found.append(item)
            continue
        asked = json.loads(item.steps[0].argv[-1])["targets"]
        hung = {f"10.0.0.{name[1]}" for name in silent}
        said = [SILENT if address in hung else SERVED for address, _ in asked]
        found += item.judge(captured.section("probe", json.dumps(said)))
    return found


def site(*facts: HostFacts, **options: object) -> Site:
    by_node = {own.name: own for own in facts or map(node, NODES)}
    return Site(MEMBERSHIP, by_node, {"memcached": MemcachedSection()}, **options)  # type: ignore[arg-type]


def failed(found: list[Check]) -> set[tuple[str, str]]:
    return {(check.name, check.where) for check in found if not check.ok}


def test_everybody_asks_everybody_and_all_is_well() -> None:
    found = look(site())
    assert failed(found) == set()
    names = [check.name for check in found]
    assert names.count("set and get") == 9
    assert set(names) == {
        "set and get", "interleave on the clone", "file is read", "listens as configured",
        "listens only there", "UDP off", "configuration equal",
    }  # fmt: skip


def test_one_that_hangs_is_named_by_each_that_asked_and_stands_in_the_matrix() -> None:
    found = look(site(), "c2")
    assert failed(found) == {("set and get", f"{asker} -> c2") for asker in NODES}
    assert {check.of for check in found if not check.ok} == {"c2"}
    verified = Verification("memcached", "demo", tuple(found))
    cells = [c for c in json.loads(render_json(verified))["matrix"] if not c["served"]]
    assert [(c["from"], c["to"], c["address"], c["error"]) for c in cells] == [
        (asker, "c2", "10.0.0.2", "timeout") for asker in NODES
    ]
    assert render_text(verified)[1].split() == ["from", "\\", "to", "c1", "c2", "c3"]
    assert render_text(verified)[2].split() == ["c1", "2", "ms", "FAILED", "2", "ms"]


def test_a_node_where_it_is_not_to_run_is_not_asked() -> None:
    placed = {"memcached": frozenset({"c1", "c3"})}
    found = look(site(placed=placed), "c2")
    assert failed(found) == set()
    assert not [check for check in found if check.where.endswith("-> c2")]


def test_sizes_may_wait_for_a_restart_and_addresses_may_not() -> None:
    own = node("c2")
    for options, wrong in (("-m 128\n-p 11211", False), ("-m 64\n-p 11300", True)):
        file = FileState(f"{options}\n-l 10.0.0.2\n-u memcache\n-U 0\n", "644", "root:root")
        found = look(site(node("c1"), replace(own, files={FILE: file}), node("c3")))
        assert (("listens as configured", "c2") in failed(found)) is wrong
        assert ("configuration equal", "all nodes") in failed(found)
        (said,) = (c for c in found if (c.name, c.where) == ("listens as configured", "c2"))
        assert "in force after: fab update-memcached" in f"{said.seen} {said.cause}"


def test_udp_is_named_and_an_address_on_which_something_else_listens_is_asked() -> None:
    other = replace(node("c1").interfaces[0], address="10.0.9.1")
    own = node("c1", udp=11211)
    own = replace(own, interfaces=(*own.interfaces, other))
    found = look(site(own, node("c2"), node("c3")))
    assert {name for name, where in failed(found) if where == "c1"} == {"UDP off"}
    assert ("closed elsewhere", "c2 -> c1") in failed(found)


def test_interleave_on_the_primitive_is_named() -> None:
    cib = parse(captured.text("debian12", "cib-misplaced-interleave.xml"))
    (check,) = (c for c in look(site(), cib=cib) if c.name == "interleave on the clone")
    assert not check.ok
    assert "stands on the primitive" in check.cause


def test_a_node_that_cannot_ask_says_so() -> None:
    first = next(i for i in checks(MemcachedSection(), site(), CIB) if isinstance(i, Inspection))
    with pytest.raises(CommandError, match="python3"):
        first.judge(captured.section("probe", "python3: not found", status=127))
