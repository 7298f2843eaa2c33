"""Further sets of attributes of every kind, in every mixture: a second plan has nothing to do."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

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
MIXTURES = 40

Mixture = tuple[Data, list[Data]]


def values(some: Random) -> Data:
    return {name: some.choice("01") for name in NAMES if some.random() < 0.4}


def further(some: Random) -> Data:
    own: Data = {"values": values(some)}
    if some.random() < 0.5:
        own["score"] = some.choice([5, 9, "INFINITY"])
    if some.random() < 0.3:
        own["rule"] = RULE
    return own


def mixture(some: Random) -> Mixture:
    """Return values that hold always, and further sets, perhaps with the place of those."""
    plain, sets = values(some), [further(some) for _ in range(some.randrange(4))]
    if some.random() < 0.4:
        mark: Data = some.choice([{"plain": True}, {"plain": True, "score": 3}])
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


def deployed(cib: Cib, data: Data) -> Cib:
    """Return a CIB after a deployment, of which a second one has nothing to do."""
    desired = desired_of(data)
    after = render_configuration(cib, plan_configuration(cib, desired, prune=True))
    again = plan_configuration(after, desired, prune=True)
    assert not again, after.text()
    return after


@pytest.mark.parametrize("place", PLACES)
def test_a_second_deployment_has_nothing_to_do(place: str) -> None:
    some = Random(place)  # noqa: S311  # the same mixtures in every run
    for _ in range(MIXTURES):
        cib = parse(EMPTY % (FOREIGN if place == "settings" and some.random() < 0.5 else ""))
        for _ in range(2):  # onto an empty cluster, then onto what that left
            cib = deployed(cib, PLACES[place](*mixture(some)))


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
