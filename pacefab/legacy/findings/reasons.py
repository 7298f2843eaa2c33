"""Why a cluster command did not run: by what was evaluated, and by what stands around it.

A reason that denies an effect is given only where evaluation has shown it; else the command is
reported as not translated, with what is not known about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pacefab.legacy.bash.syntax import Node, Script, children_of
from pacefab.legacy.interpreter.walkthrough import Walk
from pacefab.legacy.model import Fate, Place
from pacefab.legacy.occurrences import Occurrence

_PRINTING = {
    "echo", "printf", "logger", "log", "log_info", "log_error", "fn_log", "read", "warn", "info",
    "error", "die", "usage", "print", "msg",
}  # fmt: skip
Why = tuple[Fate, str, str]
RESTING = "not reached while"
"""How the reason begins of what a variable would decide that nothing sets."""
COMMENT = (Fate.LEFT_OUT, "commented out", "")
_PRINTED = (Fate.LEFT_OUT, "only a text that is printed", "")
_BROKEN = (
    Fate.UNTRANSLATED,
    "bash cannot parse the lines around it",
    "fix the script (an unclosed quote or block?) and migrate again",
)
_BY_KIND = {"comment": COMMENT, "ERROR": _BROKEN}
_BY_HAND = "add what the command does to the inventory by hand"
_BRANCHES = {
    "if_statement", "elif_clause", "else_clause", "case_statement", "case_item", "for_statement",
    "while_statement", "c_style_for_statement", "list",
}  # fmt: skip
# A function that begins a command with what it is given, or gives that to a shell.
_RUNS_ITS_WORDS = re.compile(
    r"(?m)(?:^|[;&|({!]|\b(?:then|do|else|until|while|if|in)\s|"
    r"\b(?:eval|exec|ssh|bash|sh|su|sudo|timeout|nohup|env|time|command|xargs)\b[^\n;|&]*)\s*"
    r"[\"']?\$\{?[@*1-9]"
)
_IDLE = {":", "true", "false"}
_TEXTS = {"string", "raw_string", "ansi_c_string"}
_SHELLS = {"ssh", "bash", "sh", "eval", "su", "sudo", "sshpass", "timeout", "nohup"}


def why_not_run(walk: Walk, script: Script, node: Node | None, one: Occurrence) -> Why:
    """Return why a command did not run, by what stands around it, the innermost first."""
    around: list[Node] = []
    while node is not None:
        around.append(node)
        node = node.parent
    for at in range(len(around)):
        reason = _by_what_is_around(walk, script, around[at:], one)
        if reason is not None:
            return reason
    return _not_reached(walk, script, around[0] if around else None)


def _by_what_is_around(
    walk: Walk, script: Script, around: Sequence[Node], one: Occurrence
) -> Why | None:
    kind = around[0].type
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    if kind == "function_definition":
        return _uncalled(walk, script, around[0])
    if not _visited(walk, script, around):
        return None
    if kind in {"variable_assignment", "declaration_command"}:
        return _kept(walk, script, around[0], one)
    return _of_text(walk, script, around[0], one)


def _of_text(walk: Walk, script: Script, around: Node, one: Occurrence) -> Why | None:
    """Return what becomes of a text that a command, which ran, is given."""
    above = around.parent.type if around.parent is not None else ""
    if around.type == "heredoc_body":
        return _here_document(script, around)
    if around.type in _TEXTS and above != "command_name":
        return _quoted(walk, script, around, one)
    return _argument(walk, script, around, one) if around.type == "command" else None


def _visited(walk: Walk, script: Script, around: Sequence[Node]) -> bool:
    """Return whether the statement around a node, the first of these, was evaluated."""
    above = next((node for node in around if _is_statement(node.type)), None)
    if above is None:
        return False
    return above.start_point.column in walk.world.visited.get(script.place(above), ())


def _is_statement(kind: str) -> bool:
    commands = {"command", "redirected_statement", "declaration_command"}
    return kind in commands or "assignment" in kind


def _not_reached(walk: Walk, script: Script, node: Node | None, until: int = 0) -> Why:
    """Return why evaluation did not come to a command; `until`: its line in a text of the node."""
    if script.file in walk.cut_short:
        why = walk.cut_short[script.file]
        return Fate.UNTRANSLATED, f"not reached: reading ended ({why})", "translate it by hand"
    if walk.chosen and script.file not in walk.world.started:
        return Fate.LEFT_OUT, "not started: no --entry names it, nor is it called from there", ""
    names = list(dict.fromkeys(_rested_on(walk, script, node, until)))
    if names:
        shown = ", ".join(names)
        return (
            Fate.UNTRANSLATED,
            f"{RESTING} {shown} is not set: nothing in the folder sets it",
            "if the scripts are started with a value for it, give it and migrate again",
        )
    if not _passed_over(walk, script, node, until):
        why = "reading did not come to it: whether it runs is not known"
        return Fate.UNTRANSLATED, why, _BY_HAND
    return Fate.LEFT_OUT, "never reached: the script ends before, or its condition fails", ""


def _passed_over(walk: Walk, script: Script, node: Node | None, until: int) -> bool:
    """Return whether evaluation has shown that a statement around a node does not run."""
    first = script.place(node).line if node is not None else 0
    passed = [one for one in walk.world.passed if one[0] == script.file]
    if until and any(one[1] <= until <= one[3] for one in passed if one[1] >= first):
        return True  # in a text that a shell was given
    begun = {(line, column) for _, line, column, _ in passed}
    while node is not None:
        if (script.place(node).line, node.start_point.column) in begun:
            return True
        node = node.parent
    return False


def _rested_on(walk: Walk, script: Script, node: Node | None, until: int) -> Iterator[str]:
    """Yield the variables that nothing sets and that conditions around a node asked for."""
    for line in range(script.place(node).line, until + 1) if node is not None else ():
        yield from walk.world.rested_on.get(Place(script.file, line), ())
    while node is not None:
        if node.type in _BRANCHES:
            yield from walk.world.rested_on.get(script.place(node), ())
        node = node.parent


def _uncalled(walk: Walk, script: Script, definition: Node) -> Why | None:
    """Return what is known of a function that was not called; None where it was."""
    body, named = (definition.child_by_field_name(field) for field in ("body", "name"))
    if body is None or named is None or script.place(body) in walk.world.entered:
        return None
    name = script.text(named)
    elsewhere = _named_elsewhere(walk, script, definition, name)
    if script.file in walk.cut_short:
        return None
    if elsewhere is None:
        return Fate.LEFT_OUT, f"the function {name} is never called", ""
    return (
        Fate.UNTRANSLATED,
        f"the function {name} was not seen to be called, but it may be: see {elsewhere}",
        "check whether it runs, and add what it does by hand",
    )


def _named_elsewhere(walk: Walk, script: Script, definition: Node, name: str) -> str | None:
    """Return where a function may be called after all: by its name, or by an unknown one."""
    word = re.compile(rf"(?<![\w$-]){re.escape(name)}(?![\w-])")
    own = range(script.place(definition).line, definition.end_point.row + 2)
    for file in walk.world.tree.scripts:
        for number, line in enumerate(file.text.split("\n"), 1):
            if (file.path == script.file and number in own) or line.lstrip().startswith("#"):
                continue
            if word.search(line) and Place(file.path, number) in walk.world.visited:
                return f"{file.path}:{number}"
    return next((str(place) for place in walk.world.nameless if place.file == script.file), None)


def _program(script: Script, command: Node) -> str:
    name = command.child_by_field_name("name")
    return script.text(name).rpartition("/")[2].strip("\"'") if name is not None else ""


def _kept(walk: Walk, script: Script, node: Node, one: Occurrence) -> Why | None:
    """Return what is known of a command that a variable keeps."""
    shown = script.text(node).partition("=")[0].split()[-1:] or ["a variable"]
    if not one.words:
        return Fate.LEFT_OUT, f"the name of a program, kept in ${shown[0]}", ""
    if any(
        words[1:3] == [*one.words[:2]] or words[0] == one.program != "pcs"
        for commands in walk.world.executed.values()
        for words in commands
    ):
        return (
            Fate.LEFT_OUT,
            f"only a text, kept in ${shown[0]}: the command that runs it has a line of its own",
            "",
        )
    return (
        Fate.UNTRANSLATED,
        f"a text, kept in ${shown[0]}: nothing was seen to run it",
        "if something does, add what it does to the inventory by hand",
    )


def _quoted(walk: Walk, script: Script, node: Node, one: Occurrence) -> Why | None:
    above = node.parent
    while above is not None and above.type not in {"command", "variable_assignment"}:
        above = above.parent
    if above is None or above.type == "variable_assignment":
        return None
    return _argument(walk, script, above, one)


def _argument(walk: Walk, script: Script, command: Node, one: Occurrence) -> Why:
    """Return what becomes of a text that a command is given."""
    into = command.next_named_sibling
    if command.parent is not None and command.parent.type == "pipeline" and into is not None:
        return _handed((script.text(into).split() or ["a program"])[0])
    program = _program(script, command)
    target = _written_to(script, command)
    if target:
        return _put_into(target)
    if program in _PRINTING | _IDLE:  # also a function of that name, which was followed
        return _PRINTED if program in _PRINTING else _idle(program)
    if program in walk.world.functions:
        return _given_to(program, walk.world.functions[program])
    if program in _SHELLS:  # the text was read: it is a branch in it that was not taken
        return _not_reached(walk, script, command, one.line)
    return _handed(program or "a program")


def _idle(program: str) -> Why:
    return Fate.LEFT_OUT, f"a text given to {program}, which does nothing with it", ""


def _given_to(function: str, body: str) -> Why:
    """Return what becomes of a text that a function is given."""
    if _RUNS_ITS_WORDS.search(body):
        return _handed(f"the function {function}")
    return Fate.LEFT_OUT, f"a text passed to the function {function}, which does not run it", ""


def _handed(program: str) -> Why:
    return (
        Fate.UNTRANSLATED,
        f"a text passed to {program}; it is unknown whether that runs it",
        _BY_HAND,
    )


def _written_to(script: Script, node: Node) -> str:
    """Return the file that a command's output goes to; empty when it is printed."""
    for around in (node, node.parent):
        for redirect in children_of(around, "file_redirect"):
            text = script.text(redirect)
            if re.match(r"1?>", text) and "/dev/" not in text and "&" not in text:
                return text.lstrip("1> ")
    return ""


def _put_into(target: str) -> Why:
    return (
        Fate.UNTRANSLATED,
        f"written into {target}, which no script of the folder runs",
        "if it is run by hand, add what it does to the inventory",
    )


def _here_document(script: Script, node: Node) -> Why:
    """Return what becomes of a here document: printed, written to a file, or read by a program."""
    statement = node.parent.parent if node.parent is not None else None
    body = statement.child_by_field_name("body") if statement is not None else None
    words = script.text(body).split() if body is not None else []
    name = words[0] if words else "a program"
    if name in _IDLE:
        return _idle(name)
    if name.rpartition("/")[2] not in {"cat", "tee"}:
        return _handed(name)
    into = children_of(statement, "file_redirect") + children_of(node.parent, "file_redirect")
    if name.rpartition("/")[2] == "tee" and len(words) > 1:
        return _put_into(words[-1])
    if not into:
        return _PRINTED
    return _put_into(script.text(into[0]).lstrip("> "))
