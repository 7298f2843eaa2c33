"""The reader of plain ssh_config files says what `ssh -G` says; any bytes are a known_hosts."""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacefab.errors import UnreachableError
from pacefab.transport.way.configuration import read_settings
from pacefab.transport.way.hop import Destination, Hop, find_way
from pacefab.transport.way.known_hosts import KeyVerdict, find, parse_known_hosts
from pacefab.transport.way.plain import NotPlainError, read_plain
from pacefab.transport.way.settings import HostSettings, Sources
from pacefab.transport.way.tokens import TokenError, expand, expand_file

NAME = "node-1.example"
PATTERNS = st.lists(
    st.sampled_from(["*", NAME, "node-?.example", "!node-2*", f"!{NAME}", "other", "*.example"]),
    min_size=1,
    max_size=3,
).map(" ".join)
LINES = st.one_of(
    PATTERNS.map(lambda patterns: f"Host {patterns}"),
    st.sampled_from(
        [
            "HostName 192.0.2.1",
            "HostName=fd00::1",
            "  Port   2222",
            "port = 22",
            "User root",
            "USER operator",
            "IdentityFile ~/.ssh/one",
            "IdentityFile /etc/keys/two",
            "IdentitiesOnly yes",
            "StrictHostKeyChecking accept-new",
            "StrictHostKeyChecking off",
            "UserKnownHostsFile /a/one /a/two",
            "UserKnownHostsFile /a/one\t/a/two  /a/three",
            "Port 24\r",
            "# a note\rPort 25",
            "# a note\u2028Port 26",
            "GlobalKnownHostsFile /dev/null",
            "HostKeyAlias box",
            "ConnectTimeout 7",
            "AddressFamily inet",
            "HashKnownHosts yes",
            "ProxyJump one,root@two:2222",
            "# a note",
            "",
        ]
    ),
)
SAME = {"yes": "true", "no": "false", "off": "false"}


@pytest.mark.skipif(not shutil.which("ssh"), reason="there is no ssh on this machine")
@given(st.lists(LINES, max_size=12))
@settings(max_examples=60)
def test_what_is_plain_is_read_as_ssh_reads_it(lines: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config"
        file.write_text("\n".join(lines), newline="")
        ours = read_plain([file], "", NAME)
        theirs: dict[str, list[str]] = {}
        done = subprocess.run(
            ["ssh", "-F", str(file), "-G", NAME], capture_output=True, text=True, check=True
        )
        for line in done.stdout.splitlines():
            theirs.setdefault(line.partition(" ")[0], []).append(line.partition(" ")[2])
    for keyword, values in ours.items():
        if keyword in {"stricthostkeychecking", "hashknownhosts", "identitiesonly"}:
            assert SAME.get(values[0], values[0]) == SAME.get(
                theirs[keyword][0], theirs[keyword][0]
            )
        else:
            assert values == theirs[keyword]


@pytest.mark.parametrize(
    "text",
    [
        "Match all\n",
        "Match host=node-1.example\n  Port 1\n",
        "Include relative\n",
        "ProxyCommand nc %h %p\n",
        "HostName %h.example\n",
        'IdentityFile "a b"\n',
        "UserKnownHostsFile ${HOME}/x\n",
        "Port 0\n",
        "Port x\n",
        "Port 22 # a note\n",
        "KnownHostsCommand /bin/x\n",
        "RevokedHostKeys /x\n",
        "CanonicalizeHostname yes\n",
        "Nonsense yes\n",
        "nonsense\n",
        "Host other\n  Nonsense yes\n",
    ],
)
def test_what_is_not_plain_is_left_to_ssh(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(NotPlainError, match="line "):
        read_plain([file], "", NAME)


@pytest.mark.parametrize("text", ["Port 22\x0b", "\x0bPort 22", "\xa0# a note", "Port\x0c22"])
def test_blanks_that_are_none_for_ssh_are_left_to_it(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(NotPlainError, match="line "):
        read_plain([file], "", NAME)


def test_an_included_file_that_others_may_write_is_left_to_ssh(tmp_path: Path) -> None:
    part = tmp_path / "part.conf"
    part.write_text("HostName 192.0.2.1\n")
    file = tmp_path / "config"
    file.write_text(f"Include {tmp_path}/*.conf\n")
    part.chmod(0o644)
    assert read_plain([file], "", NAME) == {"hostname": ["192.0.2.1"]}
    part.chmod(0o666)
    with pytest.raises(NotPlainError, match="may be written by others"):
        read_plain([file], "", NAME)
    part.unlink()
    part.symlink_to(tmp_path / "nowhere")
    with pytest.raises(NotPlainError, match="No such file"):
        read_plain([file], "", NAME)


def test_a_configuration_that_may_not_be_looked_at_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = os.stat

    def refused(path: object, **options: bool) -> os.stat_result:
        if str(path).endswith("/.ssh/config"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return looked_at(path, **options)  # type: ignore[arg-type]

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(os, "stat", refused)
    assert read_settings(NAME, None, None, Sources()).one("hostname") in {None, NAME}


@pytest.mark.skipif(not shutil.which("ssh"), reason="there is no ssh on this machine")
def test_a_user_of_no_account_reads_what_ssh_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setenv("HOME", str(tmp_path))
    found = read_settings(NAME, None, None, Sources(section="Match all\n  Port 2222\n"))
    assert found.number("port") == 2222


@pytest.mark.parametrize("user", ["$(touch x)", "a;b", "-oProxyCommand=x", "`x`", "a b", "x\ny"])
def test_a_user_whom_a_shell_would_read_is_none(user: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("ProxyCommand echo %r\n")
    with pytest.raises(UnreachableError, match="read the ssh configuration") as error:
        find_way(Destination("c1", user), Sources(file))
    assert "no user's name" in error.value.seen


def test_a_jump_host_of_itself_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("ProxyJump c2\n")
    with pytest.raises(UnreachableError) as error:
        find_way(Destination("c1"), Sources(file))
    assert "c2 is a jump host of itself" in error.value.seen


def test_an_empty_port_of_a_jump_host_is_none(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("Host c1\n  ProxyJump root@gate:\nHost gate\n  Port 2222\n")
    via = find_way(Destination("c1"), Sources(file)).via
    assert via is not None
    assert via.where == "root@gate:2222"


def test_hops_have_the_configuration_of_their_own_and_ports_of_their_names(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(
        "Host c1\n  ProxyJump one,root@[fd00::2]:2222\n"
        "Host one\n  HostName 192.0.2.1\n  Port 2022\n  User operator\n"
    )
    found = find_way(Destination("c1", "admin"), Sources(file, "Host c1\n  HostName 192.0.2.9\n"))
    ways = []
    hop: Hop | None = found
    while hop:
        ways.append(hop.where)
        hop = hop.via
    assert ways == ["admin@192.0.2.9:22", "root@[fd00::2]:2222", "operator@192.0.2.1:2022"]


def test_what_systemd_has_for_its_own_hosts_is_plain_for_others(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(
        "Host unix/* unix%* vsock/*\n  ProxyCommand /usr/lib/systemd/systemd-ssh-proxy %h %p\n"
        "  ProxyUseFdpass yes\n  CheckHostIP no\nHost *\n  Port 2222\n"
    )
    assert read_plain([file], "", NAME) == {"port": ["2222"]}
    with pytest.raises(NotPlainError, match="line 2: ProxyCommand"):
        read_plain([file], "", "unix/run/socket")


def test_the_section_of_an_inventory_counts_last(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("Host node*\n  User root\n")
    found = read_plain([file], f"Host {NAME}\n  User operator\n  Port 2222\n", NAME)
    assert found == {"user": ["root"], "port": ["2222"]}


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "config"
    for port in ("22", "2222"):
        file.write_text(f"Port {port}\n")
        assert read_plain([file], "", NAME) == {"port": [port]}


@given(st.binary(max_size=300))
def test_no_bytes_of_a_known_hosts_file_end_in_a_defect(text: bytes) -> None:
    known = find(parse_known_hosts(text), "[192.0.2.1]:22")
    assert known.judge(b"a key") is not KeyVerdict.KNOWN


def test_tokens_and_variables_are_replaced_and_unknown_ones_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PLACE", "/srv")
    assert expand_file("${PLACE}/%h%%", {"h": "c1", "%": "%"}) == "/srv/c1%"
    with pytest.raises(TokenError, match="%q is not known"):
        expand("x%q", {})
    with pytest.raises(TokenError, match="NO_SUCH_PLACE is not set"):
        expand_file("${NO_SUCH_PLACE}/x", {})


def test_file_names_with_blanks_are_known_by_the_files_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "my hosts").touch()
    text = f"{tmp_path}/my hosts {tmp_path}/other none"
    found = HostSettings({"userknownhostsfile": [text]}).file_names("userknownhostsfile")
    assert found == [f"{tmp_path}/my hosts", f"{tmp_path}/other"]
