"""The way to a host, beside ssh's own: never looser, and what ssh reaches is reached.

Each situation is an ssh_config and files of known hosts. ssh and we go the same way, to real sshd
processes with keys and ports of their own, each of which says its name.
"""

from __future__ import annotations

import base64
import functools
import getpass
import hmac
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from paramiko.ssh_exception import ChannelException

from pacefab.errors import UnreachableError
from pacefab.harness.cluster import Cluster
from pacefab.harness.nodes import free_port
from pacefab.transport import opening
from pacefab.transport.explaining import explain
from pacefab.transport.opening import HopError, Session
from pacefab.transport.way import session as way_session
from pacefab.transport.way.hop import Destination, find_way
from pacefab.transport.way.identities import Given
from pacefab.transport.way.settings import Sources
from pacefab.waiting import Pending, wait_until

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
SERVERS = {"alpha": ("ed25519", "ecdsa", "rsa"), "beta": ("ed25519",), "elder": ("rsa",),
           "certified": ("ed25519",)}  # fmt: skip
SSHD_CONFIG = """\
Port <port>
PidFile <dir>/<server>.pid
AuthorizedKeysFile <dir>/authorized
TrustedUserCAKeys <dir>/ca.pub
StrictModes no
UsePAM <pam>
PermitRootLogin yes
PasswordAuthentication no
MaxStartups 100
SetEnv WHO=<server>
"""
BASE = """
Host alpha
  Port <alpha.port>
Host beta
  Port <beta.port>
Host elder
  Port <elder.port>
Host certified
  Port <certified.port>
Host lone
  Port <alpha.port>
Host * !lone
  IdentityFile <dir>/id
Host *
  HostName <address>
  User <user>
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile <case>/known
  GlobalKnownHostsFile <case>/system
"""


@dataclass(frozen=True)
class Situation:
    """What is in the files, and whether ssh gets to the server.

    Args:
        config: comes before `BASE` in the ssh_config.
        known: the user's known_hosts.
        reached: what ssh is expected to do.
        system: the machine's known_hosts.
        target: the host that is named.
        files: other files of the situation.
        local: the servers are to be on this machine.
        accept_new: as --accept-new-host-keys, which is ssh's StrictHostKeyChecking=accept-new.
    """

    config: str
    known: str
    reached: bool = True
    system: str = ""
    target: str = "alpha"
    files: tuple[tuple[str, str], ...] = ()
    accept_new: bool = False
    local: bool = False


GOOD = "<alpha> <alpha.ed25519>\n"
BOTH = GOOD + "<beta> <beta.ed25519>\n"
SITUATIONS: dict[str, Situation] = {
    # Which keys are known
    "a known key": Situation("", GOOD),
    "no key is known": Situation("", "", reached=False),
    "another key is known": Situation("", "<alpha> <beta.ed25519>\n", reached=False),
    "another kind of key is known": Situation("", "<alpha> <alpha.rsa>\n"),
    "only the key of a curve is known": Situation("", "<alpha> <alpha.ecdsa>\n"),
    "a wrong key of another kind is known": Situation("", "<alpha> <elder.rsa>\n", reached=False),
    "one of two keys is right": Situation("", "<alpha> <beta.ed25519>\n" + GOOD),
    "known without its port": Situation("", "<address> <alpha.ed25519>\n"),
    "another key without its port": Situation("", "<address> <beta.ed25519>\n", reached=False),
    "another key without its port, the right one with it": Situation(
        "", "<address> <beta.ed25519>\n" + GOOD
    ),
    "known with another port": Situation("", "[<address>]:1 <alpha.ed25519>\n", reached=False),
    "a hashed name": Situation("", "<#alpha> <alpha.ed25519>\n"),
    "a hashed name, another key": Situation("", "<#alpha> <beta.ed25519>\n", reached=False),
    "a hash that is cut off": Situation("", "|1|abc <alpha.ed25519>\n", reached=False),
    "several names": Situation("", "other,<alpha>,more <alpha.ed25519>\n"),
    "a wildcard": Situation("", "[<address>]:* <alpha.ed25519>\n"),
    "a wildcard for everything": Situation("", "* <alpha.ed25519>\n"),
    "question marks": Situation("", "[<address?>]:<alpha.port> <alpha.ed25519>\n"),
    "a wildcard, and this host left out": Situation(
        "HostKeyAlias box\n", "*,!b?x <alpha.ed25519>\n", reached=False
    ),
    "a wildcard, and this host left out with its port only": Situation(
        "", "*,!<alpha> <alpha.ed25519>\n"
    ),
    "brackets are no pattern": Situation("", "[0-9.:]* <alpha.ed25519>\n", reached=False),
    # Lines that are no lines
    "bad lines before it": Situation(
        "",
        f"# a note\n\nnonsense\n<alpha> ssh-ed25519 AAAA!!\n<alpha> what AAAA\n@mark x y z\n{GOOD}",
    ),
    "no newline at the end": Situation("", GOOD.strip()),
    "blanks and tabs": Situation("", "  <alpha>\t\t<alpha.ed25519>  a comment \n"),
    "lines of Windows": Situation("", "<alpha> <alpha.ed25519> x\r\n"),
    "bytes that are no text": Situation("", "x\udcff\udcfe y z\n" + GOOD),
    "the key of a kind that it is not": Situation(
        "", "<alpha> ssh-rsa <alpha.ed25519!>\n", reached=False
    ),
    # Markers
    "a revoked key": Situation("", GOOD + "@revoked * <alpha.ed25519>\n", reached=False),
    "a revoked key of another host": Situation("", GOOD + "@revoked other <alpha.ed25519>\n"),
    "another key is revoked": Situation("", GOOD + "@revoked * <beta.ed25519>\n"),
    "a file of revoked keys": Situation(
        "RevokedHostKeys <case>/revoked\n",
        GOOD,
        reached=False,
        files=(("revoked", "<alpha.ed25519>\n"),),
    ),
    "a file of other revoked keys": Situation(
        "RevokedHostKeys <case>/revoked\n", GOOD, files=(("revoked", "<beta.ed25519>\n"),)
    ),
    "a file of revoked keys that is not there": Situation(
        "RevokedHostKeys <case>/none\n", GOOD, reached=False
    ),
    "an authority": Situation(
        "HostKeyAlias box.example\n", "@cert-authority *.example <ca>\n", target="certified"
    ),
    "another authority": Situation(
        "HostKeyAlias box.example\n",
        "@cert-authority * <beta.ed25519>\n",
        reached=False,
        target="certified",
    ),
    "an authority, another name": Situation(
        "HostKeyAlias other.example\n",
        "@cert-authority * <ca>\n",
        reached=False,
        target="certified",
    ),
    "a revoked authority": Situation(
        "HostKeyAlias box.example\n",
        "@cert-authority * <ca>\n@revoked * <ca>\n",
        reached=False,
        target="certified",
    ),
    "an authority for a host without certificate": Situation("", GOOD + "@cert-authority * <ca>\n"),
    "an authority is no key of a host": Situation(
        "", "@cert-authority * <alpha.ed25519>\n", reached=False
    ),
    "a certificate, and the plain key is known": Situation(
        "", "<certified> <certified.ed25519>\n", target="certified"
    ),
    # Files
    "the machine's file": Situation("", "", system=GOOD),
    "the user's file is not there": Situation("UserKnownHostsFile <case>/none\n", "", system=GOOD),
    "the machine's file has another key": Situation(
        "", "", system="<alpha> <beta.ed25519>\n", reached=False
    ),
    "several files": Situation(
        "UserKnownHostsFile <case>/none <case>/more\n", "", files=(("more", GOOD),)
    ),
    "a file with a blank in its name": Situation(
        'UserKnownHostsFile "<case>/my hosts"\n', "", files=(("my hosts", GOOD),)
    ),
    "a file with tokens in its name": Situation(
        "UserKnownHostsFile <case>/%n-%p-%k\n", "", files=(("alpha-<alpha.port>-alpha", GOOD),)
    ),
    "no file at all": Situation("UserKnownHostsFile none\n", GOOD, reached=False),
    "a command": Situation("KnownHostsCommand /bin/echo %H <alpha.ed25519>\n", ""),
    "a command with another key": Situation(
        "KnownHostsCommand /bin/echo %H <beta.ed25519>\n", "", reached=False
    ),
    "an alias": Situation("HostKeyAlias box\n", "box <alpha.ed25519>\n"),
    "an alias that has another key": Situation(
        "HostKeyAlias box\n", "box <beta.ed25519>\n" + GOOD, reached=False
    ),
    # StrictHostKeyChecking and HostKeyAlgorithms
    "new keys are accepted": Situation("StrictHostKeyChecking accept-new\n", "other x"),
    "new keys are accepted, names hashed": Situation(
        "StrictHostKeyChecking accept-new\nHashKnownHosts yes\n", GOOD.replace("alpha", "beta")
    ),
    "new keys are accepted, this one changed": Situation(
        "StrictHostKeyChecking accept-new\n", "<alpha> <beta.ed25519>\n", reached=False
    ),
    "any key is accepted": Situation("StrictHostKeyChecking no\n", ""),
    "any key is accepted, this one changed": Situation(
        "StrictHostKeyChecking no\n", "<alpha> <beta.ed25519>\n"
    ),
    "a new key, as allowed": Situation("", "", accept_new=True),
    "a new key, as allowed, after a line without end": Situation(
        "", "other <beta.ed25519>", accept_new=True
    ),
    "a changed key, whatever is allowed": Situation(
        "", "<alpha> <beta.ed25519>\n", reached=False, accept_new=True
    ),
    "a revoked key, whatever is allowed": Situation(
        "", "@revoked * <alpha.ed25519>\n", reached=False, accept_new=True
    ),
    "kinds of keys in an order": Situation(
        "HostKeyAlgorithms rsa-sha2-512,ssh-ed25519\n", GOOD, reached=False
    ),
    "kinds of keys taken away": Situation("HostKeyAlgorithms -ssh-ed25519\n", GOOD, reached=False),
    "kinds of keys added": Situation("HostKeyAlgorithms +ssh-rsa\n", "<alpha> <alpha.rsa>\n"),
    "a host with an old kind of key": Situation("", "<elder> <elder.rsa>\n", target="elder"),
    "any key of this machine": Situation("NoHostAuthenticationForLocalhost yes\n", "", local=True),
    "any key of this machine, and not of those behind it": Situation(
        "NoHostAuthenticationForLocalhost yes\nHost alpha\n  ProxyJump beta\nHost *\n",
        "",
        reached=False,
        local=True,
    ),
    "the address of this machine has another key": Situation(
        "CheckHostIP yes\nHostName localhost\n",
        "[localhost]:<alpha.port> <alpha.ed25519>\n"
        "[127.0.0.1]:<alpha.port> <beta.ed25519>\n[::1]:<alpha.port> <beta.ed25519>\n",
        local=True,
    ),
    # Configuration
    "Include": Situation(
        "Include <case>/more*\n",
        "box <alpha.ed25519>\n",
        files=(("more1", "Host alpha\n  HostKeyAlias box\n"),),
    ),
    "Include within another host": Situation(
        "Host other\n  Include <case>/more\nHost *\n", GOOD, files=(("more", "Port 1\n"),)
    ),
    "Match host=": Situation("Match host=alpha\n  HostKeyAlias box\n", "box <alpha.ed25519>\n"),
    "Match of another host": Situation("Match host other\n  Port 1\n", GOOD),
    "Match exec": Situation(
        'Match exec "test %n = alpha"\n  HostKeyAlias box\n', "box <alpha.ed25519>\n"
    ),
    "Match exec that fails": Situation("Match exec false\n  Port 1\n", GOOD),
    "Match final": Situation("Match final all\n  HostKeyAlias box\n", "box <alpha.ed25519>\n"),
    "Match canonical": Situation("Match canonical all\n  Port 1\n", GOOD),
    "Match originalhost and user": Situation(
        "Match originalhost alpha user <user>\n  HostKeyAlias box\n", "box <alpha.ed25519>\n"
    ),
    "Match with a negation": Situation("Match !host alpha\n  Port 1\n", GOOD),
    "a keyword that nobody knows": Situation("Nonsense yes\n", GOOD, reached=False),
    "one that is to be ignored": Situation("IgnoreUnknown Nons*\nNonsense yes\n", GOOD),
    "HostName with a token": Situation(
        "Host <address>\n  HostName %h\n  Port <alpha.port>\nHost *\n", GOOD, target="<address>"
    ),
    "a pattern with a negation": Situation("Host * !alpha\n  Port 1\nHost *\n", GOOD),
    "values in quotes": Situation('Host "alpha"\n  HostKeyAlias "box"\n', "box <alpha.ed25519>\n"),
    "values after =": Situation("HostKeyAlias=box\n", "box <alpha.ed25519>\n"),
    "a comment after a value": Situation("HostKeyAlias box # of mine\n", "box <alpha.ed25519>\n"),
    "the first value counts": Situation(
        "HostKeyAlias box\nHostKeyAlias other\n", "box <alpha.ed25519>\n"
    ),
    "a family of addresses": Situation("AddressFamily inet\n", GOOD),
    "the wrong family of addresses": Situation("AddressFamily inet6\n", GOOD, reached=False),
    "an address to come from": Situation("BindAddress 192.0.2.1\n", GOOD, reached=False),
    "a cipher that the server lacks": Situation("Ciphers 3des-cbc\n", GOOD, reached=False),
    # Keys of one's own
    "a key that is not there, first": Situation("IdentityFile <case>/none\n", GOOD),
    "no key": Situation("IdentityFile none\n", GOOD, reached=False, target="lone"),
    "no key, and one": Situation("IdentityFile none\n", GOOD),
    "keys without IdentitiesOnly": Situation(
        "IdentitiesOnly no\nIdentityFile <dir>/id\n", GOOD, target="lone"
    ),
    "the wrong key, first": Situation("IdentityFile <dir>/stranger\n", GOOD),
    "a key that others may read": Situation(
        "IdentityFile <dir>/open\n", GOOD, reached=False, target="lone"
    ),
    "a certificate of a user": Situation("IdentityFile <dir>/member\n", GOOD, target="lone"),
    "a certificate of a user, in another file": Situation(
        "IdentityFile <dir>/guest\nCertificateFile <dir>/of-guest.pub\n", GOOD, target="lone"
    ),
    "a user without a certificate": Situation(
        "IdentityFile <dir>/guest\n", GOOD, target="lone", reached=False
    ),
    "a certificate of a user that is not taken": Situation(
        "CertificateFile <dir>/certified-cert.pub\n", GOOD
    ),
    "no keys at all": Situation("PubkeyAuthentication no\n", GOOD, reached=False),
    "a key of the agent": Situation("IdentityAgent <agent>\n", GOOD, target="lone", reached=False),
    "a key of the agent, any": Situation(
        "IdentityAgent <agent>\nIdentitiesOnly no\n", GOOD, target="lone"
    ),
    "a key of the agent that a file names": Situation(
        "IdentityAgent <agent>\nIdentityFile <dir>/held.pub\n", GOOD, target="lone"
    ),
    "a key of the agent whose file wants a passphrase": Situation(
        "IdentityAgent <agent>\nIdentityFile <dir>/locked\n", GOOD, target="lone"
    ),
    "a key whose file wants a passphrase": Situation(
        "IdentityFile <dir>/locked\n", GOOD, target="lone", reached=False
    ),
    "an agent that is not there": Situation("IdentityAgent <case>/none\n", GOOD),
    # Hops
    "a jump host": Situation("Host alpha\n  ProxyJump beta\nHost *\n", BOTH),
    "a jump host that is not known": Situation(
        "Host alpha\n  ProxyJump beta\nHost *\n", GOOD, reached=False
    ),
    "a jump host with another key": Situation(
        "Host alpha\n  ProxyJump beta\nHost *\n", GOOD + "<beta> <alpha.ed25519>\n", reached=False
    ),
    "behind a jump host another key": Situation(
        "Host alpha\n  ProxyJump beta\nHost *\n",
        BOTH.replace("<alpha.ed", "<beta.ed"),
        reached=False,
    ),
    "a jump host by user, address and port": Situation(
        "Host alpha\n  ProxyJump <user>@<address>:<beta.port>\nHost *\n", BOTH
    ),
    "a jump host with known hosts of its own": Situation(
        "Host alpha\n  ProxyJump beta\nHost beta\n  UserKnownHostsFile <case>/of-beta\nHost *\n",
        GOOD,
        files=(("of-beta", "<beta> <beta.ed25519>\n"),),
    ),
    "a jump host with an alias": Situation(
        "Host alpha\n  ProxyJump beta\nHost beta\n  HostKeyAlias box\nHost *\n",
        GOOD + "box <beta.ed25519>\n",
    ),
    "a jump host behind a jump host": Situation(
        "Host alpha\n  ProxyJump beta\nHost beta\n  ProxyJump elder\nHost *\n",
        BOTH + "<elder> <elder.rsa>\n",
    ),
    "two jump hosts": Situation(
        "Host alpha\n  ProxyJump elder,beta\nHost *\n", BOTH + "<elder> <elder.rsa>\n"
    ),
    "two jump hosts, the first unknown": Situation(
        "Host alpha\n  ProxyJump elder,beta\nHost *\n", BOTH, reached=False
    ),
    "a jump host that is new, as allowed": Situation(
        "Host alpha\n  ProxyJump beta\n  StrictHostKeyChecking accept-new\n"
        "Host beta\n  StrictHostKeyChecking accept-new\nHost *\n",
        "",
    ),
    "ProxyJump none": Situation("Host alpha\n  ProxyJump none\nHost *\n  ProxyJump beta\n", GOOD),
    "ProxyCommand": Situation(
        "Host alpha\n  ProxyCommand ssh -F <config> -W %h:%p beta\nHost *\n", BOTH
    ),
    "ProxyCommand of a hop": Situation(
        "Host alpha\n  ProxyJump beta\n"
        "Host beta\n  ProxyCommand ssh -F <config> -W [%h]:%p elder\nHost *\n",
        BOTH + "<elder> <elder.rsa>\n",
    ),
    "ProxyCommand that fails": Situation(
        "Host alpha\n  ProxyCommand false\nHost *\n", GOOD, reached=False
    ),
    "ProxyCommand does not spare the key": Situation(
        "Host alpha\n  ProxyCommand ssh -F <config> -W %h:%p beta\nHost *\n",
        "<beta> <beta.ed25519>\n",
        reached=False,
    ),
    "ProxyCommand first, then ProxyJump": Situation(
        "Host alpha\n  ProxyCommand ssh -F <config> -W %h:%p beta\n  ProxyJump nobody\nHost *\n",
        BOTH,
    ),
}


class Servers:
    """Servers of their own on this machine; without an sshd here, on a node.

    `folder` has their keys and ours, and has the same name where the servers run.
    """

    def __init__(self, folder: Path, node: Cluster | None) -> None:
        self.folder = folder
        self._node = node
        self.address = node.address(node.nodes[0]) if node else "127.0.0.1"
        self.values = {"dir": str(folder), "address": self.address, "user": "root"}
        if node is None:
            self.values["user"] = getpass.getuser()
        self.values["address?"] = self.address[:-1] + "?"
        self._make_keys()
        self.values["agent"] = str(folder / "agent")
        for server in SERVERS:
            self.values[f"{server}.port"] = str(free_port())
            name = f"[{self.address}]:{self.values[f'{server}.port']}"
            self.values |= {server: name, f"#{server}": hashed(name)}

    @property
    def local(self) -> bool:
        """Whether the servers are on this machine."""
        return self._node is None

    def filled(self, text: str, case: Path) -> str:
        """Return a text with all <values>."""
        values = {**self.values, "case": str(case), "config": str(case / "config")}
        return re.sub(r"<([^<>]+)>", lambda found: values.get(found[1], found[0]), text)

    def start(self) -> None:
        """Start the servers, and wait until they listen."""
        if self._node:
            packed = subprocess.run(
                ["tar", "-C", "/", "-cf", "-", str(self.folder).lstrip("/")],
                check=True, capture_output=True,
            )  # fmt: skip
            text = base64.b64encode(packed.stdout).decode()
            self.run("base64 -d | tar -C / -xf -", text)
        for server, kinds in SERVERS.items():
            text = SSHD_CONFIG.replace("<server>", server)
            text = text.replace("<pam>", "yes" if self.values["user"] == "root" else "no")
            text = text.replace("<port>", f"<{server}.port>")
            text += "".join(f"HostKey <dir>/{server}-{kind}\n" for kind in kinds)
            if server == "beta":
                text += "MaxSessions 1\n"
            if server == "certified":
                text += "HostCertificate <dir>/certified-ed25519-cert.pub\n"
            file = self.folder / f"{server}.conf"
            self.run(f"cat >{file}", self.filled(text, self.folder))
            self.run(f"mkdir -p /run/sshd 2>/dev/null; {SSHD or '/usr/sbin/sshd'} -f {file}")
            listening = functools.partial(self._listens, int(self.values[f"{server}.port"]))
            assert wait_until(listening, 30, poll=0.05) is None

    def _listens(self, port: int) -> Pending | None:
        try:
            socket.create_connection((self.address, port), 10).close()
        except OSError as error:
            return Pending(str(error))
        return None

    def stop(self) -> None:
        """End the servers, by their ids."""
        for server in SERVERS:
            file = self.folder / f"{server}.pid"
            self.run(f"test ! -s {file} || kill $(cat {file})")

    def run(self, script: str, stdin: str = "") -> None:
        """Run a piece of shell where the servers are."""
        if self._node:
            self._node.run(self._node.nodes[0], script, stdin=stdin)
        else:
            subprocess.run(["sh", "-c", script], input=stdin, text=True, check=True, timeout=30)

    def _make_keys(self) -> None:
        names = [f"{server}-{kind}" for server, kinds in SERVERS.items() for kind in kinds]
        for name in (*names, "id", "held", "member", "guest", "stranger", "open", "ca"):
            kind = name.partition("-")[2] or "ed25519"
            keygen("-q", "-t", kind, "-N", "", "-f", str(self.folder / name))
            public = (self.folder / f"{name}.pub").read_text().split()
            self.values[name.replace("-", ".")] = " ".join(public[:2])
            self.values[name.replace("-", ".") + "!"] = public[1]
        keys = [(self.folder / f"{name}.pub").read_text() for name in ("id", "held")]
        (self.folder / "authorized").write_text("".join(keys))
        shutil.copy(self.folder / "held", self.folder / "locked")
        keygen("-q", "-p", "-P", "", "-N", "secret", "-f", str(self.folder / "locked"))
        shutil.copy(self.folder / "id", self.folder / "open")
        (self.folder / "open").chmod(0o644)
        signed = ("-q", "-s", str(self.folder / "ca"), "-I", "x", "-n")
        for name in ("member", "guest"):
            keygen(*signed, self.values["user"], str(self.folder / f"{name}.pub"))
        (self.folder / "guest-cert.pub").rename(self.folder / "of-guest.pub")
        certified = str(self.folder / "certified-ed25519.pub")
        keygen(*signed, "box.example", "-h", certified)


def keygen(*args: str) -> None:
    """Run ssh-keygen."""
    subprocess.run(["ssh-keygen", *args], check=True, capture_output=True, timeout=60)


def hashed(name: str) -> str:
    """Return a name as ssh hashes it."""
    salt = os.urandom(20)
    digest = hmac.new(salt, name.encode(), "sha1").digest()
    return "|1|" + "|".join(base64.b64encode(part).decode() for part in (salt, digest))


def added(servers: Servers) -> Pending | None:
    """Give the agent the key that no ssh_config names a file of, once it listens."""
    done = subprocess.run(
        ["ssh-add", "-q", str(servers.folder / "held")], capture_output=True, text=True,
        env={**os.environ, "SSH_AUTH_SOCK": servers.values["agent"]}, timeout=30, check=False,
    )  # fmt: skip
    return Pending(done.stderr) if done.returncode else None


if SSHD:

    @pytest.fixture(scope="module")
    def beside() -> None:
        """Nothing: the servers run on this machine."""

else:

    @pytest.fixture(scope="module")
    def beside(cluster: Cluster) -> Cluster:
        """The cluster whose first node the servers run on, because this machine has none."""
        return cluster


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, beside: Cluster | None) -> Iterator[Servers]:
    """The servers, for all situations."""
    with ExitStack() as stack:
        made = Servers(tmp_path_factory.mktemp("way"), beside)
        stack.callback(made.stop)
        made.start()
        agent = subprocess.Popen(
            ["ssh-agent", "-D", "-a", made.values["agent"]], stdout=subprocess.DEVNULL
        )
        stack.callback(agent.wait, timeout=30)
        stack.callback(agent.terminate)
        held = functools.partial(added, made)
        assert wait_until(held, 30, poll=0.05) is None
        yield made


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the keys of whoever runs the tests."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def written(servers: Servers, situation: Situation, case: Path) -> Path:
    """Write the files of a situation; return its ssh_config."""
    case.mkdir()
    config = situation.config + BASE
    files = {"known": situation.known, "system": situation.system, "config": config}
    for name, text in {**files, **dict(situation.files)}.items():
        file = case / servers.filled(name, case)
        file.write_bytes(servers.filled(text, case).encode(errors="surrogateescape"))
    return case / "config"


def by_ssh(config: Path, target: str, *, accept_new: bool) -> tuple[str, str]:
    """Return the name of the server that ssh gets to, if any, and what it says."""
    argv = ["ssh", "-F", str(config), "-o", "BatchMode=yes"]
    if accept_new:
        argv += ["-o", "StrictHostKeyChecking=accept-new"]
    done = subprocess.run(
        [*argv, target, "echo $WHO"], capture_output=True, text=True, timeout=30,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    return done.stdout.strip(), done.stderr


def by_us(config: Path, target: str, *, accept_new: bool) -> tuple[str, str]:
    """Return the same of our own way."""
    session = Session(15, Given(), accept_new=accept_new)
    try:
        transport = session.open(find_way(Destination(target), Sources(config)))
    except UnreachableError as error:
        return "", f"{error}; {error.next_step}"
    except HopError as error:
        explained = explain(target, error)
        return "", f"{explained}: {explained.seen}; {explained.next_step}"
    try:
        channel = transport.open_session(timeout=10)
        channel.exec_command("echo $WHO")
        return channel.makefile().read().decode().strip(), ""
    finally:
        session.close()


@pytest.mark.parametrize("name", SITUATIONS)
def test_we_get_where_ssh_gets_and_nowhere_else(
    servers: Servers, name: str, tmp_path: Path
) -> None:
    situation = SITUATIONS[name]
    if situation.local and not servers.local:
        pytest.skip("there is no sshd on this machine")
    going = {}
    with ThreadPoolExecutor() as side_by_side:
        for way, go in (("ssh", by_ssh), ("ours", by_us)):
            case = tmp_path / way
            config = written(servers, situation, case)
            target = servers.filled(situation.target, case)
            going[way] = side_by_side.submit(go, config, target, accept_new=situation.accept_new)
    found = {way: future.result() for way, future in going.items()}
    assert bool(found["ssh"][0]) == situation.reached, found
    assert found["ours"][0] == found["ssh"][0], found
    ours, theirs = noted(tmp_path / "ours"), noted(tmp_path / "ssh")
    if situation.known and not situation.known.endswith("\n") and ours != [situation.known]:
        # OpenSSH's own adds to that line, in some versions, and loses both.
        assert "".join(ours) == "".join(theirs)
        assert len(ours) == 1 + bool(situation.reached and "<alpha>" not in situation.known)
    else:
        assert ours == theirs


def noted(case: Path) -> list[str]:
    """Return the lines of the user's known_hosts, without what is random in hashed names."""
    text = (case / "known").read_bytes().decode(errors="replace")
    return [re.sub(r"^\|1\|\S+", "|1|", line) for line in text.splitlines()]


def refused(servers: Servers, situation: Situation, case: Path) -> str:
    """Return what is said about a situation in which we get nowhere."""
    config = written(servers, situation, case)
    reached, said = by_us(config, situation.target, accept_new=situation.accept_new)
    assert not reached
    return said


def test_a_hop_that_is_refused_is_named(servers: Servers, tmp_path: Path) -> None:
    jump = "Host alpha\n  ProxyJump beta\nHost *\n"
    unknown = refused(servers, Situation(jump, GOOD), tmp_path / "unknown")
    changed = refused(servers, Situation(jump, GOOD + "<beta> <alpha.ed25519>\n"), tmp_path / "c")
    for said in (unknown, changed):
        assert "the jump host beta on the way to alpha" in said
    assert "is not in known_hosts" in unknown
    assert "has CHANGED" in changed
    assert f"ssh-keygen -R '{servers.values['beta']}'" in changed


def test_new_keys_of_hops_are_noted_when_allowed(servers: Servers, tmp_path: Path) -> None:
    case = tmp_path / "case"
    config = written(servers, Situation("Host alpha\n  ProxyJump beta\nHost *\n", ""), case)
    assert by_us(config, "alpha", accept_new=True) == ("alpha", "")
    assert sorted(noted(case)) == sorted(servers.filled(BOTH, case).splitlines())
    assert by_ssh(config, "alpha", accept_new=False)[0] == "alpha"


def test_what_was_not_offered_is_said_when_nothing_was_taken(
    servers: Servers, tmp_path: Path
) -> None:
    config = "IdentityFile <case>/none\nIdentityFile <dir>/open\n"
    said = refused(servers, Situation(config, GOOD, target="lone"), tmp_path / "case")
    assert f"{tmp_path}/case/none is not there" in said
    assert f"others may read {servers.folder}/open" in said


def test_a_wrong_ssh_config_is_named_with_its_line(servers: Servers, tmp_path: Path) -> None:
    said = refused(servers, Situation("Nonsense yes\n", GOOD), tmp_path / "case")
    assert f"{tmp_path}/case/config" in said
    assert "line 1" in said


def test_without_ssh_what_is_plain_is_read_and_the_rest_named(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = written(servers, Situation("", GOOD), tmp_path / "plain")
    other = written(servers, Situation("Match host=alpha\n", GOOD), tmp_path / "other")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert by_us(plain, "alpha", accept_new=False) == ("alpha", "")
    reached, said = by_us(other, "alpha", accept_new=False)
    assert not reached
    for words in ("there is no program ssh here", f"{other}, line 1", "install OpenSSH's client"):
        assert words in said


def test_two_runs_at_once_note_each_key_on_a_line_of_its_own(
    servers: Servers, tmp_path: Path
) -> None:
    case = tmp_path / "case"
    config = written(servers, Situation("", "# no end"), case)
    with ThreadPoolExecutor(4) as side_by_side:
        for _ in side_by_side.map(
            lambda name: by_us(config, name, accept_new=True), [*SERVERS, *SERVERS]
        ):
            pass
    lines = noted(case)
    assert lines[0] == "# no end"
    shown = [f"<{name}> <{name}.{kinds[0]}>" for name, kinds in SERVERS.items()]
    keys = {servers.filled(line, case) for line in shown}
    assert set(lines[1:]) == keys


@pytest.fixture
def session(servers: Servers, tmp_path: Path) -> Iterator[Session]:
    """A session with a server that allows one command at a time."""
    config = written(servers, Situation("", BOTH), tmp_path / "case")
    opened = Session(15, Given(), accept_new=False)
    opened.open(find_way(Destination("beta"), Sources(config)))
    yield opened
    opened.close()


def test_one_command_after_the_other_where_sshd_allows_one_at_a_time(session: Session) -> None:
    for number in range(5):
        with closing(session.channel(10)) as channel:
            channel.exec_command(f"echo {number}")
            assert channel.makefile().read().decode() == f"{number}\n"


def test_a_session_that_sshd_refuses_is_asked_for_again_and_then_named(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_REFUSED_SECONDS", 0.5)
    with closing(session.channel(10)) as channel:
        channel.exec_command("sleep 60")
        with pytest.raises(ChannelException):
            session.channel(10)


def test_a_peer_that_answers_nothing_any_more_ends_the_session(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert way_session.SILENT_SECONDS <= 15
    monkeypatch.setattr(way_session, "ALIVE_SECONDS", 0.2)
    monkeypatch.setattr(way_session, "SILENT_SECONDS", 1)
    config = written(servers, Situation("", GOOD), tmp_path / "case")
    opened = Session(15, Given(), accept_new=False)
    opened.open(find_way(Destination("alpha"), Sources(config)))
    with closing(opened), closing(opened.channel(10)) as channel:
        channel.exec_command("echo $PPID; sleep 600")
        serving = channel.makefile().readline().strip()
        channel.settimeout(3)
        with pytest.raises(TimeoutError):  # it is asked, and answers: the session stays
            channel.recv(1)
        servers.run(f"kill -STOP {serving}")
        try:
            channel.settimeout(60)
            assert channel.recv(1) == b""
            assert opened.reason() == "no sign of life for 1 s; "
        finally:
            servers.run(f"kill -CONT {serving}")
