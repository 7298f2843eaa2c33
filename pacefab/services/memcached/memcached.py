"""memcached as Pacemaker runs it: options -> packages, configuration, desired clone. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pacefab.addresses import is_loopback, no_hosts
from pacefab.errors import RefusedError, UsageError
from pacefab.host.model import FileState, HostFacts, Listener, SelinuxPort
from pacefab.pacemaker.model import Clone, Membership, Primitive
from pacefab.services.memcached import config, in_force, warm
from pacefab.services.memcached.config import Settings
from pacefab.services.service import DesiredNode, File, Look, Port, Process, Site

PACKAGE = "memcached"
UNIT = in_force.UNIT
AGENT = "systemd:memcached"
RESOURCE = "memcached"
CLONE = "memcached-clone"

LOOK = Look(
    packages=(PACKAGE,),
    units=(UNIT,),
    files=(config.DEBIAN_PATH, config.REDHAT_PATH, *warm.PATHS),
)

_POLICYS_PORT = 11211  # the only one that SELinux's policy lets it listen to
_SPARE_MIB = 64  # what must be left of a node's memory for the node


@dataclass(frozen=True)
class Request:
    """What the operator asked `install-memcached` for; checked, not yet tied to a node.

    `listen` is auto, or addresses and networks (10.0.0.0/24: the node's address in there). A number
    that is None stays what the node's configuration says; `restartable` keeps items over a restart.
    """

    listen: str = "auto"
    port: int | None = None
    memory: int | None = None  # MiB
    max_connections: int | None = None
    restartable: bool | None = None

    def __post_init__(self) -> None:
        for name, value, most in (
            ("--port", self.port, 65535),
            ("--memory", self.memory, None),
            ("--max-connections", self.max_connections, None),
        ):
            if value is not None and not 1 <= value <= (most or value):
                allowed = f"1 to {most}" if most else "1 or more"
                raise UsageError("read the options", f"{name} {value}", f"allowed: {allowed}")
        _desired_listen(self.listen)


def desired_clone() -> Clone:
    """Return the clone that the classic procedure makes.

    `interleave=true` stands on the clone: on the primitive it does nothing (Pacemaker Explained,
    clone options). Each node's memcached is then independent of the others' restarts.
    """
    return Clone(CLONE, Primitive(RESOURCE, AGENT), {"interleave": "true"})


def desired_settings(request: Request, facts: HostFacts, membership: Membership | None) -> Settings:
    """Return the settings for one node: what was asked for, else what its file says.

    Raises:
        RefusedError: the node does not have the address, the memory or a free port for them.
    """
    present = present_settings(facts) or Settings()
    settings = replace(
        present,
        listen=_listen(request.listen, facts, membership),
        elsewhere=(),
        port=request.port or present.port,
        memory=request.memory or present.memory,
        max_connections=request.max_connections or present.max_connections,
        udp_port=0,
        memory_file=_memory_file(request, present),
        user=present.user or _user(facts),
    )
    _check_memory(settings, facts)
    check_port(settings, facts)
    return settings


def _user(facts: HostFacts) -> str:
    """Return whom it runs as where no file says so; a package that is still to come says it."""
    installed = facts.packages.get(PACKAGE) is not None
    return config.USERS[config_path(facts)] if installed else ""


def _memory_file(request: Request, present: Settings) -> str:
    if request.restartable is None:
        return present.memory_file
    return warm.MEMORY_FILE if request.restartable else ""


def desired_node(request: Request, site: Site, node: str) -> DesiredNode:
    """Return package, configuration and unit as desired.

    Raises:
        RefusedError: as `desired_settings`; or what is written would not be in force.
    """
    facts = site.facts[node]
    membership = site.membership if site.membership.members else None
    desired = desired_settings(request, facts, membership)
    in_force.check(facts, config_path(facts), desired)
    return DesiredNode(
        packages=(PACKAGE,),
        files=(*_warm_files(facts, desired), _config_file(facts, desired)),
        units=(UNIT,),
        ports=(Port(desired.port, clients=True),),
        labelled=labelled(desired.port),
        processes=(process(facts, desired),),
        remarks=_remarks(facts, desired),
    )


def labelled(port: int | None) -> tuple[SelinuxPort, ...]:
    """Return the port that needs a type of SELinux's; none where the policy gives it."""
    return (SelinuxPort("memcache_port_t", port),) if port not in {None, _POLICYS_PORT} else ()


def loss(request: Request, facts: HostFacts, membership: Membership | None) -> str:
    """Return why memcached will start empty; empty: it will keep its items."""
    running, desired = running_settings(facts), desired_settings(request, facts, membership)
    if not desired.memory_file:
        return "it is not restartable"
    if running is None or running.memory_file != desired.memory_file:
        return "it was not restartable until now"
    return "" if running.memory == desired.memory else "its memory size changes"


def _remarks(facts: HostFacts, desired: Settings) -> tuple[str, ...]:
    path = config_path(facts)
    ignored = (
        f"{path}: this whole line is ignored: it begins with {line[:2]}: {line}"
        for line in config.ignored_lines(path, facts.text(path) or "")
    )
    barred = f"its health cannot be asked: {desired.barred}; that it accepts connections can"
    return (*ignored, *([barred] if desired.barred else []))


def process(facts: HostFacts, desired: Settings) -> Process:
    """Return what runs now, compared with settings."""
    running = running_settings(facts)
    seen = running.describe() if running else "unknown settings"
    fits = running is not None and same(running, desired)
    return Process(UNIT, seen, fits, config.difference(running, desired))


def _warm_files(facts: HostFacts, desired: Settings) -> tuple[File, ...]:
    """Return the files of a warm restart; the operator's own memory file is left to them."""
    if desired.memory_file not in {"", warm.MEMORY_FILE}:
        return ()
    return warm.files(facts, desired.memory, on=bool(desired.memory_file))


def _config_file(facts: HostFacts, desired: Settings) -> File:
    """Return the configuration file; owner and mode stay as the operator gave them."""
    path = config_path(facts)
    present = facts.files.get(path) or FileState("", "644", "root:root")
    return File(
        path,
        lambda text: render_config(facts, text or "", desired),
        mode=present.mode,
        owner=present.owner,
    )


def present_settings(facts: HostFacts) -> Settings | None:
    """Return what the node's configuration file says; None when there is none.

    Raises:
        RefusedError: the file holds what memcached would not understand.
    """
    path = config_path(facts)
    text = facts.text(path)
    if text is None:
        return None
    try:
        return config.read(path, text)
    except ValueError as error:
        raise RefusedError(f"read {path}", str(error), "fix that line, then run again") from error


def unread(facts: HostFacts) -> str:
    """Return what starts memcached otherwise than by its file; empty: the file is what counts."""
    return in_force.unread(facts, config_path(facts))


def effective_settings(facts: HostFacts) -> Settings:
    """Return what memcached will start with: its file, or a command that does not read it.

    Raises:
        RefusedError: as `present_settings`.
    """
    if command := in_force.own_command(facts, config_path(facts)):
        try:
            return config.read_command_line(command)
        except ValueError:
            return Settings()
    return present_settings(facts) or Settings()


def render_config(facts: HostFacts, text: str, desired: Settings) -> str:
    """Return the configuration file with `desired` in it. Same errors as `present_settings`."""
    path = config_path(facts)
    try:
        present = config.read(path, text)
        unchanged = same(present, desired) and bool(present.user or not desired.user)
        return text if unchanged else config.write(path, text, desired)
    except ValueError as error:
        raise RefusedError(f"read {path}", str(error), "fix that line, then run again") from error


def running_settings(facts: HostFacts) -> Settings | None:
    """Return the settings of the process that runs now; None when none runs or they are unknown.

    Debian's unit starts a script that reads the file and becomes memcached some moments later.
    """
    command_line = facts.unit(UNIT).command_line
    if not command_line or not PurePosixPath(command_line[0]).name.startswith(PACKAGE):
        return None
    try:
        return config.read_command_line(command_line)
    except ValueError:
        return None


def config_path(facts: HostFacts) -> str:
    """Return the path of the node's configuration file. Errors of `supported_manager`."""
    return config.path_for(facts.supported_manager())


def listen_endpoints(settings: Settings, address: str) -> tuple[str, ...]:
    """Return the addresses at which other nodes should get an answer.

    `address` is the node's own in the cluster; it is what "every address" means to the others.
    """
    if settings.everywhere:
        return (address,)
    return tuple(address for address in settings.listen if not is_loopback(address))


def same(present: Settings, desired: Settings) -> bool:
    """Whether two settings come to the same; the order of addresses does not matter."""
    return replace(present, listen=tuple(sorted(present.listen))) == replace(
        desired, listen=tuple(sorted(desired.listen))
    )


def _desired_listen(text: str) -> Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    if text == "auto":
        return []
    try:
        networks = [ipaddress.ip_network(part, strict=False) for part in text.split(",")]
        _check_networks(networks)
    except ValueError as error:
        raise UsageError(
            "read the options",
            f"--listen {text}: {error}",
            "allowed: auto, an IP address, a network such as 10.0.0.0/24, or several with commas",
        ) from error
    return networks


def _check_networks(networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> None:
    """Raise a ValueError when no host can have an address there."""
    for network in networks:
        if (kind := no_hosts(str(network.network_address))) in {"multicast", "broadcast"}:
            raise ValueError(f"{network} is {kind}")


def _listen(text: str, facts: HostFacts, membership: Membership | None) -> tuple[str, ...]:
    if text == "auto":
        return (cluster_address(facts, membership),)
    found = []
    for network in _desired_listen(text):
        if network.network_address.is_unspecified and network.num_addresses == 1:
            found.append(str(network.network_address))
            continue
        mine = [a for a in facts.addresses if ipaddress.ip_address(a) in network]
        if not mine:
            raise RefusedError(
                "choose the listen address",
                f"the node has no address in {text}; it has {', '.join(facts.addresses)}",
                "give --listen auto, or a network that every node is in",
            )
        found.append(mine[0])
    return tuple(found)


def cluster_address(facts: HostFacts, membership: Membership | None) -> str:
    """Return the address that the cluster's nodes use for this one (corosync's first ring).

    Raises:
        RefusedError: no cluster, or this node is not in it, or its address is not known.
    """
    attempted = "find the address that the cluster's nodes use (--listen auto)"
    if membership is None:
        raise RefusedError(
            attempted,
            "there is no /etc/corosync/corosync.conf",
            "form the cluster first (pcs cluster setup), or give --listen ADDRESS",
        )
    member = membership.member_with(facts.addresses, facts.name)
    if member is not None and not member.addresses:
        raise RefusedError(
            attempted,
            f"this node finds no address for {member.name} but loopback (127.0.1.1 in /etc/hosts?):"
            " the other nodes cannot use that",
            "correct /etc/hosts there, name the other nodes with -H too, or give --listen ADDRESS",
        )
    if member is None:
        raise RefusedError(
            attempted,
            f"no node of cluster {membership.cluster} has one of this node's addresses "
            f"({', '.join(facts.addresses)})",
            "check nodelist in /etc/corosync/corosync.conf, or give --listen ADDRESS",
        )
    return member.addresses[0]


def _check_memory(settings: Settings, facts: HostFacts) -> None:
    most = max(facts.memory_mib - _SPARE_MIB, 0)
    if settings.memory > most:
        raise RefusedError(
            "configure memcached",
            f"--memory {settings.memory} MiB, and the node has {facts.memory_mib} MiB in all",
            f"give at most {most} MiB",
        )


def check_port(settings: Settings, facts: HostFacts) -> None:
    """Raise a RefusedError when another process has the port at one of the addresses."""
    for other in facts.listeners:
        if _collides(settings, other) and not _own(other, facts):
            raise RefusedError(
                "configure memcached",
                f"port {settings.port} is taken by {other.program or 'another process'} "
                f"(pid {other.pid or 'unknown'}, on {other.address})",
                "stop that one, unless Pacemaker runs it (pcs status), or give --port",
            )


def _collides(settings: Settings, other: Listener) -> bool:
    if other.protocol != "tcp" or other.port != settings.port:
        return False
    return settings.everywhere or other.address in {*settings.listen, "0.0.0.0", "::"}  # noqa: S104


def _own(other: Listener, facts: HostFacts) -> bool:
    """Whether it is the unit's own socket.

    In a container the kernel may not show root whose socket it is (no CAP_SYS_PTRACE); then the
    running process's own port decides.
    """
    if other.pid:
        return other.pid == facts.unit(UNIT).pid
    running = running_settings(facts)
    return running is not None and running.port == other.port
