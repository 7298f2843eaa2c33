"""The whole inventory, previewed, atomic, reversible: what the operator types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import check_writable, not_with
from pacefab.cli.options import number as whole_number
from pacefab.cli.run import Run
from pacefab.errors import RefusedError
from pacefab.host.model import Outcome
from pacefab.tasks.asking import Operator
from pacefab.tasks.bootstrap import bootstrap_of, remotes_of
from pacefab.tasks.rolling import update_pending
from pacefab.tasks.stack import intent_of, inventory_of, roll_out, rollout
from pacefab.transport.connection import Host

if TYPE_CHECKING:
    from pacefab.report.saved import SavedPlan
    from pacefab.workflows.nodes.view import ClusterView
    from pacefab.workflows.rollout.planning import Plan
    from pacefab.workflows.rollout.rollback import Back
    from pacefab.workflows.rollout.rollout import Rollout
    from pacefab.workflows.transaction.transaction import Transaction

_CHANGES = 2  # exit status of plan, as `terraform plan -detailed-exitcode`


@cluster_task(
    secrets=True,
    leaves_out=True,
    reads_only=True,
    json="Print the plan as JSON, for programs.",
    save="Keep the plan in this file, for: fab deploy FILE.",
    restart_cluster="Plan what deploy does with it.",
)
def plan(
    run: Run,
    prune: bool = False,
    restart_cluster: bool = False,
    full: bool = False,
    show_pcs: bool = False,
    json: bool = False,
    save: str | None = None,
) -> int:
    """Show what deploy would do; change nothing.

    Also what Pacemaker would then do.

    Exit 0: nothing to do; 2: there are changes, settings that are not in force before a restart, or
    a change that was cut off; 1: it could not be planned.

    Example: fab plan --inventory inventory/openstack.yaml
    """
    if save:
        check_writable(Path(save))
    operator = Operator(run.printer, full=full, show_pcs=show_pcs)
    flow = _rollout(run, operator, prune=prune, restart_cluster=restart_cluster)
    hosts = run.everywhere()
    with run.printer.looking("plan", hosts):
        found = flow.plan(flow.observe(hosts))
    from pacefab.report import plan as report
    from pacefab.report import saved

    if json:
        run.printer.lines([report.render_json(found)])
    else:
        operator.print_plan(found)
    if save:
        saved.save(Path(save), found, run.inventory_file or Path(), prune=prune)
    if found.silent:
        return 1
    left = found.pending or found.unfinished or found.corosync.deferred
    return _CHANGES if found or left else 0


@cluster_task(
    secrets=True,
    leaves_out=True,
    file="saved_plan",
    saved_plan="A plan of `fab plan --save FILE`: apply exactly that, or refuse.",
    keep_on_failure="Leave everything as it is when a check fails, for a look at it.",
    timeout="Seconds for the cluster to follow and for the services to answer.",
    update="Then restart node by node what is not in force before a restart, as update-NAME does.",
    restart_cluster="Stop the whole cluster and start it, where corosync takes it only so.",
)
def deploy(
    run: Run,
    saved_plan: str | None = None,
    dry_run: bool = False,
    yes: bool = False,
    update: bool = False,
    restart_cluster: bool = False,
    allow_interruption: bool = False,
    prune: bool = False,
    full: bool = False,
    show_pcs: bool = False,
    keep_on_failure: bool = False,
    timeout: str = "300",
) -> int:
    """Bring nodes and cluster to what the inventory says.

    Shown, asked, applied, verified.

    Bare nodes become a cluster first. The cluster's configuration changes as one atomic patch; when
    a check fails afterwards, it and the files are put back. What is in force only after a restart
    is named; with --update it is restarted then.

    Example: fab deploy --inventory inventory/openstack.yaml
    """
    seconds = whole_number("--timeout", timeout, least=1)
    review = _review(saved_plan) if saved_plan else None
    if review:
        named = run.inventory_option
        other = named is not None and Path(named).resolve() != Path(review.inventory)
        not_with("--saved-plan", {f"--inventory {named}": other})
        run.inventory_file = Path(review.inventory)
    operator = Operator(run.printer, yes=yes or bool(review), full=full, show_pcs=show_pcs)
    flow = _rollout(
        run,
        operator,
        prune=prune or bool(review and review.prune),
        update=update,
        restart_cluster=restart_cluster,
        check=review.check if review else lambda _: None,
        allow_interruption=allow_interruption,
        keep_on_failure=keep_on_failure,
        timeout=seconds,
    )
    status = roll_out(run, flow, operator, dry_run=dry_run)
    if status or dry_run or not update:
        return status
    return update_pending(run, flow, lambda item: yes or operator.has_agreed(item), seconds)


@cluster_task(
    secrets=True,
    timeout="Seconds for the services to answer.",
)
def adopt(
    run: Run,
    dry_run: bool = False,
    yes: bool = False,
    full: bool = False,
    timeout: str = "300",
) -> int:
    """Take over a cluster that others built.

    As the inventory says; nothing starts, stops or restarts.

    What is there becomes the inventory's; files and settings that differ are brought to it, shown
    and asked as by deploy. Resources that are not there are refused: deploy creates them.

    Example: fab adopt --inventory inventory/migrated.yaml
    """
    seconds = whole_number("--timeout", timeout, least=1)
    operator = Operator(run.printer, yes=yes, full=full)
    flow = _rollout(run, operator, step="adopt", check=_check_adoption, timeout=seconds)
    return roll_out(run, flow, operator, dry_run=dry_run)


def _check_adoption(plan: Plan) -> None:
    """Raise a RefusedError when the plan is more than taking over what runs."""
    from pacefab.pacemaker.model import Resource
    from pacefab.pacemaker.sections.change import Action

    moved = [str(action) for action in plan.transitions]
    added = [part for part in plan.configuration.changes if part.action is Action.ADD]
    absent = [str(part) for part in added if isinstance(part.desired, Resource)]
    if plan.forming or moved or absent:
        raise RefusedError(
            "adopt the cluster",
            "\n".join(["it is not as the inventory says:", *plan.forming, *absent, *moved]),
            "nothing was changed; correct the inventory (fab plan shows all), or use fab deploy",
        )


def _review(saved_plan: str) -> SavedPlan:
    from pacefab.report import saved

    return saved.load(Path(saved_plan))


def _rollout(run: Run, operator: Operator, **options: Any) -> Rollout:
    """Return the flow for the whole inventory; where no cluster stands yet, it forms one."""
    sentences, form = _forming(run, operator)
    return rollout(run, what_forms=sentences, form=form, **options)


def _forming(
    run: Run, operator: Operator
) -> tuple[
    Callable[[ClusterView], tuple[str, ...]],
    Callable[[Mapping[str, Host]], Callable[[], Sequence[Outcome]]],
]:
    """Return what is missing for the nodes to be one cluster, and what makes them one.

    What fence devices call is among what the nodes get, before it forms.
    """

    def sentences(seen: ClusterView) -> tuple[str, ...]:
        joining: tuple[str, ...] = ()
        if inventory_of(run).remotes:
            joining = remotes_of(run, "deploy", run.remotes, lost_only=True).sentences(seen)
        if seen.stands(inventory_of(run).cluster):
            return joining
        forming = replace(bootstrap_of(run, "deploy"), programs=())
        return (*forming.sentences(run.named()), *joining)

    def form(hosts: Mapping[str, Host]) -> Callable[[], Sequence[Outcome]]:
        members = {name: host for name, host in hosts.items() if name not in run.remotes}
        form = replace(bootstrap_of(run, "bootstrap"), programs=()).prepare(members, operator)
        joining = remotes_of(run, "bootstrap", run.remotes, lost_only=True)
        join = joining.prepare(members, operator)
        return lambda: [*form(), *join()]

    return sentences, form


@cluster_task(reads_only=True)
def history(run: Run) -> int:
    """Show what was applied to the cluster, the last first.

    fab rollback goes back before it.

    Example: fab history --inventory inventory/openstack.yaml
    """
    hosts = run.named()
    from pacefab.report.history import render_text
    from pacefab.report.text import error_style
    from pacefab.workflows.rollout import history as applies

    with run.printer.looking("history", hosts):
        applied = applies.gather(hosts)
    run.printer.text(render_text(applied), error_style)
    return 1 if applied.silent else 0


@cluster_task(
    secrets=True,
    leaves_out=True,
    number="Which apply to go back before: 1 is the last, as `fab history` counts.",
    restart_cluster="Stop the whole cluster and start it, where corosync takes it only so.",
    timeout="Seconds for the cluster to follow.",
)
def rollback(
    run: Run,
    number: str = "1",
    dry_run: bool = False,
    yes: bool = False,
    restart_cluster: bool = False,
    allow_interruption: bool = False,
    full: bool = False,
    timeout: str = "300",
) -> int:
    """Put back what an apply replaced.

    The cluster's configuration and the nodes' files: shown, then asked.

    What others changed in the cluster since then goes back too; the plan shows it.

    Example: fab rollback --number 1 --inventory inventory/openstack.yaml
    """
    steps = whole_number("--number", number, least=1)
    intent = intent_of(run)
    from pacefab.workflows.rollout import rollback as back

    seconds = whole_number("--timeout", timeout, least=1)
    operator = Operator(run.printer, yes=yes, full=full)
    transaction = run.transaction("rollback")
    options = {"allow_interruption": allow_interruption, "timeout": seconds}

    def flow() -> Rollout:
        way = back.find(run.everywhere(), intent, steps)
        run.printer.text([str(way), ""])
        return _going_back(run, operator, way, transaction, restart_cluster, **options)

    if dry_run:
        return roll_out(run, flow(), operator, dry_run=True)
    # What it goes back before is asked again where another user was quicker.
    work = partial(transaction.run, lambda: flow().run(run.everywhere(), operator), run.printer)
    return run.perform("rollback", work)


def _going_back(
    run: Run,
    operator: Operator,
    way: Back,
    transaction: Transaction,
    restart_cluster: bool,
    **options: Any,
) -> Rollout:
    """Return the flow of a way back; a cluster that is stopped is started for it."""
    from pacefab.workflows.rollout.rollout import Rollout

    sentences, form = _forming(run, operator)
    return Rollout(
        replace(way.planner, restart_cluster=restart_cluster),
        what_forms=lambda seen: () if seen.running else sentences(seen),
        form=form,
        secret=run.secret,
        step="rollback",
        check_cib=False,
        limit=run.limit,
        transaction=transaction,
        target=way.first.id,
        **options,
    )
