"""What a plan makes of fencing is checked before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.fencing.findings import FencingFinding, FencingScene
from pacefab.pacemaker.fencing.reading import new_scene
from pacefab.pacemaker.model import Configuration, Primitive
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.workflows.checks import fencing_proofs, fencing_scene
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout.desired import Intent

_DEVICE = "stonith:"


def check_new(intent: Intent, desired: Configuration) -> tuple[str, ...]:
    """Return what is doubtful about the fencing of a cluster that is still to be formed.

    Raises:
        RefusedError: a node would not be fenced, or another one in its place.
    """
    corosync = intent.corosync.values if intent.corosync else {}
    scene = new_scene(desired, intent.membership.names, corosync)
    if not scene.devices:
        return ()
    return _sorted_out(list(fencing_scene.find(scene, {})), None)


def check(seen: ClusterView, after: Cib, change: ConfigurationPlan) -> tuple[str, ...]:
    """Return what is doubtful about fencing as it will be, and which nodes it is not proven for.

    What is wrong and there already is said too; it is no reason against another change.

    Raises:
        RefusedError: by this change a node would not be fenced, or another one in its place.
    """
    scene = fencing_scene.scene_of(seen, after)
    if not seen.status.fencing and not _turns_on(change):
        return ()
    if not scene.enabled:
        return ()
    if not scene.devices:
        return ("fencing is enabled, and there is no device: say in fencing how nodes are fenced",)
    agents = seen.metadata(tuple({device.primitive.agent: None for device in scene.devices}))
    said = _sorted_out(list(fencing_scene.find(scene, agents)), change)
    return (*said, *_unproven(seen, scene))


def _turns_on(change: ConfigurationPlan) -> bool:
    return any(one.id in {"stonith-enabled", "fencing-enabled"} for one in change.changes)


def _sorted_out(
    found: Sequence[FencingFinding], change: ConfigurationPlan | None
) -> tuple[str, ...]:
    wrong = [one for one in found if one.grave and (change is None or _is_of(one, change))]
    if wrong:
        raise RefusedError(
            "check that the nodes can be fenced",
            "\n".join(map(str, wrong)),
            "nothing was changed; correct the inventory, docs/howto/fencing.md has examples",
        )
    return tuple(map(str, found))


def _is_of(finding: FencingFinding, change: ConfigurationPlan) -> bool:
    """Whether a plan makes something as it is wrong, or takes a device away."""
    gone = any(
        one.desired is None and isinstance(one.present, Primitive)
        and one.present.agent.startswith(_DEVICE)
        for one in change.changes
    )  # fmt: skip
    return gone or any(one.id in finding.about for one in change.changes)


def _unproven(seen: ClusterView, scene: FencingScene) -> tuple[str, ...]:
    if not seen.status.fencing:
        return ()
    known = fencing_proofs.read(seen.host.query(fencing_proofs.observe()))
    said = fencing_proofs.sentence(scene.nodes, known)
    return (said,) if said else ()
