"""`pcs constraint remove`, `order remove` and `colocation remove` on the model."""

from __future__ import annotations

from pacefab.legacy.pcs.cluster import ReplayedConstraint
from pacefab.legacy.pcs.outcome import Job, RefusedByPcsError, ReplayOutcome, left_out


def remove(job: Job, words: list[str]) -> ReplayOutcome:
    """Remove constraints by their ids, as pcs makes them."""
    gone = [one for one in job.cluster.constraints if one.id in words or _today_id(one) in words]
    return _gone(job, gone, " ".join(words))


def _today_id(one: ReplayedConstraint) -> str:
    if one.kind == "order":
        kind = one.options.get("kind", "mandatory")
        return f"order-{'-'.join(one.resources)}-{kind}"
    return one.id


def remove_orders(job: Job, words: list[str]) -> ReplayOutcome:
    """Remove every order that names one of the resources, as pcs does; not that between them."""
    ids = {job.cluster.today(word) for word in words}
    gone = [
        one for one in job.cluster.constraints if one.kind == "order" and ids & set(one.resources)
    ]
    others = [one for one in gone if not ids <= set(one.resources)]
    if len(ids) > 1 and others:
        named = ", ".join(f"{' then '.join(one.resources)} ({one.place})" for one in others)
        job.doubt(
            f"pcs takes away every order that names one of them, so also {named}",
            "add to constraints: order what is still meant",
        )
    return _gone(job, gone, " ".join(words))


def remove_colocation(job: Job, words: list[str]) -> ReplayOutcome:
    """Remove the colocations of two resources, whichever depends on the other."""
    ids = {job.cluster.today(word) for word in words if word != "with"}
    gone = [
        one for one in job.cluster.constraints
        if one.kind == "colocation" and ids and ids <= set(one.resources)
    ]  # fmt: skip
    return _gone(job, gone, " ".join(words))


def _gone(job: Job, gone: list[ReplayedConstraint], what: str) -> ReplayOutcome:
    if not gone:
        raise RefusedByPcsError(
            f"there is no constraint {what} at this point", "see which one was meant: it stays"
        )
    for one in gone:
        job.book.gone[one.by] = f"removed again at {job.place}"
    job.cluster.constraints = [one for one in job.cluster.constraints if one not in gone]
    places = ", ".join(str(one.place) for one in gone)
    return left_out(f"it takes away again what was made before ({places})")
