"""Rules of locations in crmsh, as far as locations of an inventory come to the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pacefab.legacy.cluster.outcome import NotUnderstoodError, UntranslatableError

_TESTS = {"defined", "not_defined"}
_COMPARISON = re.compile(
    r"(?:(string|version|number|integer):)?(lt|gt|lte|gte|eq|ne)", re.IGNORECASE
)
_BY_HAND = "write locations with node, or attribute, operation and value"


def locations_of(words: Sequence[str], score_of: Callable[[str], str]) -> list[dict[str, str]]:
    """Return the options of the locations that a rule (without the word rule) comes to.

    With a score of INFINITY, `or` is as good as a location for each side.

    Raises:
        NotUnderstoodError: it is no rule.
        UntranslatableError: an inventory has nothing that comes to the same.
    """
    words = list(words)
    while words and re.match(r"\$id=", words[0]):
        words.pop(0)
    if words and re.match(r"\$id-ref=", words[0]):
        raise UntranslatableError(f"the rule refers to another one ({words[0]})", _BY_HAND)
    if words and re.match(r"\$?role=", words[0]):
        raise UntranslatableError("a rule for a role has no place in the inventory", _BY_HAND)
    score = score_of(words.pop(0)[:-1]) if words and words[0].endswith(":") else "INFINITY"
    sides, operators = _parted(words)
    if operators == {"and"} or len(operators) > 1:
        raise UntranslatableError(f"a rule with and ({' '.join(words)}) has no place", _BY_HAND)
    if operators and not score.endswith("INFINITY"):
        raise UntranslatableError(
            f"a rule with or and a score of {score} ({' '.join(words)}) has no place", _BY_HAND
        )
    return [{"score": score, **_expression(side)} for side in sides]


def _parted(words: Sequence[str]) -> tuple[list[list[str]], set[str]]:
    sides: list[list[str]] = [[]]
    operators: set[str] = set()
    for word in words:
        if word.lower() in {"and", "or"}:
            operators.add(word.lower())
            sides.append([])
        else:
            sides[-1].append(word)
    return sides, operators


def _expression(words: Sequence[str]) -> dict[str, str]:
    if words and words[0].lower() == "date":
        raise UntranslatableError(f"a rule by time ({' '.join(words)}) has no place", _BY_HAND)
    if len(words) == 2 and words[0].lower() in _TESTS:  # noqa: PLR2004
        return {"attribute": words[1], "operation": words[0].lower()}
    found = _COMPARISON.fullmatch(words[1]) if len(words) == 3 else None  # noqa: PLR2004
    if found is None:
        raise NotUnderstoodError(f"{' '.join(words) or 'nothing'} is no expression of a rule")
    attribute, value, operation = words[0], words[2], found[2].lower()
    if attribute == "#uname" and operation == "eq":
        return {"node": value}
    _check_comparison(words, attribute, operation, (found[1] or "").lower())
    return {"attribute": attribute, "operation": operation, "value": value}


def _check_comparison(words: Sequence[str], attribute: str, operation: str, kind: str) -> None:
    """Refuse what would be compared in another way than Pacemaker does without a type.

    That is as texts by eq and ne, as numbers by the others (Pacemaker Explained, "Expressions").
    """
    usual = {"string"} if operation in {"eq", "ne"} else {"number", "integer"}
    if kind and kind not in usual:
        raise UntranslatableError(
            f"a comparison by {kind} ({' '.join(words)}) has no place", _BY_HAND
        )
    if attribute.startswith("#"):
        raise UntranslatableError(
            f"a rule about {attribute} ({' '.join(words)}) has no place in the inventory",
            "write a location for each node that it means",
        )
    if re.match(r"[^\s{}]+\{\S+\}$", words[2]):
        raise UntranslatableError(f"a value that is looked up ({words[2]}) has no place", _BY_HAND)
