"""Both families' files, as shipped and as operators have edited them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacefab.services.memcached.config import (
    DEBIAN_PATH,
    REDHAT_PATH,
    Settings,
    path_for,
    read,
    read_command_line,
    write,
)
from tests.unit import captured

DESIRED = Settings(("10.0.0.1",), 11211, 256, 2048)
PATHS = {"debian12": DEBIAN_PATH, "debian13": DEBIAN_PATH, "rpm": REDHAT_PATH}


def test_the_family_decides_the_file() -> None:
    assert path_for("apt-get") == DEBIAN_PATH
    assert path_for("dnf") == path_for("yum") == REDHAT_PATH


@pytest.mark.parametrize("kind", captured.KINDS)
def test_as_shipped_it_listens_on_loopback_only(kind: str) -> None:
    shipped = read(PATHS[kind], captured.text(kind, "memcached-shipped.conf"))
    assert set(shipped.listen) <= {"127.0.0.1", "::1"}
    assert (shipped.port, shipped.memory, shipped.max_connections) == (11211, 64, 1024)


@pytest.mark.parametrize("kind", captured.KINDS)
def test_what_is_written_is_read_back_and_the_rest_is_kept(kind: str) -> None:
    shipped = captured.text(kind, "memcached-shipped.conf")
    written = write(PATHS[kind], shipped, DESIRED)
    assert read(PATHS[kind], written) == DESIRED
    assert write(PATHS[kind], written, DESIRED) == written
    kept = [line for line in shipped.splitlines() if not line.startswith(("-m", "-l", "-p"))]
    if PATHS[kind] == DEBIAN_PATH:
        assert [line for line in written.splitlines() if line in kept] == kept
    else:
        assert 'USER="memcached"' in written


@pytest.mark.parametrize("kind", captured.KINDS)
def test_a_memory_file_is_written_once_and_taken_away_again(kind: str) -> None:
    path, shipped = PATHS[kind], captured.text(kind, "memcached-shipped.conf")
    plain, warm = (
        write(path, shipped, DESIRED),
        replace(DESIRED, memory_file="/run/memcached/items"),
    )
    written = write(path, plain, warm)
    assert written.count("-e /run/memcached/items") == 1
    assert read(path, written) == warm
    assert write(path, written, DESIRED) == plain


def test_debian_lines_with_several_options_and_comments() -> None:
    text = "-m 64 -v # cap\n-l 127.0.0.1\n-l ::1\n-o no_modern\n--port=11300\n"
    assert write(DEBIAN_PATH, text, DESIRED) == (
        "-v\n-m 256  # cap\n-l 10.0.0.1\n-o no_modern\n-p 11211\n-c 2048\n-U 0\n"
    )


def test_options_of_the_operator_survive_in_sysconfig() -> None:
    text = '# mine\nPORT="11211"\nCACHESIZE="64"\nOPTIONS="-l 127.0.0.1 -o modern -m 32 -t 8"\n'
    written = write(REDHAT_PATH, text, DESIRED)
    assert 'OPTIONS="-l 10.0.0.1 -U 0 -o modern -t 8"' in written
    assert written.startswith("# mine\n")
    assert read(REDHAT_PATH, written) == DESIRED


def test_options_win_over_the_variables_as_on_the_command_line() -> None:
    assert read(REDHAT_PATH, 'CACHESIZE="64"\nOPTIONS="-m 512"\n').memory == 512


def test_the_last_assignment_counts() -> None:
    text = 'PORT="1"\nPORT="2"\n'
    assert read(REDHAT_PATH, text).port == 2
    assert read(REDHAT_PATH, write(REDHAT_PATH, text, DESIRED)) == DESIRED


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (DEBIAN_PATH, "-m lots\n", "-m is 'lots', not a number"),
        (DEBIAN_PATH, "--no-such-option\n", "no-such-option"),
        (REDHAT_PATH, 'OPTIONS="-l 1.2.3.4 stray"\n', "'stray' is not an option"),
    ],
)
def test_what_memcached_would_not_understand_is_an_error(path: str, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(path, text)


def test_a_running_process_shows_its_settings() -> None:
    line = [
        "/usr/bin/memcached",
        "-m",
        "64",
        "-p",
        "11211",
        "-u",
        "memcache",
        "-l",
        "127.0.0.1",
        "-P",
        "/run/x.pid",
    ]
    assert read_command_line(line) == Settings(("127.0.0.1",))


addresses = st.ip_addresses().map(str)
settings = st.builds(
    Settings,
    st.lists(addresses, min_size=1, max_size=3, unique=True).map(tuple),
    st.integers(1, 65535),
    st.integers(1, 1 << 20),
    st.integers(1, 1 << 20),
)
debian_lines = st.sampled_from([
    "-m 64", "-m64", "--memory-limit=8", "-p 1", "-l 127.0.0.1,::1", "-l 10.1.1.1", "-v", "# note",
    "-c 5 -t 4", "", "-o no_lru_crawler,lru_maintainer", "-U 11211", "-d", "logfile /var/log/x",
])  # fmt: skip


@given(settings, st.lists(debian_lines))
def test_any_debian_file_holds_what_is_written(desired: Settings, lines: list[str]) -> None:
    written = write(DEBIAN_PATH, "\n".join([*lines, ""]), desired)
    assert read(DEBIAN_PATH, written) == desired
    assert write(DEBIAN_PATH, written, desired) == written
