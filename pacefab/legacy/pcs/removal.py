"""`pcs constraint remove`, `order remove` and `colocation remove` on the model."""

from __future__ import annotations

from pacefab.legacy.cluster.book import Job
from pacefab.legacy.cluster.model import ReplayedConstraint
from pacefab.legacy.cluster.outcome import RefusedCommandError, ReplayOutcome, removed


def remove(job: Job, words: list[str]) -> ReplayOutcome:
    """Remove constraints by their ids, as pcs makes them."""
    gone = [
        constraint
        for constraint in job.cluster.constraints
        if constraint.id in words or _today_id(constraint) in words
    ]
    return _gone(job, gone, " ".join(words))


def _today_id(constraint: ReplayedConstraint) -> str:
    if constraint.kind == "order":
        kind = constraint.options.get("kind", "mandatory")
        return f"order-{'-'.join(constraint.resources)}-{kind}"
    return constraint.id


def remove_orders(job: Job, words: list[str]) -> ReplayOutcome:
    """Remove every order that names one of the resources, as pcs does; not that between them."""
    ids = {job.cluster.today(word) for word in words}
    gone = [
        constraint
        for constraint in job.cluster.constraints
        if constraint.kind == "order" and ids & set(constraint.resources)
    ]
    others = [order for order in gone if not ids <= set(order.resources)]
    if len(ids) > 1 and others:
        named = ", ".join(f"{' then '.join(order.resources)} ({order.place})" for order in others)
        job.doubt(
            f"pcs removes every order that names one of them, also {named}",
            "add those that are still intended to constraints: order",
        )
    return _gone(job, gone, " ".join(words))


def remove_colocation(job: Job, words: list[str]) -> ReplayOutcome:
    """Remove the colocations of two resources, whichever depends on the other."""
    ids = {job.cluster.today(word) for word in words if word != "with"}
    gone = [
        constraint for constraint in job.cluster.constraints
        if constraint.kind == "colocation" and ids and ids <= set(constraint.resources)
    ]  # fmt: skip
    return _gone(job, gone, " ".join(words))


def _gone(job: Job, gone: list[ReplayedConstraint], what: str) -> ReplayOutcome:
    if not gone:
        raise RefusedCommandError(
            f"there is no constraint {what} at this point",
            "check which one was intended; none is removed",
        )
    for constraint in gone:
        job.book.gone[constraint.by] = f"removed at {job.place}"
    job.cluster.constraints = [
        constraint for constraint in job.cluster.constraints if constraint not in gone
    ]
    places = ", ".join(str(constraint.place) for constraint in gone)
    return removed(f"it removes what was created before ({places})")
