"""primitive, rsc_template, group, clone, ms, monitor of crmsh on the model."""

from __future__ import annotations

import copy

from pacefab.legacy.cluster.book import Job
from pacefab.legacy.cluster.changes import repoint, touch
from pacefab.legacy.cluster.model import CLONE, PROMOTABLE, ReplayedGroup, ReplayedResource
from pacefab.legacy.cluster.naming import agent_of_today, meta_of_today, role
from pacefab.legacy.cluster.outcome import (
    NotUnderstoodError,
    RefusedCommandError,
    ReplayOutcome,
    UntranslatableError,
    left_out,
    translated,
)
from pacefab.legacy.crm.attributes import AttributeList, CrmWords, attribute_lists
from pacefab.legacy.crm.context import CrmContext, untranslated
from pacefab.legacy.model import Fate

_OF_PRIMITIVE = ("params", "meta", "utilization", "operations", "op")
_OF_SEVERAL = ("params", "meta")
_INTERLEAVE = "crmsh 5 sets interleave=true by itself: write it if the cluster was made with that"
_CLASSES_OF_OLD = {"heartbeat", "upstart", "nagios"}
TRUE = {"true", "yes", "on", "y", "1"}


def primitive(context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `primitive ID AGENT|@TEMPLATE [params …] [meta …] [op …]`."""
    made = _resource(context, job, words)
    there = job.cluster.find(made.id)
    if there is not None:
        _replace_or_refuse(job, made, there)
    if made.agent.startswith("stonith:"):
        made.agent = made.agent.removeprefix("stonith:")
        job.cluster.fencing[made.id] = made
    else:
        job.cluster.resources[made.id] = made
    return translated(f"{made.id}: {made.agent}{', disabled' if made.disabled else ''}")


def template(context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `rsc_template ID AGENT …`."""
    made = _resource(context, job, words)
    there = context.templates.get(made.id)
    if there is not None and not job.call.replaces:
        raise RefusedCommandError(
            f"the template {made.id} is there already ({there.place})",
            fate=Fate.LEFT_OUT if there.place == job.place else Fate.DOUBTFUL,
        )
    context.templates[made.id] = made
    return left_out("a template: what it says is written at each resource that is made from it")


def _resource(context: CrmContext, job: Job, words: CrmWords) -> ReplayedResource:
    name, agent = words.identifier("an id"), words.any("a resource agent")
    words.description()
    made = ReplayedResource(name, "", job.place, job.number)
    if agent.startswith("@"):
        _from_template(context, made, agent[1:])
        context.made_from[name] = agent[1:]
    else:
        made.agent = agent_of(agent)
    given: list[dict[str, str]] = []
    for found in attribute_lists(words, _OF_PRIMITIVE, "params"):
        if found.kind == "params":
            made.parameters.update(context.resolved(found, name))
        elif found.kind == "meta":
            made.meta.update(meta_of_today(context.resolved(found, name)))
        elif found.kind == "op":
            given.append(operation(found))
        elif found.kind == "utilization":
            untranslated(
                job,
                "utilization has no place in the inventory: "
                + " ".join(f"{key}={value}" for key, value in found.texts().items()),
                f"after deploy: pcs resource utilization {name} NAME=VALUE",
            )
        elif found.references:
            given += _operations_of(job, found.references[0])
    made.operations = _overlaid(made.operations, given)
    made.disabled = made.disabled or made.meta.get("target-role", "").lower() == "stopped"
    if made.meta.get("target-role", "").lower() in {"stopped", "started"}:
        made.disabled = made.meta.pop("target-role").lower() == "stopped"
    return made


def agent_of(text: str) -> str:
    """Return an agent's full name; crmsh takes IPaddr2 and ocf:IPaddr2 for ocf:heartbeat:IPaddr2.

    Raises:
        NotUnderstoodError: it is none.
        UntranslatableError: its class is one that Pacemaker no longer has.
    """
    parts = text.replace("::", ":").split(":")
    if len(parts) > 3 or "" in parts:  # noqa: PLR2004  # class, provider, type
        raise NotUnderstoodError(f"{text} is no resource agent")
    if parts[0] in _CLASSES_OF_OLD and len(parts) > 1:
        raise UntranslatableError(
            f"current Pacemaker has no agents of the class {parts[0]} ({text})",
            "write the resource with another agent, such as the service's systemd unit",
        )
    if len(parts) == 2 and parts[0] != "ocf":  # noqa: PLR2004
        return ":".join(parts)
    return agent_of_today(":".join(parts[1:] if len(parts) == 2 else parts))  # noqa: PLR2004


def _from_template(context: CrmContext, made: ReplayedResource, name: str) -> None:
    found = context.templates.get(name)
    if found is None:
        raise RefusedCommandError(f"there is no template {name} at this point")
    made.agent, made.disabled = found.agent, found.disabled
    made.parameters, made.meta = dict(found.parameters), dict(found.meta)
    made.operations = copy.deepcopy(found.operations)
    made.touched.append((found.by, found.place))


def _operations_of(job: Job, reference: str) -> list[dict[str, str]]:
    """Return the operations of another resource (operations $id-ref=…)."""
    found = job.cluster.find(reference.removesuffix("-operations"))
    if not isinstance(found, ReplayedResource):
        raise UntranslatableError(
            f"it takes the operations of {reference}, which no command here defines",
            "write the operations by hand",
        )
    return copy.deepcopy(found.operations)


def operation(found: AttributeList) -> dict[str, str]:
    """Return an operation as the model has it; crmsh writes the interval 0 where none is given."""
    if found.rules or found.references:
        raise UntranslatableError(
            f"operation {found.name} has a rule or a reference", "write it by hand"
        )
    made = {"name": found.name, **found.texts()}
    if found.name == "monitor":  # the others have this interval without a word
        made.setdefault("interval", "0")
    if "role" in made:
        made["role"] = role(made["role"])
    return made


def _overlaid(present: list[dict[str, str]], given: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return a template's operations, those of the resource in the place of equal ones."""
    keys = {(one["name"], one.get("interval", "0").removesuffix("s")) for one in given}
    kept = [
        one for one in present
        if (one["name"], one.get("interval", "0").removesuffix("s")) not in keys
    ]  # fmt: skip
    return [*kept, *given]


def _replace_or_refuse(
    job: Job, made: ReplayedResource, there: ReplayedResource | ReplayedGroup
) -> None:
    """Refuse an id that is taken; `configure load` puts the new form in the old one's place."""
    if not job.call.replaces or not isinstance(there, ReplayedResource):
        raise taken(job, made.id, there, same=_same(made, there))
    job.book.gone[there.by] = f"replaced at {job.place}"
    made.copies, made.clone_meta = there.copies, there.clone_meta
    for shelf in (job.cluster.resources, job.cluster.fencing):
        shelf.pop(there.id, None)


def _same(made: ReplayedResource, there: ReplayedResource | ReplayedGroup) -> bool:
    return isinstance(there, ReplayedResource) and (
        (made.agent.removeprefix("stonith:"), made.parameters, made.meta, made.operations)
        == (there.agent, there.parameters, there.meta, there.operations)
    )


def taken(
    job: Job, name: str, there: ReplayedResource | ReplayedGroup, *, same: bool
) -> RefusedCommandError:
    """Return the refusal of an id that is there already."""
    where = f"{name} is there already ({there.place})"
    if same or there.place == job.place:
        return RefusedCommandError(where, fate=Fate.LEFT_OUT)
    return RefusedCommandError(
        f"{where}, with other settings",
        "check which of the two is intended; the first is used here",
    )


def group(context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `group ID MEMBER… [params …] [meta …]`."""
    name, members = words.identifier("an id"), list[str]()
    while words and "=" not in words.peek() and words.peek().lower() not in _OF_SEVERAL:
        members.append(words.any("a member"))
    words.description()
    lists = attribute_lists(words, _OF_SEVERAL, "params")
    if not members or len(set(members)) < len(members):
        raise NotUnderstoodError("group needs an id and members, each once")
    there = job.cluster.find(name)
    if there is not None:
        same = isinstance(there, ReplayedGroup) and there.members == members
        if not job.call.replaces or not isinstance(there, ReplayedGroup):
            raise taken(job, name, there, same=same)
        job.book.gone[there.by] = f"replaced at {job.place}"
        job.cluster.groups.pop(there.id)
    found = _members(job, members)
    members = [member.id for member in found]
    made = ReplayedGroup(name, job.place, job.number, members)
    if isinstance(there, ReplayedGroup):
        made.copies, made.clone_meta = there.copies, there.clone_meta
    made.meta = _meta_of_several(context, job, lists, name)
    made.disabled = _disabled(made.meta)
    job.cluster.groups[name] = made
    for member in found:
        touch(job, member)
    repoint(job, dict.fromkeys(members, name))  # as crmsh does
    return translated(f"{', '.join(members)} in group {name}")


def _members(job: Job, names: list[str]) -> list[ReplayedResource]:
    """Return the members of a group; crmsh makes it of those that are there."""
    known = [name for name in names if name in job.book.unclear or job.cluster.find(name)]
    missing = [name for name in names if name not in known]
    for name in missing:
        job.may_be_unnamed(name)
    if not known:
        raise RefusedCommandError(f"there is no resource {missing[0]} at this point")
    found = [_member(job, name) for name in known]
    if missing:
        job.doubt(
            f"there is no resource {', '.join(missing)} at this point: crm makes the group without",
            "check whether the scripts run in another order, or the name is misspelt",
        )
    return found


def _member(job: Job, name: str) -> ReplayedResource:
    found = job.find(name)
    if not isinstance(found, ReplayedResource) or found.id != name:
        raise RefusedCommandError(f"{name} is no primitive")
    group_id = job.cluster.group_of(name)
    if group_id or found.copies:
        raise RefusedCommandError(f"{name} is in {group_id or found.clone_id} already")
    return found


def _meta_of_several(
    context: CrmContext, job: Job, lists: list[AttributeList], name: str
) -> dict[str, str]:
    """Return the meta attributes of a group or clone; report its parameters: they have no place."""
    made: dict[str, str] = {}
    for found in lists:
        values = context.resolved(found, name)
        if found.kind == "meta":
            made.update(meta_of_today(values))
        elif values:
            listed = " ".join(f"{key}={value}" for key, value in values.items())
            untranslated(
                job,
                f"parameters of a group or clone have no place in the inventory: {listed}",
                "write them at the resources inside whose agents take them",
            )
    return made


def _disabled(meta: dict[str, str]) -> bool:
    if meta.get("target-role", "").lower() in {"stopped", "started"}:
        return meta.pop("target-role").lower() == "stopped"
    return False


def clone(context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `clone|ms|master ID RESOURCE [params …] [meta …]`."""
    own_id, inside = words.identifier("an id"), words.identifier("a resource")
    words.description()
    lists = attribute_lists(words, _OF_SEVERAL, "params")
    found = job.find(inside)
    if found.id != inside:
        raise RefusedCommandError(f"{inside} is a clone itself")
    own = job.cluster.find(own_id)
    if own is not None and own is not found and not found.copies:
        raise taken(job, own_id, own, same=False)
    if found.copies and not job.call.replaces:
        raise RefusedCommandError(
            f"{found.id} is a clone already ({found.place})", fate=Fate.LEFT_OUT
        )
    meta = _meta_of_several(context, job, lists, own_id)
    promotable = words.command != "clone" or meta.pop("promotable", "").lower() in TRUE
    meta.pop("promotable", None)
    if "target-role" in meta:
        found.disabled = _disabled(meta) or found.disabled
    found.copies, found.clone_meta = PROMOTABLE if promotable else CLONE, meta
    touch(job, found)
    repoint(job, {found.id: found.clone_id})
    kind = "promotable" if promotable else "a clone"
    advice = [] if "interleave" in meta or job.call.replaces else [_INTERLEAVE]
    what = f"{found.id} becomes {kind}"
    if own_id != found.clone_id:
        job.cluster.aliases[own_id] = found.id
        what = f"{what}, {found.clone_id}, which is {own_id} here"
        advice.append(f"write {found.clone_id} for {own_id} in scripts and checks of your own")
    return ReplayOutcome(Fate.TRANSLATED, what, "; ".join(advice))


def monitor(_context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `monitor RESOURCE[:ROLE] INTERVAL[:TIMEOUT]`."""
    name, _, its_role = words.any("a resource").partition(":")
    interval, _, timeout = words.any("an interval").partition(":")
    words.end()
    found = job.find(name)
    if not isinstance(found, ReplayedResource):
        raise RefusedCommandError(f"{name} is no primitive")
    made = {"name": "monitor", "interval": interval}
    made |= {"timeout": timeout} if timeout else {}
    made |= {"role": role(its_role)} if its_role else {}
    found.operations.append(made)
    touch(job, found)
    return translated(f"{found.id}: monitor every {interval}")
