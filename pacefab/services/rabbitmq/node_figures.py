"""Runs on a node, not here: what RabbitMQ's own node knows of the cluster, by its management API.

Standard library only, Python 3.6 and newer. argv[1] is JSON: {"port": 15672,
"user": "pacefab-probe", "credentials": path, "seconds": 2.0}; the password is in the file
`credentials`. JSON comes out: {"messages": {"ready": 0, "unacknowledged": 0}, "nodes": [...],
"own": its name, "queues": 3, "without_quorum": [names]}, or {"error": ...}; {} without such a file.
"""
# ruff: noqa: UP006, UP035, UP041

import base64
import http.client
import json
import socket
import sys
from pathlib import Path
from typing import Any, Dict, List

NODES = "/api/nodes?columns=name,running,partitions,mem_alarm,disk_free_alarm,mem_used"
QUEUES = "/api/queues?columns=name,type,members,online"
OK = 200


def figures(request: Dict[str, Any]) -> Dict[str, Any]:
    """Ask; errors are part of the answer."""
    try:
        password = Path(request["credentials"]).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return {}
    link = http.client.HTTPConnection("127.0.0.1", request["port"], timeout=request["seconds"])
    word = base64.b64encode(f"{request['user']}:{password}".encode()).decode()
    headers = {"Authorization": "Basic " + word}

    def get(path: str) -> Any:
        link.request("GET", path, headers=headers)
        answer = link.getresponse()
        text = answer.read()
        if answer.status != OK:
            raise ValueError(f"{answer.status} {answer.reason}")
        return json.loads(text.decode())

    try:
        overview = get("/api/overview")
        totals = overview.get("queue_totals") or {}
        kinds = ("ready", "unacknowledged")
        queues = get(QUEUES)
        return {
            "messages": {kind: totals.get("messages_" + kind, 0) for kind in kinds},
            "nodes": get(NODES),
            "own": overview["node"],
            "queues": len(queues),
            "without_quorum": without_quorum(queues),
        }
    except socket.timeout:
        return {"error": f"timed out after {request['seconds']:g} s"}
    except (OSError, ValueError, http.client.HTTPException) as error:
        return {"error": getattr(error, "strerror", None) or str(error)}
    finally:
        link.close()


def without_quorum(queues: List[Dict[str, Any]]) -> List[str]:
    """Return the quorum queues of whose members no majority is there."""
    return [
        queue["name"]
        for queue in queues
        if queue.get("type") == "quorum"
        and len(queue.get("online", ())) * 2 <= len(queue.get("members", ()))
    ]


if __name__ == "__main__":
    json.dump(figures(json.loads(sys.argv[1])), sys.stdout)
