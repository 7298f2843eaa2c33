"""What takes a service's packages, files, settings, helpers and open ports off a node. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from pacefab.host import files, firewall, kernel, packages, units
from pacefab.host.model import HostFacts
from pacefab.services.service import Look, Port
from pacefab.transport.command import Step, step

_UNIT_FILES = "/etc/systemd/system/"
_SYSCTL = "/etc/sysctl.d/"
_BESIDE = ("", files.PREVIOUS, ".rpmsave")  # rpm keeps a changed file so, and we the previous one


@dataclass(frozen=True)
class Purge:
    """What is to go from every node.

    Args:
        look: what the service has looked at on nodes: what it may have there.
        kept: packages, files and settings of the kernel that other services need too.
        data: folders that stay, with all that is in them.
        ports: those that were opened for it and for no other service.
        addresses: whom they were opened for; empty: firewalls are the operator's.
        clients: the networks for which those of clients were opened.
    """

    look: Look
    kept: Collection[str] = ()
    data: Sequence[str] = ()
    ports: Sequence[Port] = ()
    addresses: Sequence[str] = ()
    clients: Sequence[str] = ()

    @property
    def observed(self) -> Look:
        """What a node is to be asked for, to plan this."""
        own = tuple(p + s for p in self.look.files for s in _BESIDE)
        return replace(self.look, files=own + tuple(map(kernel.record, self.look.kernel)))

    @property
    def gone(self) -> tuple[str, ...]:
        """The files that go."""
        return tuple(path for path in self.look.files if self._goes(path))

    @property
    def units(self) -> tuple[str, ...]:
        """The units of its packages; those that files of ours define are helpers."""
        return tuple(name for name in self.look.units if _UNIT_FILES + name not in self.look.files)

    def names(self, facts: HostFacts) -> set[str]:
        """Return the units of its packages by every name that a node has for them."""
        return {*self.units, *(name for unit in self.units for name in facts.unit(unit).names)}

    def plan(self, facts: HostFacts) -> list[Step]:
        """Return the steps that leave nothing of it on a node; none where nothing is left.

        Raises:
            RefusedError: no package manager that we know, or its firewall cannot be understood.
        """
        gone = [path + s for path in self.look.files for s in _BESIDE if self._goes(path + s)]
        left = any(facts.files.get(path) is not None for path in gone)
        own = [*self._helpers(facts), *self._packages(facts)]
        if own or left:
            own.append(step("remove configuration", "rm", "-f", *gone))
        if left and any(path.startswith(_UNIT_FILES) for path in gone):
            own.append(units.plan_daemon_reload())
        return own + self._kernel(facts) + self._closed(facts)

    def stays(self, facts: HostFacts) -> list[str]:
        """Return what is in force until the node is restarted: nothing says what it was before."""
        own = (name for name in self._settings(facts) if facts.text(kernel.record(name)) is None)
        there = any(path.startswith(_SYSCTL) and facts.text(path) for path in self.look.files)
        return [f"{name} stays {facts.kernel[name]} until a restart" for name in own if there]

    def _settings(self, facts: HostFacts) -> list[str]:
        return [n for n in self.look.kernel if n in facts.kernel and n not in self.kept]

    def _kernel(self, facts: HostFacts) -> list[Step]:
        known = ((name, facts.text(kernel.record(name))) for name in self._settings(facts))
        return [kernel.plan_restore(name, old.strip()) for name, old in known if old is not None]

    def _goes(self, path: str) -> bool:
        within = (path.startswith(f"{folder}/") for folder in self.data)
        return path not in self.kept and not any(within)

    def _helpers(self, facts: HostFacts) -> list[Step]:
        """Return what ends the units that files of ours define."""
        known = (facts.unit(name) for name in self.look.units)
        own = (unit for unit in known if _UNIT_FILES + unit.name in self.look.files)
        return [units.plan_remove(u.name) for u in own if u.running or u.starts_at_boot]

    def _packages(self, facts: HostFacts) -> list[Step]:
        there = [name for name in self.look.packages if facts.packages.get(name) is not None]
        going = [name for name in there if name not in self.kept]
        if not going:
            return []
        manager = facts.supported_manager()
        return (packages.plan_remove if self.data else packages.plan_purge)(manager, going)

    def _closed(self, facts: HostFacts) -> list[Step]:
        if facts.firewall is None or not (self.ports and self.addresses):
            return []
        every = [(a, p) for a in self.addresses for p in self.ports]
        every += [(network, p) for network in self.clients for p in self.ports if p.clients]
        rules = [firewall.rule(a, p.number, p.protocol) for a, p in every]
        own = firewall.zones(facts.firewall, facts.interfaces, self.addresses)
        others = firewall.every_zone(facts.firewall, facts.interfaces) if self.clients else ()
        zones = dict.fromkeys((*own, *others))
        return [s for z in zones for s in firewall.plan_close(facts.firewall, z, rules)]
