"""Alerts: programs that Pacemaker runs on every node when something happens. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from lxml import etree

from pacefab.pacemaker.cib import CibDraft, pairs, plain_set
from pacefab.pacemaker.compare import shown
from pacefab.pacemaker.elements import add, put_sets
from pacefab.pacemaker.model import Further, SectionObject
from pacefab.pacemaker.naming import is_secret
from pacefab.pacemaker.nouns.piece import read_sets, without_usual
from pacefab.pacemaker.nouns.plain_set import emptied

_SETS = ("instance_attributes", "meta_attributes")
_EVENTS = ("fencing", "nodes", "resources")


@dataclass(frozen=True)
class Selection:
    """The events that an alert is run for; `attributes` are names of node attributes.

    With `any_attribute`, changes of every node attribute are among them.
    """

    events: frozenset[str] = frozenset()  # of fencing, nodes, resources
    any_attribute: bool = False
    attributes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it as an operator says it: fencing, nodes, attributes rack."""
        named = f"attributes {' '.join(sorted(self.attributes))}" if self.attributes else ""
        every = "attributes" if self.any_attribute and not named else ""
        return ", ".join(filter(None, (*sorted(self.events), every, named)))


@dataclass(frozen=True)
class Recipient:
    """Whom an alert's program is run for; `value` is whatever the program understands."""

    value: str
    description: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, str] = field(default_factory=dict)
    id: str = ""  # empty: as pcs would call it
    hidden: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    further: Further = field(default_factory=dict)


@dataclass(frozen=True)
class ClusterAlert(SectionObject):
    """A program at `path` with what it is given; `hidden` are attributes that are secrets.

    `further` are sets with rules or scores; of a kind that is not there nothing is said.
    """

    path: str
    description: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, str] = field(default_factory=dict)
    select: Selection | None = None
    recipients: tuple[Recipient, ...] = ()
    hidden: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    further: Further = field(default_factory=dict)


_Alerted = TypeVar("_Alerted", ClusterAlert, Recipient)


def read(element: etree._Element, secrets: Collection[str] = ()) -> ClusterAlert | None:
    """Return an alert; None for one with what is not of Pacemaker's schema.

    `secrets` are ALERT:ATTRIBUTE, or RECIPIENT:ATTRIBUTE, of what is a secret and not by its name.
    """
    recipients = element.findall("recipient")
    known = {"select", "recipient", *_SETS}
    if any(child.tag not in known for child in element.iterfind("*")):
        return None
    attributes, meta = _attributes(element)
    return ClusterAlert(
        element.get("path", ""),
        element.get("description", ""),
        attributes,
        meta,
        _selection(element.find("select")),
        tuple(_recipient(each, secrets) for each in recipients),
        _hidden(element, attributes, secrets),
        _further(element),
        id=element.get("id", ""),
    )


def _further(element: etree._Element) -> Further:
    """Return sets with rules or scores and their places; of a plain set by itself nothing."""
    found = {kind: read_sets(element, plain_set(element, kind), kind) for kind in _SETS}
    return {kind: sets for kind, sets in found.items() if without_usual(sets)}


def _attributes(element: etree._Element) -> tuple[dict[str, str], dict[str, str]]:
    own, meta = (pairs(plain_set(element, kind)) for kind in _SETS)
    return own, meta


def _hidden(
    element: etree._Element, attributes: Mapping[str, str], secrets: Collection[str]
) -> frozenset[str]:
    return frozenset(name for name in attributes if f"{element.get('id')}:{name}" in secrets)


def _recipient(element: etree._Element, secrets: Collection[str]) -> Recipient:
    attributes, meta = _attributes(element)
    return Recipient(
        element.get("value", ""),
        element.get("description", ""),
        attributes,
        meta,
        element.get("id", ""),
        _hidden(element, attributes, secrets),
        _further(element),
    )


def _selection(element: etree._Element | None) -> Selection | None:
    if element is None:
        return None
    attributes = element.find("select_attributes")
    return Selection(
        frozenset(event for event in _EVENTS if element.find(f"select_{event}") is not None),
        attributes is not None,
        tuple(each.get("name", "") for each in element.iterfind("select_attributes/attribute")),
    )


def write(cib: CibDraft, section: etree._Element, alert: ClusterAlert) -> etree._Element:
    """Append an alert: its sets, the events, its recipients."""
    element = add(cib, section, "alert", alert.id, path=alert.path, description=alert.description)
    _write_sets(cib, element, alert)
    _write_selection(cib, element, alert.select)
    for each in alert.recipients:
        name = each.id or f"{alert.id}-recipient"
        inner = add(cib, element, "recipient", name, value=each.value, description=each.description)
        _write_sets(cib, inner, each)
    return element


def _write_sets(cib: CibDraft, element: etree._Element, noun: ClusterAlert | Recipient) -> None:
    put_sets(cib, element, "meta_attributes", noun.meta, noun.further)  # first, as pcs does it
    put_sets(cib, element, "instance_attributes", noun.attributes, noun.further)


def _write_selection(cib: CibDraft, alert: etree._Element, select: Selection | None) -> None:
    if select is None:
        return
    element = etree.SubElement(alert, "select")
    if select.any_attribute or select.attributes:
        attributes = etree.SubElement(element, "select_attributes")
        for name in select.attributes:
            add(cib, attributes, "attribute", f"{alert.get('id')}-select-{name}", name_=name)
    for event in _EVENTS:
        if event in select.events:
            etree.SubElement(element, f"select_{event}")


def adapt(present: ClusterAlert, desired: ClusterAlert) -> ClusterAlert:
    """Return the desired alert whose recipients keep the ids that they have.

    Sets of which nothing is said stay as well.
    """
    had = {each.id: each for each in present.recipients}
    there: dict[str, list[str]] = {}
    for each in present.recipients:
        there.setdefault(each.value, []).append(each.id)
    given = {each.id for each in desired.recipients}
    named = [
        each if each.id else replace(each, id=_first(there.get(each.value, []), given))
        for each in desired.recipients
    ]
    recipients = tuple(_beside(had[e.id], e) if e.id in had else e for e in named)
    return replace(_beside(present, desired), recipients=recipients)


def _beside(present: _Alerted, desired: _Alerted) -> _Alerted:
    """Return what is desired with the sets that are there, of those kinds that are not said."""
    values = {"instance_attributes": desired.attributes, "meta_attributes": desired.meta}
    there = {"instance_attributes": present.attributes, "meta_attributes": present.meta}
    further = {**present.further, **desired.further}
    for kind, plain in values.items():
        if not plain and kind in further and kind not in desired.further:
            left = emptied(kind, there[kind], further[kind])
            values[kind], further[kind] = left or (plain, further[kind])
    attributes, meta = values.values()
    return replace(desired, attributes=attributes, meta=meta, further=further)


def _first(ids: list[str], given: Collection[str]) -> str:
    while ids:
        if (found := ids.pop(0)) not in given:
            return found
    return ""


def meaning(alert: ClusterAlert) -> Mapping[str, str]:
    """Return what an alert says; an attribute by its name, a recipient's behind its value."""
    found = {"path": alert.path, **dict(_said(alert))}
    if alert.select is not None:
        found["events"] = str(alert.select)
    for number, each in enumerate(alert.recipients):
        same = [other.value for other in alert.recipients[:number]].count(each.value)
        where = f"recipient {each.value}" + (f" ({same + 1})" if same else "")
        found[where] = each.id or "there"
        found |= {f"{where} {name}": value for name, value in _said(each)}
    return found


def _said(noun: ClusterAlert | Recipient) -> Iterator[tuple[str, str]]:
    if noun.description:
        yield "description", noun.description
    yield from ((f"attribute {name}", value) for name, value in noun.attributes.items())
    yield from ((f"meta {name}", value) for name, value in noun.meta.items())
    for kind, sets in noun.further.items():
        if said := " ".join(map(shown, without_usual(sets))):
            yield f"{kind} sets", said


def secrets(alert: ClusterAlert) -> frozenset[str]:
    """Return the names of the attributes that are secrets, its recipients' among them."""
    every: list[ClusterAlert | Recipient] = [alert, *alert.recipients]
    by_name = (name for each in every for name in each.attributes if is_secret(name))
    return frozenset(by_name).union(*(each.hidden for each in every))


def recorded(alert: ClusterAlert) -> Iterator[str]:
    """Yield ID:ATTRIBUTE of what is a secret and not by its name, for our record."""
    every: list[ClusterAlert | Recipient] = [alert, *alert.recipients]
    for each in every:
        yield from (f"{each.id}:{name}" for name in sorted(each.hidden) if not is_secret(name))


def pcs_lines(alert: ClusterAlert, *, remove: bool) -> list[list[str]]:
    """Return the lines with which pcs makes or removes it; pcs cannot choose events."""
    if remove:
        return [["pcs", "alert", "remove", alert.id]]
    words = ["pcs", "alert", "create", f"path={alert.path}", f"id={alert.id}"]
    lines = [[*words, *_options(alert)]]
    for each in alert.recipients:
        own = [f"value={each.value}", *([f"id={each.id}"] if each.id else [])]
        lines.append(["pcs", "alert", "recipient", "add", alert.id, *own, *_options(each)])
    return lines


def _options(noun: ClusterAlert | Recipient) -> Sequence[str]:
    hidden = {name for name in noun.attributes if is_secret(name) or name in noun.hidden}
    shown = {k: "(secret)" if k in hidden else v for k, v in noun.attributes.items()}
    words = [f"description={noun.description}"] if noun.description else []
    for word, values in (("options", shown), ("meta", noun.meta)):
        words += [word, *(f"{name}={value}" for name, value in values.items())] if values else []
    return words
