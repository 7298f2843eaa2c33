"""verify-fencing: every fence device asked from every node that may run it; nothing is switched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pacefab.pacemaker.cib import pairs
from pacefab.pacemaker.fencing import asking, checks, identity, proofs, timing
from pacefab.pacemaker.fencing.asking import FenceAnswer
from pacefab.pacemaker.fencing.devices import FenceDevice
from pacefab.pacemaker.fencing.findings import FencingScene
from pacefab.pacemaker.fencing.proofs import Proof
from pacefab.pacemaker.model import FENCING_DISABLED_REASON, same_name
from pacefab.services.checks import Check
from pacefab.services.service import Look
from pacefab.transport.connection import Host
from pacefab.workflows.checks import fencing_proofs, fencing_sbd, fencing_scene
from pacefab.workflows.checks.fencing_answers import FenceAnswers, ask
from pacefab.workflows.checks.fencing_causes import FencingCauses
from pacefab.workflows.checks.verification import Verification
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_members

_HOWTO = "docs/howto/fencing.md says how a cluster gets it"
_SWITCH = (
    "that a board switches, and answers while its node has no power, only a real fencing shows"
)


@dataclass(frozen=True)
class FencedNode:
    """A node, what fences it, and what is known of that.

    `own` says whether the board was seen to be the node's own; `proof` is the last real fencing.
    `seconds` is after how long a lost node is known to be off, at the latest.
    """

    node: str
    devices: tuple[str, ...]
    own: bool = False
    proof: Proof | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class FencingVerification(Verification):
    """What was found of fencing; `answers` are those of the devices."""

    nodes: tuple[FencedNode, ...] = ()
    answers: tuple[FenceAnswer, ...] = ()


def verify(
    hosts: Mapping[str, Host], reach: Reach, limit: int, seconds: int
) -> FencingVerification:
    """Check fencing as it is configured in the cluster; harmless.

    Each question has so many `seconds`. Nodes note when each of them was last fenced.

    Raises:
        PacefabError: no host could report the cluster's state.
    """
    seen = observe_members(hosts, Look(), limit, reach)
    members = {name: seen.hosts[name] for name in seen.views}
    known = fencing_proofs.share(members)
    scene = fencing_scene.scene_of(seen, seen.cib)
    cluster = seen.membership.cluster
    if not seen.status.fencing or not (scene.devices or scene.watchdog):
        return FencingVerification("fencing", cluster, (*_reached(seen), _off(seen)))
    sbd = fencing_sbd.look(members, scene, seen.cib)
    scene = sbd.within(scene)
    agents = seen.metadata(tuple({device.primitive.agent: None for device in scene.devices}))
    found = _FencingChecks(seen, scene, ask(seen, scene, agents, seconds), known, seconds)
    faults = list(checks.find(scene, agents))
    wrong = [
        Check("configured", "fencing", ok=False, seen=fault.said, cause=fault.way_out)
        for fault in faults
        if fault.grave
    ]
    good = Check("configured", "every node is fenced by a device", ok=True, seen="yes")
    made = (
        *_reached(seen),
        *(wrong or [good]),
        *found.running(),
        *found.programs(),
        *found.answers(),
        *found.states(),
        *found.lists(),
        *found.outlets(),
        *found.boards(),
        *sbd.checks(),
    )
    doubts = [str(fault) for fault in faults if not fault.grave]
    notices = (*doubts, *found.notices())
    return FencingVerification(
        "fencing", cluster, made, notices, found.nodes, tuple(found.asked.answers)
    )


def _reached(seen: ClusterView) -> Iterator[Check]:
    for name, error in (*seen.silent.items(), *seen.outside.items()):
        yield Check("node can be asked", name, ok=False, seen=error.seen, cause=error.next_step)


def _off(seen: ClusterView) -> Check:
    reason = pairs(seen.cib.own_set).get(FENCING_DISABLED_REASON)
    said = f"it is disabled: {reason}" if reason else "it is disabled"
    if seen.status.fencing:
        said = "it is enabled, and there is no device"
    return Check("fencing is on", "the cluster", ok=False, seen=said, cause=_HOWTO)


@dataclass(frozen=True)
class _FencingChecks:
    """One verification, with what was answered."""

    seen: ClusterView
    scene: FencingScene
    asked: FenceAnswers
    known: Mapping[str, Proof]
    seconds: int

    @cached_property
    def nodes(self) -> tuple[FencedNode, ...]:
        return tuple(
            FencedNode(
                node,
                tuple(device.id for device in self.scene.used(node)),
                any(d.is_watchdog or node in self._owners(d) for d in self.scene.used(node)),
                self.known.get(node),
                timing.until_off(self.scene, node),
            )
            for node in self.scene.nodes
        )

    def programs(self) -> Iterator[Check]:
        """Yield whether the agents and what they call are where they may run."""
        for node, absent in self.asked.absent.items():
            seen = ", ".join(absent) or "all there"
            cause = f"fab deploy installs it, or: install {seen} on {node}" if absent else ""
            yield Check("agents installed", node, not absent, seen, cause)

    def running(self) -> Iterator[Check]:
        """Yield whether Pacemaker watches each device; one that failed everywhere is not used."""
        for device in self.scene.devices:
            if self.scene.is_used(device):
                found = self.seen.status.started_on(device.id)
                found |= self.seen.placement.running.get(device.id, frozenset())
                nodes = ", ".join(sorted(found))
                seen = f"Started on {nodes}" if nodes else "it is Started on no node"
                cause = f"once the device answers: pcs stonith cleanup {device.id}"
                yield Check("device runs", device.id, bool(nodes), seen, cause)

    def answers(self) -> Iterator[Check]:
        """Yield whether each device answered each node."""
        causes = FencingCauses(self.asked.answers, self.seconds)
        for answer in self.asked.answers:
            asker, device = answer.question.asker, answer.question.device
            about = f" about {answer.question.target}" if answer.question.target else ""
            refusal = self.asked.boards.get(device.id, identity.BoardWord()).refusal
            own = timing.monitor_limit(self.scene, device)
            seen, cause = causes.explain(answer, refusal, own)
            where = f"{device.id} (asked from {asker}{about})"
            yield Check("device answers", where, answer.ok, seen, cause)

    def states(self) -> Iterator[Check]:
        """Yield whether a device calls a node on that runs."""
        online = {node.name for node in self.seen.status.nodes if node.online}
        for (device, node), answer in self._by_target.items():
            if node in online:
                is_on = answer.status == asking.ON
                seen = "on" if is_on else f"it says that {node} is off, and {node} is online"
                cause = (
                    f"the board says the wrong state, or it is another machine's: compare "
                    f"{answer.question.device.where or device} with the board of {node}"
                )
                yield Check("state is right", f"{node} by {device}", is_on, seen, cause)

    def lists(self) -> Iterator[Check]:
        """Yield whether devices that are asked whom they fence know the nodes that need them."""
        lists = [answer for answer in self._listed if answer.question.device.targets is None]
        known = {name.casefold() for answer in lists for name in asking.listed(answer)}
        for node in self.scene.nodes:
            fencers = self.scene.used(node)
            asked = {answer.question.device.id for answer in lists}
            if fencers and all(device.id in asked for device in fencers):
                called = [asking.called(device, node) for device in fencers]
                there, ids = bool(known & set(called)), ", ".join(device.id for device in fencers)
                name = " or ".join(dict.fromkeys(called))
                seen = "yes" if there else f"the list of {ids} has no {name}"
                cause = f"give {ids} a pcmk_host_map from {node} to the name that it lists"
                yield Check("device knows its nodes", node, there, seen, cause)

    @property
    def _listed(self) -> list[FenceAnswer]:
        return [a for a in self.asked.answers if a.question.action == "list" and a.ok]

    def outlets(self) -> Iterator[Check]:
        """Yield whether a device calls the outlets that are named as they are."""
        for answer in self._listed:
            device, called = answer.question.device, asking.names(answer)
            for node, outlet in _mapped(device):
                other = called.get(outlet, "")
                owners = [each for each in self.scene.nodes if same_name(each, other)]
                if owners:
                    there = any(same_name(node, owner) for owner in owners)
                    seen = "yes" if there else f"the device calls it {other}"
                    named = device.argument if device.fixed else "pcmk_host_map"
                    cause = f"to fence {node} would switch {owners[0]} off: correct {named}"
                    where = f"outlet {outlet} of {device.id} is {node}'s"
                    yield Check("outlet is the node's", where, there, seen, cause)

    @property
    def _by_target(self) -> dict[tuple[str, str], FenceAnswer]:
        """The first answer of each device about each node."""
        found: dict[tuple[str, str], FenceAnswer] = {}
        for answer in self.asked.answers:
            question = answer.question
            if question.action == "status" and answer.ok:
                found.setdefault((question.device.id, question.target), answer)
        return found

    def _owners(self, device: FenceDevice) -> tuple[str, ...]:
        word = self.asked.boards.get(device.id, identity.BoardWord())
        address = device.address[0] if device.is_board and device.address else ""
        return identity.whose(word.uuid, address, self.asked.identities)

    def boards(self) -> Iterator[Check]:
        """Yield whether boards are of the nodes that they are to fence, where it can be seen."""
        for device in self.scene.devices:
            owners = self._owners(device)
            for node in self.scene.meant(device) if owners else ():
                seen = "yes" if node in owners else f"it is the board of {', '.join(owners)}"
                cause = f"to fence {node} would switch {owners[0]} off: correct {device.id}"
                where = f"{device.id} is {node}'s"
                yield Check("board is the node's", where, node in owners, seen, cause)

    def notices(self) -> Iterator[str]:
        """Yield what could not be asked or compared, and what is not proven."""
        yield from self.asked.notices
        for answer in self.asked.answers:
            limit = timing.monitor_limit(self.scene, answer.question.device)
            if answer.ok and answer.seconds > limit / 2:
                device, asker = answer.question.device.id, answer.question.asker
                yield (
                    f"{device} took {answer.seconds:.0f} s to answer {asker}, of the {limit:g} s "
                    "that Pacemaker gives its monitor"
                )
        unseen = [n.node for n in self.nodes if n.devices and not n.own]
        if unseen:
            yield (
                f"that {', '.join(unseen)} would be switched and no other could not be compared: "
                "node and device do not both say an identity (UUID, the board's own address)"
            )
        yield from self._proven()

    def _proven(self) -> Iterator[str]:
        for node in self.nodes:
            if node.proof:
                by = f", by {node.proof.by}" if node.proof.by else ""
                said = f"{node.proof.day} UTC ({node.proof.action}{by})"
                yield f"{node.node}: not proven since {said}; {_SWITCH}"
        missing = proofs.unproven([node.node for node in self.nodes], self.known)
        if missing:
            yield (
                f"{', '.join(missing)}: not proven, no fencing is known; {_SWITCH}: "
                "stonith_admin --reboot NODE, when the node may go"
            )


def _mapped(device: FenceDevice) -> Iterator[tuple[str, str]]:
    for node, outlets in device.named_outlets:
        yield from ((node, outlet) for outlet in outlets)
