"""Faults that a drill causes on a node, and how each is undone.

Pure: values that hold shell for a node. What is to be undone is known on the node itself
(`on_node`), and a timer there undoes it when nothing else does: a node stays cut off for no longer
than that, even if the operator's machine dies.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pacefab.services.load import ClientLoad


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
    recovers: bool = False  # it may be back before the others have it fenced
    cuts: bool = False  # of two nodes that are cut off from each other, either may be fenced
    needs_fencing: bool = False  # nothing else ends it, or it is fencing itself
    members: int = 0  # of a cluster that it is for; 0: of any
    order: str = ""  # shell for another node, which gets the node's name

    def of(self, service: str) -> Fault:
        """Return the failure with a service's name in it."""
        what, undone = (text.replace("SERVICE", service) for text in (self.what, self.undone))
        return replace(self, what=what, undone=undone)

    @property
    def noted(self) -> Fault:
        """What the other one of two nodes gets a note of: it may be the one that is fenced."""
        return replace(self, cause=":", undo=_START)


# A node that was fenced on paper only has stopped its cluster: Pacemaker ends where it hears that.
_START = "systemctl is-active --quiet pacemaker || pcs cluster start"
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
# Clients reach both sides. SSH stays open also for an operator who works on one of the other nodes.
# -300 is before other firewalls.
_CUT = r"""
shift 2
{
  echo 'table inet pacefab_drill {'
  echo ' chain in { type filter hook input priority -300; policy accept;'
  echo '  tcp dport 22 accept'
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
    what="the node is cut off from the other nodes, and clients reach both sides",
    cause=_CUT,
    undo="! nft list table inet pacefab_drill >/dev/null 2>&1 || "
    f"nft delete table inet pacefab_drill || return\n{_START}",
    undone="is connected again",
    fenced=True,
    cuts=True,
)
FENCE_RACE = replace(
    PARTITION,
    name="fence-race",
    what="the two nodes are cut off from each other, and each would fence the other",
    needs_fencing=True,
    members=2,
)
PAUSE = Fault(
    name="pause",
    what="SERVICE hangs (SIGSTOP): connections open, answers never come",
    cause="signal STOP",
    undo="signal CONT",
    undone="has a SERVICE that answers again",
    noticeable=False,
)
COROSYNC = Fault(
    name="corosync",
    what="corosync is killed (SIGKILL)",
    cause="systemctl kill --kill-who=all --signal=KILL corosync.service",
    undo="pcs cluster start",
    undone="has its corosync started again",
    lasting=False,
    fenced=True,
    recovers=True,
)
COROSYNC_STOP = Fault(
    name="corosync-stop",
    what="corosync is stopped by systemd, and Pacemaker with it",
    cause="systemctl stop corosync.service",
    undo="pcs cluster start",
    undone="is in the cluster again",
)
# Its daemons go on, and the one that systemd starts in its place takes them over.
PACEMAKERD = Fault(
    name="pacemakerd",
    what="pacemakerd, which watches over Pacemaker's daemons, is killed (SIGKILL)",
    cause="systemctl kill --kill-who=main --signal=KILL pacemaker.service",
    undo=_START,
    undone="has its pacemakerd started again",
    lasting=False,
    noticeable=False,
    fenced=True,
    recovers=True,
)
# SIGSTOP reaches all but what has to undo it: process 1 and its kin, sshd, the drill's own units,
# and the processes of this very session. The kernel goes on: it answers for the node's addresses.
# Those that are made meanwhile are met by another round. Words behind the name in a line of stat:
# state, parent, group, session, …, flags (0x200000: a thread of the kernel).
_FREEZE = r"""
frozen=/run/pacefab-drill-frozen own=" $$ "
of() { read -r line <"$1/stat" 2>/dev/null && name=${line#*(} && name=${name%)*}; }
parent=$PPID
while [ "$parent" -gt 1 ] && of "/proc/$parent"; do
  own="$own$parent "
  set -- ${line##*) }
  parent=$2
done
of "/proc/$$"; set -- ${line##*) }; session=$4
spared() {
  case "$own" in *" ${1#/proc/} "*) return;; esac
  case $name in
    systemd|systemd-*|'(sd-pam)'|init|sshd*|dbus-daemon|dbus-broker*|sudo) return;;
  esac
  while read -r group; do case $group in */pacefab-drill-*) return;; esac; done <"$1/cgroup"
  return 1
}
stop() {
  of "$1" || return
  folder=$1
  set -- ${line##*) }
  [ "$folder" != /proc/1 ] && [ $(($7 & 0x200000)) -eq 0 ] || return
  [ "$1" != T ] && [ "$1" != Z ] && [ "$4" != "$session" ] || return
  ! spared "$folder" 2>/dev/null || return
  kill -STOP "${folder#/proc/}" 2>/dev/null && echo "${folder#/proc/}" >>$frozen && more=1
}
: >$frozen
round=0 more=1
while [ -n "$more" ] && [ "$round" -lt 5 ]; do
  more= round=$((round + 1))
  for each in /proc/[0-9]*; do stop "$each"; done
done
[ -s $frozen ]
"""
_THAW = r"""
  frozen=/run/pacefab-drill-frozen
  [ ! -e $frozen ] || while read -r pid; do kill -CONT "$pid" 2>/dev/null; done <$frozen
  rm -f $frozen
"""
FREEZE = Fault(
    name="freeze",
    what="the node hangs: all processes but systemd's and sshd's are stopped (SIGSTOP)",
    cause=_FREEZE,
    undo=f"{_THAW}  {_START}",
    undone="goes on",
    fenced=True,
    needs_fencing=True,
)
POWER = Fault(
    name="power",
    what="the node is fenced, as Pacemaker does it: its power is cut, and given again",
    cause=":",
    undo=_START,
    undone="is left as it booted",
    fenced=True,
    needs_fencing=True,
    order="systemd-run --quiet --collect --unit=pacefab-drill-fence "
    'stonith_admin --reboot "$1" --timeout 120',
)
FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        PROCESS, STOP_NODE, STANDBY, PARTITION, PAUSE,
        COROSYNC, COROSYNC_STOP, PACEMAKERD, FREEZE, FENCE_RACE, POWER,
    )
}  # fmt: skip


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


def about(load: ClientLoad) -> str:
    """Return what scripts may call, as shell."""
    script = _OF_UNIT if load.unit else _OF_AGENT
    return script % (shlex.quote(load.resource), shlex.quote(load.unit or load.process))
