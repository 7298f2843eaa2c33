"""Files of oslo.config: what in [cache] and [keystone_authtoken] would hurt. Pure.

Defaults are those of oslo.cache 4.3 and keystonemiddleware 13.0; which backends fail over was
measured (tests/cluster/test_clients.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pacefab.clients import ini
from pacefab.clients.finding import Checked, Finding, ServerList
from pacefab.clients.ini import IniOption
from pacefab.clients.recommended import BACKEND, TIMEOUT_WHOLE
from pacefab.services.memcached.client_options import DEAD_SECONDS, TIMEOUT

LONGEST_TIMEOUT = 1.0  # seconds
LONGEST_DEAD = 60.0  # seconds

_BACKENDS = {
    "dogpile.cache.null": "caches nothing",
    "dogpile.cache.pymemcache": "oslo.cache hands it no time limit: where packets are dropped it"
    " hangs, and a server that was stopped reaches the application as an error",
    "dogpile.cache.bmemcached": "oslo.cache's time limits do not reach it",
    "dogpile.cache.memcached": "each thread finds out for itself that a server is dead: where"
    " threads live for a request, each of them waits",
    "dogpile.cache.memory": "each process has a cache of its own",
    "dogpile.cache.memory_pickle": "each process has a cache of its own",
    "oslo_cache.dict": "each process has a cache of its own",
}
_MEMCACHED = {
    BACKEND, "dogpile.cache.memcached", "dogpile.cache.pymemcache", "dogpile.cache.bmemcached",
    "dogpile.cache.pylibmc",
}  # fmt: skip
_TRUE = {"true", "1", "on", "yes"}  # oslo.config's Boolean
_CACHE_SERVERS = ("memcache_servers",)
_TOKEN_SERVERS = ("memcached_servers", "memcache_servers")
_READ = {"cache": _CACHE_SERVERS, "keystone_authtoken": _TOKEN_SERVERS, "default": ()}
"""Where lists of servers are read, under which names; elsewhere they mean something else."""


@dataclass(frozen=True)
class _Section:
    """A section as its program sees it: of a name that stands twice, the last one."""

    file: str
    line: int  # of its header
    settings: Mapping[str, IniOption]

    def find(self, *names: str) -> IniOption | None:
        return next((self.settings[name] for name in names if name in self.settings), None)

    def text(self, name: str, default: str = "") -> str:
        found = self.find(name)
        return found.value if found else default

    def on(self, name: str, default: str = "false") -> bool:
        return self.text(name, default).lower() in _TRUE

    def finding(self, names: Sequence[str], why: str, write: str) -> Finding:
        """Return a finding at the option, or at the header when it is not set."""
        found = self.find(*names)
        if found is None:
            return Finding(self.file, self.line, f"{names[0]} is not set", why, write)
        return Finding(self.file, found.line, f"{found.name} = {found.value}", why, write)


def check(file: str, text: str) -> Checked:
    """Return what would hurt, and the lists of servers.

    Raises:
        ValueError: the file is not oslo.config's; the text names it.
    """
    try:
        settings = ini.read(text)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
    lines = ini.headers(text)
    cache, token = (
        _Section(file, lines[name], _by_name(s for s in settings if s.section == name))
        if name in lines else None
        for name in ("cache", "keystone_authtoken")
    )  # fmt: skip
    findings = list(_not_read(file, settings))
    lists = []
    if cache and cache.settings:
        findings += _cache(cache)
        lists += _list(cache, _CACHE_SERVERS)
    if token and token.settings:
        findings += _token(token)
        lists += _list(token, _TOKEN_SERVERS)
    return Checked(findings, lists)


def _by_name(settings: Iterable[IniOption]) -> dict[str, IniOption]:
    """Return the settings that count; a backend_argument that is an url stands for the servers."""
    found = {setting.name: setting for setting in settings}
    url = found.get("backend_argument")
    if url and url.value.startswith("url:"):
        name = _CACHE_SERVERS[0]
        found[name] = replace(url, name=name, value=url.value.removeprefix("url:"))
    return found


def _list(section: _Section, names: Sequence[str]) -> list[ServerList]:
    found = section.find(*names)
    if found is None:
        return []
    return [ServerList(section.file, found.line, found.name, tuple(ini.split_list(found.value)))]


def _not_read(file: str, settings: Sequence[IniOption]) -> Iterator[Finding]:
    """Find lists of servers under a name that their program does not read."""
    for setting in settings:
        right = _READ.get(setting.section)
        if right is None or setting.name in right or setting.name.lower() not in _TOKEN_SERVERS:
            continue
        why = f"not read: [{setting.section}] has no such option (names are case-sensitive)"
        instead = f"{right[0]} = …" if right else "memcache_servers = … in [cache]"
        yield Finding(file, setting.line, f"{setting.name} = {setting.value}", why, instead)


def _cache(section: _Section) -> Iterator[Finding]:
    if not section.on("enabled"):
        yield section.finding(["enabled"], "caches nothing, whatever else is set", "enabled = true")
    backend = section.text("backend", "dogpile.cache.null")
    if why := _BACKENDS.get(backend):
        default = "" if section.find("backend") else "dogpile.cache.null, the default: "
        yield section.finding(["backend"], default + why, f"backend = {BACKEND}")
    yield from _refused(section, backend)
    if backend not in _MEMCACHED and not section.find(*_CACHE_SERVERS):
        return
    if not section.find(*_CACHE_SERVERS):
        why = "localhost:11211, the default: only the local server"
        yield section.finding(_CACHE_SERVERS, why, "memcache_servers = every server, in one order")
    names = ("socket_timeout", "memcache_socket_timeout")  # the first wins where both stand
    yield from _too_long(section, names, 1, LONGEST_TIMEOUT, TIMEOUT)
    yield from _too_long(section, ["memcache_dead_retry"], 300, LONGEST_DEAD, DEAD_SECONDS)
    if section.on("memcache_pool_flush_on_reconnect"):
        why = "each process that finds a server again empties it, for everybody"
        name = "memcache_pool_flush_on_reconnect"
        yield section.finding([name], why, f"{name} = false")


def _refused(section: _Section, backend: str) -> Iterator[Finding]:
    """Find options with which oslo.cache does not start."""
    for name, ours in (
        ("enable_retry_client", {"dogpile.cache.pymemcache"}),
        (
            "enable_socket_keepalive",
            {"dogpile.cache.pymemcache", "dogpile.cache.redis", "dogpile.cache.redis_sentinel"},
        ),
    ):
        if section.on(name) and backend not in ours:
            why = f"the service does not start: {backend} does not know it"
            yield section.finding([name], why, f"{name} = false")


def _token(section: _Section) -> Iterator[Finding]:
    if section.find("cache"):  # it takes the cache of the service around it (swift.cache)
        return
    if not section.find(*_TOKEN_SERVERS):
        why = "each process keeps the tokens that it has seen to itself"
        write = "memcached_servers = every server, in one order"
        yield section.finding(_TOKEN_SERVERS, why, write)
        return
    names = ["memcache_pool_socket_timeout"]
    yield from _too_long(section, names, 3, LONGEST_TIMEOUT, TIMEOUT_WHOLE)
    yield from _too_long(section, ["memcache_pool_dead_retry"], 300, LONGEST_DEAD, DEAD_SECONDS)
    name = "memcache_use_advanced_pool"
    if not section.on(name, "true"):
        why = "another pool, whose time limits (3 s, dead for 30 s) cannot be set"
        yield section.finding([name], why, f"{name} = true")
    name = "memcache_security_strategy"
    if section.text(name, "None") != "None" and not section.find("memcache_secret_key"):
        why = "the service does not start without memcache_secret_key"
        yield section.finding([name], why, "memcache_secret_key = the same on every host")


def _too_long(
    section: _Section, names: Sequence[str], default: float, longest: float, desired: float
) -> Iterator[Finding]:
    """Find a time that is too long; one that is not set counts as its default."""
    found = section.find(*names)
    names = names if found else names[-1:]
    try:
        seconds = float(found.value) if found else default
    except ValueError:
        yield section.finding(names, "not a number of seconds", f"{names[-1]} = {desired}")
        return
    if found and seconds <= longest:
        return
    limits = "seconds that each call to a silent server takes"
    dead = "seconds in which a server that came back is not used"
    what = dead if "dead" in names[0] else limits
    why = f"{seconds:g}{'' if found else ', the default'}: {what}"
    yield section.finding(names, why, f"{names[-1]} = {desired}")
