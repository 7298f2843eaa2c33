"""Names of roles, options and agents as Pacemaker has them today, from those that it once had."""

from __future__ import annotations

_ROLES = {"master": "Promoted", "slave": "Unpromoted"}
# https://clusterlabs.org/projects/pacemaker: names before Pacemaker 2.1 and since.
_META = {"master-max": "promoted-max", "master-node-max": "promoted-node-max"}
_NOT_HEARTBEAT = {
    "controld": "pacemaker", "ClusterMon": "pacemaker", "ping": "pacemaker", "pingd": "pacemaker",
    "remote": "pacemaker", "SysInfo": "pacemaker", "HealthCPU": "pacemaker",
    "HealthSMART": "pacemaker", "Stateful": "pacemaker", "o2cb": "pacemaker",
    "NovaCompute": "openstack", "NovaEvacuate": "openstack", "nova-compute-wait": "openstack",
    "NeutronScale": "neutron", "OVSCleanup": "neutron", "NetnsCleanup": "neutron",
}  # fmt: skip


def role(text: str) -> str:
    """Return a role's name of today."""
    return _ROLES.get(text.lower(), text)


def today(name: str) -> str:
    """Return a meta attribute's name of today."""
    return _META.get(name, name)


def meta_of_today(found: dict[str, str]) -> dict[str, str]:
    """Return meta attributes by today's names."""
    return {
        _META.get(name, name): role(value) if name == "target-role" else value
        for name, value in found.items()
    }


def agent_of_today(agent: str) -> str:
    """Return an agent's full name; pcs takes IPaddr2 for ocf:heartbeat:IPaddr2."""
    agent = agent.replace("::", ":")
    if agent.startswith("lsb:") or ":" in agent:
        return agent if agent.count(":") != 1 or not _is_ocf(agent) else f"ocf:{agent}"
    return f"ocf:{_NOT_HEARTBEAT.get(agent, 'heartbeat')}:{agent}"


def _is_ocf(agent: str) -> bool:
    """Return whether PROVIDER:TYPE stands without its class."""
    return agent.partition(":")[0] in {"heartbeat", "pacemaker", "openstack", "neutron", "rabbitmq"}
