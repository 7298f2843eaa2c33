"""What an upgrade would meet -> text, or JSON; JUnit XML is as of every verification."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from pacefab.pacemaker.upgrade.findings import Severity, UpgradeFinding
from pacefab.report import plan as planned
from pacefab.report import verification
from pacefab.report.stream import json_text
from pacefab.report.table import table
from pacefab.workflows.upgrade.check import SERVICES, SHOWN, UpgradeCheck

_TITLES: Final = (
    (Severity.BEFORE, "to be fixed before the upgrade"),
    (Severity.SERVICE, "services whose own upgrade takes more than one step"),
    (Severity.NOTICE, "to be known"),
)
_VERDICT: Final = "upgrade --check: "
_READY: Final = "can go"


def render_text(found: UpgradeCheck, width: int | None = None) -> list[str]:
    """Return versions, findings by what they mean, the plan of the fixes, and the verdict."""
    lines = [f"cluster {found.cluster}, upgrade to {found.target}"]
    if found.nodes:
        lines += ["", *_versions(found, width)]
    if found.order:
        lines += ["", f"one after the other: {', '.join(found.order)}"]
    for severity, title in _TITLES:
        lines += _block(title, found.of(severity), planned_below=found.plan is not None)
    if found.plan:
        lines += ["", "the fixes that fab upgrade --fix makes", ""]
        lines += [*planned.render_text(found.plan)]
    lines += [f"notice: {notice}" for notice in _own_notices(found)]
    return [*lines, "", _verdict(found)]


def style(line: str) -> str:
    """Return the colour of a line: the verdict, and what has to be fixed first."""
    if line.startswith(_VERDICT):
        return "green" if _READY in line else "red"
    return "red" if line == _TITLES[0][1] else planned.style(line)


def _versions(found: UpgradeCheck, width: int | None) -> list[str]:
    there = [name for name in SERVICES if any(node.version(name) for node in found.nodes)]
    names = (*SHOWN, *there)
    rows = [
        (node.name, str(node.own), *(_short(node.version(name)) for name in names))
        for node in found.nodes
    ]
    return table(("node", "release", *names), rows, width)


def _short(version: str) -> str:
    """Return a version without its epoch and what the distribution counts."""
    return version.rpartition(":")[2].partition("-")[0].partition("+")[0] or "-"


def _block(title: str, findings: Sequence[UpgradeFinding], *, planned_below: bool) -> Iterator[str]:
    if findings:
        yield from ("", title)
    for one in findings:
        yield f"  {one.where}: {one.seen}"
        yield f"      why: {one.why}"
        yield f"      fix: {one.fix}{' (planned below)' * (planned_below and one.planned)}"


def _own_notices(found: UpgradeCheck) -> list[str]:
    """Return the notices that are no findings."""
    return list(found.notices[: len(found.notices) - len(found.of(Severity.NOTICE))])


def _verdict(found: UpgradeCheck) -> str:
    first, steps = (len(found.of(s)) for s in (Severity.BEFORE, Severity.SERVICE))
    looked = f"{len(found.checked)} looked at"
    if not first and not steps:
        return f"{_VERDICT}{looked}; the cluster {_READY}"
    said = [f"{first} to be fixed first"] if first else []
    said += [f"{steps} with steps of their own"] if steps else []
    return f"{_VERDICT}{looked}; {', '.join(said)}"


def render_json(found: UpgradeCheck) -> str:
    """Return the shape that the reference documents; keys are added later, never renamed."""
    checked = json.loads(verification.render_json(found))
    del checked["matrix"]
    nodes = [
        {
            "node": node.name,
            "release": str(node.own),
            "packages": {
                name: node.version(name) for name in (*SHOWN, *SERVICES) if node.version(name)
            },
        }
        for node in found.nodes
    ]
    findings = [
        {
            "check": name,
            "where": one.where,
            "severity": str(one.severity),
            "seen": one.seen,
            "why": one.why,
            "fix": one.fix,
            "planned": one.planned,
        }
        for name, one in found.findings
    ]
    plan = planned.as_data(found.plan) if found.plan else None
    return json_text(
        {
            **checked,
            "target": found.target,
            "nodes": nodes,
            "order": list(found.order),
            "findings": findings,
            "plan": plan,
        }
    )
