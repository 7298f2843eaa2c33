"""location, order and colocation of crmsh on the model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pacefab.legacy.cluster.book import Job
from pacefab.legacy.cluster.model import ReplayedConstraint
from pacefab.legacy.cluster.naming import role
from pacefab.legacy.cluster.outcome import (
    NotUnderstoodError,
    RefusedCommandError,
    ReplayOutcome,
    UntranslatableError,
    left_out,
    translated,
)
from pacefab.legacy.crm.attributes import CrmWords, rule_words
from pacefab.legacy.crm.context import CrmContext
from pacefab.legacy.crm.rules import locations_of
from pacefab.legacy.crm.sets import (
    Member,
    ResourceSet,
    check_number,
    colocated_pairs,
    ordered_pairs,
    read_sets,
)
from pacefab.legacy.model import Fate

_SCORE = re.compile(r"([^:]+):")
_NUMBER = re.compile(r"[+-]?(?:inf(?:inity)?|\d+)$", re.IGNORECASE)
_WORDS = {"advisory": "0", "mandatory": "INFINITY"}
_KINDS = {"mandatory": "Mandatory", "optional": "Optional", "serialize": "Serialize"}
_ACTIONS = {"start", "stop", "promote", "demote"}
_ROLES = {"started", "stopped", "master", "slave", "promoted", "unpromoted"}
_ATTRIBUTE = re.compile(r"\$?([^=$]+)=(.*)", re.DOTALL)
_SYMMETRICAL = re.compile(r"symmetrical=(true|false|yes|no|on|off)", re.IGNORECASE)
_BY_ROLE = (
    "a location of a role has no place in the inventory",
    "after deploy: set it with pcs constraint location",
)
Part = tuple[tuple[str, ...], dict[str, str]]  # resources and options of one constraint


def score_of(text: str) -> str:
    """Return a score as it stands in a CIB: INFINITY for inf.

    Raises:
        UntranslatableError: it is the name of a node attribute.
    """
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if not _NUMBER.match(text):
        raise UntranslatableError(
            f"a score that the node attribute {text} gives has no place in the inventory",
            "write a location with attribute, operation, value and a score",
        )
    return re.sub(r"inf(inity)?", "INFINITY", text, flags=re.IGNORECASE)


def location(context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `location ID RESOURCE SCORE: NODE`, its rules, and its sets { … }."""
    own_id, resources = words.identifier("an id"), _located(words)
    options: dict[str, str] = {}
    while found := words.matching(_ATTRIBUTE):
        options[found[1]] = found[2]
    scored = words.matching(_SCORE)
    if scored:
        score, node = score_of(scored[1]), words.any("a node")
        wheres = [{"node": node, "score": score}]
        while found := words.matching(_ATTRIBUTE):
            options[found[1]] = found[2]
    else:
        wheres = _rules(words)
    words.end()
    if "role" in options:
        raise UntranslatableError(*_BY_ROLE)
    discovery = options.pop("resource-discovery", "")
    if options:
        raise NotUnderstoodError(f"a location has no {', '.join(options)}")
    made = {"resource_discovery": discovery} if discovery else {}
    parts: list[Part] = [((name,), {**where, **made}) for name in resources for where in wheres]
    if own_id.startswith(("cli-prefer-", "cli-ban-", "cli-standby-")):
        return ReplayOutcome(
            Fate.DOUBTFUL,
            "it is what a move or ban by hand has left (crm resource move, ban): not taken over",
            "add a location constraint if that is meant to be permanent",
        )
    return _add(context, job, "location", own_id, parts)


def _located(words: CrmWords) -> list[str]:
    word = words.any("a resource")
    if word == "{":
        found = [name for one in read_sets(words.until("}")) for name in one.members]
        if not found:
            raise NotUnderstoodError("location: the set of resources is empty")
        return found
    if len(word) > 2 and word[0] == word[-1] == "/":  # noqa: PLR2004
        raise UntranslatableError(
            f"a location of all resources whose names fit {word} has no place in the inventory",
            "write a location for each of them",
        )
    return [word]


def _rules(words: CrmWords) -> list[dict[str, str]]:
    wheres: list[dict[str, str]] = []
    while words.peek().lower() == "rule":
        wheres += locations_of(rule_words(words)[1:], score_of)
    if not wheres:
        raise NotUnderstoodError("a location needs SCORE: NODE, or a rule")
    return wheres


def order(context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `order ID [KIND:|SCORE:] A[:ACTION] B[:ACTION] … [symmetrical=…]`."""
    own_id, options = words.identifier("an id"), dict[str, str]()
    scored = words.matching(_SCORE)
    kind = _kind(scored[1]) if scored else "Mandatory"
    if kind != "Mandatory":
        options["kind"] = kind
    symmetrical = words.last_matching(_SYMMETRICAL)
    if symmetrical:
        state = symmetrical[1].lower() in {"true", "yes", "on"}
        options["symmetrical"] = str(state).lower()
    given = words.rest()
    # Without an action, `then` does what `first` does; a set starts.
    pairs = _simple(given) or ordered_pairs(_sets(given))
    check_number(pairs)
    if len(pairs) > 1 and kind == "Serialize":
        raise UntranslatableError(
            "sets of resources that start one at a time have no place in the inventory",
            "write an order of kind Serialize for each two",
        )
    parts: list[Part] = []
    usual = pairs[0][0][1] if pairs and len(given) == 2 else ""  # noqa: PLR2004  # no sets
    for (first, action), (then, then_action) in pairs:
        actions = {
            "first_action": _action(action),
            "then_action": _action(then_action or usual),
        }
        parts.append(((first, then), {**actions, **options}))
    return _add(context, job, "order", own_id, parts)


def _kind(text: str) -> str:
    if text.lower() in _KINDS:
        return _KINDS[text.lower()]
    if not _NUMBER.match(text):
        raise NotUnderstoodError(f"{text} is no kind of an order")
    return "Optional" if text in {"0", "+0", "-0"} else "Mandatory"


def _simple(words: Sequence[str]) -> list[tuple[Member, Member]]:
    """Return the pair that two plain words are; none when they are sets."""
    if len(words) != 2 or any(set("()[]=") & set(word) for word in words):  # noqa: PLR2004
        return []
    (first, _, what), (then, _, then_what) = (word.partition(":") for word in words)
    return [((first, what), (then, then_what))]


def _sets(words: Sequence[str]) -> list[ResourceSet]:
    sets = read_sets(words)
    if sum(len(one.members) for one in sets) < 2:  # noqa: PLR2004
        raise NotUnderstoodError("it needs two resources")
    return sets


def _action(text: str) -> str:
    text = text.lower() or "start"
    if text not in _ACTIONS:
        raise NotUnderstoodError(f"{text} is no action")
    return text


def _role(text: str) -> str:
    if text and text.lower() not in _ROLES:
        raise NotUnderstoodError(f"{text} is no role")
    return role(text.capitalize()) if text else ""


def colocation(context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `colocation ID SCORE: A[:ROLE] B[:ROLE] … [node-attribute=…]`."""
    own_id, scored = words.identifier("an id"), words.matching(_SCORE)
    if not scored:
        raise NotUnderstoodError("a colocation needs SCORE:")
    score = score_of(scored[1])
    by_attribute = words.last_matching(re.compile(r"node-attribute=(.+)"))
    if by_attribute:
        raise UntranslatableError(
            f"a colocation by the node attribute {by_attribute[1]} has no place in the inventory",
            "after deploy: set it with pcs constraint colocation",
        )
    given = words.rest()
    pairs = _simple(given) or colocated_pairs(_sets(given))
    check_number(pairs)
    if len(given) > 2 and score.startswith("-"):  # noqa: PLR2004
        raise UntranslatableError(
            "a set of resources that are kept apart has no place in the inventory",
            "write a colocation with a negative score for each two",
        )
    parts: list[Part] = []
    for (name, its_role), (with_name, with_role) in pairs:
        roles = {"role": _role(its_role), "with_role": _role(with_role)}
        made = {"score": score, **{key: value for key, value in roles.items() if value}}
        parts.append(((name, with_name), made))
    return _add(context, job, "colocation", own_id, parts)


def _add(
    context: CrmContext, job: Job, kind: str, own_id: str, parts: Sequence[Part]
) -> ReplayOutcome:
    """Put the constraints that a command makes into the model, all or none."""
    there = [one for one in job.cluster.constraints if one.id == own_id]
    if there and job.call.replaces:
        job.book.gone[there[0].by] = f"replaced at {job.place}"
        job.cluster.constraints = [one for one in job.cluster.constraints if one.id != own_id]
    elif there:
        raise RefusedCommandError(
            f"the constraint {own_id} is there already ({there[0].place})",
            "check which of the two is intended; the first is used here",
            Fate.LEFT_OUT if there[0].place == job.place else Fate.DOUBTFUL,
        )
    made: list[ReplayedConstraint] = []
    for names, options in parts:
        for name in names:
            if name in context.templates:
                raise UntranslatableError(
                    f"it names the template {name}, which stands for all resources made from it",
                    "write it for each of them",
                )
            job.find(name)
        ids = tuple(job.cluster.today(name) for name in names)
        made.append(ReplayedConstraint(kind, own_id, ids, options, job.place, job.number))
    present = {one.about: one for one in job.cluster.constraints}
    if not made:
        return left_out("nothing in it depends on anything else: it changes nothing")
    new = [one for one in made if not _is_there(present, one)]
    if not new:
        return left_out("what it says is there already")
    job.cluster.constraints += new
    shown = "; ".join(" ".join(one.resources) for one in new)
    return translated(f"{kind} {shown}")


def _is_there(
    there: Mapping[tuple[object, ...], ReplayedConstraint], made: ReplayedConstraint
) -> bool:
    """Return whether an equal constraint is there.

    Raises:
        UntranslatableError: one about the same has other options; crmsh keeps both.
    """
    found = there.get(made.about)
    if found is not None and found.options != made.options:
        raise UntranslatableError(
            f"the inventory holds one {made.kind} about {' and '.join(made.resources)}: "
            f"that of {found.place} is used",
            "check which of the two is intended, or what both come to",
        )
    return found is not None
