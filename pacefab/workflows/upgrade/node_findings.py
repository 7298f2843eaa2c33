"""What of a node stands in the way of its upgrade: packages, repositories, disks, settings. Pure.

Rules of Debian are from its release notes, "Upgrades from Debian 12": one release at a time, no
package half installed or held, no repository of others, space enough, nothing that upgrades by
itself meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pacefab.host.releases import ReleaseFacts, Repository
from pacefab.pacemaker.upgrade.findings import Severity, UpgradeFinding
from pacefab.workflows.upgrade.known_releases import Release, number

_DISTRIBUTIONS: Final = {"debian": "Debian", "ubuntu": "Ubuntu"}
_COMPONENTS: Final = frozenset({
    "main", "contrib", "non-free", "non-free-firmware", "restricted", "universe", "multiverse",
})  # fmt: skip
_DROPPED_VARIABLES: Final = frozenset({
    "HA_cib_timeout", "HA_shutdown_delay", "PCMK_cib_timeout", "PCMK_dh_min_bits",
    "PCMK_shutdown_delay",
})  # fmt: skip
_PANICS: Final = frozenset({"crash", "off", "reboot", "sync-crash", "sync-off", "sync-reboot"})
_PACEMAKER_3: Final = (3, 0)
_OLDEST_PACEMAKER: Final = (2, 0)
_OLDEST_COROSYNC: Final = 3
_MIB: Final = 1024
_ROOT_SHARE, _CACHE_SHARE = 0.25, 0.4
_ROOT_LEAST, _CACHE_LEAST, _BOOT_LEAST = 300 * _MIB, 100 * _MIB, 150 * _MIB


@dataclass(frozen=True)
class UpgradeNode:
    """A node, what it is, and to which release it is to go."""

    name: str
    facts: ReleaseFacts
    own: Release
    target: Release
    steps: int  # releases between: 1 to the next one, 0: it is there

    def version(self, package: str) -> str:
        """Return the version of an installed package; empty: it is not."""
        return self.facts.installed(package)


NodeRule = Callable[[UpgradeNode], Iterator[UpgradeFinding]]


def distance(node: UpgradeNode) -> Iterator[UpgradeFinding]:
    """Find nodes that cannot go there in one step.

    Debian and Ubuntu upgrade from each release to the next one alone.
    """
    if node.steps < 0:
        yield UpgradeFinding(
            node.name,
            f"it is {node.own}",
            f"that is newer than {node.target}, and there is no way back",
            f"upgrade the others to what it has: --to {node.own.codename}",
        )
    elif node.steps > 1:
        yield UpgradeFinding(
            node.name,
            f"it is {node.own}",
            f"{node.target} is {node.steps} releases on, and each upgrade leads to the next one",
            "go there one release after the other, the whole cluster each time",
        )


def pacemaker(node: UpgradeNode) -> Iterator[UpgradeFinding]:
    """Find versions of Pacemaker that the next one does not work with.

    ChangeLog of 3.0.0: "drop support for rolling upgrades from versions less than 2.0.0".
    """
    own, coming = number(node.version("pacemaker")), node.target.packages.get("pacemaker")
    if own is None or coming is None:
        return
    if own < _OLDEST_PACEMAKER <= coming:
        yield UpgradeFinding(
            node.name,
            f"Pacemaker is {node.version('pacemaker')}",
            f"Pacemaker {coming[0]}.{coming[1]} joins no cluster older than 2.0",
            "upgrade to a Pacemaker of 2.x first",
        )
    if own > coming and node.steps > 0:
        yield UpgradeFinding(
            node.name,
            f"Pacemaker is {node.version('pacemaker')}",
            f"{node.target} has {coming[0]}.{coming[1]}: the node would get no new one, or lose it",
            "see where it is from (apt policy pacemaker), and upgrade to a release that has it",
        )


def corosync(node: UpgradeNode) -> Iterator[UpgradeFinding]:
    """Find a corosync that the next one does not talk to: 3 (knet) has another protocol than 2."""
    own, coming = number(node.version("corosync")), node.target.packages.get("corosync")
    if own and coming and own[0] < _OLDEST_COROSYNC <= coming[0]:
        yield UpgradeFinding(
            node.name,
            f"corosync is {node.version('corosync')}",
            "corosync 3 does not talk to corosync 2: no node by node",
            "stop the whole cluster, upgrade every node, start it",
        )


def held(node: UpgradeNode) -> Iterator[UpgradeFinding]:
    """Find packages that are held."""
    names = sorted(name for name, package in node.facts.packages.items() if package.held)
    if names:
        why = "apt would leave them as they are, and what depends on them"
        fix = f"apt-mark unhold {' '.join(names)}, or make sure that they may stay"
        yield UpgradeFinding(node.name, f"held: {', '.join(names)}", why, fix)


def half_done(node: UpgradeNode) -> Iterator[UpgradeFinding]:
    """Find packages with which dpkg began something and did not end."""
    broken = {name: p.state for name, p in node.facts.packages.items() if p.broken}
    why, fix = "an upgrade begins with ending that", "dpkg --configure -a, then apt-get -f install"
    if broken:
        said = ", ".join(f"{name} is {state}" for name, state in sorted(broken.items()))
        yield UpgradeFinding(node.name, said, why, fix)
    elif node.facts.audit:
        first = node.facts.audit.splitlines()[0]
        yield UpgradeFinding(node.name, f"dpkg --audit: {first}", why, fix)


def repositories(node: UpgradeNode) -> Iterator[UpgradeFinding]:
    """Find repositories that are not the distribution's."""
    if not node.steps:
        return
    others = [r for r in node.facts.repositories if not _of_distribution(r, node)]
    for one in dict.fromkeys(str(r) for r in others if not r.local):
        yield UpgradeFinding(
            node.name,
            f"a repository of others: {one}",
            "its packages are made for this release, and may keep others back or take their place",
            f"take it out, or have it ready for {node.target.codename}",
        )
    for one in dict.fromkeys(str(r) for r in others if r.local):
        yield UpgradeFinding(
            node.name,
            f"a repository on the node itself: {one}",
            "what is from there stays as it is",
            f"fill it for {node.target.codename}, or take it out",
            Severity.NOTICE,
        )


def mirrors(node: UpgradeNode) -> Iterator[UpgradeFinding]:
    """Find nodes that could not get the packages of the next release."""
    if not node.steps:
        return
    known = [r for r in node.facts.repositories if not r.local and _of_distribution(r, node)]
    if not known:
        yield UpgradeFinding(
            node.name,
            f"no repository of {node.own} is configured",
            f"nothing says from where the packages of {node.target.codename} would come",
            "configure one: /etc/apt/sources.list.d",
        )
    for uri in (uri for uri, there in node.facts.mirrors.items() if not there):
        yield UpgradeFinding(
            node.name,
            f"{uri} does not give dists/{node.target.codename}/InRelease",
            "the node could not fetch a package of the new release",
            "see what it says: apt-get update; an own mirror has to have the release too",
        )


def _of_distribution(repository: Repository, node: UpgradeNode) -> bool:
    """Whether a repository is the distribution's, by its own word, else by its suite."""
    if repository.origin:
        return repository.origin == _DISTRIBUTIONS.get(node.own.id)
    own = repository.suite.partition("-")[0].partition("/")[0] == node.own.codename
    return own and repository.component in _COMPONENTS and not repository.local


def disks(node: UpgradeNode) -> Iterator[UpgradeFinding]:
    """Find file systems without room for the upgrade.

    Of what all packages take when installed, the archives are some 40 % (they are compressed), and
    new versions some 25 % more than old ones, each unpacked beside its predecessor; both are kept
    on the safe side. A kernel with its initrd takes some 100 MiB of /boot.
    """
    if not node.steps:
        return
    total = sum(p.kib for p in node.facts.packages.values() if p.state == "installed")
    needs: dict[str, float] = {}
    kernel = any(name.startswith("linux-image-") for name in node.facts.packages)
    for folder, kib in (
        ("/usr", max(_ROOT_LEAST, total * _ROOT_SHARE)),
        ("/var", max(_CACHE_LEAST, total * _CACHE_SHARE)),
        ("/boot", _BOOT_LEAST if kernel else 0),
    ):
        if disk := node.facts.disks.get(folder):
            needs[disk.mount] = needs.get(disk.mount, 0) + kib
    free = {disk.mount: disk.free_kib for disk in node.facts.disks.values()}
    for mount, kib in needs.items():
        if free[mount] < kib:
            yield UpgradeFinding(
                node.name,
                f"{free[mount] // _MIB} MiB are free on {mount}",
                f"the upgrade may take {kib / _MIB:.0f} MiB there, and a full disk stops it "
                "half-way",
                "free some: apt-get clean, journalctl --vacuum-size=100M, old kernels",
            )


def by_itself(node: UpgradeNode) -> Iterator[UpgradeFinding]:
    """Find what would upgrade or restart something on its own.

    needrestart on Ubuntu restarts without asking where apt does not ask (its README); on Debian it
    lists then.
    """
    if node.facts.upgrades_itself:
        yield UpgradeFinding(
            node.name,
            "unattended-upgrades runs by apt-daily-upgrade.timer",
            "it would upgrade and restart by itself, on several nodes at once",
            "systemctl disable --now apt-daily-upgrade.timer for the time of the upgrade",
        )
    there = node.version("needrestart")
    mode = node.facts.needrestart or ("a" if node.own.id == "ubuntu" else "i")
    if there and mode == "a":
        yield UpgradeFinding(
            node.name,
            "needrestart restarts services by itself",
            "it would restart what Pacemaker runs, in the middle of another package's upgrade",
            "set $nrconf{restart} = 'l' in /etc/needrestart/conf.d",
        )


def boot(node: UpgradeNode) -> Iterator[UpgradeFinding]:
    """Find units that Pacemaker runs and that systemd would start at boot."""
    enabled = sorted(u for u, state in node.facts.boot.items() if state.startswith("enabled"))
    if enabled:
        yield UpgradeFinding(
            node.name,
            f"starts at boot: {', '.join(enabled)}",
            "Pacemaker runs it: after the reboot systemd would start it before Pacemaker does",
            f"systemctl disable {' '.join(enabled)}",
        )


def environment(node: UpgradeNode) -> Iterator[UpgradeFinding]:
    """Find settings of Pacemaker's daemons that are no longer read.

    ChangeLog of 3.0.0: "drop support for deprecated HA_cib_timeout, HA_shutdown_delay,
    PCMK_cib_timeout, PCMK_dh_min_bits, and PCMK_shutdown_delay variables", "PCMK_panic_action
    values are case-sensitive".
    """
    if node.target.packages.get("pacemaker", (0, 0)) < _PACEMAKER_3:
        return
    for name, value in node.facts.environment.items():
        seen = f"{name}={value} is set for Pacemaker"
        if name in _DROPPED_VARIABLES:
            fix = "take it out of /etc/default/pacemaker"
            yield UpgradeFinding(node.name, seen, "Pacemaker 3 does not read it", fix)
        elif name == "PCMK_panic_action" and value not in _PANICS and value.lower() in _PANICS:
            why = "Pacemaker 3 reads it in small letters only"
            yield UpgradeFinding(node.name, seen, why, f"write {value.lower()}")


RULES: Final[Mapping[str, NodeRule]] = {
    "release": distance,
    "version of Pacemaker": pacemaker,
    "version of corosync": corosync,
    "held packages": held,
    "half installed packages": half_done,
    "repositories of others": repositories,
    "packages of the next release": mirrors,
    "disk space": disks,
    "upgrades by themselves": by_itself,
    "units at boot": boot,
    "settings of Pacemaker's daemons": environment,
}
"""What is looked at on each node."""
