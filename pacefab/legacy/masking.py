"""Secrets never leave a script: neither into the inventory nor into the report."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAME = re.compile(
    r"passw|\bpass\b|(?<!by)(?<!com)pass$|^pass_|passphrase|pwd|pw$|psk$|secret|credential|token"
    r"|cookie|community|(private|api|auth|access|shared|pass|encrypt\w*)[_-]?key$",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(
    r"script|file|path$|_cache|memcache|^-*token_(coefficient|retransmit|warning)|^-*tokens$|"
    r"^-*(no|ask|use|with|prompt)[-_]|(less|stdin|prompt)$",
    re.IGNORECASE,
)
UNSEEN = "***"
"""What stands for a secret that is not known."""
_LONGEST = 4000  # characters that anybody reads; the patterns below take time by its square
_TIME = re.compile(r"-*token$", re.IGNORECASE)  # corosync's, in milliseconds
_ASSIGNED = re.compile(r"""([\w.-]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"';|&)]+)""")
_VALUE = r"""("[^"]*"|'[^']*'|[^\s"';|&)]+)"""
_OPTION = re.compile(
    rf"""(\b(?:(?:pcs|sshpass|fence_\w+|mongo\w*)\b[^|;&\n]*?\s-p|ipmitool\b[^|;&\n]*?\s-P|"""
    rf"""redis-cli\b[^|;&\n]*?\s-a|ldap\w+\b[^|;&\n]*?\s-w)\s+){_VALUE}"""
)
_LONG = re.compile(rf"(?<!\S)(--[A-Za-z][\w-]*)([ \t]+|=)(?!-){_VALUE}")
_USER = re.compile(
    r"(\b(?:curl|wget)\b[^|;&\n]*?\s(?:-[A-Za-z]*u|--user)[\s=]*[\"']?[^\s:\"']+:)([^\s\"']+)"
)
_FED = re.compile(rf"""(\b(?:passwd|chpasswd)\b[^|;&\n]*?<<<\s*){_VALUE}""")
_ASKING_BY_P = {"pcs", "crm", "sshpass"}  # their -p is followed by a secret
_ATTACHED = re.compile(r"(\b(?:pcs|sshpass|mysql\w*)\b[^|;&\n]*?\s-p)([^\s-][^\s\"']*)")
_KEYED = re.compile(r"""(["']?([\w.-]+)["']?\s*:\s*)("[^"]*"|'[^']*'|[^\s"',}]+)""")
_SQL = re.compile(r"""(\bidentified\s+by\s+)('[^']*'|"[^"]*")""", re.IGNORECASE)
_DIRECTIVE = re.compile(r"^(\s*(?!passwd\b)([\w-]+)\s+)([^\s=:]+)\s*$")
_URI = re.compile(r"(\b[a-z][\w+.-]*://[^\s/:@\"']*:)([^\s/@\"']+)(?=@)")
_PIPED = re.compile(
    r"""(echo\s+(?:-n\s+)?)("[^"]*"|'[^']*'|\S+)(\s*\|\s*(?:sudo\s+)?(?:passwd|chpasswd))"""
)


def is_secret(name: str) -> bool:
    """Return whether a parameter or key is named like a secret."""
    return bool(_NAME.search(name)) and not _NOT_SECRET.search(name)


def is_secret_setting(name: str, value: str) -> bool:
    """Return whether NAME=VALUE has a secret: not a time that is called token."""
    return is_secret(name) and not (_TIME.match(name) and value.strip("\"'").isdigit())


def masked_line(words: Sequence[str]) -> str:
    """Return a command's words as one line; a secret is masked as a whole, blanks in it too."""
    done: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        named = done[-2:-1] == ["set"] and is_secret(done[-1])  # crm … param R set NAME VALUE
        if named or (done and _takes_secret(words[0], done[-1], word)):
            done.append("***")
        else:
            secret = equals and is_secret_setting(name, value)
            done.append(f"{name}=***" if secret else word)
    return " ".join(done)


def _takes_secret(program: str, option: str, value: str) -> bool:
    """Return whether a word is the secret that an option before it asks for."""
    if option == "-p":
        return program.rpartition("/")[2] in _ASKING_BY_P
    long = option.startswith("--") and "=" not in option and not value.startswith("-")
    return long and is_secret_setting(option.lstrip("-"), value)


def mask(text: str) -> str:
    """Return a command's text with the values of secrets replaced, and the end of a long one."""
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    text = _ASSIGNED.sub(_assigned, text)
    text = _OPTION.sub(r"\1***", text)
    text = _LONG.sub(_of_option, text)
    text = _USER.sub(r"\1***", text)
    text = _FED.sub(r"\1***", text)
    text = _ATTACHED.sub(r"\1***", text)
    text = _URI.sub(r"\1***", text)
    return _PIPED.sub(r"\1***\3", text)


def mask_source(line: str) -> str:
    """Return a line of any file as `mask` does, also where another notation names a secret.

    That of YAML and JSON (`password: x`), SQL (`identified by 'x'`), and of files with a name and a
    value on a line (`requirepass x`).
    """
    line = _KEYED.sub(_of_key, mask(line))
    line = _SQL.sub(r"\1***", line)
    return _DIRECTIVE.sub(_of_key, line)


def _of_key(found: re.Match[str]) -> str:
    secret = is_secret_setting(found[2], found[3]) or found[2] == "masterauth"
    return f"{found[1]}***" if secret else found[0]


def _assigned(found: re.Match[str]) -> str:
    secret = is_secret_setting(found[1], found[3])
    return f"{found[1]}{found[2]}***" if secret else found[0]


def _of_option(found: re.Match[str]) -> str:
    secret = is_secret_setting(found[1].lstrip("-"), found[3])
    return f"{found[1]}{found[2]}***" if secret else found[0]


def secret_name(*parts: str) -> str:
    """Return the name of a secret in an inventory: small letters, digits and _."""
    name = re.sub(r"[^a-z0-9]+", "_", "_".join(parts).lower()).strip("_")
    return name if name[:1].isalpha() else f"secret_{name}"
