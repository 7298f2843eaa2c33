"""What looks like a bug in the scripts, judged by the whole cluster and all effects."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pacefab.legacy.cluster.model import ReplayedCluster, ReplayedConstraint, ReplayedResource
from pacefab.legacy.interpreter.walkthrough import Walk
from pacefab.legacy.masking import UNSEEN, is_secret, secret_name
from pacefab.legacy.model import Fate, Place, ReportLine
from pacefab.legacy.source import sections
from pacefab.pacemaker.fencing.devices import LISTING

_HOSTS = ("pcmk_host_list", "pcmk_host_map")
_VIP_AGENT = "ocf:heartbeat:IPaddr2"
_INI = (".ini", ".conf", ".cfg")


def doubts(walk: Walk) -> Iterator[ReportLine]:
    """Yield an entry for each thing that an operator should check."""
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
        resource.agent.removeprefix("systemd:").removesuffix(".service"): resource
        for resource in cluster.resources.values()
        if resource.agent.startswith("systemd:")
    }
    said: set[tuple[Place, str]] = set()
    for unit in walk.world.effects.units:
        if unit.action == "enable" and unit.name in managed and (unit.place, unit.name) not in said:
            said.add((unit.place, unit.name))
            yield _doubt(
                unit.place,
                f"systemctl enable {unit.name}",
                f"Pacemaker manages it as {managed[unit.name].id}: enabled at boot, systemd starts "
                "it without Pacemaker's knowledge",
                "left out; pacefab disables the units of its services",
            )


def _addresses(walk: Walk, cluster: ReplayedCluster) -> Iterator[ReportLine]:
    """Compare VIPs with ini keys of the same name, and look for keys that no VIP has."""
    vips = {
        name: resource
        for name, resource in cluster.resources.items()
        if resource.agent == _VIP_AGENT
    }
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
                    f"[{section}] names a VIP that no script creates",
                    "",
                )
        elif vip.parameters.get("ip") not in {value, None}:
            yield _doubt(
                vip.place,
                f"{name} ip={vip.parameters['ip']}",
                f"the ini file says {value} ({path}:{line})",
                "kept as in the scripts; check which address clients use",
            )


def _ini_values(walk: Walk) -> Iterator[tuple[str, str, str, str, int]]:
    for file in walk.world.tree.files.values():
        if file.path.endswith(_INI):
            for section, items in sections(file.text).items():
                for key, (value, line) in items.items():
                    yield file.path, section, key, value, line


def _same_address(cluster: ReplayedCluster) -> Iterator[ReportLine]:
    seen: dict[str, ReplayedResource] = {}
    for resource in cluster.resources.values():
        address = resource.parameters.get("ip", "") if resource.agent == _VIP_AGENT else ""
        if address and address in seen:
            yield _doubt(
                resource.place,
                f"{resource.id} ip={address}",
                f"{seen[address].id} has the same address ({seen[address].place})",
            )
        seen.setdefault(address, resource)


def _fencing(cluster: ReplayedCluster) -> Iterator[ReportLine]:
    for device in cluster.fencing.values():
        asked = device.agent in LISTING
        if not asked and not any(key in device.parameters for key in _HOSTS):
            yield _doubt(
                device.place,
                f"stonith {device.id}",
                "fencing without hosts: nothing says which nodes this device fences",
                "give it nodes: [NODE…] in the inventory",
            )
    enabled = cluster.properties.get("stonith-enabled")
    if enabled is not None and enabled.text.lower() in {"false", "no", "off", "0"}:
        yield _doubt(
            enabled.place,
            "stonith-enabled=false",
            "a hung node is assumed to be stopped: its addresses and data can become active twice",
            "decide: fencing devices, or fencing: {disabled: true, reason: …} as written now",
        )


def _rules_of_no_node(cluster: ReplayedCluster) -> Iterator[ReportLine]:
    """Look for rules on an attribute's value that no node is given."""
    has = {
        (name, setting.text)
        for shelf in cluster.attributes.values()
        for name, setting in shelf.items()
    }
    asked: dict[tuple[str, str], list[ReplayedConstraint]] = {}
    for constraint in cluster.constraints:
        desired = (constraint.options.get("attribute", ""), constraint.options.get("value", ""))
        if (
            constraint.options.get("operation") == "eq"
            and desired[0][:1] != "#"
            and desired not in has
        ):
            asked.setdefault(desired, []).append(constraint)
    for (name, value), constraints in asked.items():
        yield _doubt(
            constraints[0].place,
            f"{name} eq {value}",
            f"no node is known to have {name}={value}; resources with this rule: "
            + ", ".join(dict.fromkeys(constraint.resources[0] for constraint in constraints)),
            "set it on the intended nodes (nodes: attributes), or the resources may run nowhere",
        )


def _lost_constraints(walk: Walk, cluster: ReplayedCluster) -> Iterator[ReportLine]:
    there = {(constraint.kind, constraint.resources) for constraint in cluster.constraints}
    for constraint, why in walk.replay.lost:
        known = all(cluster.find(name) for name in constraint.resources)
        if known and (constraint.kind, constraint.resources) not in there:
            there.add((constraint.kind, constraint.resources))
            yield _doubt(
                constraint.place,
                f"{constraint.kind} {' '.join(constraint.resources)}",
                f"deleting {why} also deletes this constraint, and nothing creates it again",
                "add it to constraints if it is still intended",
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
    for device in (*cluster.resources.values(), *cluster.fencing.values()):
        for key in device.parameters:
            if is_secret(key):
                name = secret_name(device.id, key)
                unseen = device.parameters[key] == UNSEEN
                yield _doubt(
                    device.place,
                    f"{device.id} {key}=***",
                    "a secret that no script has" if unseen else "a secret in clear text",
                    f"give it as the secret {name} (PACEFAB_SECRET_{name.upper()} or --secrets)",
                )


def _quorum(cluster: ReplayedCluster) -> Iterator[ReportLine]:
    policy = cluster.properties.get("no-quorum-policy")
    if policy is not None and policy.text == "ignore":
        yield _doubt(
            policy.place,
            "no-quorum-policy=ignore",
            "in a network partition each side continues by itself: split brain",
            "with three nodes or more, use stop",
        )
