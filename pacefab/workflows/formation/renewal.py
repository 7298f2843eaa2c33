"""renew: new certificates and tokens for the pcs daemons of a cluster's nodes.

Nothing of the cluster's services stops: only pcsd starts again. It may be cut off anywhere; the
next run does all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from cryptography import x509

from pacefab.errors import CommandError, PacefabError, RefusedError
from pacefab.host.model import Mark, Outcome
from pacefab.pacemaker.model import Member
from pacefab.services.service import Look
from pacefab.transport.command import Step, shell, step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import fan_out
from pacefab.workflows.formation.plan import PCSD
from pacefab.workflows.formation.steps import USER, plan_authentication
from pacefab.workflows.nodes.apply_node import run_steps
from pacefab.workflows.nodes.claims import all_answered
from pacefab.workflows.nodes.observe import NodeView, observe_node
from pacefab.workflows.nodes.progress import Progress, Stopwatch
from pacefab.workflows.transaction.transaction import Hosts, Transaction

STEP = "renew"
_FILE = "/var/lib/pcsd/pcsd.crt"
# pcsd makes a pair at its start where there is none; it answers once systemd says that it runs.
_CERTIFICATE = f"""
rm -f {_FILE} /var/lib/pcsd/pcsd.key && systemctl restart pcsd
"""
_ONLINE = r"""
said=$(pcs pcsd status 2>&1) || { echo "$said"; exit 1; }
case $said in *Offline*|*"not authenticated"*|*nable*) echo "$said"; exit 1 ;; esac
"""


@dataclass(frozen=True)
class Renewal:
    """How the daemons of nodes get new certificates and tokens.

    Args:
        secret: returns a secret by its name: hacluster's password, with which they authenticate.
        transaction: of the run; no other changing run is at work beside it.
        limit: how many nodes are worked on at a time.
    """

    secret: Callable[[str], str]
    transaction: Transaction
    limit: int = 32

    def run(self, hosts: Mapping[str, Host], progress: Progress) -> list[Outcome]:
        """Renew them on every node, and return a line for each.

        Raises:
            PacefabError: not every member answers, or has a certificate of its own making.
        """
        watch = Stopwatch(STEP, progress)
        watch.begin(*hosts)
        members = self._members(hosts)
        password = self.secret(USER)
        self.transaction.hold(Hosts(hosts), progress)
        self._on_all(hosts, [shell("make a new certificate", _CERTIFICATE)], progress)
        # Whoever has a token of earlier times has to authenticate again from here on.
        self._on_all(hosts, [step("withdraw the tokens", "pcs", "pcsd", "deauth")], progress)
        first = next(iter(hosts))
        self._try(first, hosts[first], [plan_authentication(members, password)], progress)
        self._on_all(hosts, [shell("ask every pcsd", _ONLINE)], progress)
        return [watch.finish(name, Mark.CHANGED) for name in hosts]

    def _members(self, hosts: Mapping[str, Host]) -> tuple[Member, ...]:
        """Return the members, all of whose hosts are named. Raises a RefusedError."""
        views = all_answered(fan_out(hosts, lambda _, host: _observe(host), limit=self.limit))
        known = next((view.membership for view in views.values() if view.membership), None)
        if known is None:
            seen = "none of the hosts is in a cluster"
            raise RefusedError(STEP, seen, "make one of all of them: fab bootstrap")
        absent = [name for name in known.names if name not in hosts]
        others = [name for name, view in views.items() if not _same(view, known.names)]
        if absent or others:
            seen = f"the members are {', '.join(known.names)}, and other hosts were named"
            raise RefusedError(STEP, seen, "nothing was changed; name every member, and no other")
        for name, view in views.items():
            _check(name, view)
        return tuple(replace(m, addresses=m.addresses[:1]) for m in known.members)

    def _on_all(
        self, hosts: Mapping[str, Host], commands: Sequence[Step], progress: Progress
    ) -> None:
        work = partial(self._try, commands=commands, progress=progress)
        all_answered(fan_out(hosts, work, limit=self.limit))

    def _try(self, name: str, host: Host, commands: Sequence[Step], progress: Progress) -> None:
        try:
            run_steps(host, commands, note=partial(progress.note, name))
        except PacefabError as error:
            error.host = error.host or name
            error.next_step = f"fix that, then run this again: it does the rest ({error.next_step})"
            raise


def _observe(host: Host) -> NodeView:
    return observe_node(host, Look(units=(PCSD,), files=(_FILE,)))


def _same(view: NodeView, names: Sequence[str]) -> bool:
    return view.membership is not None and set(view.membership.names) == set(names)


def _check(name: str, view: NodeView) -> None:
    """Raise an error unless pcsd runs with a certificate that it has made itself."""
    if not view.facts.unit(PCSD).running:
        raise RefusedError(
            STEP, "pcsd does not run there", "start it: systemctl start pcsd", host=name
        )
    text = view.facts.text(_FILE)
    if text is not None and not is_self_signed(text):
        raise RefusedError(
            STEP,
            f"the certificate of pcsd is signed by another one: {_FILE}",
            "nothing was changed; renew it where it comes from, and give it to pcsd: "
            "pcs pcsd certkey CERTIFICATE KEY",
            host=name,
        )


def is_self_signed(text: str) -> bool:
    """Whether a certificate (PEM) names its own subject as the one that signed it.

    Raises:
        CommandError: it is no certificate.
    """
    try:
        found = x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        seen, advice = f"{_FILE} is no certificate", f"remove it there: rm {_FILE}"
        raise CommandError(STEP, seen, f"{advice}; systemctl restart pcsd makes one") from error
    return found.issuer == found.subject
