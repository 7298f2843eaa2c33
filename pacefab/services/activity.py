"""How a service's own program says whether it is active on a node, asked there many times a second.

Pacemaker is not asked: what it believes is what is to be judged. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ActivityQuestion:
    """A question that is put to the node's own instance.

    Args:
        resource: the primitive that is active, or is not.
        say: what is said to ask.
        answer: a regular expression of a whole answer.
        active: one of an answer that says that it is active. Its groups, if it has any, say in
            which component: instances that are active are to be in one, else one is to be active.
        argv: a program that is asked by its standard input.
        address, port: where the instance itself is asked, in place of that.
        config: file on the node whose line `requirepass` has the instance's password.
    """

    resource: str
    say: str
    answer: str
    active: str
    argv: tuple[str, ...] = ()
    address: str = ""
    port: int = 0
    config: str = ""

    @property
    def request(self) -> Mapping[str, Any]:
        """What the node's program gets."""
        return asdict(self)
