"""Galera's section and site -> resource, files, and what an answer of the database means."""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pacefab.errors import RefusedError
from pacefab.host.model import HostFacts, Listener
from pacefab.pacemaker.model import Clone, Member, Membership
from pacefab.services.galera import service
from pacefab.services.galera.section import GaleraSection
from pacefab.services.probes.probe import Probe, Reading
from pacefab.services.service import File, Site
from pacefab.transport.command import Section
from tests.unit import captured

MEMBERS = (Member("c1", ("10.0.0.1",)), Member("c2", ("10.0.0.2",)), Member("c3", ("fd00::3",)))
SYNCED = captured.text("debian12", "galera-status.txt")


def site(*families: str) -> Site:
    facts = {
        member.name: HostFacts(
            name=member.name, distribution="x", memory_mib=512, family=family, manager="dnf"
        )
        for member, family in zip(MEMBERS, families or ("debian",) * 3, strict=True)
    }
    return Site(Membership("openstack", MEMBERS), facts, {}, lambda name: f"the {name} password")


def section(**settings: Any) -> GaleraSection:
    return GaleraSection.model_validate(settings)


def clone(chosen: GaleraSection, where: Site) -> Clone:
    (resource,) = service.configuration(chosen, where).resources
    assert isinstance(resource, Clone)
    return resource


def config(chosen: GaleraSection, family: str = "debian") -> File:
    return service.SERVICE.node(chosen, site(*(family,) * 3), "c3").files[0]


def probes() -> list[Probe]:
    return list(service.SERVICE.probes(section(), site()))


def read(out: str, status: int = 0) -> Reading:
    return probes()[0].read({"galera": Section("galera", status, out, "")})


def judge(out: str, status: int = 0) -> str:
    return read(out, status).wrong


def test_every_node_is_promoted() -> None:
    resource = clone(section(), site())
    assert resource.meta == {"ordered": "true", "promotable": "true", "promoted-max": "3"}


def test_members_are_addresses_mapped_to_nodes() -> None:
    parameters = clone(section(), site()).primitive.parameters
    assert parameters["wsrep_cluster_address"] == "gcomm://10.0.0.1,10.0.0.2,[fd00::3]"
    assert parameters["cluster_host_map"] == "c1:10.0.0.1;c2:10.0.0.2;c3:[fd00::3]"


def test_members_are_names_when_they_say_so() -> None:
    parameters = clone(section(members="names"), site()).primitive.parameters
    assert parameters["wsrep_cluster_address"] == "gcomm://c1,c2,c3"
    assert "cluster_host_map" not in parameters


def test_el_leaves_making_the_database_to_the_agent() -> None:
    parameters = clone(section(), site("rhel", "rhel", "rhel")).primitive.parameters
    assert parameters["enable_creation"] == "true"
    assert "config" not in parameters


def test_two_families_in_one_cluster_are_refused() -> None:
    with pytest.raises(RefusedError, match="different families"):
        clone(section(), site("debian", "rhel", "rhel"))


def test_it_listens_to_the_nodes_own_address_only() -> None:
    lines = config(section()).render(None).splitlines()
    assert "bind-address = fd00::3" in lines
    assert "wsrep_node_address = [fd00::3]" in lines


def test_settings_come_last_and_win() -> None:
    text = config(section(settings={"binlog_format": "MIXED"})).render(None)
    assert text.rindex("binlog_format = MIXED") > text.rindex("binlog_format = ROW")


def test_mariabackup_needs_no_password_but_takes_one() -> None:
    own = config(section(sst="mariabackup"))
    assert "wsrep_sst_auth = mysql:" in own.render(None).splitlines()
    assert "wsrep_sst_auth" in own.hidden  # of before, a password may go
    given = config(section(sst="mariabackup", sst_user="sst"))
    assert "wsrep_sst_auth = sst:the galera password" in given.render(None)
    assert (given.mode, given.owner) == ("640", "root:mysql")
    assert "the galera password" not in re.sub(given.hidden, "", given.render(None))


def test_a_user_without_mariabackup_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match="sst_user is for sst: mariabackup"):
        section(sst_user="sst")


def test_a_donor_goes_on_serving_where_the_copy_lets_it() -> None:
    def check(chosen: GaleraSection) -> str:
        files = service.SERVICE.node(chosen, site(), "c1").files
        return next(file.render(None) for file in files if file.mode == "755")

    assert "    4) status='200 OK'" in check(section())
    assert "    2 | 4) status='200 OK'" in check(section(sst="mariabackup"))


def text_of(suffix: str) -> str:
    files = service.SERVICE.node(section(), site(), "c3").files
    return next(file.render(None) for file in files if file.path.endswith(suffix))


def test_the_check_outlives_a_flood_and_only_nodes_may_ask() -> None:
    lines = text_of("pacefab-galera-check.socket").splitlines()
    assert "TriggerLimitIntervalSec=0" in lines, "no number of connections ends the socket"
    assert "MaxConnectionsPerSource=8" in lines
    assert "IPAddressDeny=any" in lines
    assert "IPAddressAllow=localhost 10.0.0.1 10.0.0.2 fd00::3" in lines
    again = "pacefab-galera-check-again.service"
    assert f"OnFailure={again}" in lines, "a socket that failed is started again"
    assert "start pacefab-galera-check.socket" in text_of(again)
    assert "RuntimeMaxSec=4" in text_of("pacefab-galera-check@.service").splitlines()


@pytest.mark.parametrize(
    ("client", "answer"),
    [
        ("printf 'wsrep_local_state\\t4\\n'", "200 OK"),
        ("printf 'wsrep_local_state\\t2\\n'", "503 Service Unavailable"),
        ("echo \"ERROR: can't connect through '/run/mysqld/mysqld.sock'\" >&2; false", "503"),
    ],
)
def test_the_answer_of_the_check(client: str, answer: str, tmp_path: Path) -> None:
    program = tmp_path / "mariadb"
    program.write_text(f"#!/bin/sh\n{client}\n")
    program.chmod(0o755)
    script = text_of("galera-check").replace("/usr/bin/mariadb", str(program))
    request, argv = "GET / HTTP/1.0\r\n\r\n", ["sh", "-c", script]
    done = subprocess.run(argv, input=request, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"HTTP/1.0 {answer}")
    assert "mysqld.sock" not in done.stdout + done.stderr


def test_who_does_not_ask_gets_no_answer_and_no_more_than_a_second() -> None:
    """One who connects and stays silent keeps nothing busy for long."""
    begun = time.monotonic()
    with subprocess.Popen(
        ["sh", "-c", text_of("galera-check")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as silent:
        assert silent.wait(timeout=30) == 0
        assert silent.stdout is not None
        assert silent.stdout.read() == b""
    assert time.monotonic() - begun < 20


def test_every_file_is_looked_at() -> None:
    for family in ("debian", "rhel"):
        desired = service.SERVICE.node(section(), site(*(family,) * 3), "c1")
        look = service.SERVICE.look(section())
        assert {file.path for file in desired.files} <= set(look.files)
        assert {*desired.units, *desired.helpers} <= set(look.units)
        assert set(desired.packages) <= set(look.packages)


def test_a_node_in_sync() -> None:
    assert not judge(SYNCED)


def test_a_nodes_figures() -> None:
    waiting = SYNCED.replace("recv_queue\t0", "recv_queue\t12").replace("paused\t0", "paused\t0.25")
    figures = read(waiting).figures
    assert (figures["state"], figures["cluster_size"]) == ("Synced", 3)
    assert (figures["receive_queue"], figures["flow_control_paused_ratio"]) == (12, 0.25)
    shown = {f.column: f.text(figures) for f in service.SERVICE.figures if f.column}
    assert (shown["state"], shown["size"], shown["paused"]) == ("Synced", "3", "25.0%")


def test_the_database_is_asked_on_its_node_and_its_health_check_from_another_one() -> None:
    asked = [(probe.of, probe.node) for probe in probes()]
    assert asked == [
        ("c1", "c1"), ("c1", "c2"), ("c2", "c2"), ("c2", "c3"), ("c3", "c3"), ("c3", "c1"),
    ]  # fmt: skip


def test_where_pacemaker_runs_two_of_three_two_are_expected() -> None:
    where = replace(site(), placed={"galera": frozenset({"c1", "c3"})})
    first, *others = service.SERVICE.probes(section(), where)
    assert {probe.of for probe in (first, *others)} == {"c1", "c3"}
    two = SYNCED.replace("cluster_size\t3", "cluster_size\t2")
    assert not first.read(captured.section("galera", two)).wrong
    assert first.read(captured.section("galera", SYNCED)).wrong == "wsrep_cluster_size is 3, not 2"


def test_a_health_check_that_no_node_has_is_not_asked_of_a_database_of_others() -> None:
    foreign = replace(site(), recognised=True)
    assert len(list(service.SERVICE.probes(section(), foreign))) == 3
    listening = Listener("tcp", "10.0.0.1", 9200, "systemd", 1)
    facts = {**foreign.facts, "c1": replace(foreign.facts["c1"], listeners=(listening,))}
    assert len(list(service.SERVICE.probes(section(), replace(foreign, facts=facts)))) == 6


def test_a_node_that_is_not() -> None:
    donor = SYNCED.replace("Synced", "Donor/Desynced").replace("size\t3", "size\t2")
    assert judge(donor) == (
        "wsrep_local_state_comment is Donor/Desynced, not Synced, wsrep_cluster_size is 2, not 3"
    )
    assert "unknown" in judge("")


def test_a_database_that_cannot_be_asked() -> None:
    seen = "ERROR 2002 (HY000): Can't connect to local server through socket"
    assert judge(seen, status=1) == seen
