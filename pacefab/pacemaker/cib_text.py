"""The CIB's text as a node gives it: live, else as a stopped Pacemaker left it.

The step and its section, which is called "cib"; `live` says what the text means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from pacefab.transport.command import Section, Step, shell

FILE = "/var/lib/pacemaker/cib/cib.xml"
_ACTIVE, _NONE = "active", "none"
# What follows a cibadmin that failed: whether Pacemaker runs all the same, else what it left. Where
# there is neither cibadmin (127) nor that file, Pacemaker has never run. A file that is empty, or
# cannot be read, is not "none".
LEFT = rf"""
status=$?
if [ "$status" = 127 ] && [ ! -e {FILE} ]; then echo {_NONE}
elif systemctl is-active --quiet pacemaker; then echo {_ACTIVE}
elif [ -e {FILE} ]; then cat {FILE}
else echo {_NONE}
fi
exit "$status"
"""
_WHOLE = f"cibadmin --query && exit{LEFT}"
_CONFIGURATION = f"cibadmin --query --scope configuration && exit{LEFT}"
_HEAD = f"cibadmin --query --no-children && exit{LEFT}"
_START_TAG = re.compile(r"<cib\s[^>]*>")
_ALONE = re.compile(r"<cib\s[^>]*/>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
# What is the same wherever the same configuration is read (Pacemaker Explained, "CIB Properties");
# num_updates counts changes of the state, and have-quorum is each node's own. cib-last-written is
# the moment at which each node itself, by its own clock, took the change.
_CONFIGURED = ("admin_epoch", "epoch", "update-origin", "update-client", "dc-uuid")
_WRITTEN, _WRITTEN_FORMAT = "cib-last-written", "%a %b %d %H:%M:%S %Y"
_TOGETHER_SECONDS = 60


def observe() -> list[Step]:
    """Return the step that `read` understands, of all of the CIB."""
    return [shell("cib", _WHOLE)]


def observe_configuration() -> list[Step]:
    """Return the step that `read` understands, of what is configured alone.

    Of a large cluster the state is most of the CIB, and for Pacemaker to hand it out takes longest.
    """
    return [shell("cib", _CONFIGURATION)]


def observe_head() -> list[Step]:
    """Return the step that says which CIB it is, or what `observe_configuration` says else."""
    return [shell("cib", _HEAD)]


def complete(own: Section, other: Section | None) -> Section | None:
    """Return the whole of what a node has said the head of; None: it is itself to be asked.

    `other` is what a node of its cluster said that was asked for more: where the head says so, that
    is the configuration of both.
    """
    if not own.ok or not _ALONE.fullmatch(own.out.strip()):
        return own
    return other if other and other.ok and _are_alike(own.out, other.out) else None


def _are_alike(text: str, other: str) -> bool:
    """Whether two CIBs are of one configuration, by their start tags."""
    one, two = _head(text), _head(other)
    if any(one.get(name) != two.get(name) for name in _CONFIGURED):
        return False
    if one.get(_WRITTEN) == two.get(_WRITTEN):
        return True
    try:
        moments = [_moment(head[_WRITTEN]) for head in (one, two)]
    except (KeyError, ValueError):
        return False
    return abs((moments[0] - moments[1]).total_seconds()) <= _TOGETHER_SECONDS


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _WRITTEN_FORMAT).replace(tzinfo=UTC)  # all of one zone


def _head(text: str) -> dict[str, str]:
    tag = _START_TAG.search(text)
    return dict(_ATTRIBUTE.findall(tag[0])) if tag else {}


def read(sections: Mapping[str, Section]) -> str:
    """Return the text; empty where there is none, or it could not be had, or was not asked for."""
    text = sections["cib"].out.strip() if "cib" in sections else ""
    return "" if text in {_ACTIVE, _NONE} else text


def is_absent(section: Section) -> bool:
    """Whether Pacemaker neither runs there nor left one."""
    return not section.ok and section.out.strip() == _NONE


def is_unanswered(section: Section) -> bool:
    """Whether Pacemaker runs there, and did not answer."""
    return not section.ok and section.out.strip() == _ACTIVE
