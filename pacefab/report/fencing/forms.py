"""A verification of fencing -> one screen of text, or JSON; JUnit XML is as of every other."""

from __future__ import annotations

import json

from pacefab.report import verification
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
