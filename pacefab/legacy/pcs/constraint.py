"""`pcs constraint …` on the model, in the 0.9 dialect and today's."""

from __future__ import annotations

import re
from itertools import pairwise

from pacefab.legacy.cluster.book import Job
from pacefab.legacy.cluster.model import ReplayedConstraint
from pacefab.legacy.cluster.naming import role
from pacefab.legacy.cluster.outcome import (
    NotUnderstoodError,
    RefusedCommandError,
    ReplayOutcome,
    UntranslatableError,
    left_out,
    no_such,
    translated,
)
from pacefab.legacy.model import Fate
from pacefab.legacy.pcs.dialect import pairs
from pacefab.legacy.pcs.removal import remove, remove_colocation, remove_orders

_ACTIONS = {"start", "stop", "promote", "demote"}
_ROLES = {"master", "slave", "started", "stopped", "promoted", "unpromoted"}
_KINDS = {"mandatory": "Mandatory", "optional": "Optional", "serialize": "Serialize"}
_TESTS = {"defined", "not_defined"}
_COMPARISONS = {"eq", "ne", "lt", "gt", "lte", "gte"}
_SCORE = re.compile(r"[+-]?(INFINITY|\d+)$")


def constraint(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `pcs constraint …`."""
    kind, *rest = words or [""]
    if kind in {"", "list", "show", "ref", "config"}:
        return left_out("it only queries", output=None)
    if kind in {"remove", "delete"}:
        return remove(job, rest)
    if kind not in {"order", "colocation", "location"}:
        _no_such(kind)
    if not rest or rest[0] in {"show", "list", "config"}:
        return left_out("it only queries", output=None)
    return {"order": _order, "colocation": _colocation, "location": _location}[kind](job, rest)


def _no_such(kind: str) -> None:
    if kind in {"rule", "ticket"}:
        raise UntranslatableError(
            f"a {kind} has no place in the inventory",
            "write a location with attribute, operation and value",
        )
    raise no_such("pcs constraint", kind, ["order", "colocation", "location", "remove"])


def _order(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `order [ACTION] A then [ACTION] B [OPTION=VALUE…]`, and its sets and removals."""
    if words[0] in {"remove", "delete"}:
        return remove_orders(job, words[1:])
    if words[0] == "set":
        return _order_set(job, words[1:])
    words = words[1:] if words[0] == "add" else words
    if "then" not in words:
        raise NotUnderstoodError("an order needs the word then")
    at = words.index("then")
    first_action, first = _acting(words[:at])
    options_at = at + (3 if words[at + 1 : at + 2] and words[at + 1] in _ACTIONS else 2)
    then_action, then = _acting(words[at + 1 : options_at])
    options = pairs(_order_words(job, words[options_at:]))
    made = {"first_action": first_action, "then_action": then_action}
    own_id = options.pop("id", "")
    kind, made = _order_options(options, made)
    return _add(job, "order", own_id or f"order-{first}-{then}-{kind}", (first, then), made)


def _order_words(job: Job, words: list[str]) -> list[str]:
    """Return the options of an order as NAME=VALUE; pcs 0.9 passes over other words."""
    named = {"symmetrical": "symmetrical=true", "nonsymmetrical": "symmetrical=false"}
    words = [named.get(word, word) for word in words]
    for word in words:
        if "=" not in word:
            job.doubt(f"pcs 0.9 ignores the word {word}, later versions refuse it", "leave it out")
    return [word for word in words if "=" in word]


def _acting(words: list[str]) -> tuple[str, str]:
    """Return action and resource of one side of an order."""
    if len(words) == 2 and words[0] in _ACTIONS:  # noqa: PLR2004
        return words[0], words[1]
    if len(words) != 1:
        raise NotUnderstoodError(f"{' '.join(words) or 'nothing'} is no [ACTION] RESOURCE")
    return "start", words[0]


def _order_options(options: dict[str, str], made: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return the kind as it stands in pcs's ids, and all options by the inventory's names."""
    kind = _KINDS.get(options.pop("kind", "").lower(), "")
    score = options.pop("score", "")
    if score and not kind:
        kind = "Optional" if score in {"0", "+0"} else "Mandatory"
    if kind and kind != "Mandatory":
        made["kind"] = kind
    for name in ("symmetrical", "require-all"):
        if name in options:
            made[name.replace("-", "_")] = options.pop(name).lower()
    if options:
        raise NotUnderstoodError(f"an order has no option {', '.join(options)}")
    return kind or "mandatory", made


def _order_set(job: Job, words: list[str]) -> ReplayOutcome:
    """Split a plain sequence into orders of two; anything else stays."""
    members = _plain_sequence(words)
    made = {"first_action": "start", "then_action": "start"}
    present = [
        constraint.resources for constraint in job.cluster.constraints
        if constraint.kind == "order" and constraint.options == made
    ]  # fmt: skip
    for pair in pairwise(members):
        if tuple(job.cluster.today(name) for name in pair) not in present:
            _add(job, "order", f"order-{'-'.join(pair)}-mandatory", pair, dict(made))
    return translated(f"order of each two: {', '.join(members)}")


def _plain_sequence(words: list[str]) -> list[str]:
    """Return the members of a set that is no more than a sequence."""
    members = [word for word in words if "=" not in word and word not in {"set", "setoptions"}]
    options = {word for word in words if "=" in word} - {"sequential=true", "kind=Mandatory"}
    if "set" in words or options or len(members) < 2:  # noqa: PLR2004
        raise UntranslatableError(
            "sets of resources have no place in the inventory",
            "write an order for each two that depend on each other",
        )
    return members


def _colocation(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `colocation add [ROLE] A with [ROLE] B [SCORE] [OPTION=VALUE…]`, and removals."""
    verb, *rest = words
    if verb in {"remove", "delete"}:
        return remove_colocation(job, rest)
    if verb == "set":
        raise UntranslatableError(
            "sets of resources have no place in the inventory",
            "write a colocation for each two that belong together",
        )
    if verb != "add":
        raise NotUnderstoodError(f"there is no pcs constraint colocation {verb}")
    plain = [word for word in rest if "=" not in word]
    score = plain.pop() if len(plain) > 2 and _SCORE.match(plain[-1]) else ""  # noqa: PLR2004
    sides = _sides(plain)
    options = pairs([word for word in rest if "=" in word])
    # A score that is given as an option does not come into the id that pcs makes.
    default_id = f"colocation-{sides[1]}-{sides[3]}-{score or 'INFINITY'}"
    id_ = options.pop("id", default_id)
    made = _colocation_options(options, score, sides[0], sides[2])
    return _add(job, "colocation", id_, (sides[1], sides[3]), made)


def _colocation_options(
    options: dict[str, str], score: str, resource_role: str, with_role: str
) -> dict[str, str]:
    """Return all options by the inventory's names."""
    made = {
        "score": options.pop("score", score) or "INFINITY",
        "role": role(options.pop("rsc-role", resource_role)),
        "with_role": role(options.pop("with-rsc-role", with_role)),
    }
    if options:
        raise UntranslatableError(
            f"a colocation has no {', '.join(options)} in the inventory",
            "check whether it is needed",
        )
    return {name: value for name, value in made.items() if value}


def _sides(words: list[str]) -> tuple[str, str, str, str]:
    """Return role and resource of both sides; pcs 0.9 also took `A B` without `with`."""
    if "with" in words:
        at = words.index("with")
        left, right = words[:at], words[at + 1 :]
    else:
        at = 2 if words and words[0].lower() in _ROLES else 1
        left, right = words[:at], words[at:]
    sides: list[str] = []
    for side in (left, right):
        if len(side) == 2 and side[0].lower() in _ROLES:  # noqa: PLR2004
            sides += side
        elif len(side) == 1:
            sides += ["", side[0]]
        else:
            raise NotUnderstoodError(f"{' '.join(side) or 'nothing'} is no [ROLE] RESOURCE")
    return sides[0], sides[1], sides[2], sides[3]


def _location(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `location R prefers|avoids N…`, `location R rule …`, `location add ID R N SCORE`."""
    if words[0] == "add" and len(words) > 4:  # noqa: PLR2004
        _, id_, resource, node, score, *options = words
        made = {"node": node, "score": score}
        made.update(_discovery(pairs(options)))
        return _add(job, "location", id_, (resource,), made)
    if words[0] in {"remove", "delete"}:
        return remove(job, words[1:])
    if len(words) < 3:  # noqa: PLR2004
        raise NotUnderstoodError("a location needs a resource, and prefers, avoids or rule")
    resource, verb, *rest = words
    if verb == "rule":
        return _rule(job, resource, rest)
    if verb not in {"prefers", "avoids"}:
        raise NotUnderstoodError(f"{verb} is none of prefers, avoids, rule")
    for word in rest:
        node, _, score = word.partition("=")
        score = score or "INFINITY"
        score = score if verb == "prefers" else f"-{score.lstrip('-+')}"
        id_ = f"location-{resource}-{node}-{score}"
        _add(job, "location", id_, (resource,), {"node": node, "score": score})
    return translated(f"{resource} {verb} {' '.join(rest)}")


def _discovery(options: dict[str, str]) -> dict[str, str]:
    found = options.pop("resource-discovery", "")
    if options:
        raise NotUnderstoodError(f"a location has no option {', '.join(options)}")
    return {"resource_discovery": found} if found else {}


def _rule(job: Job, resource: str, words: list[str]) -> ReplayOutcome:
    """Do a rule of one comparison; rules of several have no place in the inventory."""
    if len(words) == 1:
        words = words[0].split()
    at = next((n for n, word in enumerate(words) if "=" not in word), len(words))
    options, expression = pairs(words[:at]), words[at:]
    options.pop("id", None)
    id_ = options.pop("constraint-id", f"location-{resource}")
    _check_order(expression)
    desired = {"resource-discovery", "score"}
    if set(options) - desired or not _is_plain(expression):
        raise UntranslatableError(
            f"a rule of this kind ({' '.join(words)}) has no place in the inventory",
            "write locations with node, or attribute, operation and value",
        )
    made = {"score": options.get("score", "INFINITY")}
    made.update(_discovery({k: v for k, v in options.items() if k == "resource-discovery"}))
    made.update(_expression(expression))
    return _add(job, "location", id_, (resource,), made)


def _check_order(words: list[str]) -> None:
    """Refuse `ATTRIBUTE defined`, as pcs does: the test stands before its attribute."""
    for before, word in pairwise(words):
        if word in _TESTS and before not in {"and", "or", "("}:
            raise NotUnderstoodError(f"a rule has {word} before its attribute: {word} {before}")


def _is_plain(words: list[str]) -> bool:
    unary = len(words) == 2 and words[0] in _TESTS  # noqa: PLR2004
    return unary or (len(words) == 3 and words[1] in _COMPARISONS)  # noqa: PLR2004


def _expression(words: list[str]) -> dict[str, str]:
    if len(words) == 2:  # noqa: PLR2004  # defined ATTRIBUTE
        return {"attribute": words[1], "operation": words[0]}
    return {"attribute": words[0], "operation": words[1], "value": words[2]}


def _add(
    job: Job, kind: str, id_: str, resources: tuple[str, ...], options: dict[str, str]
) -> ReplayOutcome:
    for name in resources:
        job.find(name)
    ids = tuple(job.cluster.today(name) for name in resources)
    made = ReplayedConstraint(kind, id_, ids, options, job.place, job.number)
    same = [constraint for constraint in job.cluster.constraints if constraint.about == made.about]
    if same and kind == "location" and "node" in options and same[0].place != made.place:
        # pcs puts it in the place of the one that is there.
        job.book.gone[same[0].by] = f"set again at {job.place}"
        job.cluster.constraints.remove(same[0])
    elif same:
        _repeated(made, same[0])
    job.cluster.constraints.append(made)
    renamed = [
        f"{old} is {new} today" for old, new in zip(resources, ids, strict=True) if old != new
    ]
    return translated("; ".join([f"{kind} {' '.join(ids)}", *renamed]))


def _repeated(made: ReplayedConstraint, there: ReplayedConstraint) -> None:
    """Refuse what is there already; pcs 0.9 does so, too, for equal ones (but by --force)."""
    if made.place == there.place:
        raise RefusedCommandError("the same line created it before", fate=Fate.LEFT_OUT)
    if made.options == there.options:
        raise RefusedCommandError(
            f"a duplicate of the constraint at {there.place}", "remove one of the two"
        )
    raise RefusedCommandError(
        f"another constraint on the same resources is at {there.place}, with other options",
        "check which of the two is intended; the first is used here",
        Fate.DOUBTFUL,
    )
