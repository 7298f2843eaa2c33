"""Kinds of values in an inventory, each read into the text that stands in a CIB."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator

from pacefab.inventory.model import unfit

SECRET_NAME = r"^[a-z][a-z0-9_]*$"  # noqa: S105  # the form of a name
_MOST = 1_000_000  # Pacemaker's INFINITY
_SCORE = r"[+-]?(INFINITY|[0-9]{1,9})"
_NUMBER = r"-?[0-9]{1,18}"
# What crm_parse_interval_spec() takes: a number with a unit, or an ISO 8601 duration.
_TIME = r"[0-9]{1,18} *(us|usec|ms|msec|s|sec|m|min|h|hr)?|P[0-9TYMWDHS]+"
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) *(ms|s|min|m|h)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600}
_FRACTION = "a number with a fraction needs quotes, which keep it as it is written"


@dataclass(frozen=True)
class SecretReference:
    """The name of a secret in the place of its value: {secret: NAME}."""

    secret: Annotated[str, Field(pattern=SECRET_NAME)]


def _text(value: object) -> object:
    """Return a scalar as Pacemaker writes it; what is none stays, to be refused."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        raise unfit(_FRACTION)
    return str(value) if isinstance(value, int) else value


def _boolean(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError(value)  # noqa: TRY004  # which pydantic would not catch
    return _text(value)


def _matching(pattern: str, value: object) -> str:
    """Return a whole number or a text that has this form."""
    text = "" if isinstance(value, bool) or not isinstance(value, (int, str)) else str(value)
    if not re.fullmatch(pattern, text):
        raise ValueError(value)
    return text


def _score(value: object) -> str:
    text = _matching(_SCORE, value)
    if "INFINITY" not in text and abs(int(text)) > _MOST:
        raise unfit("a score is at most 1000000; beyond that, write INFINITY")
    return text


def _parameter(value: object) -> str | SecretReference:
    text = _text(value)
    if isinstance(text, str):
        return text
    if isinstance(value, dict):
        name = value.get("secret")
        if len(value) == 1 and isinstance(name, str) and re.fullmatch(SECRET_NAME, name):
            return SecretReference(name)
        raise unfit("the only mapping here is {secret: NAME}, of small letters, digits and _")
    raise ValueError(value)


def _duration(value: object) -> object:
    """Return seconds: of a number, or of a text with a unit."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return float(match[1]) * _SECONDS[match[2]] if match else value


TIME = "a time: seconds, or a number with ms, s, min or h"
SCORE = "a score: a whole number from -1000000 to 1000000, INFINITY or -INFINITY"

ScalarText = Annotated[str, BeforeValidator(_text, json_schema_input_type=bool | int | str)]
Boolean = Annotated[str, BeforeValidator(_boolean, json_schema_input_type=bool)]
Number = Annotated[str, BeforeValidator(partial(_matching, _NUMBER), json_schema_input_type=int)]
Time = Annotated[
    str,
    BeforeValidator(
        partial(_matching, _TIME),
        json_schema_input_type=int | Annotated[str, Field(pattern=f"^({_TIME})$")],
    ),
]
Score = Annotated[
    str,
    BeforeValidator(
        _score,
        json_schema_input_type=Annotated[int, Field(ge=-_MOST, le=_MOST)]
        | Literal["INFINITY", "+INFINITY", "-INFINITY"],
    ),
]
Parameter = Annotated[
    Any, PlainValidator(_parameter, json_schema_input_type=bool | int | str | SecretReference)
]
Duration = Annotated[
    float,
    BeforeValidator(_duration, json_schema_input_type=float | str),
    Field(ge=0, allow_inf_nan=False),
]
