"""Whether a management board is that of its node, as far as reading can say. Pure.

By IPMI a system and its board say the same UUID (Get System GUID, IPMI 2.0 section 22.14), some in
another order of bytes, and some boards one that is nobody's. So the same one proves something,
another node's too, and any other nothing. Likewise the board's address, by a node's own word.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from pacefab.pacemaker.fencing.devices import FenceDevice
from pacefab.pacemaker.fencing.findings import FencingFinding, finding
from pacefab.pacemaker.model import is_true
from pacefab.transport.command import Section, Step, shell

_GUID = re.compile(r"System GUID\s*:\s*([0-9A-Fa-f-]{32,36})")
_LAN_ADDRESS = re.compile(r"^(?:IP Address\s+|\s+Address\s*):\s*(\S+)", re.MULTILINE)
_NO_ADDRESS: Final = {"", "0.0.0.0", "::"}  # noqa: S104  (a board without one says so)
_NO_UUID: Final = {0, (1 << 128) - 1}

# What a node knows of itself; /dev/ipmi0 is its own board, from inside.
_SELF = r"""
cat /sys/class/dmi/id/product_uuid 2>/dev/null
if [ -e /dev/ipmi0 ] || [ -e /dev/ipmi/0 ]; then
  timeout -k 1 10 ipmitool mc guid 2>/dev/null
  timeout -k 1 10 ipmitool lan print 2>/dev/null
  timeout -k 1 10 ipmitool lan6 print 2>/dev/null
fi
true
"""
# The password comes by standard input. One -v says why a session was refused, and no more.
_BOARD = r"""
limit=$1 program=$2; shift 2
timeout -k 1 "$limit" "$program" -v -N 2 -R 2 -f /dev/stdin "$@" mc guid 2>&1 | head -c 4000
"""


@dataclass(frozen=True)
class NodeIdentity:
    """What a node says of itself: UUIDs of the system, the addresses of its own board."""

    uuids: frozenset[uuid.UUID] = frozenset()
    addresses: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BoardWord:
    """What a board says of itself over the network, or why it says nothing."""

    uuid: uuid.UUID | None = None
    refusal: str = ""


def observe_self() -> Step:
    """Return the step of `read_self`."""
    return shell("identity", _SELF)


def read_self(section: Section) -> NodeIdentity:
    """Return who a node says that it is; nothing, in a container."""
    words = [line.strip() for line in section.out.splitlines()[:1]] + _GUID.findall(section.out)
    addresses = {_address(found) for found in _LAN_ADDRESS.findall(section.out)} - _NO_ADDRESS
    uuids = frozenset(u for word in words if (u := _uuid(word)))
    return NodeIdentity(uuids, frozenset(addresses))


def observe_board(device: FenceDevice, limit: int) -> Step | None:
    """Return the step of `read_board`; None for a device that cannot be asked by ipmitool."""
    given = device.primitive.parameters
    password = device.parameter("password", "passwd")
    if not device.speaks_ipmi or not device.address or not password:
        return None
    if "hexadecimal_kg" in given or device.parameter("password_script", "passwd_script"):
        return None  # the key would be in an argument
    plus = device.agent != "fence_ipmilan" or is_true(device.parameter("lanplus"))
    words = ["-I", "lanplus" if plus else "lan", "-H", device.address[0]]
    for option, names in (
        ("-p", ("ipport",)), ("-U", ("username", "login")), ("-C", ("cipher",)),
        ("-A", ("auth",)), ("-L", ("privlvl",)), ("-t", ("target",)),
    ):  # fmt: skip
        value = device.parameter(*names)
        words += [option, value] if value else []
    program = device.parameter("ipmitool_path", default="/usr/bin/ipmitool")
    name = f"board {device.id}"
    return shell(name, _BOARD, str(limit), program, *words, stdin=f"{password}\n")


def read_board(section: Section) -> BoardWord:
    """Return what a board said of itself."""
    found = _GUID.search(section.out)
    said = section.out.lower()
    for sign, refusal in _REFUSALS:
        if sign in said:
            return BoardWord(refusal=refusal)
    return BoardWord(_uuid(found[1]) if found else None)


# What ipmitool 1.8 says with -v, in this order: the first is what all others come with.
_REFUSALS: Final = (
    ("hmac is invalid", "the board refuses the password"),
    ("unauthorized name", "the board does not know that user"),
    ("invalid user name", "the board does not know that user"),
    ("no response from rakp 1", "the board gives that user no session"),
    ("unauthorized role", "the board does not give that user this privilege (privlvl)"),
    ("set session privilege level", "the board does not give that user this privilege (privlvl)"),
    ("insufficient resources", "the board has no session left"),
    ("no matching cipher", "the board does not take that cipher"),
    ("invalid role", "the board does not give that user this privilege (privlvl)"),
    ("get auth capabilities error", "nothing answers IPMI there"),
    ("authentication capabilities", "nothing answers IPMI there"),
)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return None if found.int in _NO_UUID else found


def whose(
    board: uuid.UUID | None, address: str, nodes: Mapping[str, NodeIdentity]
) -> tuple[str, ...]:
    """Return the nodes that a board is of, by its UUID in either order of bytes or its address."""
    either = {board, uuid.UUID(bytes=board.bytes_le)} if board else set()
    return tuple(
        name for name, own in nodes.items() if either & own.uuids or address in own.addresses
    )


def foreign(
    devices: Iterable[FenceDevice], nodes: Mapping[str, NodeIdentity]
) -> Iterator[FencingFinding]:
    """Yield the boards that are another node's than the one to fence, by the nodes' own word."""
    for device in devices:
        owners = whose(None, device.address[0], nodes) if device.is_board and device.address else ()
        for target in device.targets or () if owners else ():
            if target.casefold() not in {owner.casefold() for owner in owners}:
                yield finding(
                    f"{device.id} is to fence {target}, and the board at {device.address[0]} is "
                    f"that of {owners[0]}, as that node says",
                    f"to fence {target} would switch {owners[0]} off: correct the address",
                    [device.id],
                )


def _address(text: str) -> str:
    """Return an address in its one short form; empty: it is none."""
    try:
        return str(ip_address(text.partition("/")[0]))
    except ValueError:
        return ""
