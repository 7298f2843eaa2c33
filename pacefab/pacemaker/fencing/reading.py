"""A CIB and corosync's settings -> the scene that fencing is checked in. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.configuration import map_primitives, read_configuration
from pacefab.pacemaker.corosync.conf import Key, Values
from pacefab.pacemaker.fencing.effective import Effective
from pacefab.pacemaker.fencing.findings import FencingScene
from pacefab.pacemaker.model import Configuration, Primitive
from pacefab.pacemaker.sections import levels
from pacefab.pacemaker.sections.generation import generation

# corosync.conf(5), corosync 3.1: milliseconds, and how many more for each node beyond two.
_TOKEN, _COEFFICIENT = 3000, 650
_CONSENSUS = 1.2  # times token
_SYNC = 30000  # votequorum(5) and corosync-qdevice(8): milliseconds
_MODEL = ("device", "model")


def read_scene(cib: Cib, members: Sequence[str], corosync: Values) -> FencingScene:
    """Return the scene that a CIB is, on nodes with these settings of corosync."""
    scene = new_scene(_configuration(cib), members, corosync)
    found = generation(cib).feature_set
    return replace(scene, features=found if any(found) else ())


def new_scene(
    configuration: Configuration, members: Sequence[str], corosync: Values
) -> FencingScene:
    """Return the scene that a configuration is, on nodes with these settings of corosync."""
    return FencingScene(
        configuration,
        tuple(members),
        _MODEL in corosync,
        _times(corosync, len(members)),
        _number(corosync, ("device", "sync_timeout"), _SYNC),
    )


def _times(corosync: Values, nodes: int) -> tuple[int, int]:
    extra = max(0, nodes - 2) * _number(corosync, ("totem", "token_coefficient"), _COEFFICIENT)
    token = _number(corosync, ("totem", "token"), _TOKEN) + extra
    return token, _number(corosync, ("totem", "consensus"), round(token * _CONSENSUS))


def _number(corosync: Values, key: Key, default: int) -> int:
    text = corosync.get(key, "")
    return int(text) if text.isdigit() else default


def _configuration(cib: Cib) -> Configuration:
    """Return what holds in a CIB, with its levels, and with primitives as templates make them."""
    found, effective = read_configuration(cib), Effective(cib)

    def whole(primitive: Primitive) -> Primitive:
        element = cib.element(primitive.id)
        if element is None:
            return primitive
        return replace(
            primitive,
            agent=cib.agent(element),
            parameters=effective.of(element, "instance_attributes"),
            meta=effective.of(element, "meta_attributes"),
            operations=effective.operations(element),
        )

    section = cib.section("fencing-topology")
    every = [] if section is None else [levels.read(e) for e in section.iterfind("fencing-level")]
    return replace(
        found,
        properties=effective.properties(),
        defaults=effective.defaults("rsc_defaults"),
        operation_defaults=effective.defaults("op_defaults"),
        attributes=effective.attributes(),
        resources=tuple(map_primitives(whole, resource) for resource in found.resources),
        objects=tuple(level for level in every if level is not None),
    )
