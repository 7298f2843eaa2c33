"""Resources in the layout that operators know from `pcs resource` (crm_mon of Pacemaker 1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pacefab.pacemaker.nouns.status import (
    CloneStatus,
    ClusterStatus,
    GroupStatus,
    Instance,
    ResourceStatus,
)


def render(status: ClusterStatus, *, former_ids: bool = False) -> list[str]:
    """Return the lines; tabs stop at every eighth column of the line, its leading blank included.

    Fencing devices are left out: they are `pcs stonith`'s. With `former_ids` a promotable clone is
    called as pcs called it then: galera-master.
    """
    lines = (
        line for item in status.resources for line in _resource(item, status, former_ids=former_ids)
    )
    return [line.expandtabs() for line in lines]


def render_devices(devices: Iterable[Instance]) -> list[str]:
    """Return a line for each fence device, as `pcs stonith` has it."""
    return [f" {_primitive(device)}".expandtabs() for device in devices]


def _resource(item: ResourceStatus, status: ClusterStatus, *, former_ids: bool) -> Iterator[str]:
    if isinstance(item, CloneStatus):
        yield from _clone(item, status, former_ids=former_ids)
    elif isinstance(item, GroupStatus):
        yield f" Resource Group: {item.id}"
        yield from (f"     {_primitive(member)}" for member in item.instances)
    elif not item.agent.startswith("stonith:"):
        yield f" {_primitive(item)}"


def _clone(clone: CloneStatus, status: ClusterStatus, *, former_ids: bool) -> Iterator[str]:
    yield _title(clone, former_ids=former_ids)
    if clone.unique:
        yield from (f"     {_primitive(copy)}" for copy in clone.instances)
        return
    running: set[str] = set()
    for role, word in _PROMOTABLE_ROLES if clone.promotable else _ROLES:
        nodes = _nodes(clone.instances, role)
        running |= set(nodes)
        if nodes:
            yield f"     {word}: [ {' '.join(nodes)} ]"
    unusual = [copy for copy in clone.instances if copy.failed or copy.pending]
    yield from (f"     {_primitive(copy)}" for copy in unusual)
    stopped = [node.name for node in status.nodes if node.name not in running]
    own = [copy for copy in clone.instances if not copy.orphaned]  # no more than its clone-max
    if stopped and any(not copy.nodes for copy in own):
        yield f"     Stopped: [ {' '.join(sorted(stopped))} ]"


_ROLES = (("Started", "Started"),)
_PROMOTABLE_ROLES = (("Promoted", "Masters"), ("Unpromoted", "Slaves"), *_ROLES)


def _title(clone: CloneStatus, *, former_ids: bool) -> str:
    inner = clone.instances[0].id.partition(":")[0] if clone.instances else ""
    flag = " (unique)" if clone.unique else ""
    if not clone.promotable:
        return f" Clone Set: {clone.id} [{inner}]{flag}"
    former = former_ids and clone.id == f"{inner}-clone"
    return f" Master/Slave Set: {f'{inner}-master' if former else clone.id} [{inner}]{flag}"


def _nodes(instances: Iterable[Instance], role: str) -> list[str]:
    return sorted(
        node for copy in instances if copy.role == role and not copy.failed for node in copy.nodes
    )


def _primitive(instance: Instance) -> str:
    agent = instance.agent.replace("ocf:", "ocf::", 1)  # 1.1 wrote the standard with two colons
    state = " ".join([instance.pending or instance.role, *instance.nodes])
    words = {"FAILED": instance.failed, "blocked": instance.blocked,
             "unmanaged": not instance.managed}  # fmt: skip
    flags = [word for word, holds in words.items() if holds]
    flagged = f" ({', '.join(flags)})" if flags else ""
    return f"{instance.id}\t({agent}):\t{state}{flagged}"
