"""Commands in files of YAML: tasks of playbooks, steps of pipelines, cloud-init.

The files are read by their lines: they have what templates fill in, and may be no valid YAML.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator

_TASK = re.compile(
    r"^(?P<indent>[\s-]*)(?:[\w.]+\.)?(?P<kind>shell|command|raw|cmd|run|script|sh|argv)\s*:"
    r"\s*(?P<text>.*)$"
)
_BEGINS = re.compile(r"\s*-\s+[\w.]+\s*:")
_RUN = "the machine is set up"
_ITEM = re.compile(r"\{\{\s*item\s*\}\}")
_MOST_ITEMS = 50
_END = "END-OF-WHAT-IS-WRITTEN"
Found = tuple[int, str, str]
"""The line where it begins, the text of bash, and what has to happen for it to run."""


def commands_of_yaml(lines: list[str]) -> Iterator[Found]:
    """Yield the commands of tasks and steps, and what cloud-init writes and runs."""
    commands, path = False, ""
    for at, line in enumerate(lines):
        if re.match(r"\S", line) and not line.startswith("-"):
            commands = bool(re.match(r"(runcmd|bootcmd)\s*:", line))
        written = re.match(r"\s*(?:-\s+)?path\s*:\s*(\S+)\s*$", line)
        content = re.match(r"(?P<indent>\s*(?:-\s+)?)content\s*:\s*\|[-+\d]*\s*$", line)
        found = _TASK.match(line)
        if written:
            path = unquoted(written[1])
        elif content and path:
            yield _file(lines, at, len(content["indent"]), path)
        elif found:
            yield from _of_task(lines, at, found)
        elif commands and (entry := re.match(r"\s*-\s+([^\s|>].*)", line)):
            yield at + 1, _listed(entry[1]) or unquoted(entry[1]), _RUN


def _of_task(lines: list[str], at: int, found: re.Match[str]) -> Iterator[Found]:
    """Yield the command of a task, once for each item of a loop that stands there."""
    text, indent = found["text"].strip(), len(found["indent"])
    number = at + 1
    if re.fullmatch(r"[|>][-+\d]*", text):
        number, text = at + 2, _block(lines, at, indent, text[0])
    elif found["kind"] == "argv":
        text = _listed(text) if text else shlex.join(_entries(lines, at + 1, indent))
    elif text[:1] in {"", "[", "{", "&", "*"}:
        return
    else:
        text = unquoted(text)
    begin, end = _bounds(lines, at)
    items = _items(lines, begin, end)
    condition = _when(lines[begin:end], looped=bool(items))
    if not items or not _ITEM.search(text):
        yield number, text, condition
    for item in items if _ITEM.search(text) else ():
        yield number, _ITEM.sub(lambda _, item=item: item, text), condition  # type: ignore[misc]


def first(lines: list[str], at: int, ends: Callable[[str], bool]) -> int:
    """Return the number of the first line from one on that ends something; else of the last."""
    return next((here for here in range(at, len(lines)) if ends(lines[here])), len(lines))


def _indented(lines: list[str], at: int, indent: int) -> list[str]:
    """Return the lines from one on that are indented more than a key."""

    def ends(line: str) -> bool:
        return bool(line.strip()) and len(line) - len(line.lstrip()) <= indent

    return lines[at : first(lines, at, ends)]


def _block(lines: list[str], at: int, indent: int, style: str) -> str:
    """Return a block of text, which is indented more than its key."""
    body = _indented(lines, at + 1, indent)
    if style == ">":  # lines of one paragraph are one line
        body = [f"{line} \\" if line.strip() else line for line in body[:-1]] + body[-1:]
    return "\n".join(body)


def _file(lines: list[str], at: int, indent: int, path: str) -> Found:
    """Return what writes a file whose content stands there."""
    body = _indented(lines, at + 1, indent)
    deep = min((len(one) - len(one.lstrip()) for one in body if one.strip()), default=0)
    text = "\n".join(one[deep:] for one in body)
    return at + 1, f"cat > {shlex.quote(path)} << '{_END}'\n{text}\n{_END}", _RUN


def _listed(text: str) -> str:
    """Return the command that a list on one line is, [a, b]; empty of any other text."""
    found = re.fullmatch(r"\[(.*)\]", text.strip())
    return shlex.join(_parts(found[1])) if found else ""


def _parts(text: str) -> list[str]:
    """Return what stands between commas, which quotes keep together."""
    found = re.findall(r"\s*((?:\"[^\"]*\"|'[^']*'|[^,\"'])+)", text)
    return [unquoted(one) for one in found if one.strip()]


def _entries(lines: list[str], at: int, indent: int) -> list[str]:
    """Return the plain entries of a list, one a line, from a line on."""
    found = (re.match(r"\s*-\s+([^{\[].*)", line) for line in _indented(lines, at, indent - 1))
    return [unquoted(one[1]) for one in found if one]


def unquoted(text: str) -> str:
    """Return a plain text of YAML without its quotes."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        inner = text[1:-1]
        return inner.replace("''", "'") if text[0] == "'" else inner.replace('\\"', '"')
    return text


def _bounds(lines: list[str], at: int) -> tuple[int, int]:
    """Return where the task begins and ends that a line belongs to."""
    begin = next((one for one in range(at, -1, -1) if _BEGINS.match(lines[one])), at)
    dash = len(lines[begin]) - len(lines[begin].lstrip())

    def ends(line: str) -> bool:
        return bool(line.strip()) and len(line) - len(line.lstrip()) <= dash

    return begin, first(lines, begin + 1, ends)


def _items(lines: list[str], begin: int, end: int) -> list[str]:
    """Return the items of a task's loop where they are plain texts; else none."""
    for at in range(begin, end):
        found = re.match(r"(\s*)(?:loop|with_items)\s*:\s*(.*)$", lines[at])
        if not found:
            continue
        listed = re.fullmatch(r"\[([^{]*)\]", found[2].strip())
        items = _parts(listed[1]) if listed else []
        if not found[2].strip():
            block = _indented(lines[:end], at + 1, len(found[1]) - 1)
            items = _entries(block, 0, len(found[1]))
            items = items if len(items) == sum(1 for one in block if one.strip()[:1] == "-") else []
        return items[:_MOST_ITEMS]
    return []


def _when(lines: list[str], *, looped: bool) -> str:
    """Return the condition of a task; of a loop that is known, no word."""
    for line in lines:
        found = re.match(r"\s*(?:-\s+)?(when|loop|with_\w+|only_if|if)\s*:\s*(.*)", line)
        if found and not (looped and found[1] in {"loop", "with_items"}):
            return f"{found[1]}: {found[2]}"
    return "the task runs"
