"""What pydantic found -> sentences: which key, what was found, what is allowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from pacefab.inventory.document import Document, Mistake, Path
from pacefab.inventory.model import MAPPING, TEXT

_LONGEST_FOUND = 40  # characters of a value that are shown
_MOST_KEYS = 16  # that a sentence lists


def find_mistakes(
    error: ValidationError, kind: type[BaseModel], document: Document
) -> Iterator[Mistake]:
    """Yield a mistake for each of pydantic's that is not known already, there or around it."""
    known = [mistake.path for mistake in document.mistakes]
    for detail in error.errors(include_url=False):
        path = _keys(detail["loc"])
        around = any(path[: len(other)] == other for other in known)
        if not around and not _follows(detail, path, known):
            yield Mistake(document.line(path), path, _explain(detail, path, kind))


def _follows(detail: ErrorDetails, path: Path, known: Iterable[Path]) -> bool:
    """Whether this would not be wrong without the mistakes inside."""
    # A list whose entries are all wrong is too short to pydantic as well.
    if detail["type"] == "too_short" and detail["input"]:
        return True
    inside = any(other[: len(path)] == path for other in known)
    return detail["type"] == "unfit" and inside


def render_path(path: Path) -> str:
    """Return a key as an operator would say it: nodes[1].address (entries count from 0)."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _keys(path: Path) -> Path:
    """Return a place as the file has it.

    Without pydantic's marks for a key that is wrong itself, and for one of several forms.
    """
    own = path[:-1] if path[-1:] == ("[key]",) else path
    return tuple(part for part in own if part not in {TEXT, MAPPING})


def _explain(detail: ErrorDetails, path: Path, kind: type[BaseModel]) -> str:
    value = detail["input"]
    part, field = _place(kind, path)
    if detail["type"] == "extra_forbidden":
        return _unknown_key(part, str(path[-1]))
    if detail["type"] == "unfit" and isinstance(value, (dict, tuple)):
        return detail["msg"]
    allowed = f"allowed: {_allowed(part, field)}"
    if detail["type"] == "missing":
        return f"missing; {allowed}"
    if detail["type"] == "unfit":
        return f"found {show(value)}: {detail['msg']}; {allowed}"
    return f"found {show(value)}{meant(value, _choices(field))}; {allowed}"


def _unknown_key(part: type[BaseModel], key: str) -> str:
    elsewhere: Mapping[str, str] = getattr(part, "elsewhere", {})
    if key in elsewhere:
        return f"no such key: {elsewhere[key]}"
    keys = list(_fields(part))
    if len(keys) <= _MOST_KEYS:
        return f"no such key{meant(key, keys)}; allowed: {', '.join(keys)}"
    return f"no such key{meant(key, keys)}; allowed: the {len(keys)} that inventory/schema.json has"


def _place(
    kind: type[BaseModel], path: Sequence[str | int]
) -> tuple[type[BaseModel], FieldInfo | None]:
    """Return the innermost model that the path enters, and the last field it goes through."""
    part, field = kind, None
    here: Any = kind
    for key in path:
        model, entry = _inside(here)
        if model is None:
            here = entry
            continue
        part, field = model, _fields(model).get(str(key))
        here = field.annotation if field else None
    return part, field


def _inside(annotation: Any) -> tuple[type[BaseModel] | None, Any]:
    """Return the model that a value of this type is, else the type of its entries, if any."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, None
    arguments = get_args(annotation)
    origin = get_origin(annotation)
    if origin in {tuple, dict}:
        return None, arguments[1 if origin is dict else 0]
    for argument in arguments if origin is not Literal else ():
        model, entry = _inside(argument)
        if model is not None or entry is not None:
            return model, entry
    return None, None


def _fields(part: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return a model's fields by the key that the file has for them."""
    return {field.alias or name: field for name, field in part.model_fields.items()}


def _allowed(part: type[BaseModel], field: FieldInfo | None) -> str:
    return (field and field.description) or f"a mapping of {', '.join(_fields(part))}"


def _choices(field: FieldInfo | None) -> list[str]:
    """Return the texts among which a field chooses; nothing beside them fits."""
    marked = [field.annotation, *get_args(field.annotation)] if field else []
    kinds = [get_args(kind)[0] if get_origin(kind) is Annotated else kind for kind in marked]
    return [str(text) for kind in kinds if get_origin(kind) is Literal for text in get_args(kind)]


def meant(found: object, choices: Iterable[str]) -> str:
    """Return which of the choices may have been meant; empty when none is close."""
    close = difflib.get_close_matches(str(found), list(choices), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def show(value: object) -> str:
    """Return a value in one short piece, as YAML would have it."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, tuple):
        return "a list" if value else "an empty list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_FOUND else f"{text[:_LONGEST_FOUND]}…"
