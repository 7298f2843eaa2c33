"""A host's name -> the way to it.

What is nearer to the operator wins: user@host:port of -H; then the ssh_config of `fab -S`, of the
harness or ~/.ssh/config; then the inventory, and Fabric's own settings.
"""

from __future__ import annotations

from pathlib import Path

from fabric import Config, Connection, Executor
from fabric.tasks import ConnectionCall

from pacefab.cli.reading.host_names import read_host
from pacefab.errors import UsageError
from pacefab.transport.connection import Access, Host, Route
from pacefab.transport.way.hop import SSH_PORT, Destination, local_user
from pacefab.transport.way.settings import Sources

# Connections live as long as the fab process, so that several tasks in one command open each once.
_OPEN: dict[tuple[Route, Access], Host] = {}


def named(spec: str, config: Config) -> Connection:
    """Return Fabric's connection for a host as it was typed: [USER@]HOST[:PORT].

    It remembers what was typed: of Fabric's own, a user who was given looks like the default.
    """
    place = read_host(spec)
    connection = Connection(place.name, user=place.user, port=place.port, config=config)
    connection._set(typed=place)  # noqa: SLF001  # as Fabric sets what is no setting
    return connection


class HostExecutor(Executor):  # type: ignore[misc]  # fabric has no types
    """Fabric's executor, which makes connections of -H by `named`."""

    def parameterize(
        self, call: ConnectionCall, connection_init_kwargs: dict[str, str]
    ) -> ConnectionCall:
        """Return the call of a task for one host."""
        return call.clone(into=_NamedCall, with_={"init_kwargs": connection_init_kwargs})


class _NamedCall(ConnectionCall):  # type: ignore[misc]  # fabric has no types
    def make_context(self, config: Config) -> Connection:
        return named(self.init_kwargs["host"], config)


def route(
    task: object, connection: Connection, ssh_config: Path | None, inventory: str, access: Access
) -> Host:
    """Return the command's one host of that name and way, for a task; opened at its first use.

    `ssh_config` is the file of the settings, `inventory` what an inventory says about the host, as
    a section of an ssh_config.
    """
    file = _file(connection, ssh_config)
    section = "".join([inventory, _of_settings(connection.config)])
    way = Route(_place(connection), Sources(file, section))
    if (way, access) not in _OPEN:
        _OPEN[way, access] = Host(connection.original_host, connection, access, way)
    _OPEN[way, access].begin(task)
    return _OPEN[way, access]


def given_user(connection: Connection) -> str | None:
    """Return the user of `-H user@host`; None when it is the one of the configuration."""
    return _place(connection).user


def given_port(connection: Connection) -> int | None:
    """Return the port of `-H host:port`; None when it is the one of the configuration."""
    return _place(connection).port


def _place(connection: Connection) -> Destination:
    typed = getattr(connection, "typed", None)
    if isinstance(typed, Destination):
        return typed
    config = connection.config
    user = None if connection.user == config.user else str(connection.user)
    port = None if connection.port == config.port else int(connection.port)
    return Destination(connection.original_host, user, port)


def _file(connection: Connection, file: Path | None) -> Path | None:
    """Return the file to read instead of ~/.ssh/config: of -S, or the settings' if it names it."""
    given = connection.config._runtime_ssh_path  # noqa: SLF001  # -S FILE wins
    if given:
        return Path(given).expanduser()
    if file is None or not file.is_file():
        return None
    return file if connection.original_host in _hosts(file) else None


def _hosts(file: Path) -> set[str]:
    """Return what the lines `Host` of an ssh_config name."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        seen = getattr(error, "strerror", None) or str(error)
        next_step = "fix the file, or the setting ssh_config"
        raise UsageError(f"read {file}", seen, next_step) from None
    words = (line.replace("=", " ", 1).replace('"', " ").split() for line in lines)
    sections = [rest for first, *rest in filter(None, words) if first.lower() == "host"]
    return {name for names in sections for name in names}


def _of_settings(config: Config) -> str:
    """Return Fabric's settings `user` and `port` as a section: they count last."""
    lines = []
    if config.user and config.user != local_user():
        lines.append(f"  User {config.user}\n")
    if int(config.port) != SSH_PORT:
        lines.append(f"  Port {config.port}\n")
    return "".join(["Host *\n", *lines]) if lines else ""
