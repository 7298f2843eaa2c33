"""Runs on a node, not here: ask memcached servers over the network, as a client does.

Standard library only, Python 3.6 and newer (what pcs brings on every supported distribution).
argv[1] is JSON: {"targets": [[address, port], ...], "seconds": 2.0}; JSON comes out, one answer per
target in the same order. All targets are asked at once, so one that hangs costs no more than
`seconds`. The key that is set expires by itself after a minute if we are killed in between.
"""
# ruff: noqa: UP006, UP035

import json
import os
import socket
import sys
import threading
import time
from typing import Any, Dict, List

LOCKED = "it wants a password (-Y)"
TLS = "it speaks TLS (-Z)"
TLS_ALERT = b"\x15\x03"  # the first bytes of TLS's answer to what is no TLS (RFC 8446, 5.1)


class BarredError(Exception):
    """It answered that nobody may ask without more than a connection; the text says what."""


def ask(address: str, port: int, seconds: float) -> Dict[str, Any]:
    """Set, get and delete a key and read the statistics; errors are part of the answer."""
    begun = time.time()
    try:
        with socket.create_connection((address, port), timeout=seconds) as link:
            link.settimeout(seconds)
            answer = converse(link)
    except TimeoutError:
        answer = {"error": "timeout"}
    except BarredError as reason:
        answer = {"barred": str(reason)}
    except (OSError, ValueError) as error:
        answer = {"error": getattr(error, "strerror", None) or str(error)}
    answer["seconds"] = time.time() - begun
    return answer


def converse(link: socket.socket) -> Dict[str, Any]:
    """Talk memcached's text protocol (its doc/protocol.txt).

    Statistics come first, so that our own get is not among what they count this time.
    """
    key = "pacefab-probe-" + os.urandom(8).hex()
    value = os.urandom(8).hex()
    stream = link.makefile("rb")
    commands = [
        "stats",
        "stats settings",
        f"set {key} 0 60 {len(value)}\r\n{value}",
        "get " + key,
        "delete " + key,
    ]
    link.sendall("".join(command + "\r\n" for command in commands).encode())
    if link.recv(len(TLS_ALERT), socket.MSG_PEEK) == TLS_ALERT:
        raise BarredError(TLS)
    answer = {
        "stats": statistics(until_end(stream)),
        "settings": statistics(until_end(stream)),
    }  # type: Dict[str, Any]
    answer["said"] = line(stream)
    got = until_end(stream)
    answer["served"] = answer["said"] == "STORED" and value in got and line(stream) == "DELETED"
    return answer


def line(stream: Any) -> str:
    """Return one line; an empty one at the end of the stream is an error."""
    raw = stream.readline()
    if not raw:
        raise ValueError("connection closed in the middle of an answer")
    return str(raw.decode(errors="replace")).strip()


def until_end(stream: Any) -> List[str]:
    """Return the lines up to END; any other answer than the one to our question is an error."""
    lines = []  # type: List[str]
    while True:
        lines.append(line(stream))
        if lines[-1] == "END":
            return lines
        if lines[-1].startswith("CLIENT_ERROR unauthenticated"):
            raise BarredError(LOCKED)
        if lines[0].split(" ")[0] not in {"STAT", "VALUE"}:
            raise ValueError("it said " + repr(lines[-1]))


def statistics(lines: List[str]) -> Dict[str, str]:
    """Return STAT name value lines as a mapping."""
    fields = [entry.split(" ", 2) for entry in lines if entry.startswith("STAT ")]
    return {field[1]: field[2] for field in fields if len(field) > 2}  # noqa: PLR2004


def main() -> None:
    """Ask every target at once and print the answers."""
    request = json.loads(sys.argv[1])
    targets = request["targets"]
    answers = [{"error": "timeout"} for _ in targets]  # type: List[Dict[str, Any]]

    def work(place: int) -> None:
        address, port = targets[place]
        answers[place] = ask(address, port, request["seconds"])

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(targets))]
    for thread in threads:
        thread.daemon = True
        thread.start()
    for thread in threads:
        thread.join(request["seconds"] * 3)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
