"""What Pacemaker's programs and services may say wrong: understood, or one sentence.

Real answers are damaged at random places (the same ones at each run), and everything that reads
them is run.
"""

from __future__ import annotations

import random
from itertools import chain

import pytest
from lxml import etree

from pacefab.errors import PacefabError
from pacefab.pacemaker import cib, live
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.configuration import read_configuration
from pacefab.pacemaker.ownership import runners
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration
from pacefab.pacemaker.restore import plan_restore, render_restored
from pacefab.services.figures import Figure, span, wrong_figures
from pacefab.transport import xml_answers
from pacefab.transport.command import Section
from pacefab.workflows.checks.service_health import instances, recognise
from tests.unit import captured

ANSWERS = {
    "cib": captured.text("debian12", "cib-stack.xml"),
    "monitor": captured.text("debian12", "monitor-mixed.xml"),
    "graph": captured.text("debian12", "graph-restart.xml"),
}
GOOD = cib.parse(ANSWERS["cib"])
VALUES = ("", "x", "-1", "9" * 40, "\u202e", "a b", "true")
TAGS = ("x", "primitive", "clone", "group", "resource", "node")


def damaged(text: str, chance: random.Random) -> str:
    """Return XML with some attributes and elements gone, renamed, or of another value."""
    root = etree.fromstring(text.encode())
    for _ in range(chance.randint(1, 6)):
        element = chance.choice([e for e in root.iter() if isinstance(e.tag, str)])
        parent, name = element.getparent(), chance.choice(sorted(element.attrib) or [""])
        match chance.randrange(4):
            case 0 if name:
                del element.attrib[name]
            case 1 if name:
                element.set(name, chance.choice(VALUES))
            case 2 if parent is not None:
                parent.remove(element)
            case _:
                element.tag = chance.choice(TAGS)
    return etree.tostring(root, encoding="unicode")


def read_everything(texts: dict[str, str]) -> None:
    sections = {name: Section(name, 0, text, "") for name, text in texts.items()}
    now = live.read_cib(sections)
    status = live.read_word(now, sections)
    runners(now)
    recognise(now)
    list(chain.from_iterable(instances(status, name) for name in status.primitives))
    _plan(now)


def _plan(now: Cib) -> None:
    desired = plan_configuration(now, read_configuration(GOOD))
    render_configuration(now, desired)
    for one, other in ((now, GOOD), (GOOD, now)):
        assert all(map(str, plan_restore(one, other).changes))
        render_restored(one, other)


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_answer_is_understood_or_a_sentence(seed: int) -> None:
    chance, refused = random.Random(seed), list[str]()  # noqa: S311  # the same each time
    for _ in range(20):
        texts = {n: damaged(t, chance) if chance.random() < 0.6 else t for n, t in ANSWERS.items()}
        try:
            read_everything(texts)
        except PacefabError as error:
            refused.append(error.next_step)
    assert all(refused)
    assert len(refused) < 20


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
WRONG = {
    "nothing": "",
    "no XML": "Welcome!",
    "cut off": ANSWERS["cib"][:1000],
    "another XML": "<html/>",
    "laughs": f'<!DOCTYPE cib [<!ENTITY a0 "ha">{LAUGHS}]><cib a="&a9;">&a9;</cib>',
    "a file of ours": '<!DOCTYPE cib [<!ENTITY x SYSTEM "file:///etc/passwd">]><cib>&x;</cib>',
    "NUL": "<cib>\0</cib>",
    "deep": "<cib>" * 5000,
    "no text": "\ud800",
    "its own encoding": '<?xml version="1.0" encoding="utf-7"?>+ADw-cib/+AD4-',
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("of", ["cib", "monitor", "graph"])
def test_what_is_none_of_pacemakers_is_a_sentence(text: str, of: str) -> None:
    with pytest.raises(PacefabError) as raised:
        read_everything({**ANSWERS, of: text})
    assert "passwd" not in raised.value.seen.replace("file:///etc/passwd", "")
    assert len(raised.value.seen) < 1000


def test_a_document_type_without_entities_is_an_agents() -> None:
    text = '<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd"><resource-agent/>'
    assert xml_answers.parse(text).tag == "resource-agent"


FIGURES = (Figure("items", "Items", column="items"), Figure("version", "Version", "info"))


@pytest.mark.parametrize(
    "read",
    [
        {"items": "abc"}, {"items": float("nan")}, {"items": float("inf")}, {"items": 10**30},
        {"items": None}, {"items": [1]}, {"version": 7}, {"version": "x" * 1000}, {"else": {}},
    ],
    ids=str,
)  # fmt: skip
def test_figures_that_are_none_are_named(read: dict[str, object]) -> None:
    assert wrong_figures(FIGURES, read).startswith("its figures make no sense: ")


def test_figures_that_are_some_are_nothing_to_name() -> None:
    read: dict[str, object] = {"items": 3, "version": "1.6", "address": "192.0.2.1", "port": 11211}
    assert wrong_figures(FIGURES, read) == ""
    assert span(2**62).endswith("0:00:00")
