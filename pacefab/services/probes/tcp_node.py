"""Runs on a node, not here: whether addresses answer, all asked at once.

Standard library only, Python 3.6 and newer. argv[1] is JSON: {"targets": [[address, port, text,
whole], ...], "seconds": 2.0}; an address that begins with / is a socket in the file system. JSON
comes out, one answer per target in the same order: {"text": the first line that came back after
`text` was sent, or all until the other side closed (`whole`), "seconds": 0.01} (empty `text`:
nothing is sent or read), or {"error": ...}.
"""
# ruff: noqa: UP006, UP035

import errno
import json
import socket
import sys
import threading
import time
from typing import Any, Dict, List

MOST_BYTES = 1 << 20


def ask(address: str, port: int, text: str, whole: bool, seconds: float) -> Dict[str, Any]:
    """Connect, say `text` and return the answer, or the error; `seconds` are for all of it."""
    begun = time.time()
    try:
        with connect(address, port, seconds) as link:
            answer = converse(link, text, whole, begun + seconds) if text else b""
    except socket.timeout:  # noqa: UP041  (another class before Python 3.10)
        return {"error": "timeout"}
    except OSError as error:
        return {"error": errno.errorcode.get(error.errno or 0, str(error))}
    return {"text": answer.decode(errors="replace"), "seconds": time.time() - begun}


def connect(address: str, port: int, seconds: float) -> socket.socket:
    """Return a connection to the address."""
    if not address.startswith("/"):
        return socket.create_connection((address, port), timeout=seconds)
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(seconds)
    link.connect(address)
    return link


def converse(link: socket.socket, text: str, whole: bool, deadline: float) -> bytes:
    """Say `text` and return what comes back: a line, or all of it."""
    link.sendall(text.encode())
    answer = b""
    while len(answer) < MOST_BYTES and (whole or b"\n" not in answer):
        left = deadline - time.time()
        if left <= 0:
            raise socket.timeout  # noqa: UP041
        link.settimeout(left)
        more = link.recv(65536)
        if not more:
            break
        answer += more
    return answer if whole else answer.partition(b"\n")[0][:1000].strip()


def ask_all(targets: List[Any], seconds: float) -> List[Dict[str, Any]]:
    """Ask every target at once; one that hangs costs no more than the time limit."""
    answers = [{"error": "timeout"} for _ in targets]  # type: List[Dict[str, Any]]

    def work(place: int) -> None:
        address, port, text, whole = targets[place]
        answers[place] = ask(address, port, text, whole, seconds)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(targets))]
    for thread in threads:
        thread.daemon = True
        thread.start()
    latest = time.time() + seconds * 1.1
    for thread in threads:
        thread.join(max(0.0, latest - time.time()))
    return list(answers)


if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    json.dump(ask_all(request["targets"], request["seconds"]), sys.stdout)
