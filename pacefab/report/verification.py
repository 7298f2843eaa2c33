"""A verification -> one screen of text, or JUnit XML for CI servers."""

from __future__ import annotations

from collections import Counter

from lxml import etree

from pacefab.report.stream import clean, json_text
from pacefab.report.table import table
from pacefab.services.checks import Contact
from pacefab.workflows.checks.verification import Verification


def render_text(found: Verification, width: int | None = None) -> list[str]:
    """Return the matrix, a line per kind of check, and each failure with its likely cause."""
    matrix = _matrix(found, width) if found.matrix else []
    lines = [f"cluster {found.cluster}", *matrix, ""]
    total, bad = Counter(c.name for c in found.checks), Counter(c.name for c in found.failed)
    for name, count in total.items():
        sign = "!" if bad[name] else "="
        lines.append(f"{sign} {name:<30} {count - bad[name]} of {count}")
    for check in found.failed:
        lines += ["", f"failed: {check.name}, {check.where}", f"  seen:  {check.seen}"]
        lines += [f"  next:  {check.cause}"] if check.cause else []
    passed = len(found.checks) - len(found.failed)
    notices = ["", *(f"notice: {notice}" for notice in found.notices)] if found.notices else []
    verdict = f"{found.title}: {passed} passed, {len(found.failed)} failed"
    return [*lines, *notices, "", verdict]


def style(line: str) -> str:
    """Return the colour of a line: failures, and how it ended."""
    if line.startswith("verify-"):
        return "green" if line.endswith(" 0 failed") else "red"
    return "red" if line.startswith(("! ", "failed:")) else ""


def _matrix(found: Verification, width: int | None) -> list[str]:
    """Return who reached whom: a row per asking node, a column per asked one."""
    asked = dict.fromkeys(_target(contact) for row in found.matrix.values() for contact in row)
    rows = []
    for asker, row in found.matrix.items():
        cells = {_target(contact): _cell(contact) for contact in row}
        rows.append((asker, *(cells.get(target, "-") for target in asked)))
    return table(("from \\ to", *(node for node, *_ in asked)), rows, width)


def _target(contact: Contact) -> tuple[str, str, int]:
    return contact.node, contact.address, contact.port


def _cell(contact: Contact) -> str:
    return f"{contact.seconds * 1000:.0f} ms" if contact.served else "FAILED"


def render_json(found: Verification) -> str:
    """Return the shape that README documents; keys are added in later versions, never renamed."""
    matrix = [
        {"from": asker, "to": c.node, "address": c.address, "port": c.port, "served": c.served,
         "seconds": c.seconds, "error": c.error or None}
        for asker, row in found.matrix.items() for c in row
    ]  # fmt: skip
    keys = ("name", "where", "ok", "seen", "cause")
    checks = [{key: getattr(check, key) for key in keys} for check in found.checks]
    said = {"cluster": found.cluster, "ok": not found.failed, "matrix": matrix, "checks": checks,
            "notices": list(found.notices)}  # fmt: skip
    return json_text(said)


def render_junit(found: Verification) -> bytes:
    """Return JUnit XML: a test case per check."""
    suite = etree.Element(
        "testsuite",
        name=clean(f"{found.title} {found.cluster}"),
        tests=str(len(found.checks)),
        failures=str(len(found.failed)),
        errors="0",
    )
    for check in found.checks:
        case = etree.SubElement(
            suite, "testcase", classname=clean(check.name), name=clean(check.where)
        )
        if not check.ok:
            failure = etree.SubElement(case, "failure", message=clean(check.seen))
            failure.text = clean(check.cause)
    root = etree.Element("testsuites")
    root.append(suite)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True))
