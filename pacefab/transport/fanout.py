"""The same call for many hosts at once: hosts in, one result per host out, errors as values."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from pacefab import interrupts
from pacefab.errors import CommandError, PacefabError

T = TypeVar("T")
V = TypeVar("V")

DEFAULT_LIMIT = 32  # hosts at a time; what three cores of SSH key exchange bear
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Success(Generic[T]):
    """The call came back."""

    value: T


@dataclass(frozen=True)
class Failure:
    """The call ended in an error that an operator can read."""

    error: PacefabError


Result = Success[T] | Failure


def fan_out(
    inputs: Mapping[str, V],
    call: Callable[[str, V], T],
    *,
    limit: int = DEFAULT_LIMIT,
    patient: bool = False,
) -> dict[str, Result[T]]:
    """Call `call(name, value)` for each entry, at most `limit` at a time.

    Returns the results in the order of `inputs`, whatever order they came in. An exception that
    is no `PacefabError` becomes one that names the host, so that it never hides the others.

    Threads are daemons: an interruption ends this at once, and what already runs on a node finishes
    there by itself (see `command.render_change`). A `patient` one waits for that, because it is to
    be undone next; no thread begins anything new after an interruption.

    Raises:
        Interrupted: a signal came.
    """
    interrupts.check()
    slots = threading.BoundedSemaphore(limit)
    futures: dict[str, Future[Result[T]]] = {name: Future() for name in inputs}

    def work(name: str, value: V) -> None:
        with slots:
            try:
                futures[name].set_result(_attempt(call, name, value))
            except KeyboardInterrupt as stop:
                futures[name].set_exception(stop)

    for name, value in inputs.items():
        run = contextvars.copy_context().run  # what is undone here is undone there too
        threading.Thread(
            target=run, args=(work, name, value), name=f"host {name}", daemon=True
        ).start()
    try:
        return {name: _await(future) for name, future in futures.items()}
    except KeyboardInterrupt:
        if patient:
            wait(futures.values())
        raise


def _await(future: Future[T]) -> T:
    while True:
        try:
            return future.result(timeout=_POLL_SECONDS)
        except TimeoutError:
            interrupts.check()


def _attempt(call: Callable[[str, V], T], name: str, value: V) -> Result[T]:
    try:
        return Success(call(name, value))
    except PacefabError as error:
        error.host = error.host or name
        return Failure(error)
    except Exception as error:  # noqa: BLE001  # one host's surprise must not hide the others
        seen = f"{type(error).__name__}: {error}"
        report = "this is a defect of pacefab: please report it with the command you ran"
        return Failure(CommandError("work on this host", seen, report, host=name))


def values(results: Mapping[str, Result[T]]) -> dict[str, T]:
    """Return what came back, without the hosts that failed."""
    return {name: r.value for name, r in results.items() if isinstance(r, Success)}


def errors(results: Mapping[str, Result[T]]) -> dict[str, PacefabError]:
    """Return the errors of the hosts that failed."""
    return {name: r.error for name, r in results.items() if isinstance(r, Failure)}


__all__: Sequence[str] = (
    "DEFAULT_LIMIT",
    "Failure",
    "Result",
    "Success",
    "errors",
    "fan_out",
    "values",
)
