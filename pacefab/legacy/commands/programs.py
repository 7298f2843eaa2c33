"""Programs that change a node: packages, units, settings in files; what they do is noted."""

from __future__ import annotations

import re
from collections.abc import Callable

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.model import CommandResult, Package, UnitChange, WrittenFile
from pacefab.legacy.options import Syntax, split_options
from pacefab.legacy.source import sections
from pacefab.legacy.unknown import is_known

# Programs that do something rather than ask, and print nothing: taken to go well.
QUIET = {
    "mkdir", "rm", "rmdir", "touch", "chmod", "chown", "chgrp", "ln", "tar", "unzip", "mount",
    "umount", "modprobe", "sysctl", "setenforce", "ssh-keygen", "ssh-copy-id", "ssh-keyscan",
    "passwd", "chpasswd", "useradd", "groupadd", "usermod", "mysqladmin",
    "mysql_secure_installation", "mysql_install_db", "kill", "pkill", "killall", "reboot",
    "ntpdate", "install",
    "restorecon", "semanage", "setsebool", "ldconfig", "logger", "corosync-keygen", "exportfs",
    "keystone-manage",
}  # fmt: skip
# These may also print what is unknown.
ACTIONS = {
    "rabbitmqctl", "mysql", "mongo", "wget", "curl", "hostnamectl", "timedatectl", "firewall-cmd",
    "iptables", "expect", "dd", "openstack", "nova", "neutron", "glance", "cinder", "crm_mon",
    "haproxy", "rabbitmq-plugins", "brctl", "ip", "ifconfig", "ovs-vsctl",
}  # fmt: skip
_SECTION_AND_KEY = 2  # words after FILE
_UNIT_ACTIONS = {"enable", "disable", "start", "stop", "restart", "reload", "mask", "unmask"}
_MANAGERS = {"install", "groupinstall", "localinstall", "reinstall", "update", "upgrade"}
_INSTALLERS = Syntax(
    "c t d e x o R enablerepo disablerepo installroot", long={"exclude": "x"}, mixed=True
)
_UNITS = Syntax("t p n o H M s", long={"type": "t", "property": "p"}, mixed=True)
_CRUDINI = Syntax(mixed=True)
_MKTEMP = Syntax("p suffix", mixed=True)


def _packages(interpreter: Interpreter, command: Command) -> CommandResult:
    """Note what a package manager installs."""
    words = split_options(command.arguments, _INSTALLERS).operands
    if not words or words[0] not in {"install", "groupinstall", "localinstall", "reinstall"}:
        return CommandResult(
            0 if words[:1] and words[0] in {*_MANAGERS, "remove", "erase"} else None
        )
    for name in words[1:]:
        shown = interpreter.world.unknowns.show(name)
        found = Package(shown, interpreter.shell.host, command.place)
        interpreter.world.effects.packages.setdefault(found)
    return CommandResult()


def _systemctl(interpreter: Interpreter, command: Command) -> CommandResult:
    options = split_options(command.arguments, _UNITS)
    words = options.operands
    if not words or words[0] not in _UNIT_ACTIONS:
        known = words[:1] == ["daemon-reload"]
        return CommandResult(0 if known else None, "" if known else _asked(interpreter, command))
    for name in words[1:]:
        _unit(interpreter, command, name, words[0])
        if "now" in options and words[0] == "enable":
            _unit(interpreter, command, name, "start")
    return CommandResult()


def _service(interpreter: Interpreter, command: Command) -> CommandResult:
    words = split_options(command.arguments, _UNITS).operands
    if len(words) > 1 and words[1] in _UNIT_ACTIONS:
        _unit(interpreter, command, words[0], words[1])
        return CommandResult()
    return CommandResult(None, _asked(interpreter, command))


def _chkconfig(interpreter: Interpreter, command: Command) -> CommandResult:
    words = split_options(command.arguments, _UNITS).operands
    if len(words) > 1 and words[1] in {"on", "off"}:
        _unit(interpreter, command, words[0], "enable" if words[1] == "on" else "disable")
    return CommandResult()


def _unit(interpreter: Interpreter, command: Command, name: str, action: str) -> None:
    shown = interpreter.world.unknowns.show(name).removesuffix(".service")
    unit = UnitChange(shown, action, interpreter.shell.host, command.place)
    interpreter.world.effects.units.setdefault(unit)


def _asked(interpreter: Interpreter, command: Command) -> str:
    return interpreter.world.mark(f"what {command.text} prints")


def _settings(interpreter: Interpreter, command: Command) -> CommandResult:
    """Note a file that crudini or openstack-config sets something in."""
    options = split_options(command.arguments, _CRUDINI)
    if "get" in options:
        return _asked_setting(interpreter, command, options.operands)
    words = [word for word in options.operands if word.startswith("/") and is_known(word)]
    if not words:
        return CommandResult(None, _asked(interpreter, command))
    shown = WrittenFile(words[0], interpreter.shell.host, command.place, f"set by {command.name}")
    interpreter.world.effects.files.setdefault(shown)
    return CommandResult()


def _asked_setting(
    interpreter: Interpreter, command: Command, operands: list[str]
) -> CommandResult:
    """Return what `crudini --get FILE SECTION KEY` prints for a file of the tree."""
    unclear = CommandResult(None, _asked(interpreter, command))
    if len(operands) <= _SECTION_AND_KEY or not is_known(*operands):
        return unclear
    found = interpreter.file(operands[0])
    if found is None:
        return unclear
    value = sections(found.text).get(operands[1], {}).get(operands[2])
    return CommandResult(0, f"{value[0]}\n") if value else CommandResult(1)


def _temporary(interpreter: Interpreter, command: Command) -> CommandResult:
    """Make up a name for what mktemp makes: each one is another, and that of nothing else."""
    options, world = split_options(command.arguments, _MKTEMP), interpreter.world
    world.temporary += 1
    template = (options.operands or ["tmp.XXXXXXXXXX"])[0]
    folder = options.value("p") or options.value("tmpdir") or "/tmp"  # noqa: S108
    folder = "" if template.startswith("/") else f"{folder}/"
    number = f"{world.temporary:010d}"
    name = re.sub(r"X{3,}", lambda found: number[-len(found[0]) :], template)
    return CommandResult(0, f"{folder}{name}{options.value('suffix')}\n")


PROGRAMS: dict[str, Callable[[Interpreter, Command], CommandResult]] = {
    "yum": _packages, "dnf": _packages, "apt-get": _packages, "apt": _packages,
    "zypper": _packages, "systemctl": _systemctl, "service": _service, "chkconfig": _chkconfig,
    "mktemp": _temporary, "crudini": _settings, "openstack-config": _settings,
}  # fmt: skip
