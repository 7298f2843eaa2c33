"""The metadata of an agent (OCF 1.0 and 1.1, fence agents, systemd units). Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from lxml import etree

from pacefab.pacemaker.configuration import map_primitives
from pacefab.pacemaker.model import (
    Configuration,
    Operation,
    Primitive,
    Resource,
    Template,
    primitives,
    role_of,
)
from pacefab.pacemaker.naming import secret_names
from pacefab.transport import xml_answers

_LEVEL = "OCF_CHECK_LEVEL"
_SECRET_SAID = re.compile(r"\b(password|passphrase|secret|token)\b", re.IGNORECASE)
_PLACE_SAID = re.compile(
    r"\b(script|file|path|timeout|retr|user|name|whether|if|enable|use|support)", re.IGNORECASE
)
_TRUE = {"1", "true", "yes", "on", "y"}


@dataclass(frozen=True)
class Parameter:
    """One parameter of an agent; `replaces` is the older name of the same."""

    name: str
    type: str = "string"
    required: bool = False
    unique: bool = False
    default: str | None = None
    deprecated: bool = False
    replaces: str = ""
    choices: tuple[str, ...] = ()  # of type select
    secret: bool = False


@dataclass(frozen=True)
class Metadata:
    """An agent: what it takes, and the operations that pcs gives a new resource of it."""

    agent: str
    parameters: tuple[Parameter, ...]
    operations: tuple[Operation, ...]
    actions: frozenset[str] = frozenset()  # all that it can do, by name


def parse(agent: str, text: str) -> Metadata:
    """Return the metadata that `crm_resource --show-metadata AGENT` prints.

    Raises:
        ValueError: the text is no metadata.
    """
    root = xml_answers.parse(text)
    if root.tag != "resource-agent":
        raise ValueError(f"not metadata of an agent: <{root.tag}>")
    parameters = tuple(_parameter(e) for e in root.iterfind("parameters/parameter"))
    actions = [_operation(e) for e in root.iterfind("actions/action")]
    names = frozenset(action.name for action in actions)
    return Metadata(agent, parameters, tuple(_defaults(agent, actions)), names)


def _parameter(element: etree._Element) -> Parameter:
    content = element.find("content")
    attributes: Mapping[str, str] = dict(content.attrib) if content is not None else {}  # type: ignore[arg-type]
    options = content.iterfind("option") if content is not None else ()
    return Parameter(
        name=element.get("name", ""),
        type=attributes.get("type", "string"),
        required=_flag(element, "required"),
        unique=_flag(element, "unique") or element.get("unique-group") is not None,
        default=attributes.get("default"),
        deprecated=_flag(element, "deprecated") or element.find("deprecated") is not None,
        replaces=element.get("obsoletes", ""),
        choices=tuple(option.get("value", "") for option in options),
        secret=_is_secret(element, attributes),
    )


def _is_secret(element: etree._Element, content: Mapping[str, str]) -> bool:
    """Whether the agent calls it a secret: by a mark, its type, or what it says of it in short."""
    marked = any(_flag(element, mark) for mark in ("sensitive", "secret", "private"))
    said = element.findtext("shortdesc") or ""
    named = _SECRET_SAID.search(said) and not _PLACE_SAID.search(said)
    return marked or content.get("type") in {"password", "secret"} or bool(named)


def _flag(element: etree._Element, name: str) -> bool:
    return element.get(name, "0").lower() in _TRUE


# Not copied by pcs: run once by people, or an old name of monitor (pcs lib/cib/resource/agent).
_NO_OPERATIONS = {"meta-data", "status", "validate-all"}


def _operation(element: etree._Element) -> Operation:
    name = element.get("name", "")
    role, delay, depth = (element.get(key, "") for key in ("role", "start-delay", "depth"))
    others = {"role": role_of(role), "start-delay": delay}
    return Operation(
        name=name,
        interval=element.get("interval") or default_interval(name),
        timeout=element.get("timeout", ""),
        others={key: value for key, value in others.items() if value},
        parameters={_LEVEL: depth} if depth not in {"", "0"} else {},
    )


def default_interval(operation: str) -> str:
    """Return the interval that pcs gives an operation for which none is named."""
    return "60s" if operation == "monitor" else "0s"


def _defaults(agent: str, actions: Iterable[Operation]) -> Iterator[Operation]:
    """Return the operations that pcs (0.11 and 0.12) gives a new resource, in its order.

    Of a fencing device it is the monitor alone; a monitor is always there; two of one name get
    different intervals, as Pacemaker could not distinguish them.
    """
    fencing = agent.startswith("stonith:")
    desired = [a for a in actions
              if (a.name == "monitor" if fencing else a.name not in _NO_OPERATIONS)]  # fmt: skip
    if not any(operation.name == "monitor" for operation in desired):
        desired.append(Operation("monitor", default_interval("monitor"), ""))
    used: set[tuple[str, int]] = set()
    for operation in sorted(desired, key=lambda operation: operation.name):
        found = _whole_seconds(operation.interval)
        seconds = found
        while seconds is not None and (operation.name, seconds) in used:
            seconds += 1
        if seconds is not None:
            used.add((operation.name, seconds))
        yield operation if seconds == found else replace(operation, interval=str(seconds))


_TIME = re.compile(r"(\d+)\s*(s|sec|m|min|h|hr)?")
_SECONDS = {"m": 60, "min": 60, "h": 3600, "hr": 3600}


def _whole_seconds(text: str) -> int | None:
    found = _TIME.fullmatch(text.strip())
    return int(found[1]) * _SECONDS.get(found[2] or "", 1) if found else None


def complete(primitive: Primitive, metadata: Metadata) -> Primitive:
    """Return the primitive with all its operations, as pcs would create it.

    Those given stand, with pcs's interval where none is given; the agent's own fill in the names
    that are not among them.
    """
    given = [_given(operation) for operation in primitive.operations]
    names = {operation.name for operation in given}
    rest = [operation for operation in metadata.operations if operation.name not in names]
    every = sorted([*given, *rest], key=lambda operation: operation.name)
    secret = {p.name for p in metadata.parameters if p.secret} & primitive.parameters.keys()
    return replace(primitive, operations=tuple(every), hidden=primitive.hidden | secret)


def _given(operation: Operation) -> Operation:
    """Return an operation as pcs writes it: the check level is a parameter, not an option."""
    level = {k: v for k, v in operation.others.items() if k == _LEVEL}
    return replace(
        operation,
        interval=operation.interval or default_interval(operation.name),
        others={k: v for k, v in operation.others.items() if k != _LEVEL},
        parameters={**operation.parameters, **level},
    )


def complete_configuration(
    configuration: Configuration, metadata: Mapping[str, Metadata]
) -> Configuration:
    """Return the configuration with every primitive complete whose agent is known by `metadata`."""

    def filled(primitive: Primitive) -> Primitive:
        known = metadata.get(primitive.agent)
        return complete(primitive, known) if known and primitive.advised else primitive

    resources = tuple(map_primitives(filled, each) for each in configuration.resources)
    return replace(configuration, resources=resources)


def agents(configuration: Configuration) -> tuple[str, ...]:
    """Return the agents that a configuration uses, each once."""
    every = chain.from_iterable(map(_of, configuration.resources))
    # One of a template has no agent of its own.
    return tuple(dict.fromkeys(primitive.agent for primitive in every if primitive.agent))


def _of(resource: Resource) -> tuple[Primitive, ...]:
    return (resource.primitive,) if isinstance(resource, Template) else primitives(resource)


# pcs takes these for agents that do not list them; fencing devices take Pacemaker's own besides.
_ALWAYS = {"trace_ra", "trace_file"}
_FENCED = ("pcmk_", "priority", "stonith-timeout", "fence-timeout", "provides")


def check_parameters(primitive: Primitive, metadata: Metadata) -> tuple[str, ...]:
    """Return what is wrong with a primitive's parameters, by its agent's metadata.

    A required one may be given by its older name. Of a fencing device neither `port` (Pacemaker
    gives the node's) nor `action` is required.
    """
    known = {parameter.name: parameter for parameter in metadata.parameters}
    fencing = primitive.agent.startswith("stonith:")
    hidden = secret_names(primitive, complete(primitive, metadata))
    given = {k: _Secret(v) if k in hidden else v for k, v in primitive.parameters.items()}
    return (*_check_given(given, known, fencing=fencing), *_missing(given, known, fencing=fencing))


def _check_given(
    given: Mapping[str, str], known: Mapping[str, Parameter], *, fencing: bool
) -> Iterator[str]:
    for name, value in given.items():
        if name in known:
            yield from _check_value(known[name], value)
        elif name not in _ALWAYS and not (fencing and name.startswith(_FENCED)):
            yield f"no parameter {name}{_did_you_mean(name, known)}"


def _missing(
    given: Mapping[str, str], known: Mapping[str, Parameter], *, fencing: bool
) -> Iterator[str]:
    for parameter in known.values():
        excused = fencing and {parameter.name, parameter.replaces} & {"port", "action"}
        if parameter.required and not parameter.deprecated and not excused:
            older = _older_names(parameter.name, known)
            if not older & given.keys():
                yield f"the parameter {parameter.name} is missing"


def _older_names(name: str, known: Mapping[str, Parameter]) -> set[str]:
    """Return the name and those that it replaces, or that replace it."""
    newer = {parameter.name for parameter in known.values() if parameter.replaces == name}
    return {name, known[name].replaces, *newer} - {""}


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    if close := difflib.get_close_matches(name, names, n=1):
        return f"; did you mean {close[0]}?"
    return f"; there are {', '.join(names)}" if names else "; the agent takes none"


class _Secret(str):
    """The value of a secret, in whose place a word is shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "(secret)"


_BOOLEAN = re.compile(r"1|0|true|false|yes|no|on|off|y|n|t|f", re.IGNORECASE)
_TYPES = {
    "boolean": (_BOOLEAN, "true or false"),
    "integer": (re.compile(r"[+-]?\d+"), "a whole number"),
    "decimal": (re.compile(r"[+-]?\d+(\.\d+)?"), "a number"),
    "second": (re.compile(r"\d+(\.\d+)?"), "seconds, a number"),
    "time": (re.compile(r"\d+\s*(ms|msec|us|usec|s|sec|m|min|h|hr)?"), "a time such as 30s"),
    "percentage": (re.compile(r"\d+%"), "a percentage such as 50%"),
}


def _check_value(parameter: Parameter, value: str) -> Iterator[str]:
    if parameter.choices and value not in parameter.choices:
        yield f"{parameter.name} is {value!r}; allowed: {', '.join(parameter.choices)}"
    pattern, said = _TYPES.get(parameter.type, (None, ""))
    if pattern and parameter.default and not pattern.fullmatch(parameter.default):
        return  # the agent's own default is none: ping's dampen, an integer, is 5s
    if pattern and not pattern.fullmatch(value):
        yield f"{parameter.name} is {value!r}; it has to be {said}"
