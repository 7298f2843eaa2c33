"""The files that scripts read: those that they wrote before, and those of the tree."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import normpath

from pacefab.legacy.bash.budget import bounded
from pacefab.legacy.model import Effects, Place, WrittenFile
from pacefab.legacy.source import Tree
from pacefab.legacy.unknown import CLOSE, Unknowns, is_known


@dataclass(frozen=True)
class Text:
    """A text file as scripts made it: what is in it and where that stands."""

    text: str
    place: Place


class Files:
    """The files of all hosts, by path.

    Args:
        tree: the folder of scripts.
        unknowns: the register of what is unknown.
        effects: where written files and assumptions are noted.
    """

    def __init__(self, tree: Tree, unknowns: Unknowns, effects: Effects) -> None:
        self._tree = tree
        self._unknowns = unknowns
        self._effects = effects
        self._by_name: dict[str, str] = {}  # the last path of a file's name
        self.written: dict[str, Text] = {}  # by path
        self.consulted: set[str] = set()  # files of the tree that scripts read

    def write(
        self,
        path: str,
        text: str,
        host: str,
        place: Place,
        *,
        append: bool,
        first: Place | None = None,
    ) -> None:
        """Remember a file that a script writes; `first`: where its text begins."""
        if path in {"/dev/null", "/dev/stderr", "/dev/stdout", "/dev/tty"} or not path:
            return
        how = "appended" if append else "written"
        shown = WrittenFile(self._unknowns.show(path), host, place, how)
        self._effects.files.setdefault(shown)
        before = self.written.get(path) if append else None
        if append and before is None:
            text = self._unknowns.mark(f"what {path} had before") + "\n" + text
        text = bounded(before.text + text) if before else text
        self.keep(path, Text(text, before.place if before else first or place))

    def keep(self, path: str, text: Text) -> None:
        """Remember what is in a file."""
        self.written[path] = text
        self._by_name[path.rpartition("/")[2]] = path

    def read(self, path: str, script: str = "", folder: str = "") -> Text | None:
        """Return a file that scripts wrote or the tree has, by its path or else its name.

        `folder`: of the tree, where a script went to with cd.

        Of a path that begins with something unknown, the known end has to be one file's alone, or
        be that of a file in the folder of the script.
        """
        if not is_known(path):
            return self._read_by_end(path, script)
        if path in self.written:
            return self.written[path]
        folders = (folder, script.rpartition("/")[0]) if not path.startswith("/") else ()
        own = (normpath(f"{one}/{path}") for one in folders if one)
        path = next((one for one in own if one in self._tree.files), path)
        file = self._tree.find(path)
        if file:
            self.consulted.add(file.path)
            return Text(file.text, Place(file.path, 1))
        return self.written.get(self._by_name.get(path.rpartition("/")[2], ""))

    def _read_by_end(self, path: str, script: str) -> Text | None:
        tail = path.rpartition(CLOSE)[2]
        own = normpath(f"{script.rpartition('/')[0]}/.{tail}".lstrip("/"))
        file = self._tree.ending(tail) if tail.startswith("/") else None
        if tail.startswith("/") and own in self._tree.files:
            file = self._tree.files[own]
        if file is None:
            return None
        self.consulted.add(file.path)
        self._effects.assume(
            self._unknowns.show(f"{path} is {file.path} of the folder"), Place(file.path, 1)
        )
        return Text(file.text, Place(file.path, 1))

    def exists(self, path: str) -> bool | None:
        """Return whether a file is there: what scripts wrote and the folder has; else unknown."""
        here = path.removeprefix("/root/").removeprefix("./")
        return True if path in self.written or here in self._tree.files else None
