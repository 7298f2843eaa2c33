"""Hostile values: what a file's own reader makes of them is what was given, or they are refused.

Each reader here follows the rules of the program that reads the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pacefab.cli.inventory import ClusterInventory, read_inventory
from pacefab.errors import UsageError
from pacefab.inventory.configuration import desired_configuration
from pacefab.inventory.secret_values import SecretValues
from pacefab.pacemaker.cib import EMPTY, parse
from pacefab.pacemaker.configuration import read_configuration
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration
from pacefab.services.galera.service import SERVICE as GALERA
from pacefab.services.haproxy import service as haproxy_service
from pacefab.services.rabbitmq.service import SERVICE as RABBITMQ
from pacefab.services.redis.service import SERVICE as REDIS
from tests.unit import test_galera as galera
from tests.unit import test_haproxy as haproxy
from tests.unit import test_rabbitmq as rabbitmq
from tests.unit import test_redis as redis

patient = settings(deadline=None, max_examples=60)
PIECES = [
    "#",
    '"',
    "'",
    "\\",
    "\\n",
    ";",
    "$(id)",
    "`id`",
    "${x}",
    "{}",
    "[x]",
    "%",
    "=",
    " ",
    "\t",
]
PIECES += ["a", "B", "0", "-", "--", "é", "\n", "\r", "\0", "\x1b[31m", "\x85", "\u2028", "\u202e"]
hostile = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


def inventory(services: dict[str, Any], **others: Any) -> ClusterInventory:
    """Return the inventory as a file of it is read; JSON is YAML."""
    data = {"cluster": "c", "nodes": ["c1", "c2", "c3"], "services": services, **others}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "i.yaml"
        file.write_text(json.dumps(data), encoding="utf-8")
        return read_inventory(file)


def secret(value: str) -> str:
    """Return a secret as a run takes it from the environment."""
    return SecretValues({"PACEFAB_SECRET_X": value}, None, None).get("x")


def my_cnf(text: str) -> Iterator[tuple[str, str]]:
    """Yield names and values as MariaDB reads an option file (mysys/my_default.c)."""
    for line in text.split("\n"):
        if not line.strip() or line.lstrip()[0] in "#;[!":
            continue
        name, _, value = _without_comment(line).partition("=")
        yield name.strip(), _unescaped(value.strip(" \t\n\v\f\r"))


def _without_comment(line: str) -> str:
    quote, escape = "", False
    for place, letter in enumerate(line):
        if letter in "\"'" and not escape:
            quote = letter if not quote else "" if quote == letter else quote
        if not quote and letter == "#":
            return line[:place]
        escape = bool(quote) and letter == "\\" and not escape
    return line


def _unescaped(value: str) -> str:
    if len(value) > 1 and value[0] in "\"'" and value[0] == value[-1]:
        value = value[1:-1]
    letters = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "s": " ", '"': '"', "'": "'", "\\": "\\"}
    found, place = "", 0
    while place < len(value):
        if value[place] == "\\" and place + 1 < len(value):
            place += 1
            found += letters.get(value[place], f"\\{value[place]}")
        else:
            found += value[place]
        place += 1
    return found


@patient
@given(value=hostile, word=hostile)
@example(value="a # b", word='p#w"d\\')
@example(value='"', word="'")
@example(value="\\", word=" x ")
def test_mariadb_reads_what_was_given(value: str, word: str) -> None:
    try:
        chosen = inventory({"galera": {"settings": {"init_connect": value}}}).section("galera")
    except UsageError:
        assert any(not letter.isprintable() for letter in value)
    else:
        text = galera.config(chosen).render(None)
        assert dict(my_cnf(text))["init_connect"] == value
    try:
        known = secret(word)
    except UsageError:
        return
    own = galera.section(sst="mariabackup", sst_user="sst")
    where = galera.site()
    desired = GALERA.node(
        own, type(where)(where.membership, where.facts, {}, lambda _: known), "c1"
    )
    assert dict(my_cnf(desired.files[0].render(None)))["wsrep_sst_auth"] == f"sst:{known}"


def conf(text: str) -> dict[str, str]:
    """Return names and values as cuttlefish reads rabbitmq.conf: # ends a value, blanks go."""
    lines = (line.partition("#")[0] for line in text.split("\n"))
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name.strip(): value.strip(" \t") for name, _, value in pairs}


@patient
@given(value=hostile)
@example(value="a # b")
@example(value=" a")
@example(value="")
def test_rabbitmq_reads_what_was_given(value: str) -> None:
    try:
        chosen = inventory({"rabbitmq": {"settings": {"log.file": value}}}).section("rabbitmq")
    except UsageError:
        assert value != value.strip() or not value or "#" in value or not value.isprintable()
        return
    desired = RABBITMQ.node(chosen, rabbitmq.site(), "c1")
    (file,) = (file for file in desired.files if file.path == rabbitmq.CONFIG)
    assert conf(file.render(None))["log.file"] == value


@patient
@given(password=hostile)
def test_passwords_reach_redis_and_rabbitmq_or_are_refused(password: str) -> None:
    try:
        known = secret(password)
        where = redis.site()
        where = type(where)(where.membership, where.facts, where.sections, lambda _: known)
        desired = REDIS.node(REDIS.section(), where, "c1")
    except UsageError:
        assert not password or any(
            c in "\"'" or c.isspace() or not c.isprintable() for c in password
        )
        return
    text = next(f for f in desired.files if f.path.endswith("-pacemaker.conf")).render(None)
    lines = [line.split(" ", 1) for line in text.split("\n") if line and not line.startswith("#")]
    assert dict(lines)["requirepass"] == dict(lines)["masterauth"] == known


NAMED = ["name", "vip", "check_path"]


@patient
@given(value=hostile, key=st.sampled_from([*NAMED, "server", "user"]))
def test_haproxy_gets_no_word_more_than_meant(value: str, key: str) -> None:
    proxy: dict[str, Any] = {"name": "a", "vip": "192.0.2.9", "port": 80, "check": "http"}
    proxy |= {key: value} if key in NAMED else {"servers": [value]} if key == "server" else {}
    stats = {"user": value} if key == "user" else {}
    try:
        chosen = inventory({"haproxy": {"proxies": [proxy], "stats": stats}}).section("haproxy")
    except UsageError:
        return
    usual = haproxy.config(
        {"name": "a", "vip": "10.0.0.9", "port": 80, "check": "http"}, stats={"user": "admin"}
    )
    desired = haproxy_service.node(chosen, haproxy.site(), "c1")
    text = next(f for f in desired.files if f.path == haproxy_service.CONFIG).render(None)
    words = [len(line.split()) for line in text.split("\n")]
    assert (
        words[: len(words) - 4]
        == [len(line.split()) for line in usual.split("\n")][: len(words) - 4]
    )
    assert not set(text) & set("\"'\\`\r\0\x1b")


@patient
@given(value=hostile, name=hostile)
def test_parameters_of_any_form_are_in_the_cib_as_given(value: str, name: str) -> None:
    entry = {"agent": "ocf:pacemaker:Dummy", "parameters": {"state": value}}
    try:
        read = inventory({}, resources={"dev": entry}, fencing={"disabled": True, "reason": "x"})
    except UsageError:
        assert not value.isprintable()
        return
    desired = desired_configuration(read, lambda _: name)
    after = render_configuration(EMPTY, plan_configuration(EMPTY, desired))
    again = read_configuration(parse(after.text()))
    assert again.resources[0].parameters == {"state": value}  # type: ignore[union-attr]


NAMES: dict[str, Callable[[str], dict[str, Any]]] = {
    "cluster": lambda v: {"cluster": v},
    "node": lambda v: {"nodes": [v]},
    "address": lambda v: {"nodes": [{"name": "c1", "address": v}]},
    "login": lambda v: {"nodes": [{"name": "c1", "user": v}]},
    "attribute": lambda v: {"nodes": [{"name": "c1", "attributes": {v: "x"}}]},
    "resource": lambda v: {"resources": {v: {"agent": "ocf:pacemaker:Dummy"}}},
    "agent": lambda v: {"resources": {"a": {"agent": f"ocf:pacemaker:{v}"}}},
    "parameter": lambda v: {"resources": {"a": {"agent": "systemd:x", "parameters": {v: "x"}}}},
    "vip": lambda v: {"services": {"vips": {"addresses": [{"name": v, "address": "192.0.2.9"}]}}},
    "interface": lambda v: {
        "services": {"vips": {"addresses": [{"name": "a", "address": "192.0.2.9", "nic": v}]}}
    },
    "listen": lambda v: {"services": {"memcached": {"listen": v}}},
}


@pytest.mark.parametrize("place", NAMES, ids=NAMES.keys())
@patient
@given(value=hostile)
@example(value="--force")
@example(value="a\n")
@example(value="-rf")
def test_names_are_words_and_no_options(place: str, value: str) -> None:
    made = NAMES[place](value)
    data = {"cluster": "c", "nodes": ["c1"], **made}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "i.yaml"
        file.write_text(json.dumps(data), encoding="utf-8")
        try:
            read_inventory(file)
        except UsageError:
            return
    assert value
    assert value.isprintable()
    assert not set(value) & set(" \"'`$;#{}[]%=\\") or place == "agent"
    assert not value.startswith("-") or place == "agent"
