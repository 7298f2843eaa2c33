"""What can go wrong: what was attempted, where, what was seen and what to do next."""

from __future__ import annotations


class PacefabError(Exception):
    """Something an operator has to know about; never shown as a traceback.

    Args:
        attempted: what was being done, as a phrase ("install memcached").
        seen: what came back, last lines of output included.
        next_step: what the operator can do about it.
        host: the node it happened on; None when it concerns the whole run.
    """

    def __init__(
        self, attempted: str, seen: str, next_step: str = "", *, host: str | None = None
    ) -> None:
        super().__init__(attempted, seen, next_step)
        self.attempted = attempted
        self.seen = seen
        self.next_step = next_step
        self.host = host

    def __str__(self) -> str:
        where = f"{self.host}: " if self.host else ""
        return f"{where}{self.attempted}: {self.seen}"


def add_ending(error: PacefabError | KeyboardInterrupt, said: str) -> None:
    """Say in an error, or in an interruption, what became of what had been begun."""
    if isinstance(error, PacefabError):
        error.next_step = "; ".join(filter(None, (said, error.next_step)))
    elif said:
        error.add_note(said)


class UsageError(PacefabError):
    """The command line asks for something that cannot be; nothing was contacted. Exit code 2."""


class RefusedError(PacefabError):
    """What was found on the node or in the cluster forbids the change; nothing was changed."""


class UnreachableError(PacefabError):
    """No SSH session could be had: name, network, key, host key or privilege."""


class CommandError(PacefabError):
    """A command on a node ran and failed, or ran out of its time."""


class LostError(CommandError):
    """A host was lost while a command ran on it: whether the command was done is not known."""


class NoEndError(LostError):
    """A command gave no end in time; its host may well be there."""
