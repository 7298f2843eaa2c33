"""dnf's repositories: found in its files, the cluster's enabled by the name that it has there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pacefab.host import packages, repositories
from pacefab.host.model import HostFacts
from pacefab.services.service import DesiredNode
from pacefab.workflows.nodes.node_plan import plan_node
from tests.unit import captured

# As grep finds them in centos.repo of Stream 9, in rocky-addons.repo of Rocky 9, and so on.
STREAM = """\
[baseos]
enabled=1
[baseos-source]
enabled=0
[appstream]
enabled=1
[highavailability]
enabled=0
[centos-nfv]
"""
RHEL = """\
[rhel-9-for-x86_64-appstream-rpms]
enabled = 1
[rhel-9-for-x86_64-highavailability-debug-rpms]
enabled = 0
[rhel-9-for-x86_64-highavailability-rpms]
enabled = 0
"""
NODE = HostFacts("c1", "centos 9", 4096, family="rhel", manager="dnf", packages={"pcs": None})
NEEDED = DesiredNode(("pcs",), of_cluster=True)


def parsed(text: str) -> dict[str, bool]:
    return repositories.parse(captured.section("repositories", text))


def test_a_repository_that_does_not_say_is_enabled() -> None:
    found = parsed(STREAM)
    assert found["baseos"] is found["centos-nfv"] is True
    assert found["highavailability"] is found["baseos-source"] is False
    assert parsed("") == {}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (STREAM, "highavailability"),
        (RHEL, "rhel-9-for-x86_64-highavailability-rpms"),
        ("[ha]\nenabled=0\n", "ha"),
        ("[rhel-8-for-aarch64-highavailability-rhui-rpms]\nenabled=0\n",
         "rhel-8-for-aarch64-highavailability-rhui-rpms"),
        (STREAM.replace("enabled=0", "enabled=1"), ""),
        ("[mirror-of-ours]\nenabled=1\n", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_the_clusters_repository_by_its_name(text: str, name: str) -> None:
    assert repositories.high_availability(parsed(text)) == name


def test_it_is_enabled_before_the_packages_and_disabled_with_them() -> None:
    facts = replace(NODE, repositories=parsed(STREAM))
    plan = plan_node(facts, NEEDED, managed=(), firewall=None)
    enable, install = plan.install
    assert enable.argv[-3:] == ("dnf", "highavailability", "enable")
    disable = ("dnf", "highavailability", "disable")
    assert (enable.undo or ())[-3:] == plan.purge[0].argv[-3:] == disable
    assert install.argv[-1] == "pcs"
    assert plan.changes == ("repository highavailability enabled", "package pcs installed with dnf")


def test_it_is_left_where_nothing_of_a_cluster_is_missing() -> None:
    facts = replace(NODE, repositories=parsed(STREAM))
    for desired in (DesiredNode(("pcs",)), DesiredNode(of_cluster=True)):
        assert plan_node(facts, desired, managed=(), firewall=None).repositories == ()


def test_where_it_is_missing_the_error_names_it() -> None:
    (failed,) = captured.section(
        "install pcs with dnf",
        "No match for argument: pcs\nError: Unable to find a match: pcs\n",
        1,
    ).values()
    error = packages.explain(failed)
    assert error
    assert "highavailability of CentOS Stream" in error.next_step
    other = packages.explain(replace(failed, out="No match for argument: nano\n"))
    assert other
    assert "no repository of this node has it" in other.next_step
