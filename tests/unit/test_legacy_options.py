"""Options of command lines, split as getopt splits them."""

from __future__ import annotations

import pytest

from pacefab.legacy.options import Syntax, UnknownOptionError, split_options

STRICT = Syntax("n f", "q v", attached="i", long={"lines": "n", "quiet": "q"})
MIXED = Syntax("n", long={"lines": "n"}, mixed=True)


@pytest.mark.parametrize(
    ("words", "given", "operands"),
    [
        ("-q a", [("q", "")], ["a"]),
        ("-qvn5 a", [("q", ""), ("v", ""), ("n", "5")], ["a"]),
        ("-qn 5 a", [("q", ""), ("n", "5")], ["a"]),
        ("--lines=5 --quiet a", [("n", "5"), ("q", "")], ["a"]),
        ("--lines 5 a", [("n", "5")], ["a"]),
        ("-i a", [("i", "")], ["a"]),
        ("-qi.bak a", [("q", ""), ("i", ".bak")], ["a"]),
        ("-- -q a", [], ["-q", "a"]),
        ("-n -- -- a", [("n", "--")], ["a"]),
        ("- -q", [], ["-", "-q"]),
        ("a -q -- -v", [], ["a", "-q", "--", "-v"]),
        ("", [], []),
    ],
)
def test_options_end_at_the_first_operand(
    words: str, given: list[tuple[str, str]], operands: list[str]
) -> None:
    options = split_options(words.split(), STRICT)
    assert [(option.name, option.value) for option in options.given] == given
    assert options.operands == operands
    assert words.split()[options.first :] == operands


@pytest.mark.parametrize(
    ("words", "given", "operands"),
    [
        ("a -x b -n 5 c", [("x", ""), ("n", "5")], ["a", "b", "c"]),
        ("a --lines=5 -- -x", [("n", "5")], ["a", "-x"]),
        ("a -n", [("n", "")], ["a"]),
    ],
)
def test_options_may_follow_operands(
    words: str, given: list[tuple[str, str]], operands: list[str]
) -> None:
    options = split_options(words.split(), MIXED)
    assert [(option.name, option.value) for option in options.given] == given
    assert options.operands == operands


@pytest.mark.parametrize("words", ["-x", "-qx", "--unknown", "--unknown=5", "-n"])
def test_an_option_that_the_program_does_not_have_is_refused(words: str) -> None:
    with pytest.raises(UnknownOptionError):
        split_options(words.split(), STRICT)


def test_the_last_value_of_an_option_counts() -> None:
    options = split_options(["-n", "1", "-n2", "-q"], STRICT)
    assert options.value("n") == "2"
    assert options.values("n") == ["1", "2"]
    assert options.value("f", "none") == "none"
    assert "q" in options
    assert options.names == {"n", "q"}
    assert [option.at for option in options.given] == [1, 2, 3]
