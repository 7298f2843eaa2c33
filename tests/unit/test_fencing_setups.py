"""Set-ups of fencing as operators have them, as CIBs: each is read as Pacemaker takes it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from html import escape
from typing import cast

import pytest

from pacefab.errors import RefusedError
from pacefab.pacemaker import cib, metadata
from pacefab.pacemaker.fencing import asking, checks, timing
from pacefab.pacemaker.fencing.asking import FenceAnswer, FenceQuestion
from pacefab.pacemaker.fencing.findings import FencingScene
from pacefab.pacemaker.fencing.identity import NodeIdentity
from pacefab.pacemaker.fencing.places import runs_on
from pacefab.pacemaker.fencing.reading import read_scene
from pacefab.pacemaker.fencing.sbd import SbdSettings
from pacefab.pacemaker.fencing.times import seconds
from pacefab.pacemaker.metadata import Metadata, Parameter
from pacefab.pacemaker.model import Configuration
from pacefab.pacemaker.sections.watchdog import check_watchdog
from pacefab.workflows.checks.fencing import _FencingChecks
from pacefab.workflows.checks.fencing_answers import FenceAnswers
from pacefab.workflows.nodes.view import ClusterView
from tests.unit import captured

IPMI = "stonith:fence_ipmilan"
GCE = "stonith:fence_gce"
METHOD = (Parameter("method", default="cycle"), Parameter("power_timeout", default="40"))
AGENTS = {
    IPMI: metadata.parse(IPMI, captured.text("debian12", "metadata-fence_ipmilan.xml")),
    GCE: Metadata(GCE, METHOD, (), frozenset({"list", "reboot"})),
}
NODES = ("c1", "c2", "c3")
NEVER = "-INFINITY"
NONE = cast("ClusterView", None)  # what is asked here needs none


def pairs(tag: str, own: str, values: dict[str, str], *, score: str = "") -> str:
    """Return a set of names with values."""
    said = "".join(
        f'<nvpair id="{own}-{n}" name="{n}" value="{escape(v)}"/>' for n, v in values.items()
    )
    scored = f' score="{score}"' if score else ""
    return f'<{tag} id="{own}"{scored}>{said}</{tag}>'


def device(name: str, agent: str, meta: dict[str, str] | None = None, **values: str) -> str:
    """Return a fence device."""
    inside = pairs("instance_attributes", f"{name}-ia", values)
    inside += pairs("meta_attributes", f"{name}-ma", meta) if meta else ""
    return f'<primitive id="{name}" class="stonith" type="fence_{agent}">{inside}</primitive>'


def board(node: str, **values: str) -> str:
    """Return a node's management board."""
    given = {"ip": f"192.0.2.20{node[-1]}", "pcmk_host_list": node, **values}
    return device(f"fence-{node}", "ipmilan", None, **given)


def boards(*nodes: str, **values: str) -> str:
    """Return a board for each node; of three, where none is named."""
    return "".join(board(node, **values) for node in nodes or NODES)


def shared(agent: str = "apc_snmp", meta: dict[str, str] | None = None, **values: str) -> str:
    """Return one device of all nodes."""
    return device("strip", agent, meta, ip="192.0.2.210", **values)


def setup(
    resources: str,
    *,
    nodes: tuple[str, ...] = NODES,
    constraints: str = "",
    levels: str = "",
    rest: str = "",
    attributes: dict[str, dict[str, str]] | None = None,
    features: str = "3.20.0",
    **properties: str,
) -> FencingScene:
    """Return the scene of a CIB."""
    kept = "".join(
        f'<node id="{i}" uname="{n}">'
        + pairs("instance_attributes", f"n{i}", (attributes or {}).get(n, {}))
        + "</node>"
        for i, n in enumerate(nodes)
    )
    named = {name.replace("_", "-"): value for name, value in properties.items()}
    own = pairs("cluster_property_set", "cib-bootstrap-options", named)
    return read_scene(
        cib.parse(
            f'<cib crm_feature_set="{features}"><configuration>'
            f"<crm_config>{own}{rest if 'cluster_property_set' in rest else ''}</crm_config>"
            f"<nodes>{kept}</nodes><resources>{resources}</resources>"
            f"<constraints>{constraints}</constraints>"
            f"<fencing-topology>{levels}</fencing-topology>"
            f"{rest if 'rsc_defaults' in rest else ''}"
            "</configuration></cib>"
        ),
        nodes,
        {},
    )


def level(number: int, devices: str, **target: str) -> str:
    """Return a level of nodes."""
    named = " ".join(f'{name.replace("_", "-")}="{value}"' for name, value in target.items())
    own = "-".join(target.values()).translate(str.maketrans("[]+.:^$*\\", "xxxxxxxxx"))
    return f'<fencing-level id="fl-{own}-{number}" index="{number}" devices="{devices}" {named}/>'


def by_name(*devices: str) -> str:
    """Return levels of each node by its name, {} in a device's being the node."""
    return "".join(
        level(number, given.format(node), target=node)
        for node in NODES
        for number, given in enumerate(devices, 1)
    )


def away(resource: str, node: str, score: str = NEVER, **more: str) -> str:
    """Return a constraint that keeps a resource off a node."""
    named = "".join(f' {name}="{value}"' for name, value in more.items())
    return (
        f'<rsc_location id="l-{resource}-{node}" rsc="{resource}" node="{node}" '
        f'score="{score}"{named}/>'
    )


def rule(resource: str, score: str, expression: str) -> str:
    """Return a constraint by a rule."""
    return (
        f'<rsc_location id="l-{resource}" rsc="{resource}"><rule id="r-{resource}" '
        f'score="{score}"><expression id="e-{resource}" {expression}/></rule></rsc_location>'
    )


def said(scene: FencingScene) -> list[str]:
    """Return what is found, what is grave with a !."""
    return [f"{'!' if one.grave else '?'} {one}" for one in checks.find(scene, AGENTS)]


TWO = ("c1", "c2")
OUTLETS = "c1:1;c2:2;c3:3"
KDUMP = device("kdump", "kdump", pcmk_host_list="c1 c2 c3")
LEFT = device("left", "apc", ip="192.0.2.211", pcmk_host_map=OUTLETS)
RIGHT = device("right", "apc", ip="192.0.2.212", pcmk_host_map=OUTLETS)
UNFENCING = {"provides": "unfencing"}
TEMPLATE = (
    '<template id="t" class="stonith" type="fence_ipmilan">'
    + pairs("instance_attributes", "t-ia", {"username": "fence", "login_timeout": "25"})
    + '<operations><op id="t-m" name="monitor" interval="60s" timeout="60s"/></operations>'
    "</template>"
)
OF_TEMPLATE = "".join(
    f'<primitive id="fence-{n}" template="t">'
    + pairs("instance_attributes", f"p-{n}", {"pcmk_host_list": n, "ip": f"192.0.2.20{n[-1]}"})
    + "</primitive>"
    for n in NODES
)
BY_REFERENCE = boards("c1", "c2") + (
    '<primitive id="fence-c3" class="stonith" type="fence_ipmilan">'
    '<instance_attributes id="x"><nvpair id="x-ip" name="ip" value="192.0.2.203"/>'
    '<nvpair id="x-h" name="pcmk_host_list" value="c3"/></instance_attributes></primitive>'
)
SHARED_SET = (
    BY_REFERENCE.replace("fence-c3", "spare").replace('value="c3"', 'value="c2"')
    .replace("203", "202") + '<primitive id="fence-c3" class="stonith" type="fence_ipmilan">'
    '<instance_attributes id="y"><nvpair id="y-ip" name="ip" value="192.0.2.203"/>'
    '<nvpair id="y-h" name="pcmk_host_list" value="c3"/></instance_attributes>'
    '<instance_attributes id-ref="x"/></primitive>'
)  # fmt: skip
SCORED = boards("c1", "c2") + (
    '<primitive id="fence-c3" class="stonith" type="fence_ipmilan">'
    + pairs("instance_attributes", "low", {"ip": "192.0.2.202", "pcmk_host_list": "c3"})
    + pairs("instance_attributes", "high", {"ip": "192.0.2.203"}, score="10")
    + "</primitive>"
)
REMOTE = '<primitive id="r1" class="ocf" provider="pacemaker" type="remote"/>'
WATCHDOG = device("watchdog", "watchdog", pcmk_host_list="c1 c2")
RESTED = {"rest": f"<rsc_defaults>{pairs('meta_attributes', 'd', {'target-role': 'Stopped'})}"
          "</rsc_defaults>"}  # fmt: skip
PATTERN = '<rsc_location id="p" rsc-pattern="^fence-" node="{}" score="0"/>'

HEALTHY = {
    "a board for each node": setup(boards()),
    "a list with spaces": setup(shared(pcmk_host_list="c1 c2 c3")),
    "a list with commas": setup(shared(pcmk_host_list="c1,c2,c3")),
    "a list with semicolons": setup(shared(pcmk_host_list="c1;c2; c3")),
    "a map with blanks and equals signs": setup(shared(pcmk_host_map="c1=1 c2=2\tc3=3")),
    "outlets of two power supplies": setup(shared(pcmk_host_map="c1:1,2;c2:3,4;c3:5,6")),
    "capitals in a list": setup(boards("c1", "c2") + board("c3", pcmk_host_list="C3")),
    "names with domains": setup(
        "".join(
            device(f"f{n[-1]}", "ipmilan", ip=f"192.0.2.20{n[-1]}", pcmk_host_list=f"{n}.example")
            for n in NODES
        ),
        nodes=tuple(f"{n}.example" for n in NODES),
    ),
    "the word static-list in capitals": setup(boards(pcmk_host_check="Static-List")),
    "an agent that lists": setup(device("vms", "virsh", ip="192.0.2.9")),
    "an agent that lists, with a map of one": setup(
        device("vms", "virsh", pcmk_host_check="dynamic-list", pcmk_host_map="c1:vm-c1")
    ),
    "machines by name, one of which is called otherwise": setup(
        shared("vmware_rest", pcmk_host_list="c1 c2 c3", pcmk_host_map="c1:vm-c1")
    ),
    "guests by multicast": setup(device("xvm", "xvm")),
    "a cloud": setup(device("aws", "aws", region="eu-1", pcmk_host_map="c1:i-1;c2:i-2;c3:i-3")),
    "a cloud, a device for each machine": setup("".join(
        device(f"gce-{n}", "gce", plug=f"vm-{n}", zone="z", pcmk_host_list=n) for n in NODES
    )),
    "an outlet in each device": setup("".join(
        device(f"f-{n}", "apc", ip="192.0.2.210", port=n[-1], pcmk_host_list=n) for n in NODES
    )),
    "outlets of two switches on one strip": setup("".join(
        device(f"f-{n}", "apc", ip="192.0.2.210", switch=n[-1], plug="1", pcmk_host_list=n)
        for n in NODES
    )),
    "systems behind one Redfish service": setup("".join(
        device(f"f-{n}", "redfish", ip="192.0.2.9", systems_uri=f"/S/{n}", pcmk_host_list=n)
        for n in NODES
    )),
    "boards behind one address, by port": setup("".join(
        board(n, ip="192.0.2.9", ipport=f"623{n[-1]}") for n in NODES
    )),
    "boards as outlets of one device": setup(
        device("ipmi", "ipmilan", port_as_ip="1", pcmk_host_map="c1:192.0.2.1;c2:192.0.2.2;c3:x")
    ),
    "another argument": setup(shared("vmware_soap", pcmk_host_argument="uuid",
                                     pcmk_host_map="c1:a;c2:b;c3:c")),
    "disks": setup(shared("scsi", UNFENCING, pcmk_host_list="c1 c2 c3", devices="/dev/a")),
    "disks of two nodes, of which one wins": setup(
        shared("mpath", UNFENCING, pcmk_host_list="c1 c2", devices="/dev/a"), nodes=TWO
    ),
    "the watchdog of all": setup("", stonith_watchdog_timeout="10s"),
    "the watchdog, its time found out": setup("", stonith_watchdog_timeout="-1"),
    "the watchdog of some": setup(WATCHDOG + board("c3"), stonith_watchdog_timeout="10"),
    "kdump, then boards": setup(KDUMP + boards(), levels=by_name("kdump", "fence-{}")),
    "kdump, then boards, of which one waits": setup(
        device("kdump", "kdump", pcmk_host_list="c1 c2") + board("c1", pcmk_delay_base="10")
        + board("c2"), nodes=TWO, levels="".join(
            level(i, d, target=n) for n in TWO for i, d in ((1, "kdump"), (2, f"fence-{n}"))
        ),
    ),
    "two strips at once": setup(LEFT + RIGHT, levels=by_name("left,right")),
    "a board without hosts in the level of its node": setup(
        boards().replace('name="pcmk_host_list"', 'name="pcmk_host_check"')
        .replace('value="c1"', 'value="none"').replace('value="c2"', 'value="none"')
        .replace('value="c3"', 'value="none"'),
        levels=by_name("fence-{}"),
    ),
    "levels by an extended expression": setup(
        LEFT + RIGHT, levels=level(1, "left,right", target_pattern="^c[[:digit:]]+$")
    ),
    "levels by an attribute": setup(
        LEFT, levels=level(1, "left", target_attribute="rack", target_value="a"),
        attributes={n: {"rack": "a"} for n in NODES},
    ),
    "devices of a template": setup(TEMPLATE + OF_TEMPLATE),
    "a set by reference": setup(SHARED_SET.replace("spare", "fence-c2b").replace(
        "202", "209")),
    "a set with the higher score": setup(SCORED),
    "a device that is not managed": setup(boards("c1", "c2") + board("c3").replace(
        "</primitive>", pairs("meta_attributes", "m", {"is-managed": "false"}) + "</primitive>"
    )),
    "off their victims": setup(
        boards(), constraints="".join(away(f"fence-{n}", n) for n in NODES)
    ),
    "off their victims by rules": setup(boards(), constraints="".join(
        rule(f"fence-{n}", NEVER, f'attribute="#uname" operation="eq" value="{n}"') for n in NODES
    )),
    "opted in by a rule": setup(
        boards(), symmetric_cluster="false", constraints="".join(
            rule(f"fence-{n}", "0", f'attribute="#uname" operation="ne" value="{n}"')
            for n in NODES
        ),
    ),
    "opted in by a pattern": setup(
        boards(), symmetric_cluster="false",
        constraints=PATTERN.format("c1") + PATTERN.format("c2").replace('id="p"', 'id="q"'),
    ),
    "opted in by an attribute of the running node": setup(
        boards(), symmetric_cluster="false", constraints="".join(
            rule(f"fence-{n}", "1", 'attribute="pingd" operation="gt" value="0"') for n in NODES
        ),
    ),
    "a remote node": setup(REMOTE + shared(pcmk_host_map=OUTLETS + ";r1:4")),
    "one of two waits, by its node": setup(
        shared(pcmk_host_map="c1:1;c2:2", pcmk_delay_base="c1:10s;c2:0s"), nodes=TWO
    ),
    "both of two wait by chance": setup(boards(*TWO, pcmk_delay_max="20"), nodes=TWO),
    "the more important one of two": setup(
        boards(*TWO), nodes=TWO, priority_fencing_delay="PT15S",
        rest=f"<rsc_defaults>{pairs('meta_attributes', 'd', {'priority': '1'})}</rsc_defaults>",
    ),
    "off for a reboot": setup(
        boards(pcmk_reboot_action="off", power_timeout="50", pcmk_reboot_timeout="1min")
    ),
    "a cycle by default": setup(
        device("gce", "gce", zone="z", pcmk_host_list="c1 c2 c3"), stonith_timeout="60000ms"
    ),
    "limits of other actions": setup(boards(pcmk_off_timeout="PT1M", pcmk_action_limit="-1")),
    "off": setup("", stonith_enabled="off"),
    "False": setup("", stonith_enabled="False"),
    "0, by the new name": setup("", fencing_enabled="0"),
    "off in a set of another name": setup(
        "", rest=pairs("cluster_property_set", "site", {"stonith-enabled": "no"})
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_found_where_nothing_is_wrong(name: str) -> None:
    assert said(HEALTHY[name]) == []


FAULTY = {
    "a node that nothing covers": (
        setup(boards("c1", "c2")),
        ["! c3 is fenced by no device: the cluster would wait for ever"],
    ),
    "one board for all nodes": (
        setup(device("ipmi", "ipmilan", ip="192.0.2.201", pcmk_host_list="c1 c2 c3")),
        ["! ipmi is one board (192.0.2.201), and is to fence c1 and c2 and c3: to fence one"],
    ),
    "another kind of board that names no node": (
        setup(boards() + device("ilo", "ilo", ip="192.0.2.9")),
        ["! ilo does not say which node it fences: Pacemaker would switch off that one board"],
    ),
    "a board whose list is not read": (
        setup(boards("c1", "c2") + board("c3", pcmk_host_check="none")),
        ["! fence-c3 has pcmk_host_check=none, and its hosts are not read: Pacemaker would"],
    ),
    "one board by its usual port": (
        setup(boards("c1", "c2") + board("c3", ip="192.0.2.202", ipport="623")),
        ["! fence-c2 and fence-c3 are one board (192.0.2.202:623), and are to fence c2 and c3"],
    ),
    "one board of two devices that a change adds to older ones": (
        setup(boards() + "".join(
            device(f"ipmi-{n}", "ipmilan", ip="192.0.2.202", pcmk_host_list=n) for n in ("c2", "c3")
        )),
        ["! ipmi-c2 and ipmi-c3 are one board (192.0.2.202), and are to fence c2 and c3"],
    ),
    "one outlet whatever the node": (
        setup(shared(plug="1", pcmk_host_list="c1 c2 c3")),
        ["! strip has plug=1, and is to fence c1 and c2 and c3: Pacemaker would switch that"],
    ),
    "one outlet of two devices": (
        setup("".join(
            device(f"f-{n}", "apc", ip="192.0.2.210", port=p, pcmk_host_list=n)
            for n, p in zip(NODES, "122", strict=True)
        )),
        ["! f-c2 and f-c3 have one outlet, 2 (192.0.2.210), and are to fence c2 and c3: to"],
    ),
    "an empty list": (
        setup(boards() + device("vms", "virsh", pcmk_host_list="")),
        ["! vms has a pcmk_host_list or pcmk_host_map that names no node: it would fence"],
    ),
    "a short name for one with a domain": (
        setup(boards("c1", "c2") + board("c3", pcmk_host_list="c3.example")),
        ["! c3 is fenced by no device", ("! fence-c3 fences c3.example, which is no node (c1, c2, "
         "c3): the node is called c3")],
    ),
    "a name that is no node": (
        setup(shared(pcmk_host_map=OUTLETS + ";d1:4")),
        ["? strip fences d1, which is no node (c1, c2, c3): take it out, or correct it"],
    ),
    "disks that are not given back": (
        setup(shared("scsi", pcmk_host_list="c1 c2 c3", devices="/dev/a")),
        ["! strip takes nodes their disks, and has no meta attribute provides=unfencing: no"],
    ),
    "a watchdog device of another name": (
        setup(device("sbd", "watchdog") + boards(), stonith_watchdog_timeout="10s"),
        ["! sbd is of fence_watchdog, and is not called watchdog: Pacemaker does not use it"],
    ),
    "a watchdog device without a time": (
        setup(device("watchdog", "watchdog"), stonith_watchdog_timeout="0min"),
        [*(f"! {n} is fenced by no device" for n in NODES),
         "! watchdog is of fence_watchdog, and no stonith-watchdog-timeout is set: Pacemaker"],
    ),
    "kdump alone": (
        setup(KDUMP),
        [f"! {n} is fenced by kdump alone, which switches nothing off" for n in NODES],
    ),
    "levels by name and by pattern": (
        setup(boards() + LEFT, levels=by_name("fence-{}")
              + level(2, "left", target_pattern="c[0-9]")),
        [("? level 2 of names like c[0-9] is not used: c1 and c2 and c3 have levels by name: "
         "Pacemaker takes no others for a node then")],
    ),
    "levels by two patterns": (
        setup(LEFT + RIGHT, levels=level(1, "left", target_pattern="^c")
              + level(2, "right", target_pattern="[0-9]$")),
        [f"? {n} has levels of names like ^c and of names like [0-9]$: Pacemaker takes one"
         for n in NODES],
    ),
    "a pattern in capitals": (
        setup(LEFT, levels=level(1, "left", target_pattern="^C[0-9]$")),
        ["? level 1 is of names like ^C[0-9]$, which no node has: take it out"],
    ),
    "an attribute that no node has": (
        setup(LEFT, levels=level(1, "left", target_attribute="rack", target_value="z")),
        ["? level 1 is of rack=z, which no node has: take it out, or correct it"],
    ),
    "a template that is stopped": (
        setup(TEMPLATE.replace("</template>", pairs(
            "meta_attributes", "tm", {"target-role": "Stopped"}) + "</template>") + OF_TEMPLATE),
        [*(f"! {n} is fenced by no device" for n in NODES),
         *(f"! fence-{n} is disabled (target-role Stopped)" for n in NODES)],
    ),
    "all resources stopped by default": (
        setup(shared(pcmk_host_map=OUTLETS), **RESTED),  # type: ignore[arg-type]
        [*(f"! {n} is fenced by no device" for n in NODES),
         ("! strip is disabled (target-role Stopped), so Pacemaker does not use it: it has "
         "that from the default: correct it there")],
    ),
    "a board that a set with a higher score makes another one": (
        setup(SCORED.replace("203", "201")),
        ["! fence-c1 and fence-c3 are one board (192.0.2.201), and are to fence c1 and c3"],
    ),
    "banned from all others": (
        setup(boards(), constraints=away("fence-c1", "c2", role="Started")
              + away("fence-c1", "c3", role="Started")),
        ["! fence-c1 may run on c1 alone, the node that it fences: nothing could fence that"],
    ),
    "kept to its victim by a rule": (
        setup(boards(), constraints=rule(
            "fence-c1", NEVER, 'attribute="#uname" operation="ne" value="c1"')),
        ["! fence-c1 may run on c1 alone, the node that it fences: nothing could fence that"],
    ),
    "kept to its victim, which another one fences": (
        setup(boards() + LEFT, constraints=away("fence-c1", "C2") + away("fence-c1", "c3")),
        ["? fence-c1 may run on c1 alone, the node that it fences: it is never used"],
    ),
    "a base that is more than the max": (
        setup(boards("c1", "c2") + board("c3", pcmk_delay_base="20", pcmk_delay_max="10s")),
        [("? fence-c3: pcmk_delay_base (20 s) is more than pcmk_delay_max (10 s): Pacemaker "
         "waits the max alone")],
    ),
    "a limit in minutes where only numbers are read": (
        setup(boards("c1", "c2") + board("c3", pcmk_reboot_timeout="2min"), features="3.17.4"),
        [("! fence-c3 has pcmk_reboot_timeout=2min, of which this Pacemaker takes the number alone "
         "(2 s): write seconds: pcmk_reboot_timeout=120")],
    ),
    "a limit for another action than that of a level": (
        setup(LEFT + device("right", "apc", ip="192.0.2.212", pcmk_host_map=OUTLETS,
                            power_timeout="70", pcmk_reboot_timeout="200"),
              levels=by_name("left,right")),
        [("? right may take 70 s for reboot (delay 0, power_wait 0 and power_timeout 70), and "
         "stonith-timeout ends it after 60 s")],
    ),
    "two nodes of which neither waits": (
        setup(boards(*TWO), nodes=TWO),
        ["? c1 and c2 are two nodes without a quorum device, and no fencing waits"],
    ),
    "a look in place of a reboot": (
        setup(boards("c1", "c2") + board("c3", pcmk_reboot_action="status")),
        ["! fence-c3 does status in place of reboot (pcmk_reboot_action): no node would be"],
    ),
    "what is no boolean": (
        setup(boards("c1", "c2"), stonith_enabled="enabled"),
        ["! c3 is fenced by no device"],
    ),
    "a remote node that nothing covers": (
        setup(REMOTE + boards()), ["! r1 is fenced by no device"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTY)
def test_what_is_wrong_is_found_and_nothing_else(name: str) -> None:
    scene, sentences = FAULTY[name]
    found = said(scene)
    assert len(found) == len(sentences), found
    for one, sentence in zip(found, sentences, strict=True):
        assert one.startswith(sentence), found


def asked(scene: FencingScene, node: str = "c2") -> list[FenceQuestion]:
    """Return what the devices of a scene are asked from a node."""
    every = scene.devices
    known = {d.id: AGENTS.get(d.primitive.agent) for d in every}
    return [q for d in every for q in asking.questions(d, node, scene.nodes, known[d.id])]


def test_an_outlet_that_is_given_is_asked_as_pacemaker_asks_it() -> None:
    """Pacemaker leaves it as it is, and gives no node's name in its place (make_args)."""
    fixed = asked(HEALTHY["an outlet in each device"])
    assert [(q.target, q.outlet) for q in fixed] == [("c1", "1"), ("c2", "2"), ("c3", "3")]
    assert "port=3" in fixed[2].step(None, 20).stdin.split()
    assert "plug" not in fixed[2].step(None, 20).stdin
    by_node = setup(shared("apc", plug="dynamic", pcmk_host_map=OUTLETS))
    assert [q.step(None, 20).stdin.split()[-1] for q in asked(by_node)] == [
        "plug=1", "plug=2", "plug=3",
    ]  # fmt: skip
    own = setup(shared("apc", uuid="a", pcmk_host_argument="uuid", pcmk_host_list="c1"))
    (question,) = asked(own)
    assert question.step(None, 20).stdin.split() == ["action=status", "ip=192.0.2.210", "uuid=a"]


LISTED = {
    "by a map, which the list has": ("vm-c1,vm-c1\nc2,c2\nc3,c3", "c1:vm-c1", ""),
    "by a map, which it lacks": ("c1,c1\nc2,c2\nc3,c3", "c1:vm-c1", "the list of vms has no vm-c1"),
    "in columns": ("vm-c1  7c2c-9a  on\nc2  81-aa  on\nC3  17-bb  off", "c1:vm-c1", ""),
    "with a state as a name": ("on,on\nc2\nc3", "c1:on", "the list of vms has no on"),
}


@pytest.mark.parametrize("name", LISTED)
def test_a_list_is_read_as_pacemaker_reads_it(name: str) -> None:
    text, pairs_, seen = LISTED[name]
    scene = setup(device("vms", "xvm", pcmk_host_check="dynamic-list", pcmk_host_map=pairs_))
    answer = FenceAnswer(FenceQuestion(scene.devices[0], "c1", "list"), 0, said=text)
    known = _FencingChecks(NONE, scene, FenceAnswers((answer,)), {}, 20)
    found = [check for check in known.lists() if not check.ok]
    assert [check.seen for check in found] == ([seen] if seen else [])


def test_a_board_is_its_node_s_in_either_case() -> None:
    scene = setup(boards("c1", "c2") + board("c3", pcmk_host_list="C3"))
    own = {n: NodeIdentity(addresses=frozenset({f"192.0.2.20{n[-1]}"})) for n in NODES}
    known = _FencingChecks(NONE, scene, FenceAnswers(identities=own), {}, 20)
    assert [check.ok for check in known.boards()] == [True] * 3
    swapped = replace(known, asked=FenceAnswers(identities={"c2": own["c3"], "c1": own["c1"]}))
    assert [check.cause for check in swapped.boards() if not check.ok] == [
        "to fence c3 would switch c2 off: correct fence-c3"
    ]


def test_an_outlet_of_its_own_is_called_as_the_node() -> None:
    known = Metadata("stonith:fence_apc", (Parameter("plug"),), (), frozenset({"list"}))
    scene = HEALTHY["an outlet in each device"]
    first = asking.questions(scene.devices[0], "c1", NODES, known, naming=True)
    assert [q.action for q in first] == ["list", "status"]
    answer = FenceAnswer(first[0], 0, said="1,c2\n2,c1\n3,c3\n")
    checked = _FencingChecks(NONE, scene, FenceAnswers((answer,)), {}, 20)
    (wrong,) = checked.outlets()
    assert wrong.where == "outlet 1 of f-c1 is c1's"
    assert wrong.cause == "to fence c1 would switch c2 off: correct port"


def test_what_makes_a_node_unfenced_is_what_the_finding_is_about() -> None:
    """So that a plan that changes one of these is refused, and not only said to be wrong."""
    scene = setup(REMOTE + boards(), levels=level(1, "fence-c2", target="c1"))
    about = {one.said: one.about for one in checks.find(scene, AGENTS)}
    assert {"fl-c1-1", "stonith-watchdog-timeout"} <= about["c1 is fenced by no device"]
    assert "r1" in about["r1 is fenced by no device"]


@pytest.mark.parametrize(("time", "runs"), [("0min", True), ("PT0S", True), ("PT1M", False)])
def test_a_time_of_nothing_needs_no_watchdog(time: str, runs: bool) -> None:
    desired = Configuration(properties={"stonith-watchdog-timeout": time})
    with nullcontext() if runs else pytest.raises(RefusedError, match="SBD does not run here"):
        check_watchdog(cib.EMPTY, desired)


def test_how_long_until_a_node_is_off() -> None:
    lost = 3.65 + 4.38
    one = setup(boards(pcmk_delay_base="5", delay="9"), priority_fencing_delay="10s")
    assert timing.until_off(one, "c1") == pytest.approx(lost + 10 + 5 + 60)
    both = setup(LEFT + RIGHT, levels=by_name("left,right"), stonith_timeout="PT1M30S")
    assert timing.until_off(both, "c1") == pytest.approx(lost + 90 + 90)
    split = setup(LEFT + RIGHT, levels=by_name("left", "right"))
    assert timing.until_off(split, "c1") == pytest.approx(lost + 60)


def test_where_a_device_may_run_is_what_its_constraints_say() -> None:
    inside = f'<group id="g">{boards("c1")}</group>'
    scene = setup(inside, constraints=away("g", "c2", "-1") + away("fence-c1", "c3", "+5"))
    assert runs_on(scene, scene.devices[0]) == ("c1", "c3")
    outweighed = away("fence-c1", "c2", "INFINITY") + rule(
        "fence-c1", "-1000000", 'attribute="rack" operation="eq" value="a"'
    )
    scene = setup(boards("c1"), constraints=outweighed, attributes={"c2": {"rack": "A"}})
    assert runs_on(scene, scene.devices[0]) == ("c1", "c3")


def test_the_disks_of_sbd_are_those_of_either_agent() -> None:
    by_glue = '<primitive id="sbd" class="stonith" type="external/sbd"/>'
    of_disk = SbdSettings(timeout=15, devices=("/dev/a",))
    for resources in (by_glue, device("sbd", "sbd"), device("sbd", "sbd", devices="/dev/a")):
        assert said(replace(setup(resources), sbd=of_disk)) == [], resources
    (wrong,) = said(replace(setup(device("sbd", "sbd", devices="/dev/b")), sbd=of_disk))
    assert wrong.startswith("! sbd writes to /dev/b, and SBD reads /dev/a: a node would not see")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("PT1M", 60), ("PT1M30S", 90), ("P1D", 86400), ("60000ms", 60), ("1min", 60), ("+5", 5),
     ("-1", None), ("P", None), ("", None), ("1 day", None)],
)  # fmt: skip
def test_times_are_those_of_pacemaker(text: str, expected: float | None) -> None:
    assert seconds(text) == expected
