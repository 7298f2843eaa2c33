"""What hosts say that they are of, and why it cannot be known of others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pacefab.errors import PacefabError, RefusedError, UnreachableError
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.members.membership import Claim
from pacefab.pacemaker.model import Membership
from pacefab.pacemaker.placement.remote import beside
from pacefab.transport.fanout import Result, errors, values
from pacefab.workflows.nodes.observe import NodeView

T = TypeVar("T")


@dataclass(frozen=True)
class Standing:
    """What a host is that answered and is no member ("in no cluster"), and the way to make it one.

    `listed`: the members' files name it, and its own is not there.
    """

    what: str
    way: str
    listed: bool = False

    def __str__(self) -> str:
        return f"it is {self.what}: {self.way}"


class _Formed(Protocol):
    """A cluster that nodes answered for."""

    @property
    def membership(self) -> Membership: ...
    @property
    def cib(self) -> Cib: ...


def standing_beside(seen: _Formed, names: Collection[str]) -> Standing | None:
    """Return what a host is that the cluster reaches as a remote or guest node; None: none.

    `names` are its own, and its addresses.
    """
    try:
        found = next((n for n in beside(seen.cib) if {n.address, n.name} & set(names)), None)
    except PacefabError:  # no member says what Pacemaker knows
        return None
    if found is None:
        return None
    said = f"{{name: {found.name}, role: {found.role}}}"
    what = f"the {found.role} node {found.name} of {seen.membership.cluster}"
    return Standing(what, f"name it so in the inventory, under nodes: {said}")


def read_claims(
    answers: Mapping[str, NodeView],
) -> tuple[dict[str, Claim], dict[str, PacefabError]]:
    """Return what each host says that it is of, and why it cannot be known of the others."""
    claims: dict[str, Claim] = {}
    unclear: dict[str, PacefabError] = {}
    for name, view in answers.items():
        try:
            claim = view.claim
            if view.has_word and view.sections["cib"].ok:
                _ = view.cib  # one that makes no sense is no doorway
            claims[name] = claim
        except PacefabError as error:
            error.host = error.host or name
            unclear[name] = error
    return claims, unclear


def none_answered(failed: Mapping[str, PacefabError]) -> PacefabError:
    """Return one error for hosts none of which answered; none of them hides the others."""
    first = next(iter(failed.values()))
    if len(failed) == 1:
        return first
    seen = "\n".join(f"{name}: {error.attempted}: {error.seen}" for name, error in failed.items())
    if all(isinstance(error, UnreachableError) for error in failed.values()):
        return UnreachableError("reach the hosts", seen, first.next_step)
    return RefusedError("ask the hosts", seen, first.next_step)


def all_answered(results: Mapping[str, Result[T]]) -> dict[str, T]:
    """Return what came back from all hosts.

    Raises:
        PacefabError: from some nothing did; all of them are named.
    """
    failed = errors(results)
    if failed and len(failed) == len(results):
        raise none_answered(failed)
    if failed:
        first, *others = failed.values()
        rest = (f"{error.host}: {error.attempted}: {error.seen}" for error in others)
        first.seen = "\n".join((first.seen, *rest))
        raise first
    return values(results)
