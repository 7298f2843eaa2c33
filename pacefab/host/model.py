"""Facts about one node without regard to its cluster, and what a task did there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pacefab.errors import PacefabError, RefusedError


class Mark(StrEnum):
    """How a step ended on one host."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    PLANNED = "planned"  # --dry-run: this would change
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    SKIPPED = "skipped"

    @property
    def ok(self) -> bool:
        """Whether there is nothing left for the operator to fix."""
        return self not in {Mark.FAILED, Mark.UNREACHABLE}


@dataclass(frozen=True)
class Outcome:
    """One line of a report: what a step did on one host, in `seconds`."""

    host: str
    step: str
    mark: Mark
    seconds: float
    notes: tuple[str, ...] = ()
    error: PacefabError | None = None


@dataclass(frozen=True)
class Unit:
    """A systemd unit, as `systemctl show` reports it: what systemd has read, not what a file says.

    `names` are its own and its aliases; `pulled_in_by` are the units that start it along with
    themselves (RequiredBy, BoundBy, WantedBy), `triggered_by` those that start it on demand.
    `commands` are its ExecStart lines, variables as they are written there.
    """

    name: str
    load: str  # loaded, not-found, masked
    active: str  # active, inactive, failed, activating, deactivating
    enabled: str  # enabled, disabled, static, masked, masked-runtime; empty when not found
    pid: int  # 0 when it does not run
    command_line: tuple[str, ...] = ()  # of its main process
    names: tuple[str, ...] = ()
    pulled_in_by: tuple[str, ...] = ()
    triggered_by: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    fragment: str = ""  # the file that defines it
    drop_ins: tuple[str, ...] = ()  # files that change it
    environment: tuple[str, ...] = ()  # NAME=value
    environment_files: tuple[str, ...] = ()
    outdated: bool = False  # its files have changed since systemd read them

    @property
    def running(self) -> bool:
        """Whether a process of it is there (starting and stopping included)."""
        return self.active in {"active", "activating", "deactivating", "reloading"}

    @property
    def starts_at_boot(self) -> bool:
        """Whether systemd would start it, against the rule for managed units."""
        return self.enabled.startswith("enabled")


@dataclass(frozen=True)
class Listener:
    """A socket that accepts connections or datagrams."""

    protocol: str  # tcp, udp
    address: str  # 0.0.0.0 and :: are every address
    port: int
    program: str  # empty when the kernel does not show it
    pid: int


@dataclass(frozen=True)
class Interface:
    """An address of a network interface; loopback and link-local ones are left out."""

    name: str  # eth0
    address: str
    prefix: int  # length of the network's prefix: 24


@dataclass(frozen=True)
class Program:
    """A file that `caller` (an agent) needs on a node, and the packages that bring it.

    Of several names the first one that the distribution has is meant; without one the operator has
    to install it.
    """

    path: str
    debian: tuple[str, ...] = ()
    rhel: tuple[str, ...] = ()
    caller: str = ""


@dataclass(frozen=True)
class BootSetting:
    """A setting of the kernel as it is made at boot, and the file that has the last word."""

    value: str
    path: str


@dataclass(frozen=True)
class Absent:
    """A program that is not there; `package` brings it, empty: none that we know."""

    package: str
    installed: bool  # the package is there, and the program is missing all the same


@dataclass(frozen=True)
class FileState:
    """A file as it is on a node."""

    text: str
    mode: str  # octal digits: 644
    owner: str  # user:group


@dataclass(frozen=True)
class Firewall:
    """A firewalld that is active; rules are its rich rules, as it writes them."""

    zones: Mapping[str, str]  # by interface; those that are in no zone of their own: the default
    runtime: Mapping[str, frozenset[str]]  # rules that hold now, by zone
    permanent: Mapping[str, frozenset[str]]  # rules that hold after its next start, by zone


@dataclass(frozen=True)
class SelinuxPort:
    """A port, and the type that a program's policy lets it listen to."""

    type: str  # memcache_port_t
    number: int
    protocol: str = "tcp"

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


@dataclass(frozen=True)
class Selinux:
    """What the policy of a node allows that enforces it; of what was looked at."""

    booleans: Mapping[str, bool] = field(default_factory=dict)  # those that it has
    ports: Mapping[tuple[str, str], tuple[tuple[int, int], ...]] | None = None  # None: not known
    semanage: bool = True  # whether that program is there, as far as that was looked at
    mislabelled: Mapping[str, str] = field(default_factory=dict)  # files: the policy's label


@dataclass(frozen=True)
class HostFacts:
    """What one round trip finds on a node.

    `packages`, `units` and `files` have an entry for each name that was looked at; `kernel` for
    each that this kernel has.
    """

    name: str  # uname -n
    distribution: str  # ID and VERSION_ID of os-release: "debian 12"
    memory_mib: int
    family: str | None = None  # debian, rhel; None: one that we do not know
    manager: str | None = None  # apt-get, dnf, yum; None: the family's is not there
    interfaces: tuple[Interface, ...] = ()
    listeners: tuple[Listener, ...] = ()
    packages: Mapping[str, str | None] = field(default_factory=dict)  # version; None: absent
    units: Mapping[str, Unit] = field(default_factory=dict)
    files: Mapping[str, FileState | None] = field(default_factory=dict)  # None: no such file
    kernel: Mapping[str, str] = field(default_factory=dict)  # settings; those that it has
    at_boot: Mapping[str, BootSetting] = field(default_factory=dict)  # of these, what files set
    started: Mapping[str, float] = field(default_factory=dict)  # programs that run: since when
    written: Mapping[str, float] = field(default_factory=dict)  # files: when, seconds since 1970
    absent: Mapping[str, Absent] = field(default_factory=dict)  # of the programs looked at
    firewall: Firewall | None = None  # None: no firewalld is active
    repositories: Mapping[str, bool] = field(default_factory=dict)  # dnf's: whether enabled
    selinux: Selinux | None = None  # None: it does not enforce a policy

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of every interface."""
        return tuple(interface.address for interface in self.interfaces)

    def supported_manager(self) -> str:
        """Return the package manager.

        Raises:
            RefusedError: a distribution that we do not know.
        """
        if self.manager is None:
            raise RefusedError(
                "find the package manager",
                f"{self.distribution} is not supported",
                "supported: the CentOS Stream / RHEL family with dnf or yum, Debian and Ubuntu",
            )
        return self.manager

    def unit(self, name: str) -> Unit:
        """Return a unit; one that was not looked at is as one that is not there."""
        return self.units.get(name) or Unit(name, "not-found", "inactive", "", 0)

    def text(self, path: str) -> str | None:
        """Return a file's text; None when there is no such file, or it was not looked at."""
        state = self.files.get(path)
        return None if state is None else state.text
