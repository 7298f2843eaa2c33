"""A folder of scripts -> texts, within bounds: what is read, and what is not and why."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import normpath

from pacefab.errors import UsageError
from pacefab.legacy.unknown import RESERVED

MOST_FILES = 500
LARGEST_FILE = 1_000_000  # bytes; a script of a thousand lines has some 50,000
LARGEST_TREE = 20_000_000
_OUTSIDE = "a link that leads out of the folder"
FOREIGN = "a folder of version control, of dependencies or of a cache"
_SHEBANG = re.compile(r"#!.*\b(ba|da|k|z)?sh\b")
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_BINARY = re.compile(rb"\x00")
# Folders of other programs, with copies of files or none that are scripts of a deployment.
_NOISE = {
    ".git", ".hg", ".svn", ".bzr", ".tox", ".venv", "venv", "node_modules", "__pycache__",
    ".terraform", ".cache", ".mypy_cache", ".pytest_cache",
}  # fmt: skip
_DOCUMENT = re.compile(
    r"\.(md|markdown|mkd|rst|adoc|asciidoc|txt|org|html?|tex|pod|texi|wiki|textile|[1-8]|log)$|"
    r"(^|/)(readme|changelog|changes|install|notes|todo|howto|news|copying|license|authors)[^/]*$",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"(^|/)(GNUmakefile|[Mm]akefile|Dockerfile|Containerfile|Vagrantfile|Jenkinsfile|Rakefile|"
    r"Gemfile|Berksfile|Procfile|Puppetfile)[^/]*$"
)
_SHELL = re.compile(r"\.(sh|bash|ksh|dash|zsh|bats)$")
_PLAIN = re.compile(r"(^|/)\.?[\w-]+$|(^|/)\.[\w-]+(rc|profile|aliases|login)$")
_COMMAND = re.compile(
    r"^[ \t]*(?:sudo\s+)?(?:/usr/s?bin/)?(?:pcs\s+(?:-f\s+\S+\s+)?(?:resource|stonith|constraint|"
    r"property|cluster|node|host|quorum|status|config)|crm\s+(?:configure|resource|node|cluster)|"
    r"cibadmin|crm_attribute|crm_resource)\b",
    re.MULTILINE,
)


@dataclass(frozen=True)
class SourceFile:
    """A text file of the tree; lines end with newlines only, whatever they ended with."""

    path: str  # within the tree
    text: str

    @property
    def is_script(self) -> bool:
        """Whether it is bash: by its first line, else its name, else its first commands."""
        if self.text.startswith("#!"):
            return bool(_SHEBANG.match(self.text))
        if _SHELL.search(self.path):
            return True
        plain = _PLAIN.search(self.path) and not _OTHER.search(self.path) and not self.is_document
        return bool(plain and _COMMAND.search(self.text))

    @property
    def is_document(self) -> bool:
        """Whether it is for people to read, by its name."""
        return bool(_DOCUMENT.search(self.path))


@dataclass
class Tree:
    """What is read of a folder: texts by path, what was not read, how texts were decoded."""

    files: dict[str, SourceFile] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)  # path -> why
    remarks: dict[str, str] = field(default_factory=dict)  # path -> how it was read
    ini: str = ""  # the file that stands for ini files that are missing

    @property
    def scripts(self) -> list[SourceFile]:
        """The tree's scripts, in the order in which people number them (2 before 10)."""
        return sorted((path for path in self.files.values() if path.is_script), key=_natural)

    def find(self, path: str) -> SourceFile | None:
        """Return the file that a script means by a path, wherever it was copied to."""
        path = normpath(path)
        if path in self.files:
            return self.files[path]
        name = path.rpartition("/")[2]
        same = [file for file in sorted(self.files) if file.rpartition("/")[2] == name]
        if name and same:
            return self.files[max(same, key=lambda path_: _shared_end(path_, path))]
        return self.files[self.ini] if self.ini and name.endswith(".ini") else None

    def ending(self, tail: str) -> SourceFile | None:
        """Return the one file whose path ends with /FOLDERS/NAME; None when several do."""
        same = [path for path in self.files if f"/{path}".endswith(tail)]
        return self.files[same[0]] if len(same) == 1 else None


def _shared_end(path: str, other: str) -> int:
    """Return how many names two paths have in common, counted from their ends."""
    pairs = zip(reversed(path.split("/")), reversed(other.split("/")), strict=False)
    return next(
        (at for at, (left, right) in enumerate(pairs) if left != right), path.count("/") + 1
    )


def read_tree(folder: Path) -> Tree:
    """Return the texts of a folder and its folders; links that lead outside are not followed.

    Raises:
        UsageError: it is not a folder that can be read.
    """
    if not folder.is_dir():
        raise UsageError(
            f"read the scripts in {folder}", "it is not a folder", "name one with --from DIR"
        )
    tree, total = Tree(), 0
    names = {_name(path, folder): path for path in _walk(folder, tree.unread)}
    for name in sorted(names, key=_turn):
        if len(tree.files) >= MOST_FILES or total > LARGEST_TREE:
            tree.unread[name] = f"the tree has more than {MOST_FILES} files or is too large"
            continue
        data = _read(names[name], folder, name, tree.unread)
        if data is not None:
            total += len(data)
            tree.files[name] = SourceFile(name, decode(data, name, tree.remarks))
    tree.files = {name: tree.files[name] for name in names if name in tree.files}
    return tree


def _name(path: Path, folder: Path) -> str:
    """Return a path within the folder as text that can be written anywhere, on one line."""
    text = os.fsencode(path.relative_to(folder)).decode(errors="backslashreplace")
    return _UNWRITABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _turn(name: str) -> int:
    """Return when a file is read: scripts first, what is for people last."""
    if _SHELL.search(name):
        return 0
    return 2 if _DOCUMENT.search(name) else 1


def _walk(folder: Path, unread: dict[str, str]) -> Iterator[Path]:
    def note(error: OSError) -> None:
        unread[f"{_name(Path(error.filename), folder)}/"] = error.strerror or str(error)

    for where, folders, files in os.walk(folder, onerror=note):
        for name in sorted(_NOISE & set(folders)):
            unread[f"{_name(Path(where) / name, folder)}/"] = FOREIGN
        folders[:] = sorted(set(folders) - _NOISE)
        for name in folders:
            path = Path(where) / name
            if path.is_symlink() and not _is_within(path, folder):
                unread[f"{_name(path, folder)}/"] = _OUTSIDE
        yield from (Path(where) / path for path in sorted(files))


def _is_within(path: Path, folder: Path) -> bool:
    """Return whether a path leads to what is in the folder. OSError: it leads to itself."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except RuntimeError:  # of pathlib, before Python 3.13
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None


def _read(path: Path, folder: Path, name: str, unread: dict[str, str]) -> bytes | None:
    """Return a file's bytes; None when it is not read, with the reason noted."""
    try:
        if not _is_within(path, folder):
            unread[name] = _OUTSIDE
        elif not stat.S_ISREG(path.stat().st_mode):
            unread[name] = "not a regular file"
        elif path.stat().st_size > LARGEST_FILE:
            unread[name] = f"{path.stat().st_size} bytes, more than {LARGEST_FILE}"
        elif _BINARY.search(data := path.read_bytes()):
            unread[name] = "binary"
        else:
            return data
    except OSError as error:
        unread[name] = error.strerror or str(error)
    return None


def decode(data: bytes, name: str, remarks: dict[str, str]) -> str:
    """Return bytes as text: UTF-8, else GB 18030 (which has GBK in it), else Latin 1."""
    text, how = _decode(data)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        how = ", ".join(filter(None, [how, "Windows line endings, which bash cannot read"]))
    if how:
        remarks[name] = how
    return RESERVED.sub("\ufffd", text)


def _decode(data: bytes) -> tuple[str, str]:
    for encoding, how in (("utf-8-sig", ""), ("gb18030", "read as GBK")):
        try:
            return data.decode(encoding), how
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), "read as Latin 1"


def _natural(file: SourceFile) -> tuple[list[tuple[int, int, str]], str]:
    """Return a key that sorts numbers by value, before letters."""
    parts = re.findall(r"\d+|\D+", file.path)
    return [_rank(part) for part in parts], file.path


def _rank(part: str) -> tuple[int, int, str]:
    return (0, int(part[:18]), "") if part.isascii() and part.isdigit() else (1, 0, part)


Sections = Mapping[str, Mapping[str, tuple[str, int]]]  # section -> key -> value and line


def sections(text: str) -> Sections:
    """Return an ini file as a correct reader sees it: section -> key -> value and line.

    Comments begin with # or ;. The first of equal keys counts, as for the scripts' readers.
    """
    found: dict[str, dict[str, tuple[str, int]]] = {}
    section = ""
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()  # noqa: PLW2901
        if line.startswith("[") and "]" in line:
            section = line[1 : line.index("]")].strip()
        elif line and line[0] not in "#;" and "=" in line:
            key, _, value = line.partition("=")
            found.setdefault(section, {}).setdefault(key.strip(), (value.strip(), number))
    return found
