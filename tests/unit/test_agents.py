"""Which programs agents call, and how a node says which of them it lacks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pacefab.host import kernel, programs
from pacefab.host.model import Absent, Program
from pacefab.pacemaker.model import Clone, Configuration, Group, Primitive, Resource
from pacefab.services import agents
from pacefab.transport.command import Section


def called(*resources: Resource) -> dict[str, Program]:
    found = agents.programs(Configuration(resources=resources))
    return {program.path: program for program in found}


def device(agent: str, **parameters: str) -> Primitive:
    return Primitive("device", f"stonith:{agent}", parameters)


@pytest.mark.parametrize(
    ("agent", "path", "debian", "rhel"),
    [
        ("fence_ipmilan", "/usr/bin/ipmitool", "ipmitool", "ipmitool"),
        ("fence_ilo4", "/usr/bin/ipmitool", "ipmitool", "ipmitool"),
        ("fence_idrac", "/usr/bin/ipmitool", "ipmitool", "ipmitool"),
        ("fence_apc_snmp", "/usr/bin/snmpget", "snmp", "net-snmp-utils"),
        ("fence_ifmib", "/usr/bin/snmpset", "snmp", "net-snmp-utils"),
        ("fence_scsi", "/usr/bin/sg_persist", "sg3-utils", "sg3_utils"),
        ("fence_mpath", "/usr/sbin/mpathpersist", "multipath-tools", "device-mapper-multipath"),
        ("fence_virsh", "/usr/bin/ssh", "openssh-client", "openssh-clients"),
        ("fence_apc", "/usr/bin/telnet", "telnet", "telnet"),
        ("fence_xvm", "/usr/sbin/fence_xvm", "fence-virt", "fence-virt"),
    ],
)
def test_what_fence_agents_call(agent: str, path: str, debian: str, rhel: str) -> None:
    found = called(device(agent))
    assert (found[path].debian, found[path].rhel) == ((debian,), (rhel,))
    assert found[path].caller == agent


@pytest.mark.parametrize(
    ("agent", "package"),
    [
        ("fence_ipmilan", "fence-agents-ipmilan"),
        ("fence_idrac", "fence-agents-ipmilan"),
        ("fence_ilo5", "fence-agents-ipmilan"),
        ("fence_ilo5_ssh", "fence-agents-ilo-ssh"),
        ("fence_apc_snmp", "fence-agents-apc-snmp"),
    ],
)
def test_the_agent_itself_comes_from_its_own_package_or_the_one_of_all(
    agent: str, package: str
) -> None:
    own = called(device(agent))[f"/usr/sbin/{agent}"]
    assert own.debian == (package, "fence-agents")
    assert own.rhel == (f"/usr/sbin/{agent}",), "dnf finds the package of a file"


def test_what_an_agent_calls_goes_by_its_parameters() -> None:
    assert "/usr/bin/telnet" not in called(device("fence_apc", secure="1"))
    assert "/usr/bin/ssh" in called(device("fence_apc", ssh="true"))
    elsewhere = called(device("fence_ipmilan", ipmitool_path="/opt/ipmi/ipmitool"))
    assert "/usr/bin/ipmitool" not in elsewhere
    assert elsewhere["/opt/ipmi/ipmitool"].debian == ()


def test_resource_agents_in_groups_and_clones_too() -> None:
    share = Primitive("share", "ocf:heartbeat:Filesystem", {"fstype": "nfs4"})
    volume = Primitive("volume", "ocf:heartbeat:LVM-activate")
    found = called(Clone("share-clone", share), Group("all", (volume,)))
    assert found["/usr/sbin/mount.nfs"].debian == ("nfs-common",)
    assert found["/usr/sbin/mount.nfs"].rhel == ("nfs-utils",)
    assert found["/usr/sbin/lvm"].caller == "LVM-activate"
    assert not called(Primitive("own", "systemd:own"), Primitive("dummy", "ocf:pacemaker:Dummy"))


@pytest.mark.parametrize(
    ("kind", "path", "debian", "rhel"),
    [
        ("ceph", "/usr/sbin/mount.ceph", "ceph-common", "ceph-common"),
        ("glusterfs", "/usr/sbin/mount.glusterfs", "glusterfs-client", "glusterfs-fuse"),
    ],
)
def test_a_shared_file_system_is_mounted_by_a_program_of_its_own(
    kind: str, path: str, debian: str, rhel: str
) -> None:
    found = called(Primitive("share", "ocf:heartbeat:Filesystem", {"fstype": kind}))
    assert (found[path].debian, found[path].rhel) == ((debian,), (rhel,))


def test_a_node_says_which_programs_it_lacks_and_what_brings_them(tmp_path: Path) -> None:
    """The script on this machine, with package programs of its own, as each family has them."""
    present = Program("/bin/sh", ("dash",), ("bash",))
    absent = Program("/usr/bin/no-such-thing", ("first", "known", "last"), ("of-el",))
    broken = Program("/opt/none/tool", ("there",), ("there",))
    of_debian = Program("/usr/lib/none/module", ("python3-none",))
    scripts = {
        "dpkg-query": 'for last; do :; done; [ "$last" = there ] && printf installed',
        "apt-cache": '[ "$2" = known ]',
        "rpm": '[ "$2" = there ]',
    }
    asked = [present, absent, broken, of_debian]

    def look(*names: str) -> dict[str, Absent]:
        folder = tmp_path / "-".join(names)
        folder.mkdir()
        for name in names:
            (folder / name).write_text(f"#!/bin/sh\n{scripts[name]}\n")
            (folder / name).chmod(0o755)
        (step,) = programs.observe(asked)
        argv = ["/bin/sh", *step.argv[1:]]
        done = subprocess.run(
            argv, env={"PATH": str(folder)}, capture_output=True, text=True, check=True
        )
        return programs.parse({"programs": Section("programs", 0, done.stdout, "")})

    assert look("dpkg-query", "apt-cache") == {
        absent.path: Absent("known", installed=False),
        broken.path: Absent("there", installed=True),
        of_debian.path: Absent("python3-none", installed=False),
    }
    assert look("rpm") == {
        absent.path: Absent("of-el", installed=False),
        broken.path: Absent("there", installed=True),
    }


def test_settings_of_the_kernel_as_it_has_them() -> None:
    step, _ = kernel.observe(["kernel.ostype", "net.ipv4.no_such_thing"])
    done = subprocess.run(step.argv, capture_output=True, text=True, check=True)
    sections = {"kernel": Section("kernel", 0, done.stdout, "")}
    assert kernel.parse(sections) == {"kernel.ostype": "Linux"}
    assert kernel.observe([]) == []
    assert kernel.parse({}) == {}
