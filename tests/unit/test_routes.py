"""Hosts as they are typed, the way they give, and root's rights at its end."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from fabric import Config

from pacefab.cli.reading.host_names import check_hosts, read_host
from pacefab.cli.routes import given_port, given_user, named, route
from pacefab.errors import UnreachableError, UsageError
from pacefab.transport.connection import Access
from pacefab.transport.privilege import become_root
from pacefab.transport.way.hop import Destination, Hop, find_way, local_user
from pacefab.transport.way.settings import HostSettings


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("c1", Destination("c1")),
        ("c1:2222", Destination("c1", None, 2222)),
        ("root@c1", Destination("c1", "root")),
        ("root@c1:22", Destination("c1", "root", 22)),
        ("fd00:9::11", Destination("fd00:9::11")),
        ("[fd00:9::11]", Destination("fd00:9::11")),
        ("[fd00:9::11]:2222", Destination("fd00:9::11", None, 2222)),
        ("root@[::1]:22", Destination("::1", "root", 22)),
        ("[fe80::1%eth0]:22", Destination("fe80::1%eth0", None, 22)),
    ],
)
def test_a_host_is_read_as_it_is_typed(typed: str, read: Destination) -> None:
    check_hosts("-H", typed)
    assert read_host(typed) == read
    connection = named(typed, Config(lazy=True))
    assert (given_user(connection), given_port(connection)) == (read.user, read.port)


@pytest.mark.parametrize("typed", ["[::1]:0", "[::1]:x", "[::1]22", "[c1]", "[::1", "@[::1]"])
def test_brackets_that_are_wrong_are_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        check_hosts("-H", typed)


def test_an_address_of_ipv6_is_written_with_its_port_in_brackets() -> None:
    hop = Hop("x", "fd00::1", 22, "root", HostSettings())
    assert hop.where == "root@[fd00::1]:22"
    assert Hop("x", "fd00::1", 2222, "root", HostSettings()).known_as == "[fd00::1]:2222"
    assert hop.known_as == "fd00::1"


def way(typed: str, tmp_path: Path, text: str, inventory: str = "", **settings: object) -> Hop:
    """Return the way to a host by the files of a run."""
    file = tmp_path / "hosts"
    file.write_text(text)
    config = Config(lazy=True, overrides=settings)
    host = route(None, named(typed, config), file, inventory, Access())
    return find_way(host._route.place, host._route.sources)  # noqa: SLF001  # nothing else shows it


def test_what_was_typed_wins_even_where_it_is_the_default(tmp_path: Path) -> None:
    text = "Host c1\n  User operator\n  Port 2222\n"
    assert way("c1", tmp_path, text).where == "operator@c1:2222"
    assert way(f"{local_user()}@c1:22", tmp_path, text).where == f"{local_user()}@c1:22"


def test_the_inventory_counts_after_the_files_and_settings_last(tmp_path: Path) -> None:
    inventory = "Host c1\n  HostName 192.0.2.1\n  Port 2022\n"
    settings = {"user": "operator", "port": 2222}
    found = way("c1", tmp_path, "Host c1\n", inventory, **settings)
    assert found.where == "operator@192.0.2.1:2022"
    found = way("c1", tmp_path, "Host c1\n  HostName 192.0.2.2\n", inventory, **settings)
    assert found.where == "operator@192.0.2.2:2022"
    assert way("c1", tmp_path, "Host c1\n", "", **settings).where == "operator@c1:2222"


@pytest.mark.parametrize(
    ("answer", "seen", "next_step"),
    [
        ((1, "", "sudo: sorry, you must have a tty to run sudo"), "a tty", "requiretty"),
        ((1, "This account is currently not available.\n", ""), "not available", "login shell"),
        ((1, "", ""), "exit status 1", "login shell"),
        ((127, "", "sh: sudo: not found"), "not found", "log in as root"),
        ((1, "", "ops may not run sudo on c1"), "may not run", "log in as root"),
        ((1, "", "sudo: a password is required"), "password", "--prompt-for-sudo-password"),
    ],
)
def test_why_a_user_does_not_become_root(
    answer: tuple[int, str, str], seen: str, next_step: str
) -> None:
    with pytest.raises(UnreachableError) as error:
        become_root("c1", "ops", None, lambda *_: answer)
    assert error.value.attempted == "become root as user ops"
    assert seen in error.value.seen
    assert next_step in error.value.next_step


def test_root_by_another_name_needs_no_sudo() -> None:
    def as_toor(line: str, text: str, seconds: float) -> tuple[int, str, str]:
        bare = {"PATH": "/nowhere"}
        done = subprocess.run(
            ["/bin/sh", "-c", f'sh() {{ shift; id() {{ echo {uid}; }}; eval "$1"; }}; {line}'],
            input=text, capture_output=True, text=True, env=bare, timeout=seconds, check=False,
        )  # fmt: skip
        return done.returncode, f"welcome\n{done.stdout}", done.stderr

    uid = 0
    assert become_root("c1", "toor", None, as_toor) == ()
    uid = 1000
    with pytest.raises(UnreachableError) as error:
        become_root("c1", "ops", None, as_toor)
    assert "sudo: not found" in error.value.seen
    assert become_root("c1", "ops", None, lambda *_: (0, "welcome", "")) == ("sudo", "-n", "--")
