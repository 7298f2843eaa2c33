"""The same call for many hosts at once: hosts in, one result per host out, errors as values."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from pacefab.errors import CommandError, PacefabError

T = TypeVar("T")
V = TypeVar("V")

DEFAULT_LIMIT = 32  # hosts at a time; what three cores of SSH key exchange bear


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
    inputs: Mapping[str, V], call: Callable[[str, V], T], *, limit: int = DEFAULT_LIMIT
) -> dict[str, Result[T]]:
    """Call `call(name, value)` for each entry, at most `limit` at a time.

    Returns the results in the order of `inputs`, whatever order they came in. An exception that
    is no `PacefabError` becomes one that names the host, so that it never hides the others.
    Threads are daemons: Ctrl-C ends the program at once; what already runs on a node finishes
    there by itself (see `command.render_change`).
    """
    slots = threading.BoundedSemaphore(limit)
    futures: dict[str, Future[Result[T]]] = {name: Future() for name in inputs}

    def work(name: str, value: V) -> None:
        with slots:
            futures[name].set_result(_attempt(call, name, value))

    for name, value in inputs.items():
        threading.Thread(target=work, args=(name, value), name=f"host {name}", daemon=True).start()
    return {name: future.result() for name, future in futures.items()}


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
