"""What scripts read from ini files, and where a correct reader would have read something else."""

from __future__ import annotations

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.world import World
from pacefab.legacy.masking import is_secret
from pacefab.legacy.model import CommandResult, Fate
from pacefab.legacy.source import sections
from pacefab.legacy.unknown import is_known

_ARGUMENTS = 3  # FILE SECTION KEY


def read_as_awk(world: World, path: str, arguments: list[str]) -> CommandResult | None:
    """Return what the usual `readini.sh FILE SECTION KEY` prints, for one that is not understood.

    Assumed is the awk one-liner that such trees share: it begins at a line with [SECTION] and goes
    on to the end of the file, into other sections too; the first key that begins with KEY counts;
    the value ends at the next `=`. None when this is no such call.
    """
    name = path.rpartition("/")[2].lower()
    if "ini" not in name or len(arguments) != _ARGUMENTS or not is_known(*arguments):
        return None
    found = world.files.read(arguments[0])
    if found is None:
        return None
    world.assume(
        f"{path} reads as usual: from [SECTION] on, the first key that begins with KEY",
        found.place,
    )
    inside = False
    for line in found.text.split("\n"):
        inside = inside or f"[{arguments[1]}]" in line
        if inside and line.partition("=")[0].startswith(arguments[2]):
            fields = line.split("=")
            value = fields[1] if len(fields) > 1 else ""
            return CommandResult(0, " ".join(value.split()) + "\n")
    return CommandResult(0, "\n")


def check_read(world: World, command: Command, output: str) -> None:
    """Report a value that a correct reader would not have given for FILE SECTION KEY."""
    arguments = command.arguments
    if len(arguments) != _ARGUMENTS or not is_known(output, *arguments):
        return
    path, section, key = arguments
    found = world.files.read(path)
    if found is None or not path.endswith((".ini", ".cfg", ".conf")):
        return
    seen = output.strip()
    known = sections(found.text)
    right = known.get(section, {}).get(key)
    if right is not None and right[0] == seen:
        return
    world.note(
        Fate.DOUBTFUL,
        command.place,
        f"{command.words[0].rpartition('/')[2]} {path} {section} {key}",
        _difference(known, section, key, seen, right),
        "kept as the scripts saw it; mend the ini file or the inventory where that was not meant",
    )


def _difference(
    known: object, section: str, key: str, seen: str, right: tuple[str, int] | None
) -> str:
    assert isinstance(known, dict)  # noqa: S101  # what `sections` returns
    shown = "a secret" if is_secret(key) else (seen or "nothing")
    if right is not None:
        value = "a secret" if is_secret(key) else (right[0] or "nothing")
        return f"the reader gave {shown}, a correct one gives {value} (line {right[1]})"
    what = f"no section [{section}]" if section not in known else f"[{section}] has no {key}"
    if not seen:
        return f"{what}: the value is empty"
    for name, items in known.items():
        for other, (value, line) in items.items():
            if other.startswith(key) and value.partition("=")[0].strip() == seen:
                return f"{what}: the reader took {other} of [{name}] (line {line}): {shown}"
    return f"{what}: the reader gave {shown}"
