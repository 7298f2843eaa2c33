"""The words of a pcs command line, in pcs 0.9's dialect and today's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pacefab.inventory.pacemaker_options import CLONE_META, RESOURCE_META
from pacefab.legacy.cluster.book import CommandText
from pacefab.legacy.cluster.outcome import NotUnderstoodError

_WITH_VALUE = {
    "-f", "--name", "--group", "--before", "--after", "-u", "-p", "--node", "--transport",
    "--addr0", "--addr1", "--token", "--join", "--consensus", "--rrpmode", "--mcast0", "--mcast1",
    "--mcastport0", "--miss_count_const", "--fail_recv_const", "--token_coefficient",
    "--corosync_conf", "--wait_for_all", "--auto_tie_breaker", "--last_man_standing", "--from",
    "--to", "--start-date", "--request-timeout", "--bundle", "--agent-validation",
}  # fmt: skip
_ATTACHED = re.compile(r"-[fup][^\d=-]")
_KEYWORD = {"--clone": "clone", "--master": "--master", "--cloneopt": "clone"}
_ROLES = {"master": "Promoted", "slave": "Unpromoted"}
# https://clusterlabs.org/projects/pacemaker: names before Pacemaker 2.1 and since.
_META = {"master-max": "promoted-max", "master-node-max": "promoted-node-max"}
_NOT_HEARTBEAT = {
    "controld": "pacemaker", "ClusterMon": "pacemaker", "ping": "pacemaker", "pingd": "pacemaker",
    "remote": "pacemaker", "SysInfo": "pacemaker", "HealthCPU": "pacemaker",
    "HealthSMART": "pacemaker", "Stateful": "pacemaker", "o2cb": "pacemaker",
    "NovaCompute": "openstack", "NovaEvacuate": "openstack", "nova-compute-wait": "openstack",
    "NeutronScale": "neutron", "OVSCleanup": "neutron", "NetnsCleanup": "neutron",
}  # fmt: skip


def read_line(arguments: Sequence[str]) -> CommandText:
    """Take the options of a pcs command line out of its words."""
    line = CommandText()
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        name, equals, value = word.partition("=")
        if word in _KEYWORD and line.words[:2] == ["resource", "create"]:
            line.words.append(_KEYWORD[word])
        elif word == "--":
            line.words += waiting
            break
        elif _ATTACHED.match(word):  # -uNAME, -pWORD
            line.options[word[:2]] = word[2:]
        elif word.startswith("--") and len(word) > 2 or word in {"-f", "-u", "-p", "-h", "-V"}:  # noqa: PLR2004, RUF021
            if not equals and word in _WITH_VALUE and waiting:
                value = waiting.pop(0)
            line.options[name] = value
        else:
            line.words.append(word)
    return line


def pairs(words: Sequence[str]) -> dict[str, str]:
    """Return name=value words as a mapping.

    Raises:
        NotUnderstoodError: a word has no =.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise NotUnderstoodError(f"{word!r} is no NAME=VALUE")
        found[name] = value
    return found


@dataclass
class CreateWords:
    """What follows the agent in `resource create`."""

    options: list[str] = field(default_factory=list)
    meta: list[str] = field(default_factory=list)
    operations: list[dict[str, str]] = field(default_factory=list)
    copies: str = ""  # clone, promotable
    clone_id: str = ""  # when it is given one (pcs 0.10.7 and newer)
    clone_meta: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # words that pcs passes over


def split_create(words: Sequence[str]) -> CreateWords:
    """Split what follows the agent by its keywords, as pcs 0.9 does.

    `op`, `meta`, `clone` and `master` each switch what follows. With `master` (pcs 0.9 alone) all
    meta attributes become the master's; with `clone` and `promotable` they stay the primitive's.
    What follows the option `--master` older ones took for parameters, newer ones for options of the
    master: here the name decides.

    Raises:
        NotUnderstoodError: an operation without a name or options.
    """
    reader = _CreateReader(CreateWords())
    for word in words:
        reader.read(word)
    parts = reader.parts
    parts.operations = [operation for operation in parts.operations if operation]
    if parts.copies == "promotable" and "promotable" not in words:
        parts.clone_meta, parts.meta = [*parts.meta, *parts.clone_meta], []
    return parts


class _CreateReader:
    """Sorts words by the keyword that they follow."""

    def __init__(self, parts: CreateWords) -> None:
        self.parts = parts
        self._shelf: list[str] | None = parts.options  # None: words belong to an operation
        self._old_master = False

    def read(self, word: str) -> None:
        parts = self.parts
        if word == "op":
            self._shelf = None
            parts.operations.append({})
        elif word == "params" and self._shelf is parts.options:
            parts.ignored.append(word)
        elif word == "meta":
            self._shelf = parts.meta
        elif word in {"clone", "master", "--master", "promotable"}:
            parts.copies = "clone" if word == "clone" else "promotable"
            self._shelf, self._old_master = parts.clone_meta, word == "--master"
        elif self._shelf is None:
            _add_to_operation(parts.operations, word)
        elif self._old_master and self._shelf is parts.clone_meta and not _is_meta(word):
            parts.options.append(word)
        elif self._shelf is parts.clone_meta and "=" not in word and not parts.clone_id:
            parts.clone_id = word
        else:
            self._shelf.append(word)


def _is_meta(word: str) -> bool:
    """Return whether NAME=VALUE is an option of a clone or resource."""
    name = word.partition("=")[0]
    return _META.get(name, name) in {**CLONE_META, **RESOURCE_META}


def _add_to_operation(operations: list[dict[str, str]], word: str) -> None:
    """Add a word after `op`: a name begins an operation, also a further one after the same `op`."""
    name, equals, value = word.partition("=")
    if not equals:
        if operations[-1]:
            operations.append({})
        operations[-1]["name"] = word
    elif "name" not in operations[-1]:
        raise NotUnderstoodError(f"op {word}: an operation without a name")
    else:
        operations[-1][name] = role(value) if name == "role" else value


def role(text: str) -> str:
    """Return a role's name of today."""
    return _ROLES.get(text.lower(), text)


def today(name: str) -> str:
    """Return a meta attribute's name of today."""
    return _META.get(name, name)


def meta_of_today(found: dict[str, str]) -> dict[str, str]:
    """Return meta attributes by today's names."""
    return {
        _META.get(name, name): role(value) if name == "target-role" else value
        for name, value in found.items()
    }


def agent_of_today(agent: str) -> str:
    """Return an agent's full name; pcs takes IPaddr2 for ocf:heartbeat:IPaddr2."""
    agent = agent.replace("::", ":")
    if agent.startswith("lsb:") or ":" in agent:
        return agent if agent.count(":") != 1 or not _is_ocf(agent) else f"ocf:{agent}"
    return f"ocf:{_NOT_HEARTBEAT.get(agent, 'heartbeat')}:{agent}"


def _is_ocf(agent: str) -> bool:
    """Return whether PROVIDER:TYPE stands without its class."""
    return agent.partition(":")[0] in {"heartbeat", "pacemaker", "openstack", "neutron", "rabbitmq"}
