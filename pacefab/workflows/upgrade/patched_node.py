"""One node of a patch round: out of service, newer packages, restarted where needed, back.

Each state is a question to the node or to the others, and its step does nothing where it holds: a
node that an earlier run left anywhere is brought on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from pacefab import interrupts
from pacefab.errors import CommandError, PacefabError, add_ending
from pacefab.host import boots, packages, patches, units
from pacefab.services import registry
from pacefab.services.service import Look
from pacefab.transport.answers import understood
from pacefab.transport.command import Step, step
from pacefab.transport.connection import Host
from pacefab.waiting import Pending, wait_until
from pacefab.workflows.checks.health import check_healthy, examine_services
from pacefab.workflows.checks.service_health import recognise, site_of
from pacefab.workflows.checks.spared import await_spared
from pacefab.workflows.nodes import apply_cib, standing
from pacefab.workflows.nodes.apply_node import await_end, run_steps
from pacefab.workflows.nodes.progress import Progress
from pacefab.workflows.nodes.view import ClusterView, observe_cluster
from pacefab.workflows.upgrade import standby
from pacefab.workflows.upgrade.due import CLUSTER_UNITS, PatchDue

_ATTEMPT: Final = "patch the node"
_BACK: Final = "bring the node back"
_BOOT_SECONDS: Final = 900.0  # a server tests its memory first
_ASK_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Around:
    """The cluster around a node.

    Args:
        hosts: the members.
        look: what services need to be known.
        sections: the inventory's services; None: those that the cluster shows.
        limit: how many nodes are asked at a time.
        timeout: seconds for each wait: to leave, to join, to serve.
    """

    hosts: Mapping[str, Host]
    look: Look
    sections: Mapping[str, Any] | None
    limit: int
    timeout: int

    def without(self, *nodes: str) -> ClusterView:
        """Ask the members but these. Errors of `observe_cluster`."""
        rest = {name: host for name, host in self.hosts.items() if name not in nodes}
        return observe_cluster(rest, self.look, self.limit)

    def services(self, seen: ClusterView) -> Mapping[str, Any]:
        """Return the sections of the services that are there."""
        known = recognise(seen.cib) if self.sections is None else self.sections
        there = registry.service
        return {n: s for n, s in known.items() if there(n).primitives(seen.cib)}

    def check(self, seen: ClusterView, unchanged: str) -> None:
        """Raise a RefusedError unless there is quorum, and every service answers."""
        check_healthy(seen, _ATTEMPT, unchanged, self.services(seen))


@dataclass
class PatchedNode:
    """One node's way; `due` is what it needs, as it was asked last."""

    around: Around
    node: str
    managed: frozenset[str]
    progress: Progress
    lock_seconds: int = packages.LOCK_SECONDS
    due: PatchDue = field(default_factory=lambda: PatchDue(patches.PatchFacts()))
    begun: bool = False  # something that does not go back: packages, or a restart

    @property
    def host(self) -> Host:
        """The node itself."""
        return self.around.hosts[self.node]

    def run(self) -> None:
        """Bring the node through all states.

        Raises:
            PacefabError: it serves again as it was, or it is out of service still: which is said.
        """
        try:
            self._pass()
        except PacefabError as error:
            self._retreat(partial(add_ending, error))
            raise
        except KeyboardInterrupt as stop:
            self._retreat(stop.add_note)
            raise

    def _pass(self) -> None:
        await_end(self.host)  # what an earlier run sent there may be at work still
        self.look()
        self._fetch()
        self._leave()
        if self.due.machine or self.due.cluster:
            self._stop()
        self._upgrade()
        self._restart()
        self._join()
        self._await_healthy(_BACK)

    def look(self) -> PatchDue:
        """Ask the node what is due; the packages' index is as it was fetched."""
        self.due = look(self.host, self.managed)
        return self.due

    def _fetch(self) -> None:
        """Fetch the packages while the node serves: it is away for as long as they install."""
        if self.due.facts.newer:
            self._note("fetching packages")
            self._run(packages.plan_fetch(patches.MANAGER, self.lock_seconds))

    def _leave(self) -> None:
        seen = self.around.without(self.node)
        if self.node not in standby.found(seen.cib):
            self._note("it goes into standby")
            await_spared(
                f"take {self.node} out of service", self.around.hosts, self._questions(),
                self.around.timeout, self._waits,
            )  # fmt: skip
        standby.take(seen.host, self.node, self.around.timeout, self._waits)
        self._await_healthy("do without the node", self.node)

    def _questions(self) -> Sequence[Any]:
        """Return what services ask before they do without their instance here."""
        seen = self.around.without()
        sections = self.around.services(seen)
        site = site_of(seen, sections, recognised=self.around.sections is None)
        asked = ((registry.service(name), section) for name, section in sections.items())
        return [q for one, section in asked for q in one.before_stop(section, site, self.node)]

    def _stop(self) -> None:
        if self._active:
            self._note("its cluster services stop")
            self._run(step("stop the cluster services", "pcs", "cluster", "stop"))
            self.look()

    @property
    def _active(self) -> frozenset[str]:
        """The cluster services that run, of the two that every node has."""
        return frozenset(CLUSTER_UNITS[:2]) & {*self.due.facts.active}

    def _upgrade(self) -> None:
        before = self.due.facts
        if before.newer or before.half_done:
            self._note("its packages are upgraded")
            stopped = () if self._active else CLUSTER_UNITS
            self._install(sorted({*self.managed, *stopped}))
        # Before a restart of the machine would start them.
        enabled = [unit for unit in self.due.facts.enabled if unit not in before.enabled]
        off = dict.fromkeys([*self.due.at_boot, *(u for u in enabled if u in CLUSTER_UNITS)])
        if off:
            self._run(*map(units.plan_disable, off))
            self.look()
        now = self.due.facts
        if now.newer or now.half_done:
            said = f"still to do: {', '.join(map(str, now.newer)) or now.half_done}"
            raise CommandError("upgrade its packages", said, "see there: apt-get upgrade")

    def _install(self, kept: Sequence[str]) -> None:
        """Upgrade the packages; units that are `kept` from it are started by none of them."""
        before, self.begun = self.due.facts, True
        try:
            self._run(*packages.plan_upgrade_all(patches.MANAGER, kept, self.lock_seconds))
        except PacefabError:
            with suppress(PacefabError):
                now = self.look().facts
                self.begun = now.newer != before.newer or bool(now.half_done)
            raise
        self.look()

    def _restart(self) -> None:
        """Restart the machine, else what still runs with files that were replaced."""
        if self.due.machine:
            self._stop()
            self.begun = True
            self._restart_machine()
            self.look()
        elif self.due.cluster:
            self._stop()
        for unit in self.due.services:
            self._note(f"{unit} restarts")
            self._run(step(f"restart {unit}", "systemctl", "try-restart", unit))

    def _restart_machine(self) -> None:
        self._note("its machine restarts")
        before = boots.read(self.host.ask([boots.observe()]))
        self._run(boots.plan_restart())

        def up() -> bool | Pending:
            try:
                now = boots.read(self.host.ask([boots.observe()], seconds=_ASK_SECONDS))
            except PacefabError as error:
                return Pending(f"it restarts ({error.seen.partition(chr(10))[0]})")
            return True if now not in {"", before} else Pending("it has not gone down yet")

        found = wait_until(up, _BOOT_SECONDS, waits=self._waits)
        if isinstance(found, Pending):
            advice = "look at its console; when it is up, run this again: it goes on there"
            raise CommandError("restart the machine", found.seen, advice, host=self.node)

    def _join(self) -> None:
        if not self._active >= {*CLUSTER_UNITS[:2]}:
            self._note("its cluster services start")
            self._run(step("start the cluster services", "pcs", "cluster", "start"))
        seen = self.around.without(self.node)
        names = [*seen.views, self.node]
        missing = partial(standing.missing, names=names)
        apply_cib.settle(seen.host, missing, self.around.timeout, waits=self._waits)
        standby.bring_back(seen.host, self.node)

    def _await_healthy(self, attempt: str, *away: str) -> None:
        """Wait until there is quorum, and every service answers, without what is away."""

        def ask() -> bool | Pending:
            seen = self.around.without(*away)
            reasons = examine_services(seen, self.around.services(seen)).reasons
            return Pending("\n".join(reasons)) if reasons else True

        found = wait_until(ask, self.around.timeout, waits=self._waits)
        if isinstance(found, Pending):
            raise CommandError(
                attempt,
                f"after {self.around.timeout} s: {found.seen}",
                "see: fab status; repair that, then run this again: it goes on there",
            )

    def _retreat(self, say: Callable[[str], None]) -> None:
        """Let the node serve again if nothing was begun that cannot go back; say how it is."""
        if self.begun:
            say(
                f"{self.node} is out of service as far as it came; run this again: it goes on there"
            )
            return
        try:
            with interrupts.undoing():
                self.look()
                self._join()
                self._await_healthy(_BACK)
        except PacefabError as second:
            self.begun = True
            say(f"{self.node} could not be brought back ({second}); run this again")
        else:
            say(f"{self.node} serves again, and is as it was")

    def _run(self, *steps: Step) -> None:
        run_steps(self.host, steps, note=self._note, lock_seconds=self.lock_seconds)

    def _note(self, said: str) -> None:
        self.progress.note(self.node, said)

    def _waits(self, said: str) -> None:
        self.progress.waiting(self.node, said)


def look(host: Host, managed: frozenset[str]) -> PatchDue:
    """Ask a node what is due there; two rounds, harmless.

    Raises:
        PacefabError: it could not be asked, or apt-get cannot say what it would do.
    """
    sections = host.ask(patches.observe([*sorted(managed), *CLUSTER_UNITS]), side_by_side=True)
    with understood("read what the node says of its packages", "run it again", host.name):
        facts = patches.parse(sections)
        names = [package.name for package in facts.newer if package.old]
        users = host.ask([patches.observe_users(names)])["users"]
        return PatchDue(facts, *patches.parse_users(users), managed)
