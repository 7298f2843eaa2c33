"""Rules -> the words that pcs takes for them (0.10 and newer). Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pacefab.pacemaker.nouns.piece import Piece


class NotInPcs(ValueError):  # noqa: N818  # it is a limit of pcs, not a mistake
    """What pcs has no words for; the text says what that is."""


def rule_words(rule: Piece) -> list[str]:
    """Return the expressions of a rule; its score, role and id are the caller's.

    Raises:
        NotInPcs: pcs cannot say one of them.
    """
    check(rule, {"score", "score-attribute", "role", "boolean-op"})
    word = rule.attributes.get("boolean-op", "and")
    words: list[str] = []
    for child in rule.children:
        words += [*([word] if words else []), *_expression(child)]
    return words


def check(piece: Piece, known: set[str]) -> None:
    """Raise `NotInPcs` where an element has an attribute that pcs does not take."""
    for name in piece.attributes:
        if name not in known:
            raise NotInPcs(f"{name} of a {piece.tag}")


def pairs(values: Mapping[str, str]) -> list[str]:
    """Return name=value for each."""
    return [f"{name}={value}" for name, value in values.items()]


def _expression(piece: Piece) -> list[str]:
    if piece.tag == "rule":
        return ["(", *rule_words(piece), ")"]
    writers = {
        "expression": _of_attribute,
        "date_expression": _of_time,
        "rsc_expression": _of_agent,
        "op_expression": _of_operation,
    }
    return writers[piece.tag](piece)


def _of_attribute(piece: Piece) -> list[str]:
    check(piece, {"attribute", "operation", "value", "type"})
    said = piece.attributes
    if said["operation"] in {"defined", "not_defined"}:
        return [said["operation"], said["attribute"]]
    kind = [said["type"]] if "type" in said else []
    return [said["attribute"], said["operation"], *kind, said.get("value", "")]


def _of_time(piece: Piece) -> list[str]:
    said = {child.tag: child.attributes for child in piece.children}
    operation = piece.attributes.get("operation", "date_spec")
    start, end = (piece.attributes.get(key) for key in ("start", "end"))
    if operation == "date_spec":
        return ["date-spec", *pairs(said.get("date_spec", {}))]
    if operation in {"gt", "lt"}:
        return ["date", operation, str(start or end)]
    until = [end] if end else ["duration", *pairs(said.get("duration", {}))]
    return ["date", "in_range", *([start] if start else []), "to", *until]


def _of_agent(piece: Piece) -> list[str]:
    parts = [piece.attributes.get(key, "") for key in ("class", "provider", "type")]
    if not parts[1] and parts[0] != "ocf":
        del parts[1]  # only agents of the standard ocf have a provider
    return ["resource", ":".join(parts)]


def _of_operation(piece: Piece) -> list[str]:
    interval = piece.attributes.get("interval")
    return ["op", piece.attributes["name"], *([f"interval={interval}"] if interval else [])]
