"""How a client of several memcached fails over quickly; measured, see `pacefab.clients`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TIMEOUT = 0.5  # seconds
DEAD_SECONDS = 10

PYMEMCACHE_OPTIONS: Mapping[str, Any] = {
    "connect_timeout": TIMEOUT,
    "timeout": TIMEOUT,
    "retry_attempts": 0,
    "dead_timeout": DEAD_SECONDS,
    "ignore_exc": True,
    "default_noreply": False,
    "no_delay": True,
}
"""Of pymemcache's HashClient; `pacefab.clients.recommended` has the reason of each."""
