"""What hurts in existing configurations, each with its line."""

from __future__ import annotations

import pytest

from pacefab.clients.check import check
from pacefab.clients.finding import Finding, Known
from pacefab.clients.formats import FORMATS, edit_ini
from pacefab.clients.recommended import Server
from tests.unit import captured

SERVERS = tuple(Server(f"c{n}", f"10.0.0.{n}", 11211) for n in (1, 2, 3))
LIST = "10.0.0.1:11211,10.0.0.2:11211,10.0.0.3:11211"
KNOWN = Known(SERVERS, frozenset({"10.0.0.100"}))
TIMES = "memcache_socket_timeout = 0.5\nmemcache_dead_retry = 10\n"
CACHE = f"[cache]\nenabled = true\nbackend = oslo_cache.memcache_pool\n{TIMES}"
TOKEN = (
    "[keystone_authtoken]\nmemcache_pool_socket_timeout = 1\nmemcache_pool_dead_retry = 10\n"
    f"memcached_servers = {LIST}\n"
)
PYMEMCACHE = "dogpile.cache.pymemcache"
OURS = FORMATS["django"][1](SERVERS)


def one(text: str, file: str = "nova.conf", known: Known | None = KNOWN) -> Finding:
    """Return the one finding in a text."""
    found = check({file: text}, known)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("known", [KNOWN, None])
def test_what_we_print_and_write_does_not_hurt(known: Known | None) -> None:
    files = {
        "nova.conf": edit_ini(captured.text("clients", "service.conf"), SERVERS),
        "local_settings.py": OURS,
        "nothing.conf": "[DEFAULT]\ndebug = true\n[cache]\n",
        "proxy.conf": "[keystone_authtoken]\nusername = swift\ncache = swift.cache\n",
    }
    assert check(files, known) == []


@pytest.mark.parametrize(
    ("text", "line", "seen", "why"),
    [
        (f"{CACHE}memcache_servers = 127.0.0.1:11211\n", 6, "127.0.0.1", "only the local server"),
        (f"{CACHE}memcache_servers = localhost\n", 6, "localhost", "only the local server"),
        (f"{CACHE}memcache_servers = 10.0.0.100:11211\n", 6, "10.0.0.100", "is a VIP"),
        (f"{CACHE}memcache_servers = 10.0.0.1\n", 6, "10.0.0.1", "a single server"),
        (f"{CACHE}memcache_servers = {LIST},127.0.0.1\n", 6, "127", "another server on each host"),
        (
            f"{CACHE}memcache_servers = 10.0.0.2:11211,10.0.0.1:11211,10.0.0.3:11211\n",
            6, "10.0.0.2:11211,10.0.0.1", "not in the cluster's order",
        ),
        (
            f"{CACHE}memcache_servers = 10.0.0.1,10.0.0.2,c3\n",
            6, "10.0.0.1,10.0.0.2,c3", "c3:11211 is not how 10.0.0.3:11211 is spelled",
        ),
        (
            f"{CACHE}memcache_servers = 10.0.0.1,\n  10.0.0.2\n",
            6, "10.0.0.1,10.0.0.2", "missing: 10.0.0.3:11211",
        ),
        (f"{CACHE}backend_argument = url:127.0.0.1:11211", 6, "127.0.0.1", "only the local server"),
        (f"{CACHE}", 1, "memcache_servers is not set", "localhost:11211, the default"),
        (
            f"[cache]\nbackend = oslo_cache.memcache_pool\n{TIMES}memcache_servers = {LIST}",
            1, "enabled is not set", "caches nothing",
        ),
        (
            f"[cache]\nenabled = true\n{TIMES}memcache_servers = {LIST}",
            1, "backend is not set", "dogpile.cache.null, the default: caches nothing",
        ),
        (
            f"{CACHE.replace('oslo_cache.memcache_pool', PYMEMCACHE)}memcache_servers = {LIST}",
            3, "backend = dogpile.cache.pymemcache", "hangs",
        ),
        (
            f"{CACHE}memcache_servers = {LIST}\nmemcache_dead_retry = 300",
            7, "memcache_dead_retry = 300", "300: seconds in which a server that came back",
        ),
        (
            f"{CACHE}memcache_servers = {LIST}\nsocket_timeout = 3.0",
            7, "socket_timeout = 3.0", "3: seconds that each call",
        ),
        (
            f"{CACHE}memcache_servers = {LIST}\nenable_retry_client = true",
            7, "enable_retry_client = true", "does not start",
        ),
        (
            f"{CACHE}memcache_servers = {LIST}\nMemcached_servers = {LIST}",
            7, "Memcached_servers", "not read: [cache] has no such option",
        ),
        (
            f"{CACHE}memcache_servers = {LIST}\nmemcache_pool_flush_on_reconnect = True",
            7, "memcache_pool_flush_on_reconnect = True", "empties it, for everybody",
        ),
        (f"[DEFAULT]\nmemcached_servers = {LIST}", 2, "memcached_servers", "not read: [default]"),
        (
            "[keystone_authtoken]\nusername = nova\n",
            1, "memcached_servers is not set", "keeps the tokens",
        ),
        (
            f"{TOKEN}memcache_security_strategy = ENCRYPT\n",
            5, "memcache_security_strategy = ENCRYPT", "without memcache_secret_key",
        ),
        (
            f"{TOKEN}memcache_use_advanced_pool = false\n",
            5, "memcache_use_advanced_pool = false", "another pool",
        ),
    ],
)  # fmt: skip
def test_what_hurts_in_a_service_s_file(text: str, line: int, seen: str, why: str) -> None:
    found = one(text)
    assert (found.file, found.line) == ("nova.conf", line)
    assert seen in found.seen
    assert why in found.why
    assert found.write


def test_times_that_are_not_set_count_as_their_defaults() -> None:
    text = f"[keystone_authtoken]\nmemcached_servers = {LIST}\n"
    reported = {found.seen: found.why.partition(":")[0] for found in check({"a.conf": text}, KNOWN)}
    assert reported == {
        "memcache_pool_socket_timeout is not set": "3, the default",
        "memcache_pool_dead_retry is not set": "300, the default",
    }


def test_the_last_assignment_counts() -> None:
    text = f"{CACHE}memcache_servers = localhost\nmemcache_servers = {LIST}\n"
    assert check({"nova.conf": text}, KNOWN) == []


def test_without_a_cluster_files_are_compared_with_each_other() -> None:
    other = "10.0.0.2:11211,10.0.0.1:11211,10.0.0.3:11211"
    files = {
        "a.conf": f"{CACHE}memcache_servers = {other}\n",
        "b.conf": f"{CACHE}memcache_servers = {LIST}\n",
        "local_settings.py": OURS,
    }
    (found,) = check(files)
    assert (found.file, found.line) == ("a.conf", 6)
    assert "in another order than b.conf:6" in found.why
    assert found.write == f"memcache_servers = {LIST}"


@pytest.mark.parametrize(
    ("old", "new", "at", "why"),
    [
        ("PyMemcacheCache", "MemcachedCache", '"BACKEND"', "no more since 4.1"),
        ("memcached.PyMemcacheCache", "locmem.LocMemCache", '"BACKEND"', "each process"),
        ('"ignore_exc": True,', "", '"OPTIONS"', "error page"),
        ('"timeout": 0.5,', "", '"OPTIONS"', "hangs where packets are dropped"),
        ('"timeout": 0.5,', '"timeout": 5,', '"timeout"', "more than 1 are felt"),
        ('"retry_attempts": 0,', "", '"OPTIONS"', "lost for 2 s"),
        ('signed_cookies"', 'cache"', "SESSION_ENGINE", "logged out"),
    ],
)
def test_what_hurts_in_horizon_s_settings(old: str, new: str, at: str, why: str) -> None:
    assert old in OURS
    text = OURS.replace(old, new)
    found = one(text, "local_settings.py")
    assert why in found.why
    assert text.splitlines()[found.line - 1].lstrip().startswith(at)


def test_settings_that_are_computed_are_reported_and_not_guessed() -> None:
    text = OURS.replace('"LOCATION": [', '"LOCATION": [*hosts(),')
    found = one(text, "local_settings.py")
    assert "computed" in found.why


def test_names_that_the_settings_assign_before_are_followed() -> None:
    text = 'WHERE = "127.0.0.1:11211"\n' + OURS.replace(
        OURS[OURS.index("[\n") : OURS.index("],") + 1], "WHERE"
    )
    found = one(text, "local_settings.py")
    assert "only the local server" in found.why
    assert found.line == 1


@pytest.mark.parametrize(
    ("file", "text"), [("a.conf", "[cache]\nnonsense"), ("a.py", "CACHES = {\n}}")]
)
def test_a_file_that_its_program_would_not_read_is_named(file: str, text: str) -> None:
    with pytest.raises(ValueError, match=rf"{file}: line 2"):
        check({file: text})
