"""Option files of Galera and RabbitMQ, and their resources -> the settings of the services."""

from __future__ import annotations

import re

from pacefab.export.draft import made
from pacefab.export.services.reading import Data, ServicesShown, further_settings, unquoted
from pacefab.export.words import Unsayable
from pacefab.services.galera.node import FLAVOURS
from pacefab.services.galera.section import GaleraSection
from pacefab.services.galera.service import AGENT
from pacefab.services.rabbitmq import node as rabbitmq
from pacefab.services.rabbitmq.section import RabbitmqSection

_LINE = re.compile(r"^(\S+) = (.*)$", re.MULTILINE)


def read_galera(shown: ServicesShown) -> Data:
    """Return the settings of its option file."""
    there = (f.config for f in FLAVOURS.values() for facts in shown.facts.values()
             if facts.text(f.config) is not None)  # fmt: skip
    path = next(there, "")
    if not path:
        raise Unsayable("no node has the service's option file")
    said = dict(reversed(_LINE.findall(shown.first(path)[1])))  # the first of each
    user = unquoted(said.get("wsrep_sst_auth", "")).partition(":")
    options = {
        "sst": said.get("wsrep_sst_method", "") if said.get("wsrep_sst_method") != "rsync" else "",
        "sst_user": user[0] if user[2] else "",
        "members": _members(shown),
    }
    section = GaleraSection.model_validate(made(options))
    return made({**options, "settings": further_settings(shown, "galera", section, path)})


def _members(shown: ServicesShown) -> str:
    """Return how nodes call each other, where it is not by their addresses."""
    element = next(iter(shown.cib.primitives_of(AGENT)), None)
    given = {} if element is None else shown.cib.parameters(element)
    return "" if "cluster_host_map" in given else "names"


def read_rabbitmq(shown: ServicesShown) -> Data:
    """Return the settings of RabbitMQ's files; the administrator is who they name first."""
    _, environment, config, _, definitions, *_ = rabbitmq.PATHS
    node, names = shown.first(environment)
    _, users = shown.first(definitions)
    _, text = shown.first(config)
    user = re.search(r'"name": "([^"]*)"', users)
    memory = re.search(r"^vm_memory_high_watermark\.absolute = (\d+)MiB$", text, re.MULTILINE)
    options = {
        "user": user[1] if user and user[1] != RabbitmqSection().user else "",
        "members": "names" if f"NODENAME=rabbit@{node}\n" in names else "",
        "memory": int(memory[1]) if memory else None,
    }
    section = RabbitmqSection.model_validate(made(options))
    return made({**options, "settings": further_settings(shown, "rabbitmq", section, config)})
