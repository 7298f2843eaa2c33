"""HAProxy's section and site -> its configuration, with every reference resolved or refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import bcrypt
import pytest
from pydantic import ValidationError

from pacefab.errors import RefusedError, UsageError
from pacefab.host.model import FileState, HostFacts, Unit
from pacefab.pacemaker.model import Member, Membership
from pacefab.services.haproxy import service
from pacefab.services.haproxy.section import HaproxySection
from pacefab.services.probes.probe import Reading
from pacefab.services.service import Site
from pacefab.services.vips.section import VipsSection
from tests.unit import captured

PASSWORD, ANOTHER = "correct horse battery", "staple"
MEMBERS = (Member("c1", ("10.0.0.1",)), Member("c2", ("10.0.0.2",)), Member("c3", ("fd00::3",)))
VIPS = VipsSection.model_validate({"addresses": ({"name": "db", "address": "10.0.0.9"},)})
DB = {"name": "galera", "vip": "db", "port": 3306, "check": "galera", "active": "one"}


def node(name: str) -> HostFacts:
    return HostFacts(
        name=name, distribution="debian 12", memory_mib=512, family="debian", manager="apt-get"
    )


def site(password: str = PASSWORD) -> Site:
    return Site(
        membership=Membership("cluster", MEMBERS),
        facts={member.name: node(member.name) for member in MEMBERS},
        sections={"vips": VIPS},
        secret=lambda _: password,
    )


def section(*proxies: dict[str, object], **others: Any) -> HaproxySection:
    return HaproxySection.model_validate({"proxies": proxies, **others})


def config(*proxies: dict[str, object], password: str = PASSWORD, **others: Any) -> str:
    desired = service.node(section(*proxies, **others), site(password), "c1")
    file = next(file for file in desired.files if file.path == service.CONFIG)
    return file.render(None)


def block(text: str, head: str) -> list[str]:
    """Return the lines of a section of haproxy.cfg."""
    lines, _, _ = text.partition(f"\n{head}\n")[2].partition("\n\n")
    return [line.strip() for line in lines.splitlines()]


def hashed(text: str) -> str:
    return next(line.split()[-1] for line in text.splitlines() if " password " in line)


def test_the_kernels_settings_are_looked_at_and_kept_over_a_reboot() -> None:
    look = service.SERVICE.look(section(DB))
    kernel = service.node(section(DB), site(), "c1").kernel
    assert kernel == {"net.ipv4.ip_nonlocal_bind": "1", "net.ipv6.ip_nonlocal_bind": "1"}
    assert set(kernel) == set(look.kernel)
    text = service.node(section(DB), site(), "c1").files[0].render(None)
    assert {f"{name} = {value}" for name, value in kernel.items()} <= set(text.splitlines())


def test_a_vip_is_bound_by_its_address_and_every_node_is_a_server() -> None:
    text = config({"name": "horizon", "vip": "db", "port": 80, "backend_port": 8080})
    assert "bind 10.0.0.9:80" in block(text, "frontend horizon")
    servers = [line for line in block(text, "backend horizon") if line.startswith("server ")]
    assert servers == [
        "server c1 10.0.0.1:8080",
        "server c2 10.0.0.2:8080",
        "server c3 [fd00::3]:8080",
    ]


def test_one_database_is_active_and_connections_leave_one_that_is_down() -> None:
    lines = block(config(DB), "backend galera")
    assert "server c1 10.0.0.1:3306" in lines
    assert "server c2 10.0.0.2:3306 backup" in lines
    assert "stick on dst" in lines
    checks = next(line for line in lines if line.startswith("default-server"))
    assert "port 9200" in checks
    assert checks.endswith("on-marked-down shutdown-sessions")


def test_an_address_stands_for_a_vip_or_a_server() -> None:
    text = config({"name": "x", "vip": "fd00::9", "port": 80, "servers": ("10.0.0.77",)})
    assert "bind [fd00::9]:80" in block(text, "frontend x")
    assert "server 10.0.0.77 10.0.0.77:80" in block(text, "backend x")


@pytest.mark.parametrize(("every", "bind"), [("0.0.0.0", "0.0.0.0:3306"), ("::", "[::]:3306")])
def test_a_proxy_may_listen_at_all_addresses_and_no_server_be_reached_there(
    every: str, bind: str
) -> None:
    assert f"bind {bind}" in config({**DB, "vip": every})
    with pytest.raises(ValueError, match="nothing is reached there"):
        section({**DB, "servers": (every,)})


def test_an_http_proxy_is_asked_for_its_path() -> None:
    proxy = {"name": "api", "vip": "db", "port": 80, "mode": "http", "check": "http"}
    lines = block(config({**proxy, "check_path": "/v3"}), "backend api")
    assert {"mode http", "option httpchk GET /v3"} <= set(lines)


@pytest.mark.parametrize(
    ("edit", "seen"),
    [
        ({"vip": "web"}, "galera: there is no VIP web"),
        ({"servers": ("c4",)}, "galera: there is no node c4"),
    ],
)
def test_what_a_proxy_names_has_to_be_there(edit: dict[str, object], seen: str) -> None:
    with pytest.raises(UsageError, match=seen) as refused:
        config({**DB, **edit})
    assert refused.value.next_step.startswith("allowed: a")


def test_the_password_is_hashed_and_the_same_at_each_run() -> None:
    text = config(DB, stats={"user": "admin"})
    assert PASSWORD not in text
    assert bcrypt.checkpw(PASSWORD.encode(), hashed(text).encode())
    assert text == config(DB, stats={"user": "admin"})
    assert hashed(text) != hashed(config(DB, stats={"user": "admin"}, password=ANOTHER))


def test_the_salt_says_nothing_about_the_password() -> None:
    ours, others = (
        hashed(config(DB, stats={"user": "admin"}, password=word)) for word in ("one", "two")
    )
    assert ours[:29] == others[:29]  # algorithm, rounds, salt
    assert ours[29:] != others[29:]


def test_a_password_that_crypt_would_cut_is_refused() -> None:
    with pytest.raises(UsageError, match="73 bytes"):
        config(DB, stats={}, password="x" * 73)


def test_a_configuration_with_credentials_is_for_root_and_their_hash_is_hidden() -> None:
    desired = service.node(section(DB, stats={}), site(), "c1")
    file = next(file for file in desired.files if file.path == service.CONFIG)
    shown = re.sub(file.hidden, "", file.render(None))
    assert file.mode == "600"
    assert "$2b$" not in shown
    assert "frontend galera" in shown


def test_one_without_is_for_everybody() -> None:
    desired = service.node(section(DB), site(), "c1")
    modes = {file.path: file.mode for file in desired.files}
    assert modes[service.CONFIG] == "644"
    assert service.SERVICE.secrets(section(DB)) == []


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [
        ((DB, {**DB, "port": 3307}), "two proxies are called galera"),
        ((DB, {**DB, "name": "other"}), "two proxies have the same VIP and port: db, 3306"),
        (({**DB, "check_path": "/ evil"},), "check_path"),
        (({**DB, "name": "a b"},), "name"),
    ],
)
def test_proxies_that_cannot_be(proxies: tuple[dict[str, object], ...], seen: str) -> None:
    with pytest.raises(ValidationError, match=seen):
        section(*proxies)


STATISTICS = captured.text("debian12", "haproxy-statistics.txt")


def own(text: str = STATISTICS, error: str = "", *, galera: bool = True) -> Reading:
    """Return what the first node's own HAProxy is read to say."""
    where = replace(site(), placed={"galera": frozenset({"c1"} if galera else {})})
    return ask(HaproxySection.model_validate({"proxies": (DB,)}), where, text, error)


def ask(section: HaproxySection, where: Site, text: str, error: str) -> Reading:
    probe = next(iter(service.SERVICE.probes(section, where)))
    assert (probe.of, probe.node) == ("c1", "c1")
    answer = {"error": error} if error else {"text": text}
    return probe.read(captured.section("tcp", json.dumps([answer])))


def test_figures_of_a_load_balancer() -> None:
    said = own()
    assert said.wrong == ""
    assert said.figures["version"] == "2.6.12-1+deb12u4"
    assert (said.figures["proxies_up"], said.figures["proxies_down"]) == (1, 14)
    assert (said.figures["servers_up"], said.figures["servers_down"]) == (3, 42)
    assert said.figures["uptime_seconds"] == 113
    shown = {f.column: f.text(said.figures) for f in service.SERVICE.figures if f.column}
    assert (shown["proxies up"], shown["servers up"]) == ("1 of 15", "3 of 45")


def test_what_is_behind_other_proxies_is_a_notice() -> None:
    (notice,) = own().notices
    assert notice.startswith("haproxy: no server is up behind rabbitmq, keystone, ")
    assert "galera" not in notice


def test_a_database_that_no_server_serves_is_wrong_where_pacemaker_runs_it() -> None:
    rows = [line.split(",") for line in STATISTICS.splitlines()]
    place = next(row.index("status") for row in rows if row[0] == "# pxname")
    for row in rows:
        if row[0] == "galera":
            row[place] = "DOWN"
    down = "\n".join(map(",".join, rows)) + "\n"
    assert own(down).wrong == "no server is up behind galera"
    others = own(down, galera=False)
    assert (others.wrong, "galera" in others.notices[0]) == ("", True)


def test_one_that_hangs_is_wrong_and_so_is_another_program() -> None:
    assert own(error="timeout").wrong == (
        "statistics (/run/haproxy/admin.sock): timed out after 2.5 s"
    )
    assert "it said 'hello'" in own("hello\n").wrong


def test_one_that_others_configured_may_have_no_socket() -> None:
    assert "no such socket" in own(error="ENOENT").wrong
    found = HaproxySection.model_construct(proxies=())
    foreign = replace(site(), recognised=True)
    assert ask(found, foreign, "", "ENOENT").wrong == ""
    assert ask(found, foreign, "", "timeout").wrong != ""
    assert len(list(service.SERVICE.probes(found, foreign))) == 3


def test_the_page_is_asked_from_a_neighbour_where_there_is_one() -> None:
    section = HaproxySection.model_validate({"proxies": (DB,), "stats": {}})
    page = [p for p in service.SERVICE.probes(section, site()) if p.of == "c3"][1]
    assert (page.node, page.endpoints[0].place) == ("c1", "[fd00::3]:1993")


SHIPPED = Unit(
    service.UNIT, "loaded", "inactive", "disabled", 0,
    commands=("/usr/sbin/haproxy -Ws -f $CONFIG -p $PIDFILE $EXTRAOPTS",),
    fragment="/lib/systemd/system/haproxy.service",
    environment=("CONFIG=/etc/haproxy/haproxy.cfg", "PIDFILE=/run/haproxy.pid"),
    environment_files=("/etc/default/haproxy", "/etc/sysconfig/haproxy"),
)  # fmt: skip
OVERRIDE = "/etc/systemd/system/haproxy.service.d/override.conf"
COMMAND = "/usr/sbin/haproxy -Ws -f {} -p /run/haproxy.pid"


def install(unit: Unit, default: str = "") -> None:
    files = {"/etc/default/haproxy": FileState(default, "644", "root:root")}
    facts = replace(node("c1"), units={service.UNIT: unit}, files=files)
    found = site()
    found = replace(found, facts={**found.facts, "c1": facts})
    service.node(section(DB), found, "c1")


@pytest.mark.parametrize(
    "unit",
    [
        SHIPPED,
        replace(SHIPPED, load="not-found", commands=()),
        replace(SHIPPED, commands=(COMMAND.format("/etc/haproxy/haproxy.cfg"),)),
        replace(SHIPPED, commands=(COMMAND.format("/etc/haproxy"),)),
        replace(SHIPPED, commands=(COMMAND.format("${CONFIG} -f $CFGDIR"),)),
    ],
)
def test_a_command_that_reads_the_file(unit: Unit) -> None:
    install(unit, "#CONFIG=/etc/haproxy/old.cfg\n")


@pytest.mark.parametrize(
    ("unit", "default"),
    [
        (replace(SHIPPED, commands=(COMMAND.format("/etc/lb.cfg"),), drop_ins=(OVERRIDE,)), ""),
        (replace(SHIPPED, environment=("CONFIG=/etc/lb.cfg",)), ""),
        (SHIPPED, 'CONFIG="/etc/lb.cfg"\n'),
        (replace(SHIPPED, commands=("/usr/local/bin/start-lb",)), ""),
    ],
)
def test_one_that_does_not_is_refused(unit: Unit, default: str) -> None:
    with pytest.raises(RefusedError, match=r"/etc/haproxy/haproxy.cfg is not read") as refused:
        install(unit, default)
    place = unit.drop_ins[0] if unit.drop_ins else "/lib/systemd/system/haproxy.service"
    way_out = f"systemctl revert haproxy, or edit {place}"
    assert refused.value.next_step == ("edit /etc/default/haproxy" if default else way_out)


MAIN = "/etc/haproxy/haproxy.cfg"


@pytest.mark.parametrize(
    ("command", "default"),
    [
        ("/usr/sbin/haproxy -Ws -f $HAPROXY_CFG", f"HAPROXY_CFG={MAIN}\n"),
        ("/usr/sbin/haproxy -Ws $FILES", f'FILES="-f /etc/haproxy/first.cfg -f {MAIN}"\n'),
        ("/usr/sbin/haproxy -Ws -- /etc/haproxy/first.cfg /etc/haproxy/haproxy.cfg", ""),
        ("/usr/sbin/haproxy -Ws -C /etc/haproxy -f haproxy.cfg", ""),
    ],
)
def test_a_command_of_the_operators_own_may_read_it_too(command: str, default: str) -> None:
    install(replace(SHIPPED, commands=(command,), drop_ins=(OVERRIDE,)), default)


@pytest.mark.parametrize(
    ("command", "default"),
    [
        ("/usr/sbin/haproxy -Ws -f $HAPROXY_CFG", "HAPROXY_CFG=/etc/haproxy/shop.cfg\n"),
        ("/usr/sbin/haproxy -Ws -f ${BOTH}", f'BOTH="{MAIN} -f /etc/haproxy/shop.cfg"\n'),
    ],
)
def test_the_file_of_a_variable_that_names_another_is_the_way_out(
    command: str, default: str
) -> None:
    with pytest.raises(RefusedError, match="is not read") as refused:
        install(replace(SHIPPED, commands=(command,), drop_ins=(OVERRIDE,)), default)
    assert refused.value.next_step == "edit /etc/default/haproxy"
