"""Settings: what stands below `pacefab` in fabric.yaml and pacefab.yaml; checked when it is read.

They are optional: in somebody's own fabfile nothing has to be configured.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invoke.config import AmbiguousMergeError, Config, merge_dicts
from invoke.util import yaml  # type: ignore[attr-defined]  # its own, or PyYAML

from pacefab.cli.options import allowed_number, whole_number
from pacefab.cli.reading.spelling import nearest
from pacefab.cli.settings_of_fabric import (
    check_key,
    check_values,
    check_variables,
    one_line,
    read_other,
)
from pacefab.errors import UsageError
from pacefab.transport.fanout import DEFAULT_LIMIT

FILES = ("fabric.yaml", "pacefab.yaml")
"""What settings files are called; of a key that is in both, the second one's value counts."""

_ENVIRONMENT = "FABRIC_PACEFAB_"
_ALLOWED = {
    "parallel": allowed_number(1),
    "ssh_config": "the name of a file, relative to the folder of the settings file",
}


@dataclass(frozen=True)
class PacefabSettings:
    """What can be set."""

    parallel: int = DEFAULT_LIMIT
    """How many hosts are worked on at a time."""

    ssh_config: Path | None = None
    """Where `invoke cluster-up` writes how to reach its nodes; read while that file exists."""


def read_settings(config: Config) -> PacefabSettings:
    """Return the settings of a run: for each key, the source nearest to the operator counts.

    Raises:
        UsageError: a key is unknown, or a value is not allowed.
    """
    found: dict[str, Any] = {}
    check_environment()
    for file, section in _sources(config):
        values = _checked(section, file)
        folder = file.parent if file else Path.cwd()
        if values.get("ssh_config"):
            values["ssh_config"] = folder / Path(values["ssh_config"]).expanduser()
        found = values | found
    parallel, ssh_config = found.get("parallel"), found.get("ssh_config")
    return PacefabSettings(int(parallel or DEFAULT_LIMIT), ssh_config or None)


def check_environment() -> None:
    """Raise a UsageError when a variable sets what is no setting, or no value of it.

    Invoke reads the variables by itself, and ends in a traceback there.
    """
    check_variables(os.environ)
    _checked(_of_environment(), None, _as_variable)


def load_files(config: Config, folder: Path) -> None:
    """Take the settings files of a folder into the configuration, as the project's.

    Raises:
        UsageError: a file cannot be read, is no mapping, or a setting below `pacefab` is wrong.
    """
    merged: dict[str, Any] = {}
    found = [file for file in (folder / name for name in FILES) if file.is_file()]
    try:
        for file in found:
            merge_dicts(merged, read_checked(config, file))
        if found:
            config._set(_project=merged, _project_path=str(found[-1]), _project_found=True)  # noqa: SLF001  # Invoke knows one file name
            config.merge()
    except AmbiguousMergeError as error:
        raise UsageError(f"read {found[-1]}", str(error), _HOW) from None


def read_checked(config: Config, file: Path) -> dict[str, Any]:
    """Return a settings file whose sections are sections, and whose `pacefab` is right.

    Raises:
        UsageError: it is not so, or the file cannot be read.
    """
    data = read_file(file)
    defaults = config._defaults  # noqa: SLF001  # Fabric's and Invoke's own settings
    for key, value in data.items():
        check_key(f"read {file}", key, defaults)
        if isinstance(defaults.get(key), dict) and not isinstance(value, dict):
            raise UsageError(f"read {file}", f"{key}: {one_line(value)}", "allowed: a mapping")
    check_values(f"read {file}", data)
    _checked(data.get("pacefab"), file)
    return data


def find_folder(start: Path) -> Path | None:
    """Return the nearest folder with a settings file, from `start` upwards."""
    folders = (start, *start.parents)
    return next((f for f in folders if any((f / name).is_file() for name in FILES)), None)


def read_file(file: Path) -> dict[str, Any]:
    """Return a settings file.

    Raises:
        UsageError: it cannot be read, or is no mapping.
    """
    data = _read_yaml(file) if file.suffix in {".yaml", ".yml"} else read_other(file)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise UsageError(f"read {file}", f"{one_line(data)}, which is no mapping", _HOW)
    return data


def _read_yaml(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))  # type: ignore[no-untyped-call]
    except OSError as error:
        next_step = "name a file that is there and can be read"
        raise UsageError(f"read {file}", error.strerror or str(error), next_step) from None
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: {error.problem}"
        raise UsageError(f"read {file}", f"it is no YAML: {where}", "fix the file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"read {file}", f"it is no YAML: {error}", "fix the file") from None


_HOW = "write keys and values, for example: pacefab: {parallel: 8}"


def _sources(config: Config) -> Iterator[tuple[Path | None, Any]]:
    """Yield what stands below `pacefab` in each source, and its file; the strongest first."""
    for source in ("modifications", "overrides", "runtime"):
        yield _file_of(config, source), _section(config, source)
    yield None, _of_environment()
    for source in ("project", "user", "system", "collection"):
        yield _file_of(config, source), _section(config, source)


def _section(config: Config, source: str) -> Any:
    data = getattr(config, f"_{source}")
    return data.get("pacefab") if isinstance(data, Mapping) else None


def _file_of(config: Config, source: str) -> Path | None:
    path = getattr(config, f"_{source}_path", None)
    return Path(path).absolute() if path else None


def _of_environment() -> dict[str, str]:
    """Return the settings of variables such as FABRIC_PACEFAB_PARALLEL."""
    mistaken = [name for name in os.environ if name.startswith("INVOKE_PACEFAB_")]
    if mistaken:
        right = mistaken[0].replace("INVOKE_", "FABRIC_", 1)
        raise UsageError("read the environment", mistaken[0], f"did you mean {right}?")
    return {
        name.removeprefix(_ENVIRONMENT).lower(): value
        for name, value in os.environ.items()
        if name.startswith(_ENVIRONMENT)
    }


def _in_file(key: Any) -> str:
    return f"pacefab.{key}"


def _as_variable(key: Any) -> str:
    return f"{_ENVIRONMENT}{str(key).upper()}"


def _checked(
    section: Any, file: Path | None, spelled: Callable[[Any], str] = _in_file
) -> dict[str, Any]:
    """Return what a source has below `pacefab`.

    Raises:
        UsageError: a key is unknown, or a value is not allowed.
    """
    attempted = f"read {file}" if file else "read the settings"
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        allowed = f"allowed: a mapping of {', '.join(_ALLOWED)}"
        raise UsageError(attempted, f"pacefab: {one_line(section)}", allowed)
    for key, value in section.items():
        if key not in _ALLOWED:
            raise UsageError(attempted, f"{spelled(key)} is no setting", _correct(key, spelled))
        if not _ALLOWS[key](value):
            allowed = f"allowed: {_ALLOWED[key]}"
            raise UsageError(attempted, f"{spelled(key)}: {one_line(value)}", allowed)
    return {str(key): value for key, value in section.items() if value not in (None, "")}


def _correct(key: Any, spelled: Callable[[Any], str]) -> str:
    meant = nearest(str(key), _ALLOWED)
    names = meant[:1] if spelled is _in_file else [spelled(name) for name in meant[:1]]
    return f"did you mean {names[0]}?" if names else f"there are: {', '.join(_ALLOWED)}"


def _is_count(value: Any) -> bool:
    is_number = isinstance(value, str | int) and not isinstance(value, bool)
    return is_number and whole_number(str(value), least=1) is not None


def _is_file_name(value: Any) -> bool:
    return value is None or isinstance(value, str | Path)


_ALLOWS = {"parallel": _is_count, "ssh_config": _is_file_name}
