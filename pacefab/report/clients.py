"""What clients need, and what hurts in what they have -> text, or JSON for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from pacefab.clients.finding import Finding
from pacefab.clients.formats import FORMATS
from pacefab.report.stream import json_text
from pacefab.workflows.clients import CacheCluster


def render_config(cluster: CacheCluster, name: str | None) -> list[str]:
    """Return one format as it goes into a file; without a name all of them, each with a title."""
    if name is not None:
        return FORMATS[name][1](cluster.servers).splitlines()
    lines = [f"cluster {cluster.name}: {len(cluster.servers)} servers"]
    for known, (whom, render) in FORMATS.items():
        title = f"--format {known}: {whom}"
        lines += ["", title, "-" * len(title), *render(cluster.servers).splitlines()]
    return lines


def render_config_json(cluster: CacheCluster) -> str:
    """Return the shape that README documents; keys are added in later versions, never renamed."""
    servers = [
        {"node": server.node, "address": server.address, "port": server.port}
        for server in cluster.servers
    ]
    formats = {name: render(cluster.servers) for name, (_, render) in FORMATS.items()}
    return json_text({"cluster": cluster.name, "servers": servers, "formats": formats})


def render_findings(findings: Sequence[Finding], files: Collection[str]) -> list[str]:
    """Return a block for each finding, and a line that sums up."""
    lines: list[str] = []
    for finding in findings:
        lines += [f"{finding.file}:{finding.line}: {finding.seen}", f"  hurts: {finding.why}"]
        lines += [f"  write: {finding.write}", ""]
    count = f"{len(findings)} finding{'s' * (len(findings) != 1)}"
    found = count if findings else "nothing that would hurt"
    where = f"{len(files)} file{'s' * (len(files) != 1)}"
    return [*lines, f"check-clients: {found} in {where}"]


def findings_style(line: str) -> str:
    """Return the colour of a line: the last one says how it ended."""
    if not line.startswith("check-clients:"):
        return ""
    return "green" if "nothing that would hurt" in line else "red"


def render_findings_json(findings: Sequence[Finding], files: Collection[str]) -> str:
    """Return the shape that README documents; keys are added in later versions, never renamed."""
    listed = [dataclasses.asdict(finding) for finding in findings]
    return json_text({"files": list(files), "findings": listed})
