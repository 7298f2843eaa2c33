"""Whom each fence device says that it fences: its list, its map, and what it is asked. Pure.

The rules are those of Pacemaker's own reader (target_list_type and build_port_aliases of
daemons/fenced, 2.0 to 3.0) and of pacemaker-fenced(7).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pacefab.pacemaker.fencing.devices import LISTING, FenceDevice, malformed
from pacefab.pacemaker.fencing.findings import FencingFinding, FencingScene, finding
from pacefab.pacemaker.metadata import Metadata
from pacefab.pacemaker.model import same_name

_CHECKS = ("static-list", "dynamic-list", "status", "none")
_ASKED = "dynamic-list"


def find(
    scene: FencingScene, device: FenceDevice, agent: Metadata | None
) -> Iterator[FencingFinding]:
    """Yield what is wrong with whom a device says it fences; `agent` is what its agent says."""
    yield from _check(device, agent)
    yield from _targets(scene, device)
    yield from _forms(device)
    yield from _outlets(device)


def _check(device: FenceDevice, agent: Metadata | None) -> Iterator[FencingFinding]:
    """Yield why Pacemaker does not find out whom a device fences."""
    way = device.host_check
    if way and way not in _CHECKS:
        said = f"{device.id} has pcmk_host_check={way}, which Pacemaker does not know"
        yield finding(said, f"it would fence nothing: write {', '.join(_CHECKS)}", [device.id])
    elif way == "static-list" and not device.targets:
        said = f"{device.id} has pcmk_host_check=static-list, and names no node"
        yield finding(said, "it would fence nothing: give it pcmk_host_list", [device.id])
    elif not way and device.targets is not None and not device.targets:
        said = f"{device.id} has a pcmk_host_list or pcmk_host_map that names no node"
        yield finding(said, "it would fence nothing: name the nodes, or take it out", [device.id])
    elif way == _ASKED and (device.is_board or (agent and "list" not in agent.actions)):
        said = f"{device.id} is to be asked whom it fences, and {device.agent} has no list"
        yield finding(said, "it would fence nothing: give it pcmk_host_list", [device.id])
    elif way == _ASKED and device.listed:
        yield finding(
            f"{device.id} has a pcmk_host_list, and pcmk_host_check=dynamic-list",
            "Pacemaker asks the device, and does not read the list: keep one of them",
            [device.id],
            grave=False,
        )


def _targets(scene: FencingScene, device: FenceDevice) -> Iterator[FencingFinding]:
    yield from _any(scene, device)
    named = dict(device.pairs) if device.targets is None else device.targets
    known = {node.casefold() for node in scene.nodes}
    guests = {node.casefold() for node in scene.guests}
    for name in named:
        if name.casefold() in guests:
            said = f"{device.id} fences {name}, which is a guest node"
            advice = "Pacemaker never asks it: it stops the resource that makes the guest"
            yield finding(said, advice, [device.id], grave=False)
        elif name.casefold() not in known:
            meant = next((node for node in scene.nodes if same_name(node, name)), "")
            advice = f"the node is called {meant}" if meant else "take it out, or correct it"
            said = f"{device.id} fences {name}, which is no node ({', '.join(scene.nodes)})"
            yield finding(said, advice, [device.id], grave=bool(meant))


def _any(scene: FencingScene, device: FenceDevice) -> Iterator[FencingFinding]:
    """Yield that one board would be used for several nodes, whatever it lists."""
    asked = device.host_check == _ASKED
    if device.targets is not None or asked or not device.is_board or len(scene.meant(device)) == 1:
        return
    advice = "Pacemaker would switch off that one board for every node: "
    if device.host_check and (device.listed or device.pairs):
        said = f"{device.id} has pcmk_host_check={device.host_check}, and its hosts are not read"
        yield finding(said, f"{advice}take pcmk_host_check out", [device.id])
    else:
        said = f"{device.id} does not say which node it fences"
        yield finding(said, f"{advice}give it pcmk_host_list=NODE", [device.id])


def _forms(device: FenceDevice) -> Iterator[FencingFinding]:
    for entry, advice in malformed(device.parameter("pcmk_host_map")):
        said = f"pcmk_host_map of {device.id} is not read as it is meant: {entry}"
        yield finding(said, advice, [device.id])


def _outlets(device: FenceDevice) -> Iterator[FencingFinding]:
    """Yield what is wrong with a map: nodes twice, one outlet for two, a node without one.

    Where machines are called by name, a node that the map lacks may be called as it is.
    """
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
    if device.pairs and missing and device.agent not in LISTING:
        yield finding(
            f"pcmk_host_map of {device.id} lacks {', '.join(missing)}, which pcmk_host_list has",
            "the device would be asked for an outlet of the node's own name: add NODE:OUTLET",
            [device.id],
        )
