"""A plan -> one screen of text, or JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from pacefab.pacemaker.pcs.lines import render_pcs
from pacefab.pacemaker.sections.change import Action, ObjectChange
from pacefab.report.stream import json_text
from pacefab.report.text import error_style, render_error
from pacefab.workflows.rollout.planning import Plan
from pacefab.workflows.transaction.transaction import ways_on

_SIGNS = {Action.ADD: "+", Action.UPDATE: "~", Action.REMOVE: "-"}
_SHOWN_LINES = 16  # of what changes on one host, unless everything is asked for
_NOTHING = "nothing to do"
_NOT_IN_FORCE = "nothing to change; not everything is in force"
_NOT_FINISHED = "nothing to change; deploy notes that what was begun is finished"
_INTERRUPTS = "   ! interrupts what runs"
_LINE_OF_FILE = re.compile(r"^  /\S+: ")
_STYLES = (("+ ", "green"), ("~ ", "cyan"), ("- ", "red"), ("! ", "red"))


def render_text(plan: Plan, *, full: bool = False) -> list[str]:
    """Return what would change, host by host and object by object, and what that sets in motion."""
    lines = [f"plan for cluster {plan.cluster}"]
    hosts = (_silent(plan), _forming(plan), _corosync(plan), _nodes(plan, full=full))
    for block in (*hosts, _cluster(plan)):
        lines += list(block)
    blocks = (
        _transitions(plan),
        _notices(plan),
        _fencing(plan),
        _left_out(plan),
        _updates(plan),
        _pending(plan),
        _unfinished(plan),
    )
    return [*lines, *(line for block in blocks for line in block), "", _sum(plan)]


def style(line: str) -> str:
    """Return the colour of a line: by its sign, or where it interrupts what runs."""
    if line.endswith(_INTERRUPTS):
        return "red"
    change = _LINE_OF_FILE.sub("", line).strip()
    found = (colour for sign, colour in _STYLES if change.startswith(sign))
    return next(found, error_style(line))


def _silent(plan: Plan) -> Iterator[str]:
    for error in plan.silent.values():
        yield ""
        yield from render_error(error)


def _forming(plan: Plan) -> Iterator[str]:
    if plan.forming:
        yield from ("", "cluster membership")
        yield from (f"  + {line}" for line in plan.forming)


def _corosync(plan: Plan) -> Iterator[str]:
    """Yield what changes in corosync.conf, what does not in this run, and how that comes to be."""
    conf = plan.corosync
    if conf.changes or conf.unlike:
        live = "when the cluster starts" if conf.stopped else "in force at once"
        yield from (
            "",
            f"corosync.conf, {'with a restart of the cluster' if conf.restart else live}",
        )
        yield from (f"  {change}" for change in conf.changes)
        yield from (f"  ~ {node}: its file {how}" for node, how in conf.unlike.items())
    if conf.sbd:
        how = "with a restart of the cluster" if conf.restart else "not in this run"
        yield from ("", f"SBD, {how} (not proven on a real watchdog)")
        if conf.starts_sbd:
            yield f"  + starts with the cluster on {', '.join(conf.sbd)}"
        yield from (f"  {line}" for line in conf.sbd_left)
    if conf.deferred:
        yield from ("", "corosync.conf, not in this run")
        yield from (f"  {change}" for change in conf.deferred)
        yield from (f"  {notice}" for notice in conf.notices)


def _nodes(plan: Plan, *, full: bool) -> Iterator[str]:
    """Yield what changes on hosts; what is the same on several is shown once."""
    where: dict[str, list[str]] = {}
    for name, node in plan.nodes.items():
        for line in (*node.changes, *(f"note: {remark}" for remark in node.remarks)):
            where.setdefault(line, []).append(name)
    alike: dict[tuple[str, ...], list[str]] = {}
    for line, names in where.items():
        alike.setdefault(tuple(dict.fromkeys(names)), []).append(line)
    for names_alike, lines in alike.items():
        yield from ("", ", ".join(names_alike))
        shown = lines if full else lines[:_SHOWN_LINES]
        yield from (f"  {line}" for line in shown)
        if len(lines) > len(shown):
            yield f"  … {len(lines) - len(shown)} more lines: --full shows them"


def _cluster(plan: Plan) -> Iterator[str]:
    change = plan.configuration
    if plan.other:
        yield from ("", str(plan.other))
    if change:
        yield from ("", "cluster configuration (CIB), as one atomic change")
        for changed in change.changes:
            yield from _object(changed)
        if change.adopted:
            yield f"  = recorded as pacefab's, as it is: {', '.join(change.adopted)}"
    if change.unmanaged:
        yield from ("", f"unmanaged, left alone: {', '.join(change.unmanaged)}")
    if change.leftover:
        yield from ("", f"no longer in the inventory, left alone: {', '.join(change.leftover)}")
        yield "  remove them with: --prune"


def _object(change: ObjectChange) -> Iterator[str]:
    """Yield the object's line; several differences stand below it, a line each."""
    if len(change.differences) > 1:
        yield f"  {_SIGNS[change.action]} {change.action} {change.kind} {change.id}"
        yield from (f"      {difference}" for difference in change.differences)
    else:
        yield f"  {_SIGNS[change.action]} {change}"


def _transitions(plan: Plan) -> Iterator[str]:
    if plan.transitions:
        yield from ("", "Pacemaker would then")
        for action in plan.transitions:
            yield f"  {action}{_INTERRUPTS if action.interrupts else ''}"
    elif plan.configuration and not plan.forming:
        yield from ("", "Pacemaker would then start, stop and move nothing")
    elif plan.configuration:
        yield from (
            "",
            "what Pacemaker would then do cannot be simulated before every node is in the cluster",
        )


def _notices(plan: Plan) -> Iterator[str]:
    if plan.notices:
        yield from ("", "not run or not looked after by Pacemaker, so neither awaited nor asked")
        yield from (f"  {notice}" for notice in plan.notices)


def _fencing(plan: Plan) -> Iterator[str]:
    """Yield what is doubtful about fencing, and of which nodes it is not proven."""
    if plan.fencing:
        yield from ("", "fencing, to be looked at")
        yield from (f"  {doubt}" for doubt in plan.fencing)


def _left_out(plan: Plan) -> Iterator[str]:
    if plan.lacks:
        yield from ("", "left out")
        yield from (f"  {line}" for line in plan.lacks)


def _updates(plan: Plan) -> Iterator[str]:
    """Yield what is restarted then, each line of a service below its first."""
    if plan.updates:
        yield from ("", "then, node by node: stopped by Pacemaker, started, asked")
        for update in plan.updates:
            yield f"  ~ {update}"
            yield from (f"      {line}" for line in update.said[1:])


def _pending(plan: Plan) -> Iterator[str]:
    """Yield what is not in force afterwards."""
    restarted = {(update.service, node) for update in plan.updates for node in update.nodes}
    left = []
    for item in plan.pending:
        kept = [n for n in item.nodes if not (item.needs_update and (item.service, n) in restarted)]
        left += [str(replace(item, nodes=tuple(kept)))] if kept else []
    yield from ("", *left) if left else ()


def _unfinished(plan: Plan) -> Iterator[str]:
    """Yield which changes were begun and not finished, and what ends them."""
    if plan.unfinished:
        yield ""
        yield from (f"not finished: {entry.name}" for entry in plan.unfinished)
        yield f"  {ways_on(plan.unfinished)}"


def _sum(plan: Plan) -> str:
    restarts = ", ".join(update.service for update in plan.updates)
    if not plan and restarts:
        return f"nothing to change; restarts {restarts} node by node"
    if not plan and plan.unfinished:
        return _NOT_FINISHED
    if not plan:
        waits = plan.pending or plan.corosync.deferred or plan.corosync.sbd
        return _NOT_IN_FORCE if waits else _NOTHING
    nodes = sum(bool(node) for node in plan.nodes.values())
    changes = len(plan.configuration.changes)
    counted = [
        f"{nodes} host{'s' * (nodes != 1)} to change",
        f"{changes} change{'s' * (changes != 1)} of the cluster's configuration",
    ]
    conf = len(plan.corosync.changes) + len(plan.corosync.unlike)
    counted += [f"{conf} change{'s' * (conf != 1)} of corosync.conf"] if conf else []
    stopped = ", ".join(dict.fromkeys(action.resource for action in plan.interruptions))
    stopped = "everything: the whole cluster restarts" if plan.corosync.restart else stopped
    counted.append(f"interrupts {stopped}" if stopped else "interrupts nothing")
    counted += [f"restarts {restarts} node by node"] if restarts else []
    return "; ".join(counted)


def render_shell(plan: Plan) -> list[str]:
    """Return the pcs commands that would make the same configuration."""
    return render_pcs(plan.configuration)


def render_json(plan: Plan) -> str:
    """Return the shape that README documents; keys are added in later versions, never renamed."""
    unfinished = [entry.shown() for entry in plan.unfinished]
    doubts = list(plan.fencing)
    return json_text({**as_data(plan), "unfinished": unfinished, "fencing": doubts})


def as_data(plan: Plan) -> dict[str, object]:
    """Return the plan as plain data: what is saved, and compared before it is applied."""
    change = plan.configuration
    return {
        "cluster": plan.cluster,
        "forming": list(plan.forming),
        "corosync": {
            "changes": list(plan.corosync.summary),
            "restarts_cluster": plan.corosync.restart,
            "not_in_this_run": [*map(str, plan.corosync.deferred), *plan.corosync.sbd_left],
        },
        "hosts": {name: list(node.changes) for name, node in plan.nodes.items() if node},
        "configuration": [
            {
                "action": str(changed.action),
                "kind": changed.kind,
                "id": changed.id,
                "change": str(changed),
                "differences": [str(difference) for difference in changed.differences],
            }
            for changed in change.changes
        ],
        "recorded": list(change.adopted),
        "unmanaged": list(change.unmanaged),
        "leftover": list(change.leftover),
        "pacemaker": [
            {"action": str(step), "resource": step.resource, "interrupts": step.interrupts}
            for step in plan.transitions
        ],
        "notices": list(plan.notices),
        "pending": [
            {
                "service": pending.service,
                "hosts": list(pending.nodes),
                "what": pending.what,
                "in_force_after": pending.in_force_after,
            }
            for pending in plan.pending
        ],
        "left_out": list(plan.lacks),
        "unreachable": {name: str(error) for name, error in plan.silent.items()},
    }
