"""Assignments of a shell: NAME=…, NAME[i]=…, NAME=(…), +=, and declare, local, export."""

from __future__ import annotations

from pacefab.legacy.bash.budget import ExhaustedError
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.syntax import Node, Script, children_of
from pacefab.legacy.bash.words import Words

_MOST_ITEMS = 5000  # of an array


def assign(words: Words, shell: Shell, node: Node, script: Script) -> None:
    """Do one assignment."""
    target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if target is None:
        return
    appended = any(child.type == "+=" for child in node.children)
    name = _target(words, target, script)
    if value is not None and value.type == "array":
        _fill(words, shell, name, value, script, appended=appended)
        return
    with words.consulting() as names:
        text = words.text(value) if value is not None else ""
    shell.rests.pop(name, None)
    if names:
        shell.rests[name] = dict(names)
    if appended:
        base, bracket, index = name.partition("[")
        items = shell.arrays.get(base, {}) if bracket else shell.variables
        text = items.get(index.removesuffix("]") if bracket else name, "") + text
    shell.set(name, text)


def _target(words: Words, target: Node, script: Script) -> str:
    if target.type != "subscript":
        return script.text(target)
    name, index = target.child_by_field_name("name"), target.child_by_field_name("index")
    base = script.text(name) if name is not None else ""
    return f"{base}[{words.index(index, base) if index is not None else '0'}]"


def _fill(
    words: Words, shell: Shell, name: str, array: Node, script: Script, *, appended: bool
) -> None:
    """Fill an array; [index]=value names its place."""
    items = dict(shell.arrays.get(name, {})) if appended else {}
    at = 1 + max((int(key) for key in items if key.isascii() and key.isdigit()), default=-1)
    for child in array.named_children:
        if child.type == "comment":
            continue
        source = script.text(child)
        if source.startswith("[") and "]=" in source:
            key, _, value = words.text(child).partition("]=")
            items[key[1:].strip("\"'")] = value
            continue
        for word in words.fields(child):
            items[str(at)] = word
            at += 1
    if len(items) > _MOST_ITEMS:
        raise ExhaustedError(f"an array of more than {_MOST_ITEMS} elements")
    shell.arrays[name] = items
    shell.variables.pop(name, None)


def declare(words: Words, shell: Shell, node: Node, script: Script) -> None:
    """Do declare, local, export, readonly and typeset: assignments with a property."""
    kind = script.text(node.children[0])
    flags = "".join(script.text(word) for word in children_of(node, "word"))
    local = kind == "local" or (kind in {"declare", "typeset"} and bool(shell.locals))
    for child in node.named_children:
        name = _declared(child, script)
        if not name:
            continue
        if local:
            shell.declare_local(name)
        if "A" in flags:
            shell.named.add(name)
        if child.type == "variable_assignment":
            assign(words, shell, child, script)
        elif kind == "local":
            shell.variables[name] = ""
        if kind == "export" or "x" in flags:
            shell.exported.add(name)


def _declared(node: Node, script: Script) -> str:
    """Return the variable that is declared; empty for what declares none."""
    if node.type == "variable_name":
        return script.text(node)
    name = node.child_by_field_name("name") if node.type == "variable_assignment" else None
    return script.text(name).partition("[")[0] if name is not None else ""
