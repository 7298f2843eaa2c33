"""What corosync.conf says -> the section `corosync`, and the nodes' further links."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from pacefab.export.draft import ExportDraft, Source, made
from pacefab.export.settings import as_read, first_line
from pacefab.export.words import scalar
from pacefab.inventory.sections.corosync import Corosync
from pacefab.pacemaker.corosync import conf
from pacefab.pacemaker.corosync.conf import Block, Values
from pacefab.pacemaker.corosync.plan import CorosyncSettings, said_key

_PLACE = "corosync.conf"
_PREFIXES = {"crypto": "crypto_", "compression": "knet_compression_"}
_OF_DEVICE = {"timeout", "sync_timeout"}


def corosync(source: Source, draft: ExportDraft) -> None:
    """Write what is not as pcs sets up a cluster; a file like that needs no section."""
    if not source.corosync:
        return
    block = conf.parse(source.corosync)
    values = conf.values(block)
    _links(block, source, draft)
    said, read = _accepted(_said(values), draft)
    if said or read.values() != _own(values):
        draft.data["corosync"] = said
        draft.places["corosync",] = _PLACE
    wished = CorosyncSettings(read.values()).desired(values, {})
    for key in sorted({*values, *wished}):
        if values.get(key) != wished.get(key):
            there = f"{said_key(key)}: {values.get(key, 'not there')}"
            draft.say(_PLACE, there, f"it would be {wished.get(key, 'taken out')}")
    for line in conf.unknown(block):
        draft.say(_PLACE, line, "the inventory has no words for it; it stays as it is")


def _own(values: Values) -> dict[conf.Key, str]:
    return {k: v for k, v in values.items() if k[0] != "node" and k[-1] != "two_node"}


def _accepted(said: dict[str, Any], draft: ExportDraft) -> tuple[dict[str, Any], Corosync]:
    """Return what the inventory takes, also as it reads it; parts that it refuses are named."""
    while True:
        try:
            return said, Corosync.model_validate(as_read(said))
        except ValidationError as error:
            first = next(iter(error.errors(include_url=False, include_input=False)))
            key = str(first["loc"][0]) if first["loc"] else next(reversed(said))
            draft.say(f"{_PLACE} {key}", str(said.pop(key)), first_line(error))


def _said(values: Values) -> dict[str, Any]:
    totem = {key[1]: value for key, value in values.items() if key[0] == "totem"}
    groups = {
        group: {k.removeprefix(prefix): scalar(v) for k, v in totem.items() if k.startswith(prefix)}
        for group, prefix in _PREFIXES.items()
    }
    if groups["crypto"] == {"cipher": "aes256", "hash": "sha256"}:
        groups["crypto"] = {}
    quorum = {key[1]: v for key, v in values.items() if key[0] == "quorum" and key[1] != "two_node"}
    plain = ("transport", "ip_version", "netmtu", "knet_pmtud_interval", "link_mode")
    return made(
        {
            **{k: scalar(totem[k]) for k in plain if k in totem and totem[k] != conf.KNET},
            "links": _options(values),
            **groups,
            "totem": {k: _yes(totem[k]) for k in conf.TIMES if k in totem},
            "quorum": {k: _one(k, v) for k, v in quorum.items()},
            "qdevice": _device(values),
        }
    )


def _options(values: Values) -> list[dict[str, Any]]:
    """Return the options of each link up to the last that has any."""
    numbers = [int(key[1]) for key in values if key[0] == "link" and key[1].isdecimal()]
    links: list[dict[str, Any]] = [{} for _ in range(max(numbers, default=-1) + 1)]
    for key, value in values.items():
        if key[0] == "link" and key[1].isdecimal():
            links[int(key[1])][key[2].removeprefix("knet_")] = _yes(value)
    return links


def _device(values: Values) -> dict[str, Any]:
    own = {key[1]: scalar(v) for key, v in values.items() if key[0] == "device" and len(key) == 2}  # noqa: PLR2004  # no section
    net = {key[2]: v for key, v in values.items() if key[:2] == ("device", "net")}
    heuristics = {key[2]: v for key, v in values.items() if key[:2] == ("device", "heuristics")}
    commands = {k.removeprefix("exec_"): v for k, v in heuristics.items() if k.startswith("exec_")}
    rest = {k: scalar(v) for k, v in heuristics.items() if not k.startswith("exec_")}
    return made(
        {
            **{
                k: v if k in {"tie_breaker", "force_ip_version"} else scalar(v)
                for k, v in net.items()
            },
            **{k: v for k, v in own.items() if k in _OF_DEVICE},
            "heuristics": {**rest, "exec": commands} if heuristics else {},
        }
    )


def _links(block: Block, source: Source, draft: ExportDraft) -> None:
    """Write the addresses of further links to the nodes; links that are numbered with gaps stay."""
    members = source.membership.members if source.membership else ()
    resolved = {member.name: member.addresses for member in members}
    nodes = {item["name"]: item for item in draft.data["nodes"] if isinstance(item, dict)}
    found = {}
    for key, node in conf.section(block, "nodelist"):
        if key == "node" and isinstance(node, list):
            rings = {k: str(v) for k, v in node if conf.is_ring(k)}
            found[conf.node_name(node)] = rings
    every = [f"ring{i}_addr" for i in range(max(map(len, found.values()), default=0))]
    for name, rings in found.items():
        if len(rings) > 1 and sorted(rings) == every and name in nodes:
            known = resolved.get(name, ())
            whole = known if len(known) == len(every) else [rings[ring] for ring in every]
            nodes[name]["links"] = list(whole[1:])
        elif len(rings) > 1 or (rings and sorted(rings) != every):
            draft.say(f"links of {name}", str(rings), "they are not numbered 0, 1, … on all nodes")


def _yes(text: str) -> Any:
    return text == "yes" if text in {"yes", "no"} else scalar(text)


def _one(key: str, text: str) -> Any:
    return text == "1" if text in {"0", "1"} and key != "last_man_standing_window" else scalar(text)
