"""Settings that are written and not in force, and helpers that do not run, from facts alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pacefab.host import kernel, processes, units
from pacefab.host.model import BootSetting, FileState, HostFacts, Unit
from pacefab.pacemaker import cib
from pacefab.pacemaker.model import Member, Membership
from pacefab.pacemaker.ownership import Runner
from pacefab.report import plan as report
from pacefab.report import saved
from pacefab.services.galera import health_check
from pacefab.services.galera import service as galera
from pacefab.services.galera.section import GaleraSection
from pacefab.services.haproxy.section import HaproxySection
from pacefab.services.haproxy.service import CONFIG
from pacefab.services.memcached import config, memcached
from pacefab.services.memcached.config import Settings
from pacefab.services.memcached.section import MemcachedSection
from pacefab.services.service import AtStart, DesiredNode, Process, Site
from pacefab.transport.command import Section
from pacefab.workflows.checks import node_state
from pacefab.workflows.nodes.in_force import PendingSetting, find_pending, other_ways, share
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.rollout.planning import Plan
from tests.unit import captured

RAN = Unit("memcached.service", "loaded", "active", "disabled", 7)
HELPER = Unit("check.socket", "loaded", "active", "enabled", 0)
FACTS = HostFacts("c1", "debian 12", 4096, family="debian", manager="apt-get")
SMALLER = PendingSetting("memcached", "64 MiB, not 128")
PLAN = Plan("demo", nodes={name: NodePlan(pending=(SMALLER,)) for name in ("c1", "c2", "c3")})
FILE = "/etc/redis.conf"
REDIS = DesiredNode(at_start=(AtStart("redis", ("redis-server",), (FILE,)),))


@pytest.mark.parametrize(
    ("desired", "said"),
    [
        (Settings(), ""),
        (Settings(memory=128), "64 MiB, not 128"),
        (Settings(port=11300), "port 11211, not 11300"),
        (Settings(max_connections=9), "1024 connections, not 9"),
        (Settings(listen=("10.0.0.1",)), "listen every address, not 10.0.0.1"),
        (Settings(memory_file="/run/x"), "items are not kept"),
        (Settings(memory=1, port=2), "port 11211, not 2, 64 MiB, not 1"),
    ],
)
def test_what_differs_is_said_short(desired: Settings, said: str) -> None:
    assert config.difference(Settings(), desired) == said


def test_the_order_of_addresses_is_no_difference() -> None:
    one, other = Settings(listen=("10.0.0.1", "::1")), Settings(listen=("::1", "10.0.0.1"))
    assert config.difference(one, other) == ""
    assert config.difference(None, other) == "unknown settings"


def test_only_what_runs_can_be_pending() -> None:
    desired = DesiredNode(processes=(Process(RAN.name, "", as_desired=False, difference="x"),))
    assert not find_pending(FACTS, desired)
    running = replace(FACTS, units={RAN.name: RAN})
    assert find_pending(running, desired) == (PendingSetting("memcached", "x"),)


@pytest.mark.parametrize(
    ("started", "written", "pending"),
    [
        ({"redis-server": 100.0}, {FILE: 200.0}, True),
        ({"redis-server": 300.0}, {FILE: 200.0}, False),
        ({"redis-server": 200.0}, {FILE: 200.9}, False),  # it was started in that second
        ({}, {FILE: 200.0}, False),  # it does not run
        ({"redis-server": 100.0}, {}, False),
    ],
)
def test_a_process_older_than_its_file_has_not_read_it(
    started: Mapping[str, float], written: Mapping[str, float], pending: bool
) -> None:
    facts = replace(FACTS, started=started, written=written)
    expected = (PendingSetting("redis", f"older than {FILE}"),)
    assert find_pending(facts, REDIS) == (expected if pending else ())


def test_a_file_that_is_about_to_change_unless_a_reload_follows() -> None:
    facts = replace(FACTS, started={"redis-server": 300.0}, written={FILE: 200.0})
    (pending,) = find_pending(facts, REDIS, [FILE])
    assert pending.service == "redis"
    (item,) = REDIS.at_start
    assert not find_pending(facts, DesiredNode(at_start=(replace(item, reloaded=True),)), [FILE])


def test_what_nodes_share_is_one_line_of_eighty_columns() -> None:
    other = PendingSetting("galera", "older than /etc/x")
    memory, database = share({"c1": [SMALLER], "c2": [SMALLER, other], "c3": [SMALLER]})
    assert str(memory) == "in force after: fab update-memcached (c1, c2, c3: 64 MiB, not 128)"
    assert len(str(memory)) <= 80
    assert database.nodes == ("c2",)
    assert database.in_force_after == "fab update-galera"


def test_what_another_resource_runs_is_restarted_by_its_name() -> None:
    runner = Runner("p_cache", "cl_cache", "systemd:memcached", frozenset({RAN.name}))
    ways = other_ways({"memcached": MemcachedSection()}, [runner])
    (pending,) = share({"c1": [SMALLER]}, ways)
    assert pending.in_force_after == "pcs resource restart cl_cache"
    assert not pending.needs_update
    ours = replace(runner, id="memcached", top="memcached-clone")
    assert other_ways({"memcached": MemcachedSection()}, [ours, runner]) == {}


def test_a_unit_that_changed_on_disk_is_not_what_systemd_runs() -> None:
    outdated = replace(RAN, outdated=True)
    desired = DesiredNode(units=(RAN.name,), helpers=(HELPER.name,))
    facts = replace(FACTS, units={RAN.name: outdated, HELPER.name: HELPER})
    (pending,) = share({"c1": find_pending(facts, desired)})
    assert str(pending) == (
        "in force after: systemctl daemon-reload, then a restart "
        "(c1: memcached.service changed on disk)"
    )
    stopped = replace(facts, units={RAN.name: replace(outdated, active="inactive")})
    assert not find_pending(stopped, desired)


def test_systemd_says_that_a_unit_has_changed_on_disk() -> None:
    text = captured.text("debian12", "units.txt")
    section = Section(
        "units", 0, text.replace("LoadState", "NeedDaemonReload=yes\nLoadState", 1), ""
    )
    found = units.parse_units(["memcached.service", "absent.service"], {"units": section})
    assert [unit.outdated for unit in found.values()] == [True, False]


@pytest.mark.parametrize(
    ("there", "outdated"),
    [
        ("", False),
        ("/etc/systemd/system/memcached.service.d/own.conf", True),
        ("/usr/lib/systemd/system/memcached.service.d/read.conf", False),  # by another path
        ("/etc/systemd/system/other.service.d/own.conf", False),
    ],
)
def test_a_drop_in_that_systemd_has_not_read_is_a_change_on_disk(
    there: str, outdated: bool
) -> None:
    text = captured.text("debian12", "units.txt").partition("\n\n")[0]
    text += "\nDropInPaths=/lib/systemd/system/memcached.service.d/read.conf\n\n"
    sections = captured.section("units", text) | captured.section("drop-ins", there)
    (unit,) = units.parse_units(["memcached.service"], sections).values()
    assert unit.outdated == outdated


AT_BOOT = """\
# /usr/lib/sysctl.d/50-default.conf
net.ipv4.conf.*.rp_filter = 2
-net.ipv4.conf.all.rp_filter
# /etc/sysctl.d/60-pacefab-haproxy.conf
net.ipv4.ip_nonlocal_bind = 1
# /etc/sysctl.d/99-sysctl.conf
net/ipv4/ip_nonlocal_bind=0
"""


def test_what_files_set_at_boot_is_known_by_name_and_pattern() -> None:
    sections = captured.section("kernel at boot", AT_BOOT)
    names = (BIND, "net.ipv4.conf.eth0.rp_filter", "net.core.somaxconn")
    assert kernel.parse_boot(names, sections) == {
        BIND: BootSetting("0", "/etc/sysctl.d/99-sysctl.conf"),
        "net.ipv4.conf.eth0.rp_filter": BootSetting("2", "/usr/lib/sysctl.d/50-default.conf"),
    }


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("/etc/sysctl.d/99-own.conf", "0", True),
        ("/etc/sysctl.d/99-own.conf", "1", False),  # it agrees
        ("/usr/lib/sysctl.d/50-default.conf", "0", False),  # ours comes after it
    ],
)
def test_a_file_that_has_the_last_word_at_boot_is_a_notice(
    path: str, value: str, said: bool
) -> None:
    known = site(kernel={BIND: "1"}, at_boot={BIND: BootSetting(value, path)})
    expected = f"{BIND} is 0 after the next boot, by {path}: correct it (c1)"
    assert node_state.notices(known, NONE) == ([expected] if said else [])
    assert not node_state.notices(replace(known, recognised=True), NONE)


def test_a_plan_says_it_in_text_and_json_though_there_is_nothing_to_change() -> None:
    assert not PLAN
    lines = report.render_text(PLAN)
    assert lines.count("in force after: fab update-memcached (c1, c2, c3: 64 MiB, not 128)") == 1
    assert lines[-1] != "nothing to do"
    assert json.loads(report.render_json(PLAN))["pending"] == [
        {
            "service": "memcached",
            "hosts": ["c1", "c2", "c3"],
            "what": "64 MiB, not 128",
            "in_force_after": "fab update-memcached",
        }
    ]
    assert report.render_text(Plan("demo"))[-1] == "nothing to do"


def test_a_reviewed_plan_may_be_applied_after_the_restart(tmp_path: Path) -> None:
    saved.save(tmp_path / "plan", PLAN, tmp_path / "inventory.yaml", prune=False)
    saved.load(tmp_path / "plan").check(Plan("demo", nodes=dict.fromkeys(PLAN.nodes, NodePlan())))


def test_a_node_says_when_programs_started_and_files_were_written(tmp_path: Path) -> None:
    program = tmp_path / "odd name"  # proc(5) does not escape it
    program.symlink_to(sys.executable)
    written = tmp_path / "file"
    written.touch()
    os.utime(written, (1000, 1000))
    asked = processes.observe([program.name, "no-such-program"], [str(written), "/no/such/file"])
    before = time.time()
    with subprocess.Popen(
        [program, "-c", "input()"], stdin=subprocess.PIPE, env={"PYTHONHOME": sys.base_prefix}
    ) as running:
        after = time.time()
        try:
            done = subprocess.run(asked[0].argv, capture_output=True, text=True, check=True)
        finally:
            running.kill()
    found = processes.parse({"times": Section("times", 0, done.stdout, "")})
    assert set(found[0]) == {program.name}
    assert before - 0.1 < found[0][program.name] < after + 0.1
    assert found[1] == {str(written): 1000}
    assert processes.parse({}) == ({}, {})


SITE = Site(
    Membership("demo", (Member("c1", ("10.0.0.1",)),)),
    {"c1": FACTS},
    {
        "memcached": MemcachedSection(),
        "galera": GaleraSection(),
        "haproxy": HaproxySection.model_validate(
            {"proxies": ({"name": "web", "vip": "10.0.0.9", "port": 80},)}
        ),
    },
)
CHECK = health_check.SOCKET
BIND = "net.ipv4.ip_nonlocal_bind"
NONE = cib.parse(captured.text("debian12", "cib-empty.xml"))


def site(**facts: object) -> Site:
    return replace(SITE, facts={"c1": replace(FACTS, **facts)})  # type: ignore[arg-type]


@pytest.mark.parametrize("active", ["failed", "inactive"])
def test_a_helper_that_does_not_run_is_a_reason(active: str) -> None:
    socket = Unit(CHECK, "loaded", active, "enabled", 0)
    (reason,) = node_state.reasons(site(units={CHECK: socket}))
    assert reason == f"{CHECK} does not run on c1 ({active}): fab deploy sets it right"


def test_what_runs_or_was_never_installed_is_none() -> None:
    running = Unit(CHECK, "loaded", "active", "enabled", 0)
    assert not node_state.reasons(site(units={CHECK: running}, kernel={BIND: "1"}))
    assert not node_state.reasons(SITE)


def test_a_setting_of_the_kernel_is_a_reason() -> None:
    off = site(kernel={BIND: "0"})
    assert not node_state.reasons(replace(off, recognised=True)), "it may be another one's"
    (reason,) = node_state.reasons(off)
    assert reason == f"{BIND} is 0, not 1, on c1: fab deploy sets it right"


def test_notices_are_of_every_service_and_memcached_by_its_file() -> None:
    described = galera.SERVICE.node(GaleraSection(), SITE, "c1")
    (mine,) = (item.files for item in described.at_start)
    facts = {
        "started": {"mariadbd": 100.0, "haproxy": 100.0},
        "written": {mine[0]: 200.0, CONFIG: 50.0},
        "units": {RAN.name: replace(RAN, command_line=("memcached", "-m", "64"))},
        "files": {config.DEBIAN_PATH: FileState("-m 128\n", "644", "root:root")},
    }
    memory, database = node_state.notices(site(**facts), NONE)
    assert memory == "in force after: fab update-memcached (c1: 64 MiB, not 128)"
    assert database.startswith("in force after: fab update-galera")
    reloading = {**facts, "written": {CONFIG: 200.0}}
    (_, proxy) = node_state.notices(site(**reloading), NONE)
    assert proxy.startswith("in force after: systemctl reload haproxy")


def test_a_file_of_memcached_that_cannot_be_read_is_left_to_the_plan() -> None:
    broken = {config.DEBIAN_PATH: FileState("-m lots\n", "644", "root:root")}
    assert node_state.notices(site(files=broken), NONE) == []
    assert memcached.process(FACTS, Settings()).difference == "unknown settings"
