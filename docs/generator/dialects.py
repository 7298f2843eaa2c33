"""The dialects of pcs: each form is read by the migration itself, and its result is shown."""

from __future__ import annotations

from pacefab.legacy.migrate import migrate_tree
from pacefab.legacy.source import SourceFile, Tree

_COMMENT = "#"
FORMS = {
    "A clone": "pcs resource create web systemd:nginx --clone interleave=true",
    "A clone, today's spelling": "pcs resource create web systemd:nginx clone interleave=true",
    "A promotable clone": ("pcs resource create db galera meta master-max=3 ordered=true --master"),
    "A master made afterwards, under a name of its own": (
        "pcs resource create db redis\npcs resource master db-master db master-max=1"
    ),
    "An agent without its provider": (
        "pcs resource create vip-db IPaddr2 ip=192.0.2.9 cidr_netmask=24"
    ),
    "A resource that stays stopped": "pcs resource create web systemd:nginx --disabled",
    "An order": (
        "pcs resource create web systemd:nginx\npcs resource create app systemd:app\n"
        "pcs constraint order start web then start app kind=Optional"
    ),
    "A colocation, without the word with": (
        "pcs resource create web systemd:nginx\npcs resource create app systemd:app\n"
        "pcs constraint colocation add app web"
    ),
    "A node's attribute": "pcs property set --node c1 rack=r1",
    "Defaults": "pcs resource defaults resource-stickiness=100",
    "A cluster": "pcs cluster setup --name demo c1 c2 c3",
}


def render() -> str:
    """Return a section per form: the commands, and what the inventory says."""
    return "\n".join(_section(title, commands) for title, commands in FORMS.items())


def _section(title: str, commands: str) -> str:
    return (
        f"## {title}\n\n```sh\n{commands}\n```\n\nbecomes\n\n"
        f"```yaml\n{inventory_of(commands)}\n```\n"
    )


def inventory_of(commands: str) -> str:
    """Return what the inventory says for commands of a script on a cluster of c1, c2 and c3."""
    setup = "" if "cluster setup" in commands else "pcs cluster setup demo c1 c2 c3\n"
    made = migrate_tree(_tree(f"{setup}{commands}\n"), "scripts", "demo", plain=True)
    frame = migrate_tree(_tree("pcs cluster setup demo c1 c2 c3\n"), "scripts", "demo", plain=True)
    known = set(_lines(frame.inventory)) if setup else set()
    kept = [line for line in _lines(made.inventory) if line not in known or line.endswith(":")]
    return "\n".join(
        line
        for line, following in zip(kept, [*kept[1:], ""], strict=True)
        if not line.endswith(":") or following.startswith(" ")
    )


def _tree(script: str) -> Tree:
    text = f"#!/bin/bash\n{script}"
    return Tree({"setup.sh": SourceFile("setup.sh", text)})


def _lines(inventory: str) -> list[str]:
    lines = (line.partition(f" {_COMMENT}")[0].rstrip() for line in inventory.splitlines())
    return [line for line in lines if line and not line.startswith(_COMMENT)]
