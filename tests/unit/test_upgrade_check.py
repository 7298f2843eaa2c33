"""What of nodes, services and the cluster stands in the way of an upgrade, and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from pacefab.errors import RefusedError, UsageError
from pacefab.host import releases
from pacefab.host.releases import Disk, KnownPackage, ReleaseFacts, Repository
from pacefab.pacemaker import cib, monitor
from pacefab.pacemaker.restore import plan_restore
from pacefab.pacemaker.upgrade.findings import Severity, UpgradeFinding, examine
from pacefab.pacemaker.upgrade.rules import PACEMAKER_3
from pacefab.report import verification
from pacefab.report.upgrade import forms
from pacefab.services.checks import Check
from pacefab.transport.command import Section
from pacefab.workflows.rollout.planning import Plan
from pacefab.workflows.upgrade import (
    check,
    cluster_findings,
    known_releases,
    node_findings,
    service_findings,
    walk,
)
from pacefab.workflows.upgrade.check import Checked, UpgradeCheck
from pacefab.workflows.upgrade.node_findings import UpgradeNode
from tests.unit import captured
from tests.unit.test_upgrade_rules import PLANTED

BOOKWORM, TRIXIE = known_releases.called("bookworm"), known_releases.called("trixie")
MIRROR = Repository("http://mirror.example.net/debian/", "bookworm", "main", "Debian")
STEPS = [step.name for step in releases.observe("trixie", [], [])]


def answers(kind: str, **others: str) -> ReleaseFacts:
    """Return what a real node said, some steps with another answer."""
    folder = captured.FOLDER / "upgrade" / kind
    said = {name: (folder / f"{name}.txt").read_text() for name in STEPS if name != "boot"}
    said |= {"boot": "", **others}
    return releases.parse({name: Section(name, 0, text, "") for name, text in said.items()})


def mirror(name: str) -> str:
    return captured.text("upgrade", f"mirror/{name}.txt")


def node(facts: ReleaseFacts | None = None, to: str = "trixie", **changes: object) -> UpgradeNode:
    """Return a node that can be upgraded, but for the changes of its facts."""
    known = facts or answers(
        "debian12", **{name: mirror(name) for name in ("sources", "reach", "candidates")}
    )
    known = replace(known, **changes)  # type: ignore[arg-type]
    own = known_releases.of(known.id, known.version)
    assert own is not None
    target = known_releases.called(to)
    return UpgradeNode("c1", known, own, target, known_releases.distance(own, target))


def package(version: str, state: str = "installed", *, held: bool = False) -> KnownPackage:
    return KnownPackage(version, state, held, 1000)


def with_packages(**versions: str) -> Mapping[str, KnownPackage]:
    """Return packages of a node, some of them of these versions; _ stands for a hyphen."""
    others = {name.replace("_", "-"): package(v) for name, v in versions.items()}
    return {**node().facts.packages, **others}


def found(one: UpgradeNode) -> list[tuple[str, str, Severity]]:
    return [
        (name, finding.seen, finding.severity)
        for name, rule in node_findings.RULES.items()
        for finding in rule(one)
    ]


def test_the_answers_of_a_real_node_are_read() -> None:
    facts = node().facts
    assert (facts.id, facts.version, facts.codename) == ("debian", "12", "bookworm")
    assert facts.installed("pacemaker") == "2.1.5-1+deb12u1"
    assert facts.installed("memcached") == ""
    assert facts.repositories[0] == MIRROR
    assert [str(r) for r in facts.repositories] == [
        "http://mirror.example.net/debian/ bookworm",
        "http://mirror.example.net/debian/ bookworm-updates",
        "http://mirror.example.net/debian-security/ bookworm-security",
    ]
    assert facts.mirrors == {"http://mirror.example.net/debian/": True}
    assert set(facts.disks) == {"/", "/usr", "/var", "/boot"}
    assert facts.candidates["corosync"] == (
        ("3.1.7-1+deb12u2", "bookworm"),
        ("3.1.7-1+deb12u2", "bookworm-security"),
    )
    assert not facts.upgrades_itself


def test_nothing_stands_in_the_way_of_a_fresh_node() -> None:
    assert found(node()) == []


@pytest.mark.parametrize(("kind", "to"), [("debian12", "bookworm"), ("debian13", "trixie")])
def test_nothing_is_found_on_a_node_that_stays_in_its_generation(kind: str, to: str) -> None:
    assert found(node(answers(kind), to)) == []


def test_a_password_in_a_repository_is_not_kept() -> None:
    said = "https://me:hunter2@packages.example/debian/|bookworm|main|$(ORIGIN)\n"
    facts = answers("debian12", sources=said, reach="https://me:hunter2@p.example/ no\n")
    assert "hunter2" not in repr(facts)
    assert str(facts.repositories[0]) == "https://packages.example/debian/ bookworm"


AUTOMATIC = 'APT::Periodic::Unattended-Upgrade "1";\n\nenabled\n'


@pytest.mark.parametrize(
    ("settings", "there", "runs"),
    [
        (AUTOMATIC, True, True),
        (AUTOMATIC, False, False),
        (AUTOMATIC.replace("enabled", "masked"), True, False),
        (AUTOMATIC.replace('"1"', '"0"'), True, False),
        (f'APT::Periodic::Enable "0";\n{AUTOMATIC}', True, False),
        ("\nenabled\n", True, False),
    ],
)
def test_whether_a_node_upgrades_itself(settings: str, there: bool, runs: bool) -> None:
    row = "unattended-upgrades 2.9.1 install installed 326\n" if there else ""
    facts = answers("debian12", automatic=settings, packages=row)
    assert facts.upgrades_itself is runs
    others = with_packages(unattended_upgrades="2.9.1")
    names = [name for name, *_ in found(node(upgrades_itself=runs, packages=others))]
    assert names == ["upgrades by themselves"] * runs


def test_needrestart_is_stopped_where_it_restarts_by_itself() -> None:
    modes = "$nrconf{restart} = 'l';\n  $nrconf{restart} = \"a\";\n"
    facts = answers("debian12", needrestart=modes)
    assert facts.needrestart == "a"
    there = with_packages(needrestart="3.6-4")
    assert [n for n, *_ in found(node(needrestart="a", packages=there))] == [
        "upgrades by themselves"
    ]
    assert found(node(needrestart="l", packages=there)) == []
    assert found(node(packages=there)) == []


BOOT = """Id=memcached.service
UnitFileState=enabled

Id=haproxy.service
UnitFileState=disabled
"""


def test_units_that_pacemaker_runs_may_not_start_at_boot() -> None:
    facts = answers("debian12", boot=BOOT)
    assert facts.boot == {"memcached.service": "enabled", "haproxy.service": "disabled"}
    assert found(node(boot=facts.boot)) == [
        ("units at boot", "starts at boot: memcached.service", Severity.BEFORE)
    ]


OTHER = Repository("https://packages.example/debian/", "stable", "main", "Example")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"packages": with_packages(pacemaker="1.1.24-0+deb10u1")}, ["version of Pacemaker"]),
        ({"packages": with_packages(pacemaker="3.1.0-1")}, ["version of Pacemaker"]),
        ({"packages": with_packages(corosync="2.4.3-1")}, ["version of corosync"]),
        ({"packages": {"pcs": package("0.11", held=True)}}, ["held packages"]),
        ({"packages": {"pcs": package("0.11", "half-configured")}}, ["half installed packages"]),
        ({"audit": "The following packages are only half configured\n"},
         ["half installed packages"]),
        ({"repositories": (MIRROR, OTHER)}, ["repositories of others"]),
        ({"repositories": (MIRROR, Repository("file:/srv/packages/", "./", ""))},
         ["repositories of others"]),
        ({"repositories": (replace(MIRROR, origin=""),)}, []),
        ({"repositories": ()}, ["packages of the next release"]),
        ({"mirrors": {MIRROR.uri: False}}, ["packages of the next release"]),
        ({"disks": {"/usr": Disk("/", 1000), "/var": Disk("/", 1000)}}, ["disk space"]),
        ({"environment": {"PCMK_shutdown_delay": "5"}}, ["settings of Pacemaker's daemons"]),
        ({"environment": {"PCMK_panic_action": "Crash"}}, ["settings of Pacemaker's daemons"]),
        ({"environment": {"PCMK_panic_action": "crash", "PCMK_debug": "no"}}, []),
    ],
)  # fmt: skip
def test_each_obstacle_on_a_node_is_found(changes: Mapping[str, Any], expected: list[str]) -> None:
    assert [name for name, *_ in found(node(**changes))] == expected


def test_only_a_repository_on_the_node_itself_is_no_obstacle() -> None:
    local = Repository("file:/srv/packages/", "./", "")
    assert [s for *_, s in found(node(repositories=(MIRROR, local)))] == [Severity.NOTICE]


def test_boot_needs_room_only_where_a_kernel_is() -> None:
    full = {"/boot": Disk("/boot", 10)}
    assert found(node(disks=full)) == []
    there = with_packages(linux_image_amd64="6.1")
    assert [name for name, *_ in found(node(disks=full, packages=there))] == ["disk space"]


@pytest.mark.parametrize(
    ("version", "to", "expected"),
    [("11", "trixie", 1), ("11", "bookworm", 0), ("12", "trixie", 0), ("13", "bookworm", 1)],
)
def test_an_upgrade_leads_to_the_next_release_alone(version: str, to: str, expected: int) -> None:
    one = node(replace(node().facts, version=version), to)
    assert len(list(node_findings.distance(one))) == expected


def test_releases_by_their_names() -> None:
    assert known_releases.following(BOOKWORM) == TRIXIE
    assert known_releases.following(TRIXIE) == TRIXIE
    assert known_releases.of("centos", "9") is None
    with pytest.raises(UsageError, match="buster"):
        known_releases.called("buster")
    with pytest.raises(RefusedError, match="jammy"):
        known_releases.distance(BOOKWORM, known_releases.called("jammy"))


def services(*nodes: UpgradeNode) -> list[tuple[str, UpgradeFinding]]:
    return [(n, one) for n, rule in service_findings.RULES.items() for one in rule(nodes)]


def test_services_with_steps_of_their_own() -> None:
    there = with_packages(rabbitmq_server="3.10.8-1.1", mariadb_server="1:10.11.19-0+deb12u1")
    (rabbit, first), (maria, second) = services(node(packages=there))
    assert (rabbit, maria) == ("RabbitMQ", "MariaDB")
    assert first.seen == "RabbitMQ is 3.10.8-1.1, and will be 4.0"
    assert "3.11, 3.12, 3.13" in first.fix
    assert second.seen == "MariaDB is 1:10.11.19-0+deb12u1, and will be 11.8"
    assert {first.severity, second.severity} == {Severity.SERVICE}


def test_services_that_are_ready_have_no_finding() -> None:
    there = with_packages(rabbitmq_server="3.13.7-1", mariadb_server="1:11.8.1-1")
    assert services(node(packages=there)) == []


def test_what_a_repository_has_counts_before_what_the_release_has() -> None:
    there = with_packages(rabbitmq_server="3.10.8-1.1")
    ready = {"rabbitmq-server": (("3.11.1-1", "trixie"), ("3.10.8-1.1", "bookworm"))}
    assert services(node(packages=there, candidates=ready)) == []


def test_the_promoted_redis_goes_last() -> None:
    ((name, one),) = services(node(packages=with_packages(redis_server="5:7.0.15-1")))
    assert (name, one.severity) == ("Redis", Severity.NOTICE)


def status(name: str) -> list[str]:
    found = monitor.parse(captured.text("debian12", name))
    return [f"{one.where}: {one.seen}" for one in cluster_findings.set_aside(found)]


def test_what_operators_set_aside_is_found() -> None:
    assert status("monitor-standby.xml") == ["c2: it is in standby"]
    assert status("monitor-started.xml") == []


def test_an_upgrade_that_was_begun_is_to_be_known() -> None:
    done = replace(node(answers("debian13")), name="c2")
    (one,) = cluster_findings.begun([node(), done])
    assert (one.where, one.severity) == ("c2", Severity.NOTICE)
    assert not list(cluster_findings.begun([node()]))
    assert not list(cluster_findings.begun([done]))


def result(*checked: Checked, plan: Plan | None = None) -> UpgradeCheck:
    """Return the result of a run with these findings."""
    checks = tuple(check.checks_of(checked))
    notices = tuple(check.notices_of(checked))
    return UpgradeCheck("upgrade", "demo", checks, notices, str(TRIXIE), (node(),), checked, plan)


def configured() -> UpgradeCheck:
    """Return the result of a run on the planted CIB."""
    examined = examine(PLANTED, PACEMAKER_3)
    change = plan_restore(PLANTED, examined.fixed)
    return result(
        *((name, "the CIB", found) for name, found in examined.findings.items()),
        plan=Plan("demo", configuration=change),
    )


def test_a_cluster_that_can_go() -> None:
    whole = result(("release", "c1", ()), ("scores", "the CIB", ()))
    lines = forms.render_text(whole, 80)
    assert lines[0] == "cluster demo, upgrade to debian 13 (trixie)"
    assert lines[-1] == "upgrade --check: 2 looked at; the cluster can go"
    assert forms.style(lines[-1]) == "green"
    assert not whole.failed


def test_findings_are_shown_with_their_fix_and_its_plan() -> None:
    whole = configured()
    lines = forms.render_text(whole, 80)
    assert "  state-master: it is an element master" in lines
    assert "  ~ update promotable clone state-master" in lines
    assert lines[-1] == "upgrade --check: 27 looked at; 28 to be fixed first"
    assert forms.style(lines[-1]) == "red"


def test_a_notice_is_no_failure() -> None:
    one = UpgradeFinding("c2", "seen", "why", "fix", Severity.NOTICE)
    whole = result(("attributes of nodes", "the CIB", (one,)))
    assert not whole.failed
    assert whole.notices == ("c2: seen: why; fix",)
    assert forms.render_text(whole)[-1].endswith("the cluster can go")
    assert whole.checks == (Check("attributes of nodes", "the CIB", ok=True, seen="nothing found"),)


def test_json_has_every_finding() -> None:
    data = json.loads(forms.render_json(configured()))
    assert data["ok"] is False
    assert data["target"] == "debian 13 (trixie)"
    assert data["nodes"][0]["packages"]["pacemaker"] == "2.1.5-1+deb12u1"
    first = next(f for f in data["findings"] if f["check"] == "promotable clones")
    assert first == {
        "check": "promotable clones",
        "where": "state-master",
        "severity": "before",
        "seen": "it is an element master",
        "why": "Pacemaker 3 has dropped it, and pcs of that generation cannot change it",
        "fix": "make it a clone with the meta attribute promotable=true; nothing restarts",
        "planned": True,
    }
    assert data["plan"]["configuration"]


def test_junit_has_a_case_for_each_check() -> None:
    root = etree.fromstring(verification.render_junit(configured()))
    suite = root.find("testsuite")
    assert suite is not None
    assert suite.get("name") == "upgrade --check demo"
    assert suite.get("failures") == "28"


def test_a_fresh_cib_has_no_finding() -> None:
    fresh = cib.parse(captured.text("debian12", "cib-stack.xml"))
    assert not any(examine(fresh, PACEMAKER_3).findings.values())


def test_promoted_instances_and_the_dc_go_last() -> None:
    status = monitor.parse(captured.text("debian12", "monitor-mixed.xml"))
    promoted = {
        name for one in status.all_instances if one.role == "Promoted" for name in one.nodes
    }
    names = ["c1", "c2", "c3"]
    others = [n for n in ("c1", "c2", "c3") if n not in promoted and n != status.dc]
    found = walk.order(names, status)
    assert promoted
    assert list(found[: len(others)]) == others
    assert set(found) == {"c1", "c2", "c3"}
    assert found[-1] in promoted
    quiet = replace(status, resources=())
    assert walk.order(names, quiet)[-1] == status.dc
