"""Pacemaker's own options by name: cluster properties and meta attributes of resources.

Pacemaker ignores a name that it does not know, without a word; so a typo has to be found here.
The names are those of `pacemaker-schedulerd metadata`, `pacemaker-controld metadata` and
`pacemaker-based metadata` of Pacemaker 2.1.5 and 3.0.0, and of `crm_resource
--list-options=primitive --all` of 3.0.0; those of clones are Pacemaker Explained's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, create_model

from pacefab.inventory.model import Part
from pacefab.inventory.values import SCORE, TIME, Boolean, Number, ScalarText, Score, Time
from pacefab.pacemaker.sections.property_names import NEW_NAMES

_Kind = tuple[Any, str]  # a type, and what it allows

_BOOLEAN: _Kind = (Boolean, "true or false")
_NUMBER: _Kind = (Number, "a whole number")
_SCORE: _Kind = (Score, SCORE)
_TEXT: _Kind = (ScalarText, "a text")
_TIME: _Kind = (Time, TIME)


def _one_of(*choices: str) -> _Kind:
    return Literal[choices], f"one of {', '.join(choices)}"


# Not among them: stonith-enabled, which follows from the section `fencing`; cluster-name, which
# is the inventory's `cluster`; and what Pacemaker itself finds out (dc-version, have-watchdog …).
_PROPERTIES: Mapping[str, _Kind] = {
    "no-quorum-policy": _one_of("stop", "freeze", "ignore", "demote", "fence", "suicide"),
    "symmetric-cluster": _BOOLEAN,
    "maintenance-mode": _BOOLEAN,
    "start-failure-is-fatal": _BOOLEAN,
    "enable-startup-probes": _BOOLEAN,
    "shutdown-lock": _BOOLEAN,
    "shutdown-lock-limit": _TIME,
    "stonith-action": _one_of("reboot", "off", "poweroff"),
    "stonith-timeout": _TIME,
    "stonith-watchdog-timeout": _TIME,
    "stonith-max-attempts": _NUMBER,
    "concurrent-fencing": _BOOLEAN,
    "startup-fencing": _BOOLEAN,
    "priority-fencing-delay": _TIME,
    "fence-reaction": _one_of("stop", "panic"),
    "fence-remote-without-quorum": _BOOLEAN,
    "node-pending-timeout": _TIME,
    "cluster-delay": _TIME,
    "cluster-recheck-interval": _TIME,
    "cluster-ipc-limit": _NUMBER,
    "dc-deadtime": _TIME,
    "election-timeout": _TIME,
    "shutdown-escalation": _TIME,
    "join-integration-timeout": _TIME,
    "join-finalization-timeout": _TIME,
    "transition-delay": _TIME,
    "batch-limit": _NUMBER,
    "migration-limit": _NUMBER,
    "load-threshold": _TEXT,
    "node-action-limit": _NUMBER,
    "stop-all-resources": _BOOLEAN,
    "stop-orphan-resources": _BOOLEAN,
    "stop-orphan-actions": _BOOLEAN,
    "remove-after-stop": _BOOLEAN,
    "pe-error-series-max": _NUMBER,
    "pe-warn-series-max": _NUMBER,
    "pe-input-series-max": _NUMBER,
    "node-health-strategy": _one_of(
        "none", "migrate-on-red", "only-green", "progressive", "custom"
    ),
    "node-health-base": _SCORE,
    "node-health-green": _SCORE,
    "node-health-yellow": _SCORE,
    "node-health-red": _SCORE,
    "placement-strategy": _one_of("default", "utilization", "minimal", "balanced"),
    "enable-acl": _BOOLEAN,
}

# Of a property that has two names either is allowed; the cluster has whichever it understands.
PROPERTIES: Mapping[str, _Kind] = {
    **_PROPERTIES,
    **{new: _PROPERTIES[old] for old, new in NEW_NAMES.items() if old in _PROPERTIES},
}

RESOURCE_META: Mapping[str, _Kind] = {
    "priority": _SCORE,
    "critical": _BOOLEAN,
    "target-role": _one_of("Started", "Stopped", "Promoted", "Unpromoted"),
    "is-managed": _BOOLEAN,
    "maintenance": _BOOLEAN,
    "resource-stickiness": _SCORE,
    "requires": _one_of("nothing", "quorum", "fencing", "unfencing"),
    "migration-threshold": _SCORE,
    "failure-timeout": _TIME,
    "multiple-active": _one_of("block", "stop_only", "stop_start", "stop_unexpected"),
    "allow-migrate": _BOOLEAN,
    "allow-unhealthy-nodes": _BOOLEAN,
    "container-attribute-target": _TEXT,
    "remote-node": _TEXT,
    "remote-addr": _TEXT,
    "remote-port": _NUMBER,
    "remote-connect-timeout": _TIME,
    "remote-allow-migrate": _BOOLEAN,
}

# `promotable` is missing: it is a key of its own.
CLONE_META: Mapping[str, _Kind] = {
    "interleave": _BOOLEAN,
    "ordered": _BOOLEAN,
    "notify": _BOOLEAN,
    "globally-unique": _BOOLEAN,
    "clone-max": _NUMBER,
    "clone-node-max": _NUMBER,
    "clone-min": _NUMBER,
    "promoted-max": _NUMBER,
    "promoted-node-max": _NUMBER,
}


# Operation properties and meta attributes that rules of op_defaults may set.
OPERATION_DEFAULTS: Mapping[str, _Kind] = {
    "timeout": _TIME,
    "interval": _TIME,
    "start-delay": _TIME,
    "enabled": _BOOLEAN,
    "record-pending": _BOOLEAN,
    "role": _one_of("Promoted", "Unpromoted", "Started", "Stopped"),
    "on-fail": _one_of(
        "ignore", "block", "demote", "stop", "restart", "standby", "fence", "restart-container"
    ),
}


class Options(Part):
    """Options by the names that Pacemaker gives them."""

    def texts(self) -> dict[str, str]:
        """Return the options that were given, as they stand in a CIB."""
        return self.model_dump(by_alias=True, exclude_unset=True)


def _model(name: str, doc: str, options: Mapping[str, _Kind], elsewhere: Mapping[str, str]) -> Any:
    fields: dict[str, Any] = {
        key.replace("-", "_"): (kind, Field(default=None, alias=key, description=allowed))
        for key, (kind, allowed) in options.items()
    }
    model: Any = create_model(name, __base__=Options, __doc__=doc, **fields)
    model.elsewhere = elsewhere
    return model


_OWN = "Pacemaker itself writes it"
_FENCING = "it follows from the section fencing"
_TODAY = {
    "master-max": "it is called promoted-max today",
    "master-node-max": "it is called promoted-node-max today",
}
_OF_CLONES = "it is an option of clones, and does nothing here: write it below clone or promotable"

Properties: Any = _model(
    "Properties",
    "Cluster properties.",
    PROPERTIES,
    {
        **dict.fromkeys(("stonith-enabled", "fencing-enabled"), _FENCING),
        **dict.fromkeys(("dc-version", "cluster-infrastructure", "have-watchdog"), _OWN),
        "cluster-name": "it is the inventory's own key cluster",
        **dict.fromkeys(RESOURCE_META, "it is an option of resources: write it below defaults"),
    },
)
OperationDefaults: Any = _model(
    "OperationDefaults",
    "Defaults of operations.",
    OPERATION_DEFAULTS,
    dict.fromkeys(RESOURCE_META, "it is an option of resources: write it below defaults"),
)
ResourceMeta: Any = _model(
    "ResourceMeta",
    "Meta attributes of a resource.",
    RESOURCE_META,
    {**_TODAY, **dict.fromkeys([*CLONE_META, "promotable"], _OF_CLONES)},
)
AnyMeta: Any = _model(
    "AnyMeta",
    "Meta attributes of resources, of clones too.",
    {**RESOURCE_META, **CLONE_META},
    {
        **_TODAY,
        **dict.fromkeys(PROPERTIES, "it is a cluster property: write it below properties"),
        "promotable": "it is a key of its own, in the place of clone",
    },
)
