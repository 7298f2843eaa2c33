"""Changes of the model that commands of every shell make: settings put, resources removed."""

from __future__ import annotations

from pacefab.legacy.cluster.book import Job
from pacefab.legacy.cluster.model import ReplayedGroup, ReplayedResource, Value


def touch(job: Job, found: ReplayedResource | ReplayedGroup) -> None:
    """Remember that this command changed a resource, too."""
    found.touched.append((job.number, job.place))


def merge(into: dict[str, str], values: dict[str, str]) -> None:
    """Set values; an empty one removes the setting, as pcs does."""
    for name, value in values.items():
        if value:
            into[name] = value
        else:
            into.pop(name, None)


def put(shelf: dict[str, Value], name: str, value: str, job: Job) -> None:
    """Set a value, or remove it when it is empty."""
    before = shelf.pop(name, None)
    if before is not None:
        job.book.gone[before.by] = f"set again at {job.place}"
    if value:
        shelf[name] = Value(value, job.place, job.number)


def remove_resource(job: Job, found: ReplayedResource | ReplayedGroup) -> int:
    """Remove a resource or group with its members, and every constraint that names one.

    Returns how many constraints that were.
    """
    cluster, why = job.cluster, f"deleted at {job.place}"
    ids = {found.id, f"{found.id}-clone"}
    members = found.members if isinstance(found, ReplayedGroup) else []
    ids.update(members)
    for name in ids:
        taken = [shelf.pop(name, None) for shelf in (cluster.resources, cluster.fencing)]
        for item in (*taken, cluster.groups.pop(name, None)):
            if item is not None:
                job.book.gone[item.by] = why
    for group in cluster.groups.values():
        group.members = [member for member in group.members if member not in ids]
    lost = cluster.naming(ids)
    for constraint in lost:
        why_lost = f"{found.id} was deleted at {job.place}, its constraints with it"
        job.book.gone[constraint.by] = why_lost
        job.book.lost.append((constraint, f"{found.id} at {job.place}"))
    cluster.constraints = [other for other in cluster.constraints if other not in lost]
    return len(lost)


def repoint(job: Job, names: dict[str, str]) -> None:
    """Make constraints name other resources; one that then names the same twice goes."""
    kept = []
    for one in job.cluster.constraints:
        resources = tuple(names.get(name, name) for name in one.resources)
        if resources != one.resources and len(set(resources)) < len(resources):
            job.book.gone[one.by] = f"at {job.place} both sides become {resources[0]}"
            continue
        one.resources = resources
        kept.append(one)
    job.cluster.constraints = kept
