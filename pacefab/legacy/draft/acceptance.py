"""What the inventory's own reader refuses of a draft goes out of it, and into the report."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic import PrivateAttr, ValidationError

from pacefab.inventory.cluster import Inventory
from pacefab.inventory.document import Document, Path, parse
from pacefab.inventory.mistakes import find_mistakes
from pacefab.inventory.references import contradictions
from pacefab.legacy.draft.inventory_text import render_inventory
from pacefab.legacy.draft.parts import Draft, InventoryData
from pacefab.legacy.model import Fate, Place, ReportLine

_MOST = 20  # times that a draft is read again: what goes may be named by what stays
_ADVICE = "add it to the inventory by hand, in a form that it accepts"


class InventoryOfScripts(Inventory):
    """An inventory whose services are known by the ids that they have alone."""

    _ids: dict[str, str] = PrivateAttr(default_factory=dict)

    def service_ids(self) -> dict[str, str]:
        """Return what stands for the service of each id."""
        return self._ids


def keep_accepted(made: Draft, service_ids: Collection[str]) -> None:
    """Take out of a draft, and report, each part that the inventory's reader would refuse.

    Args:
        made: the draft; it is changed.
        service_ids: ids of what services make, which constraints may name.
    """
    for _ in range(_MOST):
        refused = dict(_refused(made, service_ids))
        parts: dict[Path, str] = {}
        for path, text in refused.items():
            parts.setdefault(_removable(made.data, path), text)
        parts.pop((), None)
        if not parts:
            return
        for path in sorted(parts, key=_last_first):
            _take_out(made, path, parts[path])


def _refused(made: Draft, service_ids: Collection[str]) -> list[tuple[Path, str]]:
    """Return where a reader finds something, and what, as for an operator's own inventory."""
    document: Document = parse(render_inventory(made, ""))
    if document.mistakes:
        return [(mistake.path, mistake.text) for mistake in document.mistakes]
    data = dict(document.data) if isinstance(document.data, dict) else {}
    data.pop("services", None)
    try:
        inventory = InventoryOfScripts.model_validate(data, context={})
    except ValidationError as error:
        found = find_mistakes(error, InventoryOfScripts, document)
        return [(mistake.path, mistake.text) for mistake in found]
    inventory._ids.update(dict.fromkeys(service_ids, "services"))  # noqa: SLF001  # is its own
    return list(contradictions(inventory))


def _removable(data: InventoryData, path: Path) -> Path:
    """Return the part to take out for a mistake in it; nothing where none can be."""
    match path:
        case ("resources", _, "group", *_) | ("nodes", _, "address", *_):
            return path[:3]
        case ("fencing", "devices", _, *_) | ("constraints", _, _, *_):
            return path[:3]
        case ("fencing", "devices"):
            lists = any("nodes" in device for device in data["fencing"]["devices"].values())
            return path if lists else ()
        case ("resources" | "nodes" | "properties" | "defaults", _, *_):
            return path[:2]
    return ()


def _last_first(path: Path) -> tuple[int, int]:
    """Return what sorts the later entries of a list before those before them."""
    number = next((part for part in path if isinstance(part, int)), 0)
    return (-number, len(path))


def _take_out(made: Draft, path: Path, text: str) -> None:
    if path == ("fencing", "devices"):  # Pacemaker has the lists, and no node is left out
        for device in made.data["fencing"]["devices"].values():
            hosts = device.pop("nodes", None)
            if hosts:
                device.setdefault("parameters", {})["pcmk_host_list"] = " ".join(hosts)
        return
    around: Any = made.data
    for part in path[:-1]:
        around = around[part]
    _report(made, path, text)
    del around[path[-1]]
    _forget(made, path)


def _report(made: Draft, path: Path, text: str) -> None:
    shown = " ".join(str(part) for part in path)
    if path[0] in {"nodes", "constraints"}:
        around: Any = made.data
        for part in path:
            around = around[part] if part != "address" else around
        shown = f"{path[0]}: {' '.join(map(str, dict(around).values()))}"
    entry = ReportLine(Fate.UNTRANSLATED, _place(made, path), shown, text, _ADVICE)
    number = made.numbers.get(path)
    if number is None:
        made.entries.append(entry)
    else:
        made.problems.append((number, entry))
        made.written.discard(number)


def _place(made: Draft, path: Path) -> Place:
    """Return where a part comes from: the first place of its comment, or of what is around it."""
    while path and path not in made.places:
        path = path[:-1]
    file, _, line = made.places.get(path, "").partition(",")[0].rpartition(":")
    return Place(file, int(line)) if line.isdigit() else Place("", 0)


def _forget(made: Draft, path: Path) -> None:
    """Have what follows in a list one number less; a mapping that is empty goes."""
    *outer, last = path
    if isinstance(last, int):
        for shelf in (made.places, made.numbers):
            moved = {
                key: shelf.pop(key)
                for key in list(shelf)
                if key[: len(outer)] == tuple(outer) and len(key) > len(outer)
                and isinstance(key[len(outer)], int) and int(key[len(outer)]) >= last
            }  # fmt: skip
            for key, value in moved.items():
                at = int(key[len(outer)])
                if at > last:
                    shelf[(*outer, at - 1, *key[len(outer) + 1 :])] = value  # type: ignore[assignment]
    for depth in range(len(path) - 1, 0, -1):
        around: Any = made.data
        for part in path[: depth - 1]:
            around = around[part]
        if not around[path[depth - 1]] and path[:depth] != ("nodes",):
            del around[path[depth - 1]]
