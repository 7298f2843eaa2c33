"""Further sets of attributes of every kind, in every mixture: a second plan has nothing to do."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any

import pytest
from lxml import etree

from pacefab.cli.inventory import ClusterInventory
from pacefab.export.settings import as_read
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker.cib import Cib, parse
from pacefab.pacemaker.model import Configuration
from pacefab.pacemaker.pcs.lines import render_pcs
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration

Data = dict[str, Any]
EMPTY = """<cib epoch="1" num_updates="0" admin_epoch="0" validate-with="pacemaker-3.9">
<configuration><crm_config/><nodes><node id="1" uname="c1"/></nodes><resources/><constraints/>
%s</configuration></cib>"""
FOREIGN = """<rsc_defaults><meta_attributes id="theirs">
<nvpair id="theirs-s" name="resource-stickiness" value="7"/></meta_attributes></rsc_defaults>"""
AGENT = {"agent": "ocf:pacemaker:Dummy"}
NAMES = ("priority", "migration-threshold")  # none that operators set by hand
RULE = [{"expression": [{"attribute": "site", "operation": "eq", "value": "edge"}]}]
MIXTURES = 30

Mixture = tuple[Data, list[Data]]


def values(some: Random) -> Data:
    return {name: some.choice("01") for name in NAMES if some.random() < 0.4}


def further(some: Random) -> Data:
    if some.random() < 0.1:
        return {"id_ref": some.choice("xy")}
    own: Data = {"values": values(some)}
    if some.random() < 0.5:
        own["score"] = some.choice([5, 9, "INFINITY"])
    if some.random() < 0.3:
        own["rule"] = RULE
    if some.random() < 0.3:
        own["id"] = "s"
    if some.random() < 0.2:
        name = some.choice(NAMES)
        other = {"id_ref": some.choice("vw"), "name": name}
        own["references"] = [some.choice([{"id": "p", "name": name, "value": "1"}, other])]
    return own


def mixture(some: Random) -> Mixture:
    """Return values that hold always, and further sets, perhaps with the place of those."""
    plain, sets = values(some), [further(some) for _ in range(some.randrange(4))]
    if some.random() < 0.4:
        mark: Data = {"plain": True, **some.choice([{}, {"score": 3}, {"id": "m"}])}
        sets.insert(some.randrange(len(sets) + 1), mark)
    return plain, sets


def primitive(key: str, plain: Data, sets: list[Data]) -> Data:
    short = plain if key == "parameters" else as_numbers(plain)
    return {**AGENT, key: short, "further": {key: sets}}


def as_numbers(plain: Data) -> Data:
    return {name: int(value) for name, value in plain.items()}


def in_resource(key: str) -> Any:
    return lambda plain, sets: {"resources": {"r": primitive(key, plain, sets)}}


def in_template(key: str) -> Any:
    return lambda plain, sets: {"templates": {"t": primitive(key, plain, sets)}}


def in_operation(key: str) -> Any:
    def made(plain: Data, sets: list[Data]) -> Data:
        own = [{"values": plain}] if plain else []
        sets = [*own, *(each for each in sets if "plain" not in each)]
        return {"resources": {"r": {**AGENT, "operations": [{"name": "monitor", key: sets}]}}}

    return made


def in_clone(plain: Data, sets: list[Data]) -> Data:
    both = {"meta": sets, "parameters": sets}
    return {"resources": {"r": {**AGENT, "clone": as_numbers(plain), "clone_further": both}}}


def in_group(plain: Data, sets: list[Data]) -> Data:
    group = {"meta": as_numbers(plain), "further": {"meta": sets}}
    return {"resources": {"r": {**AGENT, "group": "g"}}, "groups": {"g": group}}


def in_cloned_group(plain: Data, sets: list[Data]) -> Data:
    group = {**in_group(plain, sets)["groups"]["g"], "clone": {}, "clone_further": {"meta": sets}}
    return {"resources": {"r": {**AGENT, "group": "g"}}, "groups": {"g": group}}


def in_bundle(plain: Data, sets: list[Data]) -> Data:
    bundle = {"podman": {"image": "lab:1"}, "meta": as_numbers(plain), "further": {"meta": sets}}
    return {"bundles": {"b": bundle}}


def in_alert(plain: Data, sets: list[Data]) -> Data:
    own = {"attributes": plain, "attribute_sets": sets, "meta_sets": sets}
    return {"alerts": {"a": {"path": "/x", **own, "recipients": [{"value": "ops", **own}]}}}


def in_node(plain: Data, sets: list[Data]) -> Data:
    sets_of_both = {"attribute_sets": sets, "utilization_sets": sets}
    return {"nodes": [{"name": "c1", "attributes": plain, **sets_of_both}]}


def in_settings(plain: Data, sets: list[Data]) -> Data:
    kinds = ("property_sets", "default_sets", "operation_default_sets")
    own = {"unlisted_defaults": plain, "unlisted_operation_defaults": plain}
    return {**own, **dict.fromkeys(kinds, sets)}


PLACES = {
    **{f"resource {key}": in_resource(key) for key in ("parameters", "meta", "utilization")},
    **{f"template {key}": in_template(key) for key in ("parameters", "meta", "utilization")},
    **{f"operation {key}": in_operation(key) for key in ("parameters", "meta")},
    "clone": in_clone,
    "group": in_group,
    "cloned group": in_cloned_group,
    "bundle": in_bundle,
    "alert": in_alert,
    "node": in_node,
    "settings": in_settings,
}


def desired_of(data: Data, secret: str = "") -> Configuration:
    """Return what an inventory says; all its secrets have one value."""
    whole = {"cluster": "lab", "nodes": ["c1"], **data}
    inventory = ClusterInventory.model_validate(as_read(whole), context={})
    return desired_configuration(inventory, lambda _: secret)


def deployed(cib: Cib, data: Data, *, prune: bool = True) -> Cib:
    """Return a CIB after a deployment, of which a second one has nothing to do."""
    desired = desired_of(data)
    after = render_configuration(cib, plan_configuration(cib, desired, prune=prune))
    again = plan_configuration(after, desired, prune=prune)
    assert not again, after.text()
    return after


def numbered(data: Any, numbers: Iterator[int]) -> Any:
    """Return an inventory in which every id is another one."""
    if isinstance(data, list):
        return [numbered(each, numbers) for each in data]
    if not isinstance(data, dict):
        return data
    own = {"id": f"{data['id']}{next(numbers)}"} if "id" in data else {}
    return {**{key: numbered(value, numbers) for key, value in data.items()}, **own}


SAID = {"further", "clone_further", "attribute_sets", "meta_sets", "utilization_sets",
        "property_sets", "default_sets", "operation_default_sets"}  # fmt: skip
VALUES = {"meta", "attributes", "unlisted_defaults", "unlisted_operation_defaults"}


def unsaid(data: Any, some: Random) -> Any:
    """Return an inventory that says nothing of some sets, and has none of some values."""
    if isinstance(data, list):
        return [unsaid(each, some) for each in data]
    if not isinstance(data, dict):
        return data
    odds: dict[str, float] = {**dict.fromkeys(SAID, 0.3), **dict.fromkeys(VALUES, 0.2)}
    return {k: unsaid(v, some) for k, v in data.items() if some.random() > odds.get(k, 0.0)}


@pytest.mark.parametrize("place", PLACES)
def test_a_second_deployment_has_nothing_to_do(place: str) -> None:
    some = Random(place)  # noqa: S311  # the same mixtures in every run
    for _ in range(MIXTURES):
        cib = parse(EMPTY % (FOREIGN if place == "settings" and some.random() < 0.5 else ""))
        prune, numbers = some.random() < 0.5, count()
        for _ in range(3):  # onto an empty cluster, then onto what that left
            data = numbered(PLACES[place](*mixture(some)), numbers)
            cib = deployed(cib, unsaid(data, some), prune=prune)


BESIDE = """<cib epoch="1" num_updates="0" admin_epoch="0" validate-with="pacemaker-3.9">
<configuration><crm_config/><nodes/><resources>
<primitive id="r" class="ocf" type="Dummy" provider="pacemaker">
<meta_attributes id="r-meta_attributes"><nvpair id="m" name="priority" value="1"/></meta_attributes>
<meta_attributes id="theirs" score="5">
<nvpair id="theirs-1" name="migration-threshold" value="3"/></meta_attributes>
<meta_attributes id="at-edge"><rule id="edge" score="1">
<expression id="edge-1" attribute="site" operation="eq" value="edge"/></rule>
<nvpair id="at-edge-1" name="priority" value="9"/></meta_attributes>
<operations><op id="r-monitor-interval-10s" name="monitor" interval="10s"/></operations>
</primitive></resources><constraints/></configuration></cib>"""


def test_what_is_emptied_takes_no_set_along_of_which_nothing_is_said() -> None:
    before = parse(BESIDE)
    monitor = {"operations": [{"name": "monitor", "interval": "10s"}]}
    desired = desired_of({"resources": {"r": {**AGENT, **monitor}}})
    plan = plan_configuration(before, desired)
    assert "priority: 1 -> absent" in str(plan.changes[0])
    after = render_configuration(before, plan)
    left = after.resources.findall("primitive/meta_attributes")
    assert [etree.tostring(each) for each in left] == [
        etree.tostring(each) for each in before.resources.findall("primitive/meta_attributes")[1:]
    ]
    assert not plan_configuration(after, desired)


def test_a_value_to_which_another_set_refers_keeps_its_id_where_it_holds_always() -> None:
    shared = [{"references": [{"id": "one", "name": "priority", "value": "5"}]}]
    other = [{"score": 9, "references": [{"id_ref": "one", "name": "priority"}]}]
    both: dict[str, Data] = {
        "r": {**AGENT, "further": {"meta": shared}},
        "s": {**AGENT, "further": {"meta": other}},
    }
    cib = deployed(parse(EMPTY % ""), {"resources": both})
    assert cib.element("one") is not None
    plain = {"plain": True, "id": "whole", "references": [{"id": "two", "name": "priority"}]}
    both["r"] = {**AGENT, "meta": {"priority": 5}, "further": {"meta": [plain]}}
    both["s"]["further"]["meta"][0]["references"][0]["id_ref"] = "two"
    cib = deployed(cib, {"resources": both})
    (pair,) = cib.resources.findall("primitive[@id='r']/meta_attributes[@id='whole']/nvpair")
    assert [pair.get(name) for name in ("id", "name", "value")] == ["two", "priority", "5"]


@pytest.mark.parametrize("more", [{}, {"score": 5}, {"rule": RULE}])
def test_a_secret_of_a_further_set_is_recorded_and_never_shown(more: Data) -> None:
    values = {"server": {"secret": "way"}, "port": "1"}
    primitive = {**AGENT, "further": {"parameters": [{"values": values, **more}]}}
    cib = parse(EMPTY % "")
    for value in ("hunter2", "hunter3"):
        desired = desired_of({"resources": {"r": primitive}}, value)
        plan = plan_configuration(cib, desired)
        assert "hunter" not in " ".join([*map(str, plan.changes), *render_pcs(plan)])
        cib = render_configuration(cib, plan)
        assert value in cib.text()
        assert cib.secrets == ("r:server",)
        assert not plan_configuration(cib, desired)
    gone = desired_of({"resources": {"r": {**AGENT, "further": {"parameters": []}}}}, "")
    assert "hunter" not in " ".join(map(str, plan_configuration(cib, gone).changes))
