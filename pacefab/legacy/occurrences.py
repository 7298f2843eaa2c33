"""Where a text has cluster commands: pcs, crm and Pacemaker's own programs, by any spelling."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

_NOUNS = (
    "resource", "stonith", "constraint", "property", "cluster", "node", "status", "config", "host",
    "quorum", "pcsd", "acl", "alert", "tag", "ticket", "booth", "qdevice", "client", "dr",
)  # fmt: skip
_CRM_NOUNS = {
    "configure", "resource", "node", "cluster", "ra", "cib", "corosync", "history", "site",
    "template", "options", "status", "script", "maintenance", "verify", "report", "conf",
}  # fmt: skip
_NAMES = (
    r"pcs|crmsh|crm|cibadmin|crm_attribute|crm_resource|crm_standby|crm_master|crm_failcount|"
    r"crm_ticket|crm_shadow|crm_diff|crm_node|attrd_updater|stonith_admin"
)
_PROGRAM = re.compile(
    rf"(?<![\w.$@/-])(?P<path>[\w.~${{}}-]{{0,60}}(?:/[\w.~${{}}-]{{1,60}}){{0,9}}/)?[\"'\\]{{0,2}}"
    rf"(?P<program>{_NAMES})(?![\w.@:/=-]|\s*\(\s*\))"
)
# A variable that is named after one, and any variable or program before a noun and a verb of pcs.
_NAMED = re.compile(
    r"\$(?:\{?(?P<name>\w{0,30}(?:pcs|PCS|crm|CRM)\w{0,30})(?:\[[@*\d]\])?\}?|"
    r"\((?P<of_make>\w{0,30}(?:PCS|CRM)\w{0,30})\))"
)
_VERBS = (
    r"(?:resource|stonith)[\"',\s]+(?:create|delete|remove|update|clone|master|promotable|group|"
    r"meta|defaults|enable|disable)|constraint[\"',\s]+(?:order|colocation|location|remove)|"
    r"property[\"',\s]+set|cluster[\"',\s]+(?:setup|auth|start|destroy)|host[\"',\s]+auth"
)
_BARE = re.compile(rf"(?<![\w-])(?:{_VERBS})[\"',\s]+[^\s\"',]")
_BEFORE = re.compile(
    r"(?:^|[;|&({`!]|\$\(|=|=\(|['\"]|\b(?:then|do|else|sudo|command|exec|time|env|nohup|in))"
    r"[\s\"'(]*$"
)
_ASKS_FOR = re.compile(
    r"\b(?:which|command\s+-[vV]|type|hash|install|rpm\s+-\w+|dpkg\s+-\w+|man|localinstall|yum|"
    r"dnf|zypper|apt-get|apt)\b[^;|&]*$"
)
_END = re.compile(r"[;|&]")
_LISTED = re.compile(r"\(\s*\[\s*$")  # a program's name in a list that a function is given
_WORD = re.compile(r"[^\s\"'`,;()\[\]\\]+")
_SIMILAR = 0.75  # of a noun that may be misspelt
_LONGEST_NOUN = 20
_LONGEST_LINE = 4000  # characters that are searched at once
_OVERLAP = 500  # characters of a longer line that are searched twice, not to cut a command
_MOST_OF_LONG = 100  # commands of a longer line
_MOST_NAMES = 3000  # of programs in a longer line
_MOST_WORDS = 12  # of a command that are looked at


@dataclass(frozen=True)
class Occurrence:
    """A cluster command in a text.

    Args:
        line: where the name of its program stands, from 1.
        column: likewise, in characters of that line.
        program: pcs, crm, cibadmin and so on; $NAME of a variable; empty where only noun and verb
            stand.
        words: the first words that follow, without options and quotes.
    """

    line: int
    column: int
    program: str
    words: tuple[str, ...]


def occurrences(text: str) -> Iterator[Occurrence]:
    """Yield the cluster commands in a text, in their order."""
    for number, line in logical_lines(text):
        if len(line) <= _LONGEST_LINE:
            yield from _of_line(number, line, sorted(_candidates(line)))
        else:
            yield from islice(_of_line(number, line, _by_pieces(line)), _MOST_OF_LONG)


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    r"""Yield lines with the number of each; one that ends in a backslash goes on in the next."""
    begun, parts = 0, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        begun = begun or number
        parts.append(line)
        if not line.endswith("\\") or len(parts) > _MOST_WORDS:
            yield begun, "\n".join(parts)
            begun, parts = 0, []
    if parts:
        yield begun, "\n".join(parts)


_Candidate = tuple[int, int, str, tuple[str, ...]]
"""Begin, end, program and words of what may be a command."""


def _by_pieces(line: str) -> Iterator[_Candidate]:
    """Yield the candidates of a long line; the last stands for all where there are too many."""
    names = 0
    for begun in range(0, len(line), _LONGEST_LINE - _OVERLAP):
        piece = line[begun : begun + _LONGEST_LINE]
        names += sum(1 for _ in _PROGRAM.finditer(piece))
        if names > _MOST_NAMES:
            yield begun + _OVERLAP, len(line), "", ("…",)
            return
        for at, end, program, words in sorted(_candidates(piece)):
            if not begun or at > _OVERLAP // 2:  # what is before was found in the piece before
                yield begun + at, begun + end, program, words


def _of_line(number: int, line: str, candidates: Iterable[_Candidate]) -> Iterator[Occurrence]:
    until = 0  # what another occurrence has taken
    for at, end, program, words in candidates:
        if at >= until:
            above = line.rfind("\n", 0, at) + 1
            yield Occurrence(number + line.count("\n", 0, at), at - above, program, words)
            until = end


def _candidates(line: str) -> Iterator[_Candidate]:
    for found in _PROGRAM.finditer(line):
        words = _following(line, found.end())
        if _is_command(line, found, words):
            end = _END.search(line, found.end())
            until = end.start() if end else len(line)
            yield found.start(), until, found["program"], words
    if "$" in line:
        for found in _NAMED.finditer(line):
            words = _following(line, found.end())
            if words and (_is_noun(words[0]) or words[0] in _CRM_NOUNS):
                name = f"${found['name'] or found['of_make']}"
                yield found.start(), found.end() + len(words[0]) + 1, name, words
    if not line.lstrip().startswith("#"):
        for found in _BARE.finditer(line):
            yield found.start(), found.end(), "", _following(line, found.start())


def _following(line: str, at: int) -> tuple[str, ...]:
    """Return the first words that follow, without options and the file of -f."""
    rest = line[at:].replace("\\\n", " ")
    if rest[:1] in {'"', "'"}:
        rest = rest[1:]
    end = _END.search(rest)
    words = islice(_WORD.findall(rest[: end.start()] if end else rest), _MOST_WORDS)
    kept: list[str] = []
    before = ""
    for word in words:
        if before != "-f" and not word.startswith("-"):
            kept.append(word)
        before = word
    return tuple(kept[:4])


def _is_command(line: str, found: re.Match[str], words: tuple[str, ...]) -> bool:
    """Return whether a program's name begins a command, as far as the line shows it."""
    program, before = found["program"], line[: found.start()]
    if _ASKS_FOR.search(before) and not (words and _is_noun(words[0]) and program == "pcs"):
        return False
    starts = bool(_BEFORE.search(before)) or bool(found["path"])
    rest = line[found.end() :].lstrip("\"' \t,")
    if program == "pcs":
        given = bool(words) and (_is_noun(words[0]) or words[0][0] in "$%{<#")
        listed = bool(_LISTED.search(before))
        return given or listed or (starts and (not words or rest.startswith(("-", "\\"))))
    if program in {"crm", "crmsh"}:
        given = bool(words) and (words[0] in _CRM_NOUNS or words[0][0] in "$%{<")
        return given or rest.startswith(("-f", "-F", "-w", "-d", "<")) or (starts and not words)
    return True


@lru_cache(maxsize=10_000)
def _is_noun(word: str) -> bool:
    if len(word) > _LONGEST_NOUN:
        return False
    return word.startswith("$") or bool(difflib.get_close_matches(word, _NOUNS, 1, _SIMILAR))
