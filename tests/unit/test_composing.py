"""libyaml's events give what ruamel.yaml's own reader gives, or are left to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pacefab.inventory import document
from pacefab.inventory.composing import compose

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "inventory").glob("*.yaml"))
PIECES = """a|b: |- |{|}|[|]|, |: |:|#| # c|'|"|'x'|"y\\n"|?|? |yes|no|012|0o14|1e3|.5|~|null|1_000
|0x1F|0b1|1:30|é|=|<<|2001-01-01|@|`|-|--|a b|\\|1.0|+1|on|off|True|k: v|- {a: 1}|{a:1}|[a,b]|http://x:80
|a#b|x: 'it''s'|  |&x |*x|!!int |!y |%YAML 1.1|a:\n""".replace("\n|", "|").split("|")
MARKS = ["\n", "\n  ", "\n    ", "\t", "|", "|-", ">", "> ", "\n---\n", "...", "\r\n", "\r"]
ODD = ["\u2028", "\x85", "\ufeff"]


def by_python(text: str) -> document.Document:
    yaml = YAML(typ="safe", pure=True)
    return document._Reading(yaml).read(yaml.compose(text))  # noqa: SLF001


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, *MARKS, *ODD]), max_size=14).map("".join))
def test_both_readers_read_the_same(text: str) -> None:
    root = compose(text)
    if root is not None:
        yaml = YAML(typ="safe", pure=True)
        assert document._Reading(yaml).read(root) == by_python(text)  # noqa: SLF001


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_inventories_are_read_by_libyaml(file: Path) -> None:
    text = file.read_text()
    assert compose(text) is not None
    assert document.parse(text) == by_python(text)


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000])
def test_what_is_nested_without_end_is_refused(text: str) -> None:
    with pytest.raises(document.SyntaxMistakeError, match="nested too deeply"):
        document.parse(text)
