"""Why Pacemaker does not run a primitive on a node, or does not keep it running. Pure.

The settings are those of Pacemaker Explained: node and cluster options, meta attributes of a
primitive, its template, its group, its clone and of all resources (rsc_defaults), location
constraints, and what a resource depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from pacefab.pacemaker.cib import PROPERTIES, Cib, pairs
from pacefab.pacemaker.model import role_of
from pacefab.pacemaker.nouns.status import Ban, ClusterStatus, NodeStatus
from pacefab.pacemaker.placement.constraints import (
    UPDATE_BAN,
    describe_rule,
    is_positive,
    lift,
    may_include,
    needed,
    primitives_in,
)
from pacefab.pacemaker.placement.settings import (
    MetaSetting,
    about,
    ancestors,
    called,
    find,
    full_clone,
    has_clones,
    left_alone,
    origin,
    reset,
)
from pacefab.pacemaker.placement.tickets import missing_ticket
from pacefab.pacemaker.word import Cause

_TRUE, _FALSE = {"true", "on", "yes", "y", "1"}, {"false", "off", "no", "n", "0"}
_MAINTENANCE = "pcs property set maintenance-mode=false"
_LOOK = "see pcs status, pcs constraint and crm_simulate -sL"


@dataclass(frozen=True)
class Causes:
    """What a CIB and its status say about why; `running` is where everything would run."""

    cib: Cib
    status: ClusterStatus
    running: Mapping[str, frozenset[str]]

    def of(self, primitive: str, node: str) -> Cause | None:
        """Return why a primitive does not run on a node; None: nothing is against it."""
        asked: tuple[Callable[[], Cause | None], ...] = (
            lambda: self._disabled(primitive),
            self._stop_all,
            lambda: self.unmanaged(primitive, node),
            lambda: self._node(node),
            self._no_quorum,
            lambda: self._banned(primitive, node),
            lambda: self._failed(primitive, node),
        )
        return (
            next((cause for ask in asked if (cause := ask())), None)
            or missing_ticket(self.cib, primitive)
            or full_clone(self.cib, primitive, self.running[primitive])
            or self._opt_in(primitive, node)
            or self._dependent(primitive)
            or self._unknown(primitive)
        )

    def _rest(self, primitive: str) -> str:
        """Return the nodes on which nothing but itself keeps a primitive from running."""
        nodes = [
            node.name
            for node in self.status.nodes
            if not node.remote
            and node.name not in self.running.get(primitive, ())
            and not (self._node(node.name) or self._specific(primitive, node.name))
        ]
        return ", ".join(nodes)

    def general(self) -> Iterator[Cause]:
        """Yield what is so for all resources, or for all of a node."""
        if self.status.maintenance:
            yield Cause(
                "the cluster is in maintenance mode, Pacemaker starts, stops and watches nothing",
                _MAINTENANCE,
                halts=True,
            )
        yield from filter(None, [self._stop_all()])
        for node in self.status.nodes:
            if cause := self._node(node.name) or self._node_maintenance(node):
                yield cause
            elif node.remote and has_clones(self.cib, self.running, node):
                yield Cause(
                    f"{node.name} is a {node.kind} node, pacefab neither installs nor asks "
                    "services there",
                    f"keep a resource away from it: pcs constraint location … avoids {node.name}",
                    node=node.name,
                )

    def demoted(self, primitive: str) -> Iterator[Cause]:
        """Yield why no instance of a promotable clone is to be promoted."""
        setting = find(self.cib, primitive, "target-role")
        if setting and role_of(setting.value) == "Unpromoted" and self.running.get(primitive):
            name = called(setting, primitive)
            yield Cause(
                f"{name} is kept from being promoted (target-role {setting.value})",
                reset(setting, "target-role"),
                resource=about(setting, primitive),
            )

    def _node(self, name: str) -> Cause | None:
        """Return why nothing runs on a node."""
        node = self._nodes.get(name)
        if node is None:
            return None
        if node.standby_on_fail:
            return Cause(
                f"{name} is in standby since an operation failed there (on-fail standby)",
                f"repair it, then: pcs resource cleanup node={name}",
                deliberate=False, node=name,
            )  # fmt: skip
        if node.unclean or not node.online or node.pending:
            said = f"{node.called} is {node.word}"
            way_out = _LOOK if node.remote or node.online else f"pcs cluster start {name}"
            return Cause(said, way_out, deliberate=False, named=True, away=True, node=name)
        if node.standby:
            said = f"{name} is in standby, its services are not asked"
            return Cause(said, f"pcs node unstandby {name}", node=name)
        if not node.healthy and self._property("node-health-strategy") not in {"", "none"}:
            return Cause(
                f"{name} is unhealthy by its #health attributes "
                f"(node-health-strategy {self._property('node-health-strategy')})",
                f"see why: crm_mon -1A; journalctl -u pacemaker on {name}",
                deliberate=False, node=name,
            )  # fmt: skip
        return None

    def _node_maintenance(self, node: NodeStatus) -> Cause | None:
        if not node.maintenance or self.status.maintenance:
            return None
        return Cause(
            f"{node.name} is in maintenance, Pacemaker starts, stops and watches nothing there and "
            "its services are not asked",
            f"pcs node unmaintenance {node.name}",
            node=node.name,
        )

    def _disabled(self, primitive: str) -> Cause | None:
        setting = find(self.cib, primitive, "target-role")
        instances = self.status.instances(primitive)
        if not any(instance.target_role == "Stopped" for instance in instances) and (
            setting is None or role_of(setting.value) != "Stopped"
        ):
            return None
        if setting is None:
            setting = MetaSetting("Stopped", primitive, "primitive")  # by a rule
        way_out = f"pcs resource enable {setting.holder}"
        if setting.kind in {"template", ""}:
            way_out = reset(setting, "target-role")
        said = f"{called(setting, primitive)} is disabled (target-role Stopped{origin(setting)})"
        return Cause(said, way_out, resource=about(setting, primitive))

    def _stop_all(self) -> Cause | None:
        if self._property("stop-all-resources").lower() not in _TRUE:
            return None
        said = "stop-all-resources is set, Pacemaker stops everything"
        return Cause(said, "pcs property set stop-all-resources=false")

    def unmanaged(self, primitive: str, node: str) -> Cause | None:
        """Return why Pacemaker neither starts nor stops a primitive on a node."""
        if self.status.maintenance:
            return next(self.general(), None)
        if (known := self._nodes.get(node)) and (cause := self._node_maintenance(known)):
            return cause
        for name, wrong in (("maintenance", True), ("is-managed", False)):
            setting = find(self.cib, primitive, name)
            if setting and (setting.value.lower() in _TRUE) is wrong:
                return left_alone(setting, primitive, name)
        if all(instance.managed for instance in self.status.instances(primitive)):
            return None
        return Cause(
            f"{primitive} is unmanaged, Pacemaker neither starts nor restarts it",
            f"pcs resource manage {primitive}",
            resource=primitive,
        )

    def _no_quorum(self) -> Cause | None:
        policy = self._property("no-quorum-policy") or "stop"
        if self.status.quorum or policy == "ignore":
            return None
        said = f"the cluster has no quorum (no-quorum-policy {policy})"
        return Cause(said, "bring back enough nodes: pcs status", deliberate=False, named=True)

    def _banned(self, primitive: str, node: str) -> Cause | None:
        names = {str(e.get("id")) for e in ancestors(self.cib, primitive)}
        for ban in self.status.bans:
            if ban.node == node and ban.resource in names and not ban.promoted_only:
                return self._ban(ban)
        return None

    def _ban(self, ban: Ban) -> Cause:
        constraint = self._constraint(ban.id)
        name = str(constraint.get("id")) if constraint is not None else ban.id
        return Cause(
            f"{ban.node} is banned for {ban.resource} by {name}{describe_rule(constraint)}",
            lift(name, ban),
            deliberate=not name.startswith(UPDATE_BAN),
            resource=ban.resource,
            node=ban.node,
        )

    def _constraint(self, name: str) -> etree._Element | None:
        """Return the constraint that has an id, or whose rule has it."""
        for constraint in self.cib.all_constraints:
            if any(element.get("id") == name for element in constraint.iter("*")):
                return constraint
        return None

    def _failed(self, primitive: str, node: str) -> Cause | None:
        for failure in self.status.failures:
            if failure.resource.partition(":")[0] == primitive and failure.node == node:
                return Cause(
                    f"{failure.operation} of {primitive} failed on {node}",
                    f"repair it, then: pcs resource cleanup {primitive} node={node}",
                    deliberate=False, named=True, resource=primitive, node=node,
                )  # fmt: skip
        return None

    def _opt_in(self, primitive: str, node: str) -> Cause | None:
        """Return that a resource runs only where a constraint allows it, which none does here."""
        names = [str(e.get("id")) for e in ancestors(self.cib, primitive)] or [primitive]
        top, rest = names[-1], self._rest(primitive)
        if not rest:  # it is a remote node that has none
            return None
        here = [c for c in self.cib.all_constraints if c.get("rsc") in names]
        preferred = any(c.get("node") == node and is_positive(c) for c in here)
        if self._property("symmetric-cluster").lower() in _FALSE and not preferred:
            return Cause(
                f"{top} is not allowed on {rest}, as no constraint prefers it there "
                "(symmetric-cluster=false)",
                f"pcs constraint location {top} prefers {rest.replace(',', '')}",
                resource=top,
            )
        exclusive = [c for c in here if c.get("resource-discovery") == "exclusive"]
        if exclusive and not any(may_include(self.cib, c, node) for c in exclusive):
            name = exclusive[0].get("id")
            return Cause(
                f"{top} is not allowed on {rest} by {name} (resource-discovery=exclusive)",
                f"pcs constraint delete {name}", resource=top,
                shared=f"are not allowed on {rest} by exclusive locations"
                f"{describe_rule(exclusive[0])}: pcs constraint location",
            )  # fmt: skip
        return None

    def _dependent(self, primitive: str, seen: frozenset[str] = frozenset()) -> Cause | None:
        """Return that what a primitive needs does not run, deliberately where that is so."""
        for resource, promoted in needed(self.cib, primitive):
            for name in primitives_in(self.cib, resource):
                if name in seen or self._runs(name, promoted=promoted):
                    continue
                root = None if promoted else self._root(name, seen | {primitive})
                why = f" ({root.said})" if root else ""
                said = "has no promoted instance" if promoted else "does not run"
                return Cause(
                    f"{primitive} needs {resource}, which {said}{why}",
                    root.way_out if root else _LOOK,
                    deliberate=root is not None and root.deliberate,
                    named=root is not None and root.named,
                    waits=root is None or not root.named,
                    resource=primitive,
                )
        return None

    def _runs(self, primitive: str, *, promoted: bool) -> bool:
        if promoted:
            return any(one.role == "Promoted" for one in self.status.instances(primitive))
        return bool(self.running.get(primitive))

    def _root(self, primitive: str, seen: frozenset[str]) -> Cause | None:
        """Return why a primitive runs nowhere."""
        if deeper := self._dependent(primitive, seen):
            return deeper
        found = [
            cause
            for node in self.status.nodes
            if (cause := self._specific(primitive, node.name)) is not None
        ]
        return next((c for c in found if not c.deliberate), found[0] if found else None)

    def _specific(self, primitive: str, node: str) -> Cause | None:
        return (
            self._disabled(primitive)
            or self._stop_all()
            or self.unmanaged(primitive, node)
            or self._banned(primitive, node)
            or self._failed(primitive, node)
            or missing_ticket(self.cib, primitive)
        )

    def _unknown(self, primitive: str) -> Cause | None:
        rest = self._rest(primitive)
        if not rest:
            return None
        strategy = self._property("placement-strategy")
        why = f" (placement-strategy {strategy})" if strategy not in {"", "default"} else ""
        said = f"Pacemaker does not run {primitive} on {rest}{why}"
        return Cause(said, _LOOK, deliberate=False, resource=primitive)

    def _property(self, name: str) -> str:
        return self._properties.get(name, "")

    @cached_property
    def _properties(self) -> dict[str, str]:
        """The cluster's options: of several sets, the one that pcs writes comes before all."""
        sets = self.cib.root.findall("configuration/crm_config/cluster_property_set")
        plain = [each for each in sets if each.find("rule") is None]
        ordered = sorted(plain, key=lambda each: each.get("id") == PROPERTIES)
        return {name: value for each in ordered for name, value in pairs(each).items()}

    @cached_property
    def _nodes(self) -> dict[str, NodeStatus]:
        return {node.name: node for node in self.status.nodes}
