"""Which node's CIB is another one's too, by the start tags that three nodes gave of one cluster."""

from __future__ import annotations

import pytest

from pacefab.pacemaker import cib_text
from pacefab.transport.command import Section

# Of nodes of Pacemaker 2.1.5 under load: c3 took the change in the next second.
HEAD = (
    '<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="12" num_updates="12"'
    ' admin_epoch="0" cib-last-written="Sun Nov 29 17:27:32 2026" update-origin="c2"'
    ' update-client="cibadmin" update-user="root" have-quorum="1" dc-uuid="2"{}>'
)
ALONE, WHOLE = HEAD.format("/"), HEAD.format("") + "<configuration/></cib>"


def section(text: str, status: int = 0) -> Section:
    return Section("cib", status, text, "")


def test_a_node_that_says_the_same_head_has_the_same_cib() -> None:
    other = section(WHOLE)
    assert cib_text.complete(section(ALONE + "\n"), other) is other


@pytest.mark.parametrize(
    ("present", "apart"),
    [('num_updates="12"', 'num_updates="7"'), ("17:27:32", "17:27:31"), ("17:27:32", "17:28:32")],
)
def test_what_each_node_counts_by_itself_is_no_difference(present: str, apart: str) -> None:
    assert cib_text.complete(section(ALONE.replace(present, apart)), section(WHOLE))


@pytest.mark.parametrize(
    ("present", "apart"),
    [
        ('epoch="12"', 'epoch="11"'),
        ('admin_epoch="0"', 'admin_epoch="1"'),
        ('origin="c2"', 'origin="c1"'),
        ('dc-uuid="2"', 'dc-uuid="1"'),
        ("17:27:32", "17:28:33"),
        ("17:27:32 2026", "17:27:32 2025"),
        ("Sun Nov", "at noon"),
        (' cib-last-written="Sun Nov 29 17:27:32 2026"', ""),
    ],
)
def test_another_head_is_asked_for_the_rest(present: str, apart: str) -> None:
    assert cib_text.complete(section(ALONE.replace(present, apart)), section(WHOLE)) is None


def test_nobody_else_to_ask_and_an_answer_that_is_no_head() -> None:
    assert cib_text.complete(section(ALONE), None) is None
    assert cib_text.complete(section(ALONE), section(WHOLE, status=1)) is None
    for own in (section("active", status=1), section(WHOLE)):
        assert cib_text.complete(own, section(WHOLE)) is own
