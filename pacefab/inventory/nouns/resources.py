"""The sections resources, groups, bundles, templates -> nouns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from pacefab.inventory.cluster import Inventory
from pacefab.inventory.fencing import Device
from pacefab.inventory.model import Part
from pacefab.inventory.nodes import Connection
from pacefab.inventory.own_terms import Secret, piece_of, sets_of
from pacefab.inventory.resources import (
    BundleEntry,
    CopiesEntry,
    GroupEntry,
    OperationEntry,
    PrimitiveEntry,
    ResourceEntry,
)
from pacefab.inventory.resources import Further as FurtherEntry
from pacefab.inventory.values import SecretReference
from pacefab.pacemaker.model import (
    Bundle,
    Clone,
    Further,
    Group,
    GroupClone,
    Operation,
    Primitive,
    Resource,
    Template,
)
from pacefab.pacemaker.nouns.piece import SETS, Piece

Values = Mapping[str, str | SecretReference]


def clone_id(name: str, entry: CopiesEntry | None = None) -> str:
    """Return the id of a resource's clone, as pcs calls it unless the inventory does."""
    return (entry.clone_id if entry else None) or f"{name}-clone"


def resource_nouns(inventory: Inventory, secret: Secret) -> Iterator[Resource]:
    """Yield resources in the inventory's order; a group stands where its first member does.

    Templates come first: what is made from them names them.
    """
    for name, template in inventory.templates.items():
        yield Template(name, _of_entry(name, template, secret))
    groups: set[str] = set()
    for name, entry in inventory.resources.items():
        for own in (n for n in _empty(inventory) if inventory.bundles[n].before == name):
            yield _bundle(own, inventory.bundles[own], None, secret)
        if entry.bundle is not None:
            inner = _single(name, entry, secret)
            yield _bundle(entry.bundle, inventory.bundles[entry.bundle], inner, secret)
        elif entry.group is None:
            yield _resource(name, entry, secret)
        elif entry.group not in groups:
            groups.add(entry.group)
            members = {n: e for n, e in inventory.resources.items() if e.group == entry.group}
            singles = tuple(_single(n, e, secret) for n, e in members.items())
            yield _group(entry.group, inventory.groups.get(entry.group), singles, secret)
    for name, bundle in inventory.bundles.items():
        if name in _empty(inventory) and bundle.before not in inventory.resources:
            yield _bundle(name, bundle, None, secret)


def _empty(inventory: Inventory) -> list[str]:
    """Return the bundles that no resource of Pacemaker's runs in."""
    if not inventory.bundles:
        return []
    used = {entry.bundle for entry in inventory.resources.values()}
    return [name for name in inventory.bundles if name not in used]


def _resource(name: str, entry: ResourceEntry, secret: Secret) -> Resource:
    if not entry.copied:
        return _single(name, entry, secret)
    meta = {**_clone_meta(entry), **_stopped(entry)}
    inner = _of_entry(name, entry, secret)
    further, others = _further(entry.clone_further, {}, secret)
    return Clone(clone_id(name, entry), inner, meta, further, others)


def _clone_meta(entry: CopiesEntry) -> dict[str, str]:
    options: Any = entry.clone if entry.promotable is None else entry.promotable
    meta: dict[str, str] = {**options.texts(), **_unlisted(entry.clone_further)}
    return meta if entry.promotable is None else {"promotable": "true", **meta}


def _group(
    name: str, entry: GroupEntry | None, members: tuple[Primitive, ...], secret: Secret
) -> Resource:
    if entry is None:
        return Group(name, members)
    further, others = _further(entry.further, {}, secret)
    meta = {**entry.meta.texts(), **_unlisted(entry.further)}
    group = Group(name, members, meta, further, others)
    if not entry.copied:
        return group
    further, others = _further(entry.clone_further, {}, secret)
    return GroupClone(clone_id(name, entry), group, _clone_meta(entry), further, others)


def _bundle(name: str, entry: BundleEntry, inner: Primitive | None, secret: Secret) -> Bundle:
    engines = {"podman": entry.podman, "docker": entry.docker, "rkt": entry.rkt}
    parts = [piece_of(engine, tag) for tag, engine in engines.items() if engine]
    parts += [piece_of(entry.network)] if entry.network else []
    if entry.storage is not None:
        parts.append(Piece("storage", {}, tuple(map(piece_of, entry.storage))))
    further, others = _further(entry.further, {}, secret)
    meta = {**entry.meta.texts(), **_unlisted(entry.further)}
    return Bundle(name, tuple(parts), inner, meta, further, others)


def _single(name: str, entry: ResourceEntry, secret: Secret) -> Primitive:
    return _of_entry(name, entry, secret, _stopped(entry))


def _of_entry(
    name: str, entry: PrimitiveEntry, secret: Secret, meta: Mapping[str, str] = MappingProxyType({})
) -> Primitive:
    further, others = _further(entry.further, entry.utilization, secret)
    made = primitive_noun(
        name,
        entry.agent or "",
        entry.parameters,
        entry,
        secret,
        template=getattr(entry, "template", None) or "",
        advised=entry.advised_operations,
        further=further,
        others=others,
        meta={**_unlisted(entry.further), **meta},
    )
    sets = (entry.further.parameters if entry.further else None) or ()
    hidden = {n for each in sets for n, v in each.values.items() if isinstance(v, SecretReference)}
    return replace(made, hidden=made.hidden | hidden) if hidden else made


def primitive_noun(
    id_: str,
    agent: str,
    values: Values,
    entry: Device | PrimitiveEntry | Connection,
    secret: Secret,
    *,
    template: str = "",
    advised: bool = True,
    further: Further | None = None,
    others: Mapping[str, str] | None = None,
    meta: Mapping[str, str] = MappingProxyType({}),
) -> Primitive:
    """Return a primitive; `secret` gives a secret by its name, what it raises is passed on."""
    references = {k: v.secret for k, v in values.items() if isinstance(v, SecretReference)}
    given = {key: secret(name) for key, name in references.items()}
    plain = {key: value for key, value in values.items() if isinstance(value, str)}
    return Primitive(
        id_,
        agent,
        {key: given[key] if key in given else plain[key] for key in values},
        {**entry.meta.texts(), **meta},
        tuple(_operation(operation, secret) for operation in entry.operations),
        hidden=frozenset(references),
        template=template,
        further=further or {},
        others=others or {},
        advised=advised,
    )


def _unlisted(entry: FurtherEntry | None) -> dict[str, str]:
    return dict(entry.unlisted_meta) if entry else {}


def _further(
    entry: FurtherEntry | None, utilization: Mapping[str, str], secret: Secret
) -> tuple[Further, dict[str, str]]:
    """Return further sets by their kind, and attributes of the element itself."""
    found: dict[str, tuple[Piece, ...]] = {}
    plain = tuple(Piece("nvpair", {"name": n, "value": v}) for n, v in utilization.items())
    if utilization:
        found["utilization"] = (Piece("utilization", {}, plain),)
    if entry is None:
        return found, {}
    kinds = {"instance_attributes": entry.parameters, "meta_attributes": entry.meta}
    found |= {kind: sets_of(kind, s, secret) for kind, s in kinds.items() if s is not None}
    if entry.utilization is not None:
        further = sets_of("utilization", entry.utilization, secret)
        found["utilization"] = (*found.get("utilization", ()), *further)
    if entry.operations is not None:
        own = entry.operations
        attributes = {"id-ref": own.id_ref} if own.id_ref else {}
        found["operations"] = (Piece("operations", attributes, (), own.id or ""),)
    return found, {"description": entry.description} if entry.description is not None else {}


def _operation(entry: OperationEntry, secret: Secret) -> Operation:
    """Return an operation; the interval that pcs writes where none is given."""
    others = {
        "on-fail": entry.on_fail,
        "role": entry.role,
        "start-delay": entry.start_delay,
        "enabled": entry.enabled,
        "record-pending": entry.record_pending,
    }
    unlisted = dict(entry.unlisted)
    usual = "60s" if entry.name == "monitor" else "0s"
    plain = [each for each in entry.parameters[:1] if not each.model_fields_set - {"values"}]
    own = {p.attributes["name"]: p.attributes["value"] for each in plain
           for p in piece_of(each, SETS[0], secret).children}  # fmt: skip
    return Operation(
        entry.name,
        unlisted.pop("interval", entry.interval or usual),
        unlisted.pop("timeout", entry.timeout or ""),
        {**{key: value for key, value in others.items() if value is not None}, **unlisted},
        {**({"OCF_CHECK_LEVEL": entry.check_level} if entry.check_level else {}), **own},
        (
            *sets_of("instance_attributes", entry.parameters[len(plain) :], secret),
            *sets_of("meta_attributes", entry.meta, secret),
        ),
        entry.id or "",
    )


def _stopped(entry: ResourceEntry) -> dict[str, str]:
    """Return what `pcs resource disable` sets, or ends: on the clone where there is one."""
    if entry.disabled is None:
        return {}
    return {"target-role": "Stopped" if entry.disabled else "Started"}


def references(parts: Iterable[object]) -> Iterator[str]:
    """Yield the names of the secrets that values refer to, at any depth."""
    for part in parts:
        if isinstance(part, SecretReference):
            yield part.secret
        elif isinstance(part, Part):
            yield from references(value for _, value in part)
        elif isinstance(part, Mapping):
            yield from references(part.values())
        elif isinstance(part, tuple):
            yield from references(part)
