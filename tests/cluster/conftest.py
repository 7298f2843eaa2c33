"""Marks everything in this folder: it needs real nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder; pytest passes those of all folders."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)
