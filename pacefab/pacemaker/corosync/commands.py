"""The pcs words that say settings of corosync, and the steps that bring files into force. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pacefab.pacemaker.corosync import conf
from pacefab.pacemaker.corosync.conf import Key, Values
from pacefab.pacemaker.corosync.plan import CorosyncSettings
from pacefab.transport.command import Section, Step, shell, step

CONF = "/etc/corosync/corosync.conf"
_GENERIC = ("ip_version", "netmtu", "knet_pmtud_interval", "link_mode")
_MODEL, _HOST = ("device", "model"), ("device", "net", "host")
_DEVICE = ("pcs", "quorum", "device")
_LATER = {("device", "net", name) for name in ("tls", "keep_active_partition_tie_breaker")}


def setup_words(settings: CorosyncSettings) -> list[str]:
    """Return what follows the nodes in `pcs cluster setup`; a quorum device is added later."""
    values = settings.values
    totem = {key[1]: value for key, value in values.items() if key[0] == "totem"}
    words = ["transport", totem.get("transport", conf.KNET), *_pairs(totem, _GENERIC)]
    for number in sorted({key[1] for key in values if key[0] == "link"}):
        named = {key[2]: value for key, value in values.items() if key[:2] == ("link", number)}
        own = {name.removeprefix("knet_"): value for name, value in named.items()}
        numbered = totem.get("transport", conf.KNET) == conf.KNET
        words += ["link", *([f"linknumber={number}"] if numbered else []), *_pairs(own)]
    for group, prefix in (("compression", "knet_compression_"), ("crypto", "crypto_")):
        own = {k.removeprefix(prefix): v for k, v in totem.items() if k.startswith(prefix)}
        words += [group, *_pairs(own)] if own else []
    times = {name: totem[name] for name in conf.TIMES if name in totem}
    quorum = {key[1]: value for key, value in values.items() if key[0] == "quorum"}
    words += ["totem", *_pairs(times)] if times else []
    return [*words, *(["quorum", *_pairs(quorum)] if quorum else [])]


def device_steps(before: Values, after: Values) -> list[Step]:
    """Return the steps that add, change or remove the quorum device.

    Another host is another device: the nodes need its certificates.
    """
    if not after:
        return [step("remove quorum device", *_DEVICE, "remove")]
    if not before:
        words = (*_device_words(after), *_forced(after))
        return [step("add quorum device", *_DEVICE, "add", *words)]
    if any(before.get(key) != after.get(key) for key in (_MODEL, _HOST)):
        return [*device_steps(before, {}), *device_steps({}, after)]
    gone = {key: "" for key in before if key not in after}
    altered = {key: v for key, v in after.items() if before.get(key) != v} | gone
    words = (*_device_words(altered), *_forced(altered))
    return [step("change quorum device", *_DEVICE, "update", *words)]


def _forced(device: Values) -> tuple[str, ...]:
    """Return the word with which pcs takes what it does not know before 0.12."""
    return ("--force",) if _LATER & device.keys() else ()


def host_of(device: Values) -> str:
    """Return the host of a quorum device; empty where there is none."""
    return device.get(_HOST, "")


def _device_words(device: Values) -> Iterator[str]:
    """Yield a device's words; votes are pcs' own affair."""
    own = {key[1]: v for key, v in device.items() if _is_generic(key)}
    yield from _pairs(own)
    net = {key[2]: v for key, v in device.items() if key[:2] == ("device", "net")}
    if net:
        yield from ("model", *(["net"] if _MODEL in device else []), *_pairs(net))
    heuristics = {key[2]: v for key, v in device.items() if key[:2] == ("device", "heuristics")}
    if heuristics:
        yield from ("heuristics", *_pairs(heuristics))


def _is_generic(key: Key) -> bool:
    return len(key) == 2 and key[1] not in {"model", "votes"}  # noqa: PLR2004  # no section


def _pairs(values: Mapping[str, str], names: tuple[str, ...] = ()) -> list[str]:
    chosen = names or tuple(sorted(values))
    return [f"{name}={values[name]}" for name in chosen if name in values]


# The file is whole at any moment; corosync reads it when it starts and when it reloads.
_WRITE = r"""
set -e
umask 022
new=$(mktemp /etc/corosync/corosync.conf.XXXXXX)
trap 'rm -f "$new"' EXIT; trap 'exit 143' TERM
cat >"$new"
chmod 644 "$new"
sync "$new" 2>/dev/null || sync
mv "$new" /etc/corosync/corosync.conf
"""


def plan_write(text: str) -> Step:
    """Return the step that replaces a node's file."""
    return shell("corosync.conf", _WRITE, stdin=text)


def plan_reload() -> Step:
    """Return the step after which every node's corosync has read its file again."""
    return step("reload corosync", "corosync-cfgtool", "-R")


# Side by side on all nodes: resources stop where they are, and no node is fenced for leaving.
_START = r"""
systemctl start corosync || exit
if grep -q '^[[:space:]]*device[[:space:]]*{' /etc/corosync/corosync.conf; then
  systemctl start corosync-qdevice || exit
fi
systemctl start pacemaker
"""
_STOP = "systemctl stop corosync-qdevice 2>/dev/null; systemctl stop corosync"
# After a run that ended before its time: what the files say comes into force.
_AGAIN = r"""
systemctl is-active --quiet corosync || exit 0
corosync-cfgtool -R || exit
! grep -q '^[[:space:]]*device[[:space:]]*{' /etc/corosync/corosync.conf ||
  systemctl start corosync-qdevice
"""


def observe_version() -> Step:
    """Return the step that asks a running corosync for the version of the file that it has read."""
    return step("version", "corosync-cmapctl", "-g", "totem.config_version")


def parse_version(section: Section) -> int:
    """Return that version; 0 where corosync has none, or does not run."""
    found = section.out.rpartition("=")[2].strip()
    return int(found) if found.isdecimal() else 0


def plan_stop_resources() -> Step:
    """Return the step that stops Pacemaker on one node, and with it what it runs there."""
    return step("stop pacemaker", "systemctl", "stop", "pacemaker")


def plan_stop() -> Step:
    """Return the step that stops corosync on one node, once Pacemaker is stopped on all."""
    return shell(
        "stop corosync", "systemctl stop corosync-qdevice 2>/dev/null; systemctl stop corosync"
    )


def plan_start() -> Step:
    """Return the step that starts the cluster services of one node."""
    return shell("start", _START)


def plan_again() -> Step:
    """Return the step after which what a node's file says is in force, if it runs."""
    return shell("reload corosync", _AGAIN)


def plan_authentication(host: str, password: str) -> Step:
    """Return the step that makes the nodes' pcs daemons trust the one of a quorum device's host."""
    script = 'pcs host auth -u hacluster "$1"'
    return shell("authenticate", script, host, stdin=f"{password}\n")
