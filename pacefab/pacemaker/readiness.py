"""A cluster's state and what is desired -> what is not yet so. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from pacefab.errors import CommandError
from pacefab.pacemaker.model import (
    Clone,
    ClusterStatus,
    Configuration,
    FailedAction,
    Instance,
    Location,
    Primitive,
    Resource,
    primitive_ids,
    primitives,
)


class StartFailedError(CommandError):
    """Pacemaker could not start or promote a resource on `nodes`, and will not try again there."""

    nodes: tuple[str, ...] = ()
    agent: str = ""


def missing(status: ClusterStatus, configuration: Configuration) -> str:
    """Return what is not yet as desired ("memcached is not Started on c2"); empty: nothing.

    A primitive has to be Started somewhere; a clone on every node that may run it; of a promotable
    clone as many as `promoted-max` says have to be Promoted. What is disabled (target-role Stopped)
    is not waited for. Nor is anything as desired while Pacemaker has yet to do something to it.

    Raises:
        StartFailedError: a start or promotion has failed for good.
    """
    found = [
        text
        for resource in configuration.resources
        for text in _missing(status, resource, configuration)
    ]
    desired = primitive_ids(configuration.resources)
    return "; ".join(found) or unfinished(status, desired)


def unfinished(status: ClusterStatus, names: Collection[str]) -> str:
    """Return what is being done to primitives or is yet to be ("start d on c1"); empty: nothing."""
    instances = [instance for name in names for instance in status.instances(name)]
    doing = [f"{instance.id}: {instance.pending}" for instance in instances if instance.pending]
    due = [action for action in status.due or () if action.resource.partition(":")[0] in names]
    return "; ".join([*doing, *(f"{action} is still to be done" for action in due)])


def able(status: ClusterStatus) -> frozenset[str]:
    """Return the nodes that may run resources now."""
    return frozenset(node.name for node in status.nodes if node.word == "online")


def remaining(status: ClusterStatus, resource: str) -> str:
    """Return where a primitive still is that is to be gone; empty: nowhere."""
    instances = status.instances(resource)
    nodes = {node for instance in instances for node in instance.nodes}
    if nodes:
        return f"{resource} still runs on {', '.join(sorted(nodes))}"
    return f"{resource} is still there" if instances else ""


def idle(status: ClusterStatus, resource: str) -> bool:
    """Whether nothing is being done to a primitive right now."""
    return not any(instance.pending for instance in status.instances(resource))


def _missing(
    status: ClusterStatus, resource: Resource, configuration: Configuration
) -> Iterator[str]:
    if _disabled(resource):
        return
    if isinstance(resource, Clone):
        yield from _clone(status, resource, configuration)
        return
    nodes = _allowed(status, resource, configuration)
    for primitive in primitives(resource):
        if not _disabled(primitive) and not status.started_on(primitive.id):
            failed = _failures(status, primitive, "start")
            everywhere = bool(nodes) and {failure.node for failure in failed} >= nodes
            if everywhere or (failed and _rests(status, primitive)):
                raise _failed(primitive, failed)
            reason = _because(_failures(status, primitive))
            yield f"{primitive.id} is not Started on any node{reason}"


def _clone(status: ClusterStatus, clone: Clone, configuration: Configuration) -> Iterator[str]:
    name, nodes = clone.primitive.id, _allowed(status, clone, configuration)
    started, promoted = status.started_on(name), _promoted(status, name)
    most = int(clone.meta.get("clone-max", len(nodes)))
    failed = [f for f in _failures(status, clone.primitive) if f.node not in started]
    if starts := [failure for failure in failed if failure.operation == "start"]:
        raise _failed(clone.primitive, starts)
    absent = sorted(nodes - started)
    if absent and len(started) < most:
        yield f"{name} is not Started on {', '.join(absent)}{_because(failed)}"
    desired = min(_promoted_max(clone), len(nodes), most)
    if len(promoted) < desired:
        refused = _failures(status, clone.primitive, "promote")
        if refused and len(nodes - {failure.node for failure in refused}) < desired:
            raise _failed(clone.primitive, refused)
        yield f"{name} is Promoted on {len(promoted)} of {desired} nodes{_because(refused)}"


def _promoted_max(clone: Clone) -> int:
    if not clone.promotable:
        return 0
    return int(clone.meta.get("promoted-max", clone.meta.get("master-max", "1")))


def _promoted(status: ClusterStatus, name: str) -> frozenset[str]:
    instances: tuple[Instance, ...] = status.instances(name)
    return frozenset(
        node
        for instance in instances
        if instance.role == "Promoted" and not (instance.pending or instance.failed)
        for node in instance.nodes
    )


def _allowed(
    status: ClusterStatus, resource: Resource, configuration: Configuration
) -> frozenset[str]:
    """Return the nodes that may run it: able ones, without those that a constraint bans."""
    ids = {resource.id, *primitive_ids([resource])}
    locations = (c for c in configuration.constraints if isinstance(c, Location))
    bans = [ban for ban in locations if ban.resource in ids and ban.score == "-INFINITY"]
    return frozenset(
        node
        for node in able(status)
        if not any(_holds(ban, node, configuration.attributes.get(node, {})) for ban in bans)
    )


def _holds(location: Location, node: str, attributes: Mapping[str, str]) -> bool:
    """Whether a constraint is about a node, as far as the desired attributes can tell."""
    value = attributes.get(location.attribute)
    tests = {
        "eq": value == location.value,
        "ne": value != location.value,
        "defined": value is not None,
        "not_defined": value is None,
    }
    return location.node == node if location.node else tests.get(location.operation, False)


def _rests(status: ClusterStatus, primitive: Primitive) -> bool:
    """Whether Pacemaker has nothing left to try, as after a start that is "not configured".

    Not for promotions: an agent's monitor may yet let another node be promoted, as galera's does.
    """
    return status.due is not None and not unfinished(status, [primitive.id])


def _disabled(resource: Resource) -> bool:
    inner = [resource.primitive] if isinstance(resource, Clone) else []
    return any(noun.meta.get("target-role") == "Stopped" for noun in (resource, *inner))


def _failures(
    status: ClusterStatus, primitive: Primitive, operation: str = ""
) -> list[FailedAction]:
    """Return the failures of a primitive; after one to start or promote, its node is out."""
    return [
        failure
        for failure in status.failures
        if failure.resource.partition(":")[0] == primitive.id
        and operation in {"", failure.operation}
    ]


def _because(failures: list[FailedAction]) -> str:
    """Return what failed, for whoever waits: Pacemaker may yet mend it."""
    said = "; ".join(_told(failure) for failure in failures)
    return f" ({said})" if said else ""


def _told(failure: FailedAction) -> str:
    return f"{failure.operation} failed on {failure.node}: {failure.reason}"


def _failed(primitive: Primitive, failures: list[FailedAction]) -> StartFailedError:
    standard, _, name = primitive.agent.partition(":")
    unit = name if standard == "systemd" else "pacemaker"
    error = StartFailedError(
        f"start {primitive.id}",
        "\n".join(map(_told, failures)),
        f"see more: journalctl -u {unit} on that node; mend it, then run this again",
    )
    error.nodes = tuple(dict.fromkeys(failure.node for failure in failures))
    error.agent = primitive.agent
    return error
