"""Whether the hosts of a run are still there: each is asked now and then, and has to answer.

TCP alone does not notice a host that is frozen, nor one that is cut off while it has nothing to
send: a run would wait for it until the time of its command is up. sshd answers a request that it
does not know, too (RFC 4254, 4: global requests), also while a command of ours says nothing.
"""

from __future__ import annotations

import threading
import time
import weakref
from dataclasses import dataclass

import paramiko
from paramiko.ssh_exception import SSHException

ASK_SECONDS = 3.0
SILENT_SECONDS = 9.0
"""How long a host may owe an answer: with the time between two questions, 13 s at most."""
_LOOK_SECONDS = 1.0
_QUESTION = "keepalive@openssh.com"  # what ssh(1) asks for its ServerAliveInterval


@dataclass
class _Peer:
    """When a session's host was asked, and whether it still owes the answer."""

    asked: float
    owes: bool = False


_peers: weakref.WeakKeyDictionary[paramiko.Transport, _Peer] = weakref.WeakKeyDictionary()
_silent: weakref.WeakSet[paramiko.Transport] = weakref.WeakSet()
_lock = threading.Lock()
_watcher: threading.Thread | None = None


def watch(session: paramiko.Transport) -> None:
    """Close the session as soon as its host no longer answers; whoever waits for it hears of it."""
    global _watcher  # noqa: PLW0603  # one for the process: a thread for each host costs time
    with _lock:
        _peers[session] = _Peer(time.monotonic())
        if _watcher is None:
            _watcher = threading.Thread(target=_go_round, name="liveness", daemon=True)
            _watcher.start()


def silence(session: paramiko.Transport | None) -> str:
    """Return, as the beginning of a sentence, that a session's host no longer answered; or ""."""
    gone = session is not None and session in _silent
    return f"it gave no sign of life for {SILENT_SECONDS:.0f} s; " if gone else ""


def _go_round() -> None:
    while True:
        time.sleep(_LOOK_SECONDS)
        with _lock:
            peers = list(_peers.items())
        for session, peer in peers:
            _look(session, peer)


def _look(session: paramiko.Transport, peer: _Peer) -> None:
    if not session.is_active():
        with _lock:
            _peers.pop(session, None)
        return
    waited = time.monotonic() - peer.asked
    if peer.owes and waited > SILENT_SECONDS:
        _silent.add(session)
        session.close()
    elif not peer.owes and waited > ASK_SECONDS:
        peer.asked, peer.owes = time.monotonic(), True
        threading.Thread(target=_ask, args=(session, peer), name="alive?", daemon=True).start()


def _ask(session: paramiko.Transport, peer: _Peer) -> None:
    """Ask; return when the answer is there, or the session has ended."""
    try:
        session.global_request(_QUESTION, wait=True)
    except (SSHException, OSError, EOFError):  # it has ended: whoever uses it hears of that
        return
    peer.owes = False
