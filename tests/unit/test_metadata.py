"""Agents' metadata as real nodes printed it: operations, and what is wrong with parameters."""

from __future__ import annotations

import pytest

from pacefab.pacemaker.metadata import Metadata, agents, check_parameters, complete, parse
from pacefab.pacemaker.model import (
    Clone,
    Configuration,
    Group,
    Operation,
    Primitive,
    Template,
)
from tests.unit import captured

ADDRESS = "ocf:heartbeat:IPaddr2"


def known(agent: str, file: str, kind: str = "debian12") -> Metadata:
    return parse(agent, captured.text(kind, file))


def operations(metadata: Metadata) -> list[str]:
    return [
        " ".join(filter(None, [op.name, op.interval, op.timeout, *op.others.values()]))
        for op in metadata.operations
    ]


def test_operations_come_from_the_agents_metadata() -> None:
    found = known("systemd:memcached", "metadata.xml", "debian13")
    assert operations(found) == ["monitor 60s 100s", "start 0s 100s", "stop 0s 100s"]


def test_a_promotable_agents_monitors_keep_their_roles() -> None:
    found = known("ocf:heartbeat:galera", "metadata-galera.xml")
    assert operations(found) == [
        "demote 0s 120s", "monitor 20s 30s", "monitor 10s 30s Promoted",
        "monitor 30s 30s Unpromoted", "promote 0s 300s", "start 0s 120s", "stop 0s 120s",
    ]  # fmt: skip


def test_monitors_of_more_depth_get_their_check_level_and_an_interval_of_their_own() -> None:
    found = known("ocf:heartbeat:nginx", "metadata-nginx.xml")
    monitors = [
        (op.interval, dict(op.parameters)) for op in found.operations if op.name == "monitor"
    ]
    assert monitors == [
        ("10s", {}),
        ("30s", {"OCF_CHECK_LEVEL": "10"}),
        ("60s", {"OCF_CHECK_LEVEL": "20"}),
        ("61", {"OCF_CHECK_LEVEL": "30"}),  # as pcs does it, with a warning
    ]


def test_a_fencing_device_gets_its_monitor_alone() -> None:
    text = """<resource-agent><parameters/><actions>
      <action name="on"/><action name="monitor"/><action name="stop" timeout="20s"/>
    </actions></resource-agent>"""
    assert operations(parse("stonith:fence_x", text)) == ["monitor 60s"]


def test_operations_that_are_given_stand_and_the_rest_is_the_agents() -> None:
    given = (
        Operation("monitor", "", "", {"OCF_CHECK_LEVEL": "10"}),
        Operation("start", "0s", "40s", {"on-fail": "block"}),
    )
    found = complete(
        Primitive("vip", ADDRESS, operations=given), known(ADDRESS, "metadata-IPaddr2.xml")
    )
    assert found.operations == (
        Operation("monitor", "60s", "", {}, {"OCF_CHECK_LEVEL": "10"}),
        Operation("start", "0s", "40s", {"on-fail": "block"}),
        Operation("stop", "0s", "20s"),
    )


@pytest.mark.parametrize(
    ("parameters", "problems"),
    [
        ({"ip": "192.0.2.1", "nic": "eth0", "lvs_support": "yes", "arp_count": "-5"}, []),
        ({"ip": "192.0.2.1", "trace_ra": "1"}, []),
        (
            {"ip": "192.0.2.1", "netmask": "24"},
            ["no parameter netmask; did you mean cidr_netmask?"],
        ),
        ({"nic": "eth0"}, ["the parameter ip is missing"]),
        (
            {"ip": "x", "lvs_support": "maybe"},
            ["lvs_support is 'maybe'; it has to be true or false"],
        ),
        ({"ip": "x", "arp_count": "5s"}, ["arp_count is '5s'; it has to be a whole number"]),
    ],
)
def test_what_is_wrong_with_parameters(parameters: dict[str, str], problems: list[str]) -> None:
    found = check_parameters(
        Primitive("vip", ADDRESS, parameters), known(ADDRESS, "metadata-IPaddr2.xml")
    )
    assert [problem.partition("; there are")[0] for problem in found] == problems


FENCE = """<resource-agent><parameters>
  <parameter name="action" required="1"><content type="string"/></parameter>
  <parameter name="port" required="1"><content type="string"/></parameter>
  <parameter name="plug" required="1" obsoletes="port"><content type="string"/></parameter>
  <parameter name="ip" required="1" obsoletes="ipaddr"><content type="string"/></parameter>
  <parameter name="ipaddr" required="1" deprecated="1"><content type="string"/></parameter>
  <parameter name="method" required="0"><content type="select" default="onoff">
    <option value="onoff"/><option value="cycle"/></content></parameter>
  <parameter name="delay"><content type="second" default="0"/></parameter>
</parameters><actions/></resource-agent>"""


@pytest.mark.parametrize(
    ("parameters", "problems"),
    [
        ({"ip": "x", "pcmk_host_list": "c1", "delay": "2"}, ()),
        ({"ipaddr": "x"}, ()),
        ({}, ("the parameter ip is missing",)),
        ({"ip": "x", "method": "of"}, ("method is 'of'; allowed: onoff, cycle",)),
    ],
)
def test_what_is_wrong_with_a_fencing_device(
    parameters: dict[str, str], problems: tuple[str, ...]
) -> None:
    agent = "stonith:fence_x"
    assert check_parameters(Primitive("f", agent, parameters), parse(agent, FENCE)) == problems


def test_a_type_that_the_agents_own_default_does_not_have_is_not_asked_for() -> None:
    """As ocf:pacemaker:ping has it: dampen is called an integer, and is 5s when not given."""
    text = """<resource-agent><parameters>
      <parameter name="dampen"><content type="integer" default="5s"/></parameter>
      <parameter name="attempts"><content type="integer" default="3"/></parameter>
    </parameters><actions/></resource-agent>"""
    agent = "ocf:pacemaker:ping"
    found = check_parameters(
        Primitive("p", agent, {"dampen": "10s", "attempts": "3s"}), parse(agent, text)
    )
    assert found == ("attempts is '3s'; it has to be a whole number",)


def test_the_agents_of_a_configuration() -> None:
    one, two = Primitive("one", ADDRESS), Primitive("two", "systemd:redis")
    desired = Configuration(resources=(Group("g", (one, two)), Clone("c", Primitive("x", ADDRESS))))
    assert agents(desired) == (ADDRESS, "systemd:redis")


@pytest.mark.parametrize("broken", ["", "<a", "<cib/>"])
def test_what_is_no_metadata_is_reported(broken: str) -> None:
    with pytest.raises(ValueError, match=r"XML|not metadata"):
        parse(ADDRESS, broken)


def test_a_templates_agent_is_asked_for_and_none_of_what_is_made_from_it() -> None:
    like = Template("like", Primitive("like", ADDRESS))
    made = Primitive("made", "", template="like")
    assert agents(Configuration(resources=(like, made))) == (ADDRESS,)
