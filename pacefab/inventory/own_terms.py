"""What Pacemaker says in elements: sets of attributes, rules, sets of resources, containers.

A key is Pacemaker's own word with _ in the place of -; each class is one element of its schema
(Pacemaker Explained, and xml/*.rng of Pacemaker 2.0 to 3.0.2). All become `Piece`s by one way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pacefab.inventory.model import Part
from pacefab.inventory.values import SCORE, Boolean, Parameter, ScalarText, Score, SecretReference
from pacefab.pacemaker.nouns.piece import Piece

Secret = Callable[[str], str]
Id = Annotated[str, Field(pattern=r"^[^\W\d][\w.-]*$")]  # NCName

_ID = "its id, where something else refers to it"
_ID_REF = "the id of another one in whose place it is: the same is said here"
_MANY = "a list of mappings"
_ACTIONS = "one of start, stop, promote, demote"
_ROLES = "one of Promoted, Unpromoted, Started, Stopped"
Role = Literal["Promoted", "Unpromoted", "Started", "Stopped"]


class Terms(Part):
    """An element: its attributes and children, by the names of `names` where they differ."""

    tag: ClassVar[str] = ""
    names: ClassVar[Mapping[str, str]] = {}
    id: Id | None = Field(default=None, description=_ID)


class Expression(Terms):
    """A test of a node attribute."""

    tag: ClassVar[str] = "expression"
    attribute: ScalarText = Field(description="the name of a node attribute, such as #uname")
    operation: Literal["eq", "ne", "lt", "gt", "lte", "gte", "defined", "not_defined"] = Field(
        description="one of eq, ne, lt, gt, lte, gte, defined, not_defined"
    )
    value: ScalarText | None = Field(default=None, description="what it is compared with")
    type: Literal["string", "integer", "number", "version"] | None = Field(
        default=None, description="how it is compared: one of string, integer, number, version"
    )
    value_source: Literal["literal", "param", "meta"] | None = Field(
        default=None, description="where the value is: one of literal, param, meta"
    )


_RANGE = "a number, or a range such as 9-17"


class DateSpec(Terms):
    """When a moment fits: each a number or a range."""

    tag: ClassVar[str] = "date_spec"
    seconds: ScalarText | None = Field(default=None, description=_RANGE)
    minutes: ScalarText | None = Field(default=None, description=_RANGE)
    hours: ScalarText | None = Field(default=None, description=_RANGE)
    monthdays: ScalarText | None = Field(default=None, description=_RANGE)
    weekdays: ScalarText | None = Field(default=None, description=f"{_RANGE}; 1 is Monday")
    yeardays: ScalarText | None = Field(default=None, description=_RANGE)
    months: ScalarText | None = Field(default=None, description=_RANGE)
    weeks: ScalarText | None = Field(default=None, description=_RANGE)
    years: ScalarText | None = Field(default=None, description=_RANGE)
    weekyears: ScalarText | None = Field(default=None, description=_RANGE)
    moon: ScalarText | None = Field(default=None, description="0 (new) to 7; until Pacemaker 2.1")


_COUNT = "a whole number"


class Duration(Terms):
    """How long after its start a time ends."""

    tag: ClassVar[str] = "duration"
    seconds: ScalarText | None = Field(default=None, description=_COUNT)
    minutes: ScalarText | None = Field(default=None, description=_COUNT)
    hours: ScalarText | None = Field(default=None, description=_COUNT)
    days: ScalarText | None = Field(default=None, description=_COUNT)
    monthdays: ScalarText | None = Field(default=None, description=f"{_COUNT}; of old")
    weekdays: ScalarText | None = Field(default=None, description=f"{_COUNT}; of old")
    yeardays: ScalarText | None = Field(default=None, description=f"{_COUNT}; of old")
    weekyears: ScalarText | None = Field(default=None, description=f"{_COUNT}; of old")
    moon: ScalarText | None = Field(default=None, description=f"{_COUNT}; of old")
    weeks: ScalarText | None = Field(default=None, description=_COUNT)
    months: ScalarText | None = Field(default=None, description=_COUNT)
    years: ScalarText | None = Field(default=None, description=_COUNT)


class DateExpression(Terms):
    """A test of the time."""

    tag: ClassVar[str] = "date_expression"
    operation: Literal["gt", "lt", "in_range", "date_spec"] | None = Field(
        default=None, description="one of gt, lt, in_range, date_spec"
    )
    start: ScalarText | None = Field(default=None, description="a date and time of ISO 8601")
    end: ScalarText | None = Field(default=None, description="a date and time of ISO 8601")
    duration: Duration | None = Field(
        default=None, description="a mapping of years, months, weeks, days, hours, minutes, seconds"
    )
    date_spec: DateSpec | None = Field(
        default=None, description="a mapping of hours, weekdays, monthdays, months, years …"
    )


class ResourceExpression(Terms):
    """A test of the resource's agent."""

    tag: ClassVar[str] = "rsc_expression"
    names: ClassVar[Mapping[str, str]] = {"standard": "class"}
    standard: ScalarText | None = Field(
        default=None, alias="class", description="the standard: ocf, systemd, stonith …"
    )
    provider: ScalarText | None = Field(default=None, description="the provider: heartbeat …")
    type: ScalarText | None = Field(default=None, description="the agent's name: IPaddr2 …")


class OperationExpression(Terms):
    """A test of the operation."""

    tag: ClassVar[str] = "op_expression"
    name: ScalarText = Field(description="an operation: monitor, start …")
    interval: ScalarText | None = Field(default=None, description="its interval, a time")


class Rule(Terms):
    """When something holds: expressions, and rules in it."""

    tag: ClassVar[str] = "rule"
    id_ref: Id | None = Field(default=None, description=_ID_REF)
    score: Score | None = Field(default=None, description=SCORE)
    score_attribute: ScalarText | None = Field(
        default=None, description="the node attribute whose value is the score"
    )
    boolean_op: Literal["and", "or"] | None = Field(
        default=None, description="and (all of it fits, the default) or or (one part does)"
    )
    role: Role | None = Field(default=None, description=_ROLES)
    expression: tuple[Expression, ...] = Field(
        default=(),
        description=f"{_MANY} of attribute, operation, value, type, value_source: tests of node "
        "attributes",
    )
    date_expression: tuple[DateExpression, ...] = Field(
        default=(), description=f"{_MANY} of operation, start, end, duration, date_spec"
    )
    rsc_expression: tuple[ResourceExpression, ...] = Field(
        default=(), description=f"{_MANY} of class, provider, type: tests of the agent"
    )
    op_expression: tuple[OperationExpression, ...] = Field(
        default=(), description=f"{_MANY} of name, interval: tests of the operation"
    )
    rule: tuple[Rule, ...] = Field(default=(), description="a list of rules in this one")


_RULE = "a mapping of boolean_op, expression, date_expression, rsc_expression, op_expression, rule"


class PairReference(Terms):
    """A value that another set has, or one to which another set refers."""

    tag: ClassVar[str] = "nvpair"
    id_ref: Id | None = Field(default=None, description="the id of a value of another set")
    name: ScalarText | None = Field(default=None, description="its name here")
    value: ScalarText | None = Field(default=None, description="the value, where it has an id")


class AttributeSet(Terms):
    """Values with a score or a rule; or where the set stands that is written by itself."""

    id_ref: Id | None = Field(default=None, description=_ID_REF)
    score: Score | None = Field(
        default=None, description=f"{SCORE}: sets with higher ones come first"
    )
    plain: Boolean | None = Field(
        default=None,
        description="true: in this place stand the values that have a key of their own",
    )
    rule: tuple[Rule, ...] = Field(default=(), description=f"a list of one rule, {_RULE}")
    values: dict[str, Parameter] = Field(
        default={}, description="values by name; one that is a secret as {secret: NAME}"
    )
    references: tuple[PairReference, ...] = Field(
        default=(),
        description=f"{_MANY} of id_ref, name, id, value: values of other sets, or for them",
    )


SETS = f"{_MANY} of score, rule, values, references, id, id_ref, plain"


class SetOfResources(Terms):
    """Resources that a constraint is about together."""

    tag: ClassVar[str] = "resource_set"
    id_ref: Id | None = Field(default=None, description=_ID_REF)
    resources: tuple[str, ...] = Field(default=(), description="a list of ids, in their order")
    sequential: Boolean | None = Field(default=None, description="true or false")
    require_all: Boolean | None = Field(default=None, description="true or false")
    ordering: Literal["group", "listed"] | None = Field(
        default=None, description="one of group, listed"
    )
    action: Literal["start", "stop", "promote", "demote"] | None = Field(
        default=None, description=_ACTIONS
    )
    role: Role | None = Field(default=None, description=_ROLES)
    score: Score | None = Field(default=None, description=SCORE)
    kind: Literal["Mandatory", "Optional", "Serialize"] | None = Field(
        default=None, description="one of Mandatory, Optional, Serialize"
    )


RESOURCE_SETS = (
    f"{_MANY} of resources, sequential, require_all, ordering, action, role, score, kind"
)


class Lifetime(Terms):
    """When a constraint holds, as Pacemaker before 2.1 has it."""

    tag: ClassVar[str] = "lifetime"
    rule: tuple[Rule, ...] = Field(default=(), description="a list of rules")


class PortMapping(Terms):
    """A port of a container."""

    tag: ClassVar[str] = "port-mapping"
    port: ScalarText | None = Field(default=None, description="a TCP port")
    internal_port: ScalarText | None = Field(default=None, description="the port inside")
    range: ScalarText | None = Field(default=None, description="ports, such as 1024-2048")


class Network(Terms):
    """A bundle's network."""

    tag: ClassVar[str] = "network"
    add_host: Boolean | None = Field(default=None, description="true or false")
    ip_range_start: ScalarText | None = Field(
        default=None, description="the first address; each replica has one"
    )
    host_netmask: ScalarText | None = Field(default=None, description="its length, such as 24")
    host_interface: ScalarText | None = Field(default=None, description="a network interface")
    control_port: ScalarText | None = Field(
        default=None, description="the port of pacemaker-remote inside"
    )
    port_mapping: tuple[PortMapping, ...] = Field(
        default=(), description=f"{_MANY} of port, internal_port, range"
    )


class StorageMapping(Terms):
    """A folder of the host that a container sees."""

    tag: ClassVar[str] = "storage-mapping"
    source_dir: ScalarText | None = Field(default=None, description="a path on the host")
    source_dir_root: ScalarText | None = Field(
        default=None, description="a path on the host; each replica has a folder below it"
    )
    target_dir: ScalarText | None = Field(default=None, description="the path in the container")
    options: ScalarText | None = Field(default=None, description="options of the mount")


class Container(Terms):
    """What a bundle's containers are made from."""

    image: ScalarText = Field(description="an image, with its tag")
    replicas: ScalarText | None = Field(default=None, description=_COUNT)
    replicas_per_host: ScalarText | None = Field(default=None, description=_COUNT)
    promoted_max: ScalarText | None = Field(default=None, description=_COUNT)
    masters: ScalarText | None = Field(default=None, description="it is called promoted_max today")
    network: ScalarText | None = Field(default=None, description="the engine's network: host …")
    run_command: ScalarText | None = Field(default=None, description="the program to run")
    options: ScalarText | None = Field(default=None, description="options of the engine's run")


def piece_of(part: Terms, tag: str = "", secret: Secret | None = None) -> Piece:
    """Return the element that a part of an inventory stands for.

    `secret` gives a secret by its name; what it raises is passed on.
    """
    attributes: dict[str, str] = {}
    children: list[Piece] = []
    for name, value in part:
        xml = part.names.get(name, name).replace("_", "-")
        if isinstance(value, Terms):
            children.append(piece_of(value, value.tag, secret))
        elif isinstance(value, str) and name != "id":
            attributes[xml] = value
        elif isinstance(value, dict):
            children += _pairs(value, secret)
        elif isinstance(value, tuple):
            children += _listed(value, secret)
    return Piece(tag or part.tag, attributes, tuple(children), part.id or "")


def _pairs(values: Mapping[str, str | SecretReference], secret: Secret | None) -> Iterator[Piece]:
    for name, value in values.items():
        plain = value
        if isinstance(value, SecretReference):
            plain = secret(value.secret) if secret else ""
        yield Piece("nvpair", {"name": name, "value": str(plain)})


def _listed(items: tuple[Terms | str, ...], secret: Secret | None) -> Iterator[Piece]:
    for item in items:
        if isinstance(item, Terms):
            yield piece_of(item, item.tag, secret)
        else:
            yield Piece("resource_ref", {"id": item})


def sets_of(
    kind: str, sets: tuple[AttributeSet, ...], secret: Secret | None = None
) -> tuple[Piece, ...]:
    """Return the elements of further sets of one kind."""
    return tuple(piece_of(each, kind, secret) for each in sets)
