"""Remote and guest nodes of a cluster that stands: a role, where it makes exactly what is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pacefab.export.draft import Source
from pacefab.export.export import Exported, export
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker.cib import parse
from pacefab.pacemaker.metadata import Metadata, complete_configuration
from pacefab.pacemaker.model import Operation
from pacefab.pacemaker.placement.remote import CONNECTION
from pacefab.pacemaker.plan import plan_configuration
from tests.unit import captured
from tests.unit.test_export_services import OFF_REMOTES, edited, stack

ADVISED = (
    Operation("monitor", "60s", "30s"),
    Operation("start", "0s", "60s"),
    Operation("stop", "0s", "60s"),
)
AGENT = {CONNECTION: Metadata(CONNECTION, (), ADVISED)}
OPERATIONS = "".join(
    f'<op id="r1-{op.name}" name="{op.name}" interval="{op.interval}" timeout="{op.timeout}"/>'
    for op in ADVISED
)
SERVER = '<nvpair id="s" name="server" value="192.0.2.51"/>'
WAIT = '<nvpair id="w" name="reconnect_interval" value="60s"/>'
START = """<cib crm_feature_set="3.19.0" validate-with="pacemaker-3.9" epoch="1" num_updates="0"
admin_epoch="0"><configuration><crm_config/><nodes><node id="1" uname="c1"/>%s</nodes>
<resources>%s</resources><constraints/></configuration></cib>"""
EDGE = """<node id="r1" uname="r1" type="remote"><instance_attributes id="nodes-r1">
<nvpair id="nodes-r1-site" name="site" value="edge"/></instance_attributes></node>"""
VM = """<primitive id="vm" class="ocf" provider="pacemaker" type="Dummy"><meta_attributes id="vm-m">
<nvpair id="vm-g" name="remote-node" value="g1"/></meta_attributes></primitive>"""


def connection(
    parameters: str = SERVER + WAIT, more: str = "", operations: str = OPERATIONS
) -> str:
    """Return a connection as pcs writes it."""
    given = f'<instance_attributes id="r1-i">{parameters}</instance_attributes>'
    return (
        f'<primitive id="r1" class="ocf" provider="pacemaker" type="remote">{given}{more}'
        f"<operations>{operations}</operations></primitive>"
    )


def exported(resources: str, nodes: str = EDGE, *, plain: bool = False) -> Exported:
    """Return the export of a live cluster, of which a plan then has nothing to do."""
    source = Source(parse(START % (nodes, resources)), metadata=AGENT, plain=plain)
    done = export(source)
    assert not done.unsaid
    desired = complete_configuration(desired_configuration(done.inventory, str), AGENT)
    assert [str(c) for c in plan_configuration(source.cib, desired).changes] == []
    return done


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        (
            SERVER + WAIT,
            '{name: r1, address: "192.0.2.51", role: remote, attributes: {site: edge}}',
        ),
        (WAIT, "{name: r1, role: remote, attributes: {site: edge}}"),
        (
            SERVER.replace("192.0.2.51", "edge.lab"),
            "connection: {reconnect_interval: 0, server: edge.lab}",
        ),
    ],
)
def test_a_connection_as_a_role_makes_it_is_a_node(parameters: str, said: str) -> None:
    done = exported(connection(parameters))
    (node,) = done.inventory.remotes
    assert node.attributes == {"site": "edge"}
    assert not done.inventory.resources
    assert not done.inventory.other_nodes
    assert said in done.text


def test_options_and_operations_of_its_own_stay() -> None:
    port = '<nvpair id="p" name="port" value="3200"/>'
    meta = '<meta_attributes id="m"><nvpair id="n" name="priority" value="5"/></meta_attributes>'
    own = OPERATIONS.replace('interval="60s" timeout="30s"', 'interval="20s" timeout="9s"')
    (node,) = exported(connection(SERVER + port, meta, own)).inventory.remotes
    assert node.connection is not None
    assert node.connection.port == 3200
    assert node.connection.meta.texts() == {"priority": "5"}
    assert "20s" in [operation.interval for operation in node.connection.operations]


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        (connection(SERVER + '<nvpair id="x" name="other" value="1"/>'), "it has other"),
        (connection(more='<utilization id="u"><nvpair id="v" name="cpu" value="1"/></utilization>'),
         "it has utilization"),
        (f'<clone id="r1-clone">{connection()}</clone>', "it is not by itself"),
        (connection(operations=""), "it would change"),
    ],
)  # fmt: skip
def test_what_a_role_does_not_make_stays_a_resource(resources: str, why: str) -> None:
    done = exported(resources)
    assert not done.inventory.remotes
    assert done.inventory.resources["r1"].agent == CONNECTION
    assert done.inventory.other_nodes["r1"].attributes == {"site": "edge"}
    assert f"not a node whose role is remote: {why}" in done.text


def test_a_guest_node_is_one_by_its_resource() -> None:
    done = exported(VM, EDGE.replace("r1", "g1"))
    assert [(node.name, node.role) for node in done.inventory.nodes[1:]] == [("g1", "guest")]
    assert done.inventory.nodes[1].attributes == {"site": "edge"}
    assert not done.inventory.other_nodes
    assert [node.role for node in exported(VM, "").inventory.nodes] == ["controller", "guest"]


def test_what_pcs_made_on_real_nodes_is_nodes_with_their_roles() -> None:
    cib = parse(captured.text("word", "remote-cib.xml"))
    done = export(Source(cib))
    assert not done.unsaid
    roles = {node.name: node.role for node in done.inventory.nodes}
    assert roles == {
        "c1": "controller", "c2": "controller", "c3": "remote", "r2": "remote", "g1": "guest"
    }  # fmt: skip
    desired = desired_configuration(done.inventory, str)
    assert [str(c) for c in plan_configuration(cib, desired).changes if c.kind != "note"] == []


def test_plain_leaves_all_in_pacemakers_terms() -> None:
    done = exported(connection() + VM, plain=True)
    assert set(done.inventory.resources) == {"r1", "vm"}
    assert [node.name for node in done.inventory.nodes] == ["c1"]


def with_memcached(constraints: str) -> Exported:
    source = stack(memcached={"memory": 64, "max_connections": 1024})
    source = edited(source, "</resources>", f"{connection()}</resources>")
    source = edited(source, "</nodes>", f"{EDGE}</nodes>")
    source = replace(source, metadata={**source.metadata, **AGENT})
    return export(edited(source, "<constraints/>", constraints))


def test_services_are_kept_off_as_the_role_says() -> None:
    done = with_memcached(OFF_REMOTES)
    assert not done.unsaid
    assert list(done.inventory.sections) == ["memcached"]
    assert [node.name for node in done.inventory.remotes] == ["r1"]
    assert not done.inventory.constraints.location  # the role makes it
    assert done.rendered is not None
    assert "#kind" in done.rendered.text()


def test_where_a_service_may_run_on_remote_nodes_they_stay_resources() -> None:
    done = with_memcached("<constraints/>")
    assert not done.unsaid
    assert list(done.inventory.sections) == ["memcached"]
    assert not done.inventory.remotes
    assert "memcached-clone has no constraint that keeps it off remote nodes" in done.text
