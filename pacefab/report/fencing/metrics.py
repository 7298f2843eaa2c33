"""A verification of fencing -> Prometheus' text format, for node_exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Iterator

from pacefab.report.prometheus import Metric, render_metrics
from pacefab.workflows.checks.fencing import FencingVerification


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
