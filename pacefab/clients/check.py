"""Existing configurations of clients -> what would hurt when a server is lost. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pacefab.addresses import is_loopback
from pacefab.clients import check_django, check_oslo
from pacefab.clients.finding import Finding, Known, ServerList, host_of

_HASHING = "clients that name the servers otherwise look for the same key on another server"


def check(files: Mapping[str, str], known: Known | None = None) -> list[Finding]:
    """Return what would hurt, in the order of files and lines.

    A file whose name ends in .py is Django's settings, every other one oslo.config's. With
    `known`, the lists of servers are compared with the live cluster, else with each other.

    Raises:
        ValueError: a file that its own program would not understand; the text names it.
    """
    checked = [
        (check_django if file.endswith(".py") else check_oslo).check(file, text)
        for file, text in files.items()
    ]
    lists = [named for result in checked for named in result.lists]
    findings = [finding for result in checked for finding in result.findings]
    findings += [finding for named in lists for finding in _judge(named, known)]
    findings += _compare_known(lists, known) if known else _compare(lists)
    places = {file: place for place, file in enumerate(files)}
    return sorted(findings, key=lambda finding: (places[finding.file], finding.line))


def _judge(named: ServerList, known: Known | None) -> Iterator[Finding]:
    """Judge a list by itself: a VIP, the local server, a single one."""
    hosts = [host_of(server) for server in named.plain]
    vips = [host for host in hosts if known and host in known.vips]
    local = [host for host in hosts if is_loopback(host)]
    if vips:
        why = (
            f"{vips[0]} is a VIP: it sends each client to one memcached after the other, whose"
            " contents differ, and all clients lose their cache when it moves"
        )
    elif local and len(hosts) == 1:
        why = "only the local server: each host caches for itself, and lives by that one server"
    elif local:
        why = f"{local[0]} is another server on each host: {_HASHING}"
    elif len(hosts) == 1:
        why = "a single server (or a VIP): when it is lost, so is the cache"
    else:
        return
    yield _finding(named, why, known)


def _compare_known(lists: Sequence[ServerList], known: Known) -> Iterator[Finding]:
    """Compare with the live cluster; lists about which `_judge` has a finding are left to it."""
    desired = tuple(map(str, known.servers))
    for named in lists:
        if named.plain == desired or any(_judge(named, known)):
            continue
        yield _finding(named, _difference(named.plain, desired), known)


def _difference(servers: Sequence[str], desired: Sequence[str]) -> str:
    """Return how a list of servers differs from the cluster's."""
    missing = [server for server in desired if server not in servers]
    strange = [server for server in servers if server not in desired]
    if not missing and not strange:
        return f"not in the cluster's order: {_HASHING}"
    if len(missing) == len(strange):
        return f"{', '.join(strange)} is not how {', '.join(missing)} is spelled: {_HASHING}"
    return f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(strange) or 'none'}"


def _compare(lists: Sequence[ServerList]) -> Iterator[Finding]:
    """Compare lists with each other: what most of them say, the first where as many do."""
    if not lists:
        return
    usual = Counter(named.plain for named in lists).most_common(1)[0][0]
    model = next(named for named in lists if named.plain == usual)
    for named in lists:
        if named.plain != usual:
            same = sorted(named.plain) == sorted(usual)
            how = "in another order than" if same else "other servers, or others' spelling, than"
            yield Finding(
                named.file, named.line, named.told(),
                f"{how} {model.file}:{model.line}: {_HASHING}",
                named.instead(model.plain),
            )  # fmt: skip


def _finding(named: ServerList, why: str, known: Known | None) -> Finding:
    servers = list(map(str, known.servers)) if known else ["every server, in one order"]
    return Finding(named.file, named.line, named.told(), why, named.instead(servers))
