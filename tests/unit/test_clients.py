"""What clients are set to, and how it gets into their files: judged by the clients' own parsers."""

from __future__ import annotations

import tempfile
from pathlib import Path

import memcache
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oslo_config import cfg, iniparser

from pacefab.clients import ini
from pacefab.clients.formats import FORMATS, edit_ini
from pacefab.clients.recommended import HASH_CLIENT, Option, Server
from pacefab.clients.restart import to_restart
from tests.unit import captured

SERVERS = tuple(Server(f"c{n}", f"10.0.0.{n}", 11211) for n in (1, 2, 3))
LIST = "10.0.0.1:11211,10.0.0.2:11211,10.0.0.3:11211"
SERVICE = captured.text("clients", "service.conf")
NOVA = """\
# nova of site A
[DEFAULT]
debug = false
enabled_apis = osapi_compute,
    metadata

[pci]
alias = {"vendor_id": "8086"}
alias = {"vendor_id": "10de"}

[cache]
; who knows
#enabled = true
backend=oslo_cache.memcache_pool
memcache_servers = old:11211,
   older:11211
[keystone_authtoken]
username: nova
memcache_servers = old
"""


class Reference(iniparser.BaseParser):
    """What oslo.config makes of a file."""

    def __init__(self) -> None:
        self.section = ""
        self.found: list[tuple[str, str, str]] = []

    def new_section(self, section: str) -> None:
        """Note a section."""
        self.section = section.lower()

    def assignment(self, key: str, value: list[str]) -> None:
        """Note an assignment, refused before the first section as oslo.config does."""
        if not self.section:
            raise self.parse_exc("no section", self.lineno, key)
        self.found.append((self.section, key, "\n".join(value)))


def values(text: str, *options: cfg.Opt, group: str = "cache") -> cfg.ConfigOpts:
    """Return what a service reads of a file, through oslo.config itself."""
    conf = cfg.ConfigOpts()
    conf.register_opts(options, group=group)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        conf(["--config-file", file.name])
        for option in options:
            conf[group][option.dest]  # values are read while the file is there
    return conf


LINES = st.lists(
    st.one_of(
        st.sampled_from(["", "[cache]", "[Other]", "# note", "a = 1", "a=2", "b : x=y", "  more",
                         "\tmore", "c =", 'q = "quoted"', "[broken", "[]", "nothing", "= 3",
                         "d = \x85 e", "e = 1\r", "[x] "]),
        st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=8),
    )
)  # fmt: skip


@given(LINES)
def test_files_are_read_as_oslo_config_reads_them(lines: list[str]) -> None:
    text = "\n".join(lines)
    reference = Reference()
    try:
        reference.parse(text.split("\n"))
    except iniparser.ParseError:
        with pytest.raises(ValueError, match="line"):
            ini.read(text)
    else:
        assert [(one.section, one.name, one.value) for one in ini.read(text)] == reference.found


@given(LINES)
def test_edited_twice_is_edited_once_and_nothing_else_is_lost(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        before = ini.read(text)
    except ValueError:
        return
    edited = edit_ini(text, SERVERS)
    assert edit_ini(edited, SERVERS) == edited
    ours = {"enabled", "backend"}
    kept = [
        (one.section, one.name, one.value)
        for one in ini.read(edited)
        if one.name not in ours and not one.name.startswith("memcache")
    ]
    assert kept == [(one.section, one.name, one.value) for one in before]


def test_the_service_reads_what_was_written() -> None:
    edited = edit_ini(SERVICE, SERVERS)
    conf = values(
        edited,
        cfg.BoolOpt("enabled"),
        cfg.StrOpt("backend"),
        cfg.ListOpt("memcache_servers"),
        cfg.FloatOpt("memcache_socket_timeout"),
        cfg.IntOpt("memcache_dead_retry"),
    )
    assert conf.cache.enabled is True
    assert conf.cache.backend == "oslo_cache.memcache_pool"
    assert conf.cache.memcache_servers == LIST.split(",")
    assert conf.cache.memcache_socket_timeout == 0.5
    assert conf.cache.memcache_dead_retry == 10
    token = values(edited, cfg.ListOpt("memcached_servers"), group="keystone_authtoken")
    assert token.keystone_authtoken.memcached_servers == LIST.split(",")


def test_nothing_of_a_service_s_file_is_taken_out() -> None:
    left = iter(edit_ini(SERVICE, SERVERS).splitlines())
    assert all(line in left for line in SERVICE.splitlines())  # in this order


def test_repeated_names_comments_and_the_names_in_use_are_kept() -> None:
    edited = edit_ini(NOVA, SERVERS)
    aliases = values(edited, cfg.MultiStrOpt("alias"), group="pci").pci.alias
    assert aliases == ['{"vendor_id": "8086"}', '{"vendor_id": "10de"}']
    assert f"backend=oslo_cache.memcache_pool\nmemcache_servers = {LIST}\n# without it" in edited
    assert f"username: nova\nmemcache_servers = {LIST}\n# seconds" in edited  # the older name
    assert "memcached_servers" not in edited
    assert edited.startswith(NOVA[: NOVA.index("memcache_servers")])


def test_what_stands_several_times_is_reported_everywhere() -> None:
    text = "[cache]\nbackend = a\nbackend = b\n[Cache]\nbackend = c\n"
    edited = edit_ini(text, SERVERS)
    assert edited.count("backend = oslo_cache.memcache_pool") == 3
    assert values(edited, cfg.BoolOpt("enabled")).cache.enabled is True


def test_a_file_without_the_section_gets_it() -> None:
    assert edit_ini("", SERVERS) == FORMATS["oslo"][1](SERVERS)
    assert edit_ini("[DEFAULT]\na = 1", SERVERS).startswith(
        "[DEFAULT]\na = 1\n\n[cache]\n# without"
    )


@pytest.mark.parametrize("present", ["true", "True", "0.50", "a, b ,c"])
def test_another_spelling_of_the_same_is_left_alone(present: str) -> None:
    desired = {"0.50": 0.5, "a, b ,c": "a,b,c"}.get(present, "true")
    text = f"[cache]\nx = {present}\n"
    assert ini.write(text, "cache", [Option("x", desired, "why")]) == text


def test_what_oslo_config_would_not_read_is_refused_with_its_line() -> None:
    with pytest.raises(ValueError, match="line 2: 'nonsense'"):
        edit_ini("[cache]\nnonsense\n", SERVERS)


def test_addresses_of_ipv6_are_spelled_as_each_library_reads_them() -> None:
    servers = (Server("c1", "2001:db8::1", 11211),)
    assert FORMATS["list"][1](servers) == "[2001:db8::1]:11211\n"
    (server,) = ini.read(FORMATS["oslo"][1](servers))[2].value.split(",")
    host = memcache.Client([server]).servers[0]
    assert host.address == ("2001:db8::1", 11211)


def test_python_formats_are_python_with_every_option() -> None:
    names: dict[str, object] = {}
    exec(FORMATS["django"][1](SERVERS), names)  # noqa: S102
    caches = names["CACHES"]
    assert isinstance(caches, dict)
    desired = {option.name: option.value for option in HASH_CLIENT}
    assert caches["default"]["OPTIONS"] == desired
    assert caches["default"]["LOCATION"] == LIST.split(",")
    exec(FORMATS["pymemcache"][1](SERVERS), names)  # noqa: S102
    client = names["client"]
    assert vars(client)["dead_timeout"] == desired["dead_timeout"]
    assert list(vars(client)["clients"]) == LIST.split(",")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_fits_a_terminal(name: str) -> None:
    assert max(map(len, FORMATS[name][1](SERVERS).splitlines())) <= 100


RUNNING = [
    "apache2.service", "nova-api.service", "nova-conductor.service", "novnc.service",
    "openstack-glance-api.service", "ssh.service",
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "programs"),
    [
        ("/etc/nova/nova.conf", "nova-api.service, nova-conductor.service, apache2.service if it"),
        ("/etc/glance/glance-api.conf", "openstack-glance-api.service"),
        ("/etc/keystone/keystone.conf", "apache2.service if it serves keystone"),
    ],
)
def test_what_has_to_be_restarted_is_programs(path: str, programs: str) -> None:
    said = to_restart(path, RUNNING)
    assert said.startswith(f"{path}: takes effect after a restart of {programs}")
    assert "novnc" not in said


def test_no_service_of_the_file_runs_there() -> None:
    said = to_restart(str(Path("/etc/heat/heat.conf")), ["ssh.service"])
    assert said == "/etc/heat/heat.conf: restart what reads it; no unit of heat runs here"
