"""`pcs resource …` and `pcs stonith …` on the model, in the 0.9 dialect and today's."""

from __future__ import annotations

from collections.abc import Sequence

from pacefab.legacy.cluster.book import Job, ReplayHandler
from pacefab.legacy.cluster.changes import merge, remove_resource
from pacefab.legacy.cluster.model import CLONE, PROMOTABLE, ReplayedGroup, ReplayedResource
from pacefab.legacy.cluster.naming import agent_of_today, meta_of_today
from pacefab.legacy.cluster.outcome import (
    NotUnderstoodError,
    RefusedCommandError,
    ReplayOutcome,
    UntranslatableError,
    left_out,
    no_such,
    removed,
    translated,
)
from pacefab.legacy.model import Fate
from pacefab.legacy.pcs.dialect import (
    CreateWords,
    pairs,
    split_create,
)
from pacefab.legacy.pcs.forms import (
    call_clone_of_today,
    change_group,
    change_operations,
    clones,
    defaults,
    join,
    level,
    manage,
    meta,
    one_resource,
    switch,
    unclone,
)

_ASKING = {
    "show",
    "list",
    "describe",
    "standards",
    "providers",
    "agents",
    "config",
    "status",
    "relations",
    "get-properties",
}
_MOMENT = {
    "cleanup": "it clears recorded failures",
    "refresh": "it probes the nodes again",
    "failcount": "it shows or clears recorded failures",
    "restart": "it restarts a resource once",
    "move": "it moves a resource once",
    "ban": "it bans a resource from a node once",
    "clear": "it reverts a move or ban",
    "relocate": "it moves resources once",
    "debug-start": "it runs an agent once", "debug-stop": "it runs an agent once",
    "debug-monitor": "it runs an agent once", "debug-promote": "it runs an agent once",
    "fence": "it fences a node once", "confirm": "it confirms a manual fencing",
    "history": "it shows the history",
}  # fmt: skip


def resource(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `pcs resource …`."""
    return _choose(job, words, _RESOURCE, "resource")


def stonith(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `pcs stonith …`."""
    return _choose(job, words, _STONITH, "stonith")


def _choose(
    job: Job, words: list[str], verbs: dict[str, ReplayHandler], noun: str
) -> ReplayOutcome:
    if not words or words[0] in _ASKING:
        return _ask(job, words[1:])
    verb, *rest = words
    if verb in _MOMENT:
        return _moment(job, verb, rest)
    if verb not in verbs:
        raise no_such(f"pcs {noun}", verb, [*verbs, *_MOMENT, *_ASKING])
    return verbs[verb](job, rest)


def _ask(job: Job, rest: Sequence[str]) -> ReplayOutcome:
    """Answer `resource show X` by whether it is there: scripts guard creates by that."""
    names = [word for word in rest if "=" not in word]
    if not names:
        return left_out("it only queries", output=None)
    there = all(job.cluster.find(name) for name in names)
    return left_out("it only queries", status=0 if there else 1, output=None if there else "")


def _moment(job: Job, verb: str, rest: Sequence[str]) -> ReplayOutcome:
    if verb in {"move", "ban"} and rest:
        where = rest[1] if len(rest) > 1 else "the node where it runs"
        job.doubt(
            f"in pcs 0.9 this leaves a constraint that keeps {rest[0]} "
            f"{'on' if verb == 'move' and len(rest) > 1 else 'off'} {where} permanently",
            "add a location constraint if that is meant to be permanent",
        )
    return left_out(f"{_MOMENT[verb]}: not part of a configuration")


def _create(job: Job, words: list[str]) -> ReplayOutcome:
    if len(words) < 2:  # noqa: PLR2004  # id and agent
        raise NotUnderstoodError("create needs an id and an agent")
    name, agent, *rest = words
    return add(job, name, agent_of_today(agent), split_create(rest), job.cluster.resources)


def _create_device(job: Job, words: list[str]) -> ReplayOutcome:
    if len(words) < 2:  # noqa: PLR2004
        raise NotUnderstoodError("create needs an id and a fence agent")
    name, agent, *rest = words
    agent = agent.removeprefix("stonith:")
    return add(job, name, agent, split_create(rest), job.cluster.fencing)


def add(
    job: Job, name: str, agent: str, parts: CreateWords, shelf: dict[str, ReplayedResource]
) -> ReplayOutcome:
    """Make a resource or device of its parts. Raises what refuses the command."""
    if agent.startswith("stonith:"):
        agent, shelf = agent.removeprefix("stonith:"), job.cluster.fencing
    made = ReplayedResource(
        name,
        agent,
        job.place,
        job.number,
        pairs(parts.options),
        pairs(parts.meta),
        parts.operations,
        parts.copies,
        meta_of_today(pairs(parts.clone_meta)),
    )
    if parts.clone_id and parts.clone_id != made.clone_id:
        call_clone_of_today(job, made, parts.clone_id)
    made.disabled = "--disabled" in job.line.options
    for options in (made.meta, made.clone_meta):
        made.disabled |= options.pop("target-role", "").lower() == "stopped"
    for word in parts.ignored:
        job.doubt(
            f"{word} belongs to crm: pcs up to 0.9.157 ignores it, later versions refuse the "
            "command; read as ignored",
            "leave it out",
        )
    there = job.cluster.find(name)
    if there is not None:
        raise _already(job, made, there)
    shelf[name] = made
    into = job.line.options.get("--group", "")
    if into:
        join(job, into, [name])
    return translated(_described(made, into))


def _already(
    job: Job, made: ReplayedResource, there: ReplayedResource | ReplayedGroup
) -> RefusedCommandError:
    where = f"{there.id} is there already ({there.place})"
    same = isinstance(there, ReplayedResource) and _content(made) == _content(there)
    if same or there.place == job.place:
        return RefusedCommandError(where, fate=Fate.LEFT_OUT)
    return RefusedCommandError(
        f"{where}, with other settings",
        "check which of the two is intended; the first is used here",
    )


def _content(resource: ReplayedResource) -> tuple[object, ...]:
    return (
        resource.agent,
        resource.parameters,
        resource.meta,
        resource.operations,
        resource.copies,
        resource.clone_meta,
    )


def _described(made: ReplayedResource, into: str) -> str:
    what = {CLONE: ", cloned", PROMOTABLE: ", promotable"}.get(made.copies, "")
    stopped = ", disabled" if made.disabled else ""
    return f"{made.id}: {made.agent}{what}{f' in group {into}' if into else ''}{stopped}"


def _delete(job: Job, words: list[str]) -> ReplayOutcome:
    """Delete resources; pcs also deletes every constraint that names one."""
    gone = [found for name in words if (found := job.cluster.find(name)) is not None]
    if not gone:
        for name in words[:1]:
            job.may_be_unnamed(name)
        unclear = [name for name in words if name in job.book.unclear]
        why = "what it deletes could not be translated" if unclear else "there is nothing to delete"
        return left_out(f"{why}: on a first run it fails without effect", status=1)
    lost = 0
    for found in gone:
        lost += remove_resource(job, found)
    names = ", ".join(f"{found.id} ({found.place})" for found in gone)
    taken = f", and {lost} constraints that name it" if lost else ""
    return removed(f"it removes what was created before: {names}{taken}")


def _update(job: Job, words: list[str]) -> ReplayOutcome:
    found, rest = one_resource(job, words, "update")
    parts = split_create(rest)
    clone_named = words[0] != found.id
    if clone_named and parts.options:  # update X-clone k=v changes the clone's meta attributes
        parts.clone_meta, parts.options = [*parts.options, *parts.meta], []
        parts.meta = []
    merge(found.parameters, pairs(parts.options))
    merge(found.meta, meta_of_today(pairs(parts.meta)))
    merge(found.clone_meta, meta_of_today(pairs(parts.clone_meta)))
    for operation in parts.operations:
        _replace_operation(found, operation)
    return translated(f"{found.id}: {' '.join(rest)}")


def _replace_operation(found: ReplayedResource, operation: dict[str, str]) -> None:
    """Put an operation in the place of the first of its name and role: nothing of that stays."""
    same = [
        present
        for present in found.operations
        if present.get("name") == operation.get("name")
        and present.get("role") == operation.get("role")
    ]
    if same:
        found.operations[found.operations.index(same[0])] = operation
    else:
        found.operations.append(operation)


def _no_place(_job: Job, _words: list[str]) -> ReplayOutcome:
    raise UntranslatableError("it has no place in the inventory", "keep it as a separate step")


_SHARED: dict[str, ReplayHandler] = {
    "delete": _delete,
    "remove": _delete,
    "enable": lambda job, words: switch(job, words, disabled=False),
    "disable": lambda job, words: switch(job, words, disabled=True),
    "update": _update,
    "meta": meta,
    "op": change_operations,
    "utilization": _no_place,
}
_RESOURCE: dict[str, ReplayHandler] = {
    **_SHARED,
    "create": _create,
    "clone": clones(CLONE),
    "master": clones(PROMOTABLE),
    "promotable": clones(PROMOTABLE),
    "unclone": unclone,
    "group": change_group,
    "ungroup": lambda job, words: change_group(job, ["remove", *words]),
    "defaults": defaults,
    "manage": lambda job, words: manage(job, words, managed=True),
    "unmanage": lambda job, words: manage(job, words, managed=False),
    "bundle": _no_place,
}
_STONITH: dict[str, ReplayHandler] = {
    **_SHARED,
    "create": _create_device,
    "level": level,
    "sbd": _no_place,
}
