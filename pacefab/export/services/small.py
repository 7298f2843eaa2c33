"""Files of memcached and Redis -> the settings of the services."""

from __future__ import annotations

from typing import Any

from pacefab.errors import PacefabError
from pacefab.export.draft import made
from pacefab.export.services.reading import Data, ServicesShown, number
from pacefab.export.words import Unsayable
from pacefab.services.memcached import memcached, warm
from pacefab.services.memcached.config import Settings
from pacefab.services.redis import node as redis
from pacefab.services.redis.section import RedisSection


def read_memcached(shown: ServicesShown) -> Data:
    """Return what all nodes' files say alike; of the rest each file stays as it is."""
    found = [(name, _settings(shown, name)) for name in shown.facts]
    every = [settings for _, settings in found]
    addresses = {member.name: member.addresses[:1] for member in shown.membership.members}
    auto = all(settings.listen == addresses.get(name) for name, settings in found)
    port = _alike(every, "port")
    return made(
        {
            "listen": "" if auto else ",".join(_alike(every, "listen") or ()),
            "port": port if port != Settings().port else None,
            "memory": _alike(every, "memory"),
            "max_connections": _alike(every, "max_connections"),
            "restartable": True if _alike(every, "memory_file") == warm.MEMORY_FILE else None,
        }
    )


def _settings(shown: ServicesShown, name: str) -> Settings:
    try:
        settings = memcached.present_settings(shown.facts[name])
    except PacefabError as error:
        raise Unsayable(f"{name}: {error.attempted}: {error.seen}") from error
    if settings is None:
        raise Unsayable(f"{name} has no file of memcached's settings")
    return settings


def _alike(every: list[Settings], name: str) -> Any:
    values = [getattr(settings, name) for settings in every]
    return values[0] if all(value == values[0] for value in values) else None


def read_redis(shown: ServicesShown) -> Data:
    """Return the settings of the configuration that its agent starts it with."""
    element = shown.cib.element(redis.NAME)
    given = {} if element is None else shown.cib.parameters(element)
    software = next((n for n, f in redis.FLAVOURS.items() if f.config == given.get("config")), None)
    if software is None:
        raise Unsayable("its configuration is none of the service's files")
    _, text = shown.first(redis.FLAVOURS[software].config)
    said = dict(line.partition(" ")[::2] for line in text.splitlines())
    memory = number(said.get("maxmemory", "0mb").removesuffix("mb"))
    replicas = number(said.get("min-replicas-to-write", ""))
    return {
        **made({"memory": memory or None}),
        **({"min_replicas": replicas} if replicas != len(shown.membership.names) // 2 else {}),
        **({} if said.get("appendonly") == "yes" else {"appendonly": False}),
        **({} if _is_usual(shown, software) else {"software": software}),
    }


def _is_usual(shown: ServicesShown, software: redis.Software) -> bool:
    """Whether the nodes' distribution has it where nothing is said."""
    try:
        usual = redis.flavour_of(RedisSection(), shown.intent("redis", None).site(shown.facts))
    except PacefabError:
        return False
    return usual is redis.FLAVOURS[software]
