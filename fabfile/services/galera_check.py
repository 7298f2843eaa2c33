"""The health check of a database node, as HAProxy asks it."""

from __future__ import annotations

PORT = 9200  # where clustercheck has always answered
