"""What newer packages a node could have, and what of it goes on with old ones. Pure.

Two rounds of harmless questions: what is newer in the repositories, and which processes use files
of that, or files that were replaced already. Debian and Ubuntu; of others there is nothing to ask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pacefab.errors import RefusedError
from pacefab.host import packages
from pacefab.transport.command import Section, Step, shell, step

INDEX_SECONDS: Final = 120.0  # to fetch the repositories' index
MANAGER: Final = "apt-get"

# An index that could not be fetched is an error here: its packages would be taken for the newest.
_INDEX = r"""
apt-get -q -o APT::Update::Error-Mode=any -o DPkg::Lock::Timeout=60 \
  -o Acquire::Retries=1 -o Acquire::http::Timeout=20 update 2>&1
"""
_NEWER = "apt-get -s -o Debug::NoLocking=1 --with-new-pkgs upgrade"
_INSTALLED = re.compile(r"Inst (?P<name>[^\s:]+)\S* (?:\[(?P<old>[^\]]+)\] )?\((?P<new>\S+) ")
# Seconds since 1970 of the start, then of each package of the machine when its files were unpacked.
_SINCE = r"""
started=$(systemctl show -p UserspaceTimestamp --timestamp=unix --value)
echo "${started#@}"
cd /var/lib/dpkg/info && for list in *.list; do
  case $list in %s) stat -c '%%Y %%n' "$list" ;; esac
done
true
"""
_REQUESTED = r"""
[ -e /run/reboot-required ] || exit 0
echo asked
sort -u /run/reboot-required.pkgs 2>/dev/null
true
"""
# The kernel that runs, then the newest one that is installed.
_KERNEL = r"""
uname -r
ls /boot/vmlinuz-* 2>/dev/null | sed 's|^/boot/vmlinuz-||' | sort -V | tail -n 1
"""
_BESIDE = "find /etc -xdev -name '*.dpkg-dist' 2>/dev/null | sort"
# What unit and name a process has, and which of its files are of a package, or were replaced. A
# process that ends meanwhile is none. /lib is /usr/lib, whichever of them a package says.
_USERS = r"""
{
  for package; do
    dpkg -L "$package" 2>/dev/null | sed "s|^/usr/|/|; s|^|P $package |"
  done
  grep -sH . /proc/[0-9]*/comm | sed 's/^/N /'
  grep -sHE '\.(service|scope)$' /proc/[0-9]*/cgroup | sed 's/^/C /'
  grep -sHE ' ..x. .* /(usr/|lib|bin/|sbin/)' /proc/[0-9]*/maps | sed 's/^/M /'
} | awk '
  { split($2, part, "/"); pid = part[3] }
  $1 == "P" { of[$3] = $2 }
  $1 == "N" { sub(/^[^:]*:/, "", $2); name[pid] = $2 }
  $1 == "C" { parts = split($0, way, "/"); unit[pid] = way[parts] }
  $1 == "M" && (pid in unit) {
    path = $7; sub(/^\/usr\//, "/", path)
    if (path in of) said["uses " unit[pid] " " name[pid] " " of[path]]
    if ($8 == "(deleted)") said["old " unit[pid] " " name[pid] " " $7]
  }
  END { for (line in said) print line }
' | sort
"""
# Nothing but a restart of the machine has what runs use them: as needs-restarting(1) of dnf has it.
_OF_MACHINE: Final = (
    "linux-image-[0-9]*", "libc6", "systemd", "dbus", "dbus-daemon", "dbus-broker",
    "intel-microcode", "amd64-microcode",
)  # fmt: skip
_IS_OF_MACHINE = re.compile("|".join(one.replace("[0-9]*", r"\d.*") for one in _OF_MACHINE))


@dataclass(frozen=True)
class NewerPackage:
    """A package that would be upgraded; `old` is empty: it would be new on the node."""

    name: str
    old: str
    new: str

    @property
    def of_machine(self) -> bool:
        """Whether the machine has to restart for it."""
        return _IS_OF_MACHINE.fullmatch(self.name) is not None

    def __str__(self) -> str:
        return (
            f"{self.name} {self.old} -> {self.new}" if self.old else f"{self.name} {self.new}, new"
        )


@dataclass(frozen=True)
class User:
    """A process that uses a file of a package, or one that was replaced since it started."""

    unit: str  # of systemd
    process: str
    what: str  # the package, or the file


@dataclass(frozen=True)
class PatchFacts:
    """What the first round finds on a node.

    Args:
        newer: packages that would be upgraded, or be new because those need them.
        kept_back: packages of which a newer version would need another one removed.
        half_done: what `dpkg --audit` says.
        machine: why the machine has to restart as it is, a reason each.
        beside: the distribution's configuration files that lie beside the operator's.
        enabled: of the units that were asked about, those that start at boot.
        active: of those, the ones that run.
    """

    newer: tuple[NewerPackage, ...] = ()
    kept_back: tuple[str, ...] = ()
    half_done: str = ""
    machine: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    enabled: tuple[str, ...] = ()
    active: tuple[str, ...] = ()


def observe_index() -> Step:
    """Return the step that fetches the repositories' index; see `check_index`."""
    return shell(f"fetch the packages' index with {MANAGER}", _INDEX)


def check_index(section: Section) -> None:
    """Raise what kept the index from being fetched."""
    if not section.ok:
        raise packages.explain(section) or RefusedError(section.name, section.text, "run it there")


def observe(units: Sequence[str]) -> list[Step]:
    """Return the steps that `parse` understands; of `units` it matters whether they start."""
    return [
        shell("newer", _NEWER),
        step("audit", "dpkg", "--audit"),
        shell("since", _SINCE % "|".join(f"{name}.list|{name}:*.list" for name in _OF_MACHINE)),
        shell("requested", _REQUESTED),
        shell("kernel", _KERNEL),
        shell("beside", _BESIDE),
        step("own units", "systemctl", "show", "-p", "Id,UnitFileState,ActiveState", *units),
    ]


def parse(sections: Mapping[str, Section]) -> PatchFacts:
    """Return what the steps of `observe` found.

    Raises:
        RefusedError: apt-get cannot say what it would do.
        ValueError: an answer is none.
    """
    newer, units = sections["newer"], _units(sections["own units"].out)
    if not newer.ok:
        advice = "repair it there: apt-get -f install, then run this again"
        raise RefusedError("see what would be upgraded", newer.text, advice)
    return PatchFacts(
        newer=tuple(_newer(newer.out)),
        kept_back=_kept_back(newer.out),
        half_done=sections["audit"].out.strip(),
        machine=(
            *_since(sections["since"].out),
            *_requested(sections["requested"].out),
            *_kernel(sections["kernel"].out),
        ),
        beside=tuple(sections["beside"].out.splitlines()),
        enabled=tuple(u["Id"] for u in units if u["UnitFileState"].startswith("enabled")),
        active=tuple(u["Id"] for u in units if u["ActiveState"] not in {"inactive", "failed"}),
    )


def observe_users(names: Sequence[str]) -> Step:
    """Return the step that `parse_users` understands: who uses files of these packages."""
    return shell("users", _USERS, *names)


def parse_users(section: Section) -> tuple[tuple[User, ...], tuple[User, ...]]:
    """Return who uses files of the packages, and who uses files that were replaced."""
    rows = [line.split(" ", 3) for line in section.out.splitlines()]
    users = [(row[0], User(*row[1:])) for row in rows if len(row) == 4]  # noqa: PLR2004
    return tuple(u for w, u in users if w == "uses"), tuple(u for w, u in users if w == "old")


def _newer(text: str) -> list[NewerPackage]:
    found = (_INSTALLED.match(line) for line in text.splitlines())
    return [NewerPackage(m["name"], m["old"] or "", m["new"]) for m in found if m]


def _kept_back(text: str) -> tuple[str, ...]:
    """Return the names below apt-get's line about them; they are indented."""
    _, _, rest = text.partition("have been kept back:\n")
    names: list[str] = []
    for line in rest.splitlines():
        if not line.startswith(" "):
            break
        names += line.split()
    return tuple(names)


def _since(text: str) -> list[str]:
    """Return a reason for each package that was unpacked after the machine was started."""
    first, *rows = text.splitlines() or [""]
    if not first.isdigit():  # a systemd older than 247, or one that is starting
        return []
    rest = (row.partition(" ") for row in rows)
    names = [file.removesuffix(".list") for at, _, file in rest if int(at) > int(first)]
    names = [name.partition(":")[0] for name in names]
    return [f"{name} was upgraded since it started" for name in names]


def _requested(text: str) -> list[str]:
    asked, *names = text.splitlines() or [""]
    by = f" ({', '.join(names)})" if names else ""
    return [f"/run/reboot-required is there{by}"] if asked else []


def _kernel(text: str) -> list[str]:
    runs, newest = [*text.splitlines(), "", ""][:2]
    return [f"kernel {newest} is installed, {runs} runs"] if newest not in {"", runs} else []


def _units(text: str) -> list[dict[str, str]]:
    blocks = (dict(line.split("=", 1) for line in b.splitlines()) for b in text.split("\n\n"))
    return [block for block in blocks if block.get("Id")]
