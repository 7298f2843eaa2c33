"""Secrets by name, from the environment, a file or a prompt; never from an inventory.

A value is never part of a message, of a `repr` or of a command line.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from pacefab.errors import UsageError

PREFIX = "PACEFAB_SECRET_"  # of the environment variables that hold a secret each
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MOST_LETTERS = 1 << 20  # of a file of secrets
_MODES = {0o600, 0o400}

Ask = Callable[[str], str]


class SecretValues:
    """The secrets of one run; each is looked for once, in the environment first.

    Args:
        environment: variables, such as PACEFAB_SECRET_GALERA.
        file: YAML of `name: value`; None when there is none.
        ask: returns what is typed in at a prompt that does not show it; None without a
            terminal.
    """

    def __init__(self, environment: Mapping[str, str], file: Path | None, ask: Ask | None) -> None:
        self._environment = environment
        self._file = file
        self._ask = ask
        self._known: dict[str, str] | None = None

    def get(self, name: str) -> str:
        """Return a secret. Same errors as `gather`."""
        self.gather([name])
        return self._values()[name]

    def gather(self, names: Iterable[str]) -> None:
        """Look for all of these, so that whatever follows need not stop for one.

        Raises:
            UsageError: some are nowhere (all of them are named), the file may not be used, or a
                value cannot be one.
        """
        known = self._values()
        missing = [name for name in dict.fromkeys(names) if name not in known]
        for name in missing if self._ask else ():
            known[name] = _checked(name, _typed(self._ask, name), "what was typed in")
        if left := [name for name in missing if name not in known]:
            raise UsageError("find the secrets", f"missing: {', '.join(left)}", _ways(left))

    def _values(self) -> dict[str, str]:
        """Return what is known by now; at first what file and environment give."""
        if self._known is None:
            values = _read(self._file) if self._file else {}
            for variable, value in self._environment.items():
                if variable.startswith(PREFIX):
                    name = variable.removeprefix(PREFIX).lower()
                    values[name] = _checked(name, value, variable)
            self._known = values
        return self._known


def _typed(ask: Ask | None, name: str) -> str:
    try:
        return ask(f"secret {name}: ") if ask else ""
    except EOFError:
        raise UsageError("find the secrets", f"{name} was not typed in", _ways([name])) from None


def _ways(names: list[str]) -> str:
    variables = ", ".join(f"{PREFIX}{name.upper()}" for name in names)
    return (
        f"give them in the environment ({variables}), in a file of mode 600 with lines "
        "`name: value` (--secrets FILE, PACEFAB_SECRETS, or INVENTORY.secrets.yaml), or at the "
        "prompt of a terminal"
    )


def _checked(name: str, value: str, source: str) -> str:
    problem = "empty" if not value else "no single line of text" if _CONTROL.search(value) else ""
    if problem:
        raise UsageError("find the secrets", f"{name}: {source} is {problem}", "give another value")
    return value


def _read(file: Path) -> dict[str, str]:
    """Return the secrets of a file.

    Raises:
        UsageError: others may read it, it is not ours, or it is no mapping of names to texts.
    """
    try:
        root = YAML(typ="safe", pure=True).compose(_text(file))
    except MarkedYAMLError as error:  # its words may hold a piece of a secret
        where = error.problem_mark or error.context_mark
        seen = f"line {where.line + 1}: not YAML" if where else "it is not YAML"
        raise _refused(file, seen) from None
    except (YAMLError, RecursionError, UnicodeDecodeError):
        raise _refused(file, "it is not YAML") from None
    return dict(_entries(file, root))


def _text(file: Path) -> str:
    """Return the text of a file that only its owner may read, who is us."""
    try:
        # Not to wait for a program that writes into a pipe.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, encoding="utf-8-sig") as stream:
            problem = _unsafe(os.fstat(stream.fileno()))
            if problem:
                raise _refused(file, problem)
            return stream.read(_MOST_LETTERS)
    except OSError as error:
        raise _refused(file, error.strerror or str(error)) from None


def _unsafe(status: os.stat_result) -> str:
    """Return why this is no place for secrets; empty when it is one."""
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode):
        return "it is no regular file"
    if status.st_uid != os.geteuid():
        return "it belongs to another user"
    return "" if mode in _MODES else f"its mode is {mode:o}, and it must be 600 or 400"


def _entries(file: Path, root: Node | None) -> Iterator[tuple[str, str]]:
    if not isinstance(root, MappingNode):
        raise _refused(file, "it is not a mapping of names to values")
    seen: set[str] = set()
    for key, value in root.value:
        line = key.start_mark.line + 1
        if not isinstance(key, ScalarNode) or not _NAME.fullmatch(key.value):
            raise _refused(file, f"line {line}: not a name (small letters, digits and _)")
        if key.value in seen:
            raise _refused(file, f"line {line}: {key.value} is there twice")
        if not isinstance(value, ScalarNode) or str(value.tag).endswith(":null"):
            raise _refused(file, f"line {line}: the value of {key.value} is not text")
        seen.add(key.value)
        yield key.value, _checked(key.value, value.value, f"line {line} of {file}")


def _refused(file: Path, seen: str) -> UsageError:
    return UsageError(f"read the secrets in {file}", seen, "fix that (chmod 600), then run again")
