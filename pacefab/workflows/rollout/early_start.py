"""Start a new clone's instances just before Pacemaker is given the clone: it finds them running.

An instance that Pacemaker's first probe finds running is Started at once. One that Pacemaker starts
by systemd it looks at again only after a tenth of the start's timeout, at most 2 s, however quick
the service is (execd_commands.c of 2.0 and 2.1). The unit is started as Pacemaker starts it: under
its drop-in, so that systemd does not restart it beside Pacemaker, and stops it after Pacemaker.

It is no more than a head start: what does not start, or not in two seconds, is left to Pacemaker,
whose word on it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from pacefab.interrupts import undoing
from pacefab.pacemaker.model import Clone, Order, Primitive
from pacefab.pacemaker.sections.change import Action
from pacefab.transport.command import Section, shell
from pacefab.transport.connection import Host
from pacefab.transport.fanout import Result, errors, fan_out, values
from pacefab.workflows.rollout.planning import Plan

_SECONDS = 60
_STARTED = "started"
_CLASS = "systemd:"

# The text is Pacemaker's (systemd_create_override of lib/services/systemd.c); it removes the file
# when it stops the unit.
_START = r"""
unit=$1; file=${unit%.service}.service
drop_in=/run/systemd/system/$file.d/50-pacemaker.conf
[ "$(systemctl is-active "$unit")" = inactive ] || exit 0
(umask 077 && mkdir -p /run/pacefab/started && : >"/run/pacefab/started/$file") || exit
umask 022
mkdir -p "${drop_in%/*}"
printf '%s\n' '[Unit]' "Description=Cluster Controlled ${unit%.service}" \
  'Before=pacemaker.service pacemaker_remote.service' '' '[Service]' 'Restart=no' >"$drop_in"
systemctl daemon-reload
if timeout 2 systemctl start "$unit" 2>/dev/null; then echo started
else
  systemctl stop "$unit"; rm -f "$drop_in"; systemctl daemon-reload
  systemctl reset-failed "$unit" 2>/dev/null || :
  rm -f "/run/pacefab/started/$file"
fi
"""
# What Pacemaker was given after all is its own: only the answer to the patch was lost then.
_STOP = r"""
unit=$1; file=${unit%.service}.service
! cibadmin -Q --xpath "//primitive[@class='systemd' and @type='$unit']" >/dev/null 2>&1 || exit 0
systemctl stop "$unit"
rm -f "/run/systemd/system/$file.d/50-pacemaker.conf" "/run/pacefab/started/$file"
systemctl daemon-reload
"""
# What a run started and Pacemaker was never given, because the run died in between: its note and
# the drop-in are there, and the CIB does not know it (CRM_EX_NOSUCH). Of what Pacemaker stopped
# since, the drop-in is gone.
_STOP_FORGOTTEN = r"""
for note in /run/pacefab/started/*.service; do
  [ -e "$note" ] || continue
  file=${note##*/}; drop_in=/run/systemd/system/$file.d/50-pacemaker.conf
  named="@type='$file' or @type='${file%.service}'"
  if [ -e "$drop_in" ]; then
    cibadmin -Q --xpath "//*[@class='systemd' or @class='service'][$named]" >/dev/null 2>&1
    case $? in
      0) ;;
      105) systemctl stop "$file" && rm -f "$drop_in" && systemctl daemon-reload || exit
        echo "$file" ;;
      *) echo "Pacemaker does not say whether it has $file" >&2; exit 1 ;;
    esac
  fi
  rm -f "$note"
done
"""


@contextmanager
def started_early(hosts: Mapping[str, Host], plan: Plan) -> Iterator[None]:
    """Start what `units` says, but what runs already; stop it again if the block raises.

    What Pacemaker was given all the same runs on.

    `hosts` are the cluster's nodes that are at hand.
    """
    chosen = {node: names for node, names in units(plan).items() if node in hosts}
    started: dict[str, list[str]] = {}
    try:
        with undoing():  # what was started is to be known, also to whoever stops it
            for node, sections in values(_run(hosts, _START, chosen)).items():
                said = {name: section.out.strip() for name, section in sections.items()}
                started[node] = [name for name in chosen[node] if said.get(name) == _STARTED]
        yield
    except (Exception, KeyboardInterrupt):
        with undoing():
            _run(hosts, _STOP, {node: names for node, names in started.items() if names})
        raise


def stop_forgotten(hosts: Mapping[str, Host], note: Callable[[str, str], None]) -> None:
    """Stop on all nodes what earlier runs started early, and died before Pacemaker was given it.

    `note` hears what that was; a node on which it cannot be done is named.
    """
    step = shell("forgotten", _STOP_FORGOTTEN)
    asked = fan_out(hosts, lambda _, host: host.change([step], seconds=_SECONDS))
    failed = {node: str(error) for node, error in errors(asked).items()}
    for node, sections in values(asked).items():
        section = sections.get(step.name)
        for unit in section.out.split() if section else ():
            note(node, f"{unit} was started by a run that was cut off: it is stopped")
        if section is None or not section.ok:
            failed[node] = section.text if section else "another change is at work there"
    for node, said in failed.items():
        note(node, f"what a run that was cut off started may run on: {said}")


def _run(
    hosts: Mapping[str, Host], script: str, units_of: Mapping[str, Sequence[str]]
) -> dict[str, Result[dict[str, Section]]]:
    """Run a script for each unit of each node."""

    def run(node: str, names: Sequence[str]) -> dict[str, Section]:
        steps = [shell(name, script, name) for name in names]
        return hosts[node].change(steps, seconds=_SECONDS)

    return fan_out(units_of, run)


def units(plan: Plan) -> dict[str, list[str]]:
    """Return the units to start on each node: of clones that are new, where they would start.

    Left out is what starts after another resource, and what has a second role.
    """
    found: dict[str, list[str]] = {}
    new = {primitive.id: primitive for primitive in _new(plan)}
    for action in plan.transitions:
        primitive = new.get(action.resource.partition(":")[0])
        if action.action == "start" and primitive:
            unit = primitive.agent.removeprefix(_CLASS)
            found.setdefault(action.target or action.source, []).append(unit)
    return found


def _new(plan: Plan) -> Iterator[Primitive]:
    orders = (made for made in plan.desired.constraints if isinstance(made, Order))
    later = {order.then for order in orders}
    for change in plan.configuration.changes:
        made = change.desired
        if change.action is Action.ADD and isinstance(made, Clone) and not made.promotable:
            primitive = made.primitive
            if primitive.agent.startswith(_CLASS) and not later & {made.id, primitive.id}:
                yield primitive
