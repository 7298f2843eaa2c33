"""Why a line with a pcs command did not run, by what stands around it."""

from __future__ import annotations

from pacefab.legacy.bash.syntax import Node, Script, children_of
from pacefab.legacy.interpreter.walkthrough import Walk
from pacefab.legacy.model import Fate

_PRINTING = {
    "echo",
    "printf",
    "logger",
    "log",
    "log_info",
    "log_error",
    "fn_log",
    "read",
    "warn",
    "info",
    "error",
    "die",
    "usage",
    "print",
    "msg",
}
COMMENT = (Fate.LEFT_OUT, "commented out", "")
_WHY_NOT = {
    "ERROR": (Fate.UNTRANSLATED, "bash cannot parse the lines around it",
              "fix the script (an unclosed quote or block?) and migrate again"),
    "comment": COMMENT,
    "printed": (Fate.LEFT_OUT, "only a text that is printed", ""),
}  # fmt: skip


def why_not_run(walk: Walk, script: Script, node: Node | None) -> tuple[Fate, str, str]:
    """Return why a line did not run, by what stands around it, the innermost first."""
    around: Node | None = node
    while around is not None:
        reason = _by_what_is_around(walk, script, around)
        if reason is not None:
            return reason
        around = around.parent
    if script.file in walk.cut_short:
        why = walk.cut_short[script.file]
        return Fate.UNTRANSLATED, f"not reached: reading ended ({why})", "translate it by hand"
    return Fate.LEFT_OUT, "never reached: the script ends before, or its condition fails", ""


def _by_what_is_around(walk: Walk, script: Script, around: Node) -> tuple[Fate, str, str] | None:
    kind = around.type
    above = around.parent.type if around.parent is not None else ""
    if kind == "heredoc_body":
        return _here_document(script, around)
    if kind in {"string", "raw_string", "ansi_c_string"} and above != "command_name":
        return _quoted(script, around)
    if kind == "command" and _program(script, around) in _PRINTING:
        return _WHY_NOT["printed"]
    body = around.child_by_field_name("body") if kind == "function_definition" else None
    if body is not None and script.place(body) not in walk.world.entered:
        name = around.child_by_field_name("name")
        shown = script.text(name) if name is not None else "it"
        return Fate.LEFT_OUT, f"the function {shown} is never called", ""
    return _WHY_NOT.get(kind)


def _program(script: Script, command: Node) -> str:
    name = command.child_by_field_name("name")
    return script.text(name).rpartition("/")[2] if name is not None else ""


def _quoted(script: Script, node: Node) -> tuple[Fate, str, str]:
    above = node.parent
    while above is not None and above.type not in {"command", "variable_assignment"}:
        above = above.parent
    if above is None:
        return Fate.LEFT_OUT, "only a text", ""
    name = above.child_by_field_name("name")
    shown = script.text(name) if name is not None else "a program"
    if above.type == "variable_assignment":
        return (
            Fate.LEFT_OUT,
            f"only a text, kept in ${shown}: the command that runs it is reported at its own line",
            "",
        )
    into = above.next_named_sibling
    if above.parent is not None and above.parent.type == "pipeline" and into is not None:
        return _handed(script.text(into).split()[0])
    if shown.rpartition("/")[2] in _PRINTING:
        return _WHY_NOT["printed"]
    return _handed(shown)


def _handed(program: str) -> tuple[Fate, str, str]:
    return (
        Fate.UNTRANSLATED,
        f"a text passed to {program}; it is unknown whether that runs it",
        "add what the command does to the inventory by hand",
    )


def _here_document(script: Script, node: Node) -> tuple[Fate, str, str]:
    """Return what becomes of a here document: printed, written to a file, or read by a program."""
    statement = node.parent.parent if node.parent is not None else None
    body = statement.child_by_field_name("body") if statement is not None else None
    words = script.text(body).split() if body is not None else []
    name = words[0] if words else "a program"
    if name.rpartition("/")[2] != "cat":
        return _handed(name)
    into = children_of(statement, "file_redirect") + children_of(node.parent, "file_redirect")
    if not into:
        return _WHY_NOT["printed"]
    target = script.text(into[0]).lstrip("> ")
    return (
        Fate.UNTRANSLATED,
        f"written into {target}, which no script of the folder runs",
        "if it is run by hand, add what it does to the inventory",
    )
