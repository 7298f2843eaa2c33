"""Bans and removals of one service, in a CIB that a cluster printed."""

from __future__ import annotations

from datetime import UTC, datetime

from lxml import etree

from pacefab.pacemaker.cib import Cib, parse
from pacefab.pacemaker.model import Clone, Configuration, Location, Primitive
from pacefab.pacemaker.plan import constraint_ids, plan_removal
from pacefab.services.haproxy.section import HaproxySection
from pacefab.services.haproxy.service import SERVICE as HAPROXY
from pacefab.services.memcached.memcached import desired_clone
from pacefab.services.vips.section import VipsSection
from pacefab.services.vips.service import SERVICE as VIPS
from pacefab.workflows.rolling.ban import Bans
from tests.unit import captured

MEMCACHED = Bans("memcached", Configuration(resources=(desired_clone(),)))
OTHER = Bans("web", Configuration(resources=(Clone("web-clone", Primitive("web", "systemd:web")),)))


def cib(*constraints: str) -> Cib:
    found = parse(captured.text("word", "resources-cib.xml"))
    for xml in constraints:
        found.constraints.append(etree.fromstring(xml))
    return found


def ban(resource: str, node: str, name: str = "") -> str:
    name = name or f"pacefab-update-{node}"
    return f'<rsc_location id="{name}" rsc="{resource}" node="{node}" score="-INFINITY"/>'


def test_a_ban_of_ours_is_known_by_its_id_and_its_resource() -> None:
    seen = cib(
        ban("memcached-clone", "c1"),
        ban("memcached-clone", "c3", "cli-ban-memcached-clone-on-c3"),
        ban("web-clone", "c2"),
    )
    assert MEMCACHED.found(seen) == {"pacefab-update-c1": "c1"}
    assert OTHER.found(seen) == {"pacefab-update-c2": "c2"}


def test_a_ban_ends_by_itself_at_a_time_of_the_clusters_clock() -> None:
    end = datetime(2026, 11, 29, 14, 30, tzinfo=UTC)
    banned = MEMCACHED._banned(cib(), "c2", end)  # noqa: SLF001  # what `stop` patches
    assert banned is not None
    made = next(one for one in banned.all_constraints if one.get("rsc") == "memcached-clone")
    assert MEMCACHED.found(banned) == {"pacefab-update-c2": "c2"}
    assert made.get("score") is None
    assert made.get("node") is None
    date = made.find("rule[@score='-INFINITY'][@boolean-op='and']/date_expression")
    assert date is not None
    assert {str(name): date.get(str(name)) for name in date.attrib} == {
        "id": "pacefab-update-c2-end", "operation": "lt", "end": "2026-11-29 14:30:00Z",
    }  # fmt: skip
    lifted = MEMCACHED._lifted(banned, ("c2",))  # noqa: SLF001
    assert lifted is not None
    assert lifted.is_configured_as(cib())


def test_only_the_constraints_of_the_same_meaning_are_a_services_own() -> None:
    seen = cib(ban("web-clone", "c2", "mine"), ban("web-clone", "c3", "theirs"))
    own = constraint_ids(seen, [Location("web-clone", node="c2", score="-INFINITY")])
    assert own == {"mine"}


def test_nothing_is_removed_of_a_service_that_is_not_there() -> None:
    assert not plan_removal(cib(), OTHER.desired.resources)


def test_services_say_which_others_they_need() -> None:
    proxies = (
        {"name": "db", "vip": "db", "port": 3306, "check": "galera"},
        {"name": "web", "vip": "db", "port": 80},
    )
    addresses = (
        {"name": "a", "address": "192.0.2.9"},
        {"name": "b", "address": "192.0.2.8", "follows": "redis"},
    )
    tied = VipsSection.model_validate({"addresses": addresses, "with_load_balancer": True})
    assert HAPROXY.needs(HaproxySection.model_validate({"proxies": proxies})) == ["galera"]
    assert list(VIPS.needs(tied)) == ["redis", "haproxy"]
