"""A host's name -> the way to it.

What is nearer to the operator wins: user@host:port of -H; then the ssh_config of `fab -S`, of the
harness or ~/.ssh/config; then the inventory.
"""

from __future__ import annotations

import io
from pathlib import Path

from fabric import Config, Connection
from paramiko.config import SSHConfig
from paramiko.ssh_exception import ConfigParseError

from pacefab.errors import UsageError
from pacefab.transport.connection import Access, Host

# Connections live as long as the fab process, so that several tasks in one command open each once.
_OPEN: dict[tuple[str, Connection, Access], Host] = {}


def route(
    task: object, connection: Connection, ssh_config: Path | None, inventory: str, access: Access
) -> Host:
    """Return the command's one host of that name and way, for a task; opened at its first use.

    `ssh_config` is the file of the settings, `inventory` what an inventory says about the host, as
    a section of an ssh_config.
    """
    way = _through_inventory(_through_harness(connection, ssh_config), inventory)
    key = connection.original_host, way, access
    if key not in _OPEN:
        _OPEN[key] = Host(connection.original_host, way, access)
    _OPEN[key].begin(task)
    return _OPEN[key]


def given_user(connection: Connection) -> str | None:
    """Return the user of `-H user@host`; None when it is the one of the configuration."""
    usual = connection.ssh_config.get("user", connection.config.user)
    return None if connection.user == usual else str(connection.user)


def given_port(connection: Connection) -> int | None:
    """Return the port of `-H host:port`; None when it is the one of the configuration."""
    usual = int(connection.ssh_config.get("port", connection.config.port))
    return None if connection.port == usual else int(connection.port)


def _through_harness(connection: Connection, file: Path | None) -> Connection:
    """Return the same connection by way of the settings' ssh_config, if that names it.

    Fabric's own setting, ssh_config_path, ends in a traceback while the file is not there, and
    switches ~/.ssh/config off while it is.
    """
    given = connection.config._runtime_ssh_path  # noqa: SLF001  # -S FILE wins
    if file is None or given or not file.is_file():
        return connection
    harness = _ssh_config(file)
    if connection.original_host not in harness.get_hostnames():
        return connection
    config = connection.config.clone()
    config._set(base_ssh_config=harness)  # noqa: SLF001  # keeps -i, -t and the prompts' answers
    return _with(connection, config)


def _ssh_config(file: Path) -> SSHConfig:
    try:
        return SSHConfig.from_path(str(file))
    except OSError as error:
        seen = error.strerror or str(error)
    except (UnicodeDecodeError, ConfigParseError) as error:
        seen = str(error)
    raise UsageError(f"read {file}", seen, "fix the file, or the setting ssh_config")


def _through_inventory(connection: Connection, section: str) -> Connection:
    """Return the same connection with what the inventory adds to its ssh_config.

    At its end: there the first value of a key wins (ssh_config(5)).
    """
    if not section:
        return connection
    config = connection.config.clone()
    config.base_ssh_config.parse(io.StringIO(section))
    return _with(connection, config)


def _with(connection: Connection, config: Config) -> Connection:
    user, port = given_user(connection), given_port(connection)
    return Connection(connection.original_host, user=user, port=port, config=config)
