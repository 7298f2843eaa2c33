"""Runs on a node, not here: note ten times a second what is active on it, in a file on disk.

Standard library only, Python 3.6 and newer. argv[1] is JSON: {"file": path, "seconds": 600,
"vips": {resource: address}, "activities": [{...}]} (`pacefab.services.activity`). The first line of
the file is JSON: {"boot": line}; each other one is the seconds since the machine was started and
what is active: "12345.67 vip-a galera=4/3". It ends after so many seconds, and then removes the
folder of the file, which nobody has fetched by then.
"""
# ruff: noqa: UP006, UP035, UP045

import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

TICK_SECONDS = 0.1
ANSWER_SECONDS = 0.3
AGAIN_SECONDS = 0.5
_BOOTTIME = 7  # CLOCK_BOOTTIME, which Python 3.6 has no name for


def now() -> float:
    """Return the seconds since the machine was started, as /proc/uptime has them."""
    return time.clock_gettime(_BOOTTIME)


def boot() -> str:
    """Return a line that is another one after each start; see `host.boots`."""
    found = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    words = Path("/proc/1/stat").read_text().rpartition(") ")[2].split()
    return f"{found} {words[19]}"


def local_addresses() -> Set[str]:
    """Return the node's own addresses, as the kernel has them."""
    found, last = set(), ""
    for line in Path("/proc/net/fib_trie").read_text().splitlines():
        word = line.strip()
        if word.startswith("|-- "):
            last = word[4:]
        elif word == "/32 host LOCAL":
            found.add(last)
    six = Path("/proc/net/if_inet6")
    for line in six.read_text().splitlines() if six.exists() else ():
        found.add(socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line.split()[0])))
    return found


def normal(address: str) -> str:
    """Return an address as the kernel's are written here; one that is none stays as it is."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.inet_ntop(family, socket.inet_pton(family, address))
    except OSError:
        return address


class Asking(threading.Thread):
    """Asks one instance again and again; `state` is what it said last, None: it is not active."""

    def __init__(self, activity: Dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self._activity = activity
        self.resource = str(activity["resource"])
        self._answer = re.compile(activity["answer"].encode(), re.DOTALL)
        self._active = re.compile(activity["active"].encode(), re.DOTALL)
        self.state: Optional[str] = None

    def run(self) -> None:
        """Ask until the process ends; who gives no answer is asked anew."""
        while True:
            try:
                self._talk()
            except (OSError, ValueError):
                self.state = None
            time.sleep(AGAIN_SECONDS)

    def _talk(self) -> None:
        if self._activity["argv"]:
            with subprocess.Popen(
                self._activity["argv"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as process:  # fmt: skip
                try:
                    if process.stdin and process.stdout:
                        self._ask_on(process.stdin.fileno(), process.stdout.fileno())
                finally:
                    process.kill()
            return
        place = (self._activity["address"], self._activity["port"])
        with socket.create_connection(place, ANSWER_SECONDS) as link:
            link.settimeout(None)
            password = self._password()
            if password:
                os.write(link.fileno(), b"AUTH " + password.encode() + b"\r\n")
                self._read(link.fileno(), re.compile(rb"\r\n"))
            self._ask_on(link.fileno(), link.fileno())

    def _password(self) -> str:
        if not self._activity["config"]:
            return ""
        lines = Path(self._activity["config"]).read_text(encoding="utf-8").splitlines()
        words = [line.split(None, 1) for line in lines if line.startswith("requirepass ")]
        return words[-1][1].strip() if words else ""

    def _ask_on(self, to: int, back: int) -> None:
        while True:
            os.write(to, self._activity["say"].encode())
            found = self._active.search(self._read(back, self._answer))
            groups = [group.decode() for group in found.groups() if group] if found else []
            self.state = "/".join(groups) if found else None
            time.sleep(TICK_SECONDS / 2)

    def _read(self, back: int, whole: "re.Pattern[bytes]") -> bytes:
        """Return a whole answer. Raises OSError: none came in time, or it ended."""
        text, deadline = b"", time.monotonic() + ANSWER_SECONDS
        while not whole.search(text):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([back], [], [], left)[0]:
                raise OSError("no answer in time")
            piece = os.read(back, 1 << 16)
            if not piece:
                raise OSError("it ended")
            text += piece
        return text


def write_through(file: int) -> None:
    """Have the disk keep what is written, again and again: power may go at any moment."""
    while True:
        os.fdatasync(file)
        time.sleep(TICK_SECONDS)


def active(vips: Dict[str, str], askings: List[Asking]) -> List[str]:
    """Return what is active on the node now."""
    own = local_addresses()
    found = [resource for resource, address in vips.items() if address in own]
    for asking in askings:
        state = asking.state
        if state is not None:
            found.append(asking.resource + (f"={state}" if state else ""))
    return found


def record(request: Dict[str, Any]) -> None:
    """Record until the time is up."""
    path = Path(request["file"])
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    vips = {resource: normal(address) for resource, address in request["vips"].items()}
    askings = [Asking(activity) for activity in request["activities"]]
    for asking in askings:
        asking.start()
    # A line that lost its end with the power is none; what comes behind it begins a new one.
    os.write(file, b"\n" + json.dumps({"boot": boot()}).encode() + b"\n")
    threading.Thread(target=write_through, args=(file,), daemon=True).start()
    begun = tick = now()
    while tick - begun < request["seconds"]:
        line = " ".join([f"{now():.2f}", *active(vips, askings)])
        os.write(file, line.encode() + b"\n")
        time.sleep(max(0.0, tick + TICK_SECONDS - now()))
        tick = now()
    shutil.rmtree(str(path.parent), ignore_errors=True)


if __name__ == "__main__":
    record(json.loads(sys.argv[1]))
