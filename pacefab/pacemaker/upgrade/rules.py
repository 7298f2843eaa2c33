"""Everything that is looked at in a CIB before Pacemaker 3: the rules by what they are about."""

from __future__ import annotations

from typing import Final

from pacefab.pacemaker.upgrade import constraints, resources, settings
from pacefab.pacemaker.upgrade.findings import Rule

PACEMAKER_3: Final[tuple[tuple[str, Rule], ...]] = (
    ("schema of the CIB", settings.schema),
    ("properties", settings.properties),
    ("nodes of the CIB", settings.ping_nodes),
    ("attributes of nodes", settings.discovery),
    ("defaults of resources", settings.default_parameters),
    ("shared values", settings.shared_pairs),
    ("classes of resources", resources.removed_classes),
    ("agents", resources.removed_agents),
    ("promotable clones", resources.masters),
    ("names of meta attributes", resources.legacy_meta),
    ("bundles", resources.bundles),
    ("options of resources", resources.dropped_options),
    ("instances of clones", resources.unique_instances),
    ("migration thresholds", resources.negative_thresholds),
    ("pending operations", resources.record_pending),
    ("lifetimes of constraints", constraints.lifetimes),
    ("rules of constraints", constraints.several_rules),
    ("scores", constraints.invalid_scores),
    ("operators of rules", constraints.invalid_operators),
    ("roles", constraints.invalid_roles),
    ("names of roles", constraints.old_roles),
    ("constraints on instances", constraints.instances),
    ("dates by the moon", settings.moons),
    ("rules of sets", settings.several_rules),
    ("rules on nodes", settings.node_rules),
    ("tests of rules", settings.broken_rules),
    ("fencing levels", settings.fencing_levels),
)
