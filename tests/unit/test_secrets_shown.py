"""A secret is shown nowhere: whatever calls it one, as it is in the CIB or as it is to become."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pacefab.host.model import FileState
from pacefab.pacemaker import metadata
from pacefab.pacemaker.cib import EMPTY, Cib
from pacefab.pacemaker.model import Clone, Configuration, Group, Primitive, Resource
from pacefab.pacemaker.naming import is_secret, mask_assigned, masked
from pacefab.pacemaker.pcs.lines import render_pcs
from pacefab.pacemaker.plan import ConfigurationPlan, plan_configuration
from pacefab.pacemaker.render import render_configuration
from pacefab.pacemaker.restore import plan_restore, render_restored
from pacefab.report import plan as report
from pacefab.workflows.nodes.node_plan import NodePlan, plan_rollback
from pacefab.workflows.rollout.planning import Plan
from tests.unit import captured
from tests.unit.test_node_plan import DESIRED, NODE

OLD, NEW = "OldSecretPw1 'x", "NewSecretPw2"
HIDDEN = frozenset({"run_opts"})


def device(name: str, value: str | None, *, hidden: frozenset[str] = HIDDEN) -> Primitive:
    given = {"ip": "192.0.2.1", **({name: value} if value else {})}
    return Primitive("dev", "ocf:pacemaker:Dummy", given, hidden=hidden & frozenset(given))


def holding(resource: Resource | None, present: Cib = EMPTY) -> Cib:
    desired = Configuration(resources=(resource,) if resource else ())
    return render_configuration(present, plan_configuration(present, desired, prune=True))


def shown(plan: ConfigurationPlan) -> Iterator[str]:
    """Yield every form in which a plan is printed or kept."""
    whole = Plan("c", configuration=plan)
    yield from (*map(str, plan.changes), *render_pcs(plan), *whole.cluster_summary)
    yield from (*report.render_text(whole, full=True), report.render_json(whole), whole.additions)
    yield from report.render_shell(whole)


def check(plan: ConfigurationPlan) -> None:
    said = "\n".join(shown(plan))
    assert plan.changes
    for secret in (OLD, NEW, "OldSecret", "NewSecret"):
        assert secret not in said
        assert json.dumps(secret)[1:-1] not in said


CONTAINERS = {
    "alone": lambda p: p,
    "clone": lambda p: Clone("dev-clone", p),
    "group": lambda p: Group("all", (p, Primitive("b", "ocf:pacemaker:Dummy"))),
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS.keys())
@pytest.mark.parametrize("name", ["passwd", "snmp_priv_passwd", "api_token", "key", "run_opts"])
def test_no_change_of_a_resource_shows_one(name: str, container: object) -> None:
    """By the parameter's name, and (run_opts) because an inventory said so, now or before."""
    assert callable(container)
    wrapped = {value: container(device(name, value)) for value in (OLD, NEW, None)}
    cibs = {value: holding(each) for value, each in wrapped.items()}
    plain = container(device(name, NEW, hidden=frozenset()))  # the inventory says so no longer
    for present, desired in ((OLD, wrapped[NEW]), (OLD, wrapped[None]), (None, wrapped[NEW])):
        check(plan_configuration(cibs[present], Configuration(resources=(desired,))))
    check(plan_configuration(cibs[OLD], Configuration(resources=(plain,))))
    for now, before in ((NEW, OLD), (None, OLD), (OLD, None)):
        check(plan_restore(cibs[now], cibs[before]))
    check(plan_restore(EMPTY, cibs[OLD]))
    check(plan_restore(cibs[OLD], EMPTY))


def test_what_an_inventory_called_a_secret_is_recorded_while_its_resource_is_there() -> None:
    there = holding(device("run_opts", OLD))
    assert there.secrets == ("dev:run_opts",)
    known = holding(device("run_opts", NEW, hidden=frozenset()), there)
    assert known.secrets == ("dev:run_opts",)
    assert holding(device("ip", None), known).secrets == ("dev:run_opts",)
    assert render_restored(known, EMPTY).secrets == ()
    assert "pacefab-secrets" not in holding(device("passwd", OLD)).text()  # its name says so


@pytest.mark.parametrize("kind", ["debian12", "debian13"])
def test_an_agent_calls_its_passwords_secret(kind: str) -> None:
    known = metadata.parse("ocf:heartbeat:galera", captured.text(kind, "metadata-galera.xml"))
    assert [p.name for p in known.parameters if p.secret] == ["check_passwd"]
    text = captured.text(kind, "metadata-Dummy.xml").replace(
        "</parameters>",
        '<parameter name="pin"><shortdesc lang="en">Passphrase of the box</shortdesc>'
        '<content type="integer"/></parameter></parameters>',
    )
    dummy = metadata.parse("ocf:pacemaker:Dummy", text)
    given = Primitive("dev", "ocf:pacemaker:Dummy", {"pin": OLD})
    (problem,) = metadata.check_parameters(given, dummy)
    assert problem == "pin is (secret); it has to be a whole number"
    assert metadata.complete(given, dummy).hidden == {"pin"}


def test_settings_whose_names_say_so() -> None:
    def attributes(value: str) -> Configuration:
        return Configuration(properties={"site-password": value})

    there = render_configuration(EMPTY, plan_configuration(EMPTY, attributes(OLD)))
    check(plan_configuration(there, attributes(NEW)))
    check(plan_restore(there, EMPTY))


SECRET = ["passwd", "password", "Password", "auth", "ssl_key", "private_key", "apikey", "community"]
SECRET += ["requirepass", "dbpass", "login_pass", "bindpw", "privatekey", "accesskey", "wifi_psk"]
PLAIN = [
    "passwd_script",
    "key_file",
    "ip",
    "keyboard",
    "monkey",
    "author",
    "bypass",
    "compass",
    "passive",
    "passno",
    "keyspace",
    "path",
    "port",
]


def test_names_that_are_secrets() -> None:
    assert [name for name in SECRET + PLAIN if is_secret(name)] == SECRET


def test_a_history_of_an_earlier_version_is_masked() -> None:
    before = "update primitive dev: dev parameter ip: 1 -> 2; dev parameter passwd: a; b -> c; d"
    assert masked(before).endswith("ip: 1 -> 2; dev parameter passwd: (secret)")
    ours = "update primitive dev: dev parameter passwd: (secret) -> (another secret); and 1 more"
    assert masked(ours) == ours


def test_files_that_not_all_may_read_are_not_shown_when_nobody_describes_them() -> None:
    secret = FileState("user admin password hash\n", "600", "root:root")
    facts = replace(NODE, files={"/etc/x": secret})
    for present, before in ((facts, None), (facts, replace(secret, text="b\n", mode="644"))):
        planned = plan_rollback(present, {"/etc/x": before}, DESIRED)
        assert planned != NodePlan()
        assert not any("hash" in line for line in planned.changes)
    planned = plan_rollback(replace(NODE, files={}), {"/etc/x": secret}, DESIRED)
    assert not any("hash" in line for line in planned.changes)


def test_what_an_agent_wrote_before_it_failed() -> None:
    said = "fence_x: failed, passwd=Pw1 port=3 {'api_token': 'Pw 2'} key_file=/etc/k passwd: Pw3;"
    assert mask_assigned(said) == (
        "fence_x: failed, passwd=(secret) port=3 {'api_token': (secret)} key_file=/etc/k "
        "passwd: (secret);"
    )
    said = r'password="a\"b c" at https://me:Pw4@box/api'
    assert mask_assigned(said) == "password=(secret) at https://me:(secret)@box/api"
