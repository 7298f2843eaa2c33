"""Fence devices by their parameters: whom they fence, and by which name. Pure.

What the parameters mean is pacemaker-fenced(7) and Pacemaker's own reader of them
(build_port_aliases, target_list_type and stonith__parse_targets; make_args of lib/fencing, which
leaves the outlet as it is given where the device has it as a parameter).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address

from pacefab.pacemaker.model import (
    Configuration,
    GroupClone,
    Primitive,
    Resource,
    is_true,
    primitives,
)

FENCE = "stonith:"
WATCHDOG = "watchdog"
"""What Pacemaker calls the device that nodes with SBD are fenced by without any other."""
LISTING = frozenset(
    f"fence_{name}"
    for name in (
        "aliyun", "aws", "azure_arm", "compute", "docker", "evacuate", "gce", "ibm_powervs",
        "ibm_vpc", "kubevirt", "nutanix_ahv", "openstack", "pve", "rhevm", "sbd", "vbox", "virsh",
        "vmware_rest", "vmware_soap", "vmware_vcloud", "xenapi", "xvm",
    )
)  # fmt: skip
"""Agents that know machines by name: Pacemaker asks them whom they fence where no hosts are given
(pcmk_host_check is dynamic-list then, if the agent's metadata has the action list)."""
UNFENCING = frozenset({"fence_mpath", "fence_scsi"})
"""Agents that take a node its disks, and have to give them back when it starts: pcs gives such
devices the meta attribute provides=unfencing."""
PLUGS = ("plug", "port")
"""What agents call the outlet: the name of today, and the older one."""
# These have one board each, whatever outlet they are asked for.
_IPMI = frozenset(
    f"fence_{name}" for name in ("idrac", "ilo3", "ilo4", "ilo5", "imm", "ipmilan", "ipmilanplus")
)
_BOARDS = _IPMI | frozenset(
    f"fence_{name}"
    for name in (
        "amt", "amt_ws", "ilo", "ilo2", "ilo3_ssh", "ilo4_ssh", "ilo5_ssh", "ilo_mp", "ilo_ssh",
        "redfish", "rsa", "rsb",
    )
)  # fmt: skip
_PORTS = {**dict.fromkeys(_IPMI, "623"), "fence_redfish": "443"}
# One address may have several systems: of a chassis, or of a simulator.
_SYSTEM = (("systems_uri", "systems-uri"), ("target",))
_NO_TARGET = {"on", "off"}  # a list has them as states
# These look, and switch nothing.
_LOOKS_ONLY = frozenset({"fence_dummy", "fence_heuristics_ping", "fence_kdump"})
_BY_ITSELF = "fence_watchdog"
_ENTRY = re.compile(r"(?:\\.|[^;\s])+")
_NAME = re.compile(r"((?:\\.|[^:=])+)[:=](.*)")
_SECOND = re.compile(r"(?<!\\)[:=]")
_ESCAPED = re.compile(r"\\(.)")
_ADDRESS = (("ip", "ipaddr"), ("ipport",))
_ARGUMENT = "pcmk_host_argument"
_LIST, _MAP = "pcmk_host_list", "pcmk_host_map"


@dataclass(frozen=True)
class FenceDevice:
    """One device; `members` of a group or clone are devices too.

    Args:
        primitive: as it is configured.
        pairs: of pcmk_host_map.
        within: the ids of the group and the clone that it is in.
        disabled: whether Pacemaker does not use it, as it is not to run, by its own word, that of
            one of those, or the default.
    """

    primitive: Primitive
    pairs: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())
    within: tuple[str, ...] = ()
    disabled: bool = False

    @property
    def id(self) -> str:
        """What the CIB calls it."""
        return self.primitive.id

    @property
    def agent(self) -> str:
        """Its agent: fence_ipmilan."""
        return self.primitive.agent.removeprefix(FENCE)

    def parameter(self, *names: str, default: str = "") -> str:
        """Return a parameter by the first of its names that is given."""
        given = self.primitive.parameters
        return next((given[name] for name in names if name in given), default)

    @property
    def is_board(self) -> bool:
        """Whether it is the management board of one machine.

        One whose outlets are the addresses of boards (`port_as_ip`) is that of many.
        """
        return self.agent in _BOARDS and not is_true(self.parameter("port_as_ip", "port-as-ip"))

    @property
    def speaks_ipmi(self) -> bool:
        """Whether it is a board that ipmitool can ask."""
        return self.is_board and self.agent in _IPMI

    @property
    def fixed(self) -> str:
        """The outlet that it is asked for whichever node it is to fence; empty: by the node."""
        given = self.parameter(*self._arguments)
        return "" if given.casefold() == "dynamic" else given

    @property
    def argument(self) -> str:
        """The parameter by which it is given the outlet, as far as its own say; empty: they do not.

        That is "none" where it is given the node's name alone.
        """
        given = self.primitive.parameters
        return next((n for n in self._arguments if n in given), self.parameter(_ARGUMENT))

    @property
    def _arguments(self) -> tuple[str, ...]:
        own = self.parameter(_ARGUMENT)
        return (own,) if own and own.casefold() != "none" else PLUGS

    @property
    def switches(self) -> bool:
        """Whether it puts a node out of action, and does not only look or wait."""
        return self.agent not in _LOOKS_ONLY

    @property
    def is_watchdog(self) -> bool:
        """Whether a node is fenced by its own watchdog, which no other node has to reach."""
        return self.agent == _BY_ITSELF

    @property
    def address(self) -> tuple[str, ...]:
        """Where the board is: two devices of one address reach the same one; empty: unknown.

        An IPv6 address is in its one short form, however it is written.
        """
        host, port = (self.parameter(*names) for names in _ADDRESS)
        return (_plain(host), port) if host else ()

    @property
    def board(self) -> tuple[str, ...]:
        """Which board it is: its address, and which of its systems; empty: it is none, or unknown.

        A port that is not given is the usual one.
        """
        if not self.is_board or not self.address:
            return ()
        host, port = self.address
        return (host, port or _PORTS.get(self.agent, ""), *(self.parameter(*n) for n in _SYSTEM))

    @property
    def where(self) -> str:
        """The address as one reads it, with its port; empty: unknown."""
        host, port = self.address or ("", "")
        shown = f"[{host}]" if port and ":" in host else host
        return ":".join(filter(None, (shown, port)))

    @cached_property
    def listed(self) -> tuple[str, ...]:
        """The nodes of pcmk_host_list."""
        return targets_in(self.parameter(_LIST))

    @property
    def host_check(self) -> str:
        """How Pacemaker finds out whom it fences, as pcmk_host_check says; empty: by the rest."""
        return self.parameter("pcmk_host_check").casefold()

    @cached_property
    def targets(self) -> Mapping[str, tuple[str, ...]] | None:
        """The nodes that it says it fences, with their outlets; None: it is asked, or fences all.

        A node without an outlet is called by its own name.
        """
        given = any(name in self.primitive.parameters for name in (_LIST, _MAP))
        if self.host_check not in {"", "static-list"} or not (self.host_check or given):
            return None
        found = {**{node: (node,) for node in self.listed}, **dict(self.pairs)}
        fixed = tuple(filter(None, self.fixed.split(",")))
        return dict.fromkeys(found, fixed) if fixed else found

    @property
    def named_outlets(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The nodes whose outlets it names, by a map or by one outlet of its own."""
        return tuple((self.targets or {}).items()) if self.fixed else self.pairs

    def fences(self, node: str) -> bool:
        """Whether it fences a node, as far as its parameters say; Pacemaker takes either case."""
        return self.targets is None or node.casefold() in {n.casefold() for n in self.targets}


IMPLIED_WATCHDOG = FenceDevice(Primitive(WATCHDOG, f"{FENCE}{_BY_ITSELF}"))
"""The device that Pacemaker has of itself where SBD runs and `stonith-watchdog-timeout` is set."""


def read_map(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield node and outlets of each entry of a pcmk_host_map ("c1:1;c2:2,3"), in its order."""
    for entry in _ENTRY.findall(text):
        if found := _NAME.fullmatch(entry):
            outlets = (_ESCAPED.sub(r"\1", outlet) for outlet in found[2].split(","))
            yield _ESCAPED.sub(r"\1", found[1]), tuple(filter(None, outlets))


def malformed(text: str) -> Iterator[tuple[str, str]]:
    """Yield the entries of a pcmk_host_map that Pacemaker passes over or misreads, and why."""
    for entry in _ENTRY.findall(text):
        found = _NAME.fullmatch(entry)
        if found is None:
            yield entry, "write NODE:OUTLET, without a space behind the colon"
        elif _SECOND.search(found[2]):
            yield entry, r"write ; between nodes, and \: for a colon of an outlet's own name"
    if "\n" in text:
        yield " ".join(text.split()), "write ; between nodes: a line end separates nothing"


def targets_in(text: str) -> tuple[str, ...]:
    """Return the names in a list of hosts, or in what an agent lists (stonith__parse_targets).

    They are words, with commas and semicolons between them too, and without states (on, off).
    """
    words = re.split(r"[\s,;]+", text.replace("\\n", "\n"))
    return tuple(word for word in words if word and word.casefold() not in _NO_TARGET)


def read_devices(configuration: Configuration) -> tuple[FenceDevice, ...]:
    """Return every fence device of a configuration, those in groups and clones too."""
    return tuple(
        FenceDevice(
            one,
            tuple(read_map(one.parameters.get(_MAP, ""))),
            tuple(_around(resource)) if resource is not one else (),
            _is_stopped({**configuration.defaults, **_meta_around(resource), **one.meta}),
        )
        for resource in configuration.resources
        for one in primitives(resource)
        if one.agent.startswith(FENCE)
    )


def _meta_around(resource: Resource) -> Mapping[str, str]:
    """Return the meta attributes of a group or clone, which what is in it has too."""
    inner = resource.group.meta if isinstance(resource, GroupClone) else {}
    return {**resource.meta, **inner}


def _around(resource: Resource) -> Iterator[str]:
    yield resource.id
    if isinstance(resource, GroupClone):
        yield resource.group.id


def _plain(host: str) -> str:
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:  # a name
        return host.casefold()


def _is_stopped(meta: Mapping[str, str]) -> bool:
    return meta.get("target-role", "").capitalize() == "Stopped"
