"""The CIB's text as a node gives it: live, else as a stopped Pacemaker left it.

The step and its section, which is called "cib"; `live` says what the text means.
"""

from __future__ import annotations

from collections.abc import Mapping

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


def observe() -> list[Step]:
    """Return the step that `read` understands, of all of the CIB."""
    return [shell("cib", _WHOLE)]


def observe_configuration() -> list[Step]:
    """Return the step that `read` understands, of what is configured alone.

    Of a large cluster the state is most of the CIB, and for Pacemaker to hand it out takes longest.
    """
    return [shell("cib", _CONFIGURATION)]


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
