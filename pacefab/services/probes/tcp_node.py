"""Runs on a node, not here: whether addresses answer, all asked at once.

Standard library only, Python 3.6 and newer. argv[1] is JSON: {"targets": [[address, port, text],
...], "seconds": 2.0}; JSON comes out, one answer per target in the same order: {"line": the first
line that came back after `text` was sent} (empty text: nothing is sent or read), or {"error": ...}.
"""
# ruff: noqa: UP006, UP035

import errno
import json
import socket
import sys
import threading
from typing import Any, Dict, List


def ask(address: str, port: int, text: str, seconds: float) -> Dict[str, str]:
    """Connect, say `text` and return the first line of the answer, or the error."""
    try:
        with socket.create_connection((address, port), timeout=seconds) as link:
            if not text:
                return {"line": ""}
            link.settimeout(seconds)
            link.sendall(text.encode())
            return {"line": link.makefile("rb").readline(1000).decode(errors="replace").strip()}
    except socket.timeout:  # noqa: UP041  (another class before Python 3.10)
        return {"error": "timeout"}
    except OSError as error:
        return {"error": errno.errorcode.get(error.errno or 0, str(error))}


def ask_all(targets: List[Any], seconds: float) -> List[Dict[str, str]]:
    """Ask every target at once; one that hangs costs no more than the time limits."""
    answers = [{"error": "timeout"} for _ in targets]

    def work(place: int) -> None:
        address, port, text = targets[place]
        answers[place] = ask(address, port, text, seconds)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(targets))]
    for thread in threads:
        thread.daemon = True
        thread.start()
    for thread in threads:
        thread.join(seconds * 3)
    return answers


if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    json.dump(ask_all(request["targets"], request["seconds"]), sys.stdout)
