"""Packages of a node: what there is, and the steps that install or purge one.

apt-get, dnf and yum are told apart by the node's os-release, not by which programs lie around.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from fabfile.errors import PacefabError, RefusedError
from fabfile.host.model import Package
from fabfile.transport.command import Section, Step, shell, step

INSTALL_SECONDS = 600  # one package from a slow mirror
LOCK_SECONDS = 120  # how long another package manager's lock is waited for

_DEBIAN, _REDHAT = "debian", "rhel"
_FAMILIES = {
    "debian": _DEBIAN, "ubuntu": _DEBIAN,
    "rhel": _REDHAT, "centos": _REDHAT, "fedora": _REDHAT,
}  # fmt: skip


def observe(package: str) -> list[Step]:
    """Return the steps that `parse` understands."""
    return [
        step("os", "cat", "/etc/os-release"),
        shell("managers", 'for m in dnf yum apt-get; do command -v "$m"; done; true'),
        step("dpkg", "dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package),
        step("rpm", "rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", package),
    ]


def parse_distribution(sections: Mapping[str, Section]) -> tuple[str, str | None]:
    """Return ("debian 12", family): debian, rhel, or None for one we do not know.

    Family goes by ID, then ID_LIKE (os-release(5)).
    """
    lines = (line.partition("=") for line in sections["os"].out.splitlines())
    fields = {key: value.strip("\"'") for key, _, value in lines}
    ids = [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]
    family = next((_FAMILIES[i] for i in ids if i in _FAMILIES), None)
    return f"{fields.get('ID', 'unknown')} {fields.get('VERSION_ID', '')}".strip(), family


def parse(package: str, sections: Mapping[str, Section]) -> Package | None:
    """Return the package's state; None where there is no package manager that we know."""
    _, family = parse_distribution(sections)
    present = {path.rpartition("/")[2] for path in sections["managers"].out.split()}
    wanted = {_DEBIAN: ["apt-get"], _REDHAT: ["dnf", "yum"]}.get(family or "", [])
    manager = next((m for m in wanted if m in present), None)
    if manager is None:
        return None
    if manager == "apt-get":
        status, _, version = sections["dpkg"].out.partition(" ")
        return Package(manager, package, version if status == "installed" else None)
    return Package(manager, package, sections["rpm"].out.strip() if sections["rpm"].ok else None)


def plan_install(package: Package, lock_seconds: int = LOCK_SECONDS) -> list[Step]:
    """Return the steps that install it; undone (purged) when a later step fails.

    Debian's scripts start and enable a new service. While its unit is masked they cannot; the mask
    lies in /run and would not outlive a reboot. RPMs of the EL family do neither.
    """
    words = (package.name, str(lock_seconds))
    undo = ("sh", "-c", _PURGE[package.manager], "pacefab", *words)
    installed = shell("install", _INSTALL[package.manager], *words)
    install = Step(installed.name, installed.argv, undo)
    if package.manager != "apt-get":
        return [install]
    unit = f"/run/systemd/system/{package.name}.service"
    unguard = shell("unguard", _UNMASK, unit)
    return [Step("guard", shell("guard", _MASK, unit).argv, unguard.argv), install, unguard]


# As `systemctl mask --runtime`, without its reload (0.2 s): the package's own scripts do one.
_MASK = '[ -e "$1" ] || { mkdir -p "${1%/*}" && ln -sfn /dev/null "$1"; }'
_UNMASK = '[ "$(readlink "$1")" != /dev/null ] || { rm "$1" && systemctl daemon-reload; }'


def plan_purge(package: Package, lock_seconds: int = LOCK_SECONDS) -> list[Step]:
    """Return the step that removes the package and the configuration that it owns."""
    return [shell("purge", _PURGE[package.manager], package.name, str(lock_seconds))]


# What a package manager prints goes to a file that is relayed while it works: its stdout must not
# break when the operator's connection does, or dpkg stops half-way. stderr joins in, so that
# "waiting for lock" is seen while it happens.
_RELAY = r"""
pkg=$1 lock=$2 log=$(mktemp /run/pacefab.XXXXXX)
work > "$log" 2>&1 </dev/null & pid=$!
tail -n +1 -f -s 0.1 --pid="$pid" "$log" 2>/dev/null
wait "$pid"; status=$?
rm -f "$log"; exit "$status"
"""
_APT = r"""
apt() {
  timeout -k 10 "$((600 + lock))" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    -o "DPkg::Lock::Timeout=$lock" -o Dpkg::Use-Pty=0 \
    -o Acquire::Retries=1 -o Acquire::http::Timeout=20 "$@"
}
"""
# The index is fetched only when the package is not to be had without: most runs need no mirror.
# `check` tells a lock that is still held from an index that is too old.
_APT_INSTALL = r"""
work() {
  apt-cache show "$pkg" >/dev/null 2>&1 && apt install --no-install-recommends "$pkg" && return
  apt-get -qq -o DPkg::Lock::Timeout=0 check >/dev/null || return 100
  apt update && apt install --no-install-recommends "$pkg"
}
"""
# dnf waits for its own lock without limit, and for rpm's not at all; so it is asked to give up at
# once, and asked again.
_RPM = r"""
try() { timeout -k 10 600 "$manager" -y --setopt=exit_on_lock=True "$verb" "$pkg"; }
work() {
  end=$(($(date +%s) + lock)) told=
  until try > "$log.try" 2>&1; do
    status=$?
    [ "$(date +%s)" -lt "$end" ] && grep -Eq "$locked" "$log.try" || break
    [ "$told" ] || echo "Waiting for the package manager's lock, at most $lock s"
    told=1 status=0
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
_PURGE = {
    "apt-get": _APT + 'work() { apt purge "$pkg"; }\n' + _RELAY,
    "dnf": _RPM + "manager=dnf verb=remove\n" + _RELAY,
    "yum": _RPM + "manager=yum verb=remove\n" + _RELAY,
}

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
# The first that is seen decides: a mirror that is away explains a package that is not found.
_NEXT_STEPS = (
    (_INTERRUPTED, "a package run was interrupted there: dpkg --configure -a, then run again"),
    (_LOCKED, "another package manager holds the lock: see who (ps), let it end, run again"),
    (_NO_SPACE, "the disk is full: free some space (df -h), run again"),
    (_NO_MIRROR, "the package mirror cannot be reached: check network and repositories, run again"),
    (_NO_PACKAGE, "no repository of this node has it: enable one that does, run again"),
)


def waiting(line: str) -> str | None:
    """Return what to tell the operator when `line` says that a lock is waited for, else None."""
    return line.strip() if _WAITING.fullmatch(line.strip()) else None


def explain(package: Package, section: Section) -> PacefabError:
    """Return why installing or purging failed, from what the package manager printed."""
    attempted = f"{section.name} {package.name} with {package.manager}"
    text = section.text
    for pattern, next_step in _NEXT_STEPS:
        if pattern.search(text):
            return RefusedError(attempted, _tail(text, pattern), next_step)
    return RefusedError(attempted, _tail(text), f"run {package.manager} on the node by hand")


def _tail(text: str, pattern: re.Pattern[str] | None = None, lines: int = 8) -> str:
    every = [line for line in text.splitlines() if line.strip()]
    named = [line for line in every if pattern and pattern.search(line)]
    return "\n".join((named or every)[-lines:])
