"""A cluster's state and what is desired -> what is missing still. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pacefab.errors import CommandError, RefusedError
from pacefab.pacemaker.model import (
    Clone,
    Configuration,
    Primitive,
    Resource,
    primitive_ids,
    primitives,
)
from pacefab.pacemaker.nouns.status import ClusterStatus, FailedAction, Instance

_SAID = 4  # of what is being done, named one by one


class StartFailedError(CommandError):
    """Pacemaker could not start or promote a resource on `nodes`, and will not try again there.

    `early`: it looked before systemd had begun any of these starts, so that nothing has failed.
    """

    nodes: tuple[str, ...] = ()
    calls: frozenset[tuple[str, str]] = frozenset()  # each node with the call's number there
    agent: str = ""
    resource: str = ""
    early: bool = False


def missing(status: ClusterStatus, configuration: Configuration) -> str:
    """Return what is not yet as desired ("memcached is not Started on c2"); empty: nothing.

    A primitive has to be Started somewhere; a clone where Pacemaker is to run it; of a promotable
    clone as many as `promoted-max` says have to be Promoted. What is deliberately kept from running
    (standby, disabled, banned, unmanaged, …) is not waited for, and nothing on a node by Pacemaker
    Remote but what was placed there. Nothing is as desired while Pacemaker still has something to
    do to it.

    Raises:
        StartFailedError: a start or promotion has failed for good.
        CommandError: Pacemaker has nothing left to do, and does not run it; why is in the error.
    """
    found = [text for resource in configuration.resources for text in _missing(status, resource)]
    desired = primitive_ids(configuration.resources)
    return "; ".join(found) or unfinished(status, desired)


def unfinished(status: ClusterStatus, names: Collection[str]) -> str:
    """Return what is being done to primitives or will be ("start d on c1"); empty: nothing.

    What is done on a node by Pacemaker Remote is left out: nothing of ours depends on it.
    """
    remote = {node.name for node in status.nodes if node.remote}
    instances = [
        instance
        for name in names
        for instance in status.instances(name)
        if not instance.nodes or set(instance.nodes) - remote
    ]
    doing = [f"{instance.id}: {instance.doing}" for instance in instances if instance.doing]
    due = [
        action
        for action in status.due or ()
        if action.resource.partition(":")[0] in names and action.target not in remote
    ]
    said = [*doing, *(f"{action} is still to be done" for action in due)]
    more = [f"{len(said) - _SAID} more"] if len(said) > _SAID else []
    return "; ".join([*said[:_SAID], *more])


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
    return not any(instance.doing for instance in status.instances(resource))


def _missing(status: ClusterStatus, resource: Resource) -> Iterator[str]:
    if isinstance(resource, Clone):
        yield from _clone(status, resource)
        return
    for primitive in primitives(resource):
        started = status.started_on(primitive.id)
        if started or not _awaited(status, primitive.id):
            continue
        nodes = _nodes(status, primitive.id)
        failed = _failures(status, primitive, "start", nodes)
        everywhere = bool(nodes) and {failure.node for failure in failed} >= able(status)
        if failed and (everywhere or _rests(status, primitive)):
            raise _failed(primitive, failed)
        _check_placed(status, primitive)
        reason = _because(_failures(status, primitive))
        yield f"{primitive.id} is not Started on any node{reason}"


def _clone(status: ClusterStatus, clone: Clone) -> Iterator[str]:
    name, nodes = clone.primitive.id, expected(status, clone.primitive.id)
    started, promoted = status.started_on(name), _promoted(status, name)
    failed = [
        failure
        for failure in _failures(status, clone.primitive, nodes=_nodes(status, name) - started)
        if not _deliberate(status, name, failure.node)
    ]
    if starts := [failure for failure in failed if failure.operation == "start"]:
        raise _failed(clone.primitive, starts)
    if _awaited(status, name) and not nodes | started:
        _check_placed(status, clone.primitive)
        yield f"{name} is not Started on any node{_because(failed)}"
    nodes |= _lost(status, name)
    most = int(clone.meta.get("clone-max", len(nodes)))
    absent = sorted(nodes - started)
    if absent and len(started) < most:
        _check_placed(status, clone.primitive)
        yield f"{name} is not Started on {', '.join(absent)}{_because(failed)}"
    desired = min(_promoted_max(status, clone), len(_promotable(status, clone)), most)
    if len(promoted) < desired:
        refused = _failures(status, clone.primitive, "promote")
        if refused and len(nodes - {failure.node for failure in refused}) < desired:
            raise _failed(clone.primitive, refused)
        _check_promotable(status, name)
        yield f"{name} is Promoted on {len(promoted)} of {desired} nodes{_because(refused)}"


def expected(status: ClusterStatus, primitive: str) -> frozenset[str]:
    """Return the nodes on which Pacemaker is to start a primitive, and to keep it running.

    Without its word (`status.placement`), every node that may run resources.
    """
    if status.placement is None:
        return able(status)
    return status.placement.kept(primitive) & _nodes(status, primitive)


def _nodes(status: ClusterStatus, primitive: str) -> frozenset[str]:
    """Return the nodes on which a primitive is waited for: remote ones where it is placed there."""
    beside = status.placement is not None and primitive in status.placement.beside
    return frozenset(node.name for node in status.nodes if beside or not node.remote)


def _awaited(status: ClusterStatus, primitive: str) -> bool:
    """Whether a primitive is to run: not where it is unmanaged, or all against it is deliberate."""
    word = status.placement
    if word is None or word.kept(primitive):
        return True
    against = word.against.get(primitive, {})
    mine = [cause for node, cause in against.items() if node in _nodes(status, primitive)]
    # Where nothing but a node that is away could run it, nobody can wait for it.
    here = [cause for cause in mine if not cause.away]
    accident = not here or any(not cause.deliberate for cause in here)
    return accident and not word.running.get(primitive)


def _lost(status: ClusterStatus, primitive: str) -> frozenset[str]:
    """Return the members that run, and on which an instance of a clone does not, by accident."""
    against = status.placement.against.get(primitive, {}) if status.placement else {}
    lost = (node for node, cause in against.items() if cause.resource and not cause.deliberate)
    return _nodes(status, primitive) & frozenset(lost)


def _deliberate(status: ClusterStatus, primitive: str, node: str) -> bool:
    return status.placement is not None and status.placement.deliberate(primitive, node)


def _check_placed(status: ClusterStatus, primitive: Primitive) -> None:
    """Raise a CommandError when Pacemaker is at rest and will not run a primitive as it is."""
    if status.placement is None or status.due is None:
        return
    found = status.placement.against.get(primitive.id, {}).items()
    causes = dict.fromkeys(cause for node, cause in found if node in _nodes(status, primitive.id))
    against = [cause for cause in causes if not cause.deliberate]
    waits = any(cause.waits for cause in against)
    if against and not waits and not unfinished(status, status.primitives):
        raise CommandError(
            f"start {primitive.id}",
            "\n".join(cause.said for cause in against),
            "; ".join(dict.fromkeys(cause.way_out for cause in against)),
        )


def _check_promotable(status: ClusterStatus, primitive: str) -> None:
    """Raise a CommandError when an agent waits for what does not come by itself."""
    cause = status.placement.unpromoted.get(primitive) if status.placement else None
    if cause and not unfinished(status, [primitive]):
        raise CommandError(f"promote {primitive}", cause.said, cause.way_out)


def _promoted_max(status: ClusterStatus, clone: Clone) -> int:
    instances = status.instances(clone.primitive.id)
    kept = any(instance.target_role in {"Stopped", "Unpromoted"} for instance in instances)
    if kept or not clone.promotable:
        return 0
    return int(clone.meta.get("promoted-max", clone.meta.get("master-max", "1")))


def _promotable(status: ClusterStatus, clone: Clone) -> frozenset[str]:
    """Return the nodes on which an instance may be promoted."""
    names = {clone.id, clone.primitive.id}
    banned = {ban.node for ban in status.bans if ban.promoted_only and ban.resource in names}
    return expected(status, clone.primitive.id) - banned


def _promoted(status: ClusterStatus, name: str) -> frozenset[str]:
    instances: tuple[Instance, ...] = status.instances(name)
    return frozenset(
        node
        for instance in instances
        if instance.role == "Promoted" and not (instance.pending or instance.failed)
        for node in instance.nodes
    )


def _rests(status: ClusterStatus, primitive: Primitive) -> bool:
    """Whether Pacemaker has nothing left to try, as after a start that is "not configured".

    Not for promotions: an agent's monitor may still let another node be promoted, as galera's does.
    """
    return status.due is not None and not unfinished(status, [primitive.id])


def _failures(
    status: ClusterStatus,
    primitive: Primitive,
    operation: str = "",
    nodes: frozenset[str] | None = None,
) -> list[FailedAction]:
    """Return the failures of a primitive; after one to start or promote, its node is out."""
    return [
        failure
        for failure in status.failures
        if failure.resource.partition(":")[0] == primitive.id
        and operation in {"", failure.operation}
        and (nodes is None or failure.node in nodes)
    ]


def _because(failures: list[FailedAction]) -> str:
    """Return what failed, for whoever waits: Pacemaker may still recover it."""
    said = "; ".join(_sentence(failure) for failure in failures)
    return f" ({said})" if said else ""


def _sentence(failure: FailedAction) -> str:
    return f"{failure.operation} failed on {failure.node}: {failure.reason}"


def _failed(primitive: Primitive, failures: list[FailedAction]) -> StartFailedError:
    standard, _, name = primitive.agent.partition(":")
    unit = name if standard == "systemd" else "pacemaker"
    error = StartFailedError(
        f"start {primitive.id}",
        "\n".join(map(_sentence, failures)),
        f"see more: journalctl -u {unit} on that node; fix it, then run this again",
    )
    error.nodes = tuple(dict.fromkeys(failure.node for failure in failures))
    error.calls = frozenset((failure.node, failure.call) for failure in failures)
    error.agent, error.resource = primitive.agent, primitive.id
    error.early = standard == "systemd" and all(map(_is_early, failures))
    return error


def _is_early(failure: FailedAction) -> bool:
    """Whether Pacemaker looked at a unit whose job was still in systemd's queue.

    A Pacemaker that does not follow systemd's jobs, as 2.1 and 3.0.0, calls a start failed when a
    look at most 2 s later finds the unit inactive, be it that systemd was busy (execd_commands.c,
    action_complete). A unit that was started and failed is "failed".
    """
    return (failure.operation, failure.reason) == ("start", "inactive")


def check_ready(status: ClusterStatus, attempted: str) -> None:
    """Raise a RefusedError when the cluster is in no state to be changed."""
    if not status.quorum:
        raise RefusedError(
            attempted,
            "the cluster has no quorum",
            "bring back enough nodes (pcs status), then run again",
        )
    if status.maintenance:
        raise RefusedError(
            attempted,
            "the cluster is in maintenance mode: nothing would start or stop",
            "nothing was changed; end it: pcs property set maintenance-mode=false",
        )
