"""What readers of settings have in common: what they read from, and texts of files. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pacefab.export.words import Unsayable, scalar
from pacefab.host.model import HostFacts
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import Configuration, Membership
from pacefab.services import registry
from pacefab.services.service import DesiredNode
from pacefab.workflows.rollout.desired import Intent

Data = dict[str, Any]


def stand_in(_name: str) -> str:
    """Return what stands for a secret: only texts without their secrets are compared."""
    return "secret"


@dataclass(frozen=True)
class ServicesShown:
    """What a cluster shows of its services.

    Args:
        cib: the configuration.
        membership: the cluster's nodes with their addresses.
        facts: of the nodes that answered, by node.
        sections: settings of the services that are read already.
        left: the primitives that are left in Pacemaker's terms.
        beside_remotes: whether services are kept off remote nodes.
    """

    cib: Cib
    membership: Membership
    facts: Mapping[str, HostFacts]
    sections: Mapping[str, Any] = field(default_factory=dict)
    left: Collection[str] = ()
    beside_remotes: bool = False

    def primitives(self, service: str) -> tuple[str, ...]:
        """Return the primitives that a service may describe."""
        every = registry.service(service).primitives(self.cib)
        return tuple(name for name in every if name not in self.left)

    def intent(self, service: str, section: Any) -> Intent:
        """Return what would be desired with these settings of a service, beside those known."""
        sections = {**self.sections, service: section}
        whole = self.membership, sections, (service,), Configuration(), stand_in
        return Intent(*whole, beside_remotes=self.beside_remotes)

    def node(self, service: str, section: Any, name: str) -> DesiredNode:
        """Return what a node would need with these settings. Errors of the descriptions."""
        intent = self.intent(service, section)
        return intent.node(intent.site(self.facts), name)

    def first(self, path: str) -> tuple[str, str]:
        """Return a node that has a file, and its text.

        Raises:
            Unsayable: none has.
        """
        for name, facts in self.facts.items():
            text = facts.text(path)
            if text is not None:
                return name, text
        raise Unsayable(f"no node has {path}")


SettingsReader = Callable[[ServicesShown], Data]
"""What reads a service's settings, as the inventory has them; whether they make exactly what is
there is compared afterwards. Raises `Unsayable`: there are none."""


def further_settings(shown: ServicesShown, service: str, section: Any, path: str) -> Data:
    """Return the options that follow the service's own in a file: `name = value`, a line each."""
    node, text = shown.first(path)
    files = shown.node(service, section, node).files
    own = next(file.render(text) for file in files if file.path == path)
    found: Data = {}
    for line in text.splitlines()[len(own.splitlines()) :]:
        name, _, value = line.partition(" = ")
        found[name] = number(unquoted(value))
    return found


def unquoted(value: str) -> str:
    """Return a value without the quotes that an option file needs around it."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1].replace(r"\"", '"').replace(r"\\", "\\")
    return value


def number(text: str) -> int | str:
    """Return a whole number where a text is one."""
    found = scalar(text)
    return found if isinstance(found, int) and not isinstance(found, bool) else text
