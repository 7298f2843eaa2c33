"""Faults that a drill causes on a node, and how each is undone.

Pure: values in, shell for a node out. What is to be undone is known on the node itself, in
/run/pacefab-drill, and a timer there undoes it when nothing else does: a node stays cut off for
no longer than that, even if the operator's machine dies.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pacefab.services.load import ClientLoad
from pacefab.services.probes import tcp
from pacefab.services.probes.probe import Endpoint
from pacefab.transport.command import Section, Step, shell

_BUSY = 3  # exit status: a drill is on already
_VIP_SECONDS = 0.3
_DISCARD = 9  # a port that hardly anything listens to: whoever has the address refuses


@dataclass(frozen=True)
class Victim:
    """The node that something is done to."""

    node: str
    peers: tuple[str, ...]  # addresses of the others
    port: int  # at which clients reach its instance
    load: ClientLoad


@dataclass(frozen=True)
class Fault:
    """One sort of failure.

    Both scripts get the node's name as $1, its instance's port as $2 and the other nodes' addresses
    as the rest. They may call `signal NAME`, `runs` and `start`, which are about the instance;
    $resource is its primitive. `lasting` says whether it goes on until it is undone. SERVICE stands
    for the service's name in what a person reads.
    """

    name: str
    what: str
    cause: str
    undo: str
    undone: str  # the node as it is then, behind its name
    lasting: bool = True
    noticeable: bool = True  # by Pacemaker
    fenced: bool = False  # where fencing is enabled, the others make sure that the node is off

    def of(self, service: str) -> Fault:
        """Return the failure with a service's name in it."""
        what, undone = (text.replace("SERVICE", service) for text in (self.what, self.undone))
        return replace(self, what=what, undone=undone)


# crm_resource --refresh asks the node again what runs there, and forgets the failure: without it a
# drill that was cut off before the monitor came would leave a dead instance for up to a minute.
# Where Pacemaker does not repair it (it became unmanaged meanwhile), it is started here.
_RESTART = r"""
  crm_resource --refresh --resource "$resource" --node "$1" --quiet
  runs && return 0
  crm_mon -1 -r --output-as=xml | grep "<resource id=\"$resource[:\"]" |
    grep -q ' managed="false"' || return 0
  start
"""
PROCESS = Fault(
    name="process",
    what="SERVICE is killed (SIGKILL)",
    cause="signal KILL",
    undo=_RESTART,
    undone="has its SERVICE started by Pacemaker",
    lasting=False,
)
STOP_NODE = Fault(
    name="stop-node",
    what="the cluster is stopped on the node, as for a reboot",
    cause="pcs cluster stop",
    undo="pcs cluster start",
    undone="is in the cluster again",
)
# With lifetime reboot it stands in the status section: even a forgotten one ends at a reboot.
STANDBY = Fault(
    name="standby",
    what="the node is put into standby",
    cause='crm_attribute --node "$1" --name standby --lifetime reboot --update on',
    undo='crm_attribute --node "$1" --name standby --lifetime reboot --delete',
    undone="is out of standby again",
)
# The load stands for a client on the other side, so the instance's port is closed to it too. SSH
# stays open also for an operator who works on one of the other nodes. -300 is before other
# firewalls.
_CUT = r"""
port=$2; shift 2
{
  echo 'table inet pacefab_drill {'
  echo ' chain in { type filter hook input priority -300; policy accept;'
  echo '  tcp dport 22 accept'
  echo "  iif != lo tcp dport $port drop"
  for peer; do case $peer in *:*) echo "  ip6 saddr $peer drop";; *) echo "  ip saddr $peer drop";;
  esac; done
  echo ' }'
  echo ' chain out { type filter hook output priority -300; policy accept;'
  echo '  tcp sport 22 accept'
  for peer; do case $peer in *:*) echo "  ip6 daddr $peer drop";; *) echo "  ip daddr $peer drop";;
  esac; done
  echo ' }'
  echo '}'
} | nft -f -
"""
PARTITION = Fault(
    name="partition",
    what="the node is cut off from the other nodes and from clients",
    cause=_CUT,
    undo="! nft list table inet pacefab_drill >/dev/null 2>&1 || "
    "nft delete table inet pacefab_drill",
    undone="is connected again",
    fenced=True,
)
PAUSE = Fault(
    name="pause",
    what="SERVICE hangs (SIGSTOP): connections open, answers never come",
    cause="signal STOP",
    undo="signal CONT",
    undone="has a SERVICE that answers again",
    noticeable=False,
)
FAULTS: Mapping[str, Fault] = {
    fault.name: fault for fault in (PROCESS, STOP_NODE, STANDBY, PARTITION, PAUSE)
}


_OF_UNIT = """
resource=%s unit=%s
signal() { systemctl kill --kill-who=all --signal="$1" "$unit"; }
runs() { systemctl is-active --quiet "$unit"; }
start() { systemctl start "$unit"; }
"""
_OF_AGENT = """
resource=%s process=%s
signal() { pkill --signal "$1" -f "$process"; }
runs() { pgrep -f "$process" >/dev/null; }
start() { crm_resource --force-start --force --resource "$resource" >/dev/null; }
"""


def _about(load: ClientLoad) -> str:
    """Return what scripts may call."""
    script = _OF_UNIT if load.unit else _OF_AGENT
    return script % (shlex.quote(load.resource), shlex.quote(load.unit or load.process))


# The note is there before the failure is, so that whatever is cut off in between can be undone.
# What the timer starts is started again until it succeeds; a oneshot cannot be before systemd 244.
_CAUSE = r"""
kind=$1 seconds=$2 undo=$3 cause=$4; shift 4
[ ! -e /run/pacefab-drill ] || { cat /run/pacefab-drill/kind; exit 3; }
set -e
umask 077
mkdir /run/pacefab-drill
printf '%s\n' "$undo" > /run/pacefab-drill/undo
printf '%s\n' "$kind" > /run/pacefab-drill/kind
systemctl reset-failed pacefab-drill-undo.service 2>/dev/null || :
systemd-run --quiet --collect --unit=pacefab-drill-undo --on-active="$seconds" \
  --property=Restart=on-failure --property=RestartSec=10 \
  /bin/sh -c '[ ! -e /run/pacefab-drill/undo ] || exec sh /run/pacefab-drill/undo'
sh -c "$cause" pacefab "$@"
"""

# Run by the timer or by us, by both at once too: the second one finds nothing left to do.
_UNDO = r"""
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec 8>/run/pacefab-drill.lock; flock -w 120 8 || exit 1
[ -e /run/pacefab-drill/undo ] || exit 0
%s
undo() {
%s
}
undo %s || exit
rm -rf /run/pacefab-drill
systemctl --no-block stop pacefab-drill-undo.timer
"""


def plan_failure(fault: Fault, victim: Victim, seconds: float) -> list[Step]:
    """Return the step that causes the failure; the node undoes it by itself after `seconds`."""
    words = (victim.node, str(victim.port), *victim.peers)
    about = _about(victim.load)
    undo, cause = _UNDO % (about, fault.undo, shlex.join(words)), f"{about}{fault.cause}"
    return [shell("failure", _CAUSE, fault.name, f"{seconds:.0f}s", undo, cause, *words)]


def is_busy(section: Section) -> bool:
    """Whether the failure was not caused because the node has a drill that is not undone."""
    return section.status == _BUSY


def plan_undo() -> list[Step]:
    """Return the step that undoes whatever a drill did to the node; harmless when it did nothing.

    It prints the name of the drill that was undone.
    """
    return [shell("undo", _UNDO_NOW)]


_UNDO_NOW = r"""
[ -e /run/pacefab-drill/undo ] || { rm -rf /run/pacefab-drill; exit 0; }
cat /run/pacefab-drill/kind
sh /run/pacefab-drill/undo >&2
"""


def observe() -> list[Step]:
    """Return the step whose output is the name of a drill that is not undone yet, or nothing."""
    return [shell("drill", "cat /run/pacefab-drill/kind 2>/dev/null; true")]


def plan_vips(addresses: Sequence[str]) -> list[Step]:
    """Return the step of `read_vips`, which takes little more than 0.3 s at most."""
    return [tcp.observe(_targets(addresses), _VIP_SECONDS, "vips")]


def read_vips(addresses: Sequence[str], section: Section) -> frozenset[str]:
    """Return the addresses that answer: a connection is made, or refused by whoever has it."""
    if not section.ok:
        return frozenset()
    answers = tcp.parse(_targets(addresses), section).items()
    return frozenset(target.address for target, answer in answers if not answer.wrong)


def _targets(addresses: Sequence[str]) -> list[Endpoint]:
    return [Endpoint("VIP", address, _DISCARD, refused=True) for address in addresses]
