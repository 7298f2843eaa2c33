"""corosync.conf as blocks of keys, and the part of it that an inventory can say, by place. Pure.

The rules of reading are those of corosync.conf(5) and of corosync's own reader (exec/coroparse.c):
white space and a carriage return at the end of a line mean nothing, a comment has a line of its
own, a section may come in several parts, the last value of a key counts, quotes are part of a
value. What an inventory can say is what `pcs cluster setup` and `pcs quorum` can (pcs 0.11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Block = list[tuple[str, "str | Block"]]
Key = tuple[str, ...]
"""A place: ("totem", KEY), ("link", N, KEY), ("node", NAME, ringN_addr), ("quorum", KEY),
("device", KEY) or ("device", SECTION, KEY)."""
Values = Mapping[Key, str]

KNET, UDP = "knet", ("udp", "udpu")
TIMES = (
    "block_unlisted_ips", "consensus", "downcheck", "fail_recv_const",
    "heartbeat_failures_allowed", "hold", "join", "max_messages", "max_network_delay", "merge",
    "miss_count_const", "send_join", "seqno_unchanged_const", "token", "token_coefficient",
    "token_retransmit", "token_retransmits_before_loss_const", "window_size",
)  # fmt: skip
_TRANSPORT = ("transport", "ip_version", "netmtu", "knet_pmtud_interval", "link_mode")
CRYPTO = ("crypto_cipher", "crypto_hash", "crypto_model")
_COMPRESSION = tuple(f"knet_compression_{name}" for name in ("model", "threshold", "level"))
TOTEM = frozenset((*_TRANSPORT, *CRYPTO, *_COMPRESSION, *TIMES))
_TIE = ("auto_tie_breaker", "last_man_standing")
QUORUM = frozenset((*_TIE, "last_man_standing_window", "wait_for_all", "two_node"))
LINK = frozenset(
    (
        "knet_link_priority", "knet_ping_interval", "knet_ping_precision", "knet_ping_timeout",
        "knet_pong_count", "knet_transport", "mcastport", "bindnetaddr", "broadcast", "mcastaddr",
        "ttl",
    )
)  # fmt: skip
# What a file without the key means; two_node and the ways to break a tie are off.
_DEFAULTS: Mapping[Key, str] = {("totem", "transport"): KNET}
_NO_CRYPTO: Mapping[Key, str] = {
    ("totem", "crypto_cipher"): "none",
    ("totem", "crypto_hash"): "none",
}
_SECAUTH: Mapping[Key, str] = {
    ("totem", "crypto_cipher"): "aes256",
    ("totem", "crypto_hash"): "sha256",
}


def parse(text: str) -> Block:
    """Return a file's keys and sections in their order; a comment is a key without a value.

    Raises:
        ValueError: unbalanced braces.
    """
    return _block(iter(text.split("\n")), nested=False)


def render(block: Block, indent: str = "") -> str:
    """Return the text of a file; `parse` reads the same from it."""
    lines = []
    for key, value in block:
        if isinstance(value, list):
            inside = render(value, f"{indent}    ")
            lines.append(f"{indent}{key} {{\n{inside}{indent}}}\n" + ("" if indent else "\n"))
        elif key.startswith("#"):
            lines.append(f"{indent}{key}\n")
        else:
            lines.append(f"{indent}{key}: {value}\n")
    return "".join(lines)


def section(block: Block, name: str) -> Block:
    """Return what all parts of a section say, in their order."""
    return [entry for key, v in block if key == name and isinstance(v, list) for entry in v]


def values(block: Block) -> dict[Key, str]:
    """Return what the file says of all that an inventory can say; defaults as corosync has them."""
    totem = dict(section(block, "totem"))
    crypto = _SECAUTH if totem.get("secauth") in {"on", "yes"} else _NO_CRYPTO
    found = dict(_said(block))
    knet = found.get(("totem", "transport"), KNET) == KNET
    off = [key for key, value in found.items() if _is_off(key, value)]
    known = {key: value for key, value in found.items() if key not in off}
    return {**_DEFAULTS, **(crypto if knet else {}), **known}


def unknown(block: Block) -> list[str]:
    """Return what the file says and an inventory cannot, a line each; but a log as pcs has it."""
    found = []
    for key, value in block:
        if isinstance(value, list) and key in _WITHIN:
            found += [f"{key}.{line}" for line in _strange(value, _WITHIN[key])]
        elif isinstance(value, list) and key == "logging":
            found += [f"logging.{_line(k, v)}" for k, v in value if (k, v) not in _LOG]
        elif not key.startswith("#"):
            found.append(_line(key, value))
    return found


def version(block: Block) -> int:
    """Return config_version, which each change raises; 0 where there is none."""
    found = str(dict(section(block, "totem")).get("config_version", ""))
    return int(found) if found.isdecimal() else 0


def changed(block: Block, to: Mapping[Key, str | None], number: int) -> Block:
    """Return the blocks with other values at these places (None: without), and that version."""
    fresh = _copy(block)
    for key, value in to.items():
        _put(_place(fresh, key), key[-1], value)
    _put(_ensured(fresh, "totem"), "config_version", str(number))
    _drop_empty(fresh)
    return fresh


def _said(block: Block) -> Iterator[tuple[Key, str]]:
    for key, value in section(block, "totem"):
        if key == "interface" and isinstance(value, list):
            own = dict(value)
            yield from ((("link", _number(own), k), str(v)) for k, v in own.items() if k in LINK)
        elif key in TOTEM:
            yield ("totem", key), str(value)
    for key, value in section(block, "nodelist"):
        if key == "node" and isinstance(value, list):
            own, name = dict(value), node_name(value)
            rings = ((k, str(v)) for k, v in own.items() if is_ring(k))
            yield from ((("node", name, ring), address) for ring, address in rings)
    for key, value in section(block, "quorum"):
        if key == "device" and isinstance(value, list):
            yield from _device(value)
        elif key in QUORUM:
            yield ("quorum", key), str(value)


def _device(block: Block) -> Iterator[tuple[Key, str]]:
    for key, value in block:
        if isinstance(value, list):
            yield from ((("device", key, k), v) for k, v in value if isinstance(v, str))
        elif not key.startswith("#"):
            yield ("device", key), value


def _is_off(key: Key, value: str) -> bool:
    """Whether this is what it would be without the key."""
    if key[0] == "quorum" and key[1] in {*_TIE, "two_node"}:
        return value == "0"
    return key == ("device", "heuristics", "mode") and value == "off"


def is_ring(key: str) -> bool:
    """Whether a key of a node is its address on a link."""
    return key.startswith("ring") and key.endswith("_addr") and key[4:-5].isdecimal()


def node_name(node: Block) -> str:
    """Return what a node is called there: its name, else its first address."""
    own = dict(node)
    rings = sorted(key for key in own if is_ring(key))
    return str(own.get("name", own[rings[0]] if rings else ""))


def _number(interface: Mapping[str, str | Block]) -> str:
    return str(interface.get("linknumber", interface.get("ringnumber", "0")))


_WITHIN: Mapping[str, frozenset[str]] = {
    "totem": TOTEM
    | {"version", "cluster_name", "cluster_uuid", "config_version", "interface", "secauth"},
    "nodelist": frozenset({"node"}),
    "quorum": QUORUM | {"provider", "device"},
}
_LOG = {
    ("to_logfile", "yes"), ("logfile", "/var/log/corosync/corosync.log"), ("to_syslog", "yes"),
    ("logfile", "/var/log/cluster/corosync.log"), ("timestamp", "on"), ("debug", "off"),
}  # fmt: skip
_IN_PARTS = {
    "interface": LINK | {"linknumber", "ringnumber"},
    "node": frozenset({"name", "nodeid"}),
}


def _strange(block: Block, known: frozenset[str]) -> Iterator[str]:
    for key, value in block:
        if isinstance(value, list) and key in _IN_PARTS:
            left = (k for k, v in value if k not in _IN_PARTS[key] and not is_ring(k))
            yield from (f"{key}.{_line(k, dict(value)[k])}" for k in left if k[:1] != "#")
        elif key not in known and not key.startswith("#"):
            yield _line(key, value)


def _line(key: str, value: str | Block) -> str:
    return f"{key}: {value}" if isinstance(value, str) else f"{key} {{…}}"


def _copy(block: Block) -> Block:
    return [(key, _copy(value) if isinstance(value, list) else value) for key, value in block]


def _ensured(block: Block, name: str) -> Block:
    """Return the last part of a section; it is made where there is none."""
    parts = [value for key, value in block if key == name and isinstance(value, list)]
    if parts:
        return parts[-1]
    fresh: Block = []
    block.append((name, fresh))
    return fresh


def _place(block: Block, key: Key) -> Block:
    """Return the section in which a place is."""
    kind = key[0]
    if kind == "link":
        return _interface(_ensured(block, "totem"), key[1])
    if kind == "node":
        nodes = (v for k, v in section(block, "nodelist") if k == "node" and isinstance(v, list))
        return next((node for node in nodes if node_name(node) == key[1]), [])
    if kind == "device":
        device = _ensured(_ensured(block, "quorum"), "device")
        return device if len(key) == 2 else _ensured(device, key[1])  # noqa: PLR2004
    return _ensured(block, kind)


def _interface(totem: Block, number: str) -> Block:
    known = (v for k, v in totem if k == "interface" and isinstance(v, list))
    found = next((part for part in known if _number(dict(part)) == number), None)
    if found is None:
        found = [("linknumber", number)]
        totem.append(("interface", found))
    return found


def _put(block: Block, key: str, value: str | None) -> None:
    """Set a key where it stands, or at the end; None takes it out."""
    at = [i for i, (name, _) in enumerate(block) if name == key]
    for i in reversed(at[:-1] if value is not None else at):
        del block[i]
    if value is None:
        return
    if at:
        block[at[-1] - (len(at) - 1)] = (key, value)
    else:
        block.insert(_end_of_keys(block), (key, value))


def _end_of_keys(block: Block) -> int:
    """Return where a new key stands: before the first section."""
    return next((i for i, (_, v) in enumerate(block) if isinstance(v, list)), len(block))


def _drop_empty(block: Block) -> None:
    """Take out sections with nothing in them, and of a link those with its number alone."""
    for _, value in block:
        if isinstance(value, list):
            _drop_empty(value)
    empty = [
        i
        for i, (key, value) in enumerate(block)
        if isinstance(value, list)
        and (not value or (key == "interface" and {k for k, _ in value} == {"linknumber"}))
    ]
    for i in reversed(empty):
        del block[i]


def _block(lines: Iterator[str], *, nested: bool) -> Block:
    found: Block = []
    for raw in lines:
        line = raw.strip()
        if line.startswith("#"):
            found.append((line, ""))
        elif "{" in line:
            found.append((line.partition("{")[0].strip(), _block(lines, nested=True)))
        elif ":" in line:
            key, _, value = line.partition(":")
            found.append((key.strip(), value.strip()))
        elif "}" in line:
            return found
    if nested:
        raise ValueError("a brace is not closed")
    return found
