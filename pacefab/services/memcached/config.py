"""memcached's settings in the two formats distributions keep them in. Pure: text in, text out.

Debian's /etc/memcached.conf holds command-line options, a few a line, # begins a comment (systemd-
memcached-wrapper joins them, and drops lines that begin with -d or -h). EL's
/etc/sysconfig/memcached is an EnvironmentFile of systemd: PORT, MAXCONN, CACHESIZE, and OPTIONS,
which come last on the command line and so win. Only the options that we own are touched; everything
else stays as the operator left it.
"""

from __future__ import annotations

import getopt
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pacefab.addresses import bracketed, is_loopback

DEBIAN_PATH = "/etc/memcached.conf"
REDHAT_PATH = "/etc/sysconfig/memcached"
USERS = {DEBIAN_PATH: "memcache", REDHAT_PATH: "memcached"}  # that the packages make

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

_BARRED = {
    "-Y": "it wants a password (-Y)", "--auth-file": "it wants a password (-Y)",
    "-S": "it wants a password (-S)", "--enable-sasl": "it wants a password (-S)",
    "-Z": "it speaks TLS (-Z)", "--enable-ssl": "it speaks TLS (-Z)",
}  # fmt: skip
_BINARY = "it speaks the binary protocol only (-B binary)"

_REDIRECTION = re.compile(r"[\d&]?>>?(?P<place>\S*)")
_LEADING = re.compile(r"\s*[-+]?\d+")
_COMMENT = re.compile(r"(?<!\\)#.*")

Options = list[tuple[str, str]]


@dataclass(frozen=True)
class Settings:
    """What we own of memcached's configuration; defaults are memcached's own (memcached -h).

    What is not compared is the operator's own, or makes no difference to clients: `user`, whom it
    runs as (root needs one); `barred`, why no key can be set without more; `unix_socket`, where it
    listens then and at no address.
    """

    listen: tuple[str, ...] = ()  # addresses; empty: every address
    port: int = 11211
    memory: int = 64  # MiB
    max_connections: int = 1024
    udp_port: int = 0  # 0: off
    memory_file: str = ""  # where items are kept over a restart; empty: nowhere
    elsewhere: tuple[str, ...] = ()  # what else it listens at, with another port: ADDRESS:PORT
    user: str = field(default="", compare=False)
    barred: str = field(default="", compare=False)
    unix_socket: str = field(default="", compare=False)

    @property
    def everywhere(self) -> bool:
        """Whether it listens on every address."""
        return not self.listen or bool({"0.0.0.0", "::", "*"} & set(self.listen))  # noqa: S104

    def describe(self) -> str:
        """Return the settings as a person reads them."""
        where = ", ".join((*self.listen, *self.elsewhere)) or "every address"
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
    if running.elsewhere != desired.elsewhere:
        said.append(f"also listens at {', '.join(running.elsewhere) or 'nothing'}")
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
        ValueError: an option that memcached does not know, or a number that begins with none.
    """
    return _settings(_debian_options(text) if path == DEBIAN_PATH else _redhat_options(text))


def read_command_line(argv: Sequence[str]) -> Settings:
    """Return the settings of a running process. Same errors as `read`."""
    return _settings(_split(argv[1:]))


def write(path: str, text: str, desired: Settings) -> str:
    """Return the file's text with our settings in it. Same errors as `read`."""
    return (_write_debian if path == DEBIAN_PATH else _write_redhat)(text, desired)


def ignored_lines(path: str, text: str) -> tuple[str, ...]:
    """Return the lines of options that Debian's wrapper drops, as they begin with -d or -h."""
    lines = [_active(line) for line in text.splitlines()] if path == DEBIAN_PATH else []
    return tuple(line for line in lines if _dropped(line) and line not in {"-d", "-h"})


def _settings(options: Options) -> Settings:
    numbers: dict[str, Any] = {}
    endpoints: list[tuple[str, int | None]] = []
    memory_file = ""
    for option, value in options:
        name = _OURS.get(option)
        if name == "listen":
            endpoints += [_endpoint(part) for part in re.split("[,; ]+", value) if part]
        elif name == "memory_file":
            memory_file = value
        elif name:
            numbers[name] = _number(option, value)
    last = dict(options)
    listening = _listening(endpoints, numbers.pop("port", Settings.port))
    return replace(
        listening,
        **numbers,
        memory_file=memory_file,
        user=last.get("--user", "") or last.get("-u", ""),
        barred=_barred(options),
        unix_socket=last.get("--unix-socket", "") or last.get("-s", ""),
    )


def _listening(endpoints: Sequence[tuple[str, int | None]], default: int) -> Settings:
    """Return where it listens; of several ports, the one of the first address that others reach."""
    full = [(address, port or default) for address, port in endpoints]
    reached = [port for address, port in full if not is_loopback(address)]
    port = next(iter(reached or [port for _, port in full]), default)
    return Settings(
        listen=tuple(address for address, own in full if own == port),
        port=port,
        elsewhere=tuple(f"{bracketed(a)}:{own}" for a, own in full if own != port),
    )


_ENDPOINT = re.compile(r"(?P<address>\[[^]]*\]|[^:]*):(?P<port>\d+)")


def _endpoint(text: str) -> tuple[str, int | None]:
    """Return address and port of ADDRESS, ADDRESS:PORT, [IPV6]:PORT; None: the port of -p."""
    plain = text.removeprefix("notls:")
    found = _ENDPOINT.fullmatch(plain)
    return (found["address"] if found else plain).strip("[]"), int(found["port"]) if found else None


def _barred(options: Options) -> str:
    """Return why nobody can set a key without more than a connection; empty: everybody can."""
    for option, value in options:
        if option in _BARRED:
            return _BARRED[option]
        if option in {"-B", "--protocol"} and value == "binary":
            return _BINARY
    return ""


def _number(option: str, value: str) -> int:
    """Return what memcached takes a value for: it stops at what is no digit (atoi(3))."""
    if found := _LEADING.match(value):
        return int(found[0])
    raise ValueError(f"{option} is {value!r}, not a number")


def _split(words: Sequence[str]) -> Options:
    """Return the options, and then the words of redirections with none."""
    try:
        options, operands = getopt.gnu_getopt(list(words), _SHORT, _LONG)
    except getopt.GetoptError as error:
        raise ValueError(str(error)) from None
    if stray := next(_strays(operands), None):
        raise ValueError(f"{stray!r} is not an option of memcached")
    return [*options, *(("", word) for word in operands)]


def _strays(operands: Iterable[str]) -> Iterator[str]:
    """Yield the words that are not of a redirection.

    ">> FILE 2>&1" in OPTIONS was the shell's before systemd; memcached ignores what is no option.
    """
    words = iter(operands)
    for word in words:
        redirection = _REDIRECTION.fullmatch(word)
        if not redirection:
            yield word
        elif not redirection["place"]:
            next(words, None)


# --- Debian ---------------------------------------------------------------------------------


def _active(line: str) -> str:
    """Return what the wrapper leaves of a line."""
    return _COMMENT.sub("", line).strip()


def _dropped(active: str) -> bool:
    return active[:2] in {"-d", "-h"}


def _debian_line(line: str) -> Options:
    active = _active(line)
    if not active.startswith("-") or _dropped(active):
        return []
    return _split(shlex.split(active))


def _debian_options(text: str) -> Options:
    return [option for line in text.splitlines() for option in _debian_line(line)]


def _write_debian(text: str, desired: Settings) -> str:
    """Put each of our options on the line where it stood first, new ones at the end."""
    left = _debian_desired(desired, _debian_options(text))
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


def _debian_desired(desired: Settings, present: Options) -> dict[str, str]:
    optional = {"memory_file": f"-e {desired.memory_file}"} if desired.memory_file else {}
    if desired.user and not {"-u", "--user"} & set(dict(present)):
        optional["user"] = f"-u {desired.user}"
    return optional | {
        "memory": f"-m {desired.memory}",
        "port": f"-p {desired.port}",
        "listen": f"-l {','.join(desired.listen)}",
        "max_connections": f"-c {desired.max_connections}",
        "udp_port": f"-U {desired.udp_port}",
    }


# --- Enterprise Linux -----------------------------------------------------------------------

# systemd's load_env_file: a value may be quoted, go over several lines, and end in a comment's
# stead at the end of the line only.
_ASSIGNMENT = re.compile(
    r"""^[ \t]*(?P<key>[A-Za-z_]\w*)=(?P<value>(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^"'\\\n])*)""",
    re.MULTILINE | re.DOTALL,
)
_PART = re.compile(r""""(?:\\.|[^"\\])*"|'[^']*'|\\.|[^"'\\]+""", re.DOTALL)
_VARIABLES = {"PORT": "-p", "MAXCONN": "-c", "CACHESIZE": "-m", "USER": "-u"}
_ESCAPED = re.compile(r'(["\\$`])')
_BACKSLASH = r"\\\1"


def _value(raw: str) -> str:
    """Return a value without its quotes (systemd.exec(5), EnvironmentFile=)."""
    return "".join(map(_plain, _PART.findall(raw.strip())))


def _plain(part: str) -> str:
    if part.startswith("'"):
        return part[1:-1]
    if part.startswith('"'):
        return re.sub(r'\\(["\\$`])', r"\1", part[1:-1].replace("\\\n", ""))
    return re.sub(r"\\(.)", lambda m: m[1].strip("\n"), part, flags=re.DOTALL)


def _variables(text: str) -> dict[str, str]:
    """Return the variables; of several assignments the last one counts.

    Raises:
        ValueError: a quote is not closed.
    """
    for found in _ASSIGNMENT.finditer(text):
        if text[found.end() : found.end() + 1] not in {"", "\n"}:
            raise ValueError(f"a quote is not closed: {found['key']}={found['value']}")
    return {m["key"]: _value(m["value"]) for m in _ASSIGNMENT.finditer(text)}


def _redhat_options(text: str) -> Options:
    values = _variables(text)
    options = [(flag, values[key]) for key, flag in _VARIABLES.items() if values.get(key)]
    return options + _split(shlex.split(values.get("OPTIONS", "")))


def _write_redhat(text: str, desired: Settings) -> str:
    present = _variables(text)
    given = _split(shlex.split(present.get("OPTIONS", "")))
    kept = _join(option for option in given if option[0] not in _OURS)
    memory_file = f"-e {desired.memory_file} " if desired.memory_file else ""
    addresses = ",".join(desired.listen)
    new = {
        "PORT": str(desired.port),
        "USER": present.get("USER") or desired.user,
        "MAXCONN": str(desired.max_connections),
        "CACHESIZE": str(desired.memory),
        "OPTIONS": f"-l {addresses} -U {desired.udp_port} {memory_file}{kept}".strip(),
    }
    changed = {key: value for key, value in new.items() if present.get(key, "") != value}
    return _assign(text, changed)


def _assign(text: str, values: Mapping[str, str]) -> str:
    """Set each variable where it is assigned last, the assignment that counts, or at the end."""
    for key, value in values.items():
        assignment = f'{key}="{_ESCAPED.sub(_BACKSLASH, value)}"'
        places = [found for found in _ASSIGNMENT.finditer(text) if found["key"] == key]
        if places:
            text = text[: places[-1].start()] + assignment + text[places[-1].end() :]
        else:
            text = (
                f"{text}\n{assignment}\n" if text and text[-1] != "\n" else f"{text}{assignment}\n"
            )
    return text


def _join(options: Iterable[tuple[str, str]]) -> str:
    return " ".join(
        f"{option}={value}" if option.startswith("--") and value else f"{option} {value}".strip()
        for option, value in ((o, shlex.quote(v) if o and v else v) for o, v in options)
    )
