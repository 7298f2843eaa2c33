"""A resource whose ticket the site does not have, and parts of a configuration that become one."""

from __future__ import annotations

from dataclasses import fields

import pytest

from pacefab.pacemaker.cib import Cib, parse
from pacefab.pacemaker.model import Configuration, Order, Primitive
from pacefab.pacemaker.nouns.piece import Piece
from pacefab.pacemaker.placement.tickets import missing_ticket
from pacefab.workflows.rollout.desired import merge
from tests.unit.test_sections import OBJECTS

# As crm_ticket --grant --force of Pacemaker 2.1.5 wrote it.
GRANTED = '<ticket_state id="site" granted="true" last-granted="1796001337"/>'
ALONE = '<rsc_ticket id="t" rsc="web" ticket="site" loss-policy="stop"/>'
SET = '<rsc_ticket id="t" ticket="site"><resource_set id="s"><resource_ref id="web-clone"/></resource_set></rsc_ticket>'  # noqa: E501


def site(constraint: str, state: str = "") -> Cib:
    return parse(
        '<cib epoch="0" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes/>'
        '<resources><clone id="web-clone"><primitive id="web" class="systemd" type="web"/></clone>'
        f"</resources><constraints>{constraint}</constraints></configuration>"
        f"<status><tickets>{state}</tickets></status></cib>"
    )


@pytest.mark.parametrize("constraint", [ALONE, SET])
@pytest.mark.parametrize(
    "state",
    [
        "",
        GRANTED.replace("true", "false"),
        GRANTED.replace("/>", ' standby="true"/>'),
        GRANTED.replace("site", "other"),
    ],
)
def test_a_resource_waits_for_the_ticket_that_it_needs(constraint: str, state: str) -> None:
    cause = missing_ticket(site(constraint, state), "web")
    assert cause is not None
    assert cause.deliberate
    assert str(cause) == (
        "web needs the ticket site, which this site does not have (t): grant it: crm_ticket "
        "--ticket site --grant (--force without booth)"
    )


@pytest.mark.parametrize("constraint", [ALONE, SET])
def test_a_ticket_that_is_granted_keeps_nothing(constraint: str) -> None:
    assert missing_ticket(site(constraint, GRANTED), "web") is None


def test_a_ticket_for_the_promoted_role_keeps_nothing_from_running() -> None:
    promoted = ALONE.replace(" ticket", ' rsc-role="Master" ticket')
    assert missing_ticket(site(promoted), "web") is None


def test_every_part_of_a_configuration_reaches_the_whole() -> None:
    values = {"a": "1"}
    whole = Configuration(
        properties=values,
        defaults=values,
        attributes={"c1": values},
        resources=(Primitive("web", "systemd:web"),),
        constraints=(Order("web", "db"),),
        notes=values,
        operation_defaults=values,
        sets={"property sets": (Piece("cluster_property_set"),)},
        node_sets={"c1": {"node attribute sets": (Piece("instance_attributes"),)}},
        objects=OBJECTS,
        utilization={"c1": values},
    )
    assert all(getattr(whole, each.name) for each in fields(Configuration))
    assert merge([Configuration(), whole, Configuration()]) == whole
