"""A short campaign: kills, one fault and two operators at once, of a seed that is always the same.

`invoke campaign` does more of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pacefab.harness.campaign import campaign, judgement, looking, records, scenario
from pacefab.harness.campaign.campaign import CampaignOrder
from pacefab.harness.campaign.judgement import StateKind
from pacefab.harness.campaign.stage import Stage
from pacefab.harness.cluster import Cluster
from tests.cluster import eyes

SEED = 11
KILLED = ("deploy", "rollback", "create-memcached", "update-memcached")
ONE_FAULT, TWO_OPERATORS = 10_001, 20_001  # a node is paused; two operators


@pytest.fixture(scope="module")
def stage(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    cluster.reset()
    yield Stage(cluster, tmp_path_factory.mktemp("campaign"))
    cluster.reset()


@pytest.mark.long
def test_a_short_campaign_leaves_nothing_that_is_neither_old_nor_new_nor_named(
    stage: Stage,
) -> None:
    kills = CampaignOrder(4, seed=SEED, commands=scenario.chosen(KILLED))
    done = list(campaign.run(stage, kills))
    for step in (ONE_FAULT, TWO_OPERATORS):
        done += campaign.run(stage, replace(kills, only=step))
    assert len(done) == 6
    assert any(record.disturbed for record in done)
    assert records.complaints(SEED, done) == []
    assert all(record.ended for record in done)


@pytest.mark.long
def test_a_file_and_a_lease_that_are_left_are_seen(stage: Stage) -> None:
    """The campaign's own eyes: what it is to find is put there by hand."""
    stage.learn([])
    stage.go(scenario.FIRST)
    cluster, path = stage.cluster, eyes.config_path(stage.cluster)
    known = stage.known[scenario.FIRST]
    cluster.run("c2", f"cp -a {path} /run/kept && echo '# torn' >>{path}")
    now = "$(cut -d . -f 1 /proc/uptime)"
    held = f"echo take abc {now} e30= >>/run/pacefab/lease"
    cluster.run("c3", f"touch /etc/x.new /tmp/y && {held}")
    try:
        seen = looking.look(cluster)
    finally:
        cluster.run("c2", f"cp -a /run/kept {path} && rm /run/kept")
        cluster.run("c3", "rm /etc/x.new /tmp/y && echo 'release abc 1' >>/run/pacefab/lease")
    found = judgement.judge(seen, known, known)
    assert found.standing is StateKind.OTHER
    assert any(path in line for line in found.why)
    left = judgement.leftovers(seen, known)
    assert left == [
        "c3: file /etc/x.new",
        "c3: temporary file /tmp/y",
        "c3: the lease is held",
    ]
