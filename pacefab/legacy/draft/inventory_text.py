"""A draft -> the inventory's YAML, with comments that say where each part came from."""

from __future__ import annotations

import io
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from pacefab.legacy.draft.parts import Draft

_WIDTH = 10_000  # a list or mapping in one line stays in one line
_FLOW_ITEMS = {"operations", "order", "colocation", "location", "addresses", "proxies", "nodes"}
_FLOW_MAPS = {"meta", "clone", "promotable", "stats", "settings", "attributes"}
_LONGEST_COMMENT = 90
_BREAK_BEFORE = (
    "nodes",
    "properties",
    "defaults",
    "fencing",
    "services",
    "resources",
    "constraints",
)


def render_inventory(draft: Draft, header: str) -> str:
    """Return the text of an inventory file; the same draft gives the same text."""
    root = _node(draft.data, (), draft)
    for section in _BREAK_BEFORE:
        if section in root:
            root.yaml_set_comment_before_after_key(section, before="\n")
    stream = io.StringIO()
    yaml = YAML()
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(root, stream)
    text = re.sub(r"(?m)^( *- \{.*\}) +# ", r"\1 # ", stream.getvalue().replace("\n#\n", "\n\n"))
    return "".join(f"# {line}".rstrip() + "\n" for line in header.split("\n")) + "\n" + text


def _node(value: Any, path: tuple[str | int, ...], draft: Draft) -> Any:
    if isinstance(value, dict):
        return _mapping(value, path, draft)
    if isinstance(value, list):
        return _sequence(value, path, draft)
    return value


def _mapping(value: dict[str, Any], path: tuple[str | int, ...], draft: Draft) -> CommentedMap:
    made = CommentedMap()
    flow = (len(path) > 1 and path[-2] in _FLOW_ITEMS) or (path[-1:] and path[-1] in _FLOW_MAPS)
    if flow or not value or list(value) == ["secret"]:
        made.fa.set_flow_style()
    before = ""
    for key, item in value.items():
        here = (*path, key)
        made[key] = _node(item, here, draft)
        place = _short(draft.places.get(here, before))
        if place != before and not flow:
            made.yaml_set_comment_before_after_key(key, before=place, indent=2 * len(path))
        before = "" if isinstance(item, dict) else place
    return made


def _sequence(value: list[Any], path: tuple[str | int, ...], draft: Draft) -> CommentedSeq:
    made = CommentedSeq()
    if all(isinstance(item, str) for item in value):
        made.fa.set_flow_style()
    for number, item in enumerate(value):
        here = (*path, number)
        made.append(_node(item, here, draft))
        if here in draft.places:
            made.yaml_add_eol_comment(_short(draft.places[here]), number)
    return made


def _short(text: str) -> str:
    if len(text) <= _LONGEST_COMMENT:
        return text
    return text[:_LONGEST_COMMENT].rpartition(",")[0] + ", …"
