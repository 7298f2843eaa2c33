"""client-config and check-clients: the cluster's servers, and its clients' files on hosts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pacefab.clients.formats import edit_ini
from pacefab.clients.recommended import Server
from pacefab.clients.restart import to_restart
from pacefab.errors import RefusedError, UsageError
from pacefab.host import files
from pacefab.host.model import FileState, HostFacts, Mark, Outcome
from pacefab.pacemaker.model import Member, Membership
from pacefab.services import registry
from pacefab.services.memcached import memcached
from pacefab.services.memcached.targets import find_targets
from pacefab.services.vips.found import vip_addresses
from pacefab.transport.command import Section, step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.checks import places
from pacefab.workflows.nodes.apply_node import run_steps
from pacefab.workflows.nodes.progress import Progress, Stopwatch
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_members

STEP = "client-config"
_RUNNING = step(
    "running", "systemctl", "list-units", "--type=service", "--state=running", "--plain",
    "--no-legend", "--no-pager",
)  # fmt: skip


@dataclass(frozen=True)
class CacheCluster:
    """A cluster as clients of its cache see it; the servers are in the order of node ids.

    That order is the same whatever hosts were named, and whichever nodes are up.
    """

    name: str
    servers: tuple[Server, ...]
    vips: frozenset[str]


def find_cluster(
    hosts: Mapping[str, Host], reach: Reach, limit: int, remotes: Collection[str] = ()
) -> CacheCluster:
    """Ask the cluster where its memcached are; harmless. `remotes` of the hosts are remote nodes.

    Raises:
        RefusedError: a node's memcached is not where clients could reach it.
        PacefabError: no host could report the cluster's state.
    """
    look = replace(memcached.LOOK, remotes=tuple(remotes))
    seen = observe_members(hosts, look, limit, reach)
    place = places.find(seen, registry.service("memcached")) or seen.membership
    servers = tuple(_server(seen, place, member) for member in place.members)
    vips = frozenset(vip_addresses(seen.cib).values())
    return CacheCluster(seen.membership.cluster, servers, vips)


def _server(seen: ClusterView, place: Membership, member: Member) -> Server:
    """Return a node's server: at the address that nodes use for each other, if it listens there."""
    node = member.name
    targets = [t for t in find_targets(place, _facts(seen, place)) if t.node == node]
    if not targets:
        raise RefusedError(
            "find the address of its memcached",
            "it listens on loopback only: no client on another host can reach it",
            "fab install-memcached, then restart it",
            host=node,
        )
    chosen = next((t for t in targets if t.address in member.addresses), targets[0])
    return Server(node, chosen.address, chosen.port)


def _facts(seen: ClusterView, place: Membership) -> dict[str, HostFacts]:
    every = {name: facts for name, facts in seen.facts.items() if name not in seen.strangers}
    return {name: facts for name, facts in every.items() if name in place.names}


@dataclass(frozen=True)
class WriteClients:
    """Edit clients' files on hosts: the options for these servers, all else left as it is."""

    servers: tuple[Server, ...]
    paths: tuple[str, ...]
    dry_run: bool = False
    limit: int = 32  # hosts at a time

    def run(self, hosts: Mapping[str, Host], progress: Progress) -> list[Outcome]:
        """Edit the files of every host; one that fails stops no other.

        On each host all files change or none. Owner and mode stay, the previous text is kept
        beside.
        """
        watch = Stopwatch(STEP, progress)
        return watch.each(hosts, lambda _, host: self._write(host, watch), self.limit)

    def _write(self, host: Host, watch: Stopwatch) -> Outcome:
        sections = host.query([*files.observe(self.paths), _RUNNING])
        changed = {
            path: (old, new)
            for path, old in _present(self.paths, sections).items()
            if (new := self._edited(path, old)) != old
        }
        if not changed:
            return watch.finish(host.name, Mark.UNCHANGED)
        units = [line.split()[0] for line in sections["running"].out.splitlines()]
        notes = [
            note
            for path, (old, new) in changed.items()
            for note in (*files.difference(path, old, new), to_restart(path, units))
        ]
        if self.dry_run:
            return watch.finish(host.name, Mark.PLANNED, *notes)
        steps = [files.plan_write(path, new, old) for path, (old, new) in changed.items()]
        run_steps(host, steps, note=lambda text: watch.progress.note(host.name, text))
        return watch.finish(host.name, Mark.CHANGED, *notes)

    def _edited(self, path: str, old: FileState) -> FileState:
        try:
            return replace(old, text=edit_ini(old.text, self.servers))
        except ValueError as error:
            raise RefusedError(f"edit {path}", str(error), "fix that line, run again") from None


def _present(paths: Sequence[str], sections: Mapping[str, Section]) -> dict[str, FileState]:
    """Return the files, all of which have to be there."""
    found = {path: state for path, state in _parsed(paths, sections).items() if state is not None}
    for path in paths:
        if path not in found:
            raise RefusedError(
                f"edit {path}",
                "there is no such file",
                "name the hosts that have it with --on, and its path on them",
            )
    return found


def _parsed(paths: Sequence[str], sections: Mapping[str, Section]) -> dict[str, FileState | None]:
    try:
        return files.parse(paths, sections)
    except ValueError as error:
        raise RefusedError("read the files", str(error), "see who owns it: ls -l") from error


def read_on_hosts(hosts: Mapping[str, Host], paths: Sequence[str], limit: int) -> dict[str, str]:
    """Return the files' texts by HOST:PATH; a file that a host does not have is left out.

    Raises:
        RefusedError: no host has one of the files.
        PacefabError: a host could not be asked.
    """

    def read(_: str, host: Host) -> dict[str, FileState | None]:
        return _parsed(paths, host.query(files.observe(paths)))

    asked = fan_out(hosts, read, limit=limit)
    for error in errors(asked).values():
        raise error
    found = values(asked)
    for path in paths:
        if not any(states[path] for states in found.values()):
            seen = f"not on {', '.join(hosts)}"
            raise RefusedError(f"read {path}", seen, "name the hosts that have it with --on")
    return {
        f"{name}:{path}": state.text
        for path in paths
        for name, states in found.items()
        if (state := states[path]) is not None
    }


def read_here(paths: Sequence[str]) -> dict[str, str]:
    """Return the texts of files on this machine.

    Raises:
        UsageError: one cannot be read.
    """
    try:
        return {
            path: Path(path).read_text(encoding="utf-8", errors="surrogateescape") for path in paths
        }
    except OSError as error:
        seen = error.strerror or str(error)
        next_step = "to read it on hosts, name them: fab -H c1,c2,c3 check-clients …"
        raise UsageError(f"read {error.filename}", seen, next_step) from None
