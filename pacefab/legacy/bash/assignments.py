"""Assignments of a shell: NAME=…, NAME[i]=…, NAME=(…), +=, and declare, local, export."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pacefab.legacy.bash.budget import ExhaustedError
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.syntax import Node, Script, children_of
from pacefab.legacy.bash.words import Words

_MOST_ITEMS = 5000  # of an array


_SETTING = re.compile(r"([A-Za-z_]\w*)(\[[^\]]*\])?(\+?)=(.*)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*")
_PROPERTIES = "ilur"  # of a variable: a number, small letters, capitals, not to be changed


def assign(words: Words, shell: Shell, node: Node, script: Script, *, fresh: bool = False) -> None:
    """Do one assignment; `fresh`: of a variable that is new in a function."""
    target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if target is None:
        return
    appended = any(child.type == "+=" for child in node.children)
    name = _target(words, shell, target, script)
    if value is not None and value.type == "array":
        _fill(words, shell, name, value, script, appended=appended)
        return
    with words.consulting() as names:
        text = words.text(value) if value is not None else ""
    if fresh:
        shell.arrays.pop(name, None)
    shell.rests.pop(name, None)
    put(words, shell, name, text, appended=appended)
    if names:
        shell.rests[name] = dict(names)


def put(words: Words, shell: Shell, name: str, text: str, *, appended: bool) -> None:
    """Set a variable or an element to a text, or add the text to it."""
    base, bracket, index = name.partition("[")
    base = shell.resolve(base)
    if "i" in shell.kinds.get(base, ""):
        text = words.number_text(f"({base})+({text})" if appended else text)
    elif appended:
        at = index.removesuffix("]") if bracket else "0"
        items = shell.arrays.get(base, {}) if bracket or base in shell.arrays else None
        text = (shell.variables.get(base, "") if items is None else items.get(at, "")) + text
    if "r" in shell.kinds.get(base, "") and (base in shell.variables or base in shell.arrays):
        shell.unset(base)
        text = words.mark(f"${base}, which is not to be changed, and is")
    shell.set(f"{base}{bracket}{index}", text)


def _target(words: Words, shell: Shell, target: Node, script: Script) -> str:
    if target.type != "subscript":
        return script.text(target)
    name, index = target.child_by_field_name("name"), target.child_by_field_name("index")
    base = shell.resolve(script.text(name)) if name is not None else ""
    at = words.index(index, base) if index is not None else "0"
    if at.startswith("-") and at[1:].isdigit():  # from the end
        items = shell.arrays.get(base, {})
        at = str(_after(items) + int(at))
    return f"{base}[{at}]"


def _after(items: Mapping[str, str]) -> int:
    """Return the index after the last one."""
    return 1 + max((int(key) for key in items if key.isascii() and key.isdigit()), default=-1)


def _fill(
    words: Words, shell: Shell, name: str, array: Node, script: Script, *, appended: bool
) -> None:
    """Fill an array; [index]=value names its place."""
    name = shell.resolve(name)
    items = dict(shell.arrays.get(name, {})) if appended else {}
    if appended and name in shell.variables:
        items = {"0": shell.variables[name]}
    at = _after(items)
    for child in array.named_children:
        if child.type == "comment":
            continue
        source = script.text(child)
        if source.startswith("[") and "]=" in source:
            key, _, value = words.text(child).partition("]=")
            key = key[1:].strip("\"'")
            key = key if name in shell.named else words.number_text(key)
            items[key] = value
            at = int(key) + 1 if key.isascii() and key.isdigit() else at
            continue
        for word in words.fields(child):
            items[str(at)] = word
            at += 1
    if len(items) > _MOST_ITEMS:
        raise ExhaustedError(f"an array of more than {_MOST_ITEMS} elements")
    shell.fill(name, items)


def declare(words: Words, shell: Shell, node: Node, script: Script) -> None:
    """Do declare, local, export, readonly and typeset: assignments with a property."""
    kind = script.text(node.children[0])
    flags = "".join(
        script.text(word)[1:]
        for word in children_of(node, "word")
        if script.text(word).startswith("-")
    )
    flags += {"export": "x", "readonly": "r"}.get(kind, "")
    local = bool(shell.locals) and (
        kind == "local" or (kind in {"declare", "typeset"} and "g" not in flags)
    )
    for child in node.children[1:]:
        name = _declared(child, script)
        if name:
            _declare_one(words, shell, script, name, flags, child, local=local)
        elif child.type not in {"word", "number"} or "=" in script.text(child):
            for word in words.fields(child):
                _declare_text(words, shell, word, flags, local=local)


def _declare_one(
    words: Words, shell: Shell, script: Script, name: str, flags: str, child: Node, *, local: bool
) -> None:
    if local:
        shell.declare_local(name)
    if "n" in flags:
        value = child.child_by_field_name("value")
        _refer(shell, name, words.text(value) if value is not None else "")
        return
    name = shell.resolve(name)
    if "A" in flags:
        shell.named.add(name)
    before = _take_properties(shell, name, flags)
    if child.type == "variable_assignment":
        assign(words, shell, child, script, fresh=local)
    elif local or set("aA") & set(flags):
        _begin(shell, name, flags, local=local)
    _finish(shell, name, flags, before)


def _declare_text(words: Words, shell: Shell, word: str, flags: str, *, local: bool) -> None:
    """Declare what a word says that was expanded before: declare "$name=value"."""
    found = _SETTING.fullmatch(word)
    name = found[1] if found else word
    if not _NAME.fullmatch(name):
        return
    if local:
        shell.declare_local(name)
    if "n" in flags:
        _refer(shell, name, found[4] if found else "")
        return
    before = _take_properties(shell, name, flags)
    if found:
        put(words, shell, name + (found[2] or ""), found[4], appended=bool(found[3]))
    elif local:
        _begin(shell, name, flags, local=True)
    _finish(shell, name, flags, before)


def _refer(shell: Shell, name: str, target: str) -> None:
    if _NAME.match(target) and target != name:
        shell.references[name] = target


def _take_properties(shell: Shell, name: str, flags: str) -> str:
    """Give a variable its properties; return those that hold after its assignment only."""
    kinds = "".join(flag for flag in _PROPERTIES if flag in flags + shell.kinds.get(name, ""))
    if kinds:
        shell.kinds[name] = kinds.replace("r", "") if "r" in flags else kinds
    return kinds


def _begin(shell: Shell, name: str, flags: str, *, local: bool) -> None:
    """Begin a variable or an array without a value."""
    if local:
        shell.arrays.pop(name, None)
        shell.variables.pop(name, None)
    if set("aA") & set(flags):
        shell.arrays.setdefault(name, {})
    elif local:
        shell.variables[name] = ""


def _finish(shell: Shell, name: str, flags: str, kinds: str) -> None:
    if kinds:
        shell.kinds[name] = kinds
    if "x" in flags:
        shell.exported.add(name)


def unset(words: Words, shell: Shell, node: Node, script: Script) -> None:
    """Do unset: of variables, elements, functions (-f) and references (-n)."""
    given = [word for child in node.named_children for word in _unset_words(words, child, script)]
    flags = "".join(word for word in given if word.startswith("-"))
    for name in (word for word in given if not word.startswith("-")):
        if "n" in flags:
            shell.references.pop(name, None)
        elif "f" in flags:
            shell.functions.pop(name, None)
        else:
            shell.unset(name)


def _unset_words(words: Words, node: Node, script: Script) -> list[str]:
    """Return what a node names; the grammar takes name[index] for two of them."""
    if node.type == "variable_name":
        following = node.next_named_sibling
        joined = following is not None and following.start_byte == node.end_byte
        index = words.text(following) if joined and following is not None else ""
        return [script.text(node) + index]
    before = node.prev_named_sibling
    return [] if before is not None and before.end_byte == node.start_byte else words.fields(node)


def _declared(node: Node, script: Script) -> str:
    """Return the variable that is declared; empty for what declares none."""
    if node.type == "variable_name":
        return script.text(node)
    name = node.child_by_field_name("name") if node.type == "variable_assignment" else None
    return script.text(name).partition("[")[0] if name is not None else ""
