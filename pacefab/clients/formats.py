"""What a client has to be told, in the words of each client. Pure: servers in, text out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from pacefab.clients import ini
from pacefab.clients.recommended import (
    HASH_CLIENT,
    Option,
    Server,
    authtoken_options,
    cache_options,
)

Render = Callable[[Sequence[Server]], str]

_ORDER = "every server, in the same order on every host: never a VIP, never the local one alone"
_SESSIONS = (
    "sessions outlive a lost server when they are not in the cache alone: signed_cookies keeps them"
    " with the browser, cached_db in the database too"
)
_PER_THREAD = "one client for each thread: it must not be shared"


def render_oslo(servers: Sequence[Server]) -> str:
    """Return the section [cache] of nova, keystone and others."""
    return _section("cache", cache_options(servers))


def render_authtoken(servers: Sequence[Server]) -> str:
    """Return what [keystone_authtoken] of every API service needs besides its credentials."""
    return _section("keystone_authtoken", authtoken_options(servers))


def render_django(servers: Sequence[Server]) -> str:
    """Return Django's CACHES for Horizon's local_settings.py."""
    lines = [
        "CACHES = {",
        '    "default": {',
        '        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",',
        *_indented(2, ini.comment(_ORDER)),
        '        "LOCATION": [',
        *(f'            "{server}",' for server in servers),
        "        ],",
        '        "OPTIONS": {',
        *_indented(3, _arguments('"{}": {!r},')),
        "        },",
        "    }",
        "}",
        *ini.comment(_SESSIONS),
        'SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"',
    ]
    return _text(lines)


def render_pymemcache(servers: Sequence[Server]) -> str:
    """Return Python that makes pymemcache's HashClient."""
    lines = [
        "from pymemcache.client.hash import HashClient",
        "",
        *ini.comment(_PER_THREAD),
        "client = HashClient(",
        *_indented(1, ini.comment(_ORDER)),
        "    [",
        *(f'        ("{server.address}", {server.port}),' for server in servers),
        "    ],",
        *_indented(1, _arguments("{}={!r},")),
        ")",
    ]
    return _text(lines)


def render_list(servers: Sequence[Server]) -> str:
    """Return the servers as host:port, joined by commas."""
    return _text([",".join(map(str, servers))])


FORMATS: dict[str, tuple[str, Render]] = {
    "oslo": ("oslo.cache: nova, keystone, heat, …", render_oslo),
    "authtoken": ("keystonemiddleware: every API service", render_authtoken),
    "django": ("Django: Horizon's local_settings.py", render_django),
    "pymemcache": ("pymemcache: programs of your own", render_pymemcache),
    "list": ("a plain list", render_list),
}
"""By name: for whom, and how it is rendered."""


def edit_ini(text: str, servers: Sequence[Server]) -> str:
    """Return a service's configuration with the options in it.

    [cache] is added where it is missing. [keystone_authtoken] is edited where it is: a service
    without it asks no keystone.

    Raises:
        ValueError: a line that oslo.config would not understand.
    """
    edited = ini.write(text, "cache", cache_options(servers))
    if "keystone_authtoken" in ini.headers(edited):
        edited = ini.write(edited, "keystone_authtoken", authtoken_options(servers))
    return edited


def _section(name: str, options: Iterable[Option]) -> str:
    lines = chain.from_iterable(map(ini.render_option, options))
    return _text([f"[{name}]", *lines])


def _arguments(form: str) -> list[str]:
    return [
        line
        for option in HASH_CLIENT
        for line in (*ini.comment(option.reason), form.format(option.name, option.value))
    ]


def _indented(levels: int, lines: Iterable[str]) -> list[str]:
    return ["    " * levels + line for line in lines]


def _text(lines: Iterable[str]) -> str:
    return "\n".join([*lines, ""])
