"""Lists of attributes in commands of crmsh: `params a=b meta c=d op monitor interval=10`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from pacefab.legacy.cluster.outcome import NotUnderstoodError

_IDENTIFIER = re.compile(r"[A-Za-z_][\w.-]*$")
_OWN_ID = re.compile(r"\$id=(.*)$", re.IGNORECASE)
_REFERENCE = re.compile(r"\$id-ref=(.*)$", re.IGNORECASE)
_SCORE = re.compile(r"[^:=@$]+:$")
_LISTS = {"params", "meta", "utilization", "attributes", "operations", "op", "op_params", "op_meta"}


@dataclass
class AttributeList:
    """One list: what it is of, its values, and what it says otherwise.

    Args:
        kind: params, meta, utilization, attributes, op, operations.
        name: of an operation.
        values: by name; None: a name without a value.
        own_id: the id that it is given, empty: none.
        named: ids that single values are given, by their names.
        references: ids of other lists and values that are used here.
        rules: words of rules that it depends on.
    """

    kind: str
    name: str = ""
    values: dict[str, str | None] = field(default_factory=dict)
    own_id: str = ""
    named: dict[str, str] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)

    def texts(self) -> dict[str, str]:
        """Return the values, a name without one as an empty text."""
        return {name: value or "" for name, value in self.values.items()}


class CrmWords:
    """The words of a command, taken one after the other.

    Args:
        command: the command's name, for refusals.
        words: what follows it.
    """

    def __init__(self, command: str, words: Iterable[str]) -> None:
        self.command = command
        self._left = list(words)

    def __bool__(self) -> bool:
        return bool(self._left)

    def peek(self) -> str:
        """Return the next word; empty: there is none."""
        return self._left[0] if self._left else ""

    def rest(self) -> list[str]:
        """Take all words that are left."""
        taken, self._left = self._left, []
        return taken

    def any(self, what: str) -> str:
        """Take the next word.

        Raises:
            NotUnderstoodError: there is none.
        """
        if not self._left:
            raise NotUnderstoodError(f"{self.command} needs {what}")
        return self._left.pop(0)

    def identifier(self, what: str) -> str:
        """Take an id, which may be written id=ID."""
        word = self.any(what).removeprefix("id=")
        if not _IDENTIFIER.match(word):
            raise NotUnderstoodError(f"{word!r} is no id")
        return word

    def matching(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Take the next word if it fits a pattern as a whole."""
        found = pattern.fullmatch(self.peek()) if self._left else None
        if found:
            self._left.pop(0)
        return found

    def last_matching(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Take the last word if it fits a pattern as a whole."""
        found = pattern.fullmatch(self._left[-1]) if self._left else None
        if found:
            self._left.pop()
        return found

    def description(self) -> None:
        """Pass over a description."""
        self.matching(re.compile(r"description=.+", re.IGNORECASE | re.DOTALL))

    def until(self, end: str) -> list[str]:
        """Take the words up to one, and that one.

        Raises:
            NotUnderstoodError: it does not come.
        """
        if end not in self._left:
            raise NotUnderstoodError(f"{self.command}: there is no {end}")
        at = self._left.index(end)
        taken, self._left = self._left[:at], self._left[at + 1 :]
        return taken

    def end(self) -> None:
        """Refuse words that are left."""
        if self._left:
            raise NotUnderstoodError(f"{self.command}: {' '.join(self._left)} is not expected here")


def attribute_lists(words: CrmWords, kinds: Collection[str], first: str) -> list[AttributeList]:
    """Take the lists of attributes of a command, to its end.

    Args:
        words: the command's words that are left.
        kinds: the lists that it may have.
        first: what the values are of that stand before the first keyword.

    Raises:
        NotUnderstoodError: words are left, or an operation has no name.
    """
    made: list[AttributeList] = []
    while words:
        kind = words.peek().lower()
        if kind in kinds:
            words.any("a list")
            name = words.identifier("an operation") if kind == "op" else ""
            made.append(_list(words, AttributeList(kind, name)))
        elif kind in {"op_params", "op_meta"} and made and made[-1].kind == "op":
            words.any("a list")
            made[-1].values |= _list(words, AttributeList(kind)).values
        elif not made:
            made.append(_list(words, AttributeList(first)))
            if not (made[0].values or made[0].references or made[0].rules or made[0].own_id):
                words.end()
        else:
            words.end()
    return made


def _list(words: CrmWords, made: AttributeList) -> AttributeList:
    reference = words.matching(_REFERENCE)
    if reference:
        made.references.append(reference[1])
        return made
    own_id = words.matching(_OWN_ID)
    made.own_id = own_id[1] if own_id else ""
    words.matching(_SCORE)
    while words and words.peek().lower() not in _LISTS:
        if words.peek().lower() == "rule":
            made.rules += rule_words(words)
        elif not _value(words, made):
            break
    return made


def rule_words(words: CrmWords) -> list[str]:
    """Take `rule …`, up to the values or the next list."""
    taken = [words.any("a rule")]
    while words and words.peek().lower() not in {*_LISTS, "rule"}:
        word = words.peek()
        if "=" in word and not re.match(r"\$|role=|(start|end|\w+s)=", word):
            break
        taken.append(words.any("a rule"))
    return taken


def _value(words: CrmWords, made: AttributeList) -> bool:
    """Take NAME=VALUE, NAME, $ID:NAME=VALUE or @ID[:NAME]; return whether there was one."""
    word = words.peek()
    name, equals, value = word.partition("=")
    if word.startswith("@"):
        made.references.append(word[1:])
    elif word.startswith("$"):
        own_id, _, name = name[1:].partition(":")
        made.values[name or own_id] = value
        made.named[name or own_id] = own_id
    elif equals and name:
        made.values[name] = value
    elif word and ":" not in word:
        made.values[word] = None
    else:
        return False
    words.any("a value")
    return True
