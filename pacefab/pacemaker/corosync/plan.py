"""What is desired of corosync.conf, and how the nodes' files get there. Pure.

What a running corosync takes by a reload and what it does not is pcs' own table (pcs 0.11,
`need_stopped_cluster` in lib/corosync/config_facade.py), votequorum(5), and for the priorities and
pings of links what corosync 3.1 was seen to do: it logs "best link: 0 (pri: 9)".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pacefab.pacemaker.corosync import conf
from pacefab.pacemaker.corosync.conf import Block, Key, Values

_NOT_BY_RELOAD = frozenset(("transport", "ip_version", "netmtu"))
_LIVE_OF_LINK = frozenset(
    f"knet_{name}" for name in ("link_priority", "ping_interval", "ping_timeout", "pong_count")
)
_RESTART = "it needs a restart of the whole cluster: fab deploy --restart-cluster"
_TWO = 2
USUAL_PORTS = range(5405, 5413)
"""The UDP ports of knet, one per link (corosync.conf(5): mcastport 5405 and up)."""
_TWO_NODE, _TIE_BREAKER = ("quorum", "two_node"), ("quorum", "auto_tie_breaker")


class Effect(StrEnum):
    """How a change comes into force."""

    LIVE = "reload"
    RESTART = "restart"  # of the cluster as a whole: corosync takes it only when it starts
    DEVICE = "device"  # by `pcs quorum device`, which sets up certificates and services too


@dataclass(frozen=True)
class CorosyncSettings:
    """What is desired of corosync.conf.

    Args:
        values: all but the nodes' addresses and two_node, which follows from the rest.
        addresses: by node, of each link in turn; empty where the cluster's own stands.
    """

    values: Values = field(default_factory=dict)
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages that every node needs for it, beside a cluster's own; of either family."""
        return ("corosync-qdevice",) if _device(self.values) else ()

    @property
    def ports(self) -> tuple[int, ...]:
        """The UDP ports that links are given, beside 5405 to 5412, which they have by themselves.

        Of udp and udpu corosync has the one below each, too (corosync.conf(5): mcastport).
        """
        given = [int(v) for k, v in self.values.items() if k[0] == "link" and k[2] == "mcastport"]
        if self.values.get(("totem", "transport"), conf.KNET) != conf.KNET:
            given = [port for number in given for port in (number - 1, number) if port]
        return tuple(sorted(set(given) - set(USUAL_PORTS)))

    def desired(self, present: Values, resolved: Mapping[str, str]) -> dict[Key, str]:
        """Return what the file is to say of the nodes that it has.

        `resolved` are the addresses of names in it: a name that stands for the address stays.
        """
        nodes = dict.fromkeys(key[1] for key in present if key[0] == "node")
        found = dict(self.values)
        for node in nodes:
            own = {k[2]: v for k, v in present.items() if k[:2] == ("node", node)}
            for i, address in enumerate(self.addresses.get(node, ())):
                ring = f"ring{i}_addr"
                kept = not address or resolved.get(own.get(ring, "")) == address
                own[ring] = own.get(ring, "") if kept else address
            links = len(self.addresses.get(node, ()))
            if links:
                own = {ring: own[ring] for ring in sorted(own) if int(ring[4:-5]) < links}
            found |= {("node", node, ring): address for ring, address in own.items() if address}
        if len(nodes) == _TWO and not _ties_are_broken(found):
            found[_TWO_NODE] = "1"
        return found


def _ties_are_broken(values: Values) -> bool:
    return ("device", "model") in values or values.get(_TIE_BREAKER) == "1"


@dataclass(frozen=True)
class ConfChange:
    """One value that becomes another one; None: it is not there."""

    key: Key
    old: str | None
    new: str | None
    effect: Effect

    def __str__(self) -> str:
        """Return a line with its sign, as the rest of a plan has them."""
        sign = "+" if self.old is None else "-" if self.new is None else "~"
        values = " → ".join(value for value in (self.old, self.new) if value is not None)
        return f"{sign} {said_key(self.key)}: {values}"


@dataclass(frozen=True)
class CorosyncPlan:
    """How the nodes' files become as desired; nothing where they are.

    Args:
        changes: what is changed now.
        deferred: what is not, as it needs a restart of the cluster, which was not asked for.
        unlike: by node, how its file differs from the others'.
        text: the new file; empty: no file changes but by pcs.
        before: the old files of the nodes that get it.
        device, device_before: the quorum device as it is to be, and as it is.
        restart: whether the cluster as a whole stops for it.
        stopped: whether it is stopped now.
        absent: nodes that do not answer, for which all of it waits.
        sbd: nodes where SBD waits for a restart of the cluster, as corosync starts it.
    """

    changes: tuple[ConfChange, ...] = ()
    deferred: tuple[ConfChange, ...] = ()
    unlike: Mapping[str, str] = field(default_factory=dict)
    text: str = field(default="", compare=False)
    before: Mapping[str, str] = field(default_factory=dict, compare=False)
    device: Values = field(default_factory=dict)
    device_before: Values = field(default_factory=dict)
    restart: bool = False
    stopped: bool = False
    absent: tuple[str, ...] = ()
    sbd: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is something to do."""
        return bool(self.changes or self.unlike or self.starts_sbd)

    @property
    def starts_sbd(self) -> bool:
        """Whether the restart of the cluster is to start SBD, or to start it again."""
        return self.restart and bool(self.sbd)

    @property
    def summary(self) -> tuple[str, ...]:
        """A line for each change."""
        unlike = (f"corosync.conf of {node}: {how}" for node, how in self.unlike.items())
        sbd = (f"SBD starts with the cluster on {', '.join(self.sbd)}",) if self.starts_sbd else ()
        return (*(f"corosync: {change}" for change in self.changes), *unlike, *sbd)

    @property
    def notices(self) -> tuple[str, ...]:
        """What is not done in this run, a sentence each, with the way on."""
        if self.deferred and self.absent:
            nodes = ", ".join(self.absent)
            return (f"it waits until all nodes answer, to be the same on all: not yet {nodes}",)
        if not self.deferred:
            return ()
        return (_RESTART,)

    @property
    def left(self) -> tuple[str, ...]:
        """What is not done in this run, in a line, and why; nothing where all is."""
        if not self.deferred:
            return self.sbd_left
        changes = "; ".join(map(str, self.deferred))
        return (f"corosync.conf is left without {changes}: {self.notices[0]}", *self.sbd_left)

    @property
    def sbd_left(self) -> tuple[str, ...]:
        """That SBD is not started in this run, in a line, and why; nothing where it is."""
        if not self.sbd or self.restart:
            return ()
        return (f"SBD waits on {', '.join(self.sbd)}: {_RESTART}",)

    def waiting_for(self, absent: Sequence[str]) -> CorosyncPlan:
        """Return the plan of a run in which nodes do not answer: nothing changes."""
        return CorosyncPlan(deferred=(*self.changes, *self.deferred), absent=tuple(absent))

    @property
    def removes_device(self) -> bool:
        """Whether the quorum device goes: before anything that it excludes comes."""
        return self.changes_device and bool(self.device_before) and not self.device

    @property
    def changes_device(self) -> bool:
        """Whether the quorum device is added, changed or removed."""
        return any(change.effect is Effect.DEVICE for change in self.changes)


def plan_corosync(
    files: Mapping[str, str],
    desired: Callable[[Values], Values],
    *,
    restart: bool = False,
    stopped: bool = False,
) -> CorosyncPlan:
    """Return how the files of all nodes become as desired of the one that most of them have.

    Args:
        files: the text by node.
        desired: what a file with these values is to say.
        restart: whether the cluster may be restarted for it.
        stopped: whether it is stopped on all nodes; then nothing needs a restart.

    Raises:
        ValueError: a file cannot be read.
    """
    blocks = {node: _plain(conf.parse(text)) for node, text in files.items()}
    most = _most_common(map(conf.render, blocks.values()), desired)
    base = next(conf.parse(files[n]) for n, b in blocks.items() if conf.render(b) == most)
    present = conf.values(base)
    every = tuple(_changes(present, desired(present)))
    now = tuple(c for c in every if restart or stopped or c.effect is not Effect.RESTART)
    if len(now) < len(every):  # a device does not go with what only a restart takes away
        now = tuple(change for change in now if change.effect is not Effect.DEVICE)
    unlike = {n: _unlike(base, b) for n, b in blocks.items() if conf.render(b) != most}
    device, device_before = _device(desired(present)), _device(present)
    own = {c.key: c.new for c in now if c.effect is not Effect.DEVICE}
    # A device that goes has gone by then, and pcs has raised the version for that.
    gone = {c.key: c.new for c in now} if device_before and not device else own
    written = gone if own else {}
    number = conf.version(base) + (1 if written == own else 2)
    text = conf.render(conf.changed(base, written, number) if written else base)
    return CorosyncPlan(
        now,
        tuple(change for change in every if change not in now),
        unlike,
        text if written or unlike else "",
        {n: t for n, t in files.items() if written or n in unlike},
        device,
        device_before,
        restart=any(c.effect is Effect.RESTART for c in now) and not stopped,
        stopped=stopped,
    )


def _most_common(texts: Iterable[str], desired: Callable[[Values], Values]) -> str:
    """Return the text that most nodes have; of several the newest, then the one as desired."""
    counted = Counter(texts)

    def rank(text: str) -> tuple[int, int, int]:
        block = conf.parse(text)
        present = conf.values(block)
        return counted[text], conf.version(block), -len(tuple(_changes(present, desired(present))))

    return max(counted, key=rank)


def plan_device(settings: CorosyncSettings) -> CorosyncPlan:
    """Return what comes after the setup of a new cluster, which brings all else: its device."""
    device = _device(settings.values)
    added = (ConfChange(key, None, device[key], Effect.DEVICE) for key in sorted(device))
    return CorosyncPlan(tuple(added), device=device, stopped=True)


def restored(text: str, now: str, *, device: bool = True) -> str:
    """Return an earlier file with a version above the present one's, which corosync would join.

    Without its quorum device, where pcs is to add that again.
    """
    block = conf.parse(text)
    number = max(conf.version(block), conf.version(conf.parse(now))) + 2
    gone = {} if device else dict.fromkeys(_device(conf.values(block)))
    return conf.render(conf.changed(block, gone, number))


def earlier(text: str) -> Callable[[Values], Values]:
    """Return what is desired when a file is to be as an earlier one; who is a member stays."""
    before = conf.values(conf.parse(text))

    def desired(present: Values) -> Values:
        nodes = {key[1] for key in present if key[0] == "node"}
        known = {key[1] for key in before if key[0] == "node"}
        kept = {key: v for key, v in before.items() if key[0] != "node" or key[1] in nodes}
        added = {k: v for k, v in present.items() if k[0] == "node" and k[1] not in known}
        if nodes != known:
            kept = {key: value for key, value in kept.items() if key != _TWO_NODE}
            added |= {key: value for key, value in present.items() if key == _TWO_NODE}
        return {**kept, **added}

    return desired


def _changes(present: Values, desired: Values) -> Iterator[ConfChange]:
    device = {key[0] for key in (*present, *desired)} & {"device"}
    moved = bool(device) and (("device", "model") in present) != (("device", "model") in desired)
    tied = present.get(_TIE_BREAKER) != desired.get(_TIE_BREAKER)
    links = {side: _links(values) for side, values in (("old", present), ("new", desired))}
    for key in sorted({*present, *desired}, key=_order):
        old, new = present.get(key), desired.get(key)
        if old != new:
            same = key[0] != "link" or (key[1] in links["old"] and key[1] in links["new"])
            effect = _effect(key, old, new) if same else Effect.LIVE
            if key == _TWO_NODE:  # it goes with what it excludes, and comes with it
                effect = Effect.DEVICE if moved else Effect.RESTART if tied else effect
            yield ConfChange(key, old, new, effect)


def _links(values: Values) -> set[str]:
    return {key[2][4:-5] for key in values if key[0] == "node"}


def _order(key: Key) -> tuple[int, Key]:
    kinds = ("totem", "node", "link", "quorum", "device")
    return kinds.index(key[0]), key


def _effect(key: Key, old: str | None, new: str | None) -> Effect:
    match key[0]:
        case "device":
            return Effect.DEVICE
        case "quorum":
            return Effect.LIVE if key[1] == "two_node" else Effect.RESTART
        case "node":
            return Effect.RESTART if old and new else Effect.LIVE
        case "link":
            return Effect.LIVE if key[2] in _LIVE_OF_LINK else Effect.RESTART
    return Effect.RESTART if key[1] in _NOT_BY_RELOAD else Effect.LIVE


def said_key(key: Key) -> str:
    """Return a place as an operator would say it."""
    match key:
        case ("link", number, name):
            return f"link {number} {name}"
        case ("node", node, ring):
            return f"link {ring[4:-5]} of {node}"
        case ("device", *names):
            return f"quorum device {' '.join(names)}"
    return " ".join(key)


def _device(values: Values) -> dict[Key, str]:
    return {key: value for key, value in values.items() if key[0] == "device"}


def _plain(block: Block) -> Block:
    """Return the blocks without comments: what two files have to have in common."""
    return [
        (key, _plain(value) if isinstance(value, list) else value)
        for key, value in block
        if not key.startswith("#")
    ]


def _unlike(base: Block, other: Block) -> str:
    """Return how a file differs from the others'."""
    ours, its = conf.values(base), conf.values(other)
    differing = [k for k in sorted({*ours, *its}, key=_order) if ours.get(k) != its.get(k)]
    if differing:
        said = (f"{said_key(key)} {its.get(key, 'not there')}" for key in differing)
        return f"differs from the others': {', '.join(said)}"
    if conf.version(base) != conf.version(other):
        return f"config_version {conf.version(other)}, the others' {conf.version(base)}"
    return "differs from the others' in what no inventory says"
