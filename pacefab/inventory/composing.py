"""YAML text -> nodes, by libyaml's events: in a tenth of the time that ruamel.yaml's own take.

It reads what inventories are made of. Whatever else there is (errors, whose words are the reader's
in Python; anchors, tags and directives) is left to that reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamStartEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

# Where libyaml, which reads YAML 1.1, has another mind on lines and spaces; block scalars, too.
_READ_OTHERWISE = re.compile(r"[\t\x85\u2028\u2029\ufeff]|[|>][-+0-9]* *(#|$)", re.MULTILINE)


class _LeftToPythonError(Exception):
    """There is something in the text that only the reader in Python is to read."""


def compose(text: str) -> Node | None:
    """Return the root node of the one document; None: use ruamel.yaml's own reader.

    Raises:
        RecursionError: it is nested too deeply.
    """
    if _READ_OTHERWISE.search(text):
        return None
    yaml = YAML(typ="safe")
    try:
        return _Composing(yaml.parse(text), YAML(typ="safe", pure=True).resolver).document()
    except (YAMLError, _LeftToPythonError):
        return None


class _Composing:
    """One walk over the events of a text."""

    def __init__(self, events: Iterator[Any], resolver: Any) -> None:
        self._events, self._resolver = events, resolver
        self._tags: dict[tuple[str, tuple[bool, bool]], Any] = {}  # most words stand there often

    def document(self) -> Node:
        self._expect(StreamStartEvent)
        start = self._expect(DocumentStartEvent)
        if start.version or start.tags:
            raise _LeftToPythonError
        root = self._node(next(self._events))
        end = self._expect(DocumentEndEvent)
        if end.explicit or len(list(self._events)) > 1:  # more than the stream's end
            raise _LeftToPythonError
        return root

    def _expect(self, kind: type) -> Any:
        event = next(self._events)
        if not isinstance(event, kind):
            raise _LeftToPythonError
        return event

    def _node(self, event: Any) -> Node:
        if getattr(event, "tag", "!") is not None or event.anchor is not None:
            raise _LeftToPythonError
        if isinstance(event, ScalarEvent):
            if not event.value and not event.style:  # nothing stands on another line for each
                raise _LeftToPythonError
            tag = self._tag(event.value, event.implicit)
            return ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        kind, children = self._children(event)
        tag = self._resolver.resolve(kind, None, event.implicit)
        return kind(tag, children, event.start_mark, event.end_mark)

    def _tag(self, value: str, implicit: tuple[bool, bool]) -> Any:
        key = (value, implicit)
        if key not in self._tags:
            self._tags[key] = self._resolver.resolve(ScalarNode, value, implicit)
        return self._tags[key]

    def _children(self, event: Any) -> tuple[type[Node], list[Any]]:
        if isinstance(event, SequenceStartEvent):
            return SequenceNode, list(self._until(SequenceEndEvent))
        if isinstance(event, MappingStartEvent):
            entries = self._until(MappingEndEvent)
            return MappingNode, list(zip(entries, entries, strict=True))
        raise _LeftToPythonError

    def _until(self, end: type) -> Iterator[Node]:
        while not isinstance(event := next(self._events), end):
            yield self._node(event)
