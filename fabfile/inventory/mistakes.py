"""What pydantic found -> sentences: which key, what was found, what is allowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from fabfile.inventory.document import Document, Mistake, Path

_LONGEST_FOUND = 40  # characters of a value that are shown


def find_mistakes(
    error: ValidationError, kind: type[BaseModel], document: Document
) -> Iterator[Mistake]:
    """Yield a mistake for each of pydantic's that is not told already, there or around it."""
    known = [mistake.path for mistake in document.mistakes]
    for detail in error.errors(include_url=False):
        path = detail["loc"]
        # A list whose entries are all wrong is too short to pydantic as well.
        follows = detail["type"] == "too_short" and detail["input"]
        if not follows and not any(path[: len(other)] == other for other in known):
            yield Mistake(document.line(path), path, _explain(detail, kind))


def render_path(path: Path) -> str:
    """Return a key as an operator would say it: nodes[1].address (entries count from 0)."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _explain(detail: ErrorDetails, kind: type[BaseModel]) -> str:
    path, value = detail["loc"], detail["input"]
    part, field = _place(kind, path)
    if detail["type"] == "extra_forbidden":
        keys = list(part.model_fields)
        return f"no such key{_meant(path[-1], keys)}; allowed: {', '.join(keys)}"
    allowed = f"allowed: {_allowed(part, field)}"
    if detail["type"] == "missing":
        return f"missing; {allowed}"
    if detail["type"] == "unfit":
        return f"found {_show(value)}: {detail['msg']}; {allowed}"
    return f"found {_show(value)}{_meant(value, _choices(field))}; {allowed}"


def _place(part: type[BaseModel], path: Path) -> tuple[type[BaseModel], FieldInfo | None]:
    """Return the innermost model that the path enters, and the last field it goes through."""
    field = None
    for key in (key for key in path if isinstance(key, str)):
        field = part.model_fields.get(key)
        inner = next(_parts_in(field.annotation), None) if field else None
        if inner is None:
            break
        part = inner
    return part, field


def _parts_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts_in(argument)


def _allowed(part: type[BaseModel], field: FieldInfo | None) -> str:
    return (field and field.description) or f"a mapping of {', '.join(part.model_fields)}"


def _choices(field: FieldInfo | None) -> Sequence[str]:
    if field is None or get_origin(field.annotation) is not Literal:
        return ()
    return [str(choice) for choice in get_args(field.annotation)]


def _meant(found: object, choices: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(found), list(choices), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _show(value: object) -> str:
    """Return a value in one short piece, as YAML would have it."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, tuple):
        return "a list" if value else "an empty list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_FOUND else f"{text[:_LONGEST_FOUND]}…"
