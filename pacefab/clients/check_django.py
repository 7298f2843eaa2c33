"""Django's settings (Horizon's local_settings.py): what in CACHES would hurt. Pure.

The file is Python and is not run: what it computes cannot be judged, and that is said.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pacefab.clients.finding import Checked, Finding, ServerList
from pacefab.clients.recommended import HASH_CLIENT
from pacefab.services.memcached.client_options import PYMEMCACHE_OPTIONS

_MODULE = "django.core.cache.backends."
_PYMEMCACHE = _MODULE + "memcached.PyMemcacheCache"
_BACKENDS = {
    "locmem.LocMemCache": "each process has a cache of its own: a session is gone with the next"
    " request to another one",
    "dummy.DummyCache": "caches nothing",
    "memcached.MemcachedCache": "Django has it no more since 4.1; before, its time limits could not"
    " be set here",
}
_LIMITS = ("timeout", "connect_timeout")
_LONGEST = {"timeout": 1.0, "connect_timeout": 1.0, "dead_timeout": 60.0}  # seconds
_WITHOUT = {
    "ignore_exc": "a lost server reaches the user as an error page",
    "timeout": "without a limit a request hangs where packets are dropped",
    "connect_timeout": "without a limit a request hangs where packets are dropped",
    "retry_attempts": "2, the default: writes to a lost server are lost for 2 s without a word",
    "dead_timeout": "60, the default: seconds in which a server that came back is not used",
}
_CACHE_SESSIONS = "django.contrib.sessions.backends.cache"


@dataclass(frozen=True)
class _Value:
    """A value of the file with its line; `plain` is None where it is computed."""

    line: int
    plain: Any
    items: dict[str, _Value] = field(default_factory=dict)  # of a dictionary


def check(file: str, text: str) -> Checked:
    """Return what would hurt, and the lists of servers.

    Raises:
        ValueError: the file is no Python; the text names it.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ValueError(f"{file}: line {error.lineno}: {error.msg}") from None
    values = _values(tree)
    caches = values.get("CACHES")
    if caches is None:
        why = "Django's default is a cache of its own in each process"
        write = "CACHES as fab client-config --format django prints it"
        return Checked([Finding(file, 1, "CACHES is not set", why, write)])
    if not caches.items:
        return Checked([_unread(file, "CACHES", caches)])
    findings, lists = list(_sessions(file, values.get("SESSION_ENGINE"))), []
    for name, cache in caches.items.items():
        if not cache.items:
            findings.append(_unread(file, f"CACHES[{name!r}]", cache))
            continue
        findings += _backend(file, cache)
        lists += _list(file, cache)
    return Checked(findings, lists)


def _values(tree: ast.Module) -> dict[str, _Value]:
    """Return what the file assigns at its top, names that it assigned before filled in."""
    values: dict[str, _Value] = {}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = _read(value, values)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                values[name] = _read(value, values)
            case _:
                pass
    return values


def _read(node: ast.expr, values: dict[str, _Value]) -> _Value:
    if isinstance(node, ast.Name) and node.id in values:
        return values[node.id]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        items = {str(k.value): _read(v, values) for k, v in pairs if isinstance(k, ast.Constant)}
        return _Value(node.lineno, None, items)
    try:
        return _Value(node.lineno, ast.literal_eval(node))
    except ValueError:
        return _Value(node.lineno, None)


def _unread(file: str, name: str, value: _Value) -> Finding:
    why = "computed when the file is run: cannot be judged from here"
    write = "the value itself, as fab client-config --format django prints it"
    return Finding(file, value.line, f"{name} = …", why, write)


def _list(file: str, cache: _Value) -> list[ServerList]:
    location = cache.items.get("LOCATION")
    if location is None or "memcached" not in str(_plain(cache, "BACKEND")):
        return []
    servers = location.plain
    if isinstance(servers, str):
        servers = re.split("[;,]", servers)
    if not isinstance(servers, list | tuple):
        return []
    return [ServerList(file, location.line, "LOCATION", tuple(map(_spelled, servers)))]


def _spelled(server: Any) -> str:
    """Return a server as text; pymemcache takes (host, port) too."""
    return ":".join(map(str, server)) if isinstance(server, tuple) else str(server).strip()


def _plain(cache: _Value, name: str) -> Any:
    return cache.items[name].plain if name in cache.items else None


def _backend(file: str, cache: _Value) -> Iterator[Finding]:
    backend = cache.items.get("BACKEND", cache)
    if backend.plain is None:
        yield _unread(file, "BACKEND", backend)
        return
    location = cache.items.get("LOCATION")
    if location is not None and location.plain is None:
        yield _unread(file, "LOCATION", location)
    name = str(backend.plain).removeprefix(_MODULE)
    if why := _BACKENDS.get(name):
        write = f'"BACKEND": "{_PYMEMCACHE}"'
        yield Finding(file, backend.line, f"BACKEND = {backend.plain}", why, write)
    elif backend.plain == _PYMEMCACHE:
        yield from _options(file, cache)


def _options(file: str, cache: _Value) -> Iterator[Finding]:
    options = cache.items.get("OPTIONS", _Value(cache.line, None))
    for desired in HASH_CLIENT:
        name, found = desired.name, options.items.get(desired.name)
        write = f'"{name}": {desired.value!r}'
        if found is None:
            if name in _WITHOUT:
                seen = f"{name} is not set"
                yield Finding(file, options.line, seen, _WITHOUT[name], write)
        elif why := _hurts(name, found.plain):
            yield Finding(file, found.line, f"{name} = {found.plain!r}", why, write)


def _hurts(name: str, value: Any) -> str:
    """Return why a value hurts; empty when it does not."""
    if name == "ignore_exc" and value is False:
        return _WITHOUT[name]
    if name in _LIMITS and value is None:
        return _WITHOUT[name]
    longest = _LONGEST.get(name)
    if longest is not None and isinstance(value, int | float) and value > longest:
        return f"seconds; more than {longest:g} are felt (recommended: {PYMEMCACHE_OPTIONS[name]})"
    return ""


def _sessions(file: str, engine: _Value | None) -> Iterator[Finding]:
    if engine is not None and engine.plain == _CACHE_SESSIONS:
        why = "users whose session is on a lost server are logged out"
        write = 'SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies" (or cached_db)'
        yield Finding(file, engine.line, f"SESSION_ENGINE = {engine.plain}", why, write)
