"""Pacemaker's own test configurations: exported, made again, and judged by Pacemaker itself."""

from __future__ import annotations

import re

from pacefab.harness import corpus

SAMPLE = 40


def test_a_sample_is_the_same_and_nothing_is_lost_in_silence() -> None:
    files = corpus.configurations(None, SAMPLE)
    judged = list(corpus.judge_all(files))
    named = {one.name: one.unsaid for one in judged if one.unsaid}
    others = corpus.simulate(files, judged)
    assert len(files) == SAMPLE
    assert len(named) <= 1, named
    assert not {name: said for name, said in others.items() if name not in named}


def test_a_configuration_that_loses_something_is_seen() -> None:
    """The oracle itself: without one constraint Pacemaker does otherwise."""
    files = [file for file in corpus.configurations(None, 0) if file.name == "simple1.xml"]
    judged = list(corpus.judge_all(files))
    less = re.sub(r"<primitive.*?</primitive>", "", judged[0].rendered, flags=re.DOTALL)
    broken = corpus.Judged(judged[0].name, (), less)
    assert corpus.simulate(files, judged) == {}
    assert list(corpus.simulate(files, [broken])) == ["simple1.xml"]
