"""Which of a test's cases run with every change; the others take long (`scripts/test --long`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def long_but(short: Collection[Any], cases: Iterable[Any]) -> list[Any]:
    """Return cases for `parametrize`, each a value or a tuple of them; all but some marked long."""
    return [case if case in short else _long(case) for case in cases]


def _long(case: Any) -> Any:
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.long)
