"""Run the steps of a plan on one host, and say in an operator's words what stopped it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fabfile.errors import CommandError, PacefabError, RefusedError
from fabfile.host import packages
from fabfile.host.model import Package
from fabfile.transport.command import LOCK, Section, Step, failed
from fabfile.transport.connection import Host

# At worst a package manager is run three times: install, update, install.
_RUNS = 3
_REST_SECONDS = 120  # for everything else that a change does


def change_node(
    host: Host,
    package: Package,
    steps: Sequence[Step],
    *,
    note: Callable[[str], None],
    lock_seconds: int = packages.LOCK_SECONDS,
) -> None:
    """Run the steps; `note` hears when a package manager's lock is waited for.

    The time limit leaves room for waiting `lock_seconds`, as the steps were planned to.

    Raises:
        PacefabError: a step failed; those before it were undone.
    """

    def on_line(line: str) -> None:
        if said := packages.waiting(line):
            note(said)

    seconds = _RUNS * (packages.INSTALL_SECONDS + lock_seconds) + _REST_SECONDS
    sections = host.change(steps, seconds=seconds, on_line=on_line)
    check_lock(sections)
    if stopped := failed(sections):
        raise _explain(package, stopped)
    missing = [item.name for item in steps if item.name not in sections]
    if missing:
        raise CommandError(
            "change the node",
            f"it was cut off at: {missing[0]}",
            "run this again: it is safe to repeat",
        )


def check_lock(sections: Mapping[str, Section]) -> None:
    """Raise a RefusedError when a change never began: another run holds the node's lock."""
    if not sections[LOCK].ok:
        raise RefusedError(
            "change the node",
            "another run is changing it right now (/run/pacefab.lock)",
            "wait until that one is done, then run this again",
        )


def _explain(package: Package, stopped: Section) -> PacefabError:
    if stopped.name in {"install", "purge"}:
        return packages.explain(package, stopped)
    hint = (
        "free some space (df -h), run again"
        if "No space left" in stopped.text
        else ("mend that on the node, run again")
    )
    seen = stopped.text or f"exit status {stopped.status}"
    return CommandError(f"change the node (step {stopped.name})", seen, f"it was undone; {hint}")
