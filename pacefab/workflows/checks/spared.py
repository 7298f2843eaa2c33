"""Whether a service can do without one of its instances now, by its own word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pacefab.errors import RefusedError
from pacefab.services.probes.probe import Probe
from pacefab.transport.connection import Host
from pacefab.waiting import Pending, Waits, wait_until
from pacefab.workflows.checks.probing import put


def await_spared(
    attempt: str, hosts: Mapping[str, Host], probes: Sequence[Probe], seconds: float, waits: Waits
) -> None:
    """Wait until the services' other instances can do without the ones that are to be stopped.

    Args:
        attempt: what they are stopped for: "stop redis for its update".
        hosts: the nodes.
        probes: the services' own questions before an instance is stopped (`Service.before_stop`).
        seconds: how long is waited.
        waits: hears what is waited for.

    Raises:
        RefusedError: they still cannot after `seconds`; nothing was done.
    """

    def look() -> bool | Pending:
        wrong = "\n".join(result.wrong for result in put(hosts, probes) if result.wrong)
        return Pending(wrong) if wrong else True

    found = wait_until(look, seconds, waits=waits)
    if isinstance(found, Pending):
        advice = "this node was not touched; repair that, then run this again"
        raise RefusedError(attempt, found.seen, advice)
