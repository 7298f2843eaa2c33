"""What agents call: fence agents and resource agents that the inventory itself names. Pure.

A service's description names the packages of its own agents. The table is from the agents of
Debian 12 and 13 (a fence agent's metadata has the paths), packages of EL from its spec files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain

from pacefab.host.model import Program
from pacefab.pacemaker.model import Configuration, Primitive, primitives

_FENCE = "stonith:"

_IPMITOOL = Program("/usr/bin/ipmitool", ("ipmitool",), ("ipmitool",))
_SNMP = tuple(
    Program(f"/usr/bin/{name}", ("snmp",), ("net-snmp-utils",))
    for name in ("snmpget", "snmpset", "snmpwalk")
)
_SG_PERSIST = Program("/usr/bin/sg_persist", ("sg3-utils",), ("sg3_utils",))
_SG_TURS = replace(_SG_PERSIST, path="/usr/bin/sg_turs")
_MPATHPERSIST = Program(
    "/usr/sbin/mpathpersist", ("multipath-tools",), ("device-mapper-multipath",)
)
_SSH = Program("/usr/bin/ssh", ("openssh-client",), ("openssh-clients",))
_TELNET = Program("/usr/bin/telnet", ("telnet",), ("telnet",))
_LVM = Program("/usr/sbin/lvm", ("lvm2",), ("lvm2",))
_MDADM = Program("/usr/sbin/mdadm", ("mdadm",), ("mdadm",))
_EXPORTFS = Program("/usr/sbin/exportfs")  # its package starts the server at once
_FUSER = Program("/usr/bin/fuser", ("psmisc",), ("psmisc",))
_IFCONFIG = Program("/usr/sbin/ifconfig", ("net-tools",), ("net-tools",))


def _python(module: str) -> Program:
    """Return a module of Python, on which EL's packages of the agents depend."""
    package = module.partition("/")[0]
    return Program(f"/usr/lib/python3/dist-packages/{module}", (f"python3-{package}",))


def _each(names: str, *programs: Program) -> dict[str, tuple[Program, ...]]:
    return dict.fromkeys(names.split(), programs)


# By the name behind fence_.
_FENCE_AGENTS: Mapping[str, tuple[Program, ...]] = {
    **_each("ipmilan ipmilanplus idrac imm ilo3 ilo4 ilo5", _IPMITOOL),
    **_each(
        "apc_snmp eaton_snmp tripplite_snmp cisco_mds emerson ibmblade ifmib intelmodular ipdu"
        " lindypdu",
        *_SNMP,
    ),
    **_each("scsi", _SG_PERSIST, _SG_TURS),
    **_each("mpath", _MPATHPERSIST),
    **_each(
        "alom cyberpower_ssh eaton_ssh ilo_ssh ilo3_ssh ilo4_ssh ilo5_ssh ilo_moonshot ldom lpar"
        " vbox virsh vmware",
        _SSH,
    ),
    **_each("cdu drac netio raritan sanbox2", _TELNET),
    **_each("amt", Program("/usr/bin/amttool", ("amtterm",), ("amtterm",))),
    **_each("powerman", Program("/usr/bin/powerman", ("powerman",), ("powerman",))),
    **_each("sbd", Program("/usr/sbin/sbd")),  # without its device it keeps corosync from starting
    **_each(
        "ironic",
        Program("/usr/bin/openstack", ("python3-openstackclient",), ("python3-openstackclient",)),
    ),
    **_each("compute evacuate openstack", _python("novaclient"), _python("keystoneclient")),
    **_each("azure_arm", _python("azure/mgmt/compute")),
    **_each("kubevirt", _python("kubernetes")),
}
# These log in by telnet unless an option has them take ssh.
_BY_TELNET = frozenset(
    [
        "apc",
        "bladecenter",
        "brocade",
        "drac5",
        "hds_cb",
        "hpblade",
        "ilo_mp",
        "raritan_px3",
        "rsa",
        "rsb",
        "wti",
    ]
)
_SECURE = ("secure", "ssh")
_TRUE = {"1", "on", "true", "yes"}

# Agents that share one file: the part of the package's name, where it is not the agent's own.
_PACKAGED_WITH = {
    **dict.fromkeys(["ipmilanplus", "idrac", "imm", "ilo3", "ilo4", "ilo5"], "ipmilan"),
    **dict.fromkeys(["ilo3_ssh", "ilo4_ssh", "ilo5_ssh"], "ilo-ssh"),
    "ilo": "ilo2",
    "evacuate": "compute",
    "lindypdu": "lindy-pdu",
    "zvmip": "zvm",
}
_APART = {"virt": "fence-virt", "xvm": "fence-virt", "virtd": "fence-virtd"}

# By class:provider:type.
_RESOURCE_AGENTS: Mapping[str, tuple[Program, ...]] = {
    "ocf:heartbeat:Filesystem": (_FUSER,),
    "ocf:heartbeat:LVM": (_LVM,),
    "ocf:heartbeat:LVM-activate": (_LVM,),
    "ocf:heartbeat:IPaddr": (_IFCONFIG,),
    "ocf:heartbeat:IPsrcaddr": (_IFCONFIG,),
    "ocf:heartbeat:Raid1": (_MDADM,),
    "ocf:heartbeat:mdraid": (_MDADM,),
    "ocf:heartbeat:crypt": (Program("/usr/sbin/cryptsetup", ("cryptsetup-bin",), ("cryptsetup",)),),
    "ocf:heartbeat:exportfs": (_EXPORTFS,),
    "ocf:heartbeat:nfsserver": (_EXPORTFS,),
    "ocf:heartbeat:iscsi": (
        Program("/usr/sbin/iscsiadm", ("open-iscsi",), ("iscsi-initiator-utils",)),
    ),
    "ocf:heartbeat:mpathpersist": (_MPATHPERSIST,),
    "ocf:heartbeat:sg_persist": (_SG_PERSIST,),
    "ocf:heartbeat:podman": (Program("/usr/bin/podman", ("podman",), ("podman",)),),
    "ocf:heartbeat:portblock": (Program("/usr/sbin/iptables", ("iptables",), ("iptables-nft",)),),
    "ocf:heartbeat:VirtualDomain": (
        Program("/usr/bin/virsh", ("libvirt-clients",), ("libvirt-client",)),
    ),
    "ocf:heartbeat:iface-bridge": (
        Program("/usr/sbin/brctl", ("bridge-utils",), ("bridge-utils",)),
    ),
    "ocf:linbit:drbd": (Program("/usr/sbin/drbdadm", ("drbd-utils",), ("drbd-utils",)),),
    "ocf:pacemaker:ping": (Program("/usr/bin/ping", ("iputils-ping",), ("iputils",)),),
}
# By a parameter's value: agent, parameter, value.
_MOUNT_NFS = Program("/usr/sbin/mount.nfs", ("nfs-common",), ("nfs-utils",))
_BY_VALUE: Mapping[tuple[str, str, str], Program] = {
    ("ocf:heartbeat:Filesystem", "fstype", "nfs"): _MOUNT_NFS,
    ("ocf:heartbeat:Filesystem", "fstype", "nfs4"): _MOUNT_NFS,
    ("ocf:heartbeat:Filesystem", "fstype", "cifs"): Program(
        "/usr/sbin/mount.cifs", ("cifs-utils",), ("cifs-utils",)
    ),
    ("ocf:heartbeat:Filesystem", "fstype", "ceph"): Program(
        "/usr/sbin/mount.ceph", ("ceph-common",), ("ceph-common",)
    ),
    ("ocf:heartbeat:Filesystem", "fstype", "glusterfs"): Program(
        "/usr/sbin/mount.glusterfs", ("glusterfs-client",), ("glusterfs-fuse",)
    ),
    ("ocf:heartbeat:Filesystem", "fstype", "xfs"): Program(
        "/usr/sbin/fsck.xfs", ("xfsprogs",), ("xfsprogs",)
    ),
    ("ocf:heartbeat:Filesystem", "fstype", "btrfs"): Program(
        "/usr/sbin/fsck.btrfs", ("btrfs-progs",), ("btrfs-progs",)
    ),
    ("ocf:heartbeat:IPaddr2", "arp_sender", "iputils_arping"): Program(
        "/usr/bin/arping", ("iputils-arping",), ("iputils",)
    ),
}


def programs(configuration: Configuration) -> tuple[Program, ...]:
    """Return the agents themselves, where they are fence agents, and what agents call."""
    every = chain.from_iterable(map(primitives, configuration.resources))
    called = chain.from_iterable(map(_programs, every))
    return tuple({program.path: program for program in called}.values())


def _programs(primitive: Primitive) -> Iterator[Program]:
    caller = primitive.agent.rpartition(":")[2]
    found = _fencing(primitive) if primitive.agent.startswith(_FENCE) else _resource(primitive)
    for program in found:
        yield replace(_placed(program, primitive), caller=caller)


def _placed(program: Program, primitive: Primitive) -> Program:
    """Return the program where the agent's own parameter says that it is; no package brings it."""
    option = program.path.rpartition("/")[2] + "_path"
    given = primitive.parameters.get(option)
    return Program(given) if given and given != program.path else program


def _fencing(primitive: Primitive) -> Iterator[Program]:
    name = primitive.agent.removeprefix(_FENCE)
    kind = name.removeprefix("fence_")
    package = f"fence-agents-{_PACKAGED_WITH.get(kind, kind.replace('_', '-'))}"
    own = (_APART[kind],) if kind in _APART else (package, "fence-agents")
    # dnf takes the path of a file, and finds the package.
    yield Program(f"/usr/sbin/{name}", own, own if kind in _APART else (f"/usr/sbin/{name}",))
    yield from _FENCE_AGENTS.get(kind, ())
    if kind in _BY_TELNET:
        secure = any(primitive.parameters.get(key, "").lower() in _TRUE for key in _SECURE)
        yield _SSH if secure else _TELNET


def _resource(primitive: Primitive) -> Iterator[Program]:
    yield from _RESOURCE_AGENTS.get(primitive.agent, ())
    for (agent, name, value), program in _BY_VALUE.items():
        if primitive.agent == agent and primitive.parameters.get(name) == value:
            yield program
