"""Sets of resources in constraints of crmsh, and the pairs that come to the same.

What follows what, and what runs with what, is Pacemaker Explained's ("Resource Sets").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

from pacefab.legacy.cluster.outcome import NotUnderstoodError, UntranslatableError

_CLOSING = {"(": ")", "[": "]"}
_MOST_PAIRS = 60
Member = tuple[str, str]  # a resource, and its action or role (empty: none given)


@dataclass
class ResourceSet:
    """Resources of one action or role, with or without an order among them.

    Args:
        members: ids of the resources.
        what: their action or role; empty: none given.
        sequential: each depends on the one before.
        require_all: what follows waits for all of them.
    """

    what: str = ""
    members: list[str] = field(default_factory=list)
    sequential: bool = True
    require_all: bool = True

    def each(self) -> list[Member]:
        """Return the members with what they do."""
        return [(name, self.what) for name in self.members]


def read_sets(words: Sequence[str]) -> list[ResourceSet]:
    """Return the sets that words make: A ( B C:start ) [ D E ] sequential=false.

    Raises:
        NotUnderstoodError: brackets do not fit, a set is empty, or an attribute is unknown.
    """
    reader = _SetReader()
    for word in _parted(words):
        reader.read(word)
    return reader.done()


def _parted(words: Sequence[str]) -> Iterator[str]:
    """Yield the words, brackets as words of their own."""
    for word in words:
        if word[:1] in _CLOSING and len(word) > 1:
            yield from (word[0], *_parted([word[1:]]))
        elif word[-1:] in _CLOSING.values() and len(word) > 1:
            yield from (*_parted([word[:-1]]), word[-1])
        elif word != "_rsc_set_":
            yield word


class _SetReader:
    def __init__(self) -> None:
        self._sets: list[ResourceSet] = []
        self._set = ResourceSet()
        self._opened = ""
        self._sequential = self._require_all = True

    def read(self, word: str) -> None:
        if word in _CLOSING:
            if self._opened:
                raise NotUnderstoodError("sets of resources cannot be nested")
            self._save()
            self._opened, self._sequential, self._require_all = word, False, word == "("
        elif word in _CLOSING.values():
            if word != _CLOSING.get(self._opened) or not self._set.members:
                raise NotUnderstoodError(f"the bracket {word} closes no set")
            self._save()
            self._opened, self._sequential, self._require_all = "", True, True
        elif "=" in word:
            self._attribute(word)
        else:
            self._member(word)

    def _attribute(self, word: str) -> None:
        name, _, value = word.partition("=")
        if name not in {"sequential", "require-all"}:
            raise NotUnderstoodError(f"a set of resources has no {name}")
        state = value.lower() in {"yes", "true", "on", "1"}
        if name == "sequential":
            self._sequential = state
        else:
            self._require_all = state

    def _member(self, word: str) -> None:
        name, _, what = word.partition(":")
        if what != self._set.what:
            self._save()
            self._set.what = what
        self._set.members.append(name)

    def _save(self) -> None:
        if self._set.members:
            self._set.sequential, self._set.require_all = self._sequential, self._require_all
            self._sets.append(self._set)
        self._set = ResourceSet()

    def done(self) -> list[ResourceSet]:
        if self._opened:
            raise NotUnderstoodError(f"the bracket {self._opened} is not closed")
        self._save()
        return self._sets


def ordered_pairs(sets: Sequence[ResourceSet]) -> list[tuple[Member, Member]]:
    """Return what comes before what.

    Raises:
        UntranslatableError: what follows a set does not wait for all of it.
    """
    if any(not one.require_all for one in sets):
        raise UntranslatableError(
            "a set of which one resource is enough has no place in the inventory",
            "write an order after the one that matters, or after each",
        )
    pairs: list[tuple[Member, Member]] = []
    for before, after in pairwise([None, *sets]):
        if before is not None:
            last = before.each()[-1:] if before.sequential else before.each()
            first = after.each()[:1] if after.sequential else after.each()  # type: ignore[union-attr]
            pairs += product(last, first)
        if after is not None and after.sequential:
            pairs += pairwise(after.each())
    return pairs


def colocated_pairs(sets: Sequence[ResourceSet]) -> list[tuple[Member, Member]]:
    """Return what runs with what: the first of each pair follows the second.

    In a set each runs with the one before; a set runs with the next one.
    """
    pairs: list[tuple[Member, Member]] = []
    for one in sets:
        if one.sequential:
            pairs += [(later, earlier) for earlier, later in pairwise(one.each())]
    for one, with_set in pairwise(sets):
        first = one.each()[:1] if one.sequential else one.each()
        last = with_set.each()[-1:] if with_set.sequential else with_set.each()
        pairs += product(first, last)
    return pairs


def check_number(pairs: Sequence[tuple[Member, Member]]) -> None:
    """Refuse sets that come to more pairs than people would read."""
    if len(pairs) > _MOST_PAIRS:
        raise UntranslatableError(
            f"its sets come to {len(pairs)} pairs, more than {_MOST_PAIRS}",
            "write constraints of groups in the place of so many resources",
        )
