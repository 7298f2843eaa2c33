"""A whole tree, script by script, in the order in which an operator would start them."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from posixpath import normpath

from pacefab.errors import UsageError
from pacefab.legacy.bash.budget import (
    MOST_SECONDS,
    MOST_STEPS_ASIDE,
    MOST_STEPS_OF_ONE,
    Budget,
    ExhaustedError,
)
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.syntax import Script
from pacefab.legacy.bash.world import World
from pacefab.legacy.cluster.several import Several
from pacefab.legacy.crm.commands import CrmCommands
from pacefab.legacy.embedded import embedded
from pacefab.legacy.interpreter.called import called_scripts
from pacefab.legacy.interpreter.evaluation import run_to_end
from pacefab.legacy.model import Fate, Place
from pacefab.legacy.occurrences import occurrences
from pacefab.legacy.pcs.replay import Replay
from pacefab.legacy.questions import Inquiry, Question, Start, StartedScript, Unsaid
from pacefab.legacy.source import SourceFile, Tree, sections
from pacefab.legacy.unknown import Unknowns

_MOST_ORDERS = 6  # that are tried
_ALL = Place("", 0)
_TAKING_AWAY = {
    "delete", "destroy", "remove", "disable", "stop", "unset", "cleanup",
    "show", "status", "config", "list", "nodes",
}  # fmt: skip
_IP = re.compile(r"\d{1,3}(\.\d{1,3}){3}$")


@dataclass
class Walk:
    """What is left of a walk through a tree."""

    world: World
    replay: Replay
    cut_short: dict[str, str]  # scripts that were not read to their end, and why
    concerned: frozenset[str]  # scripts with cluster commands, and those that call them
    chosen: bool = False  # the operator says which scripts are started
    begun: list[StartedScript] = field(default_factory=list)  # what was started, in this order


_BY_NAME = Start()
_Given = tuple[str | None, ...]


def walk_through(tree: Tree, start: Start = _BY_NAME) -> Walk:
    """Evaluate every script that is started by hand; the others are called by those.

    They are started in the order of their names, unless that is said; a script that needs what a
    later one creates comes after that one. The order is then a guess, and one of the assumptions.
    """
    if start.entries:
        walk = _entered(tree, start, None)
        found = _settled(walk)
        return _entered(tree, start, found) if found else walk
    called = called_scripts(tree)
    called |= _started(tree, [file for file in tree.scripts if file.path not in called])
    scripts = _in_turn(tree, called)
    several: Several | None = None
    for _ in range(_MOST_ORDERS):
        walk = _in_order(tree, scripts, several, start)
        if several is None and (several := _settled(walk)):
            continue  # now it is known whose hosts are whose
        better = _better_order(walk, scripts)
        if better == scripts:
            break
        scripts = better
    changing = list(dict.fromkeys(one.script for one in walk.replay.done if not one.idle))
    if len(changing) > 1:
        walk.world.assume(f"the scripts are started in this order: {', '.join(changing)}", _ALL)
    return walk


def _takes_away(file: SourceFile) -> bool:
    """Return whether a script seems to do nothing but remove: it is started after the others."""
    verbs = {word for one in occurrences(file.text) for word in one.words[1:2]}
    return bool(verbs & {"delete", "destroy"}) and verbs <= _TAKING_AWAY


def _settled(walk: Walk) -> Several | None:
    """Return the clusters that a walk has found, where they are several."""
    walk.replay.several.settle()
    return walk.replay.several if len(walk.replay.several.members) > 1 else None


def _entered(tree: Tree, start: Start, several: Several | None) -> Walk:
    """Evaluate the scripts that the operator names, with their arguments."""
    walk = _new_walk(tree, several, start)
    walk.chosen = True
    for entry in start.entries:
        _begin_on_all(walk, _named(tree, entry.script, "--entry"), entry)
    return walk


def _named(tree: Tree, path: str, option: str) -> SourceFile:
    script = tree.files.get(normpath(path)) or tree.find(path)
    if script is None:
        raise UsageError(
            f"start {path}", "it is not in the folder", f"name a script of it with {option}"
        )
    return script


def _in_order(tree: Tree, scripts: list[SourceFile], several: Several | None, start: Start) -> Walk:
    walk = _new_walk(tree, several, start)
    for file in scripts:
        if file.is_script and file.path in walk.world.started:
            continue
        if file.is_script or any(embedded(file)):
            _begin_on_all(walk, file, StartedScript(file.path))
    return walk


def _in_turn(tree: Tree, called: set[str]) -> list[SourceFile]:
    """Return the files in the order in which they are begun: those last that others start.

    After the scripts that nothing starts come the files that have scripts inside them: recipes,
    tasks, provisioners.
    """
    concerned = _concerned(tree)
    others = [file for file in tree.files.values()
              if not file.is_script and file.path in concerned]  # fmt: skip
    texts = [one.text for file in others if not _is_hidden(file.path) for one in embedded(file)]
    late = called | {
        script.path for script in tree.scripts
        if any(script.path.rpartition("/")[2] in text for text in texts)
    }  # fmt: skip
    scripts = sorted(tree.scripts, key=lambda file: (file.path in late, _takes_away(file)))
    first = sum(file.path not in late for file in scripts)
    return [*scripts[:first], *others, *scripts[first:]]


def _begin_on_all(walk: Walk, script: SourceFile, entry: StartedScript) -> None:
    """Evaluate a script, or those inside of another file, for each host that it ran on."""
    hosts = entry.hosts or walk.world.hosts.get(script.path, ())
    walk.begun.append(StartedScript(script.path, entry.arguments, hosts))
    for host in hosts or ("",):
        if script.is_script or not any(embedded(script)):
            _begin(walk, script, entry.arguments, host)
        else:
            _begin_embedded(walk, script, host)


def _begin_embedded(walk: Walk, file: SourceFile, host: str) -> None:
    """Evaluate the scripts inside a file that have cluster commands, each under its condition."""
    walk.world.entry = file.path
    walk.replay.begin(file.path)
    for one in embedded(file):
        if not _is_concerned(walk, file.path, one.text):
            continue
        walk.world.budget.begin()
        script = Script(file.path, one.text.encode(), one.line)
        try:
            with walk.world.condition(one.condition):
                run_to_end(script, _first_shell(walk.world, file, (), host), walk.world)
        except (ExhaustedError, RecursionError) as error:
            _cut(walk, file, str(error) or "nested too deeply")


def _is_hidden(path: str) -> bool:
    """Return whether a file is not for people: what checks the folder's scripts, for example."""
    return any(name.startswith(".") for name in path.split("/"))


def _is_concerned(walk: Walk, path: str, text: str) -> bool:
    """Return whether a text of a file has a cluster command, or names a file that may have one."""
    if next(occurrences(text), None):
        return True
    if _is_hidden(path):
        return False
    scripts = {path for path in walk.concerned if walk.world.tree.files[path].is_script}
    paths = scripts | walk.world.files.written.keys()
    return any(one.rpartition("/")[2] in text for one in paths)


def _better_order(walk: Walk, scripts: list[SourceFile]) -> list[SourceFile]:
    """Return the scripts with each after those that create what it lacked."""
    places = {script.path: at for at, script in enumerate(scripts)}
    for needing, name in walk.replay.missing:
        maker = walk.replay.makers.get(name, needing)
        if places.get(maker, -1) > places.get(needing, len(places)):
            moved = [script for script in scripts if script.path != needing]
            at = next(at for at, script in enumerate(moved) if script.path == maker)
            own = next(script for script in scripts if script.path == needing)
            return [*moved[: at + 1], own, *moved[at + 1 :]]
    return scripts


def _new_walk(tree: Tree, several: Several | None = None, start: Start = _BY_NAME) -> Walk:
    unknowns = Unknowns()
    replay = Replay(unknowns, {"crm": CrmCommands(unknowns)}, copy.deepcopy(several))
    replay.names = addresses(tree)
    hosts = {_named(tree, path, "--on").path: ran for path, ran in start.hosts.items()}
    world = World(
        tree, replay.call, replay.names, unknowns, listings=replay.listings,
        inquiry=Inquiry(start), hosts=hosts, unseen=replay.unnamed,
    )  # fmt: skip
    return Walk(world, replay, {}, _concerned(tree))


def _concerned(tree: Tree) -> frozenset[str]:
    """Return the scripts that have cluster commands, or name a file that has."""
    found = {path for path, file in tree.files.items() if next(occurrences(file.text), None)}
    for _ in range(len(tree.scripts)):
        names = {path.rpartition("/")[2] for path in found}
        more = {
            file.path
            for file in tree.scripts
            if file.path not in found and any(name in file.text for name in names)
        }
        if not more:
            break
        found |= more
    return frozenset(found)


def _started(tree: Tree, scripts: list[SourceFile]) -> set[str]:
    """Return those of some scripts that another of them starts, in a walk that is forgotten.

    It is done only where a name that `called_scripts` took for no command stands in another script.
    """
    names = [(script, script.path.rpartition("/")[2]) for script in scripts]
    if not any(
        name in other.text for script, name in names for other in scripts if other is not script
    ):
        return set()
    trial, found = _new_walk(tree), set[str]()
    trial.world.budget = Budget(MOST_SECONDS / 3)  # the real walk's time runs already
    for script in scripts:
        trial.world.started.clear()
        _begin(trial, script, (None,), "")
        found |= trial.world.started - {script.path}
    return found


def addresses(tree: Tree) -> dict[str, str]:
    """Return node names by address, as ini files have them: KEY=NAME beside KEY_ip=ADDRESS."""
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


def _first_shell(world: World, script: SourceFile, arguments: _Given, host: str) -> Shell:
    """Return the shell that an operator starts a script in, as far as it is known."""
    given = list(arguments)
    while given and given[-1] is None:
        del given[-1]
    shell = Shell(host, name=script.path, by_hand=None in arguments)
    for number, word in enumerate(given, 1):
        if word is None:
            word = world.mark(f"argument {number}, which the operator gives")  # noqa: PLW2901
            question = Question(Unsaid.ARGUMENT, script.path, str(number))
            world.inquiry.ask(question, Place(script.path, 1), word)
        shell.arguments.append(word)
    settings = world.inquiry.start.settings
    shell.variables.update(settings)
    shell.exported.update(settings)
    return shell


def _begin(walk: Walk, script: SourceFile, arguments: _Given, host: str) -> None:
    """Evaluate a script; a script that only removes is undone: it is not part of a deployment."""
    world, replay = walk.world, walk.replay
    world.started.add(script.path)
    world.entry = script.path
    world.budget.begin(MOST_STEPS_OF_ONE if script.path in walk.concerned else MOST_STEPS_ASIDE)
    replay.begin(script.path)
    noted = len(world.effects.notes)
    before, count = copy.deepcopy(replay.clusters), len(replay.done)
    shell = _first_shell(world, script, arguments, host)
    try:
        run_to_end(Script(script.path, script.text.encode()), shell, world)
    except ExhaustedError as error:
        _cut(walk, script, str(error))
    except RecursionError:
        _cut(walk, script, "nested too deeply")
    changes = [command for command in replay.done[count:] if not command.idle]
    others = any(note.fate is Fate.UNTRANSLATED for note in list(world.effects.notes)[noted:])
    if changes and not others and all(command.only_removes for command in changes):
        replay.clusters, replay.present = before, min(replay.present, len(before) - 1)
        replay.taken_back(count, f"{script.path} only removes: not part of a deployment")


def _cut(walk: Walk, script: SourceFile, why: str) -> None:
    walk.cut_short[script.path] = why
    walk.world.conditions.clear()
    if script.path not in walk.concerned:
        reason = f"not read to its end: {why}; it has no cluster command, and calls none"
        walk.world.note(Fate.LEFT_OUT, Place(script.path, 0), script.path, reason)
        return
    walk.world.note(
        Fate.UNTRANSLATED,
        Place(script.path, 0),
        script.path,
        f"not read to its end: {why}",
        "check what it does and add what is missing by hand",
    )
