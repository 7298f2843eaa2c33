"""Settings below `pacefab`: where they come from, and what is no setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from fabric import Config, Connection

from pacefab.cli import settings
from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.routes import route
from pacefab.cli.run import Run
from pacefab.cli.settings import PacefabSettings, find_folder, load_files, read_settings
from pacefab.errors import UsageError
from pacefab.transport.connection import Access
from pacefab.transport.way.hop import find_way


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PARALLEL", "SSH_CONFIG"):
        monkeypatch.delenv(f"FABRIC_PACEFAB_{name}", raising=False)


def configured(section: object) -> Config:
    """Return the configuration of a collection: `ns.configure({"pacefab": section})`."""
    config = Config(lazy=True)
    config.load_collection({"pacefab": section})
    return config


def refused(section: object) -> tuple[str, str]:
    with pytest.raises(UsageError) as error:
        read_settings(configured(section))
    return error.value.seen, error.value.next_step


def test_nothing_has_to_be_set() -> None:
    assert read_settings(Config(lazy=True)) == PacefabSettings(parallel=32, ssh_config=None)
    assert read_settings(configured(None)) == PacefabSettings()
    assert read_settings(configured({"ssh_config": None})) == PacefabSettings()


@pytest.mark.parametrize("value", [3, "3"])
def test_a_number_may_be_text(value: object) -> None:
    assert read_settings(configured({"parallel": value})).parallel == 3


@pytest.mark.parametrize(
    ("section", "seen", "allowed"),
    [
        ({"parallel": "nope"}, "pacefab.parallel: nope", "a whole number, 1 or more"),
        ({"parallel": 0}, "pacefab.parallel: 0", "a whole number"),
        ({"parallel": -1}, "pacefab.parallel: -1", "a whole number"),
        ({"parallel": 1.5}, "pacefab.parallel: 1.5", "a whole number"),
        ({"parallel": True}, "pacefab.parallel: true", "a whole number"),
        ({"parallel": None}, "pacefab.parallel: nothing", "a whole number"),
        ({"parallel": [3]}, "pacefab.parallel: a list", "a whole number"),
        ({"ssh_config": {"a": 1}}, "pacefab.ssh_config: a mapping", "the name of a file"),
        ({"ssh_config": 7}, "pacefab.ssh_config: 7", "the name of a file"),
        ({"paralel": 3}, "pacefab.paralel is no setting", "did you mean parallel?"),
        ({"ssh-config": "x"}, "pacefab.ssh-config is no setting", "did you mean ssh_config?"),
        ({"colour": "x"}, "pacefab.colour is no setting", "there are: parallel, ssh_config"),
        ({3: "x"}, "pacefab.3 is no setting", "there are"),
        ("nope", "pacefab: nope", "a mapping of parallel, ssh_config"),
        ([1], "pacefab: a list", "a mapping of"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(
    section: object, seen: str, allowed: str
) -> None:
    assert refused(section)[0] == seen
    assert allowed in refused(section)[1]


@pytest.mark.parametrize(
    ("name", "value", "seen", "next_step"),
    [
        ("FABRIC_PACEFAB_PARALLEL", "nope", "FABRIC_PACEFAB_PARALLEL: nope", "a whole number"),
        ("FABRIC_PACEFAB_PARALEL", "3", "PARALEL is no", "did you mean FABRIC_PACEFAB_PARALLEL?"),
        ("FABRIC_PORT", "nope", "FABRIC_PORT: nope", "1 to 65535"),
        ("FABRIC_TIMEOUTS_CONNECT", "", "FABRIC_TIMEOUTS_CONNECT: ''", "a whole number"),
        ("INVOKE_PACEFAB_PARALLEL", "3", "INVOKE_PACEFAB_PARALLEL", "FABRIC_PACEFAB_PARALLEL"),
    ],
)
def test_a_wrong_variable_is_named(
    name: str, value: str, seen: str, next_step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError) as error:
        read_settings(Config(lazy=True))
    assert seen in error.value.seen
    assert next_step in error.value.next_step


def test_a_variable_is_nearer_than_a_file_and_farther_than_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fabric.yaml").write_text("pacefab: {parallel: 4}\n")
    config = Config(lazy=True)
    load_files(config, tmp_path)
    assert read_settings(config).parallel == 4
    monkeypatch.setenv("FABRIC_PACEFAB_PARALLEL", "5")
    assert read_settings(config).parallel == 5
    given = tmp_path / "given.yaml"
    given.write_text("pacefab: {parallel: 6}\n")
    config.set_runtime_path(str(given))
    config.load_runtime()
    assert read_settings(config).parallel == 6


def test_files_are_found_above_and_names_in_them_are_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fabric.yaml").write_text("pacefab: {parallel: 4, ssh_config: hosts}\nport: 2222\n")
    (tmp_path / "pacefab.yaml").write_text("pacefab: {parallel: 5}\n")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert find_folder(below) == tmp_path
    config = Config(lazy=True)
    load_files(config, tmp_path)
    assert read_settings(config) == PacefabSettings(5, tmp_path / "hosts")
    assert config.port == 2222


@pytest.mark.parametrize("name", settings.FILES)
@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("- 1\n", "a list, which is no mapping"),
        ("word\n", "word, which is no mapping"),
        ("pacefab: {\n", "line 2"),
        ("run: nope\n", "run: nope"),
        ("pacefab: {paralel: 1}\n", "pacefab.paralel is no setting"),
        ("\0", "no YAML"),
        ("pacefb: {parallel: 1}\n", "pacefb is no setting"),
        ("1: 2\n", "the key 1, which is no text"),
        ("port: nope\n", "port: nope"),
        ("port: 70000\n", "port: 70000"),
        ("user: [a]\n", "user: a list"),
        ("gateway: {a: 1}\n", "gateway: a mapping"),
        ("timeouts: {connect: soon}\n", "timeouts.connect: soon"),
        ("tasks: {executor_class: no.such}\n", "tasks.executor_class: no.such"),
        ("pacefab: {parallel: 99999999999999999999}\n", "pacefab.parallel: 9999"),
    ],
)
def test_a_broken_file_is_named(text: str, seen: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError) as error:
        load_files(Config(lazy=True), tmp_path)
    assert error.value.attempted == f"read {tmp_path / name}"
    assert seen in error.value.seen
    assert error.value.next_step


@pytest.mark.parametrize(
    ("name", "text", "seen"),
    [
        ("x.json", '{"a":', "JSONDecodeError"),
        ("x.json", "[1]", "a list, which is no mapping"),
        ("x.json", '{"pacefab": {"paralel": 3}}', "pacefab.paralel is no setting"),
        ("x.py", "raise ValueError('no')", "ValueError: no"),
        ("x.py", "pacefab =", "SyntaxError"),
        ("x.py", "pacefab = {'parallel': 'x'}", "pacefab.parallel: x"),
        ("x.toml", "", "no kind of settings file"),
    ],
)
def test_a_broken_file_of_another_kind_is_named(
    name: str, text: str, seen: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(UsageError) as error:
        settings.read_checked(Config(lazy=True), file)
    assert error.value.attempted == f"read {file}"
    assert seen in error.value.seen


def test_a_settings_ssh_config_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_bytes(b"Host c1\n\xff\xfe")
    with pytest.raises(UsageError) as error:
        route(None, Connection("c1", config=Config(lazy=True)), hosts, "", Access())
    assert error.value.attempted == f"read {hosts}"


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    (tmp_path / "pacefab.yaml").write_text("# later\n")
    config = Config(lazy=True)
    load_files(config, tmp_path)
    assert read_settings(config) == PacefabSettings()


def test_the_way_through_a_settings_ssh_config_keeps_what_the_command_line_said(
    tmp_path: Path,
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("Host c1\n  HostName 192.0.2.1\n  Port 2022\n")
    config = Config(overrides={"connect_kwargs": {"timeout": 3, "password": "x"}})
    host = route(None, Connection("c1", config=config), hosts, "", Access())
    way = find_way(host._route.place, host._route.sources)  # noqa: SLF001  # nothing else shows it
    assert (way.host, way.port) == ("192.0.2.1", 2022)
    connection = host._connection  # noqa: SLF001
    assert connection.connect_kwargs == {"timeout": 3, "password": "x"}


def test_a_run_works_on_as_many_hosts_at_a_time_as_is_set() -> None:
    assert (
        Run(Connection("c1", config=configured({"parallel": 2})), Access(), None, None).limit == 2
    )


def test_a_body_without_options_is_a_task_too() -> None:
    made = cluster_task()(_nothing)
    assert made.__doc__ == _nothing.__doc__


def _nothing(run: Run) -> int:
    """Do nothing."""
    return 0


def test_an_option_that_other_tasks_share_is_a_tasks_own_where_it_has_it() -> None:
    """start-galera starts without nodes that are lost; other tasks leave out what is down."""
    taken: list[str | None] = []

    def start_alone(run: Run, without: str | None = None) -> int:
        """Start."""
        taken.append(without)
        return run.status_of(0)

    made = cluster_task(without="Nodes that are lost.")(start_alone)
    connection = Connection("c1", config=configured({}))
    made(connection, without="c3")
    cast("Any", made).post[0](connection)
    assert taken == ["c3"]
