"""Which scripts of a tree are started by another one of it, by what stands in their lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch

from pacefab.legacy.source import SourceFile, Tree

_STARTER = re.compile(r"(bash|sh|source|\.|sudo|exec|/)[\s/\"']")
_GAP = re.compile(r"[\s/\"']")


def called_scripts(tree: Tree) -> set[str]:
    """Return the scripts that another one names in a command (not in a comment)."""
    found: set[str] = set()
    for file in tree.scripts:
        code = [re.sub(r"(^|\s)#.*", "", line) for line in file.text.split("\n")]
        words = [text for line in code for text in _after_starters(line)]
        for other in tree.scripts:
            name = other.path.rpartition("/")[2]
            named = re.compile(rf"(?<![\w-]){re.escape(name)}\b")
            if other is not file and any(name in text and named.search(text) for text in words):
                found.add(other.path)
        for loop in re.findall(r"\bfor\s+\w+\s+in\s+([^\n;]*\*[^\n;]*)", "\n".join(code)):
            found.update(_matching(tree, file, loop))
    return found


def _after_starters(line: str) -> Iterator[str]:
    """Yield what stands, in each command of a line, after a word that starts a script.

    What a command of ssh has in quotes may be several commands.
    """
    remote = False
    for command in re.split(r"[;&|]", line):
        starter = None if remote else _STARTER.search(command)
        remote = remote or "ssh" in command
        if remote and starter is None:
            starter = _GAP.search(command, max(command.find("ssh"), 0))
        if starter:
            yield command[starter.end() :]


def _matching(tree: Tree, caller: SourceFile, words: str) -> Iterator[str]:
    """Yield the scripts that a loop over patterns of names would go through.

    Of folders in the pattern only the last is compared: the others may be variables.
    """
    for word in words.replace('"', "").replace("'", "").split():
        folder, _, pattern = word.rpartition("/")
        inside = folder.rpartition("/")[2]
        for other in tree.scripts:
            where, _, name = other.path.rpartition("/")
            same = "$" in inside or inside in {"", "."} or inside == where.rpartition("/")[2]
            if other is not caller and same and "*" in pattern and fnmatch(name, pattern):
                yield other.path
