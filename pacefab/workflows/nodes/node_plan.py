"""What brings one node to its desired state. Pure: facts and desired state in, a plan out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from pacefab.errors import RefusedError
from pacefab.host import files, kept_files, kernel, packages, repositories, selinux, units
from pacefab.host.model import FileState, HostFacts
from pacefab.services.service import DesiredNode, File
from pacefab.transport.command import Step
from pacefab.workflows.nodes.in_force import PendingSetting, find_overruled, find_pending
from pacefab.workflows.nodes.permissions import Allowance, allow_by_selinux, open_ports

_READ_BY_ALL = 0o004
_UNIT_FILES = "/etc/systemd/system/"
_NOT_KNOWN: Mapping[str, Collection[str]] = {}


@dataclass(frozen=True)
class NodePlan:
    """Steps for one node, the sentences that describe them, remarks, and what is not in force.

    While `packages` are missing, the rest is planned as if they brought no files: that is for
    showing, and is planned again once they are there.
    """

    packages: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()  # that are enabled for them
    install: tuple[Step, ...] = ()
    purge: tuple[Step, ...] = ()  # takes those packages away again, and leaves repositories as now
    steps: tuple[Step, ...] = ()
    changes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    pending: tuple[PendingSetting, ...] = ()  # before the steps or after them, until a restart
    files: tuple[tuple[File, FileState | None], ...] = ()  # that change, as they are now
    interruptions: tuple[str, ...] = ()  # of the changes: what stops something that runs
    written: tuple[tuple[str, str], ...] = ()  # each path with the digest of its new text

    def __bool__(self) -> bool:
        """Whether there is something to do."""
        return bool(self.changes)

    def __add__(self, other: NodePlan) -> NodePlan:
        """Return a plan that does both, in this order."""
        return NodePlan(
            packages=self.packages + other.packages,
            repositories=self.repositories + other.repositories,
            install=self.install + other.install,
            purge=self.purge + other.purge,
            steps=self.steps + other.steps,
            changes=self.changes + other.changes,
            remarks=self.remarks + other.remarks,
            pending=self.pending + other.pending,
            files=self.files + other.files,
            interruptions=self.interruptions + other.interruptions,
            written=self.written + other.written,
        )


def plan_node(
    facts: HostFacts,
    desired: DesiredNode,
    *,
    managed: Collection[str],
    opaque: Sequence[str] = (),
    firewall: Sequence[str] | None,
    clients: Sequence[str] = (),
    lock_seconds: int = packages.LOCK_SECONDS,
) -> NodePlan:
    """Return what brings a node to what is desired.

    Args:
        facts: the node as it is.
        desired: what its services need there, all of them together.
        managed: the units that Pacemaker manages; it alone starts and stops those.
        opaque: resources that may run any unit, as an error names them.
        firewall: addresses that open ports are opened for; None: firewalls are the operator's.
        clients: networks that those of the ports are opened for which clients use.
        lock_seconds: how long another package manager's lock is waited for.

    Raises:
        RefusedError: the node cannot be brought there, or it is not known whether Pacemaker runs
            what would have to be stopped.
    """
    written = _plan_files(facts, desired)
    return (
        _plan_repository(facts, desired)
        + _plan_packages(facts, desired, lock_seconds)
        + written
        + _plan_unit_files(written)
        + _permitted(allow_by_selinux(facts, desired))
        + _plan_kernel(facts, desired)
        + _plan_units(facts, desired, managed, opaque)
        + _plan_helpers(facts, desired, _unit_files(written), managed)
        + _plan_at_boot(facts, desired)
        + _plan_reloads(written)
        + _permitted(open_ports(facts, desired.ports, firewall, clients))
        + NodePlan(
            remarks=(*desired.remarks, *find_overruled(facts, desired)),
            pending=find_pending(
                facts, _left_running(facts, desired, managed), [f.path for f, _ in written.files]
            ),
        )
    )


def plan_rollback(
    facts: HostFacts,
    before: Mapping[str, FileState | None],
    desired: DesiredNode,
    written: Mapping[str, Collection[str]] = _NOT_KNOWN,
) -> NodePlan:
    """Return what brings files back to what they were `before`.

    What services say of a file (how its change takes effect, that it is secret) still holds. Where
    the digests of what was `written` are known, a file with another text is left as it is.
    """
    described = {file.path: file for file in desired.files}
    plan, left = NodePlan(), NodePlan()
    for path, old in before.items():
        now = facts.files.get(path)
        text = kept_files.digest(now.text) if now else ""
        if now != old and path in written and text not in written[path]:
            said = f"{path} was changed by another user since then: left as it is"
            left += NodePlan(remarks=(said,))
        else:
            plan += _plan_file(facts, described.get(path) or _undescribed(facts, path, old), old)
    return plan + _plan_unit_files(plan) + _plan_reloads(plan) + left


def brief(plan: NodePlan) -> list[str]:
    """Return what changes on a node, files by their names alone."""
    paths = [file.path for file, _ in plan.files]
    others = [line for line in plan.changes if not line.startswith(tuple(f"{p}:" for p in paths))]
    return [*others, *(f"{path} changed" for path in paths)]


def _undescribed(facts: HostFacts, path: str, old: FileState | None) -> File:
    """Return a file of which no service says anything; what not all may read may be a secret."""
    states = [state for state in (facts.files.get(path), old) if state]
    return File(path, str, secret=any(not int(state.mode, 8) & _READ_BY_ALL for state in states))


def missing_packages(facts: HostFacts, desired: DesiredNode) -> tuple[str, ...]:
    """Return the packages that a node lacks, those of the programs that agents call among them.

    Raises:
        RefusedError: no package brings such a program, or one that is installed did not.
    """
    absent = [name for name in desired.packages if facts.packages.get(name) is None]
    if desired.labelled and facts.selinux and not facts.selinux.semanage:
        absent.append(selinux.PACKAGE)
    return tuple(dict.fromkeys([*absent, *_called(facts, desired)]))


def missing_repository(facts: HostFacts, desired: DesiredNode) -> str:
    """Return the repository that is to be enabled for what a node lacks of a cluster's packages.

    Errors of `missing_packages`.
    """
    if not (desired.of_cluster and missing_packages(facts, desired)):
        return ""
    return repositories.high_availability(facts.repositories)


def _plan_repository(facts: HostFacts, desired: DesiredNode) -> NodePlan:
    name = missing_repository(facts, desired)
    if not name:
        return NodePlan()
    manager = facts.supported_manager()
    return NodePlan(
        repositories=(name,),
        install=(repositories.plan_set(manager, name, "enable"),),
        purge=(repositories.plan_set(manager, name, "disable"),),
        changes=(f"repository {name} enabled",),
    )


def _permitted(permission: Allowance) -> NodePlan:
    steps, changes, remarks = permission.steps, permission.changes, permission.remarks
    return NodePlan(steps=steps, changes=changes, remarks=remarks)


def _plan_packages(facts: HostFacts, desired: DesiredNode, lock_seconds: int) -> NodePlan:
    missing = missing_packages(facts, desired)
    if not missing:
        return NodePlan()
    manager = facts.supported_manager()
    # Those that are there already need no guard: no script of a missing package starts them.
    guarded = [name for name in desired.units if facts.unit(name).load == "not-found"]
    return NodePlan(
        packages=missing,
        install=tuple(packages.plan_install(manager, missing, guarded, lock_seconds)),
        purge=tuple(packages.plan_purge(manager, missing, lock_seconds)),
        changes=tuple(f"package {name} installed with {manager}" for name in missing),
    )


def _called(facts: HostFacts, desired: DesiredNode) -> list[str]:
    """Return the packages that bring the programs that agents call."""
    absent = [(p, facts.absent[p.path]) for p in desired.programs if p.path in facts.absent]
    missing = [
        f"{program.caller} needs {program.path}, which is missing"
        + (f", although the package {found.package} is installed" if found.installed else "")
        for program, found in absent
        if found.installed or not found.package
    ]
    if missing:
        next_step = "nothing was changed: install what brings it on the node, then run this again"
        raise RefusedError("find the programs that agents call", "\n".join(missing), next_step)
    return [found.package for _, found in absent]


def _plan_files(facts: HostFacts, desired: DesiredNode) -> NodePlan:
    plan = NodePlan()
    for file in desired.files:
        mode = file.mode.lstrip("0")
        plan += _plan_file(
            facts, file, FileState(file.render(facts.text(file.path)), mode, file.owner)
        )
    return plan


def _plan_file(facts: HostFacts, file: File, desired: FileState | None) -> NodePlan:
    """Return what makes a file as desired; None: it is to go."""
    old = facts.files.get(file.path)
    if old == desired:
        return NodePlan()
    if desired is None:
        step = files.plan_remove(file.path)
        changes: tuple[str, ...] = (f"{file.path}: removed",)
    else:
        step = files.plan_write(file.path, desired, old, file.check)
        changes = files.difference(file.path, old, desired, secret=file.secret, hidden=file.hidden)
    after = (Step(f"apply {file.path}", file.apply, again=True),) if file.apply else ()
    written = ((file.path, kept_files.digest(desired.text)),) if desired else ((file.path, ""),)
    return NodePlan(steps=(step, *after), changes=changes, files=((file, old),), written=written)


def _plan_reloads(written: NodePlan) -> NodePlan:
    """Return what makes changed files take effect where that interrupts nothing."""
    names = dict.fromkeys(file.reload for file, _ in written.files if file.reload)
    return NodePlan(steps=tuple(units.plan_reload(name) for name in names))


def _plan_kernel(facts: HostFacts, desired: DesiredNode) -> NodePlan:
    """Return what sets the kernel's settings; files keep them only from the next boot on."""
    plan = NodePlan()
    for name, value in desired.kernel.items():
        now = facts.kernel.get(name, value)
        if now != value:
            change = f"{name} is {now}, not {value}"
            plan += NodePlan(steps=(kernel.plan_set(name, value, now),), changes=(change,))
    return plan


def _plan_units(
    facts: HostFacts, desired: DesiredNode, managed: Collection[str], opaque: Sequence[str]
) -> NodePlan:
    plan = NodePlan()
    for name in desired.units:
        plan += _plan_boot(facts, name) + _plan_process(facts, name, desired, managed, opaque)
    return plan


def _plan_boot(facts: HostFacts, name: str) -> NodePlan:
    unit, short = facts.unit(name), name.removesuffix(".service")
    if unit.load == "masked":
        change = f"unit unmasked: Pacemaker starts {short}"
        return NodePlan(steps=tuple(units.plan_unmask(name)), changes=(change,))
    if unit.starts_at_boot:
        change = f"unit disabled: Pacemaker starts {short}"
        return NodePlan(steps=(units.plan_disable(name),), changes=(change,))
    return NodePlan()


def _plan_process(
    facts: HostFacts,
    name: str,
    desired: DesiredNode,
    managed: Collection[str],
    opaque: Sequence[str],
) -> NodePlan:
    """Stop a process that Pacemaker would adopt as it is, with other settings than desired."""
    process = next((running for running in desired.processes if running.unit == name), None)
    fits = process is not None and process.as_desired
    if not facts.unit(name).running or (fits and not opaque):
        return NodePlan()
    short, settings = name.removesuffix(".service"), process.settings if process else ""
    if _is_managed(facts, name, managed):
        return NodePlan()
    check_clear(facts, name, opaque)
    how = f" ({settings}) and would be adopted so" if process else ""
    change = f"stopped {short}, which ran outside Pacemaker{how}"
    stop = (units.plan_stop(name),)
    return NodePlan(steps=stop, changes=(change,), interruptions=(change,))


def check_clear(facts: HostFacts, name: str, opaque: Sequence[str]) -> None:
    """Raise a RefusedError when a unit runs that one of the `opaque` resources may run."""
    if opaque and facts.unit(name).running:
        stop = f"systemctl stop {name.removesuffix('.service')}"
        raise RefusedError(
            f"find out whether Pacemaker runs {name}",
            f"it runs, and nothing says what these resources run: {', '.join(opaque)}",
            f"nothing was changed; where none of them does, stop it ({stop}), then run again",
        )


def _left_running(facts: HostFacts, desired: DesiredNode, managed: Collection[str]) -> DesiredNode:
    """Return what is desired without the processes that the plan stops."""
    left = (p for p in desired.processes if _is_managed(facts, p.unit, managed))
    return replace(desired, processes=tuple(left))


def _is_managed(facts: HostFacts, name: str, managed: Collection[str]) -> bool:
    """Whether Pacemaker runs a unit: by any of its names, or by one that starts it along."""
    unit = facts.unit(name)
    return bool({name, *unit.names, *unit.pulled_in_by} & set(managed))


def _unit_files(written: NodePlan) -> list[str]:
    return [file.path for file, _ in written.files if file.path.startswith(_UNIT_FILES)]


def _plan_unit_files(written: NodePlan) -> NodePlan:
    """Return what has systemd know changed unit files."""
    return NodePlan(steps=(units.plan_daemon_reload(),) if _unit_files(written) else ())


def _plan_helpers(
    facts: HostFacts, desired: DesiredNode, changed: Sequence[str], managed: Collection[str]
) -> NodePlan:
    """Return what has the helpers run, with unit files as they are now."""
    plan = NodePlan()
    for name in desired.helpers:
        unit = facts.unit(name)
        if _is_managed(facts, name, managed):
            plan += NodePlan(remarks=(f"{name} is left to Pacemaker, which has a resource for it",))
        elif not (unit.starts_at_boot and unit.running):
            change = f"{name} enabled and started"
            plan += NodePlan(steps=(units.plan_enable(name),), changes=(change,))
        elif any(f"/{name}" in path for path in changed):  # itself or a drop-in of it
            change = f"{name} restarted"
            restart = (units.plan_restart(name),)
            plan += NodePlan(steps=restart, changes=(change,), interruptions=(change,))
    return plan


def _plan_at_boot(facts: HostFacts, desired: DesiredNode) -> NodePlan:
    """Return what enables units that start with another one."""
    missing = [name for name in desired.at_boot if not facts.unit(name).starts_at_boot]
    return NodePlan(
        steps=tuple(units.plan_enable_at_boot(name) for name in missing),
        changes=tuple(f"{name} enabled" for name in missing),
    )
