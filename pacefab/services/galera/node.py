"""What a node needs to be one of Galera's: packages, configuration, health check. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pacefab.addresses import bracketed
from pacefab.services.family import Family, family_of
from pacefab.services.galera import health_check
from pacefab.services.galera.section import SECRET, GaleraSection
from pacefab.services.service import AtStart, DesiredNode, File, Look, Port, Site, whole
from pacefab.services.templating import render

UNIT = "mariadb.service"
PROGRAMS = ("mariadbd", "mysqld")  # the server's process, by version
# SQL; Galera's replication, over TCP and (multicast) UDP; incremental and whole copies.
PORTS = (
    Port(3306, clients=True),
    Port(4567),
    Port(4567, "udp"),
    Port(4568),
    Port(4444),
    Port(health_check.PORT),
)


@dataclass(frozen=True)
class Flavour:
    """What a family calls things.

    `config` is read after the package's own files; `folders` are those that the agent needs and no
    package makes, as tmpfiles.d(5) has it.
    """

    packages: tuple[str, ...]
    config: str
    provider: str
    client: str
    folders: str = ""


FLAVOURS: dict[Family, Flavour] = {
    "debian": Flavour(
        packages=("mariadb-server", "galera-4"),
        config="/etc/mysql/mariadb.conf.d/70-pacefab-galera.cnf",
        provider="/usr/lib/galera/libgalera_smm.so",
        client="/usr/bin/mariadb",
        folders="d /var/log/mysql 2750 mysql adm -\n",
    ),
    "rhel": Flavour(
        packages=("mariadb-server-galera",),
        config="/etc/my.cnf.d/pacefab-galera.cnf",
        provider="/usr/lib64/galera/libgalera_smm.so",
        client="/usr/bin/mysql",
    ),
}
_PLAIN = re.compile(r"[^\s\\\"'#]([^\\\"'#]*[^\s\\\"'#])?|")
_HIDDEN = r"(?<=wsrep_sst_auth = ).*"
_FOLDERS = "/etc/tmpfiles.d/pacefab-galera.conf"
_COPYING = {"rsync": "rsync", "mariabackup": "mariadb-backup"}


def look(section: GaleraSection) -> Look:
    """Return what to look at, whatever the family."""
    flavours = FLAVOURS.values()
    packages = {name for flavour in flavours for name in flavour.packages} | {_COPYING[section.sst]}
    return Look(
        packages=tuple(sorted(packages)),
        units=(UNIT, health_check.SOCKET),
        processes=PROGRAMS,
        files=(*(flavour.config for flavour in flavours), _FOLDERS, *health_check.PATHS),
    )


def desired(section: GaleraSection, site: Site, node: str) -> DesiredNode:
    """Return what one node is to have."""
    flavour = FLAVOURS[family_of(site.facts[node])]
    askers = sorted(a for member in site.membership.members for a in member.addresses)
    script = health_check.files(site.own_address(node), flavour.client, section.sst, askers)
    return DesiredNode(
        packages=(*flavour.packages, _COPYING[section.sst]),
        files=(_config(section, site, node, flavour), *_folders(flavour), *script),
        units=(UNIT,),
        helpers=(health_check.SOCKET,),
        at_start=(AtStart("galera", PROGRAMS, (flavour.config,)),),
        ports=PORTS,
    )


def _config(section: GaleraSection, site: Site, node: str, flavour: Flavour) -> File:
    text = render(
        Path(__file__).with_name("galera.cnf.j2"),
        address=site.own_address(node),
        bracketed=bracketed(site.own_address(node)),
        provider=flavour.provider,
        cluster=site.membership.cluster,
        node=node,
        sst=section.sst,
        sst_auth=_quoted(_sst_auth(section, site)),
        settings={name: _quoted(str(value)) for name, value in section.settings.items()},
    )
    if section.sst_user:
        return whole(flavour.config, text, mode="640", owner="root:mysql", hidden=_HIDDEN)
    return whole(flavour.config, text, hidden=_HIDDEN)


def _quoted(value: str) -> str:
    """Return a value as MariaDB's reader of option files takes it for itself.

    Unquoted, # ends it, a backslash begins a letter of its own, blanks around it are left out and
    quotes are taken off (mysys/my_default.c; "Configuring MariaDB with Option Files").
    """
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def _folders(flavour: Flavour) -> tuple[File, ...]:
    apply = ("systemd-tmpfiles", "--create", _FOLDERS)
    return (whole(_FOLDERS, flavour.folders, apply=apply),) if flavour.folders else ()


def _sst_auth(section: GaleraSection, site: Site) -> str:
    """Return user:password of mariabackup; mysql has none: the server knows the system's user."""
    if section.sst_user:
        return f"{section.sst_user}:{site.secret(SECRET)}"
    return "mysql:" if section.sst == "mariabackup" else ""
