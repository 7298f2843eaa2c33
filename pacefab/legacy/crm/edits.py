"""delete, rename, modgroup, set and erase of crmsh on the model."""

from __future__ import annotations

from collections.abc import Iterator

from pacefab.legacy.cluster.book import Job
from pacefab.legacy.cluster.changes import merge, remove_resource, repoint, touch
from pacefab.legacy.cluster.model import (
    ReplayedCluster,
    ReplayedConstraint,
    ReplayedGroup,
    ReplayedResource,
)
from pacefab.legacy.cluster.outcome import (
    NotUnderstoodError,
    RefusedCommandError,
    ReplayOutcome,
    UntranslatableError,
    left_out,
    removed,
    translated,
)
from pacefab.legacy.crm.attributes import CrmWords
from pacefab.legacy.crm.context import CrmContext


def delete(context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `delete ID…`: of a group or clone, what is inside stays."""
    names = [word for word in words.rest() if word not in {"-f", "--force"}]
    if not names:
        raise NotUnderstoodError("delete needs an id")
    gone = [name for name in names if _delete(context, job, name)]
    if not gone:
        unclear = [name for name in names if name in job.book.unclear]
        why = "what it deletes could not be translated" if unclear else "there is nothing to delete"
        return left_out(f"{why}: on a first run it fails without effect", status=1)
    return removed(f"it removes what was created before: {', '.join(gone)}")


def _delete(context: CrmContext, job: Job, name: str) -> bool:
    constraints = [one for one in job.cluster.constraints if one.id == name]
    if constraints:
        _forget(job, constraints, f"deleted at {job.place}")
        return True
    if context.templates.pop(name, None) is not None:
        for made, template in list(context.made_from.items()):
            if template == name and job.cluster.find(made):
                _delete(context, job, made)
        return True
    found = job.cluster.find(name)
    if found is None:
        return False
    if isinstance(found, ReplayedResource) and found.id == name:
        for group in list(job.cluster.groups.values()):
            if group.members == [name]:
                remove_resource(job, group)
                return True
        remove_resource(job, found)
    elif found.id == name:
        _ungroup(job, found)
    else:
        repoint(job, {found.clone_id: found.id})
        found.copies, found.clone_meta = "", {}
        touch(job, found)
    return True


def _forget(job: Job, constraints: list[ReplayedConstraint], why: str) -> None:
    for one in constraints:
        job.book.gone[one.by] = why
    job.cluster.constraints = [one for one in job.cluster.constraints if one not in constraints]


def _ungroup(job: Job, group: ReplayedResource | ReplayedGroup) -> None:
    """Remove a group; its members stay, and constraints name the first of them."""
    if isinstance(group, ReplayedGroup) and group.members:
        repoint(job, dict.fromkeys((group.id, group.clone_id), group.members[0]))
    job.cluster.groups.pop(group.id)
    job.book.gone[group.by] = f"deleted at {job.place}"


def rename(_context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `rename OLD NEW`: everything that names it takes the new name."""
    old, new = words.identifier("an id"), words.identifier("a new id")
    words.end()
    cluster = job.cluster
    constraints = [one for one in cluster.constraints if one.id == old]
    for one in constraints:
        one.id = new
    if constraints:
        return translated(f"the constraint {old} is {new} from here on")
    found = job.find(old)
    if cluster.find(new) is not None:
        raise RefusedCommandError(f"{new} is there already")
    touch(job, found)
    if found.id != old:
        cluster.aliases[new] = found.id
        return translated(f"the clone {old} is {found.clone_id} in the inventory")
    names = {found.id: new, **({found.clone_id: f"{new}-clone"} if found.copies else {})}
    found.id = new
    _rename_everywhere(cluster, names)
    return translated(f"{old} is {new} from here on")


def _rename_everywhere(cluster: ReplayedCluster, names: dict[str, str]) -> None:
    cluster.resources = {names.get(key, key): one for key, one in cluster.resources.items()}
    cluster.fencing = {names.get(key, key): one for key, one in cluster.fencing.items()}
    cluster.groups = {names.get(key, key): one for key, one in cluster.groups.items()}
    cluster.aliases = {key: names.get(to, to) for key, to in cluster.aliases.items()}
    for group in cluster.groups.values():
        group.members = [names.get(member, member) for member in group.members]
    for one in cluster.constraints:
        one.resources = tuple(names.get(name, name) for name in one.resources)


def modgroup(_context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `modgroup GROUP add MEMBER [after|before MEMBER]` and `modgroup GROUP remove MEMBER`."""
    group = job.find(words.identifier("a group"))
    verb, name = words.any("add or remove"), words.identifier("a member")
    where, at = (words.any("a place"), words.any("a member")) if words else ("after", "")
    words.end()
    if not isinstance(group, ReplayedGroup):
        raise RefusedCommandError(f"{group.id} is no group")
    if verb == "remove" and name in group.members:
        group.members.remove(name)
        touch(job, group)
        return translated(f"{name} out of group {group.id}")
    if verb != "add" or where not in {"after", "before"} or (at and at not in group.members):
        raise RefusedCommandError(
            f"{group.id} has no {at or name}, or {verb} is none of add and remove"
        )
    member = job.find(name)
    if job.cluster.group_of(name):
        raise RefusedCommandError(f"{name} is in {job.cluster.group_of(name)} already")
    index = group.members.index(at) + (where == "after") if at else len(group.members)
    group.members.insert(index, name)
    touch(job, member)
    touch(job, group)
    return translated(f"{name} in group {group.id}")


def set_value(_context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `set ID.NAME VALUE`, `set ID.OPERATION.NAME VALUE`, `set ID.OPERATION.INTERVAL.NAME …`."""
    (name, *path), value = words.any("a path").split("."), words.any("a value")
    words.end()
    found = job.find(name)
    if isinstance(found, ReplayedGroup) or not path:
        raise UntranslatableError(
            "a setting of a group has no place in the inventory", "write it at its members"
        )
    shelves = [
        shelf for shelf in (found.parameters, found.meta, found.clone_meta) if path[0] in shelf
    ]
    operations = list(_operations(found, path[:-1]))
    if (len(path) == 1 and len(shelves) != 1) or (len(path) > 1 and len(operations) != 1):
        raise RefusedCommandError(f"{name} has no {'.'.join(path)}, or several")
    merge(shelves[0] if len(path) == 1 else operations[0], {path[-1]: value})
    touch(job, found)
    return translated(f"{name}: {'.'.join(path)}={value}")


def _operations(found: ReplayedResource, path: list[str]) -> Iterator[dict[str, str]]:
    for one in found.operations:
        if path and one["name"] == path[0] and path[1:] in ([], [one.get("interval", "0")]):
            yield one


def set_meta(job: Job, name: str, key: str, value: str) -> ReplayOutcome:
    """Set a meta attribute where crmsh does: at the clone or group, or at a group's member."""
    found = job.find(name)
    touch(job, found)
    value = (
        "" if (key, value.lower()) in {("is-managed", "true"), ("maintenance", "false")} else value
    )
    merge(found.clone_meta if found.copies else found.meta, {key: value})
    return translated(f"{name}: {key}={value or 'as usual'}")


def switch(job: Job, names: list[str], *, disabled: bool) -> ReplayOutcome:
    """Start or stop resources (target-role); what an equal command said before is superseded."""
    if not names:
        raise NotUnderstoodError("it needs a resource")
    for found in [job.find(name) for name in names]:
        found.disabled = disabled
        found.meta.pop("target-role", None)
        if isinstance(found, ReplayedResource):
            word = "stopped" if disabled else "started"
            for number, place in found.switched:
                if place != job.place:
                    job.book.gone[number] = f"{found.id} is {word} at {job.place}"
                    found.touched.remove((number, place))
            found.switched = [(number, at) for number, at in found.switched if at == job.place]
            found.switched.append((job.number, job.place))
        touch(job, found)
    return translated(f"{', '.join(names)} is {'disabled' if disabled else 'enabled'}")


def erase(context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `erase [nodes]`."""
    if words.rest() == ["nodes"]:
        job.cluster.nodes.clear()
        return removed("it removes the nodes")
    if not any(job.cluster.ids() - set(job.cluster.nodes)):
        return left_out("there is nothing to erase yet")
    empty(context, job, settings=True)
    return removed("it removes all resources, constraints and settings that were made before")


def empty(context: CrmContext, job: Job, *, settings: bool) -> None:
    """Leave nothing but the nodes, and the settings unless they are to go, too."""
    why, cluster = f"erased at {job.place}", job.cluster
    before = set(cluster.commands())
    kept = ReplayedCluster(cluster.name, cluster.nodes, attributes=cluster.attributes)
    if not settings:
        kept.properties, kept.defaults = cluster.properties, cluster.defaults
        kept.operation_defaults = cluster.operation_defaults
    vars(cluster).update(vars(kept))
    job.book.gone.update(dict.fromkeys(before - set(job.cluster.commands()), why))
    context.templates.clear()
