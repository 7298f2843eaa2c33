"""Packages of a node: what there is, and the steps that install or purge one.

The node's os-release decides between apt-get, dnf and yum, not which programs are there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pacefab.errors import PacefabError, RefusedError
from pacefab.transport.command import Section, Step, shell, step

INSTALL_SECONDS = 600  # packages from a slow mirror
LOCK_SECONDS = 120  # how long another package manager's lock is waited for

_DEBIAN, _REDHAT = "debian", "rhel"
_FAMILIES = {
    "debian": _DEBIAN, "ubuntu": _DEBIAN,
    "rhel": _REDHAT, "centos": _REDHAT, "fedora": _REDHAT,
}  # fmt: skip


def observe(names: Sequence[str]) -> list[Step]:
    """Return the steps that `parse_manager` and `parse_packages` understand."""
    asked = [
        step("dpkg", "dpkg-query", "-W", "-f", _DPKG, *names),
        step("rpm", "rpm", "-q", "--qf", _RPM_QUERY, *names),
    ]
    return [
        step("os", "cat", "/etc/os-release"),
        shell("managers", 'for m in dnf yum apt-get; do command -v "$m"; done; true'),
        *(asked if names else ()),  # without a name dpkg-query lists every package
    ]


_DPKG = r"${Package} ${Version} ${db:Status-Status}\n"
_RPM_QUERY = r"%{NAME} %{VERSION}-%{RELEASE} installed\n"


def parse_distribution(sections: Mapping[str, Section]) -> tuple[str, str | None]:
    """Return ("debian 12", family): debian, rhel, or None for one we do not know.

    Family goes by ID, then ID_LIKE (os-release(5)).
    """
    lines = (line.partition("=") for line in sections["os"].out.splitlines())
    fields = {key: value.strip("\"'") for key, _, value in lines}
    ids = [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]
    family = next((_FAMILIES[i] for i in ids if i in _FAMILIES), None)
    return f"{fields.get('ID', 'unknown')} {fields.get('VERSION_ID', '')}".strip(), family


def parse_manager(sections: Mapping[str, Section]) -> str | None:
    """Return the family's package manager; None where there is none that we know."""
    _, family = parse_distribution(sections)
    present = {path.rpartition("/")[2] for path in sections["managers"].out.split()}
    desired = {_DEBIAN: ["apt-get"], _REDHAT: ["dnf", "yum"]}.get(family or "", [])
    return next((manager for manager in desired if manager in present), None)


def parse_packages(names: Sequence[str], sections: Mapping[str, Section]) -> dict[str, str | None]:
    """Return the version of each package; None: not installed, or unknown to this family."""
    section = sections.get("dpkg" if parse_manager(sections) == "apt-get" else "rpm")
    rows = [line.split() for line in section.out.splitlines()] if section else []
    versions = {words[0]: words[1] for words in rows if words[2:] == ["installed"]}
    return {name: versions.get(name) for name in names}


def plan_install(
    manager: str, names: Sequence[str], units: Sequence[str], lock_seconds: int = LOCK_SECONDS
) -> list[Step]:
    """Return the steps that install packages; undone (purged) when a later step fails.

    The `units` are kept from starting, as `_guarded` describes.
    """
    name = f"install {' '.join(names)} with {manager}"
    undo = shell("", _PURGE[manager], str(lock_seconds), *names).argv
    install = replace(shell(name, _INSTALL[manager], str(lock_seconds), *names), undo=undo)
    return _guarded(manager, install, units)


def plan_upgrade(
    manager: str, names: Sequence[str], units: Sequence[str], lock_seconds: int = LOCK_SECONDS
) -> list[Step]:
    """Return the steps that bring packages to the newest version; there is no way back.

    Its `units` do not run meanwhile, and are kept from starting.
    """
    name = f"upgrade {' '.join(names)} with {manager}"
    return _guarded(manager, shell(name, _UPGRADE[manager], str(lock_seconds), *names), units)


def _guarded(manager: str, change: Step, units: Sequence[str]) -> list[Step]:
    """Return the step between those that keep units from starting.

    Debian's scripts start and enable services. While the units are masked they cannot; the masks
    lie in /run and would not outlive a reboot. RPMs of the EL family do neither.
    """
    if manager != "apt-get" or not units:
        return [change]
    masks = [f"/run/systemd/system/{unit}" for unit in units]
    unguard = shell("unguard", _UNMASK, *masks)
    return [replace(shell("guard", _MASK, *masks), undo=unguard.argv), change, unguard]


def plan_fetch(manager: str, lock_seconds: int = LOCK_SECONDS) -> Step:
    """Return the step that fetches the newest version of every package, and installs none."""
    name = f"fetch the newest packages with {manager}"
    return shell(name, _EVERY[manager], str(lock_seconds), "--download-only")


def plan_upgrade_all(
    manager: str, units: Sequence[str], lock_seconds: int = LOCK_SECONDS
) -> list[Step]:
    """Return the steps that bring every package to its newest version; there is no way back.

    What was begun earlier is ended first. Configuration files that the operator has changed stay as
    they are; the distribution's lie beside them. No package is removed. Its `units` do not run
    meanwhile, and are kept from starting.
    """
    name = f"upgrade every package with {manager}"
    return _guarded(manager, shell(name, _EVERY[manager], str(lock_seconds)), units)


def observe_newest(manager: str, name: str) -> list[Step]:
    """Return the step of `parse_newest`; it fetches the repositories' index first."""
    return [shell("newest", _NEWEST[manager], name)]


def parse_newest(sections: Mapping[str, Section]) -> str | None:
    """Return the newest version that the repositories have; None when they have none."""
    version = sections["newest"].out.strip()
    return version if version and version != "(none)" else None


# As `systemctl mask --runtime`, without its reload (0.2 s): the package's own scripts do one.
_MASK = """
for mask; do
  [ -e "$mask" ] || { mkdir -p "${mask%/*}" && ln -sfn /dev/null "$mask"; } || exit
done
"""
_UNMASK = """
for mask; do [ "$(readlink "$mask")" != /dev/null ] || rm "$mask" || exit; done
systemctl daemon-reload
"""


def plan_purge(manager: str, names: Sequence[str], lock_seconds: int = LOCK_SECONDS) -> list[Step]:
    """Return the step that removes packages and the configuration that they own."""
    name = f"purge {' '.join(names)} with {manager}"
    return [shell(name, _PURGE[manager], str(lock_seconds), *names)]


def plan_remove(manager: str, names: Sequence[str]) -> list[Step]:
    """Return the step that removes packages and nothing else.

    Debian's scripts of Redis and RabbitMQ delete the data when they are purged.
    """
    name = f"remove {' '.join(names)} with {manager}"
    return [shell(name, _REMOVE[manager], str(LOCK_SECONDS), *names)]


# What a package manager prints goes to a file that is relayed while it works: its stdout must not
# break when the operator's connection does, or dpkg stops half-way. stderr joins in, so that
# "waiting for lock" is seen while it happens.
_RELAY = r"""
lock=$1 log=$(mktemp /run/pacefab.XXXXXX); shift
trap 'rm -f "$log"' EXIT; trap 'exit 143' TERM
work "$@" > "$log" 2>&1 </dev/null & pid=$!
tail -n +1 -f -s 0.1 --pid="$pid" "$log" 2>/dev/null
wait "$pid"
"""
# needrestart, which Ubuntu's servers have in apt's hooks, restarts what uses a replaced library,
# also what Pacemaker manages. SUSPEND keeps it from running; older ones know only MODE (l: list).
_APT = r"""
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=l
apt() {
  timeout -k 10 "$((${limit:-600} + lock))" apt-get -q -y \
    -o "DPkg::Lock::Timeout=$lock" -o Dpkg::Use-Pty=0 \
    -o Acquire::Retries=1 -o Acquire::http::Timeout=20 "$@"
}
"""
# The index is fetched only when the package is not to be had without: most runs need no mirror.
# `check` distinguishes a lock that is still held from an index that is too old.
_APT_INSTALL = r"""
known() { for pkg; do apt-cache show "$pkg" >/dev/null 2>&1 || return; done; }
work() {
  known "$@" && apt install --no-install-recommends "$@" && return
  apt-get -qq -o DPkg::Lock::Timeout=0 check >/dev/null || return 100
  apt update && apt install --no-install-recommends "$@"
}
"""
# dnf waits for its own lock without limit, and for rpm's not at all; so it is asked to give up at
# once, and asked again.
_RPM = r"""
try() { timeout -k 10 600 "$manager" -y --setopt=exit_on_lock=True "$verb" "$@"; }
work() {
  end=$(($(date +%s) + lock)) noted=
  until try "$@" > "$log.try" 2>&1; do
    status=$?
    [ "$(date +%s)" -lt "$end" ] && grep -Eq "$locked" "$log.try" || break
    [ "$noted" ] || echo "Waiting for the package manager's lock, at most $lock s"
    noted=1 status=0
    sleep 1
  done
  cat "$log.try"; rm "$log.try"
  return "${status:-0}"
}
locked='already locked by|transaction lock'
"""
_INSTALL = {
    "apt-get": _APT + _APT_INSTALL + _RELAY,
    "dnf": _RPM + "manager=dnf verb=install\n" + _RELAY,
    "yum": _RPM + "manager=yum verb=install\n" + _RELAY,
}
_UPGRADE = {
    "apt-get": _APT + 'work() { apt install --only-upgrade "$@"; }\n' + _RELAY,
    "dnf": _RPM + "manager=dnf verb=upgrade\n" + _RELAY,
    "yum": _RPM + "manager=yum verb=upgrade\n" + _RELAY,
}
# A month of updates takes longer than a package; what `run_steps` allows is more.
_EVERY = {
    "apt-get": _APT
    + r"""
limit=1500 keep='-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold'
work() {
  [ $# -gt 0 ] || dpkg --force-confdef --force-confold --configure -a || return
  apt $keep --with-new-pkgs "$@" upgrade
}
"""
    + _RELAY,
}
# An index that could not be fetched leaves the previous one, which is still worth an answer.
_DNF_NEWEST = "dnf -q repoquery --refresh --latest-limit=1 --qf '%{version}-%{release}' \"$1\""
_NEWEST = {
    "apt-get": "apt-get -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=10 update >&2; "
    "apt-cache policy \"$1\" | sed -n 's/^  Candidate: //p'",
    "dnf": _DNF_NEWEST,
    "yum": _DNF_NEWEST,
}
_PURGE = {
    "apt-get": _APT + 'work() { apt purge "$@"; }\n' + _RELAY,
    "dnf": _RPM + "manager=dnf verb=remove\n" + _RELAY,
    "yum": _RPM + "manager=yum verb=remove\n" + _RELAY,
}
_REMOVE = {**_PURGE, "apt-get": _APT + 'work() { apt remove "$@"; }\n' + _RELAY}

# What package managers say while another one holds their lock.
_WAITING = re.compile(r"Waiting for (cache lock|the package manager's lock).*")
_LOCKED = re.compile(r"Could not get lock|Unable to lock|already locked by|transaction lock")
_INTERRUPTED = re.compile(r"dpkg was interrupted")
_NO_SPACE = re.compile(r"No space left on device|enough free space|needs? \S+ more space")
_NO_MIRROR = re.compile(
    r"Could not (resolve|connect)|Unable to connect|Connection (failed|refused|timed out)"
    r"|Failed to (fetch|download metadata)|Cannot download repodata|Curl error"
)
_NO_PACKAGE = re.compile(r"Unable to locate package|No match for argument|no installation cand")
_NO_CLUSTER_PACKAGE = re.compile(
    r"No match for argument: (pacemaker|corosync|pcs|resource-agents|fence-agents|sbd)"
)
_ENABLE_HIGH_AVAILABILITY = (
    "enable the repository that has it, run again: highavailability of CentOS Stream, Rocky and "
    "Alma (ha in release 8); on RHEL, where the subscription has the High Availability Add-On, "
    "rhel-9-for-x86_64-highavailability-rpms or the like"
)
# The first that is seen decides: a mirror that is away explains a package that is not found.
_NEXT_STEPS = (
    (_INTERRUPTED, "a package run was interrupted there: dpkg --configure -a, then run again"),
    (_LOCKED, "another package manager holds the lock: see who (ps), let it end, run again"),
    (_NO_SPACE, "the disk is full: free some space (df -h), run again"),
    (_NO_MIRROR, "the package mirror cannot be reached: check network and repositories, run again"),
    (_NO_CLUSTER_PACKAGE, _ENABLE_HIGH_AVAILABILITY),
    (_NO_PACKAGE, "no repository of this node has it: enable one that does, run again"),
)


def waiting(line: str) -> bool:
    """Return whether `line` says that a package manager's lock is waited for."""
    return bool(_WAITING.fullmatch(line.strip()))


def explain(section: Section) -> PacefabError | None:
    """Return why installing or purging failed, from what the package manager printed.

    None: that step was neither.
    """
    *_, manager = section.name.split()
    if manager not in _INSTALL:
        return None
    for pattern, next_step in _NEXT_STEPS:
        if pattern.search(section.text):
            return RefusedError(section.name, _tail(section.text, pattern), next_step)
    by_hand = f"run {manager} on the node by hand"
    return RefusedError(section.name, _tail(section.text), by_hand)


def _tail(text: str, pattern: re.Pattern[str] | None = None, lines: int = 8) -> str:
    every = [line for line in text.splitlines() if line.strip()]
    named = [line for line in every if pattern and pattern.search(line)]
    return "\n".join((named or every)[-lines:])
