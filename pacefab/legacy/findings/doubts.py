"""What looks like a bug in the original, seen from the end: the whole cluster and all effects."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pacefab.legacy.interpreter.walkthrough import Walk
from pacefab.legacy.masking import is_secret, secret_name
from pacefab.legacy.model import Fate, Place, ReportLine
from pacefab.legacy.pcs.cluster import ReplayedCluster, ReplayedConstraint, ReplayedResource
from pacefab.legacy.source import sections

_HOSTS = ("pcmk_host_list", "pcmk_host_map")
_VIP_AGENT = "ocf:heartbeat:IPaddr2"
_INI = (".ini", ".conf", ".cfg")


def doubts(walk: Walk) -> Iterator[ReportLine]:
    """Yield an entry for each thing that somebody should look at."""
    cluster = walk.replay.cluster
    yield from _enabled_at_boot(walk, cluster)
    yield from _addresses(walk, cluster)
    yield from _same_address(cluster)
    yield from _fencing(cluster)
    yield from _rules_of_no_node(cluster)
    yield from _lost_constraints(walk, cluster)
    yield from _secrets_of_files(walk)
    yield from _secrets_of_resources(cluster)
    yield from _quorum(cluster)


def _doubt(place: Place, text: str, reason: str, advice: str = "") -> ReportLine:
    return ReportLine(Fate.DOUBTFUL, place, text, reason, advice)


def _enabled_at_boot(walk: Walk, cluster: ReplayedCluster) -> Iterator[ReportLine]:
    managed = {
        one.agent.removeprefix("systemd:").removesuffix(".service"): one
        for one in cluster.resources.values()
        if one.agent.startswith("systemd:")
    }
    said: set[tuple[Place, str]] = set()
    for unit in walk.world.effects.units:
        if unit.action == "enable" and unit.name in managed and (unit.place, unit.name) not in said:
            said.add((unit.place, unit.name))
            yield _doubt(
                unit.place,
                f"systemctl enable {unit.name}",
                f"Pacemaker manages it as {managed[unit.name].id}: enabled at boot, systemd starts "
                "it behind Pacemaker's back",
                "left out; pacefab disables the units of its services",
            )


def _addresses(walk: Walk, cluster: ReplayedCluster) -> Iterator[ReportLine]:
    """Compare VIPs with ini keys of the same name, and look for keys that no VIP has."""
    vips = {name: one for name, one in cluster.resources.items() if one.agent == _VIP_AGENT}
    for path, section, key, value, line in _ini_values(walk):
        name = key.replace("_", "-")
        if not re.match(r"(\d{1,3}\.){3}\d{1,3}$", value) or not name.startswith("vip-"):
            continue
        vip = vips.get(name)
        if vip is None:
            if vips:
                yield _doubt(
                    Place(path, line),
                    f"{key}={value}",
                    f"[{section}] names a VIP that no script makes",
                    "",
                )
        elif vip.parameters.get("ip") not in {value, None}:
            yield _doubt(
                vip.place,
                f"{name} ip={vip.parameters['ip']}",
                f"the ini file says {value} ({path}:{line})",
                "kept as the scripts make it; see which address clients use",
            )


def _ini_values(walk: Walk) -> Iterator[tuple[str, str, str, str, int]]:
    for file in walk.world.tree.files.values():
        if file.path.endswith(_INI):
            for section, items in sections(file.text).items():
                for key, (value, line) in items.items():
                    yield file.path, section, key, value, line


def _same_address(cluster: ReplayedCluster) -> Iterator[ReportLine]:
    seen: dict[str, ReplayedResource] = {}
    for one in cluster.resources.values():
        address = one.parameters.get("ip", "") if one.agent == _VIP_AGENT else ""
        if address and address in seen:
            yield _doubt(
                one.place,
                f"{one.id} ip={address}",
                f"{seen[address].id} has the same address ({seen[address].place})",
            )
        seen.setdefault(address, one)


def _fencing(cluster: ReplayedCluster) -> Iterator[ReportLine]:
    for one in cluster.fencing.values():
        if not any(key in one.parameters for key in _HOSTS):
            yield _doubt(
                one.place,
                f"stonith {one.id}",
                "fencing without hosts: nothing says which nodes this device fences",
                "give it nodes: [NODE…] in the inventory",
            )
    enabled = cluster.properties.get("stonith-enabled")
    if enabled is not None and enabled.text.lower() in {"false", "no", "off", "0"}:
        yield _doubt(
            enabled.place,
            "stonith-enabled=false",
            "a node that hangs is taken for stopped, and its addresses and data are started twice",
            "decide: fencing devices, or fencing: {disabled: true, reason: …} as written now",
        )


def _rules_of_no_node(cluster: ReplayedCluster) -> Iterator[ReportLine]:
    """Look for rules on an attribute's value that no node is given."""
    has = {(name, one.text) for shelf in cluster.attributes.values() for name, one in shelf.items()}
    asked: dict[tuple[str, str], list[ReplayedConstraint]] = {}
    for one in cluster.constraints:
        desired = (one.options.get("attribute", ""), one.options.get("value", ""))
        if one.options.get("operation") == "eq" and desired[0][:1] != "#" and desired not in has:
            asked.setdefault(desired, []).append(one)
    for (name, value), constraints in asked.items():
        yield _doubt(
            constraints[0].place,
            f"{name} eq {value}",
            f"no node is known to have {name}={value}; resources with this rule: "
            + ", ".join(dict.fromkeys(one.resources[0] for one in constraints)),
            "give it to the nodes that are meant (nodes: attributes), or they may run nowhere",
        )


def _lost_constraints(walk: Walk, cluster: ReplayedCluster) -> Iterator[ReportLine]:
    there = {(one.kind, one.resources) for one in cluster.constraints}
    for one, why in walk.replay.lost:
        known = all(cluster.find(name) for name in one.resources)
        if known and (one.kind, one.resources) not in there:
            there.add((one.kind, one.resources))
            yield _doubt(
                one.place,
                f"{one.kind} {' '.join(one.resources)}",
                f"the delete of {why} takes this constraint along, and nothing makes it again",
                "add it to constraints where it is still meant",
            )


def _secrets_of_files(walk: Walk) -> Iterator[ReportLine]:
    for path, section, key, value, line in _ini_values(walk):
        if is_secret(key) and value:
            name = "hacluster" if "hacluster" in key else secret_name(key)
            yield _doubt(
                Place(path, line),
                f"[{section}] {key}=***",
                "a secret in clear text",
                f"where pacefab needs it, give it as the secret {name}",
            )


def _secrets_of_resources(cluster: ReplayedCluster) -> Iterator[ReportLine]:
    for one in (*cluster.resources.values(), *cluster.fencing.values()):
        for key in one.parameters:
            if is_secret(key):
                name = secret_name(one.id, key)
                yield _doubt(
                    one.place,
                    f"{one.id} {key}=***",
                    "a secret in clear text",
                    f"give it as the secret {name} (PACEFAB_SECRET_{name.upper()} or --secrets)",
                )


def _quorum(cluster: ReplayedCluster) -> Iterator[ReportLine]:
    policy = cluster.properties.get("no-quorum-policy")
    if policy is not None and policy.text == "ignore":
        yield _doubt(
            policy.place,
            "no-quorum-policy=ignore",
            "each half of a parted cluster goes on by itself: split brain",
            "of three nodes or more: stop",
        )
