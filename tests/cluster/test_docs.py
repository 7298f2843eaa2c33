"""The console blocks of the quick pages: run again, they print what the pages show."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.console.desk import Desk, work_through
from docs.console.page import parse
from pacefab.harness.cluster import Cluster
from tests.cluster.lengths import long_but

ROOT = Path(__file__).resolve().parents[2]
SHOWN = "debian12"  # the image that scripts/console takes
FENCED = ("README.md", "docs/tutorial.md")
QUICK = (
    "docs/howto/existing-cluster.md",
    "docs/howto/clients.md",
    "docs/howto/monitor.md",
    "docs/reference/json.md",
)


def differences(page: str, cluster: Cluster | None, folder: Path) -> list[str]:
    """Return where a page's blocks are not what its commands print."""
    read, at = parse((ROOT / page).read_text()), Desk(folder, cluster)
    at.prepare(read.state)
    _, found = work_through(read, at)
    return found


@pytest.mark.parametrize("page", long_but(QUICK[:1], QUICK))
def test_what_a_page_shows_is_what_its_commands_print(
    page: str, cluster: Cluster, tmp_path: Path
) -> None:
    assert_shown(page, cluster, tmp_path)


@pytest.mark.parametrize("page", long_but(FENCED[:1], FENCED))
def test_the_first_steps_are_on_a_cluster_that_fences(
    page: str, fenced_cluster: Cluster, tmp_path: Path
) -> None:
    assert_shown(page, fenced_cluster, tmp_path)


def assert_shown(page: str, cluster: Cluster, folder: Path) -> None:
    if cluster.image != SHOWN:
        pytest.skip(f"the pages show nodes of {SHOWN}")
    cluster.reset()
    assert differences(page, cluster, folder) == []


def test_the_migration_page_needs_no_cluster(tmp_path: Path) -> None:
    assert differences("docs/howto/migrate.md", None, tmp_path) == []
