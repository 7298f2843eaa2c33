"""The whole way of an export: CIB and corosync.conf -> the text of an inventory."""

from __future__ import annotations

from pacefab.export.draft import Draft, Section, Source

SECTIONS: tuple[Section, ...] = ()
"""The sections in the order of the inventory; each is asked once."""


def export(source: Source) -> Draft:
    """Return the inventory of a cluster as plain data, and what it cannot say."""
    draft = Draft()
    for section in SECTIONS:
        section(source, draft)
    return draft
