"""Whose process has ended is never mistaken: that would remove a living cluster."""

from __future__ import annotations

import json
import subprocess
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from docker.errors import APIError

from pacefab.harness import cleanup
from pacefab.harness.place import DESCRIPTION


def owner_of_ended_process() -> str:
    """Return the owner that a process claimed to be which has ended since."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    boot, namespace, _, started = cleanup.owner_of_this_process().split(":")
    return f"{boot}:{namespace}:{ended.pid}:{started}"


def test_this_process_lives() -> None:
    assert not cleanup.is_dead(cleanup.owner_of_this_process())


def test_ended_process_is_dead() -> None:
    assert cleanup.is_dead(owner_of_ended_process())


def test_reused_process_id_is_another_process() -> None:
    boot, namespace, pid, started = cleanup.owner_of_this_process().split(":")
    assert cleanup.is_dead(f"{boot}:{namespace}:{pid}:{int(started) - 1}")


def test_process_of_an_earlier_boot_is_dead() -> None:
    _, namespace, pid, started = cleanup.owner_of_this_process().split(":")
    assert cleanup.is_dead(f"earlier:{namespace}:{pid}:{started}")


def test_process_of_another_container_counts_as_living() -> None:
    boot, _, _, started = cleanup.owner_of_this_process().split(":")
    assert not cleanup.is_dead(f"{boot}:1:1:{started}")


@pytest.mark.parametrize("owner", [cleanup.KEPT, "", "a:b"])
def test_what_is_no_process_is_never_dead(owner: str) -> None:
    assert not cleanup.is_dead(owner)


def test_description_decides_over_who_made_it(tmp_path: Path) -> None:
    labels = {cleanup.FOLDER_LABEL: str(tmp_path), cleanup.OWNER_LABEL: "maker"}
    assert cleanup.owner_of(labels) == "maker"
    (tmp_path / DESCRIPTION).write_text(json.dumps({"owner": cleanup.KEPT}))
    assert cleanup.owner_of(labels) == cleanup.KEPT
    (tmp_path / DESCRIPTION).write_text('{"ow')
    assert cleanup.owner_of(labels) == "maker"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("removal of container 4f0 is already in progress", True),
        ("error while removing network: network n1 id dd49 has active endpoints", True),
        ("permission denied", False),
    ],
)
def test_what_docker_still_holds_is_left_for_a_later_sweep(said: str, left: bool) -> None:
    thing = MagicMock()
    thing.remove.side_effect = APIError(f"403 Client Error: Forbidden ({said!r})")
    with nullcontext() if left else pytest.raises(APIError):
        assert not cleanup._remove_quietly(thing)  # noqa: SLF001  # as the engine said it
