"""From which node a Galera is started that lost others: the one with the highest number. Pure.

Numbers of transactions can be compared where they are of one history, which has the uuid that
grastate.dat names. A uuid of zeros there says that the data are no whole copy: a node crashed while
it took one, or in a change of a table's structure (Galera's galera/src/saved_state.cpp).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pacefab.errors import RefusedError
from pacefab.pacemaker.placement.galera import GaleraResource
from pacefab.services.galera.node import PROGRAMS
from pacefab.transport.command import Section, Step, shell

ATTEMPT = "start galera"
_DATA = "/var/lib/mysql"  # where no parameter says otherwise (resource-agents' mysql-common.sh)
_NO_HISTORY = "00000000-0000-0000-0000-000000000000"
_RUNS = "running"
_LOOK = r"""
pgrep -x "$2" >/dev/null && echo running
[ ! -e "$1/grastate.dat" ] || cat "$1/grastate.dat"
"""
_SET_ASIDE = r"""
cd "$1" || exit 1
[ ! -e "$2" ] || mv -f "$2" "$3"
"""
_STATE, _ASIDE = "grastate.dat", "grastate.dat.left-out"


@dataclass(frozen=True)
class GaleraData:
    """What a node has: the history that its grastate.dat names, its number there, if any.

    Both are None without a file; the number also where the database was not stopped in order.
    """

    history: str | None = None
    number: int | None = None
    running: bool = False  # a server's process is there

    @property
    def broken(self) -> bool:
        """Whether it is no whole copy."""
        return self.history == _NO_HISTORY


def folder(parameters: Mapping[str, str]) -> str:
    """Return where a resource has its data."""
    return parameters.get("datadir") or _DATA


def observe(parameters: Mapping[str, str]) -> Step:
    """Return the step of `parse`, for a resource with these parameters."""
    return shell("galera data", _LOOK, folder(parameters), "|".join(PROGRAMS))


def parse(sections: Mapping[str, Section]) -> GaleraData:
    """Return what a node has.

    Raises:
        RefusedError: its grastate.dat cannot be read.
    """
    section = sections["galera data"]
    if not section.ok:
        raise RefusedError("read grastate.dat", section.text, "see why: ls -l on that node")
    lines = section.out.splitlines()
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    number = said.get("seqno", "")
    known = int(number) if number.isdigit() else None
    return GaleraData(said.get("uuid") or None, known, _RUNS in lines)


def forget(parameters: Mapping[str, str]) -> Step:
    """Return the step after which a node's database takes a whole copy when it joins the others.

    Without grastate.dat Galera does not know how far it is; the file is kept beside its place.
    """
    words = ("sh", "-c", _SET_ASIDE, "pacefab", folder(parameters))
    return Step("set grastate.dat aside", (*words, _STATE, _ASIDE), undo=(*words, _ASIDE, _STATE))


@dataclass(frozen=True)
class FirstStart:
    """The node that is started first, and what is known of all.

    `numbers` are those of the last transactions by node, in the order of wsrep_cluster_address;
    `lost` are the nodes of which none is known, `copying` those that need a whole copy.
    """

    node: str
    numbers: Mapping[str, int]
    lost: tuple[str, ...] = ()
    copying: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What happens to each node, a line each."""
        known = (
            f"{node}: last transaction {number}, {self._joins(node)}"
            for node, number in self.numbers.items()
        )
        lost = (
            f"{node}: last transaction unknown; what only {node} has is lost, if it has more than "
            f"{self.numbers[self.node]}"
            for node in self.lost
        )
        return (*known, *lost)

    def _joins(self, node: str) -> str:
        if node == self.node:
            return "started first"
        return f"takes {'a whole copy' if node in self.copying else 'what it lacks'} from it"


def choose(
    resource: GaleraResource, lost: Collection[str], data: Mapping[str, GaleraData]
) -> FirstStart:
    """Return from which node to start.

    The highest number decides. Of equal ones it is the node that has a grastate.dat, and the last
    one of those, as by the agent.

    Args:
        resource: what the agent has reported of all nodes but the lost ones.
        lost: the nodes that are left out.
        data: of each of the others.

    Raises:
        RefusedError: that cannot be decided, or a database runs already.
    """
    numbers = {
        node: report.committed
        for node, report in resource.reports.items()
        if node not in lost and report.committed is not None
    }
    _check_stopped(resource, data)
    _check_one_history({node: data[node] for node in numbers})
    whole = [node for node in numbers if not data[node].broken]
    broken = tuple(node for node in numbers if data[node].broken)
    if not whole:
        raise _broken(broken, "no other node is left that has a whole copy")
    order = list(numbers)
    best = max(whole, key=lambda n: (numbers[n], data[n].history is not None, order.index(n)))
    ahead = tuple(node for node in broken if numbers[node] > numbers[best])
    if ahead:
        raise _broken(ahead, f"it is ahead of {best}, which is at {numbers[best]}")
    history = data[best].history  # without one it begins a new one
    copying = tuple(n for n in numbers if history is None or data[n].history != history)
    return FirstStart(best, numbers, tuple(n for n in resource.reports if n in lost), copying)


def _check_stopped(resource: GaleraResource, data: Mapping[str, GaleraData]) -> None:
    if running := [node for node, each in data.items() if each.running]:
        raise RefusedError(
            ATTEMPT,
            f"a database runs on {', '.join(running)}, which Pacemaker has not started",
            "see what it is (systemctl status mariadb there) and stop it, then: "
            f"pcs resource cleanup {resource.id}",
        )


def _check_one_history(data: Mapping[str, GaleraData]) -> None:
    known = {node: each.history for node, each in data.items() if each.history and not each.broken}
    if len(set(known.values())) > 1:
        raise RefusedError(
            ATTEMPT,
            "their data are of different clusters, so their numbers cannot be compared:\n"
            + "\n".join(f"{node}: uuid {history}" for node, history in known.items()),
            "decide whose data are to stay; shut the other nodes down and name them in --without: "
            "they take a whole copy when they are back",
        )


def _broken(nodes: tuple[str, ...], why: str) -> RefusedError:
    return RefusedError(
        ATTEMPT,
        f"the data on {', '.join(nodes)} may be no whole copy (a uuid of zeros in grastate.dat), "
        f"and {why}",
        "bring back a node that is missing; where these data are to be given up, shut that node "
        "down and name it in --without",
    )
