"""Whether nodes that are to be left out are gone: nothing of theirs may still run."""

from __future__ import annotations

from collections.abc import Collection

from pacefab.errors import RefusedError
from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.services.galera.cold_start import ATTEMPT
from pacefab.transport.command import Step, shell
from pacefab.workflows.nodes.view import ClusterView

# SSH, the database, its replication. Who refuses a connection is there, too.
_LISTEN = r"""
for port in 22 3306 4567; do
  (
    said=$(timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$port" 2>&1) && echo "$port"
    case $said in *refused*) echo "$port" ;; esac
  ) &
done
wait
"""


def check_gone(seen: ClusterView, lost: Collection[str], given_up: Collection[str]) -> None:
    """Raise a RefusedError when one of the lost nodes may still run its database.

    Pacemaker must see it as gone, and it must not answer, neither here nor the other nodes. Those
    that are `given_up`, as they were left out before, may be back.
    """
    for name in lost:
        check_down(seen.status, name, back=name in given_up)
        if name in given_up:
            continue
        if name in seen.answered:
            raise _alive(name, "answers, though Pacemaker does not run there", begin(name))
        if found := _heard(seen, name):
            way = f"log in there and start it ({begin(name)}), or have it switched off"
            raise _alive(name, f"answers {found}", way)


def check_down(status: ClusterStatus, name: str, *, back: bool = False) -> None:
    """Raise a RefusedError unless Pacemaker is certain that nothing runs on a node.

    One that was left out before may be `back`: Pacemaker keeps its database from running.
    """
    node = next((node for node in status.nodes if node.name == name), None)
    if node and node.unclean:
        raise RefusedError(
            ATTEMPT,
            f"{name} is UNCLEAN: it is not certain that nothing runs there any more",
            f"let it be fenced (pcs stonith fence {name}); once it is certainly off: "
            f"pcs stonith confirm {name}",
        )
    if node and not back and (node.online or node.pending):
        raise _alive(name, f"is {node.word}: Pacemaker runs there", "see: pcs status")


def begin(name: str) -> str:
    """Return the command that starts the cluster on a node."""
    return f"pcs cluster start {name}"


def _alive(name: str, why: str, way: str) -> RefusedError:
    return RefusedError(ATTEMPT, f"{name} {why}; its data are not lost", way)


def _heard(seen: ClusterView, name: str) -> str:
    """Return where the doorway hears from a node; empty: nowhere."""
    members = seen.membership.members
    addresses = [a for member in members if member.name == name for a in member.addresses]
    asked = [_listen(address) for address in addresses]
    answers = seen.hosts[seen.doorway].ask(asked, side_by_side=True) if asked else {}
    found = [address for address in addresses if answers[f"hear {address}"].out.strip()]
    return f"{seen.doorway} at {found[0]}" if found else ""


def _listen(address: str) -> Step:
    return shell(f"hear {address}", _LISTEN, address)
