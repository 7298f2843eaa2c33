"""corosync.conf of one run: written on all nodes, brought into force, put back when it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from pacefab.errors import CommandError, PacefabError, RefusedError
from pacefab.interrupts import undoing
from pacefab.pacemaker.corosync import commands, conf
from pacefab.pacemaker.corosync.plan import CorosyncPlan, restored
from pacefab.transport.command import Step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.waiting import Pending, wait_until
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.apply_node import run_steps
from pacefab.workflows.nodes.progress import Progress
from pacefab.workflows.nodes.standing import missing
from pacefab.workflows.transaction.entry import Entry

T = TypeVar("T")

SECRET = "hacluster"  # noqa: S105  # its name: the password of pcs' user on a device's host
_RELOAD_SECONDS = 15
_RELOADS = 4
_ONLINE_SECONDS = 180  # of which Pacemaker waits 20 for others by default (dc-deadtime)


def no_password(_name: str) -> str:
    """Return no password: of a run that adds no quorum device."""
    return ""


@dataclass(frozen=True)
class CorosyncChange:
    """What one run changes of corosync.conf and its quorum device; `done` grows meanwhile.

    `secret` gives the password of pcs' user on the host of a quorum device.
    """

    plan: CorosyncPlan
    hosts: Mapping[str, Host]
    cluster: str
    progress: Progress
    secret: Callable[[str], str] = no_password
    done: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """Ask for what it takes, before anything changes."""
        if self._authenticates:
            self.secret(SECRET)

    def apply(self, form: Callable[[], Sequence[T]]) -> Sequence[T]:
        """Write the files, form the cluster where it does not stand, bring all into force.

        Raises:
            PacefabError: it could not be; `restore` puts back what was done.
        """
        plan = self.plan
        if plan.removes_device:
            self._change_device()
        if plan.restart:
            self._stop()
        if plan.text:
            self.done.append("files")
            self._say("writing corosync.conf on all nodes")
            self._on_all({node: [commands.plan_write(plan.text)] for node in plan.before})
        formed = form()
        if plan.restart:
            self._start()
        elif plan.text and not plan.stopped:
            self._reload()
        if plan.changes_device and not plan.removes_device:
            self._change_device()
        return formed

    def restore(self) -> list[str]:
        """Put back what was done, with the cluster as it was; return what is to be said of it."""
        if not self.done:
            return []
        try:
            with undoing():
                self._restore()
        except PacefabError as error:
            return [f"the previous corosync.conf was not put back: {error}"]
        return ["the previous corosync.conf is in force again"]

    @property
    def _authenticates(self) -> bool:
        return self.plan.changes_device and bool(self.plan.device)

    def _restore(self) -> None:
        plan = self.plan
        back = commands.device_steps(plan.device, plan.device_before)
        if "device" in self.done and not plan.removes_device:
            self._through_one(back, again=True)
        if "files" in self.done:
            if "stopped" in self.done:
                self._stop()
            device = not plan.removes_device
            old = {n: restored(t, plan.text, device=device) for n, t in plan.before.items()}
            self._on_all({node: [commands.plan_write(text)] for node, text in old.items()})
        if "stopped" in self.done:
            self._start()
        elif "files" in self.done and not plan.stopped:
            self._through_one([commands.plan_reload()])
        if "device" in self.done and plan.removes_device:
            self._through_one(back, again=True)

    def _stop(self) -> None:
        self.done.append("stopped")
        self._say("stopping the cluster on all nodes")
        self._on_all({node: [commands.plan_stop_resources()] for node in self.hosts})
        self._on_all({node: [commands.plan_stop()] for node in self.hosts})

    def _start(self) -> None:
        self._say("starting the cluster on all nodes")
        self._on_all({node: [commands.plan_start()] for node in self.hosts})
        waits = partial(self.progress.waiting, self.cluster)
        found = wait_until(self._look, _ONLINE_SECONDS, waits=waits)
        if isinstance(found, Pending):
            raise CommandError(
                "restart the cluster",
                f"after {_ONLINE_SECONDS} s {found.seen}",
                "see why: journalctl -u corosync -u pacemaker there",
                host=next(iter(self.hosts)),
            )

    def _reload(self) -> None:
        """Have all nodes read their files again, which each does in its time; wait for that.

        The word goes through the cluster: a node that was out of it for that moment, because a
        link changed or it had much to do, did not hear it, so it is given again.

        Raises:
            CommandError: one did not.
        """
        number = conf.version(conf.parse(self.plan.text))
        waits = partial(self.progress.waiting, self.cluster)
        seen = ""
        for _ in range(_RELOADS):
            self._through_one([commands.plan_reload()])
            found = wait_until(partial(self._has_read, number), _RELOAD_SECONDS, waits=waits)
            if not isinstance(found, Pending):
                return
            seen = found.seen
        raise CommandError(
            "reload corosync.conf",
            f"after {_RELOADS * _RELOAD_SECONDS} s {seen}",
            "see why: journalctl -u corosync there",
        )

    def _has_read(self, number: int) -> bool | Pending:
        """Whether every corosync has read the file of this version, or a later one."""

        def ask(_node: str, host: Host) -> int:
            return commands.parse_version(host.query([commands.observe_version()])["version"])

        read = values(fan_out(self.hosts, ask))
        late = [node for node in self.hosts if read.get(node, 0) < number]
        return Pending(f"not read by corosync on {', '.join(late)}") if late else True

    def _look(self) -> bool | Pending:
        try:
            status = apply_cib.query_status(next(iter(self.hosts.values())))
        except RefusedError as error:  # Pacemaker does not answer yet
            return Pending(error.seen)
        still = missing(status, tuple(self.hosts))
        return Pending(still) if still else True

    def _change_device(self) -> None:
        plan = self.plan
        steps = commands.device_steps(plan.device_before, plan.device)
        if self._authenticates:
            host = commands.host_of(plan.device)
            steps.insert(0, commands.plan_authentication(host, self.secret(SECRET)))
        self._say(f"quorum device: {', '.join(step.name for step in steps)}")
        self.done.append("device")
        self._through_one(steps)

    def _through_one(self, steps: Sequence[Step], *, again: bool = False) -> None:
        """Run steps that concern the whole cluster through one node.

        `again`: what they undo may not have been done at all.
        """
        name, host = next(iter(self.hosts.items()))
        try:
            run_steps(host, steps, note=partial(self.progress.note, name))
        except PacefabError as error:
            if not again:
                error.host = error.host or name
                raise

    def _on_all(self, steps: Mapping[str, Sequence[Step]]) -> None:
        """Run steps on their nodes, side by side; raise the first error of any."""

        def run(node: str, own: Sequence[Step]) -> None:
            run_steps(self.hosts[node], own, note=partial(self.progress.note, node))

        for node, error in errors(fan_out(steps, run)).items():
            error.host = error.host or node
            raise error

    def _say(self, text: str) -> None:
        self.progress.note(self.cluster, text)


def bring_again(hosts: Mapping[str, Host], left: Sequence[Entry], progress: Progress) -> None:
    """Bring into force what earlier runs wrote into corosync.conf, and died before it was."""
    if not any(line.startswith("corosync") for entry in left for line in entry.changes):
        return

    def run(node: str, host: Host) -> None:
        run_steps(host, [commands.plan_again()], note=partial(progress.note, node))

    for node, error in errors(fan_out(hosts, run)).items():
        progress.note(node, f"corosync.conf could not be read again there: {error}")
