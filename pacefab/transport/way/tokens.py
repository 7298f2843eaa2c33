"""Tokens, variables and `~` in values of an ssh_config (TOKENS in ssh_config(5))."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_TOKEN = re.compile(r"%(.?)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class TokenError(ValueError):
    """A value has a token or a variable that is not known."""


def expand(text: str, tokens: Mapping[str, str]) -> str:
    """Return a value with its tokens replaced.

    Raises:
        TokenError: it has one that is not known here.
    """

    def replace(found: re.Match[str]) -> str:
        if found[1] not in tokens:
            raise TokenError(f"{text}: the token {found[0]} is not known")
        return tokens[found[1]]

    return _TOKEN.sub(replace, text)


def expand_file(name: str, tokens: Mapping[str, str]) -> str:
    """Return the name of a file with `~`, tokens and ${VARIABLES} replaced. Same errors."""

    def replace(found: re.Match[str]) -> str:
        value = os.environ.get(found[1])
        if value is None:
            raise TokenError(f"{name}: the variable {found[1]} is not set")
        return value

    return expand(_VARIABLE.sub(replace, os.path.expanduser(name)), tokens)  # noqa: PTH111  # of ~nobody, pathlib makes an error
