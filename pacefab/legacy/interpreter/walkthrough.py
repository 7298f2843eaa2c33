"""A whole tree, script by script, in the order in which an operator would start them."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch

from pacefab.legacy.bash.budget import MOST_SECONDS, Budget, ExhaustedError
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.syntax import Script
from pacefab.legacy.bash.world import World
from pacefab.legacy.interpreter.evaluation import run_to_end
from pacefab.legacy.model import Fate, Place
from pacefab.legacy.pcs.replay import Replay
from pacefab.legacy.source import SourceFile, Tree, sections
from pacefab.legacy.unknown import Unknowns

_IP = re.compile(r"\d{1,3}(\.\d{1,3}){3}$")


@dataclass
class Walk:
    """What is left of a walk through a tree."""

    world: World
    replay: Replay
    cut_short: dict[str, str]  # scripts that were not read to their end, and why
    taken_down: dict[str, str]  # scripts that only take away, and are left out


def walk_through(tree: Tree) -> Walk:
    """Evaluate every script that is started by hand; the others are called by those."""
    walk = _new_walk(tree)
    called = _called(tree)
    called |= _started(tree, [one for one in tree.scripts if one.path not in called])
    for script in sorted(tree.scripts, key=lambda one: one.path in called):
        if script.path not in walk.world.started:
            _begin(walk, script)
    return walk


def _new_walk(tree: Tree) -> Walk:
    unknowns = Unknowns()
    replay = Replay(unknowns)
    world = World(tree, replay.call, addresses(tree), unknowns, listings=replay.listings)
    return Walk(world, replay, {}, {})


def _started(tree: Tree, scripts: list[SourceFile]) -> set[str]:
    """Return those of some scripts that another of them starts, in a walk that is forgotten.

    It is done only where a name that `_called` took for no command stands in another script.
    """
    names = [(one, one.path.rpartition("/")[2]) for one in scripts]
    if not any(name in other.text for one, name in names for other in scripts if other is not one):
        return set()
    trial, found = _new_walk(tree), set[str]()
    trial.world.budget = Budget(MOST_SECONDS / 3)  # the real walk's time runs already
    for script in scripts:
        trial.world.started.clear()
        _begin(trial, script)
        found |= trial.world.started - {script.path}
    return found


def addresses(tree: Tree) -> dict[str, str]:
    """Return node names by address, as ini files tell them: KEY=NAME beside KEY_ip=ADDRESS."""
    found: dict[str, str] = {}
    for file in tree.files.values():
        if not file.path.endswith((".ini", ".conf", ".cfg")):
            continue
        for items in sections(file.text).values():
            for key, (value, _) in items.items():
                address = items.get(f"{key}_ip", ("", 0))[0]
                if _IP.match(address):
                    found[address] = value
    return found


def _called(tree: Tree) -> set[str]:
    """Return the scripts that another one names in a command (not in a comment)."""
    found: set[str] = set()
    for file in tree.scripts:
        code = "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in file.text.split("\n"))
        for other in tree.scripts:
            name = re.escape(other.path.rpartition("/")[2])
            pattern = (
                rf"(bash|sh|source|\.|ssh[^\n]*|sudo|exec|/)[\s/\"'][^\n;&|]*(?<![\w-]){name}\b"
            )
            if other is not file and re.search(pattern, code):
                found.add(other.path)
        for words in re.findall(r"\bfor\s+\w+\s+in\s+([^\n;]*\*[^\n;]*)", code):
            found.update(_matching(tree, file, words))
    return found


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


def _begin(walk: Walk, script: SourceFile) -> None:
    """Evaluate one script; one that only takes away is no part of a deployment: it is undone."""
    world, replay = walk.world, walk.replay
    world.started.add(script.path)
    world.budget.begin()
    before, count = copy.deepcopy(replay.cluster), len(replay.done)
    shell = Shell(name=script.path, by_hand=True)
    try:
        run_to_end(Script(script.path, script.text.encode()), shell, world)
    except ExhaustedError as error:
        _cut(walk, script, str(error))
    except RecursionError:
        _cut(walk, script, "nested too deeply")
    changes = [one for one in replay.done[count:] if not _idle(one.entry.fate, one.entry.reason)]
    if changes and all(one.takes_away for one in changes):
        replay.cluster = before
        replay.taken_back(count, f"{script.path} only takes away: no part of a deployment")
        walk.taken_down[script.path] = "it only takes away"


def _idle(fate: Fate, reason: str) -> bool:
    """Tell whether a command asked, or did nothing."""
    return fate is Fate.LEFT_OUT and "takes away" not in reason


def _cut(walk: Walk, script: SourceFile, why: str) -> None:
    walk.cut_short[script.path] = why
    walk.world.conditions.clear()
    walk.world.note(
        Fate.UNTRANSLATED,
        Place(script.path, 0),
        script.path,
        f"not read to its end: {why}",
        "see what it does, and write by hand what is missing",
    )
