"""The inventory, from the JSON schema that checks it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from docs.generator.markdown import code, escape, table
from pacefab.cli.inventory import render_schema

_DEFINITIONS = "#/$defs/"
_DOCUMENT = "The document"
Schema = Mapping[str, Any]


def render() -> str:
    """Return a section for the top of the document, and one per kind of part."""
    schema = json.loads(render_schema())
    document = {**schema, "title": _DOCUMENT}
    parts = [document, *schema["$defs"].values()]
    return "\n".join(line for part in parts if "properties" in part for line in _section(part))


def _section(part: Schema) -> Iterator[str]:
    name = part["title"] if part["title"] == _DOCUMENT else _name(part["title"])
    yield from (f"## {name}", "", escape(part.get("description", "")), "")
    required = part.get("required", ())
    rows = (_row(key, value, required=key in required) for key, value in part["properties"].items())
    yield table(("Key", "Type", "Default", "Meaning"), rows)


def _row(key: str, value: Schema, *, required: bool) -> tuple[str, str, str, str]:
    default = "*required*" if required else _default(value.get("default"))
    return code(key), _type(value), default, escape(value.get("description", ""))


def _default(value: Any) -> str:
    if value in (None, {}, []):
        return ""
    return code(value if isinstance(value, str) else json.dumps(value))


def _type(value: Schema) -> str:
    """Return what a value may be; a part has a link to its section."""
    if "$ref" in value:
        name = _name(value["$ref"].removeprefix(_DEFINITIONS))
        return f"[{name}](#{name.lower().replace(' ', '-')})"
    if forms := value.get("anyOf") or value.get("oneOf"):
        kinds = [_type(each) for each in forms if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in value:
        return ", ".join(code(each) for each in value["enum"])
    if "const" in value:
        return code(value["const"])
    return _plain(value)


def _plain(value: Schema) -> str:
    kind: str = value.get("type", "any")
    if kind == "array":
        return f"list of {_type(value['items'])}" if "items" in value else "list"
    if kind == "object":
        entries = [*value.get("patternProperties", {}).values()]
        entries += [value["additionalProperties"]] if value.get("additionalProperties") else []
        kinds = [_type(each) for each in entries if isinstance(each, dict)]
        return f"mapping of {' or '.join(kinds)}" if kinds else "mapping"
    return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(kind, kind)


def _name(definition: str) -> str:
    """Return a part's name as words: MemcachedSection is `memcached section`."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in definition)
    return words.strip()
