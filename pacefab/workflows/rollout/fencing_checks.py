"""What a plan makes of fencing is checked before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.fencing import checks, identity
from pacefab.pacemaker.fencing.devices import read_devices
from pacefab.pacemaker.fencing.findings import FencingFinding, FencingScene
from pacefab.pacemaker.fencing.reading import new_scene
from pacefab.pacemaker.fencing.sbd import SbdSettings
from pacefab.pacemaker.model import Configuration, Primitive
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.pacemaker.sections import watchdog
from pacefab.transport.fanout import fan_out, values
from pacefab.workflows.checks import fencing_proofs, fencing_scene
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout.desired import Intent

_DEVICE = "stonith:"
_OF_SBD = "fence_sbd"
_SBD_WAITS = (
    "SBD does not run on this cluster yet, and fencing by it is not turned on before: "
    "fab deploy --restart-cluster starts it"
)


def check_new(intent: Intent, desired: Configuration) -> tuple[str, ...]:
    """Return what is doubtful about the fencing of a cluster that is still to be formed.

    Raises:
        RefusedError: a node would not be fenced, or another one in its place.
    """
    corosync = intent.corosync.values if intent.corosync else {}
    scene = replace(new_scene(desired, intent.membership.names, corosync), sbd=intent.sbd)
    if not (scene.devices or scene.watchdog):
        return ()
    return _sorted_out(list(checks.find(scene, {})), None)


def until_sbd_runs(seen: ClusterView, desired: Configuration) -> Configuration:
    """Return what is desired while SBD does not run: fencing is not left to it."""
    alone = all(device.agent == _OF_SBD for device in read_devices(desired))
    return watchdog.until_sbd_runs(seen.cib, desired, alone=alone)


def check(
    seen: ClusterView, after: Cib, change: ConfigurationPlan, sbd: SbdSettings | None = None
) -> tuple[str, ...]:
    """Return what is doubtful about fencing as it will be, and which nodes it is not proven for.

    What is wrong and there already is said too; it is no reason against another change. `sbd` is
    how SBD is to be set up.

    Raises:
        RefusedError: by this change a node would not be fenced, or another one in its place.
    """
    waits = (_SBD_WAITS,) if sbd and not watchdog.has_watchdog(seen.cib) else ()
    scene = replace(fencing_scene.scene_of(seen, after), sbd=sbd)
    if not scene.enabled or not (seen.status.fencing or _turns_on(change)):
        return waits
    if not (scene.devices or scene.watchdog):
        return ("fencing is enabled, and there is no device: say in fencing how nodes are fenced",)
    agents = seen.metadata(tuple({device.primitive.agent: None for device in scene.devices}))
    found = [*checks.find(scene, agents), *_foreign(seen, scene, change)]
    said = _sorted_out(found, change)
    return (*waits, *said, *_unproven(seen, scene))


def _foreign(
    seen: ClusterView, scene: FencingScene, change: ConfigurationPlan
) -> Iterator[FencingFinding]:
    """Yield the boards of this change that are another node's, as far as nodes know their own."""
    changed = {one.id for one in change.changes}
    boards = [device for device in scene.devices if device.is_board and device.id in changed]
    if boards:
        hosts = {name: seen.hosts[name] for name in seen.views}
        step = identity.observe_self()
        asked = values(fan_out(hosts, lambda _, host: host.query([step])[step.name]))
        nodes = {name: identity.read_self(section) for name, section in asked.items()}
        yield from identity.foreign(boards, nodes)


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
