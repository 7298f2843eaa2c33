"""A verification of fencing -> one screen of text, JSON, metrics; JUnit XML is as of every one."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pacefab.report import verification
from pacefab.report.prometheus import Metric, render_metrics
from pacefab.report.stream import json_text
from pacefab.report.table import table
from pacefab.workflows.checks.fencing import FencedNode, FencingVerification

_HEADINGS = ("node", "fenced by", "off within", "board seen to be its own", "last fenced (UTC)")


def render_text(found: FencingVerification, width: int | None = None) -> list[str]:
    """Return a table of the nodes, a line per kind of check, each failure with its likely cause."""
    first, *rest = verification.render_text(found, width)
    rows = [_row(node) for node in found.nodes]
    return [first, *(["", *table(_HEADINGS, rows, width)] if rows else []), *rest]


def _row(node: FencedNode) -> tuple[str, ...]:
    within = "-" if node.seconds is None else f"{node.seconds:.0f} s"
    proof = node.proof.day if node.proof else "not known"
    own = "yes" if node.own else "not compared"
    return node.node, ", ".join(node.devices) or "nothing", within, own, proof


def render_json(found: FencingVerification) -> str:
    """Return the shape that the reference documents; keys are added later, never renamed."""
    checked = json.loads(verification.render_json(found))
    del checked["matrix"]
    nodes = [
        {
            "node": node.node,
            "devices": list(node.devices),
            "board_is_its_own": node.own or None,
            "seconds_until_off": node.seconds,
            "last_fenced": node.proof.at if node.proof else None,
        }
        for node in found.nodes
    ]
    answers = [
        {
            "device": answer.question.device.id,
            "asked_from": answer.question.asker,
            "target": answer.question.target or None,
            "ok": answer.ok,
            "seconds": answer.seconds,
        }
        for answer in found.answers
    ]
    return json_text({**checked, "nodes": nodes, "answers": answers})


def render_prometheus(found: FencingVerification) -> list[str]:
    """Return the lines for a textfile collector."""
    return render_metrics(list(_metrics(found)), found.cluster)


def _metrics(found: FencingVerification) -> Iterator[Metric]:
    failed = float(len(found.failed))
    text = "Checks of verify-fencing that failed"
    yield Metric("fencing_checks_failed", "gauge", text, [({}, failed)])
    answers = [
        (
            {
                "device": answer.question.device.id,
                "node": answer.question.asker,
                "target": answer.question.target,
            },
            float(answer.ok),
        )
        for answer in found.answers
    ]
    text = "1 when a fence device answered a node within its limit"
    yield Metric("fencing_device_answers", "gauge", text, answers)
    proven = [({"node": n.node}, float(n.proof.at if n.proof else 0)) for n in found.nodes]
    text = "When a node was last fenced for real, seconds since 1970; 0: not known"
    yield Metric("fencing_proven_timestamp_seconds", "gauge", text, proven)
    off = [({"node": n.node}, n.seconds) for n in found.nodes if n.seconds is not None]
    text = "Seconds until a lost node is known to be off, at the latest"
    yield Metric("fencing_until_off_seconds", "gauge", text, off)
