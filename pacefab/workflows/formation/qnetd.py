"""A host becomes one that quorum devices are on: corosync-qnetd, and pcsd that signs for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pacefab.host.model import HostFacts, Mark, Outcome
from pacefab.services.service import DesiredNode, Look, Port
from pacefab.transport.command import Step, shell
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.formation.plan import PCSD
from pacefab.workflows.formation.steps import USER
from pacefab.workflows.nodes.apply_node import change_node, run_steps
from pacefab.workflows.nodes.node_plan import NodePlan, plan_node
from pacefab.workflows.nodes.observe import observe_node
from pacefab.workflows.nodes.progress import Progress, Stopwatch

STEP = "setup-qnetd"
_UNIT = "corosync-qnetd.service"
# Debian's pcsd needs the group of hacluster, which another package has.
_PACKAGES = {
    "debian": ("corosync-qnetd", "pcs", "pacemaker-common"),
    "rhel": ("corosync-qnetd", "pcs"),
}
_LOOK = Look(packages=_PACKAGES["debian"], units=(_UNIT, PCSD))
_PORTS = (Port(2224), Port(5403))  # pcsd; corosync-qnetd(8)
_SET_UP = r"""
said=$(pcs qdevice setup model net 2>&1) || case $said in
*already*) ;;
*) echo "$said" >&2; exit 1 ;;
esac
systemctl restart pcsd && systemctl enable --quiet --now corosync-qnetd
"""


@dataclass(frozen=True)
class QnetdSetup:
    """How hosts become such; `secret` gives hacluster's password by its name."""

    secret: Callable[[str], str]
    limit: int = 32

    def run(self, hosts: Mapping[str, Host], progress: Progress) -> list[Outcome]:
        """Set up every host that is none yet; return a line for each."""
        watch = Stopwatch(STEP, progress)
        watch.begin(*hosts)
        facts = fan_out(hosts, lambda _, host: observe_node(host, _LOOK).facts, limit=self.limit)
        found = values(facts)
        if not all(map(self._stands, found.values())):
            self.secret(USER)
        done = fan_out(found, partial(self._set_up, hosts, progress), limit=self.limit)
        marks = {n: Mark.CHANGED if did else Mark.UNCHANGED for n, did in values(done).items()}
        lines = {name: watch.finish(name, mark) for name, mark in marks.items()}
        failed = watch.fail_all({**errors(facts), **errors(done)})
        lines |= {line.host: line for line in failed}
        return [lines[name] for name in hosts]

    def _stands(self, facts: HostFacts) -> bool:
        units = [facts.unit(name) for name in (_UNIT, PCSD)]
        runs = all(unit.running and unit.starts_at_boot for unit in units)
        return runs and not self._planned(facts)

    def _planned(self, facts: HostFacts) -> NodePlan:
        names = _PACKAGES[facts.family or ""]
        desired = DesiredNode(names, helpers=(PCSD,), ports=_PORTS, of_cluster=True)
        return plan_node(facts, desired, managed=(), firewall=None)

    def _set_up(
        self, hosts: Mapping[str, Host], progress: Progress, name: str, facts: HostFacts
    ) -> bool:
        """Set up one host; return whether that was needed."""
        facts.supported_manager()
        if self._stands(facts):
            return False
        note = partial(progress.note, name)
        install = Step("password", ("chpasswd",), stdin=f"{USER}:{self.secret(USER)}\n")
        change_node(
            hosts[name],
            self._planned(facts),
            replan=lambda: self._planned(observe_node(hosts[name], _LOOK).facts),
            note=note,
        )
        run_steps(hosts[name], [install, shell("set up qnetd", _SET_UP)], note=note)
        return True
