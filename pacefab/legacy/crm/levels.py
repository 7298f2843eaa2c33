"""The levels of the crm shell and the commands that each has, old names too."""

from __future__ import annotations

import re
from collections.abc import Collection

ROOT = ""
# On every level; the first three leave one.
_EVERYWHERE = ("up", "end", "back", "cd", "ls", "help", "quit", "exit", "bye", "?")
_LONGEST_NAME = 30
LEAVING = {"up", "end", "back", "cd"}
ENDING = {"quit", "exit", "bye"}
_COMMANDS: dict[str, tuple[str, ...]] = {
    ROOT: ("status", "report", "verify"),
    "configure": (
        "primitive", "resource", "group", "clone", "ms", "master", "bundle", "rsc_template",
        "location", "colocation", "collocation", "order", "rsc_ticket", "property",
        "rsc_defaults", "op_defaults", "fencing_topology", "fencing-topology", "node", "tag",
        "role", "user", "acl_target", "acl_group", "alert", "xml", "monitor", "show",
        "get_property", "get-property", "edit", "verify", "validate-all", "validate_all",
        "save", "load", "graph", "delete", "rm", "default-timeouts", "default_timeouts",
        "rename", "erase", "refresh", "ptest", "simulate", "commit", "upgrade", "schema",
        "modgroup", "set", "filter", "rsctest",
    ),
    "resource": (
        "status", "show", "list", "start", "stop", "restart", "promote", "demote", "manage",
        "unmanage", "move", "migrate", "unmove", "unmigrate", "unban", "clear", "ban",
        "cleanup", "operations", "constraints", "failcount", "param", "secret", "meta",
        "utilization", "refresh", "reprobe", "maintenance", "trace", "untrace", "scores",
        "locate", "enable", "disable",
    ),
    "node": (
        "show", "list", "status", "standby", "online", "maintenance", "ready", "fence",
        "clearstate", "delete", "attribute", "utilization", "status-attr", "server",
    ),
    "cluster": (
        "init", "join", "start", "stop", "restart", "enable", "disable", "add", "remove",
        "delete", "rename", "status", "health", "wait_for_startup", "run", "copy", "diff",
        "crash_test", "geo_init", "geo-init", "geo_join", "geo-join", "geo_init_arbitrator",
        "geo-init-arbitrator",
    ),
    "cib": ("new", "delete", "reset", "commit", "use", "diff", "list", "import"),
    "ra": ("classes", "list", "providers", "meta", "info", "validate"),
    "corosync": (
        "add-node", "del-node", "diff", "edit", "get", "log", "pull", "push", "reload", "set",
        "show", "status", "link",
    ),
    "template": ("new", "load", "edit", "delete", "show", "apply", "list"),
    "script": ("list", "show", "verify", "run", "json"),
    "options": ("show", "set", "save", "reset", "skill-level", "user", "editor", "pager",
                "sort-elements", "wait", "output", "colorscheme", "check-frequency",
                "check-mode", "manage-children", "add-quotes"),
    "history": (),
    "cibstatus": (),
    "maintenance": ("action", "on", "off"),
    "site": ("ticket",),
    "assist": ("template", "weak-bond"),
}  # fmt: skip
_BELOW = {"configure": ("ra", "cib", "cibstatus", "template", "history", "assist")}


def levels_at(level: str) -> Collection[str]:
    """Return the levels that can be entered from one."""
    return [name for name in _COMMANDS if name] if level == ROOT else _BELOW.get(level, ())


def has_commands(level: str) -> bool:
    """Return whether the commands of a level are known here; else every word may be one."""
    return level == ROOT or bool(_COMMANDS[level])


def full_name(level: str, word: str) -> str:
    """Return the command or level that a word means there, abbreviated or not; empty: none.

    crmsh takes a unique beginning, else letters in their order that fit one name alone.
    """
    names = [*levels_at(level), *_COMMANDS[level], *_EVERYWHERE]
    if word in names or len(word) > _LONGEST_NAME:
        return word if word in names else ""
    for pattern in (re.escape(word), ".*".join(map(re.escape, word))):
        same = [name for name in names if re.match(pattern, name, re.IGNORECASE)]
        if len(same) == 1:
            return same[0]
    return ""
