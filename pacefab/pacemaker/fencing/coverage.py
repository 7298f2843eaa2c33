"""Who is fenced by what: every node, by a device that means it and can run elsewhere. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from pacefab.pacemaker.fencing.devices import FenceDevice
from pacefab.pacemaker.fencing.findings import ENABLED, FencingFinding, FencingScene, finding
from pacefab.pacemaker.model import Location, is_true, same_name
from pacefab.pacemaker.sections.levels import FencingLevel

_BAN = "-INFINITY"


def find(scene: FencingScene) -> Iterator[FencingFinding]:
    """Yield what is wrong with who is fenced by what."""
    yield from _unfenced(scene)
    for device in scene.devices:
        yield from _disabled(device)
        yield from _targets(scene, device)
        yield from _outlets(device)
        yield from _places(scene, device)
    yield from _same_board(scene)
    yield from _levels(scene)


def runs_on(scene: FencingScene, device: FenceDevice) -> tuple[str, ...]:
    """Return the members on which location constraints let a device run; others are not read."""
    scores = {
        one.node: one.score
        for one in scene.configuration.constraints
        if isinstance(one, Location) and one.resource == device.id and one.node
    }
    if is_true(scene.property("symmetric-cluster", default="true")):
        return tuple(node for node in scene.members if scores.get(node) != _BAN)
    allowed = {node for node, score in scores.items() if not score.startswith("-")}
    return tuple(node for node in scene.members if node in allowed)


def _unfenced(scene: FencingScene) -> Iterator[FencingFinding]:
    about = [*(device.id for device in scene.devices), *ENABLED]
    for node in scene.nodes:
        if not scene.fencers(node):
            yield finding(
                f"{node} is fenced by no device",
                "the cluster would wait for ever for its fencing, and start nothing of it "
                "elsewhere; give it a device",
                about,
            )


def _disabled(device: FenceDevice) -> Iterator[FencingFinding]:
    if device.disabled:
        said = f"{device.id} is disabled (target-role Stopped), so Pacemaker does not use it"
        yield finding(said, f"pcs stonith enable {device.id}", [device.id])


def _targets(scene: FencingScene, device: FenceDevice) -> Iterator[FencingFinding]:
    if device.targets is None:
        if device.is_board and device.parameter("pcmk_host_check") in {"", "status", "none"}:
            yield finding(
                f"{device.id} does not say which node it fences",
                "Pacemaker would switch off that one board for every node: give it "
                "pcmk_host_list=NODE",
                [device.id],
            )
        return
    known = {node.casefold() for node in scene.nodes}
    for name in device.targets:
        if name.casefold() not in known:
            meant = next((node for node in scene.nodes if same_name(node, name)), "")
            advice = f"the node is called {meant}" if meant else "take it out, or correct it"
            said = f"{device.id} fences {name}, which is no node ({', '.join(scene.nodes)})"
            yield finding(said, advice, [device.id], grave=bool(meant))


def _outlets(device: FenceDevice) -> Iterator[FencingFinding]:
    """Yield what is wrong with a map: nodes twice, one outlet for two, a node without one."""
    counts = Counter(node.casefold() for node, _ in device.pairs)
    for node, _ in device.pairs:
        if counts.pop(node.casefold(), 0) > 1:
            yield finding(
                f"pcmk_host_map of {device.id} names {node} more than once",
                "Pacemaker takes the last one: write all its outlets in one entry (NODE:1,2)",
                [device.id],
            )
    users: dict[str, list[str]] = {}
    for node, outlets in dict(device.pairs).items():
        for outlet in outlets:
            users.setdefault(outlet, []).append(node)
        if not outlets:
            said = f"pcmk_host_map of {device.id} has no outlet for {node}"
            yield finding(said, "write NODE:OUTLET", [device.id])
    for outlet, nodes in users.items():
        if len(nodes) > 1:
            said = f"pcmk_host_map of {device.id} has the outlet {outlet} for {' and '.join(nodes)}"
            yield finding(said, "to fence one would cut the other off: correct it", [device.id])
    mapped = {node.casefold() for node, _ in device.pairs}
    missing = [node for node in device.listed if node.casefold() not in mapped]
    if device.pairs and missing:
        yield finding(
            f"pcmk_host_map of {device.id} lacks {', '.join(missing)}, which pcmk_host_list has",
            "the device would be asked for an outlet of the node's own name: add NODE:OUTLET",
            [device.id],
        )


def _places(scene: FencingScene, device: FenceDevice) -> Iterator[FencingFinding]:
    """Yield where a device can run on no node, or on none but the one that it fences."""
    places = runs_on(scene, device)
    own = set(device.targets or ())
    if not places:
        said = f"{device.id} may run on no node, by its location constraints"
        yield finding(said, "Pacemaker does not use it then: allow it on a node", [device.id])
    elif len(scene.members) > 1 and len(own) == 1 and set(places) == own:
        yield finding(
            f"{device.id} may run on {places[0]} alone, the node that it fences",
            "nothing could fence that node when it is lost: allow it on another one",
            [device.id],
        )


def _same_board(scene: FencingScene) -> Iterator[FencingFinding]:
    boards = [d for d in scene.devices if d.is_board and d.address and d.targets]
    for one, other in combinations(boards, 2):
        nodes = [next(iter(each.targets or ())) for each in (one, other)]
        if one.address == other.address and nodes[0] != nodes[1]:
            yield finding(
                f"{one.id} and {other.id} are one board ({':'.join(filter(None, one.address))}), "
                f"and are to fence {nodes[0]} and {nodes[1]}",
                "to fence one would switch the other off: correct the address",
                [one.id, other.id],
            )


def _levels(scene: FencingScene) -> Iterator[FencingFinding]:
    """Yield the levels that name a device which does not fence their node."""
    known = {device.id: device for device in scene.devices}
    for level in scene.configuration.objects:
        if not isinstance(level, FencingLevel):
            continue
        for node in _nodes_of(scene, level):
            for name in level.devices:
                if name in known and not known[name].fences(node):
                    yield finding(
                        f"level {level.index} of {node} names {name}, which does not fence {node}",
                        "the level would fail: name the device that does, or correct its hosts",
                        [name, level.id, f"{level.nodes} {level.index}"],
                    )


def _nodes_of(scene: FencingScene, level: FencingLevel) -> Iterator[str]:
    if level.target:
        yield from (node for node in scene.nodes if node.casefold() == level.target.casefold())
    elif level.pattern:
        try:
            pattern = re.compile(level.pattern, re.IGNORECASE)
        except re.error:  # of Pacemaker's dialect alone
            return
        yield from filter(pattern.search, scene.nodes)
    else:
        attributes = scene.configuration.attributes
        for node in scene.nodes:
            if attributes.get(node, {}).get(level.attribute) == level.value:
                yield node
