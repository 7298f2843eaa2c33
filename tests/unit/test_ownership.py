"""Which units the primitives of a CIB run: every class, templates, ids of any spelling."""

from __future__ import annotations

import pytest

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import parse
from pacefab.pacemaker.model import Clone, Configuration, Primitive
from pacefab.pacemaker.ownership import Runner, find_runner, runners
from pacefab.pacemaker.plan import plan_configuration
from pacefab.services import registry
from pacefab.services.memcached.memcached import desired_clone
from tests.unit import captured

OURS = Configuration(resources=(desired_clone(),))


def cib_with(*elements: str) -> str:
    """Return a real CIB's text with further resources."""
    text = captured.text("debian12", "cib-empty.xml")
    assert "<resources/>" in text
    return text.replace("<resources/>", f"<resources>{''.join(elements)}</resources>")


def primitive(words: str, inside: str = "") -> str:
    return f'<primitive id="p" {words}>{inside}</primitive>'


def parameters(**values: str) -> str:
    pairs = "".join(f'<nvpair id="p-{n}" name="{n}" value="{v}"/>' for n, v in values.items())
    return f'<instance_attributes id="p-params">{pairs}</instance_attributes>'


ANYTHING = 'class="ocf" provider="heartbeat" type="anything"'
MEMCACHED = [
    primitive('class="systemd" type="memcached"'),
    primitive('class="systemd" type="memcached.service"'),
    primitive('class="service" type="memcached"'),
    primitive('class="lsb" type="memcached"'),
    primitive('class="ocf" provider="heartbeat" type="memcached"'),
    primitive('class="ocf" provider="acme" type="memcached"'),
    primitive('class="ocf" provider="acme" type="unit"', parameters(unit="memcached.service")),
    primitive('class="ocf" provider="acme" type="unit"', parameters(service="memcached")),
    primitive(ANYTHING, parameters(binfile="/usr/bin/memcached")),
    primitive(ANYTHING, parameters(binfile="/usr/bin/taskset",
                                   cmdline_options="-c 0 /usr/bin/memcached -m 64")),
]  # fmt: skip


@pytest.mark.parametrize("element", MEMCACHED)
@pytest.mark.parametrize("around", ["{}", '<clone id="c">{}</clone>',
                                    '<clone id="c"><group id="g">{}</group></clone>',
                                    '<group id="c">{}</group>'])  # fmt: skip
def test_whatever_runs_memcached_is_recognised_and_never_run_twice(
    element: str, around: str
) -> None:
    cib = parse(cib_with(around.format(element)))
    found = find_runner(cib, "memcached.service")
    assert found is not None
    assert (found.id, found.top) == ("p", "p" if around == "{}" else "c")
    with pytest.raises(RefusedError, match=r"already managed by the resource p") as refused:
        plan_configuration(cib, OURS)
    assert "fab export" in refused.value.next_step


def test_a_template_gives_its_class_and_its_parameters() -> None:
    template = (
        '<template id="t" class="ocf" provider="heartbeat" type="anything">'
        + parameters(binfile="/usr/bin/memcached")
        + "</template>"
    )
    (found,) = runners(parse(cib_with(template, '<primitive id="p" template="t"/>')))
    assert found.agent == "ocf:heartbeat:anything"
    assert "memcached.service" in found.units
    assert not found.opaque


@pytest.mark.parametrize(
    ("element", "seen"),
    [
        ('<clone id="memcached-clone"><primitive id="memcached" template="t"/></clone>',
         r"that id is a primitive memcached of the template t \(systemd:memcached\)"),
        ('<clone id="memcached-clone"><primitive id="cache" template="t"/></clone>',
         "memcached-clone is a clone memcached-clone around a primitive cache of the template t"),
        ('<clone id="memcached-clone"><primitive id="memcached" template="gone"/></clone>',
         r"memcached of the template gone \(which is not there\)"),
    ],
)  # fmt: skip
def test_what_a_template_makes_under_our_ids_is_named(element: str, seen: str) -> None:
    template = '<template id="t" class="systemd" type="memcached"/>'
    with pytest.raises(RefusedError, match=seen) as refused:
        plan_configuration(parse(cib_with(template, element)), OURS)
    assert "pcs resource config" in refused.value.next_step


def test_parameters_by_reference_are_followed() -> None:
    shared = primitive(ANYTHING, parameters(binfile="/usr/bin/memcached"))
    other = f'<primitive id="q" {ANYTHING}><instance_attributes id-ref="p-params"/></primitive>'
    both = runners(parse(cib_with(shared, other)))
    assert all("memcached.service" in runner.units for runner in both)


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        ('class="ocf" provider="heartbeat" type="galera"', "mariadb.service"),
        ('class="ocf" provider="percona" type="mysql"', "mariadb.service"),
        ('class="lsb" type="mysql"', "mysql.service"),
        ('class="ocf" provider="heartbeat" type="redis"', "redis-server.service"),
        ('class="ocf" provider="rabbitmq" type="rabbitmq-server-ha"', "rabbitmq-server.service"),
        ('class="ocf" provider="heartbeat" type="rabbitmq-cluster"', "rabbitmq-server.service"),
        ('class="systemd" type="memcached@11212"', "memcached@11212.service"),
        ('class="systemd" type="galera-check.socket"', "galera-check.socket"),
        ('class="systemd" type="php8.2-fpm"', "php8.2-fpm.service"),
        ('class="lsb" type="backup.sh"', "backup.service"),
    ],
)
def test_agents_and_their_units(words: str, unit: str) -> None:
    (found,) = runners(parse(cib_with(primitive(words))))
    assert unit in found.units


def test_an_instance_of_a_template_unit_is_another_unit() -> None:
    cib = parse(cib_with(primitive('class="systemd" type="memcached@11212"')))
    assert find_runner(cib, "memcached.service") is None
    assert plan_configuration(cib, OURS).changes


@pytest.mark.parametrize(
    ("words", "opaque"),
    [
        ('class="ocf" provider="heartbeat" type="IPaddr2"', False),
        ('class="ocf" provider="pacemaker" type="ping"', False),
        ('class="ocf" provider="heartbeat" type="our-own"', True),
        ('class="ocf" provider="acme" type="cache"', True),
        ('template="nowhere"', True),
        ('class="systemd" type="cron"', False),
    ],
)
def test_what_an_agent_of_unknown_origin_runs_is_not_known(words: str, opaque: bool) -> None:
    (found,) = runners(parse(cib_with(primitive(words))))
    assert found.opaque is opaque


def test_a_folder_or_user_of_that_name_is_no_program() -> None:
    words = 'class="ocf" provider="heartbeat" type="Filesystem"'
    cib = parse(cib_with(primitive(words, parameters(directory="/var/lib/memcached"))))
    assert find_runner(cib, "memcached.service") is None


def test_a_service_run_by_an_ocf_agent_is_not_run_twice_either() -> None:
    own = Primitive(
        "redis", "ocf:heartbeat:redis", {"config": "/etc/a.conf"}, runs=("redis-server.service",)
    )
    desired = Configuration(resources=(Clone("redis-clone", own),))
    for words in (
        'class="ocf" provider="heartbeat" type="redis"',
        'class="systemd" type="redis-server"',
        'class="service" type="redis"',
    ):
        with pytest.raises(RefusedError, match="already managed by the resource p"):
            plan_configuration(parse(cib_with(primitive(words))), desired)


def test_two_instances_of_a_program_of_the_operators_own_are_no_conflict() -> None:
    desired = Configuration(
        resources=(Primitive("web", "ocf:heartbeat:apache", {"configfile": "/etc/b"}),)
    )
    cib = parse(cib_with(primitive('class="ocf" provider="heartbeat" type="apache"')))
    assert plan_configuration(cib, desired).changes


def test_what_is_there_already_is_not_in_its_own_way() -> None:
    cib = parse(captured.text("debian12", "cib-clone.xml"))
    assert {change.id for change in plan_configuration(cib, OURS).changes} == {"memcached-clone"}
    (found,) = runners(cib)
    assert found == Runner(
        "memcached", "memcached-clone", "systemd:memcached", frozenset({"memcached.service"}),
        sole=True,
    )  # fmt: skip
    assert str(found) == "memcached in memcached-clone (systemd:memcached)"


BY_TEMPLATE = [
    ("galera", "galera", {"wsrep_cluster_address": "gcomm://c1,c2"}),
    ("rabbitmq", "rabbitmq-cluster", {"policy_file": "/etc/p"}),
    ("vips", "IPaddr2", {"cidr_netmask": "24"}),
]


@pytest.mark.parametrize(("service", "agent", "shared"), BY_TEMPLATE)
def test_a_service_made_from_a_template_is_recognised_in_the_cluster(
    service: str, agent: str, shared: dict[str, str]
) -> None:
    template = f'<template id="t" class="ocf" provider="heartbeat" type="{agent}">'
    own = parameters(ip="10.0.0.9", cidr_netmask="32").replace("p-", "own-")
    made = f'<primitive id="db" template="t">{own}</primitive>'
    cib = parse(cib_with(f"{template}{parameters(**shared)}</template>", made))
    assert registry.service(service).found(cib) is not None
    assert registry.service(service).primitives(cib) == ("db",)
    assert cib.parameters(cib.primitives_of(f"ocf:heartbeat:{agent}")[0]) == {
        **shared, "ip": "10.0.0.9", "cidr_netmask": "32",
    }  # fmt: skip
