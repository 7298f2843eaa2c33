"""Services that run on nodes with an attribute, remote ones too: said, planned, asked, listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from pacefab.cli.inventory import ClusterInventory, read_inventory
from pacefab.drill.drill import Drill
from pacefab.errors import RefusedError, UnreachableError, UsageError
from pacefab.host.model import HostFacts, Interface
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker import cib, monitor
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import (
    Clone,
    Configuration,
    Group,
    Location,
    Member,
    Membership,
    Primitive,
)
from pacefab.pacemaker.placement import graph, outcome
from pacefab.pacemaker.placement.remote import (
    ServicePlace,
    able,
    addresses,
    keeping,
    kept_to_members,
)
from pacefab.pacemaker.placement.settings import has_clones
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.readiness import missing
from pacefab.pacemaker.render import render_configuration
from pacefab.pacemaker.word import Placement
from pacefab.services import registry
from pacefab.services.checks import Inspection
from pacefab.services.load import ClientLoad, LoadServer
from pacefab.services.memcached.memcached import desired_clone
from pacefab.services.memcached.targets import find_targets
from pacefab.services.service import Look, Site
from pacefab.tasks.bootstrap import _without_placing
from pacefab.workflows.checks import places
from pacefab.workflows.checks.service_health import instances
from pacefab.workflows.nodes.purge import Purge
from pacefab.workflows.nodes.view import ClusterView, observe_cluster
from pacefab.workflows.rolling.node_update import NodeUpdate
from pacefab.workflows.rolling.rolling import Rolling
from pacefab.workflows.rollout.desired import Intent
from pacefab.workflows.rollout.install import Install
from pacefab.workflows.rollout.remove import Remove, _Removal
from tests.unit import captured
from tests.unit.test_view import Answers, Silent, bare

if TYPE_CHECKING:
    from pacefab.transport.connection import Host

REMOTE = cib.parse(captured.text("word", "remote-cib.xml"))
STATUS = monitor.parse(captured.text("word", "remote-mon.xml"))
EDGE = ServicePlace({"site": "edge"}, (Member("r1", ("192.0.2.9",)),))
INVENTORY = """\
cluster: lab
nodes:
  - {name: c1, address: 192.0.2.1}
  - {name: c2, address: 192.0.2.2}
  - {name: r1, address: 192.0.2.9, role: remote, attributes: {site: edge, rack: a}}
  - {name: r2, address: 192.0.2.10, role: remote, attributes: {site: edge}}
  - {name: r3, address: 192.0.2.11, role: remote}
"""
MEMCACHED = "services: {{memcached: {{nodes: {}}}}}\n"


def read(folder: Path, text: str) -> ClusterInventory:
    file = folder / "lab.yaml"
    file.write_text(INVENTORY + text)
    return read_inventory(file)


def intent_of(inventory: ClusterInventory) -> Intent:
    return Intent(
        inventory.membership(), inventory.sections, tuple(inventory.sections), Configuration(),
        str, beside_remotes=True, places=inventory.places,
    )  # fmt: skip


def facts(name: str, address: str) -> HostFacts:
    return HostFacts(
        name, "debian 12", 4096, family="debian", manager="apt-get",
        interfaces=(Interface("eth0", address, 24),), packages={"memcached": None},

    )  # fmt: skip


FACTS: Mapping[str, HostFacts] = {
    "c1": facts("c1", "192.0.2.1"),
    "c2": facts("c2", "192.0.2.2"),
    "r1": facts("r1", "192.0.2.9"),
    "r2": facts("r2", "192.0.2.10"),
}


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        ("{site: edge}", ("r1", "r2")),
        ("{site: edge, rack: a}", ("r1",)),
    ],
)
def test_it_runs_on_the_nodes_that_have_all_of_the_attributes(
    tmp_path: Path, nodes: str, names: tuple[str, ...]
) -> None:
    inventory = read(tmp_path, MEMCACHED.format(nodes))
    assert inventory.places["memcached"].names == names
    assert inventory.remote_places == set(names)
    assert inventory.section("memcached").request().memory is None  # no option of its file


def test_without_the_word_no_host_of_a_remote_node_is_looked_at(tmp_path: Path) -> None:
    inventory = read(tmp_path, "services: {memcached: {}}\n")
    assert not inventory.places
    assert intent_of(inventory).look().remotes == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MEMCACHED.format("{site: moon}"), r"no node has the attributes {site: moon}"),
        (
            "  - {name: g1, role: guest, attributes: {site: edge}}\n"
            "resources: {vm: {agent: 'ocf:pacemaker:Dummy', meta: {remote-node: g1}}}\n"
            + MEMCACHED.format("{site: edge}"),
            "the guest node g1 has site: edge, and nothing is installed on guests",
        ),
    ],
)
def test_a_place_where_it_cannot_run_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(tmp_path, text)


def test_constraints_keep_it_there_in_place_of_the_members(tmp_path: Path) -> None:
    intent = intent_of(read(tmp_path, MEMCACHED.format("{site: edge, rack: a}")))
    found = intent.configuration(intent.site({})).constraints
    assert all(isinstance(one, Location) for one in found)
    kept = [(one.attribute, one.operation, one.value) for one in found if isinstance(one, Location)]
    assert kept == [("site", "ne", "edge"), ("rack", "ne", "a")]
    assert {one.resource_discovery for one in found if isinstance(one, Location)} == {"never"}


def test_packages_and_files_go_to_its_nodes_alone(tmp_path: Path) -> None:
    intent = intent_of(read(tmp_path, MEMCACHED.format("{site: edge}")))
    assert intent.look().remotes == ("r1", "r2")
    whole = intent.among(Membership("lab", intent.membership.members), FACTS)
    site = whole.site(FACTS)
    assert [name for name in FACTS if whole.node(site, name).packages] == ["r1", "r2"]
    (file,) = [f for f in whole.node(site, "r1").files if f.path == "/etc/memcached.conf"]
    assert "-l 192.0.2.9" in file.render(None)
    assert whole.addresses == ["192.0.2.1", "192.0.2.2", "192.0.2.9", "192.0.2.10"]


def test_a_node_of_it_is_asked_by_another_one_of_it_else_by_a_member(tmp_path: Path) -> None:
    intent = intent_of(read(tmp_path, MEMCACHED.format("{site: edge}")))
    for known, askers in ((FACTS, ["r2", "r1"]), ({"c2": FACTS["c2"]}, ["c2", "c2"])):
        probes = intent.probes(intent.site(known))
        assert [probe.of for probe in probes] == ["r1", "r2"]
        assert [probe.node for probe in probes] == askers
        assert [probe.at for probe in probes] == ["192.0.2.9:11211", "192.0.2.10:11211"]


def test_of_nodes_that_nobody_looked_at_the_usual_port_is_known() -> None:
    (target,) = find_targets(Membership("lab", EDGE.nodes), {})
    assert (target.address, target.port) == ("192.0.2.9", 11211)


def test_members_verify_what_nobody_looked_at(tmp_path: Path) -> None:
    intent = intent_of(read(tmp_path, MEMCACHED.format("{site: edge}")))
    site = intent.site({"c1": FACTS["c1"]}).of("memcached")
    found = registry.service("memcached").checks(intent.sections["memcached"], site, REMOTE)
    assert [one.node for one in found if isinstance(one, Inspection)] == ["c1"]


def test_other_services_do_not_see_its_nodes(tmp_path: Path) -> None:
    intent = intent_of(read(tmp_path, MEMCACHED.format("{site: edge}")))
    site = intent.site(FACTS)
    assert site.of("haproxy").membership.names == ("c1", "c2")
    assert site.of("memcached").membership.names == ("r1", "r2")
    assert set(site.of("memcached").facts) == {"r1", "r2"}
    assert site.of("memcached").of("memcached").askers == tuple(FACTS)
    assert [n for n in FACTS if site.has("haproxy", n)] == ["c1", "c2"]


def placed_cib() -> Cib:
    """Return the CIB with its clone kept to c3 and r2, remote nodes with an attribute."""
    kept = ServicePlace({"site": "edge"}, ()).constraints(Group("cache-clone", ()))
    desired = Configuration(
        attributes={n: {"site": "edge"} for n in ("c3", "r2")}, constraints=kept
    )
    return render_configuration(REMOTE, plan_configuration(REMOTE, desired))


def test_the_cib_says_where_it_may_run() -> None:
    after = placed_cib()
    assert able(after, "cache", STATUS.nodes) == ("c3", "r2")
    assert keeping(after, "cache-clone") == {"location-cache-clone"}
    assert able(REMOTE, "cache", STATUS.nodes) is None
    assert dict(instances(STATUS, "cache", ("c3", "r2"))).keys() >= {"c3", "r2"}


def test_a_rule_of_an_operator_is_none_of_it() -> None:
    """One that Pacemaker looks at all the same hides no reason why it does not run."""
    clone = Group("cache-clone", ())
    for change in ({"resource_discovery": ""}, {"score": "-100"}, {"operation": "eq"}):
        other = replace(ServicePlace({"site": "edge"}, ()).constraints(clone)[0], **change)
        desired = Configuration(constraints=(other,))
        after = render_configuration(REMOTE, plan_configuration(REMOTE, desired))
        assert able(after, "cache", STATUS.nodes) is None


def test_nothing_is_reported_of_nodes_where_it_is_not_to_run() -> None:
    to_do = graph.parse(captured.text("word", "remote-graph.xml"))
    before, after = (outcome.read(one, STATUS, to_do) for one in (REMOTE, placed_cib()))
    assert "r2" in before.against["cache"]
    assert set(after.against["cache"]) == {"r2"}  # it is away
    (node,) = (node for node in STATUS.nodes if node.name == "c3")
    here = {"cache": frozenset({"c3"})}
    assert has_clones(REMOTE, here, node)  # that pacefab does not install it there is said
    assert not has_clones(placed_cib(), here, node)


def test_where_it_runs_is_read_from_the_cib() -> None:
    members = (Member("c1", ("192.0.2.1",)), Member("c2", ("192.0.2.2",)))
    service = SimpleNamespace(primitives=lambda _: ("cache",))
    seen = SimpleNamespace(cib=placed_cib(), status=STATUS, membership=Membership("lab", members))
    found = places.find(cast("ClusterView", seen), service)  # type: ignore[arg-type]
    assert found is not None
    reached = addresses(REMOTE)
    assert found.members == (Member("c3", (reached["c3"],)), Member("r2", (reached["r2"],)))
    kept = Configuration(constraints=(kept_to_members(Group("cache-clone", ())),))
    seen.cib = render_configuration(REMOTE, plan_configuration(REMOTE, kept))
    assert places.find(cast("ClusterView", seen), service) is None  # type: ignore[arg-type]


def observed(*hosts: Answers) -> ClusterView:
    named = cast("dict[str, Host]", {host.name: host for host in hosts})
    return observe_cluster(named, Look(remotes=("r1",)), 8)


def test_a_remote_node_has_no_vote_and_its_cib_is_a_members() -> None:
    seen = observed(bare("r1", 9), Answers("c1", 1), Answers("c2", 2))
    assert (list(seen.views), list(seen.remotes), list(seen.strangers)) == (
        ["c1", "c2"], ["r1"], [],
    )  # fmt: skip
    assert (list(seen.voters), seen.needed) == (["c1", "c2"], 2)
    assert "r1" not in seen.heads
    assert seen.doorway == "c1"
    assert seen.remotes["r1"].managed_units == seen.views["c1"].managed_units
    assert seen.again("r1").remotes["r1"].managed_units == seen.views["c1"].managed_units
    assert seen.stands(seen.membership.cluster)


def test_a_remote_node_alone_does_not_answer_for_a_cluster() -> None:
    with pytest.raises(UnreachableError):
        observed(bare("r1", 9), Silent("c1", 1))


def test_install_leaves_other_nodes_alone() -> None:
    membership = Membership("lab", (Member("c1", ("10.0.0.1",)),))
    asked: list[str] = []

    def describe(site: Site, name: str) -> object:
        asked.append(name)
        assert site.membership.names == ("r1",)
        return registry.service("memcached").node(registry.service("memcached").default, site, name)

    install = Install(
        "memcached", Look(), describe, membership=membership,  # type: ignore[arg-type]
        places={"memcached": EDGE}, remotes=("r1",),
    )  # fmt: skip
    view = SimpleNamespace(host="c1", node="c1", facts=FACTS["c1"])
    assert not install._plan(view, membership, {}, FACTS["c1"])  # type: ignore[arg-type]  # noqa: SLF001
    assert asked == []


def test_a_clone_that_nothing_places_is_kept_to_members_beside_it(tmp_path: Path) -> None:
    inventory = read(tmp_path, MEMCACHED.format("{site: edge}"))
    intent = replace(intent_of(inventory), places={})
    (kept,) = intent.configuration(intent.site({})).constraints
    assert kept == kept_to_members(desired_clone())


def test_a_node_without_a_known_address_is_refused_by_its_name(tmp_path: Path) -> None:
    inventory = read(tmp_path, MEMCACHED.format("{site: edge}"))
    without = ServicePlace({"site": "edge"}, (Member("r1", ()),))
    intent = replace(intent_of(inventory), places={"memcached": without})
    with pytest.raises(RefusedError, match="r1"):
        intent.probes(intent.site({}))


def drilled(node: str, *served: str) -> list[str]:
    """Return which nodes two drills break in a cluster of c1 and c2, with remote nodes."""
    members = (Member("c1", ("192.0.2.1",)), Member("c2", ("192.0.2.2",)))
    seen = SimpleNamespace(status=STATUS, membership=Membership("lab", members))
    servers = tuple(LoadServer(name, "192.0.2.7", 11211) for name in served)
    load = ClientLoad("cache", servers, b"", b"", "", "", 1, 1)
    intent = Intent(seen.membership, {}, (), Configuration(), str)
    drill = Drill(intent, (), node)
    return drill._victims(cast("ClusterView", seen), load, 2)  # noqa: SLF001  # asks nothing


def test_drills_break_members_that_have_the_service() -> None:
    assert drilled("", "c1", "c2", "c3") == ["c2", "c1"]
    assert drilled("", "c1", "c3") == ["c1", "c1"]
    with pytest.raises(UsageError, match="c3 is a remote node, and drills break members"):
        drilled("c3", "c1", "c3")
    for node, served in (("", ["c3"]), ("c2", ["c1", "c3"])):
        with pytest.raises(RefusedError, match=f"service on {', '.join(served)}, and drills"):
            drilled(node, *served)


def test_an_update_goes_to_its_nodes_one_by_one(tmp_path: Path) -> None:
    intent = intent_of(read(tmp_path, MEMCACHED.format("{site: edge}"))).only("memcached")
    seen = SimpleNamespace(
        formed=intent.membership, facts=FACTS, remotes={}, left_out=(), status=STATUS
    )
    rolling = Rolling(NodeUpdate(intent))
    assert rolling._order(cast("ClusterView", seen)) == ["r1", "r2"]  # noqa: SLF001  # asks nothing
    seen.left_out = ("r1",)
    assert rolling._order(cast("ClusterView", seen)) == ["r2"]  # noqa: SLF001


def test_a_node_gets_the_attribute_with_the_deploy_that_brings_the_package(tmp_path: Path) -> None:
    inventory = read(tmp_path, MEMCACHED.format("{site: edge}"))
    every = desired_configuration(inventory, str)
    made = _without_placing(inventory, every, ("r1", "r3"))
    assert made == {"r1": {"rack": "a"}}
    assert every.attributes["r2"] == {"site": "edge"}


def test_a_rollout_waits_for_it_on_remote_nodes() -> None:
    clone = Clone("cache-clone", Primitive("cache", "ocf:pacemaker:Dummy"))
    desired = Configuration(resources=(clone,))
    running = {"cache": frozenset({"c1", "c2", "c3", "r2"})}  # but on r2 it is to be yet
    for beside, said in ((frozenset(), ""), (frozenset({"cache"}), "cache is not Started on r2")):
        word = Placement(running, beside=beside)
        assert missing(replace(STATUS, placement=word), desired) == said
    to_do = graph.parse(captured.text("word", "remote-graph.xml"))
    assert outcome.read(placed_cib(), STATUS, to_do).beside == {"cache"}
    assert not outcome.read(REMOTE, STATUS, to_do).beside


def test_what_places_a_service_is_no_obstacle_to_its_removal() -> None:
    clone = Clone("cache-clone", Primitive("cache", "ocf:pacemaker:Dummy"))
    service = registry.service("memcached")
    seen = cast("ClusterView", SimpleNamespace(cib=REMOTE))
    removal = _Removal(Remove(service), seen, Configuration(resources=(clone,)), Purge(Look()))
    before = removal._constraints(REMOTE)  # noqa: SLF001  # pure
    assert removal._constraints(placed_cib()) == before  # noqa: SLF001
    other = Configuration(constraints=(Location("cache-clone", "50", node="c1"),))
    after = render_configuration(placed_cib(), plan_configuration(placed_cib(), other))
    assert len(removal._constraints(after)) == len(before) + 1  # noqa: SLF001
