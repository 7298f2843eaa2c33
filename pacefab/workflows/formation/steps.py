"""The pcs commands that make a cluster of hosts, and what is observed before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pacefab.errors import PacefabError
from pacefab.host.model import Program
from pacefab.pacemaker import live
from pacefab.pacemaker.corosync import commands
from pacefab.pacemaker.corosync.plan import CorosyncSettings
from pacefab.pacemaker.model import Member
from pacefab.pacemaker.placement.remote import beside
from pacefab.services.service import Look
from pacefab.transport.command import Step, shell, step
from pacefab.workflows.formation.plan import ENGINES, PACEMAKER, PACKAGES, PCSD, Candidate
from pacefab.workflows.nodes.observe import NodeView

USER = "hacluster"  # the user by which pcs daemons authenticate; also the name of the secret
_FORMING = "pacefab-forming"  # id of the property set of a first start
_FORMED = f"//cluster_property_set[@id='{_FORMING}']"


def look(programs: Sequence[Program], packages: Sequence[str] = ()) -> Look:
    """Return what to look at on a host that is to be a member and to have these programs."""
    return Look(packages=(*PACKAGES, *packages), units=(*ENGINES, PCSD), programs=tuple(programs))


def candidate(name: str, view: NodeView, programs: Sequence[Program]) -> Candidate:
    """Return the host as it answered; `programs` are those that its fence devices call.

    Raises:
        RefusedError: its corosync.conf or its CIB cannot be read.
    """
    starting = view.facts.unit(PACEMAKER).running and not view.sections["cib"].ok
    try:
        member = view.membership is not None
        cib = None if starting and member else live.read_cib_even_offline(view.sections)
        return Candidate(
            name=name,
            facts=view.facts,
            programs=tuple(programs),
            membership=view.membership,
            resources=tuple(str(e.get("id")) for e in cib.all_resources) if cib else (),
            reached=tuple(beside(cib)) if cib else (),
            forming=cib is not None and bool(cib.root.xpath(_FORMED)),
            starting=starting,
        )
    except PacefabError as error:
        error.host = error.host or name
        raise


# What Debian's package or a setup that was cut off left there; nothing of it has ever run.
_CLEAR = r"""
systemctl stop pacemaker corosync || exit
rm -rf /etc/corosync/corosync.conf /etc/corosync/authkey /var/lib/pacemaker/cib/*
"""


def plan_newcomer(password: str) -> list[Step]:
    """Return the steps that make a host, packages installed, ready to become a member."""
    return [shell("clear", _CLEAR), Step("password", ("chpasswd",), stdin=f"{USER}:{password}\n")]


def plan_authentication(members: Iterable[Member], password: str) -> Step:
    """Return the step that makes the pcs daemons of these hosts trust this one's."""
    script = f'pcs host auth -u {USER} "$@"'
    first = (replace(member, addresses=member.addresses[:1]) for member in members)
    return shell("authenticate", script, *_addressed(first), stdin=f"{password}\n")


def plan_setup(cluster: str, members: Iterable[Member], corosync: CorosyncSettings | None) -> Step:
    """Return the step that makes a new cluster, to be started yet."""
    words = commands.setup_words(corosync) if corosync else ()
    return step("set up", "pcs", "cluster", "setup", cluster, *_addressed(members), *words)


def plan_join(member: Member, *, forget: bool) -> list[Step]:
    """Return the steps that add a host to the cluster of this node; `forget`: once more."""
    out = [step(f"forget {member.name}", *_REMOVE, member.name, "--skip-offline")] if forget else []
    return [*out, step(f"add {member.name}", *_ADD, *_addressed([member]))]


_ADD = ("pcs", "cluster", "node", "add")
_REMOVE = ("pcs", "cluster", "node", "remove")


def plan_leave(name: str, *, gone: bool) -> Step:
    """Return the step that takes a node out of the cluster of this one.

    Pacemaker there is stopped first, and its resources move. `gone`: it does not answer, and is
    taken out all the same; pcs then cannot check whether quorum stays, and has to be forced.
    """
    return step("remove", *_REMOVE, name, *(("--skip-offline", "--force") if gone else ()))


# A CIB that is there before the first start saves the 20 seconds for which Pacemaker waits for
# others by default (pacemaker-controld(7), dc-deadtime). The set goes again once the cluster runs.
_SEED = rf"""
set -e
cib=/var/lib/pacemaker/cib/cib.xml
[ ! -e "$cib" ] || exit 0
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; trap 'exit 143' TERM
cibadmin --empty > "$dir/cib.xml"
CIB_file=$dir/cib.xml cibadmin --create --scope crm_config --xml-text '
<cluster_property_set id="{_FORMING}">
  <nvpair id="{_FORMING}-dc-deadtime" name="dc-deadtime" value="3s"/>
</cluster_property_set>'
install -o hacluster -g haclient -m 600 "$dir/cib.xml" "$cib"
"""


def plan_start(*, first: bool) -> list[Step]:
    """Return the steps that start a node's cluster services; `first`: of a cluster just set up."""
    seed = [shell("seed", _SEED)] if first else []
    return [*seed, step("enable", "systemctl", "enable", "--quiet", "--now", *ENGINES)]


_FINISH = r"""
! cibadmin --query --xpath "$1" >/dev/null 2>&1 || cibadmin --delete --xpath "$1"
"""


def plan_finish() -> Step:
    """Return the step that takes the settings of a first start out of the CIB."""
    return shell("finish", _FINISH, _FORMED)


def _addressed(members: Iterable[Member]) -> list[str]:
    """Return the words by which pcs knows hosts and their addresses."""
    words = []
    for member in members:
        words += [member.name, *(f"addr={address}" for address in member.addresses)]
    return words
