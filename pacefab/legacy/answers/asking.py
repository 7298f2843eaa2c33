"""A walk through a tree -> what it asked an operator, by what a file of answers has."""

from __future__ import annotations

from collections.abc import Iterator

from pacefab.legacy.interpreter.walkthrough import Walk
from pacefab.legacy.masking import mask
from pacefab.legacy.model import Place
from pacefab.legacy.questions import (
    AskedStart,
    Question,
    Reasons,
    Unanswered,
    Unsaid,
)

_MOST = 3  # of what hangs on an answer
_LONGEST = 100  # characters of a line


def unanswered(walk: Walk) -> Unanswered:
    """Return what was asked on a walk, answered or not, in the order in which it was."""
    variables: dict[str, Reasons] = {}
    values: dict[str, dict[str, Reasons]] = {}
    conditions: dict[str, dict[str, Reasons]] = {}
    for question, place in walk.world.inquiry.asked.items():
        if not _matters(walk, question, place):
            continue
        reasons = tuple(_reasons(walk, question, place))
        if question.kind is Unsaid.VARIABLE:
            variables[question.name] = reasons
        elif question.kind is Unsaid.VALUE:
            values.setdefault(question.file, {})[question.name] = reasons
        elif question.kind is Unsaid.CONDITION:
            conditions.setdefault(question.file, {})[question.name] = reasons
    scripts = dict.fromkeys(entry.script for entry in walk.begun)
    return Unanswered(
        tuple(_start(walk, script) for script in scripts), variables, values, conditions
    )


def _matters(walk: Walk, question: Question, place: Place) -> bool:
    """Return whether a cluster command can hang on an answer."""
    return place.file in walk.concerned or question in walk.world.inquiry.decides


def _start(walk: Walk, script: str) -> AskedStart:
    numbered: dict[int, Reasons] = {}
    others: Reasons = ()
    host: Reasons = ()
    for question, place in walk.world.inquiry.asked.items():
        if question.file != script:
            continue
        reasons = tuple(_reasons(walk, question, place))
        if question.kind is Unsaid.HOST:
            host = reasons
        elif question.kind is Unsaid.ARGUMENT and question.name == "0":
            others = reasons
        elif question.kind is Unsaid.ARGUMENT:
            numbered[int(question.name)] = reasons
    if script in walk.replay.unplaced:
        host = (*host, f"{_line(walk, walk.replay.unplaced[script])}: which cluster is that of?")
    return AskedStart(script, numbered, others, host)


def _reasons(walk: Walk, question: Question, place: Place) -> Iterator[str]:
    """Yield where something is asked, and what hangs on it."""
    yield _line(walk, place)
    inquiry = walk.world.inquiry
    found = list(inquiry.decides.get(question, ()))
    if question.kind is Unsaid.VARIABLE:
        rests = walk.world.rested_on.items()
        found += [f"the condition at {at}" for at, names in rests if f"${question.name}" in names]
    yield from (f"decides {_short(mask(what))}" for what in found[:_MOST])
    if len(found) > _MOST:
        yield f"decides {len(found) - _MOST} more"


def _line(walk: Walk, place: Place) -> str:
    """Return a line of a script with its place, secrets masked."""
    file = walk.world.tree.files.get(place.file)
    lines = file.text.split("\n") if file else []
    text = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    return _short(f"{place}: {mask(text.strip())}")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
