"""install-memcached: packages and configuration on all hosts at once; Pacemaker is left alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from fabfile.deploy.change import change_node
from fabfile.deploy.observe import MANAGED, NodeView, observe_node, settle_membership
from fabfile.deploy.progress import Progress, Stopwatch
from fabfile.errors import CommandError, PacefabError
from fabfile.host import files, packages, units
from fabfile.host.model import HostFacts, Mark, Outcome, Package
from fabfile.pacemaker.model import Membership
from fabfile.services import memcached
from fabfile.services.memcached import Request
from fabfile.services.memcached_config import Settings
from fabfile.transport.command import Step
from fabfile.transport.connection import Host
from fabfile.transport.fanout import errors, fan_out, values

STEP = "install-memcached"
RESTART_LATER = "takes effect at the next restart: Pacemaker runs memcached with the old settings"


@dataclass(frozen=True)
class InstallPlan:
    """Steps for one node, sentences that tell them, and what to say besides."""

    steps: tuple[Step, ...] = ()
    changes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Install:
    """How a run installs: what is asked for, waiting at most `lock_seconds` for a lock."""

    request: Request
    lock_seconds: int = packages.LOCK_SECONDS
    dry_run: bool = False
    limit: int = 32  # hosts at a time

    def run(self, hosts: Mapping[str, Host], progress: Progress) -> list[Outcome]:
        """Bring package and configuration of every host to what the request says.

        Hosts are worked on side by side and reported as they finish; one that fails stops no
        other.
        """
        watch = Stopwatch(STEP, progress)
        seen = fan_out(hosts, lambda _, host: observe_node(host, MANAGED), limit=self.limit)
        outcomes = {outcome.host: outcome for outcome in watch.fail_all(errors(seen))}
        views = values(seen)

        def work(name: str, view: NodeView) -> Outcome:
            try:
                membership = settle_membership(view, views.values())
                return self._install(hosts[name], view, membership, watch)
            except PacefabError as error:
                return watch.fail(name, error)

        done = fan_out(views, work, limit=self.limit)
        outcomes |= values(done) | {o.host: o for o in watch.fail_all(errors(done))}
        return [outcomes[name] for name in hosts]

    def _install(
        self, host: Host, view: NodeView, membership: Membership | None, watch: Stopwatch
    ) -> Outcome:
        memcached.config_path(view.facts)  # an unsupported distribution ends here
        wanted = memcached.wanted_settings(self.request, view.facts, membership)
        package = plan_package(view.facts, self.lock_seconds)
        if self.dry_run:
            return _preview(watch, host.name, package, plan_settings(view, wanted))
        change = partial(
            change_node,
            host,
            _package(view.facts),
            note=partial(watch.progress.note, host.name),
            lock_seconds=self.lock_seconds,
        )
        if package.steps:
            told = f"installing the package with {_package(view.facts).manager}"
            watch.progress.note(host.name, told)
            change(package.steps)
        try:
            settings = _configure(host, view, wanted, change, fresh=bool(package.steps))
        except PacefabError as error:
            if package.steps:  # the old state is the one without the package
                _take_back(
                    packages.plan_purge(_package(view.facts), self.lock_seconds), change, error
                )
            raise
        done = package.changes + settings.changes
        mark = Mark.CHANGED if done else Mark.UNCHANGED
        return watch.finish(host.name, mark, *done, *settings.remarks)


def _configure(
    host: Host,
    view: NodeView,
    wanted: Settings,
    change: Callable[[Sequence[Step]], None],
    *,
    fresh: bool,
) -> InstallPlan:
    """Bring configuration and unit to `wanted`; a fresh package brought a file of its own."""
    plan = plan_settings(_anew(host, view) if fresh else view, wanted)
    if plan.steps:
        change(plan.steps)
        _check(_anew(host, view), wanted)
    return plan


def _take_back(
    steps: Sequence[Step], change: Callable[[Sequence[Step]], None], error: PacefabError
) -> None:
    """Undo what was done before `error`; a second failure does not hide the first."""
    try:
        change(steps)
    except PacefabError as second:
        error.next_step = f"{error.next_step}; taking the package back failed too: {second}"


def _anew(host: Host, view: NodeView) -> NodeView:
    """Return the view with the node asked again; what Pacemaker manages has not changed since."""
    now = observe_node(host)
    return replace(now, sections={**view.sections, **now.sections})


def plan_package(facts: HostFacts, lock_seconds: int) -> InstallPlan:
    """Return what puts the package there, its unit neither started nor enabled."""
    package = _package(facts)
    if package.version is not None:
        return InstallPlan()
    return InstallPlan(
        tuple(packages.plan_install(package, lock_seconds)),
        (f"package {package.name} installed with {package.manager}",),
    )


def plan_settings(view: NodeView, wanted: Settings) -> InstallPlan:
    """Return what brings configuration and unit of a node to `wanted`.

    Before the package is there (`--dry-run`) the configuration is planned from nothing.
    """
    facts, path = view.facts, memcached.config_path(view.facts)
    text = memcached.render_config(facts, facts.config or "", wanted)
    steps: list[Step] = []
    changes: list[str] = []
    if text != facts.config:
        steps.append(files.plan_write(path, text, facts.config))
        changes += files.difference(path, facts.config, text)
    for planned in (_plan_unit(facts), _plan_process(view, wanted)):
        steps += planned.steps
        changes += planned.changes
    return InstallPlan(tuple(steps), tuple(changes), _remarks(view, wanted))


def _plan_unit(facts: HostFacts) -> InstallPlan:
    if facts.unit.load == "masked":
        steps, change = units.plan_unmask(facts.unit.name), "unit unmasked: Pacemaker starts it"
        return InstallPlan(tuple(steps), (change,))
    if facts.unit.starts_at_boot:
        return InstallPlan(
            (units.plan_disable(facts.unit.name),), ("unit disabled: Pacemaker starts it",)
        )
    return InstallPlan()


def _plan_process(view: NodeView, wanted: Settings) -> InstallPlan:
    """Stop a process that Pacemaker would adopt as it is, with other settings than wanted."""
    facts = view.facts
    if not facts.unit.running or view.manages_memcached:
        return InstallPlan()
    running = memcached.running_settings(facts)
    if running is not None and memcached.same(running, wanted):
        return InstallPlan()
    how = running.describe() if running else "unknown settings"
    change = f"stopped memcached, which ran outside Pacemaker ({how}) and would be adopted so"
    return InstallPlan((units.plan_stop(facts.unit.name),), (change,))


def _remarks(view: NodeView, wanted: Settings) -> tuple[str, ...]:
    running = memcached.running_settings(view.facts)
    if running is None or not view.manages_memcached or memcached.same(running, wanted):
        return ()
    return (f"{RESTART_LATER} ({running.describe()})",)


def _preview(watch: Stopwatch, name: str, *plans: InstallPlan) -> Outcome:
    changes = [f"would be: {change}" for plan in plans for change in plan.changes]
    remarks = [remark for plan in plans for remark in plan.remarks]
    mark = Mark.PLANNED if changes else Mark.UNCHANGED
    return watch.finish(name, mark, *changes, *remarks)


def _check(view: NodeView, wanted: Settings) -> None:
    left = plan_settings(view, wanted).changes
    if left:
        raise CommandError(
            "check the change",
            "still to do: " + "; ".join(left),
            "something else changes this node too (configuration management?): find it",
        )


def _package(facts: HostFacts) -> Package:
    if facts.package is None:
        raise AssertionError("config_path has refused a node without a package manager")
    return facts.package
