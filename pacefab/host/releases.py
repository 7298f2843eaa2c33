"""What an upgrade of a node's distribution meets there: packages, repositories, disks, settings.

One round of harmless questions: nothing is fetched but the signature file of the release that is
upgraded to, into a folder that goes again. Debian and Ubuntu; of others there is nothing to ask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pacefab.transport.command import Section, Step, shell, step

_PACKAGES: Final = (
    r"${Package} ${Version} ${db:Status-Want} ${db:Status-Status} ${Installed-Size}\n"
)
# Of what was fetched before, the release's own word for whose it is; then all that is configured.
_SOURCES = r"""
format='$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)'
apt-get indextargets --format "$format" 'Created-By: Packages'
echo
apt-get indextargets --no-release-info --format "$format" 'Created-By: Packages'
echo
"""
# A URI with a password in it would be an argument that any user can read: it is not asked.
_REACH = r"""
own=$(. /etc/os-release && echo "$VERSION_CODENAME")
folder=$(mktemp -d) || exit
trap 'rm -rf "$folder"' EXIT; trap 'exit 143' TERM
apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
  sort -u | while read -r uri release; do
    case $uri in *@*) continue ;; http*) ;; *) continue ;; esac
    [ "$release" = "$own" ] || continue
    if timeout 15 /usr/lib/apt/apt-helper -o Acquire::Retries=0 -o Acquire::http::Timeout=10 \
      download-file "${uri}dists/$1/InRelease" "$folder/InRelease" >/dev/null 2>&1
    then echo "$uri yes"; else echo "$uri no"; fi
    rm -f "$folder/InRelease"
  done
"""
_AUTOMATIC = r"""
apt-config dump | grep -E '^APT::Periodic::(Enable|Unattended-Upgrade) '
echo
systemctl is-enabled apt-daily-upgrade.timer 2>/dev/null
true
"""
_NEEDRESTART = r"""
cat /etc/needrestart/needrestart.conf /etc/needrestart/conf.d/*.conf 2>/dev/null |
  grep -E '^[[:space:]]*\$nrconf\{restart\}'
true
"""
_ENVIRONMENT = r"""
cat /etc/default/pacemaker /etc/sysconfig/pacemaker 2>/dev/null |
  grep -E '^[[:space:]]*(export[[:space:]]+)?(HA|PCMK)_[A-Za-z_]+='
true
"""
_UNITS = r"""
[ $# -eq 0 ] || systemctl show -p Id -p UnitFileState "$@"
"""
_FOLDERS: Final = ("/", "/usr", "/var", "/boot")
_USER = re.compile(r"(?<=://)[^/@]*@")
_MODE = re.compile(r"""restart\}\s*=\s*['"]?(\w)""")


@dataclass(frozen=True)
class KnownPackage:
    """A package that a node knows; `held`: it is not to be upgraded."""

    version: str
    state: str  # installed, half-configured, unpacked, config-files, …
    held: bool = False
    kib: int = 0  # that it takes when it is installed

    @property
    def broken(self) -> bool:
        """Whether dpkg began something with it and did not end."""
        return self.state not in {"installed", "config-files", "not-installed"}


@dataclass(frozen=True)
class Repository:
    """A source of packages; `origin` is what its release says of whose it is, empty: unknown."""

    uri: str  # without user and password
    suite: str
    component: str
    origin: str = ""

    @property
    def local(self) -> bool:
        """Whether it lies on the node itself."""
        return self.uri.startswith(("file:", "copy:", "cdrom:"))

    def __str__(self) -> str:
        return f"{self.uri} {self.suite}"


@dataclass(frozen=True)
class Disk:
    """A file system, by where it is mounted."""

    mount: str
    free_kib: int


@dataclass(frozen=True)
class ReleaseFacts:
    """What one round finds on a node.

    Args:
        id: os-release's ID: debian, ubuntu.
        version: its VERSION_ID: 12.
        codename: its VERSION_CODENAME: bookworm.
        packages: by name.
        audit: what `dpkg --audit` says.
        repositories: all that are configured.
        mirrors: whether the repositories of the node's own release have the one upgraded to.
        disks: the file systems of /, /usr, /var and /boot, by folder.
        upgrades_itself: unattended-upgrades is there, and its timer runs it.
        needrestart: when it restarts services: a (by itself), i (asks), l (lists); empty: not said.
        environment: the names that are set for Pacemaker's daemons, with their values.
        boot: the units that were asked about, and whether they are enabled.
        candidates: by package: the versions that repositories have, and of which release.
    """

    id: str = ""
    version: str = ""
    codename: str = ""
    packages: Mapping[str, KnownPackage] = field(default_factory=dict)
    audit: str = ""
    repositories: tuple[Repository, ...] = ()
    mirrors: Mapping[str, bool] = field(default_factory=dict)
    disks: Mapping[str, Disk] = field(default_factory=dict)
    upgrades_itself: bool = False
    needrestart: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    boot: Mapping[str, str] = field(default_factory=dict)
    candidates: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def installed(self, name: str) -> str:
        """Return the version of an installed package; empty: it is not."""
        package = self.packages.get(name)
        return package.version if package and package.state == "installed" else ""


def observe(target: str, packages: Sequence[str], units: Sequence[str]) -> list[Step]:
    """Return the steps that `parse` understands.

    Args:
        target: codename of the release to upgrade to.
        packages: those whose versions in the repositories matter.
        units: those of which it matters whether they start at boot.
    """
    return [
        step("os", "cat", "/etc/os-release"),
        step("packages", "dpkg-query", "-W", "-f", _PACKAGES),
        step("audit", "dpkg", "--audit"),
        shell("sources", _SOURCES),
        shell("reach", _REACH, target),
        step("disk", "df", "-Pk", *_FOLDERS),
        shell("automatic", _AUTOMATIC),
        shell("needrestart", _NEEDRESTART),
        shell("environment", _ENVIRONMENT),
        shell("boot", _UNITS, *units),
        step("candidates", "apt-cache", "madison", *packages),
    ]


def parse(sections: Mapping[str, Section]) -> ReleaseFacts:
    """Return what the steps of `observe` found.

    Raises:
        ValueError: an answer is none.
    """
    release = _fields(sections["os"].out)
    packages = _packages(sections["packages"].out)
    return ReleaseFacts(
        id=release.get("ID", ""),
        version=release.get("VERSION_ID", ""),
        codename=release.get("VERSION_CODENAME", ""),
        packages=packages,
        audit=sections["audit"].out.strip(),
        repositories=_repositories(sections["sources"].out),
        mirrors=_mirrors(sections["reach"].out),
        disks=_disks(sections["disk"].out),
        upgrades_itself=_upgrades_itself(sections["automatic"].out, packages),
        needrestart=_last_mode(sections["needrestart"].out),
        environment=_environment(sections["environment"].out),
        boot=_boot(sections["boot"].out),
        candidates=_candidates(sections["candidates"].out),
    )


def _fields(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value.strip("\"'") for name, _, value in pairs if name}


def _packages(text: str) -> dict[str, KnownPackage]:
    found: dict[str, KnownPackage] = {}
    for line in text.splitlines():
        name, *rest = line.split(" ")
        if len(rest) != 4:  # noqa: PLR2004  # one without a version: only its name is known
            continue
        version, want, state, size = rest
        kib = int(size) if size.isdigit() else 0
        found[name] = KnownPackage(version, state, want == "hold", kib)
    return found


def _repositories(text: str) -> tuple[Repository, ...]:
    """Return what both lists have, with the origin that the first one knows."""
    rows = [line.split("|") for line in text.splitlines() if line.count("|") == 3]  # noqa: PLR2004
    found: dict[tuple[str, str, str], str] = {}
    for uri, suite, component, origin in rows:
        names = (_USER.sub("", uri), suite, "" if component.startswith("$(") else component)
        known = "" if origin.startswith("$(") else origin
        found[names] = found.get(names) or known
    return tuple(Repository(*names, origin) for names, origin in found.items())


def _mirrors(text: str) -> dict[str, bool]:
    rows = (line.rpartition(" ") for line in text.splitlines())
    return {_USER.sub("", uri): said == "yes" for uri, _, said in rows if uri}


def _disks(text: str) -> dict[str, Disk]:
    """Return the file systems of the folders, of which one that is not there has no row."""
    rows = [line.split(None, 5) for line in text.splitlines()[1:]]
    mounts = {row[5]: int(row[3]) for row in rows if len(row) == 6}  # noqa: PLR2004
    found = {}
    for folder in _FOLDERS:
        above = [m for m in mounts if m in {folder, "/"} or folder.startswith(f"{m}/")]
        if above:
            mount = max(above, key=len)
            found[folder] = Disk(mount, mounts[mount])
    return found


def _upgrades_itself(text: str, packages: Mapping[str, KnownPackage]) -> bool:
    settings, _, timer = text.partition("\n\n") if "\n\n" in text else ("", "", text)
    there = packages.get("unattended-upgrades")
    on = dict(re.findall(r'Periodic::([\w-]+) "([^"]*)"', settings))
    runs = on.get("Unattended-Upgrade", "0") != "0" and on.get("Enable", "1") != "0"
    return bool(there and there.state == "installed") and runs and timer.strip() == "enabled"


def _last_mode(text: str) -> str:
    return next((found[1] for line in reversed(text.splitlines()) if (found := _MODE.search(line))),
                "")  # fmt: skip


def _environment(text: str) -> dict[str, str]:
    lines = (line.strip().removeprefix("export").strip() for line in text.splitlines())
    return _fields("\n".join(lines))


def _boot(text: str) -> dict[str, str]:
    blocks = (_fields(block) for block in text.split("\n\n"))
    return {b["Id"]: b.get("UnitFileState", "") for b in blocks if b.get("Id")}


def _candidates(text: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the versions from `apt-cache madison`: name | version | URI suite/component ARCH."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for line in text.splitlines():
        name, version, source = [*line.split("|"), "", ""][:3]
        words = source.split()
        if len(words) > 1:
            row = (version.strip(), words[1].partition("/")[0])
            found[name.strip()] = (*found.get(name.strip(), ()), row)
    return found
