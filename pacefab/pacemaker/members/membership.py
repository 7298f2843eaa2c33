"""Who is a member: what several nodes' files and Pacemaker say, put together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pacefab.addresses import is_address
from pacefab.pacemaker.model import Member, Membership


@dataclass(frozen=True)
class Claim:
    """What one host says: which cluster it was set up for (None: none), and its own addresses."""

    membership: Membership | None
    addresses: tuple[str, ...]
    name: str  # uname -n
    id: str = ""  # its node id, where corosync runs

    @property
    def whole(self) -> Membership:
        """The cluster it was set up for; one without name and nodes where there is none."""
        return self.membership or Membership("", ())

    def node_of(self, membership: Membership) -> str:
        """Return what the host is called as a node of the cluster."""
        own = next((m for m in membership.members if self.id and m.id == self.id), None)
        member = own or membership.member_with(self.addresses, self.name)
        return member.name if member and not is_address(member.name) else self.name


def named(membership: Membership, names: Mapping[str, str]) -> Membership:
    """Return the membership with the names that Pacemaker uses, by node id, where it has one."""
    members = (replace(m, name=names.get(m.id, m.name)) for m in membership.members)
    return replace(membership, members=tuple(members))


def completed(membership: Membership, claims: Iterable[Claim]) -> Membership:
    """Return the membership with what other nodes know of it and its own node does not.

    That are addresses (a node whose hosts file maps its own name to 127.0.1.1 does not know its
    own), and names where the file has none: then Pacemaker calls a node as the host calls itself.
    """
    members = membership.members
    for claim in claims:
        if claim.membership and not difference(membership, claim.membership):
            members = tuple(_completed(member, claim) for member in members)
    return replace(membership, members=members)


def _completed(member: Member, claim: Claim) -> Member:
    other = next((o for o in claim.whole.members if o.is_same(member)), member)
    addresses = member.addresses or other.addresses
    name = member.name
    if is_address(name) and not is_address(other.name):
        name = other.name
    if is_address(name) and (set(addresses) & set(claim.addresses) or member.id == claim.id != ""):
        name = claim.name
    return replace(member, name=name, addresses=addresses)


def difference(one: Membership, other: Membership) -> str:
    """Return how two files do not mean the same cluster; empty when they do.

    Order and spelling make none: nodes are the same by node id, an address, or a name.
    """
    if one.cluster != other.cluster:
        return f"cluster {other.cluster}, not {one.cluster}"
    if absent := _only_in(one, other):
        return f"it lacks {absent}"
    if added := _only_in(other, one):
        return f"it adds {added}"
    for here in one.members:
        there = next(member for member in other.members if here.is_same(member))
        if here.addresses and there.addresses and not set(here.addresses) & set(there.addresses):
            own, others = ", ".join(there.addresses), ", ".join(here.addresses)
            return f"it has {own} for {here.name}, not {others}"
    return ""


def _only_in(one: Membership, other: Membership) -> str:
    """Return the nodes that one file has and the other does not, as a person reads them."""
    alone = (m for m in one.members if not any(m.is_same(o) for o in other.members))
    return ", ".join(f"{m.name} (node id {m.id})" if m.id else m.name for m in alone)


def find_members(claims: Mapping[str, Claim]) -> tuple[str, ...]:
    """Return which hosts are of the one cluster; none when none is of any.

    A host is not of it that is set up for no cluster, or for one that the others are not of, as
    long as their files do not list it: a node that was taken out while it was off, or one of
    another cluster where more hosts are of this one.

    Raises:
        ValueError: they are of different clusters, or their files differ; the text says how.
    """
    groups: list[list[str]] = []
    for name, claim in claims.items():
        if claim.membership is not None:
            _sort_in(groups, name, claims)
    agreed = [group for group in groups if not any(_lists(group, n, claims) for n in claims)]
    most = max(map(len, agreed), default=0)
    largest = [group for group in agreed if len(group) == most]
    if len(largest) > 1 or (groups and not largest):
        raise ValueError(_described(groups, claims))
    return tuple(largest[0]) if largest else ()


def _sort_in(groups: list[list[str]], name: str, claims: Mapping[str, Claim]) -> None:
    """Put a host to those whose files mean the same cluster."""
    for group in groups:
        if not difference(claims[group[0]].whole, claims[name].whole):
            group.append(name)
            return
    groups.append([name])


def _lists(group: Sequence[str], name: str, claims: Mapping[str, Claim]) -> bool:
    """Whether the group's file lists a host of another file."""
    claim = claims[name]
    if name in group or claim.membership is None:
        return False
    return claims[group[0]].whole.member_with(claim.addresses, claim.name) is not None


def _described(groups: Sequence[Sequence[str]], claims: Mapping[str, Claim]) -> str:
    wholes = {name: claims[name].whole for group in groups for name in group}
    said = [f"{n}: {whole.cluster} ({', '.join(whole.names)})" for n, whole in wholes.items()]
    first, *others = (group[0] for group in groups)
    how = [f"{n} differs from {first}: {difference(wholes[first], wholes[n])}" for n in others]
    return "; ".join((*said, *how))
