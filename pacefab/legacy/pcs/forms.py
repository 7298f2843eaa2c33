"""Forms and settings of resources on the model: clones, groups, defaults, managed, levels."""

from __future__ import annotations

from collections.abc import Sequence

from pacefab.legacy.cluster.book import Job, ReplayHandler
from pacefab.legacy.cluster.changes import merge, put, touch
from pacefab.legacy.cluster.model import (
    CLONE,
    Level,
    ReplayedGroup,
    ReplayedResource,
    Value,
)
from pacefab.legacy.cluster.naming import meta_of_today
from pacefab.legacy.cluster.outcome import (
    NotUnderstoodError,
    RefusedCommandError,
    ReplayOutcome,
    UntranslatableError,
    left_out,
    translated,
)
from pacefab.legacy.model import Fate
from pacefab.legacy.pcs.dialect import pairs, split_create

_OF_CREATE = {"start", "stop", "monitor"}
_KINDS_OF_MONITOR = {"role", "OCF_CHECK_LEVEL"}  # several monitors may differ by these


def one_resource(job: Job, words: Sequence[str], what: str) -> tuple[ReplayedResource, list[str]]:
    """Return the resource that the first word names, and the other words."""
    if not words:
        raise NotUnderstoodError(f"{what} needs a resource")
    found = job.find(words[0])
    if isinstance(found, ReplayedGroup):
        raise UntranslatableError(
            f"{what} of a group has no place in the inventory",
            f"write it at each member of {found.id}",
        )
    touch(job, found)
    return found, list(words[1:])


def _clone(job: Job, words: list[str], *, kind: str) -> ReplayOutcome:
    """Do `resource clone X [k=v]`, `resource master [ID] X [k=v]` and `resource promotable X`."""
    own_id, found = _to_clone(job, words)
    if found.copies:
        raise RefusedCommandError(
            f"{found.id} is a clone already ({found.place})", fate=Fate.LEFT_OUT
        )
    found.copies = kind
    merge(found.clone_meta, meta_of_today(pairs([word for word in words if "=" in word])))
    touch(job, found)
    if own_id and own_id != found.clone_id:
        call_clone_of_today(job, found, own_id)
    return translated(f"{found.id} becomes {'a clone' if kind == CLONE else 'promotable'}")


def call_clone_of_today(job: Job, found: ReplayedResource | ReplayedGroup, own_id: str) -> None:
    """Keep a clone under the id that pcs gives by itself; report that it had another one."""
    job.cluster.aliases[own_id] = found.id
    job.doubt(
        f"the id {own_id} becomes {found.clone_id}",
        "constraints of these scripts are rewritten; rewrite your own",
    )


def _to_clone(job: Job, words: list[str]) -> tuple[str, ReplayedResource | ReplayedGroup]:
    """Return the id that the clone is given (empty: none), and what is cloned."""
    names = [word for word in words if "=" not in word and word != "meta"]
    if not names:
        raise NotUnderstoodError("it needs a resource")
    own_id = names[0] if len(names) > 1 and not job.cluster.find(names[0]) else ""
    return own_id, job.find(names[1] if own_id else names[0])


def unclone(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `resource unclone X`."""
    if not words:
        raise NotUnderstoodError("unclone needs a resource")
    found = job.find(words[0])
    found.copies, found.clone_meta = "", {}
    touch(job, found)
    return translated(f"{found.id} is no clone any more")


def change_group(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `resource group add|remove|list …`."""
    verb, *rest = words or [""]
    if verb in {"list", "show"}:
        return left_out("it only queries", output=None)
    if verb == "add" and len(rest) > 1:
        return join(job, rest[0], rest[1:])
    if verb in {"remove", "delete"} and rest:
        return _leave(job, rest[0], rest[1:])
    raise NotUnderstoodError(f"there is no pcs resource group {verb}")


def join(job: Job, name: str, members: list[str]) -> ReplayOutcome:
    """Put resources into a group: after its members, or where --before, --after say."""
    found = [job.find(member) for member in members]
    for other in job.cluster.groups.values():
        other.members = [member for member in other.members if member not in members]
    group = job.cluster.groups.setdefault(name, ReplayedGroup(name, job.place, job.number))
    at = _position(job, group)
    group.members[at:at] = [resource.id for resource in found]
    for resource in found:
        touch(job, resource)
    return translated(f"{', '.join(members)} in group {name}")


def _position(job: Job, group: ReplayedGroup) -> int:
    for option, behind in (("--before", 0), ("--after", 1)):
        if job.line.options.get(option) in group.members:
            return group.members.index(job.line.options[option]) + behind
    return len(group.members)


def _leave(job: Job, name: str, members: list[str]) -> ReplayOutcome:
    group = job.cluster.groups.get(name)
    if group is None:
        raise RefusedCommandError(f"there is no group {name} at this point")
    for member in members or list(group.members):
        if member in group.members:
            group.members.remove(member)
    if not group.members:
        job.cluster.groups.pop(name)
    return translated(f"{', '.join(members) or 'all'} out of group {name}")


def defaults(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `resource defaults …`."""
    return defaults_of(job, words, job.cluster.defaults, "resource defaults")


def defaults_of(job: Job, words: list[str], shelf: dict[str, Value], what: str) -> ReplayOutcome:
    """Set defaults of resources or operations."""
    if words[:1] == ["set"]:
        raise UntranslatableError(
            f"sets of {what} have no place in the inventory",
            "add the values to defaults if they apply to all",
        )
    words = words[1:] if words[:1] == ["update"] else words
    if not words or words[0] in {"show", "config"}:
        return left_out("it only queries", output=None)
    for name, value in pairs(words).items():
        put(shelf, name, value, job)
    return translated(f"{what}: {' '.join(words)}")


def manage(job: Job, words: list[str], *, managed: bool) -> ReplayOutcome:
    """Do `resource manage|unmanage X`."""
    for name in words:
        found, _ = one_resource(job, [name], "manage")
        merge(found.meta, {"is-managed": "" if managed else "false"})
    return translated(f"{', '.join(words)}: is-managed={str(managed).lower()}")


def meta(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `resource meta X k=v…`: of the primitive, or of the clone when that is named."""
    if not words:
        raise NotUnderstoodError("meta needs a resource")
    found, rest = job.find(words[0]), words[1:]
    touch(job, found)
    values = meta_of_today(pairs(rest))
    role = values.pop("target-role", "")
    if role:
        found.disabled = role.lower() == "stopped"
    if words[0] != found.id:
        merge(found.clone_meta, values)
    else:
        merge(found.meta, values)
        if isinstance(found, ReplayedResource):
            found.meta_set.update(dict.fromkeys(values, (job.number, job.place)))
    return translated(f"{found.id}: {' '.join(rest)}")


def switch(job: Job, words: list[str], *, disabled: bool) -> ReplayOutcome:
    """Do `resource enable|disable X…`."""
    found = [job.find(name) for name in words]
    word = "disabled" if disabled else "enabled"
    for resource in found:
        resource.disabled = disabled
        resource.meta.pop("target-role", None)
        if isinstance(resource, ReplayedResource):
            _supersede(job, resource, f"{resource.id} is {word} at {job.place}")
        touch(job, resource)
    return translated(f"{', '.join(resource.id for resource in found)} is {word}")


def _supersede(job: Job, resource: ReplayedResource, why: str) -> None:
    """Take the place of the switches before; the same line on another node is no other one."""
    if resource.switched and resource.switched[-1][1] != job.place:
        job.book.gone.update({number: why for number, _ in resource.switched})
        resource.touched = [
            command for command in resource.touched if command not in resource.switched
        ]
        resource.switched = []
    resource.switched.append((job.number, job.place))


def change_operations(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `resource op add|remove X NAME [k=v]` and `op defaults`."""
    verb, *rest = words or [""]
    if verb == "defaults":
        return defaults_of(job, rest, job.cluster.operation_defaults, "op defaults")
    if verb not in {"add", "remove", "delete"}:
        raise NotUnderstoodError(f"there is no pcs resource op {verb}")
    found, rest = one_resource(job, rest, "op")
    for present in split_create(["op", *rest]).operations:
        if verb == "add":
            _check_new(found, present)
            _doubt_second(job, found, present)
            found.operations.append(present)
        else:
            found.removed.add(present["name"])
            found.operations = [
                old for old in found.operations if not (present.items() <= old.items())
            ]
    return translated(f"{found.id}: operation {' '.join(rest)} ({verb})")


def _check_new(found: ReplayedResource, made: dict[str, str]) -> None:
    """Refuse an operation of the same name and interval, as pcs does, even with --force."""
    if _when(made) in map(_when, found.operations):
        raise RefusedCommandError(
            f"{found.id} has an operation {made['name']} of this interval already",
            "check which of the two is intended; the first is used here",
        )


def _doubt_second(job: Job, found: ReplayedResource, made: dict[str, str]) -> None:
    """Report an operation that create has made already, from the agent's advice.

    Older pcs 0.9 made none of its own but a monitor, and took a second one.
    """
    name = made["name"]
    another = name == "monitor" and ("--force" in job.line.options or _KINDS_OF_MONITOR & set(made))
    if name in _OF_CREATE and name not in found.removed and not another:
        job.doubt(
            f"newer pcs refuses it: create has made an operation {name} already",
            f"see which one the cluster has: pcs resource show {found.id}",
        )


def _when(operation: dict[str, str]) -> tuple[str, str]:
    """Return name and interval; where none is given, that which pcs writes."""
    usual = "60" if operation["name"] == "monitor" else "0"
    return operation["name"], operation.get("interval", usual).removesuffix("s")


def level(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `stonith level …`."""
    verb, *rest = words or [""]
    if verb == "add" and len(rest) > 2:  # noqa: PLR2004  # level, node, devices
        devices = [part for word in rest[2:] for part in word.split(",")]
        job.cluster.levels.append(Level(rest[0], rest[1], devices, job.place, job.number))
        raise UntranslatableError(
            f"fencing levels have no place in the inventory (level {rest[0]} of {rest[1]}: "
            f"{', '.join(devices)})",
            "after bootstrap: pcs stonith level add " + " ".join(rest),
        )
    return left_out("it only queries, or takes away levels, which are not taken over")


def clones(kind: str) -> ReplayHandler:
    """Return the handler of `resource clone`, or of `resource master` and `promotable`."""
    return lambda job, words: _clone(job, words, kind=kind)
