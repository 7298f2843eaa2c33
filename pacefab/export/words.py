"""Elements in Pacemaker's own terms -> the inventory's data: the way back of `piece_of`."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from pacefab.inventory.own_terms import AttributeSet, PairReference, Terms
from pacefab.pacemaker.model import role_of
from pacefab.pacemaker.naming import is_secret
from pacefab.pacemaker.nouns.piece import Piece, is_mark

_TRUE, _FALSE = {"true", "on", "yes", "y"}, {"false", "off", "no", "n"}
_NUMBER = re.compile(r"0|-?[1-9]\d{0,17}")


class Unsayable(ValueError):  # noqa: N818  # it is a part, not a mistake
    """What the inventory has no word for; the text says what that is."""


def scalar(text: str) -> bool | int | str:
    """Return a text as YAML would best show it: the inventory reads the same text from it."""
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if _NUMBER.fullmatch(text) else text


def fitting(kind: Any, text: str) -> bool | int | str | None:
    """Return a text as a value of its kind; None where it is none."""
    return _fitting(_adapter(kind), text)


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@functools.lru_cache(maxsize=20_000)
def _fitting(adapter: TypeAdapter[Any], text: str) -> bool | int | str | None:
    choices: list[bool | int | str] = [scalar(text), text]
    if text.lower() in _TRUE | _FALSE:
        choices.append(text.lower() in _TRUE)
    for choice in choices:
        try:
            read = adapter.validate_python(choice, strict=True)
        except ValidationError:
            continue
        if read == text or isinstance(choice, bool):
            return choice
    return None


def field_kind(field: FieldInfo) -> Any:
    """Return the type of a field with what its value has to fulfil."""
    kind: Any = field.annotation
    for one in field.metadata:
        kind = Annotated[kind, one]
    return kind


def words(kind: type[Terms], piece: Piece, kept: Collection[str]) -> dict[str, Any]:
    """Return an element as the inventory has it; `kept` are the ids that something refers to.

    Raises:
        Unsayable: it has an attribute, a value or a child that the inventory does not know.
    """
    found: dict[str, Any] = {"id": piece.id} if piece.id in kept else {}
    fields = {_xml(kind, name): field for name, field in kind.model_fields.items()}
    for name, text in piece.attributes.items():
        if name not in fields:
            raise Unsayable(f"{piece.tag} has the attribute {name}")
        value = fitting(field_kind(fields[name]), role_of(text) if name == "role" else text)
        if value is None:
            raise Unsayable(f"{piece.tag} has the {name} {text!r}")
        found[_key(kind, name)] = value
    for child in piece.children:
        _put_child(kind, child, found, kept)
    return found


def _put_child(
    kind: type[Terms], child: Piece, found: dict[str, Any], kept: Collection[str]
) -> None:
    if child.tag == "resource_ref":
        found.setdefault("resources", []).append(child.attributes.get("id", ""))
        return
    for name, field in kind.model_fields.items():
        for inner, many in _terms_in(field):
            if inner.tag == child.tag:
                said = words(inner, child, kept)
                if many:
                    found.setdefault(field.alias or name, []).append(said)
                else:
                    found[field.alias or name] = said
                return
    raise Unsayable(f"{kind.__name__} has no {child.tag}")


def _terms_in(field: FieldInfo) -> Iterator[tuple[type[Terms], bool]]:
    """Yield the element that a field holds, and whether there may be several."""
    for part in (field.annotation, *get_args(field.annotation)):
        if isinstance(part, type) and issubclass(part, Terms):
            yield part, bool(get_args(field.annotation)) and Ellipsis in get_args(field.annotation)


def _xml(kind: type[Terms], name: str) -> str:
    return kind.names.get(name, name).replace("_", "-")


def _key(kind: type[Terms], xml: str) -> str:
    for name, field in kind.model_fields.items():
        if _xml(kind, name) == xml:
            return field.alias or name
    return xml


class Sets:
    """Further sets as the inventory has them.

    Args:
        kept: the ids that something refers to.
        secrets: where values of secrets go, by the names that stand in their place.
    """

    def __init__(self, kept: Collection[str], secrets: dict[str, str]) -> None:
        self.kept = kept
        self._secrets = secrets

    def list(self, sets: tuple[Piece, ...], owner: str) -> list[dict[str, Any]]:
        """Return sets; none where there is but the plain one, as it is by itself.

        Raises:
            Unsayable: the inventory cannot say one.
        """
        said = [self._one(piece, owner) for piece in sets]
        if said and said[0] == {"plain": True}:
            said = said[1:]
        return said

    def _one(self, piece: Piece, owner: str) -> dict[str, Any]:
        pairs = [child for child in piece.children if child.tag == "nvpair"]
        pairs = [each for each in pairs if each.id in self.kept] if is_mark(piece) else pairs
        others = [child for child in piece.children if child.tag != "nvpair"]
        rest = Piece(piece.tag, piece.attributes, tuple(others), piece.id)
        found = words(AttributeSet, rest, self.kept)
        values: dict[str, Any] = {}
        for pair in pairs:
            name, value = pair.attributes.get("name", ""), pair.attributes.get("value")
            if "id-ref" in pair.attributes or value is None or pair.id in self.kept:
                reference = words(PairReference, pair, self.kept)
                found.setdefault("references", []).append(reference)
            else:
                values.setdefault(name, self.value(owner, name, value))
        return {**found, **({"values": values} if values else {})}

    def value(self, owner: str, name: str, text: str, *, secret: bool = False) -> Any:
        """Return a value as YAML shows it, the name of a secret in its place."""
        if not secret and not is_secret(name):
            return scalar(text)
        called = re.sub(r"[^a-z0-9_]", "_", f"{owner}_{name}".lower())
        called = called if called[:1].isalpha() else f"s{called}"
        while self._secrets.setdefault(called, text) != text:
            called += "_"
        return {"secret": called}

    def options(
        self, values: Mapping[str, str], kinds: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return options that have a kind of value, and the texts of those that have none."""
        listed, unlisted = {}, {}
        for name, text in values.items():
            fit = fitting(kinds[name][0], text) if name in kinds else None
            if fit is None:
                unlisted[name] = scalar(text)
            else:
                listed[name] = fit
        return listed, unlisted
