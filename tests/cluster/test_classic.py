"""A whole deployment of scripts, migrated and deployed on bare hosts; judged by its listing.

Three controllers and two compute nodes by Pacemaker Remote. What no package here brings are
stand-ins (`stand_ins`); HAProxy, Galera, memcached, Redis and all addresses are real.
Filesystem has no NFS server and no disk here, and a probe of Debian 12's Delay takes as long as its
own timeout: both are stand-ins, too.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from pacefab.harness.parallel import on_all
from pacefab.harness.plugin import COMPUTES, OPENSTACK
from pacefab.waiting import Pending, wait_until
from tests.cluster import eyes, stand_ins
from tests.cluster.eyes import Done
from tests.cluster.test_deploy import SECRETS, argv

pytestmark = pytest.mark.long

EXPECTED = REPOSITORY_ROOT / "tests" / "data" / "legacy" / "openstack" / "expected"
INVENTORY = EXPECTED / "answered.yaml"
AGENTS = (
    "ocf:rabbitmq:rabbitmq-server-ha",
    "ocf:heartbeat:Filesystem",
    "ocf:heartbeat:Delay",
    "ocf:linbit:drbd",
)
FENCE: dict[str, dict[str, tuple[str, ...]]] = {
    "fence-agents": {
        "fence_ipmilan": ("ipaddr", "login", "passwd", "lanplus"),
        "fence_compute": ("auth-url", "login", "passwd", "tenant-name", "record-only", "action"),
    },
    "fence-virt": {"fence_xvm": ("multicast_address",)},
}
MODULES = "/usr/lib/python3/dist-packages"
CALLED = {
    "nfs-common": "/usr/sbin/mount.nfs",
    "xfsprogs": "/usr/sbin/fsck.xfs",
    "drbd-utils": "/usr/sbin/drbdadm",
    "ipmitool": "/usr/bin/ipmitool",
    "python3-novaclient": f"{MODULES}/novaclient/__init__.py",
    "python3-keystoneclient": f"{MODULES}/keystoneclient/__init__.py",
}
REDIS = """\
apt-get install -y -qq redis-server >/dev/null 2>&1
systemctl disable -q --now redis-server
"""
_NAMES = ("ipmi_1_passwd", "ipmi_2_passwd", "ipmi_3_passwd", "fence_nova_passwd",
          "nova_evacuate_password", "nova_compute_password",
          "rabbitmq_cluster_erlang_cookie")  # fmt: skip
OWN_SECRETS = {f"PACEFAB_SECRET_{name.upper()}": "for the stand-ins" for name in _NAMES}


def fab(cluster: Cluster, *args: str) -> Done:
    return subprocess.run(
        argv(cluster, *args, inventory=INVENTORY),
        env=eyes.environment(**SECRETS, **OWN_SECRETS),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        cwd=REPOSITORY_ROOT,
        stdin=subprocess.DEVNULL,
    )


def made_up() -> Iterator[str]:
    """Yield shell text for each stand-in."""
    agents: dict[str, list[str]] = {}
    promotable: set[str] = set()
    for entry in read_inventory(INVENTORY).resources.values():
        agent = str(entry.agent)
        kind, provider, *_ = agent.split(":")
        if kind == "systemd":
            yield stand_ins.unit(provider)
        elif agent in AGENTS or provider in {"neutron", "openstack"}:
            agents.setdefault(agent, []).extend(entry.parameters)
            promotable |= {agent} if entry.promotable is not None else set()
    for agent, parameters in agents.items():
        several = dict.fromkeys(parameters)
        yield stand_ins.agent(agent, several, promotable=agent in promotable)


def packages() -> Iterator[str]:
    """Yield shell text for each package: the fence agents, and what they call."""
    for name, agents in FENCE.items():
        files = {
            f"/usr/sbin/{agent}": stand_ins.fence_agent(agent, parameters)
            for agent, parameters in agents.items()
        }
        yield stand_ins.package(name, files)
    for name, path in CALLED.items():
        yield stand_ins.package(name, {path: ""})


@pytest.fixture(scope="module")
def classic(compute_nodes: Cluster) -> Cluster:
    before = "".join(packages())
    on_all(lambda node: compute_nodes.run(node, before), OPENSTACK)
    formed = fab(compute_nodes, "bootstrap")
    assert formed.returncode == 0, formed.stdout + formed.stderr
    text = "".join(made_up()) + "systemctl daemon-reload"

    def put(node: str) -> None:
        compute_nodes.run(node, text)
        if node in OPENSTACK:
            compute_nodes.run(node, REDIS, timeout=120)

    on_all(put, [*OPENSTACK, *COMPUTES])
    deployed = fab(compute_nodes, "deploy", "--yes", "--timeout", "600")
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    return compute_nodes


def blocks(lines: list[str]) -> list[str]:
    """Return what each resource has in a listing; their order is that of the configuration."""
    return sorted(re.split(r"\n(?= \S)", "\n".join(lines)))


def differences(listing: str) -> list[str]:
    """Return what differs from the listing by hand: ? and * stand for what Pacemaker decides."""
    found, expected = blocks(listing.splitlines()), blocks(LISTING.read_text().splitlines())
    patterns = [re.escape(e).replace(r"\?", "[0-9]").replace(r"\*", r"\S+") for e in expected]
    lacking = [p for p in patterns if not any(re.fullmatch(p, block) for block in found)]
    strange = [b for b in found if not any(re.fullmatch(p, b) for p in patterns)]
    return [*lacking, *strange]


LISTING: Path = EXPECTED / "listing.txt"


def test_every_resource_of_the_scripts_runs_as_they_have_it(classic: Cluster) -> None:
    def look() -> str | Pending:
        shown = fab(classic, "status", "--format", "classic")
        found = differences(shown.stdout)
        return Pending("\n".join([*found, shown.stderr])) if found else shown.stdout

    seen = wait_until(look, 120)
    assert not isinstance(seen, Pending), seen.seen


def test_there_is_nothing_left_to_do(classic: Cluster) -> None:
    again = fab(classic, "plan")
    assert again.returncode == 0, again.stdout + again.stderr
