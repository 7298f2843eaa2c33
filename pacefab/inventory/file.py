"""An inventory file -> a checked value, or one screen with everything that is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from pacefab.errors import UsageError
from pacefab.inventory.cluster import Inventory
from pacefab.inventory.document import Document, Mistake, SyntaxMistakeError, parse
from pacefab.inventory.mistakes import find_mistakes, render_path
from pacefab.inventory.references import contradictions

_MOST_BYTES = 8 << 20  # 100,000 resources have less
_MOST_SHOWN = 8  # mistakes; more would not fit the screen
_OTHER_FILE = "name another one with --inventory or PACEFAB_INVENTORY"

InventoryT = TypeVar("InventoryT", bound=Inventory)


def read(file: Path, kind: type[InventoryT]) -> InventoryT:
    """Return the inventory in a file.

    Raises:
        UsageError: it cannot be read, or it is not what `kind` allows: every mistake with its
            line, its key, what was found there and what is allowed.
    """
    try:
        document = parse(_text(file))
    except SyntaxMistakeError as error:
        line, column, problem = error.args
        where = f"line {line}, column {column}: " if line else ""
        raise _refused(file, [where + problem]) from error
    if document.data is None and not document.mistakes:
        raise _refused(file, ["it is empty"], "begin with a copy of inventory/minimal.yaml")
    return _checked(file, document, kind)


def _checked(file: Path, document: Document, kind: type[InventoryT]) -> InventoryT:
    mistakes = list(document.mistakes)
    try:
        inventory = kind.model_validate(document.data, context={})
    except ValidationError as error:
        mistakes += find_mistakes(error, kind, document)
    else:
        found = () if mistakes else contradictions(inventory)
        mistakes += [Mistake(document.line(path), path, text) for path, text in found]
    if mistakes:
        raise _refused(file, _render(mistakes))
    return inventory


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            raw = stream.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise _refused(file, [f"it has more than {_MOST_BYTES >> 20} MiB"], _OTHER_FILE)
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise _refused(file, [error.strerror or str(error)], _OTHER_FILE) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        seen = f"line {line}: not UTF-8 text: byte 0x{error.object[error.start]:02x}"
        raise _refused(file, [seen]) from error


def _render(mistakes: Iterable[Mistake]) -> list[str]:
    """Return a line for each mistake, in the order of the file, as far as a screen goes."""
    ordered = sorted(mistakes, key=lambda mistake: mistake.line)
    parts = [(f"line {m.line}", render_path(m.path), m.text) for m in ordered]
    lines = [": ".join(filter(None, words)) for words in parts]
    more = [f"and {len(lines) - _MOST_SHOWN} more"] if len(lines) > _MOST_SHOWN else []
    return lines[:_MOST_SHOWN] + more


def _refused(
    file: Path, seen: Iterable[str], next_step: str = "fix the file, then run this again"
) -> UsageError:
    return UsageError(f"read the inventory {file}", "\n".join(seen), next_step)
