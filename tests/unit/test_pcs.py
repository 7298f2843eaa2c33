"""A plan in the lines that an operator would type."""

from __future__ import annotations

from pacefab.pacemaker.cib import EMPTY
from pacefab.pacemaker.cib import parse as parse_cib
from pacefab.pacemaker.metadata import complete_configuration, parse
from pacefab.pacemaker.model import (
    Clone,
    Colocation,
    Configuration,
    Group,
    Location,
    Operation,
    Order,
    Primitive,
)
from pacefab.pacemaker.pcs import render_pcs
from pacefab.pacemaker.plan import plan_configuration, plan_removal
from pacefab.pacemaker.render import render_configuration
from pacefab.pacemaker.restore import plan_restore
from tests.unit import captured

ADDRESS = "ocf:heartbeat:IPaddr2"
METADATA = {
    ADDRESS: parse(ADDRESS, captured.text("debian12", "metadata-IPaddr2.xml")),
    "systemd:memcached": parse("systemd:memcached", captured.text("debian12", "metadata.xml")),
}
MEMCACHED = Clone(
    "memcached-clone", Primitive("memcached", "systemd:memcached"), {"interleave": "true"}
)
VIP = Primitive("vip", ADDRESS, {"ip": "192.0.2.1", "nic": "eth0"})


def lines(desired: Configuration, before: Configuration | None = None) -> list[str]:
    """Return the lines that lead from one configuration to another."""
    cib = EMPTY
    if before:
        first = plan_configuration(cib, complete_configuration(before, METADATA))
        cib = render_configuration(cib, first)
    plan = plan_configuration(cib, complete_configuration(desired, METADATA), prune=True)
    return render_pcs(plan, METADATA)


def test_the_line_is_the_one_an_operator_types() -> None:
    line = "pcs resource create memcached systemd:memcached clone interleave=true"
    assert lines(Configuration(resources=(MEMCACHED,))) == [line]


def test_what_is_new() -> None:
    promote = (Operation("promote", "0s", "300s", {"on-fail": "block"}),)
    galera = Primitive("galera", "ocf:heartbeat:galera", {}, {"priority": "5"}, promote)
    hidden = frozenset({"password"})
    fence = Primitive("fence", "stonith:fence_ipmilan", {"password": "x y"}, hidden=hidden)
    desired = Configuration(
        properties={"no-quorum-policy": "stop"},
        defaults={"resource-stickiness": "100"},
        attributes={"c1": {"rack": "a b"}},
        notes={"why": "nothing pcs could set"},
        resources=(
            VIP,
            Clone("galera-clone", galera, {"promotable": "true", "promoted-max": "3"}),
            Group("web", (Primitive("one", ADDRESS, {"ip": "192.0.2.2"}),), {"priority": "9"}),
            fence,
        ),
        constraints=(
            Order("vip", "galera-clone", then_action="promote", kind="Optional"),
            Colocation("vip", "galera-clone", with_role="Promoted"),
            Colocation("web", "vip", score="-5"),
            Location("vip", "INFINITY", node="c1"),
            Location("vip", "-INFINITY", node="c2"),
            Location("vip", "7", attribute="rack", operation="ne", value="a b"),
            Location("vip", "7", attribute="rack", operation="defined"),
        ),
    )
    created = "pcs resource create galera ocf:heartbeat:galera meta priority=5"
    promotable = "promotable promoted-max=3"
    assert lines(desired) == [
        "pcs property set no-quorum-policy=stop",
        "pcs resource defaults update resource-stickiness=100",
        "pcs node attribute c1 'rack=a b'",
        f"pcs resource create vip {ADDRESS} ip=192.0.2.1 nic=eth0",
        f"{created} op promote interval=0s timeout=300s on-fail=block {promotable}",
        f"pcs resource create one {ADDRESS} ip=192.0.2.2 --group web",
        "pcs resource meta web priority=9",
        "pcs stonith create fence fence_ipmilan 'password=(secret)'",
        "pcs constraint order start vip then promote galera-clone kind=Optional",
        "pcs constraint colocation add vip with Promoted galera-clone",
        "pcs constraint colocation add web with vip score=-5",
        "pcs constraint location vip prefers c1=INFINITY",
        "pcs constraint location vip avoids c2=INFINITY",
        "pcs constraint location vip rule score=7 rack ne 'a b'",
        "pcs constraint location vip rule score=7 defined rack",
    ]


def test_what_changes() -> None:
    monitor = Operation("monitor", "30s", "20s")
    other = Primitive("vip", ADDRESS, {"ip": "192.0.2.9"}, {"priority": "1"}, (monitor,))
    order = Order("vip", "memcached-clone", kind="Optional")
    before = Configuration(resources=(VIP, MEMCACHED), constraints=(order,))
    desired = Configuration(resources=(other, MEMCACHED))
    operation = "op monitor interval=30s timeout=20s"
    assert lines(desired, before) == [
        "pcs constraint delete order-vip-memcached-clone-Optional",
        f"pcs resource update vip ip=192.0.2.9 nic= {operation} meta priority=1",
    ]


def test_what_goes() -> None:
    before = Configuration({"no-quorum-policy": "stop"}, resources=(VIP, MEMCACHED))
    assert lines(Configuration(resources=(VIP,)), before) == [
        "pcs resource delete memcached-clone",
        "pcs property set no-quorum-policy=",
    ]


def test_what_is_put_into_a_container() -> None:
    before = Configuration(resources=(Primitive("memcached", "systemd:memcached"),))
    assert lines(Configuration(resources=(MEMCACHED,)), before) == [
        "pcs resource clone memcached interleave=true"
    ]


def test_a_fencing_device_goes_by_its_own_command() -> None:
    fence = Primitive("fence", "stonith:fence_ipmilan")
    desired = complete_configuration(Configuration(resources=(fence,)), METADATA)
    cib = render_configuration(EMPTY, plan_configuration(EMPTY, desired))
    assert render_pcs(plan_removal(cib, [fence])) == ["pcs stonith delete fence"]


def test_a_tag_that_goes_back_has_its_line() -> None:
    text = EMPTY.text()
    tags = '<tags><tag id="t"><obj_ref id="vip"/></tag></tags></configuration>'
    tagged = parse_cib(text.replace("</configuration>", tags))
    plan = plan_restore(tagged, EMPTY)
    assert [str(change) for change in plan.changes] == ["remove tag t"]
    assert render_pcs(plan) == ["pcs tag delete t"]
