"""A draft -> the inventory's YAML, with comments that say where each part came from. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pacefab.export.draft import ExportDraft, Path

_WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./:@=+-]*")
# What YAML 1.1 or 1.2 reads as something else than a text.
_OTHERS = re.compile(
    r"(?i)(true|false|yes|no|on|off|y|n|null|nan|inf|\.inf|\.nan|~)|.*:|[0-9].*|.*: .*"
)
_FLOW = {"meta", "clone", "promotable", "attributes", "utilization", "parameters", "values"}
_LONGEST_XML = 2000  # characters of an element that a comment shows


def render_inventory(draft: ExportDraft, header: str) -> str:
    """Return the text of an inventory file; the same draft gives the same text."""
    lines = [*(f"# {line}".rstrip() for line in header.split("\n")), ""]
    for key, value in draft.data.items():
        lines += [*_entry(key, value, (key,), draft, 0), ""]
    for unsaid in draft.unsaid:
        shown = " ".join(unsaid.xml.split())[:_LONGEST_XML]
        lines += [f"# Not in this inventory: {' '.join(str(unsaid).split())}", f"#   {shown}"]
    return "\n".join(lines).rstrip() + "\n"


def _entry(key: str, value: Any, path: Path, draft: ExportDraft, depth: int) -> Iterator[str]:
    """Yield the lines of a key with its value."""
    indent, place = "  " * depth, draft.places.get(path, "")
    if place:
        yield f"{indent}# {place}"
    flow = f"{indent}{_scalar(key)}: {_flow(value)}"
    short = len(flow) <= _WIDTH and (depth > 0 or not isinstance(value, list))
    simple = not isinstance(value, dict | list) or not value
    if simple or (short and (key in _FLOW or _is_flat(value)) and (depth > 0 or simple)):
        yield flow
        return
    yield f"{indent}{_scalar(key)}:"
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _entry(str(name), item, (*path, name), draft, depth + 1)
    else:
        yield from _items(value, path, draft, depth + 1)


def _items(items: list[Any], path: Path, draft: ExportDraft, depth: int) -> Iterator[str]:
    indent = "  " * depth
    for number, item in enumerate(items):
        place = draft.places.get((*path, number), "")
        comment = f" # {place}" if place else ""
        flow = f"{indent}- {_flow(item)}"
        if len(flow) <= _WIDTH or not isinstance(item, dict):
            yield flow + comment
            continue
        lines: list[str] = []
        for name, value in item.items():
            lines += _entry(str(name), value, (*path, number, name), draft, depth + 1)
        yield from ([f"{indent}#{comment[2:]}"] if comment else [])
        yield f"{indent}- {lines[0].lstrip()}"
        yield from lines[1:]


def _is_flat(value: Any) -> bool:
    values = value.values() if isinstance(value, dict) else value
    return not any(isinstance(item, dict | list) for item in values)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(str(k))}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and not _OTHERS.fullmatch(text):
        return text
    return json.dumps(text, ensure_ascii=False)
