"""A simple command: its words, and the lines of a script that they stand in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pacefab.legacy.bash.syntax import Node
from pacefab.legacy.masking import masked_line
from pacefab.legacy.model import Place

_ALL_HANDED = re.compile(rb'"?\$(\{[@*][^}]*\}|[@*])"?')
_HANDED = re.compile(rb"\$\{?[@*1-9]")


@dataclass(frozen=True)
class Command:
    """A simple command, expanded.

    `words` begin with its name; `nodes` are those words in the script (none for words that come
    from elsewhere); `text` is what it reads, None: a terminal.
    """

    words: list[str]
    place: Place
    nodes: tuple[Node, ...] = ()
    caller: Place | None = None  # of the function that it stands in

    @property
    def name(self) -> str:
        """The program's name, without its folder."""
        return self.words[0].rpartition("/")[2]

    @property
    def arguments(self) -> list[str]:
        """The words after the name."""
        return self.words[1:]

    @property
    def text(self) -> str:
        """The command as one line, secrets masked."""
        return masked_line(self.words)

    def place_of(self, at: int) -> Place:
        """Return the line of a word; of a word that stands nowhere, the command's.

        What a function was handed ($1, "$@") stands where it was called.
        """
        if at >= len(self.nodes):
            return self.place
        source = self.nodes[at].text or b""
        if self.caller is not None and _HANDED.search(source) and b"pcs" not in source:
            return self.caller
        rows = self.nodes[at].start_point.row - self.nodes[0].start_point.row
        return Place(self.place.file, self.place.line + rows)

    def place_of_all(self) -> Place:
        """Return where a command's words stand: of one with "$@", where that was handed over."""
        handed = any(_ALL_HANDED.fullmatch(node.text or b"") for node in self.nodes)
        return self.caller if self.caller is not None and handed else self.place_of(0)

    def after(self, count: int) -> Command:
        """Return the command without its first words."""
        return Command(self.words[count:], self.place_of(count), self.nodes[count:], self.caller)
