"""Settings that are Fabric's own: what it would end in a traceback for is refused beforehand."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pacefab.cli.options import allowed_number, shown, whole_number
from pacefab.cli.reading.spelling import nearest
from pacefab.errors import UsageError

_LAST_PORT = 65535


def _is_count(value: object) -> bool:
    is_number = isinstance(value, str | int) and not isinstance(value, bool)
    return is_number and whole_number(str(value), least=1) is not None


def _is_port(value: object) -> bool:
    return _is_count(value) and int(str(value)) <= _LAST_PORT


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_none(_: object) -> bool:
    return False


_TEXT = (_is_text, "a text")
_COUNT = (_is_count, allowed_number(1))
_VALUES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "authentication.identities": (_is_list, "a list of files"),
    "gateway": _TEXT,
    "port": (_is_port, f"1 to {_LAST_PORT}"),
    "ssh_config_path": _TEXT,
    "tasks.executor_class": (_is_none, "nothing: the tasks need Fabric's own"),
    "timeouts.command": _COUNT,
    "timeouts.connect": _COUNT,
    "user": _TEXT,
}
"""What is allowed for a setting whose wrong value Fabric finds out about too late."""


def check_values(attempted: str, data: Mapping[str, Any]) -> None:
    """Refuse values that Fabric cannot use.

    Raises:
        UsageError: there is one.
    """
    for name, (allows, allowed) in _VALUES.items():
        section, _, key = name.rpartition(".")
        within = data.get(section) if section else data
        value = within.get(key) if isinstance(within, Mapping) else None
        if value is not None and not allows(value):
            raise UsageError(attempted, f"{name}: {one_line(value)}", f"allowed: {allowed}")


def check_variables(environment: Mapping[str, str]) -> None:
    """Refuse variables, such as FABRIC_PORT, that Fabric cannot use. Same errors."""
    for name, (allows, allowed) in _VALUES.items():
        variable = f"FABRIC_{name.replace('.', '_').upper()}"
        value = environment.get(variable)
        if value is not None and not allows(value):
            seen = f"{variable}: {shown(value)}"
            raise UsageError("read the environment", seen, f"allowed: {allowed}")


def check_key(attempted: str, key: object, known: Iterable[str]) -> None:
    """Refuse a key that is none of `known`, nor somebody's own, but `pacefab` mistyped.

    Raises:
        UsageError: it is so, or no text.
    """
    if not isinstance(key, str):
        raise UsageError(attempted, f"the key {key}, which is no text", "put it in quotes")
    if key not in {"pacefab", *known} and nearest(key, ["pacefab"]):
        raise UsageError(attempted, f"{shown(key)} is no setting", "did you mean pacefab?")


def read_other(file: Path) -> Any:
    """Return a settings file that is JSON or Python.

    Raises:
        UsageError: it is neither, or cannot be read.
    """
    if file.suffix not in {".json", ".py"}:
        allowed = "name a file that ends in .yaml, .yml, .json or .py"
        raise UsageError(f"read {file}", "no kind of settings file", allowed)
    try:
        if file.suffix == ".json":
            return json.loads(file.read_text(encoding="utf-8"))
        values = runpy.run_path(str(file))
    except OSError as error:
        next_step = "name a file that is there and can be read"
        raise UsageError(f"read {file}", error.strerror or str(error), next_step) from None
    except Exception as error:  # noqa: BLE001  # whatever somebody's file raises
        seen = f"{type(error).__name__}: {error}"
        raise UsageError(f"read {file}", seen, "fix the file") from None
    return {name: value for name, value in values.items() if not name.startswith("__")}


def one_line(value: object) -> str:
    """Return a value as a settings file may have it."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping | list):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    return shown(str(value).lower() if isinstance(value, bool) else str(value))
