"""Properties that have two names, which are one property. Pure."""

from __future__ import annotations

from collections.abc import Mapping

NEW_NAMES: Mapping[str, str] = {
    "stonith-enabled": "fencing-enabled",
    "stonith-action": "fencing-action",
    "stonith-timeout": "fencing-timeout",
    "stonith-max-attempts": "fencing-max-attempts",
    "stonith-watchdog-timeout": "fencing-watchdog-timeout",
    "fence-reaction": "fencing-reaction",
}
"""The names that Pacemaker 3.0.2 has, by the names before that."""
