"""The words of a pcs command line, in pcs 0.9's dialect and today's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pacefab.inventory.pacemaker_options import CLONE_META, RESOURCE_META
from pacefab.legacy.cluster.book import CommandText
from pacefab.legacy.cluster.naming import role, today
from pacefab.legacy.cluster.outcome import NotUnderstoodError

_WITH_VALUE = {
    "-f", "--name", "--group", "--before", "--after", "-u", "-p", "--node", "--transport",
    "--addr0", "--addr1", "--token", "--join", "--consensus", "--rrpmode", "--mcast0", "--mcast1",
    "--mcastport0", "--miss_count_const", "--fail_recv_const", "--token_coefficient",
    "--corosync_conf", "--wait_for_all", "--auto_tie_breaker", "--last_man_standing", "--from",
    "--to", "--start-date", "--request-timeout", "--bundle", "--agent-validation",
}  # fmt: skip
_ATTACHED = re.compile(r"-[fup][^\d=-]")
_KEYWORD = {"--clone": "clone", "--master": "--master", "--cloneopt": "clone"}


def read_line(arguments: Sequence[str]) -> CommandText:
    """Take the options of a pcs command line out of its words."""
    line = CommandText()
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        name, equals, value = word.partition("=")
        if word in _KEYWORD and line.words[:2] == ["resource", "create"]:
            line.words.append(_KEYWORD[word])
        elif word == "--":
            line.words += waiting
            break
        elif _ATTACHED.match(word):  # -uNAME, -pWORD
            line.options[word[:2]] = word[2:]
        elif word.startswith("--") and len(word) > 2 or word in {"-f", "-u", "-p", "-h", "-V"}:  # noqa: PLR2004, RUF021
            if not equals and word in _WITH_VALUE and waiting:
                value = waiting.pop(0)
            line.options[name] = value
        else:
            line.words.append(word)
    return line


def pairs(words: Sequence[str]) -> dict[str, str]:
    """Return name=value words as a mapping.

    Raises:
        NotUnderstoodError: a word has no =.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise NotUnderstoodError(f"{word!r} is no NAME=VALUE")
        found[name] = value
    return found


@dataclass
class CreateWords:
    """What follows the agent in `resource create`."""

    options: list[str] = field(default_factory=list)
    meta: list[str] = field(default_factory=list)
    operations: list[dict[str, str]] = field(default_factory=list)
    copies: str = ""  # clone, promotable
    clone_id: str = ""  # when it is given one (pcs 0.10.7 and newer)
    clone_meta: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # words that pcs passes over


def split_create(words: Sequence[str]) -> CreateWords:
    """Split what follows the agent by its keywords, as pcs 0.9 does.

    `op`, `meta`, `clone` and `master` each switch what follows. With `master` (pcs 0.9 alone) all
    meta attributes become the master's; with `clone` and `promotable` they stay the primitive's.
    What follows the option `--master` older ones took for parameters, newer ones for options of the
    master: here the name decides.

    Raises:
        NotUnderstoodError: an operation without a name or options.
    """
    reader = _CreateReader(CreateWords())
    for word in words:
        reader.read(word)
    parts = reader.parts
    parts.operations = [operation for operation in parts.operations if operation]
    if parts.copies == "promotable" and "promotable" not in words:
        parts.clone_meta, parts.meta = [*parts.meta, *parts.clone_meta], []
    return parts


class _CreateReader:
    """Sorts words by the keyword that they follow."""

    def __init__(self, parts: CreateWords) -> None:
        self.parts = parts
        self._shelf: list[str] | None = parts.options  # None: words belong to an operation
        self._old_master = False

    def read(self, word: str) -> None:
        parts = self.parts
        if word == "op":
            self._shelf = None
            parts.operations.append({})
        elif word == "params" and self._shelf is parts.options:
            parts.ignored.append(word)
        elif word == "meta":
            self._shelf = parts.meta
        elif word in {"clone", "master", "--master", "promotable"}:
            parts.copies = "clone" if word == "clone" else "promotable"
            self._shelf, self._old_master = parts.clone_meta, word == "--master"
        elif self._shelf is None:
            _add_to_operation(parts.operations, word)
        elif self._old_master and self._shelf is parts.clone_meta and not _is_meta(word):
            parts.options.append(word)
        elif self._shelf is parts.clone_meta and "=" not in word and not parts.clone_id:
            parts.clone_id = word
        else:
            self._shelf.append(word)


def _is_meta(word: str) -> bool:
    """Return whether NAME=VALUE is an option of a clone or resource."""
    name = word.partition("=")[0]
    return today(name) in {**CLONE_META, **RESOURCE_META}


def _add_to_operation(operations: list[dict[str, str]], word: str) -> None:
    """Add a word after `op`: a name begins an operation, also a further one after the same `op`."""
    name, equals, value = word.partition("=")
    if not equals:
        if operations[-1]:
            operations.append({})
        operations[-1]["name"] = word
    elif "name" not in operations[-1]:
        raise NotUnderstoodError(f"op {word}: an operation without a name")
    else:
        operations[-1][name] = role(value) if name == "role" else value
