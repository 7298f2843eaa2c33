"""One board, or one outlet, that is to fence several nodes: each would switch off another. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pacefab.pacemaker.fencing.devices import FenceDevice
from pacefab.pacemaker.fencing.findings import FencingFinding, FencingScene, finding

# What says how a device is asked, and not which one it is, or which outlet of it.
_MANNER = re.compile(
    r"pcmk_\w+|\w*(?:delay|timeout|wait|verbose\w*|debug\w*)|passwd\w*|password\w*|login|username"
    r"|plug|port|cipher|privlvl|lanplus|retry_on|priority"
)


def find(scene: FencingScene) -> Iterator[FencingFinding]:
    """Yield the boards and outlets of several nodes."""
    for device in scene.devices:
        yield from _of_many(scene, device)
        yield from _fixed(scene, device)
    yield from _same(scene)


def _of_many(scene: FencingScene, device: FenceDevice) -> Iterator[FencingFinding]:
    """Yield that one board is to fence several nodes."""
    nodes = scene.meant(device)
    if device.is_board and device.targets is not None and len(nodes) > 1:
        where = f" ({device.where})" if device.where else ""
        yield finding(
            f"{device.id} is one board{where}, and is to fence {' and '.join(nodes)}",
            "to fence one would switch the other off: have it name the node whose board it is",
            [device.id],
        )


def _fixed(scene: FencingScene, device: FenceDevice) -> Iterator[FencingFinding]:
    """Yield that a device is always asked for the same outlet, whichever node it is to fence."""
    nodes = scene.meant(device)
    if device.fixed and not device.is_board and len(nodes) > 1:
        yield finding(
            f"{device.id} has {device.argument}={device.fixed}, and is to fence "
            f"{' and '.join(nodes)}",
            "Pacemaker would switch that outlet for each of them: take it out, and write "
            "pcmk_host_map=NODE:OUTLET",
            [device.id],
        )


def _same(scene: FencingScene) -> Iterator[FencingFinding]:
    """Yield that two devices are one board, or have one outlet, and are to fence two nodes.

    Of several for one node the last one is named: what a change adds stands last.
    """
    last: dict[object, tuple[FenceDevice, str]] = {}
    for device in scene.devices:
        for node, place in _places(device):
            other, its = last.get(place, (device, node))
            if its.casefold() == node.casefold():
                last[place] = (device, node)
            elif other is not device:
                what = "are one board" if device.is_board else f"have one outlet, {place[-1]}"
                yield finding(
                    f"{other.id} and {device.id} {what} ({device.where}), and are to fence "
                    f"{its} and {node}",
                    "to fence one would switch the other off: correct the address"
                    + ("" if device.is_board else ", or the outlet"),
                    [other.id, device.id],
                )


def _places(device: FenceDevice) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield node and board, or node and outlet, of what a device says that it fences."""
    if device.board:
        yield from ((node, device.board) for node in list(device.targets or ())[:1])
    elif device.address and not device.is_board:
        given = device.primitive.parameters.items()
        itself = frozenset((n, v) for n, v in given if not _MANNER.fullmatch(n))
        for node, outlets in (device.targets or {}).items():
            yield from ((node, (device.agent, device.address, itself, each)) for each in outlets)
