"""memcached's settings in the two formats distributions keep them in. Pure: text in, text out.

Debian's /etc/memcached.conf holds command-line options, a few a line, # begins a comment
(systemd-memcached-wrapper joins them). EL's /etc/sysconfig/memcached is an EnvironmentFile of
systemd: PORT, MAXCONN, CACHESIZE, and OPTIONS, which come last on the command line and so win.
Only the options that we own are touched; everything else stays as the operator left it.
"""

from __future__ import annotations

import getopt
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

DEBIAN_PATH = "/etc/memcached.conf"
REDHAT_PATH = "/etc/sysconfig/memcached"

# memcached 1.6.38 -h; an option that is not ours is kept, but must be known to be stepped over.
_SHORT = "a:AZp:s:U:m:Mc:khiVrvdl:u:P:f:n:t:D:LR:Cb:B:I:SFXWY:e:o:N:"
_LONG = [
    "unix-mask=", "enable-shutdown", "enable-ssl", "port=", "unix-socket=", "udp-port=",
    "memory-limit=", "disable-evictions", "conn-limit=", "lock-memory", "help", "license",
    "version", "enable-coredumps", "verbose", "daemon", "listen=", "user=", "pidfile=",
    "slab-growth-factor=", "slab-min-size=", "threads=", "enable-largepages",
    "max-reqs-per-event=", "disable-cas", "listen-backlog=", "protocol=", "max-item-size=",
    "enable-sasl", "disable-flush-all", "disable-dumping", "disable-watch", "auth-file=",
    "memory-file=", "extended=", "napi-ids=",
]  # fmt: skip
_OURS = {
    "-l": "listen", "--listen": "listen",
    "-p": "port", "--port": "port",
    "-m": "memory", "--memory-limit": "memory",
    "-c": "max_connections", "--conn-limit": "max_connections",
    "-U": "udp_port", "--udp-port": "udp_port",
    "-e": "memory_file", "--memory-file": "memory_file",
}  # fmt: skip

Options = list[tuple[str, str]]


@dataclass(frozen=True)
class Settings:
    """What we own of memcached's configuration; defaults are memcached's own (memcached -h)."""

    listen: tuple[str, ...] = ()  # addresses; empty: every address
    port: int = 11211
    memory: int = 64  # MiB
    max_connections: int = 1024
    udp_port: int = 0  # 0: off
    memory_file: str = ""  # where items are kept over a restart; empty: nowhere

    @property
    def everywhere(self) -> bool:
        """Whether it listens on every address."""
        return not self.listen or bool({"0.0.0.0", "::", "*"} & set(self.listen))  # noqa: S104

    def describe(self) -> str:
        """Return the settings as a person reads them."""
        where = ", ".join(self.listen) or "every address"
        sizes = f"{self.memory} MiB, {self.max_connections} connections"
        kept = ", items kept over a restart" if self.memory_file else ""
        return f"listen {where}, port {self.port}, {sizes}{kept}"


def difference(running: Settings | None, desired: Settings) -> str:
    """Return how the settings of a process differ from the desired ones, short; empty: they do not.

    None: the process is not known to have any.
    """
    if running is None:
        return "unknown settings"
    described = (
        ("listen", sorted(running.listen), sorted(desired.listen)),
        ("port", running.port, desired.port),
        ("MiB", running.memory, desired.memory),
        ("connections", running.max_connections, desired.max_connections),
        ("UDP port", running.udp_port, desired.udp_port),
    )
    said = [_differs(name, now, then) for name, now, then in described if now != then]
    if running.memory_file != desired.memory_file:
        said.append("items are " + ("kept" if running.memory_file else "not kept"))
    return ", ".join(said)


def _differs(name: str, now: int | list[str], then: int | list[str]) -> str:
    if isinstance(now, list) or isinstance(then, list):
        said = [", ".join(v) or "every address" if isinstance(v, list) else v for v in (now, then)]
        return f"{name} {said[0]}, not {said[1]}"
    if name.endswith("port"):
        return f"{name} {now}, not {then}"
    return f"{now} {name}, not {then}"


def path_for(manager: str) -> str:
    """Return the configuration file that the family of this package manager uses."""
    return DEBIAN_PATH if manager == "apt-get" else REDHAT_PATH


def read(path: str, text: str) -> Settings:
    """Return the settings in a configuration file.

    Raises:
        ValueError: an option that memcached does not know, or a number that is none.
    """
    return _settings(_debian_options(text) if path == DEBIAN_PATH else _redhat_options(text))


def read_command_line(argv: Sequence[str]) -> Settings:
    """Return the settings of a running process. Same errors as `read`."""
    return _settings(_split(argv[1:]))


def write(path: str, text: str, desired: Settings) -> str:
    """Return the file's text with our settings in it. Same errors as `read`."""
    return (_write_debian if path == DEBIAN_PATH else _write_redhat)(text, desired)


def _settings(options: Options) -> Settings:
    numbers: dict[str, int] = {}
    listen: list[str] = []
    memory_file = ""
    for option, value in options:
        name = _OURS.get(option)
        if name == "listen":
            listen += [part for part in value.split(",") if part]
        elif name == "memory_file":
            memory_file = value
        elif name:
            numbers[name] = _number(option, value)
    return Settings(listen=tuple(listen), memory_file=memory_file, **numbers)


def _number(option: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"{option} is {value!r}, not a number") from None


def _split(words: Sequence[str]) -> Options:
    try:
        options, rest = getopt.gnu_getopt(list(words), _SHORT, _LONG)
    except getopt.GetoptError as error:
        raise ValueError(str(error)) from None
    if rest:
        raise ValueError(f"{rest[0]!r} is not an option of memcached")
    return options


# --- Debian ---------------------------------------------------------------------------------


def _debian_line(line: str) -> Options:
    active = line.partition("#")[0].strip()
    if not active.startswith("-") or active[:2] in {"-d", "-h"}:  # the wrapper drops these two
        return []
    return _split(shlex.split(active))


def _debian_options(text: str) -> Options:
    return [option for line in text.splitlines() for option in _debian_line(line)]


def _write_debian(text: str, desired: Settings) -> str:
    """Put each of our options on the line where it stood first, new ones at the end."""
    left = _debian_desired(desired)
    lines: list[str] = []
    for line in text.splitlines():
        options = _debian_line(line)
        if not any(option in _OURS for option, _ in options):
            lines.append(line)
            continue
        kept = _join((o, v) for o, v in options if o not in _OURS)
        lines += [kept] if kept else []
        names = dict.fromkeys(_OURS[o] for o, _ in options if o in _OURS)
        new = [left.pop(name) for name in names if name in left]
        _, mark, comment = line.partition("#")
        lines += [*new[:-1], *(f"{last}  {mark}{comment}".rstrip() for last in new[-1:])]
    return "\n".join([*lines, *left.values(), ""])


def _debian_desired(desired: Settings) -> dict[str, str]:
    optional = {"memory_file": f"-e {desired.memory_file}"} if desired.memory_file else {}
    return optional | {
        "memory": f"-m {desired.memory}",
        "port": f"-p {desired.port}",
        "listen": f"-l {','.join(desired.listen)}",
        "max_connections": f"-c {desired.max_connections}",
        "udp_port": f"-U {desired.udp_port}",
    }


# --- Enterprise Linux -----------------------------------------------------------------------

_ASSIGNMENT = re.compile(r"^\s*(?P<key>[A-Za-z_]\w*)=(?P<value>.*)$")
_VARIABLES = {"PORT": "-p", "MAXCONN": "-c", "CACHESIZE": "-m"}


def _value(raw: str) -> str:
    """Return a value without its quotes (systemd.exec(5), EnvironmentFile=)."""
    return raw.strip().strip("\"'")


def _redhat_options(text: str) -> Options:
    values = {m["key"]: _value(m["value"]) for m in map(_ASSIGNMENT.match, text.splitlines()) if m}
    options = [(flag, values[key]) for key, flag in _VARIABLES.items() if values.get(key)]
    return options + _split(values.get("OPTIONS", "").split())


def _write_redhat(text: str, desired: Settings) -> str:
    present = {m["key"]: _value(m["value"]) for m in map(_ASSIGNMENT.match, text.splitlines()) if m}
    kept = _join(o for o in _split(present.get("OPTIONS", "").split()) if o[0] not in _OURS)
    memory_file = f"-e {desired.memory_file} " if desired.memory_file else ""
    addresses = ",".join(desired.listen)
    new = {
        "PORT": str(desired.port),
        "MAXCONN": str(desired.max_connections),
        "CACHESIZE": str(desired.memory),
        "OPTIONS": f"-l {addresses} -U {desired.udp_port} {memory_file}{kept}".strip(),
    }
    return _assign(text, {key: value for key, value in new.items() if present.get(key) != value})


def _assign(text: str, values: Mapping[str, str]) -> str:
    """Set each variable where it is assigned last, the assignment that counts, or at the end."""
    lines = text.splitlines()
    for key, value in values.items():
        places = [i for i, line in enumerate(lines)
                  if (m := _ASSIGNMENT.match(line)) and m["key"] == key]  # fmt: skip
        assignment = f'{key}="{value}"'
        if places:
            lines[places[-1]] = assignment
        else:
            lines.append(assignment)
    return "\n".join([*lines, ""])


def _join(options: Iterable[tuple[str, str]]) -> str:
    return " ".join(
        f"{option}={value}" if option.startswith("--") and value else f"{option} {value}".strip()
        for option, value in options
    )
