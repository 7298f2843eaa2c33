"""Runs on a node, not here: what RabbitMQ's own node knows of the cluster, by its management API.

Standard library only, Python 3.6 and newer. argv[1] is JSON: {"port": 15672,
"user": "pacefab-probe", "credentials": path, "seconds": 2.0}; the password is in the file
`credentials`. JSON comes out: {"messages": {"ready": 0, "unacknowledged": 0}, "nodes": [...],
"own": its name, "queues": 3, "without_quorum": [queues], "without_leader": [queues], "critical":
[queues]}, or {"error": ...}; {} without such a file. A queue is {"name", "there", "absent"}, with
its members of which a process is there and the others.
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
QUEUES = "/api/queues?columns=name,type,leader,members,online"
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
            **troubles(queues, overview["node"]),
        }
    except socket.timeout:
        return {"error": f"timed out after {request['seconds']:g} s"}
    except (OSError, ValueError, http.client.HTTPException) as error:
        return {"error": getattr(error, "strerror", None) or str(error)}
    finally:
        link.close()


def troubles(queues: List[Dict[str, Any]], own: str) -> Dict[str, List[Dict[str, Any]]]:
    """Return the quorum queues that lack something, by what that is.

    No majority of members is there; or no leader is, although a majority is; or it would be a
    majority no more if the node `own` stopped.
    """
    found = {"without_quorum": [], "without_leader": [], "critical": []}  # type: Dict[str, List[Any]]
    for queue in queues:
        members, there = queue.get("members") or [], queue.get("online") or []
        if queue.get("type") != "quorum" or not members:
            continue
        absent = [name for name in members if name not in there]
        said = {"name": queue["name"], "there": there, "absent": absent}
        if len(there) * 2 <= len(members):
            found["without_quorum"].append(said)
        elif queue.get("leader") not in there:
            found["without_leader"].append(said)
        elif own in there and (len(there) - 1) * 2 <= len(members):
            found["critical"].append(said)
    return found


if __name__ == "__main__":
    json.dump(figures(json.loads(sys.argv[1])), sys.stdout)
