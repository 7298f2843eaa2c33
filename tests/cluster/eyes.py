"""Other eyes than the product's: what nodes, Pacemaker and memcached say for themselves.

Everything goes through a node's own programs (systemctl, ss, cibadmin, dpkg-query, rpm) and plain
sockets, never through pacefab.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from difflib import unified_diff
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from pacefab.harness.parallel import on_all

PORT = 11211
PROMPT_SECONDS = 15
Done = subprocess.CompletedProcess[str]

# Prints each time the same for the same state: package, unit, process, files of configuration.
_NODE_STATE = r"""
if command -v dpkg-query >/dev/null; then
    dpkg-query -W -f '${db:Status-Status} ${Version}\n' memcached 2>/dev/null |
        grep -v ^not-installed
else
    rpm -q memcached
fi
systemctl show -p LoadState,ActiveState,UnitFileState,MainPID memcached.service
for file in /etc/memcached.conf* /etc/sysconfig/memcached*; do
    [ ! -f "$file" ] || md5sum "$file"
done
ls /tmp
true
"""
_CIB_STATE = "cibadmin --query | sed -n '1s/ cib-last-written.*//;1s/num_updates=\"[0-9]*\"//p'"

_TALK = r"""
import socket, sys
link = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)
link.sendall(sys.argv[3].encode().decode("unicode_escape").encode() + b"quit\r\n")
print(b"".join(iter(lambda: link.recv(4096), b"")).decode(), end="")
"""


def node_state(cluster: Cluster, node: str) -> str:
    """Return package, unit, process and configuration of memcached on a node, as text."""
    return cluster.run(node, _NODE_STATE).stdout


def cib_state(cluster: Cluster, node: str = "") -> str:
    """Return the CIB's version without its count of status updates."""
    return cluster.run(node or cluster.nodes[0], _CIB_STATE, check=False).stdout


def state(cluster: Cluster) -> dict[str, str]:
    """Return everything that a refused task must leave as it is."""
    nodes = dict(
        zip(cluster.nodes, on_all(partial(node_state, cluster), cluster.nodes), strict=True)
    )
    return {**nodes, "CIB": cib_state(cluster)}


@contextmanager
def unchanged(cluster: Cluster) -> Iterator[None]:
    """Assert that package, unit, process, configuration and CIB are the same after as before."""
    before = state(cluster)
    yield
    after = state(cluster)
    for place, text in before.items():
        lines = unified_diff(text.splitlines(), after[place].splitlines(), n=0, lineterm="")
        assert after[place] == text, "\n".join([f"changed on {place}:", *lines])


@contextmanager
def covered(cluster: Cluster, node: str, path: str, text: str) -> Iterator[None]:
    """Let a node read another text in a file, by a mount that is taken away again."""
    cover = f"/run/cover-{path.replace('/', '-')}"
    cluster.run(node, f"cat >{cover} && mount --bind {cover} {path}", stdin=text)
    try:
        yield
    finally:
        cluster.run(node, f"umount {path} && rm {cover}")


def assert_refused(done: Done, *words: str, status: int | None = None) -> None:
    """Assert a failure that names host, finding and next step, without a traceback."""
    text = done.stdout + done.stderr
    assert done.returncode == status if status else done.returncode, text
    assert "Traceback" not in text, text
    assert "please report" not in text, text
    missing = [word for word in (*words, "next:") if word not in text]
    assert not missing, f"{missing} not in:\n{text}"


def line_of(done: Done, host: str, task: str) -> str:
    """Return the one line that a task printed for a host, mark and outcome included."""
    lines = [line for line in done.stdout.splitlines() if line[2:].split()[:2] == [host, task]]
    assert len(lines) == 1, done.stdout + done.stderr
    return lines[0]


def outcomes(done: Done, task: str) -> dict[str, str]:
    """Return the outcome that a task printed for each host; a host has one line."""
    rows = [line[2:].split() for line in done.stdout.splitlines() if line[:1] in "+=!~-"]
    found = [(row[0], row[2]) for row in rows if row[1:2] == [task]]
    assert len(dict(found)) == len(found), done.stdout
    return dict(found)


def processes(cluster: Cluster) -> dict[str, str]:
    """Return pid and kernel start time of each node's memcached; empty where none runs."""
    command = 'for p in $(pgrep -x memcached); do cut -d" " -f1,22 /proc/$p/stat; done'
    return {node: cluster.run(node, command).stdout.strip() for node in cluster.nodes}


def sockets(cluster: Cluster, node: str, port: int = PORT) -> list[str]:
    """Return "tcp address" or "udp address" of the node's sockets on a port."""
    rows = cluster.run(node, f"ss -Hlntu 'sport = :{port}'").stdout.splitlines()
    return sorted(f"{row.split()[0]} {row.split()[4].rpartition(':')[0]}" for row in rows)


def unit(cluster: Cluster, node: str, *properties: str) -> list[str]:
    """Return properties of the unit memcached.service."""
    names = ",".join(properties)
    text = cluster.run(node, f"systemctl show -p {names} memcached.service").stdout
    shown = dict(line.split("=", 1) for line in text.splitlines())
    return [shown[name] for name in properties]


def pid(cluster: Cluster, node: str) -> str:
    """Return the pid of the node's one memcached, empty without one."""
    return processes(cluster)[node].partition(" ")[0]


def config_path(cluster: Cluster) -> str:
    """Return where the image's distribution family keeps memcached's configuration."""
    family = cluster.image.rstrip("0123456789")
    return "/etc/memcached.conf" if family == "debian" else "/etc/sysconfig/memcached"


def read(cluster: Cluster, node: str, path: str) -> str:
    """Return a file's text."""
    return cluster.run(node, f"cat {path}").stdout


def exists(cluster: Cluster, node: str, path: str) -> bool:
    """Tell whether a path is there."""
    return cluster.run(node, f"test -e {path}", check=False).returncode == 0


def is_installed(cluster: Cluster, node: str) -> bool:
    """Tell whether memcached's program is there."""
    return exists(cluster, node, "/usr/bin/memcached")


def talk(cluster: Cluster, node: str, to: str, text: str, port: int = PORT) -> str:
    r"""Send memcached protocol (\r\n as typed) from a node; return the answer, \n between lines."""
    done = cluster.run(node, f"python3 -I -c '{_TALK}' {to} {port} '{text}'")
    return done.stdout


def cib(cluster: Cluster, node: str = "") -> ET.Element:
    """Return the whole CIB."""
    text = cluster.run(node or cluster.nodes[0], "cibadmin --query").stdout
    return ET.fromstring(text)  # noqa: S314  (our own nodes wrote it)


def clone_meta(cluster: Cluster) -> dict[str, str]:
    """Return the meta attributes that stand on the clone element itself."""
    found = cib(cluster).findall(".//clone[@id='memcached-clone']/meta_attributes/nvpair")
    return {pair.get("name", ""): pair.get("value", "") for pair in found}


def has_clone(cluster: Cluster) -> bool:
    """Tell whether the clone is in the CIB."""
    return cib(cluster).find(".//clone[@id='memcached-clone']") is not None


def started_on(cluster: Cluster, node: str = "") -> list[str]:
    """Return the nodes on which Pacemaker says that memcached is Started."""
    command = "crm_mon --one-shot --output-as=xml"
    root = ET.fromstring(cluster.run(node or cluster.nodes[0], command).stdout)  # noqa: S314
    path = ".//clone[@id='memcached-clone']/resource[@role='Started']/node"
    return sorted(one.get("name", "") for one in root.findall(path))


@contextmanager
def slow_to_decide(cluster: Cluster, seconds: float) -> Iterator[None]:
    """Stop the program that decides what Pacemaker does next, for so long at most."""
    freeze = "pkill -STOP -x pacemaker-sched"  # the kernel keeps 15 letters
    thaw = freeze.replace("STOP", "CONT")
    for node in cluster.nodes:
        cluster.run(node, f"{freeze} && {{ (sleep {seconds}; {thaw}) >/dev/null 2>&1 & }}")
    try:
        yield
    finally:
        for node in cluster.nodes:
            cluster.run(node, thaw)


def until(holds: Callable[[], bool], what: str, seconds: float = 90) -> None:
    """Wait for a condition; when it never comes, say which.

    Between two looks is as long as one took, up to a second: what is asked has to get on too.
    """
    begun = time.monotonic()
    deadline = begun + seconds
    while not holds():
        now = time.monotonic()
        assert now < deadline, f"not within {seconds} s: {what}"
        time.sleep(min(max(0.1, now - begun), 1))
        begun = time.monotonic()


def fab_argv(
    cluster: Cluster, *args: str, hosts: str = "", ssh_config: Path | None = None
) -> list[str]:
    """Return the command line of a fab run, for tests that need the process itself."""
    config = str(ssh_config or cluster.ssh_config)
    fab = str(Path(sys.executable).with_name("fab"))
    return [fab, "-S", config, "-H", hosts or ",".join(cluster.nodes), *args]


def fab_by_inventory(
    cluster: Cluster, folder: Path, *args: str, text: str, secrets: Mapping[str, str]
) -> Done:
    """Run a task of fab on the hosts that an inventory of this text names, with these secrets."""
    file = folder / "inventory.yaml"
    file.write_text(text)
    argv = fab_argv(cluster, *args, "--inventory", str(file))
    place = argv.index("-H")
    del argv[place : place + 2]
    return subprocess.run(
        argv, env=environment(**secrets), capture_output=True, text=True, timeout=600,
        check=False, cwd=REPOSITORY_ROOT, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def start(cluster: Cluster, *args: str, hosts: str = "") -> subprocess.Popen[str]:
    """Start fab and return while it works; what it prints comes as one text."""
    # A suite that runs in the background inherits a SIGINT that is ignored, and so would fab.
    return subprocess.Popen(
        ["env", "--default-signal=INT,TERM,HUP", *fab_argv(cluster, *args, hosts=hosts)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment(),
        cwd=REPOSITORY_ROOT,
    )


def environment(**changes: str) -> Mapping[str, str]:
    """Return the environment for a fab run, without the agent of whoever runs the tests."""
    kept = {key: value for key, value in os.environ.items() if key != "SSH_AUTH_SOCK"}
    return kept | changes


def typed(
    argv: list[str], prompt: str, answer: str, env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a program on a terminal and answer its first such prompt; return status and screen."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(REPOSITORY_ROOT)
        os.execve(argv[0], argv, dict(env or environment()))  # noqa: S606  (the point: no shell)
    seen = bytearray()
    asked = False
    with suppress(OSError):  # EIO: the program has ended
        while chunk := os.read(terminal, 4096):
            seen += chunk
            if not asked and prompt.encode() in seen:
                asked = True
                os.write(terminal, f"{answer}\n".encode())
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), seen.decode(errors="replace")
