"""Present and wanted -> plan -> CIB, on CIBs that real clusters printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from fabfile.pacemaker import metadata
from fabfile.pacemaker.cib import parse
from fabfile.pacemaker.configuration import read_configuration
from fabfile.pacemaker.metadata import complete_configuration
from fabfile.pacemaker.model import (
    Configuration,
)
from fabfile.pacemaker.plan import plan_configuration
from fabfile.pacemaker.render import render_configuration
from fabfile.services.memcached import AGENT, CLONE, wanted_clone
from tests.unit import captured

PLANS = sorted((Path(__file__).parents[1] / "plans").glob("*.yaml"))
MEMCACHED = Configuration(resources=(wanted_clone(),))


def agents(kind: str) -> dict[str, metadata.Metadata]:
    return {AGENT: metadata.parse(AGENT, captured.text(kind, "metadata.xml"))}


def completed(wanted: Configuration, kind: str) -> Configuration:
    return complete_configuration(wanted, agents(kind))


def canonical(element: etree._Element) -> str:
    return etree.tostring(element, method="c14n").decode()


@pytest.mark.parametrize("kind", captured.KINDS)
def test_what_we_render_is_what_pcs_wrote(kind: str) -> None:
    empty = parse(captured.text(kind, "cib-empty.xml"))
    ours = render_configuration(empty, plan_configuration(empty, completed(MEMCACHED, kind)))
    theirs = parse(captured.text(kind, "cib-clone.xml"))
    assert canonical(ours.resources) == canonical(theirs.resources)
    assert ours.version == (empty.version[0], empty.version[1] + 1, 0)
    assert canonical(empty.root) == canonical(parse(captured.text(kind, "cib-empty.xml")).root)
    assert ours.owned == (CLONE,)


@pytest.mark.parametrize("kind", ["debian12", "debian13"])
def test_a_stack_that_pcs_made_is_read_whole_and_needs_nothing(kind: str) -> None:
    theirs = parse(captured.text(kind, "cib-stack.xml"))
    wanted = read_configuration(theirs)
    plan = plan_configuration(theirs, wanted)
    assert plan.changes == ()
    assert len(plan.adopted) == len(plan.owned)


@pytest.mark.parametrize("kind", ["debian12", "debian13"])
def test_the_whole_stack_as_pcs_wrote_it(kind: str) -> None:
    theirs = parse(captured.text(kind, "cib-stack.xml"))
    wanted = read_configuration(theirs)
    empty = parse(captured.text(kind, "cib-empty.xml"))
    ours = render_configuration(empty, plan_configuration(empty, wanted))
    assert canonical(ours.resources) == canonical(theirs.resources)
    # The one exception: pcs 0.12 writes how a rule's single expression would be joined to others.
    said = canonical(theirs.constraints).replace(' boolean-op="and"', "")
    assert canonical(ours.constraints) == said
