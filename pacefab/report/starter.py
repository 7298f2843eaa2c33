"""The inventory that somebody begins with."""

from __future__ import annotations

import io
from collections.abc import Sequence

from pacefab.pacemaker.model import Membership

EXAMPLE = Membership("cluster", ())  # where no cluster was read
_TEMPLATE = "starter.yaml.j2"
EXAMPLE_NODES = ("c1", "c2", "c3")


def render_inventory(
    membership: Membership,
    services: Sequence[str],
    *,
    source: str = "",
    user: str | None = None,
    port: int | None = None,
) -> str:
    """Return a commented inventory.

    Args:
        membership: name and nodes; without nodes, examples stand there.
        services: the names of the services that there are.
        source: the host that the membership was read from, if it was.
        user: the login name for all nodes.
        port: their sshd's port.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # 50 ms

    environment = Environment(
        loader=PackageLoader("pacefab.report", "."),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  (no HTML; the result is validated)
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    names = membership.names or EXAMPLE_NODES
    addresses = {member.name: member.addresses for member in membership.members}
    nodes = [_node(name, addresses.get(name, ()), user, port) for name in names]
    return environment.get_template(_TEMPLATE).render(
        cluster=_yaml(membership.cluster),
        nodes=nodes,
        names=names,
        services=services,
        source=source,
    )


def _node(name: str, addresses: Sequence[str], user: str | None, port: int | None) -> str:
    """Return a node as one line of YAML: its name alone, or a mapping of what is known."""
    address = addresses[0] if addresses else None
    known = {"address": address, "user": user, "port": port}
    keys = {key: value for key, value in known.items() if value is not None}
    return _yaml({"name": name, **keys} if keys else name)


def _yaml(value: object) -> str:
    """Return a value as one line of YAML, quoted where its plain text would mean another one."""
    from ruamel.yaml import YAML  # noqa: PLC0415

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 10_000
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue().removesuffix("...\n").strip()
