"""The section `rabbitmq` of an inventory: one broker on every node, quorum queues by default."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pacefab.inventory.model import Login, Part, fitting

SECRET = "rabbitmq"  # noqa: S105  (the name of the secret, not the secret)
COOKIE = "rabbitmq_cookie"

_Key = Annotated[str, Field(pattern=r"^[a-z][A-Za-z0-9_.]*$")]
# RabbitMQ's reader (cuttlefish) ends a value at #, drops blanks around it, and knows no quotes.
_Value = Annotated[
    str | int,
    fitting(
        r"[^\x00-\x20#]([^\x00-\x1f#]*[^\x00-\x20#])?",
        "rabbitmq.conf holds no #, no line end and no blank at an end of a value",
    ),
]


class RabbitmqSection(Part):
    """RabbitMQ on every node. It takes the secrets rabbitmq and rabbitmq_cookie."""

    user: Login = Field(
        default="admin",
        description="the administrator, as whom applications and probes may log in; the password "
        "is the secret rabbitmq",
    )
    members: Literal["addresses", "names"] = Field(
        default="addresses",
        description="how nodes call each other: addresses, or names (which every node can resolve)",
    )
    memory: int | None = Field(
        default=None,
        ge=128,
        description="MiB from which on publishers have to wait, a whole number, 128 or more; not "
        "given: RabbitMQ's own share of the node's memory",
    )
    settings: dict[_Key, _Value] = Field(
        default={},
        description="further options of rabbitmq.conf by name: texts or whole numbers "
        "(channel_max: 2047)",
    )
