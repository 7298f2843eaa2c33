"""Console blocks in colour: to Pygments' own lexer, output that begins with # is root's command."""

from __future__ import annotations

from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups
from pygments.token import Generic, Text


class ConsoleLexer(RegexLexer):  # type: ignore[misc]  # Pygments is untyped
    """A line `$ COMMAND` is what was typed, every other one is output."""

    name = "console"
    aliases: ClassVar[list[str]] = ["console"]
    tokens: ClassVar = {
        "root": [
            (r"^(\$ )(.*\n)", bygroups(Generic.Prompt, Text)),
            (r".*\n", Generic.Output),
        ]
    }
