"""Package managers in trouble: no mirror, locks held by others, full disks, yum alone."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from tests.cluster import eyes

pytestmark = pytest.mark.every_image

# Nothing listens on port 9 of a node: a mirror that refuses, at once.
NO_MIRROR = {
    "debian": r"""
        mount -t tmpfs none /etc/apt/sources.list.d
        echo 'deb http://127.0.0.1:9/debian stable main' >/run/no-mirror
        mount --bind /run/no-mirror /etc/apt/sources.list
        mount -t tmpfs none /var/lib/apt/lists
    """,
    "rpm": r"""
        mount -t tmpfs none /etc/yum.repos.d
        cd /etc/yum.repos.d
        printf '[gone]\nname=gone\nbaseurl=http://127.0.0.1:9/\ngpgcheck=0\n' >gone.repo
        mount -t tmpfs none /var/cache/dnf
    """,
}
MIRROR_AGAIN = {
    "debian": "umount /var/lib/apt/lists /etc/apt/sources.list /etc/apt/sources.list.d",
    "rpm": "umount /var/cache/dnf /etc/yum.repos.d",
}
# Programs that hold a lock as another package manager does, until they are stopped.
HOLDERS = {
    ("debian", "transaction"): "lock('/var/lib/dpkg/lock-frontend')",
    ("rpm", "transaction"): "lock(subprocess.getoutput('rpm --eval %{_rpmlock_path}'))",
    ("rpm", "dnf"): "dnf()",
}
HOLD = """
import fcntl, signal, subprocess, time

def lock(path):
    global file
    file = open(path, "a")
    fcntl.lockf(file, fcntl.LOCK_EX)

def dnf():
    from dnf.lock import build_rpmdb_lock
    build_rpmdb_lock("/var/lib/dnf", True).__enter__()

"""
# A folder that the package needs, and that is full.
FULL = {"debian": "/usr/share/memcached", "rpm": "/etc/sysconfig"}


def family(cluster: Cluster) -> str:
    """Return debian or rpm."""
    return "debian" if cluster.image.startswith("debian") else "rpm"


@pytest.fixture
def without_mirror(bare: Cluster) -> Iterator[Cluster]:
    bare.run("c2", f"set -e\n{NO_MIRROR[family(bare)]}")
    yield bare
    bare.run("c2", MIRROR_AGAIN[family(bare)])


@contextmanager
def locked(cluster: Cluster, node: str, kind: str) -> Iterator[None]:
    """Hold a lock of the package manager, as another one at work does; released at the end."""
    hold = f"{HOLD}{HOLDERS[family(cluster), kind]}\nopen('/run/held', 'w')\nsignal.pause()\n"
    cluster.run(node, "cat >/run/hold.py", stdin=hold)
    cluster.run(node, "systemd-run --quiet --collect --unit=holder python3 /run/hold.py")
    eyes.until(lambda: eyes.exists(cluster, node, "/run/held"), "the lock is held")
    try:
        yield
    finally:
        cluster.run(node, "systemctl stop holder; rm /run/held /run/hold.py")


@contextmanager
def full(cluster: Cluster, node: str, folder: str) -> Iterator[None]:
    """Put a full file system over a folder; what was in there is in it too."""
    cluster.run(
        node,
        f"mkdir -p {folder} && mkdir /run/seen && cp -a {folder}/. /run/seen"
        f" && mount -t tmpfs -o size=64k none {folder} && cp -a /run/seen/. {folder}"
        f" && {{ cat /dev/zero >{folder}/filler 2>/dev/null; test -s {folder}/filler; }}",
    )
    try:
        yield
    finally:
        cluster.run(node, f"umount {folder} && rm -r /run/seen")


def test_an_unreachable_mirror_is_reported_and_the_others_done(without_mirror: Cluster) -> None:
    cluster = without_mirror
    before = eyes.node_state(cluster, "c2")
    done = cluster.fab("install-memcached", "--memory", "40")
    eyes.assert_refused(done, "error on c2", "127.0.0.1", "mirror", status=1)
    found = eyes.outcomes(done, "install-memcached")
    assert found == {"c1": "changed", "c2": "failed", "c3": "changed"}
    assert eyes.node_state(cluster, "c2") == before


def test_without_a_mirror_an_installed_host_stays_unchanged(bare: Cluster) -> None:
    bare.fab("install-memcached", hosts=["c1"], check=True)
    bare.run("c1", f"set -e\n{NO_MIRROR[family(bare)]}")
    try:
        done = bare.fab("install-memcached", hosts=["c1"])
    finally:
        bare.run("c1", MIRROR_AGAIN[family(bare)])
    assert done.returncode == 0, done.stdout + done.stderr
    assert eyes.outcomes(done, "install-memcached") == {"c1": "unchanged"}


@pytest.fixture(params=["transaction", "dnf"])
def lock_kind(bare: Cluster, request: pytest.FixtureRequest) -> str:
    if (family(bare), request.param) not in HOLDERS:
        pytest.skip("only dnf has a lock of its own besides")
    if eyes.is_installed(bare, "c2"):
        bare.fab("remove-memcached", "--yes", "--purge", hosts=["c2"], check=True)
    return str(request.param)


def test_a_lock_that_stays_held_is_reported_in_time(bare: Cluster, lock_kind: str) -> None:
    with locked(bare, "c2", lock_kind), eyes.unchanged(bare):
        begun = time.monotonic()
        done = bare.fab("install-memcached", "--lock-timeout", "2", hosts=["c2"])
        took = time.monotonic() - begun
    eyes.assert_refused(done, "error on c2", "lock", "let it end", status=1)
    assert took < 60  # without the option it would be 120


def test_a_lock_is_waited_for_visibly(bare: Cluster, lock_kind: str) -> None:
    argv = eyes.fab_argv(bare, "install-memcached", hosts="c2")
    with locked(bare, "c2", lock_kind):
        fab = subprocess.Popen(
            argv, stdout=subprocess.PIPE, text=True, env=eyes.environment(), cwd=REPOSITORY_ROOT
        )
        stop = threading.Timer(100, fab.kill)
        stop.start()
        assert fab.stdout
        seen = ""
        for line in fab.stdout:
            seen += line
            if "aiting" in line:
                break
        stop.cancel()
        look = "ps -e f -o pid,etime,stat,wchan:20,args; cat /run/pacefab.*"
        at_work = bare.run("c2", look, check=False).stdout
    rest, _ = fab.communicate(timeout=300)
    text = seen + rest
    assert seen.splitlines()[-1].startswith("… c2 "), text + at_work
    assert fab.returncode == 0, text
    assert eyes.is_installed(bare, "c2")


def test_a_disk_that_is_full_is_reported_and_nothing_stays(bare: Cluster) -> None:
    bare.fab("remove-memcached", "--yes", "--purge", check=True)
    folder = FULL[family(bare)]
    with full(bare, "c3", folder), eyes.unchanged(bare):
        done = bare.fab("install-memcached", hosts=["c3"])
        eyes.assert_refused(done, "error on c3", "pace", "df -h", status=1)
    again = bare.fab("install-memcached", hosts=["c3"])
    assert again.returncode == 0, again.stdout + again.stderr


def test_a_full_disk_keeps_the_old_configuration(bare: Cluster) -> None:
    if family(bare) != "rpm":
        pytest.skip("/etc/memcached.conf has no folder of its own to fill")
    bare.fab("install-memcached", hosts=["c1"], check=True)
    with full(bare, "c1", "/etc/sysconfig"), eyes.unchanged(bare):
        done = bare.fab("install-memcached", "--memory", "99", hosts=["c1"])
        eyes.assert_refused(done, "error on c1", "No space left", "df -h", status=1)


def test_yum_alone_is_enough(bare: Cluster) -> None:
    if bare.image != "rpm":
        pytest.skip("only the rpm image can do without dnf by its own name")
    bare.run("c1", "mv /usr/bin/dnf /usr/bin/dnf.away && ln -sfn dnf.away /usr/bin/yum")
    try:
        bare.fab("remove-memcached", "--yes", "--purge", hosts=["c1"], check=True)
        done = bare.fab("install-memcached", hosts=["c1"])
        purged = bare.fab("remove-memcached", "--yes", "--purge", hosts=["c1"])
    finally:
        bare.run("c1", "ln -sfn dnf /usr/bin/yum && mv /usr/bin/dnf.away /usr/bin/dnf")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "installed with yum" in done.stdout
    assert purged.returncode == 0, purged.stdout + purged.stderr


def test_needrestart_is_suspended_in_what_apt_runs(bare: Cluster) -> None:
    if family(bare) != "debian":
        pytest.skip("needrestart is in apt's hooks")
    hook, seen = "/etc/apt/apt.conf.d/99seen", "/run/needrestart-seen"
    bare.fab("remove-memcached", "--yes", "--purge", hosts=["c1"], check=True)
    text = f'DPkg::Post-Invoke {{"env | grep NEEDRESTART_ >>{seen} || echo none >>{seen}";}};'
    bare.run("c1", f"rm -f {seen}; cat >{hook}", stdin=text)
    try:
        bare.fab("install-memcached", hosts=["c1"], check=True)
        bare.fab("remove-memcached", "--yes", "--purge", hosts=["c1"], check=True)
        lines = eyes.read(bare, "c1", seen).splitlines()
    finally:
        bare.run("c1", f"rm -f {hook} {seen}")
    assert lines.count("NEEDRESTART_SUSPEND=1") > 1, "installing and purging"
    assert set(lines) == {"NEEDRESTART_SUSPEND=1", "NEEDRESTART_MODE=l"}


# As needrestart's own hook does (/usr/lib/needrestart/apt-pinvoke, NEEDRESTART_MODE in
# needrestart(1)): nothing while it is suspended; else, on Ubuntu, it restarts services by itself
# where apt does not ask. Debian's asks by default.
NEEDRESTART = """#!/bin/sh
[ -z "$NEEDRESTART_SUSPEND" ] || exit 0
. /etc/os-release
[ "$ID" = ubuntu ] && mode=a || mode=i
[ "${NEEDRESTART_MODE:-$mode}" != a ] || systemctl restart victim
"""
UBUNTU = """ID=ubuntu
ID_LIKE=debian
NAME=Ubuntu
VERSION_ID="{}"
"""


@pytest.fixture(params=[pytest.param("22.04", marks=pytest.mark.long), "24.04"])
def ubuntu(bare: Cluster, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A node that calls itself Ubuntu, with needrestart in apt's hooks and a service that runs."""
    if family(bare) != "debian":
        pytest.skip("needrestart is in apt's hooks")
    hook, program = "/etc/apt/apt.conf.d/99needrestart", "/usr/local/sbin/needrestart-hook"
    if eyes.is_installed(bare, "c1"):
        bare.fab("remove-memcached", "--yes", "--purge", hosts=["c1"], check=True)
    bare.run("c1", f"cat >{program}; chmod +x {program}", stdin=NEEDRESTART)
    bare.run("c1", f"cat >{hook}", stdin=f'DPkg::Post-Invoke {{"{program}";}};')
    release = UBUNTU.format(request.param)
    bare.run(
        "c1", "cat >/run/os-release; mount --bind /run/os-release /etc/os-release", stdin=release
    )
    bare.run("c1", "systemd-run --quiet --collect --unit=victim sleep infinity")
    yield bare
    bare.run("c1", f"umount /etc/os-release; rm {hook} {program}; systemctl stop victim")


def test_on_ubuntu_no_service_is_restarted_by_what_we_install(ubuntu: Cluster) -> None:
    def started() -> str:
        return ubuntu.run("c1", "systemctl show --value -p ExecMainPID victim").stdout

    before = started()
    for words in (("install-memcached",), ("remove-memcached", "--yes", "--purge")):
        done = ubuntu.fab(*words, hosts=["c1"])
        assert done.returncode == 0, done.stdout + done.stderr
        assert started() == before
    ubuntu.run(
        "c1", "DEBIAN_FRONTEND=noninteractive apt-get -qq install rsync; apt-get -qq -y purge rsync"
    )
    assert started() != before, "the hook does what it is there for"
