"""What is in Pacemaker's own terms -> the words that pcs takes for it (0.10 and newer). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pacefab.pacemaker.model import Constraint, OwnTerms, Setting
from pacefab.pacemaker.naming import clean, constraint_id, is_secret
from pacefab.pacemaker.nouns.piece import Piece, is_mark
from pacefab.pacemaker.pcs.rules import NotInPcs, check, pairs, rule_words

Words = list[str]
_IN_SET = {"action", "require-all", "role", "sequential"}
# What pcs calls the attributes of a constraint, of those that it takes.
_OPTIONS = {
    "rsc_order": {"kind", "symmetrical"},
    "rsc_colocation": {"score", "score-attribute", "score-attribute-mangle"},
    "rsc_ticket": {"ticket", "loss-policy"},
}


def own_id(constraint: Constraint) -> str:
    """Return the id to ask for; empty where pcs gives it by itself, with a number if need be."""
    usual = re.escape(clean(constraint_id(constraint)))
    return "" if re.fullmatch(rf"{usual}(-\d+)?", constraint.id) else constraint.id


def constraint_words(constraint: OwnTerms) -> Words:
    """Return the line that makes a constraint.

    Raises:
        NotInPcs: pcs cannot make it.
    """
    piece = constraint.piece
    own = {"id": name} if (name := own_id(constraint)) else {}
    kind = piece.tag.removeprefix("rsc_")
    if any(child.tag == "lifetime" for child in piece.children):
        raise NotInPcs(f"a lifetime of a {kind} constraint")
    if kind == "location":
        return ["pcs", "constraint", "location", *_location(piece, own)]
    if any(child.tag == "resource_set" for child in piece.children):
        return ["pcs", "constraint", kind, *_sets(piece, own)]
    simple = {"ticket": _ticket, "colocation": _colocation}
    if kind not in simple:
        raise NotInPcs(f"such an {kind} constraint")
    return ["pcs", "constraint", kind, "add", *simple[kind](piece, own)]


def _sets(piece: Piece, own: Mapping[str, str]) -> Words:
    check(piece, _OPTIONS[piece.tag])
    words: Words = []
    for child in piece.children:
        check(child, _IN_SET)
        words += ["set", *(ref.attributes["id"] for ref in child.children)]
        words += pairs(child.attributes)
    options = [*pairs(own), *pairs(piece.attributes)]
    return [*words, *(["setoptions", *options] if options else [])]


def _ticket(piece: Piece, own: Mapping[str, str]) -> Words:
    said = dict(piece.attributes)
    role = said.pop("rsc-role", "")
    words = [said.pop("ticket"), *([role] if role else []), said.pop("rsc")]
    return [*words, *pairs(said), *pairs(own)]


def _colocation(piece: Piece, own: Mapping[str, str]) -> Words:
    said = dict(piece.attributes)
    roles = [said.pop(key, "") for key in ("rsc-role", "with-rsc-role")]
    sides = [roles[0], said.pop("rsc"), "with", roles[1], said.pop("with-rsc")]
    return [*filter(None, sides), *pairs(said), *pairs(own)]


def _location(piece: Piece, own: Mapping[str, str]) -> Words:
    check(piece, {"rsc", "rsc-pattern", "node", "score", "resource-discovery"})
    said = piece.attributes
    if "rsc" not in said and "rsc-pattern" not in said:
        raise NotInPcs("a location constraint of sets")
    named = said.get("rsc") or f"regexp%{said['rsc-pattern']}"
    discovery = pairs({k: v for k, v in said.items() if k == "resource-discovery"})
    if "node" in said:
        return _node(named, said, discovery, own)
    if len(piece.children) != 1:
        raise NotInPcs("a location constraint of several rules")
    (rule,) = piece.children
    options = {k: v for k, v in rule.attributes.items() if k != "boolean-op"}
    named_too = [f"constraint-id={own['id']}"] if own else []
    return [named, "rule", *named_too, *discovery, *pairs(options), *rule_words(rule)]


def _node(named: str, said: Mapping[str, str], discovery: Words, own: Mapping[str, str]) -> Words:
    score = said.get("score", "INFINITY")
    if own or discovery:
        name = own.get("id", f"location-{said['node']}")
        return ["add", name, named, said["node"], score, *discovery]
    word = "avoids" if score.startswith("-") else "prefers"
    return [named, word, f"{said['node']}={score.removeprefix('-')}"]


_DEFAULTS = {
    "resource default sets": ["pcs", "resource", "defaults"],
    "operation default sets": ["pcs", "resource", "op", "defaults"],
}


def set_lines(present: Setting | None, desired: Setting | None) -> Iterator[Words]:
    """Yield the lines that make further sets of defaults, what was there before taken away.

    Raises:
        NotInPcs: pcs cannot make one of them.
    """
    kind = (desired or present or Setting("", "", "")).kind
    if kind not in _DEFAULTS:
        raise NotInPcs(kind)
    for piece in present.pieces if present else ():
        if not is_mark(piece):
            yield [*_DEFAULTS[kind], "set", "delete", piece.id]
    for piece in desired.pieces if desired else ():
        if not is_mark(piece):
            yield [*_DEFAULTS[kind], "set", "create", *_set(piece)]
        elif len(piece.attributes) > 1:
            raise NotInPcs("the score of a set that is there")


def _set(piece: Piece) -> Words:
    check(piece, {"score"})
    rules = [child for child in piece.children if child.tag == "rule"]
    values = [child for child in piece.children if child.tag != "rule"]
    words = [*([f"id={piece.id}"] if piece.id else []), *pairs(piece.attributes)]
    words += ["meta", *map(_value, values)] if values else []
    return [*words, *(["rule", " ".join(rule_words(rules[0]))] if rules else [])]


def _value(pair: Piece) -> str:
    check(pair, {"name", "value"})
    name = pair.attributes["name"]
    return f"{name}={'(secret)' if is_secret(name) else pair.attributes.get('value', '')}"


def utilization_words(sets: tuple[Piece, ...]) -> Words:
    """Return the values of what a resource needs.

    Raises:
        NotInPcs: there are several sets, or one with a rule or a score.
    """
    if len(sets) != 1 or sets[0].attributes:
        raise NotInPcs("sets of utilization")
    return list(map(_value, sets[0].children))


def bundle_words(parts: tuple[Piece, ...]) -> Words:
    """Return the containers, network and storage of a bundle."""
    words: Words = []
    for part in parts:
        if part.tag == "network":
            ports = part.children
            words += ["network", *pairs(part.attributes)] if part.attributes else []
            words += [word for port in ports for word in ("port-map", *pairs(port.attributes))]
        elif part.tag == "storage":
            words += [w for each in part.children for w in ("storage-map", *pairs(each.attributes))]
        else:
            words = ["container", part.tag, *pairs(part.attributes), *words]
    return words
