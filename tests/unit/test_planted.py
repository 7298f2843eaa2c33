"""Whatever a node, a CIB or a file says: nothing unprintable of it is in any form of output.

Every text in a report's data gets control characters of all kinds; each form is rendered, printed,
and read back by a reader of that form.
"""

from __future__ import annotations

import dataclasses
import enum
import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from lxml import etree
from prometheus_client.parser import text_string_to_metric_families

from pacefab.errors import CommandError
from pacefab.host.model import Mark, Outcome
from pacefab.pacemaker import cib
from pacefab.pacemaker.members import corosync
from pacefab.pacemaker.model import Membership
from pacefab.report import (
    clients,
    drill,
    drill_page,
    health,
    history,
    plan,
    prometheus,
    starter,
    verification,
)
from pacefab.report.pages import status as page
from pacefab.report.stream import json_text, one_line
from pacefab.report.text import Printer, render_error, render_last_words
from pacefab.report.upgrade import forms as upgrade
from tests.unit.screens import Terminal, seen
from tests.unit.test_deploy_plan import moved
from tests.unit.test_upgrade_check import configured
from tests.unit.test_widths import FINDING, applied, cluster, drilled, verified

KINDS = {
    "C0": "\x00\x01\x07\x08\x0b\x0c\x0e\x1b]0;owned\x07\x1b[2J\x1f",
    "C1": "\x7f\x80\x84\x85\x9b31m\x9f",
    "bidi": "\u200e\u200f\u202a\u202e\u2066\u2069\u061c",
    "zero width": "\u200b\u200c\u200d\u2060\ufeff\u00ad",
    "line ends": "\r\u2028\u2029\x1c\x1d\x1e",
    "tags": "\U000e0001\U000e0041",
    "others": "\ufff9\ufffe\ud800\U0010ffff",
}
EVIL = "".join(KINDS.values()) + "<planted>&\"'\\"
_KEPT = {"id", "begun", "state", "role", "pacemaker"}  # have a form of their own, or choose


def planted(value: Any, name: str = "") -> Any:
    """Return data with `EVIL` at the end of every text."""
    if isinstance(value, enum.Enum) or callable(value):
        return value
    if isinstance(value, str):
        return value if name in _KEPT or not value else f"{value}{EVIL}"
    if isinstance(value, tuple | list | frozenset):
        return type(value)(planted(each) for each in value)
    if isinstance(value, Mapping):
        return {
            key if isinstance(key, str) else planted(key): planted(each, str(key))
            for key, each in value.items()
        }
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        made = [field for field in dataclasses.fields(value) if field.init]
        own = {field.name: planted(getattr(value, field.name), field.name) for field in made}
        return dataclasses.replace(value, **own)
    return value


def check(text: str) -> None:
    wrong = {character for character in text if not character.isprintable() and character != "\n"}
    assert not wrong, sorted(map(hex, map(ord, wrong)))
    assert r"\x1b[2J" in text or r"\u001b[2J" in text, "nothing of it is shown"


def printed(lines: list[str], *, people: bool = True) -> str:
    stream = io.StringIO()
    printer = Printer(stream)
    (printer.text if people else printer.lines)(lines)
    return stream.getvalue()


ERROR = CommandError(f"look{EVIL}", f"seen{EVIL}\n{EVIL}", f"next{EVIL}", host=f"c1{EVIL}")
HEALTH = dataclasses.replace(
    cluster(),
    cluster=f"c{EVIL}",
    reasons=(f"r{EVIL}",),
    notices=(f"n{EVIL}",),
    services=planted(cluster().services),
    nodes=planted(cluster().nodes),
    status=planted(cluster().status),
)
TEXTS: dict[str, Callable[[], list[str]]] = {
    "status": lambda: health.render_text(HEALTH),
    "narrow": lambda: health.render_text(HEALTH, 60),
    "watched": lambda: health.render_text(HEALTH, watched=True),
    "unknown": lambda: health.render_unknown(ERROR),
    "verify": lambda: verification.render_text(planted(verified())),
    "plan": lambda: plan.render_text(dataclasses.replace(moved(), cluster=f"c{EVIL}"), full=True),
    "history": lambda: history.render_text(planted(applied())),
    "clients": lambda: clients.render_findings([planted(FINDING)], [f"/etc/x{EVIL}"]),
    "drill": lambda: drill.render_text(planted_drill()),
    "upgrade": lambda: upgrade.render_text(planted_upgrade()),
    "error": lambda: render_error(ERROR),
}


def planted_upgrade() -> Any:
    """Return findings that hold what no terminal should get; the plan has a test of its own."""
    found = configured()
    checked = tuple(
        (name, f"{where}{EVIL}", tuple(dataclasses.replace(
            one, where=f"{one.where}{EVIL}", seen=f"{one.seen}{EVIL}", fix=f"{one.fix}{EVIL}"
        ) for one in findings))
        for name, where, findings in found.checked
    )  # fmt: skip
    return dataclasses.replace(
        found, cluster=f"c{EVIL}", notices=(f"n{EVIL}",), checked=checked, plan=None
    )


def planted_drill() -> Any:
    report = drilled()
    return dataclasses.replace(
        report,
        cluster=f"c{EVIL}",
        operator=f"o{EVIL}",
        unhealthy=(f"u{EVIL}",),
        results=tuple(
            dataclasses.replace(result, trace=dataclasses.replace(result.trace, node=f"c1{EVIL}"))
            for result in report.results
        ),
    )


@pytest.mark.parametrize("report", TEXTS)
def test_text(report: str) -> None:
    check(printed(TEXTS[report]()))


JSON: dict[str, Callable[[], str]] = {
    "status": lambda: health.render_json(HEALTH),
    "unknown": lambda: health.render_unknown_json(ERROR),
    "verify": lambda: verification.render_json(planted(verified())),
    "plan": lambda: plan.render_json(dataclasses.replace(moved(), cluster=f"c{EVIL}")),
    "drill": lambda: drill.render_json(planted_drill()),
    "upgrade": lambda: upgrade.render_json(planted_upgrade()),
    "plain": lambda: json_text({"a": EVIL}, plain=True),
}


@pytest.mark.parametrize("report", JSON)
def test_json_is_read_back_as_it_was(report: str) -> None:
    text = JSON[report]()
    check(text)
    assert EVIL in json.dumps(json.loads(text), ensure_ascii=False) or _has(json.loads(text))
    assert printed(text.splitlines(), people=False) == f"{text.rstrip()}\n"


def _has(data: Any) -> bool:
    """Whether a text with all that was planted is somewhere in it."""
    if isinstance(data, Mapping):
        return any(map(_has, [*data.keys(), *data.values()]))
    if isinstance(data, list):
        return any(map(_has, data))
    return isinstance(data, str) and EVIL in data


def test_metrics_are_read_by_prometheus() -> None:
    text = printed(prometheus.render(HEALTH), people=False)
    check(text)
    found = list(text_string_to_metric_families(text))
    labels = {one.labels["cluster"] for metric in found for one in metric.samples}
    assert labels == {one_line(f"c{EVIL}")}


def test_junit_is_xml() -> None:
    text = verification.render_junit(planted(verified())).decode()
    check(text)
    assert etree.fromstring(text.encode()).find("testsuite") is not None


@pytest.mark.parametrize(
    "render",
    [
        lambda: page.render(HEALTH, datetime.now(UTC)),
        lambda: page.render_unknown(ERROR, datetime.now(UTC)),
        lambda: drill_page.render(drill.to_data(planted_drill())),
    ],
    ids=["status", "unknown", "drill"],
)
def test_pages_hold_nothing_raw_and_no_element_of_theirs(render: Callable[[], str]) -> None:
    text = render()
    check(text.replace("\t", ""))

    class Reader(HTMLParser):
        theirs = 0

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
            """Count what only a planted text would make."""
            self.theirs += tag == "planted"

    reader = Reader()
    reader.feed(text)
    assert reader.theirs == 0


def test_what_is_said_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    printer = Printer(terminal)
    with printer.working(f"deploy{EVIL}", [f"c1{EVIL}"]):
        printer.note("c1", EVIL)
        printer.waiting("c2", EVIL)
        printer.finished(Outcome(f"c3{EVIL}", EVIL, Mark.FAILED, 1.0, (EVIL,), ERROR))
        printer.summary([Outcome("c1", EVIL, Mark.FAILED, 1.0, (), ERROR)])
    check("\n".join(seen(terminal.getvalue())))
    check(render_last_words(ERROR, io.StringIO()))


def test_the_first_inventory_of_a_hostile_cluster() -> None:
    """Names of nodes and clusters that are no words are refused where they are read."""
    for name in ("c1\n- evil", "../../etc", "-rf", "\x1b[2J", "\u202e", "a/b", ".ssh"):
        text = f"totem {{\n cluster_name: {name}\n}}\n"
        if "\n" not in name:
            with pytest.raises(ValueError, match="a name that cannot be one"):
                corosync.parse(text, {})
    with pytest.raises(ValueError, match="a name that cannot be one"):
        corosync.check_word("c1\n- evil")
    with pytest.raises(ValueError, match="a name that cannot be one"):
        cib.parse_names('<cib><nodes><node id="1" uname="a&#10;b"/></nodes></cib>')
    assert "a: 'b" in starter.render_inventory(Membership("a: 'b", ()), ["memcached"])
