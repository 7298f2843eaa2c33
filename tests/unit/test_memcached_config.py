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
    ignored_lines,
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


@pytest.mark.parametrize("words", [">> /var/log/memcached.log 2>&1", ">/dev/null", "&>>/a"])
def test_a_redirection_that_once_was_the_shells_is_kept(words: str) -> None:
    for path, text in ((REDHAT_PATH, f'OPTIONS="-l 10.0.0.9 -vv {words}"\n'),
                       (DEBIAN_PATH, f"-l 10.0.0.9 -vv {words}\n")):  # fmt: skip
        assert read(path, text).listen == ("10.0.0.9",)
        written = write(path, text, DESIRED)
        assert words in written
        assert read(path, written) == DESIRED
    argv = ["/usr/bin/memcached", "-m", "64", *words.split()]
    assert read_command_line(argv).memory == 64


def test_a_number_ends_where_memcached_stops_reading_it() -> None:
    assert read(DEBIAN_PATH, "-m 512m\n").memory == 512
    assert read(REDHAT_PATH, "MAXCONN=2048 # busy\n").max_connections == 2048


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (DEBIAN_PATH, "-m lots\n", "-m is 'lots', not a number"),
        (DEBIAN_PATH, "--no-such-option\n", "no-such-option"),
        (REDHAT_PATH, 'OPTIONS="-l 1.2.3.4 stray"\n', "'stray' is not an option"),
        (REDHAT_PATH, 'OPTIONS="-l 1.2.3.4 >> /a stray"\n', "'stray' is not an option"),
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-l 10.0.0.1:11300\n", Settings(("10.0.0.1",), 11300)),
        ("-l [fd00::1]:11300\n", Settings(("fd00::1",), 11300)),
        ("-l fd00::1 -p 11300\n", Settings(("fd00::1",), 11300)),
        ("--listen=10.0.0.1 --port=11300\n", Settings(("10.0.0.1",), 11300)),
        ("--memory-limit 70 --conn-limit=9\n", Settings((), 11211, 70, 9)),
        ("-l 127.0.0.1\n-l 10.0.0.1\n", Settings(("127.0.0.1", "10.0.0.1"))),
        (
            "-l 127.0.0.1,10.0.0.1:11300\n",
            Settings(("10.0.0.1",), 11300, elsewhere=("127.0.0.1:11211",)),
        ),
        ("-d -m 70\n-h\n-m 80\n", Settings(memory=80)),
        ("-o a\\#b -m 70\n", Settings(memory=70)),
    ],
)
def test_every_form_that_memcached_reads(text: str, expected: Settings) -> None:
    assert read(DEBIAN_PATH, text) == expected


def test_an_address_with_a_port_gives_way_to_what_is_desired() -> None:
    written = write(DEBIAN_PATH, "-l 127.0.0.1,10.0.0.9:11300\n-u x\n", DESIRED)
    assert written == "-l 10.0.0.1\n-u x\n-m 256\n-p 11211\n-c 2048\n-U 0\n"


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        (DEBIAN_PATH, "-m 64\n", "-u memcache"),
        (DEBIAN_PATH, "-d -m 64 -u memcache\n", "-u memcache"),
        (REDHAT_PATH, 'PORT="11211"\n', 'USER="memcache"'),
    ],
)
def test_a_user_is_added_where_no_line_that_counts_gives_one(
    path: str, text: str, line: str
) -> None:
    written = write(path, text, replace(DESIRED, user="memcache"))
    assert written.splitlines().count(line) == 1
    assert read(path, written).user == "memcache"
    assert write(path, written, replace(DESIRED, user="memcache")) == written


@pytest.mark.parametrize("text", ["-u cache\n", "--user=cache\n", "-m 1 -u cache\n"])
def test_a_user_of_the_operators_stays(text: str) -> None:
    written = write(DEBIAN_PATH, text, replace(DESIRED, user="memcache"))
    assert read(DEBIAN_PATH, written).user == "cache"


def test_lines_that_the_wrapper_drops_are_known() -> None:
    text = "-d\n-d -m 64 -l 127.0.0.1 # all\n# -d -m 1\n-h 1\n"
    assert ignored_lines(DEBIAN_PATH, text) == ("-d -m 64 -l 127.0.0.1", "-h 1")
    assert ignored_lines(REDHAT_PATH, text) == ()


@pytest.mark.parametrize(
    ("options", "barred"),
    [
        ("-Y /etc/memcached.auth", "it wants a password (-Y)"),
        ("--auth-file=/etc/memcached.auth", "it wants a password (-Y)"),
        ("-S", "it wants a password (-S)"),
        ("--enable-sasl", "it wants a password (-S)"),
        ("-Z -o ssl_chain_cert=/c,ssl_key=/k", "it speaks TLS (-Z)"),
        ("--enable-ssl", "it speaks TLS (-Z)"),
        ("-B binary", "it speaks the binary protocol only (-B binary)"),
        ("-B ascii", ""),
    ],
)
def test_why_a_key_cannot_be_set(options: str, barred: str) -> None:
    assert read(DEBIAN_PATH, f"{options}\n").barred == barred
    assert read(REDHAT_PATH, f'OPTIONS="{options}"\n').barred == barred
    assert read_command_line(["memcached", *options.split()]).barred == barred


def test_options_of_el_may_go_over_several_lines() -> None:
    text = 'OPTIONS="-l 127.0.0.1 \\\n  -o modern\n  -t 8"\n# PORT="1\nUSER=memcached\n'
    assert read(REDHAT_PATH, text).listen == ("127.0.0.1",)
    written = write(REDHAT_PATH, text, DESIRED)
    assert read(REDHAT_PATH, written) == DESIRED
    assert 'OPTIONS="-l 10.0.0.1 -U 0 -o modern -t 8"\n# PORT="1\nUSER=memcached\n' in written


@pytest.mark.parametrize(
    "text", ["OPTIONS='-l 127.0.0.1 -v'\n", "OPTIONS=-l\\ 127.0.0.1\n", 'OPTIONS = "-l 1.1.1.1"\n']
)
def test_quotes_and_escapes_of_el(text: str) -> None:
    written = write(REDHAT_PATH, text, DESIRED)
    assert read(REDHAT_PATH, written) == DESIRED


def test_a_quote_that_is_not_closed_is_an_error() -> None:
    with pytest.raises(ValueError, match="a quote is not closed"):
        read(REDHAT_PATH, 'OPTIONS="-l 127.0.0.1\n')
