"""What an inventory is made of: what its nodes and sections have in common.

A field's description says what is allowed there, in the words of an error message; the JSON schema
hands the same words to editors.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)
from pydantic_core import PydanticCustomError

from pacefab.addresses import is_address, no_hosts

TEXT: Final = "(text)"
MAPPING: Final = "(mapping)"
"""Marks of a field that may be either; no file has such keys."""
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"


def unfit(reason: str) -> PydanticCustomError:
    """Return the error for a value whose form is right and that still cannot be."""
    # As context, so that braces in the reason are only text.
    return PydanticCustomError("unfit", "{reason}", {"reason": reason})


def _name(text: str) -> str:
    if is_address(text):
        raise unfit("an address is not a name: write {name: NAME, address: " + text + "}")
    return text


def check_address(text: str) -> str:
    """Return a node's address in its usual spelling: equal ones are equal texts."""
    address = ipaddress.ip_address(text)
    if "%" in text:
        raise unfit("a zone (%) means something on one host only")
    if kind := no_hosts(text):
        raise unfit(
            f"no other node reaches it there ({kind}; a tunnel's end belongs into ~/.ssh/config)"
        )
    return str(address)


def _defaults(value: object) -> object:
    """Read `memcached:` with nothing behind it as a section that leaves everything as it is."""
    return {} if value is None else value


def fitting(pattern: str, reason: str) -> AfterValidator:
    """Return the check that a text has a form, and `reason` where it has not; numbers have."""
    form = re.compile(pattern)

    def check(value: str | int) -> str | int:
        if isinstance(value, str) and not form.fullmatch(value):
            raise unfit(reason)
        return value

    return AfterValidator(check)


EMPTY_IS_DEFAULTS = BeforeValidator(_defaults)
# What pcs and Pacemaker take for an id, an attribute's name, a parameter's (XML's NCName).
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", max_length=200)]
# Of node attributes Pacemaker has some of its own, such as #health-disk, and counts copies by :0.
AttributeName = Annotated[str, Field(pattern=r"^#?[A-Za-z_][A-Za-z0-9_.:-]*$", max_length=200)]
OwnAttributeName = Annotated[
    str, Field(pattern=r"^(#health[A-Za-z0-9_.:-]*|[A-Za-z_][A-Za-z0-9_.:-]*)$", max_length=200)
]
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:/-]*$", max_length=200)]
Port = Annotated[int, Field(ge=1, le=65535)]
HostName = Annotated[
    str, Field(pattern=rf"^{_LABEL}(\.{_LABEL})*$", max_length=253), AfterValidator(_name)
]
Address = Annotated[str, AfterValidator(check_address)]
Login = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.@-]*$", max_length=80)]


class Part(BaseModel):
    """A mapping of the inventory: unknown keys are mistakes, texts are no numbers.

    `elsewhere` says of keys that may be expected here where they belong.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)
    elsewhere: ClassVar[Mapping[str, str]] = {}
