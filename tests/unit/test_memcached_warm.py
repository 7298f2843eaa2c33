"""restartable: which files a node gets for it, and when memcached will start empty."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pacefab.host import packages
from pacefab.host.model import FileState
from pacefab.services.memcached.memcached import Request, desired_node, desired_settings
from pacefab.services.memcached.warm import DROP_IN, MEMORY_FILE, TMPFILES
from pacefab.services.service import Site
from tests.unit import captured
from tests.unit.test_memcached import CLUSTER, NODE, configured


def texts(request: Request, node: object = NODE) -> dict[str, str]:
    """Return the desired files' texts by path."""
    site = Site(CLUSTER, {"c1": node}, {}, str)  # type: ignore[dict-item]
    return {file.path: file.render("") for file in desired_node(request, site, "c1").files}


@pytest.mark.parametrize(
    ("family", "manager", "user"), [("debian", "apt-get", "memcache"), ("rhel", "dnf", "memcached")]
)
def test_the_folder_is_memcacheds_own_and_systemd_stops_it_softly(
    family: str, manager: str, user: str
) -> None:
    node = replace(NODE, family=family, manager=manager, files={})
    found = texts(Request(restartable=True), node)
    assert f"d /run/memcached 0755 {user} {user} -" in found[TMPFILES]
    assert "KillSignal=SIGUSR1" in found[DROP_IN]


def test_who_did_not_ask_for_it_gets_no_file_of_it() -> None:
    assert set(texts(Request())) == {"/etc/memcached.conf"}


def test_what_is_switched_off_leaves_nothing_in_force() -> None:
    on = {DROP_IN: FileState("[Service]\nKillSignal=SIGUSR1\n", "644", "root:root")}
    node = replace(NODE, files={**NODE.files, **on})
    found = texts(Request(restartable=False), node)
    assert set(found) == {"/etc/memcached.conf", DROP_IN}
    assert all(line.startswith("#") for line in found[DROP_IN].splitlines())
    assert MEMORY_FILE not in found["/etc/memcached.conf"]


def test_it_stays_on_while_nobody_says_otherwise() -> None:
    node = configured(f"-m 64\n-e {MEMORY_FILE}\n")
    assert desired_settings(Request(), node, CLUSTER).memory_file == MEMORY_FILE
    assert DROP_IN in texts(Request(), node)


def test_a_memory_file_of_the_operators_own_is_left_alone() -> None:
    node = configured("-m 64\n-e /mnt/pmem/items\n")
    assert desired_settings(Request(), node, CLUSTER).memory_file == "/mnt/pmem/items"
    assert set(texts(Request(), node)) == {"/etc/memcached.conf"}


@pytest.mark.parametrize(
    ("said", "newest"),
    [("1.6.18-1+pacefab1\n", "1.6.18-1+pacefab1"), ("(none)\n", None), ("", None)],
)
def test_the_newest_version_is_what_the_repositories_have(said: str, newest: str | None) -> None:
    assert packages.parse_newest(captured.section("newest", said)) == newest
