"""The section `galera` of an inventory: MariaDB as a synchronous cluster."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pacefab.inventory.model import Login, Part, fitting, unfit

SECRET = "galera"  # noqa: S105  (the name of the secret, not the secret)

_Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
# MariaDB's reader of option files cuts lines of 4 KiB.
_Value = Annotated[str | int, fitting(r"[^\x00-\x1f]{0,1000}", "a line of at most 1000 characters")]


class GaleraSection(Part):
    """MariaDB with Galera on every node."""

    sst: Literal["rsync", "mariabackup"] = Field(
        default="rsync",
        description="how a node gets a whole copy: rsync (the node it comes from does not write "
        "meanwhile) or mariabackup (it goes on)",
    )
    sst_user: Login | None = Field(
        default=None,
        description="a database user for mariabackup, whose password is the secret galera; not "
        "given: the system's user mysql, who needs none",
    )
    members: Literal["addresses", "names"] = Field(
        default="addresses",
        description="how nodes call each other: addresses, or names (which every node can resolve)",
    )
    settings: dict[_Key, _Value] = Field(
        default={},
        description="further options of mysqld by name: texts or whole numbers "
        "(max_connections: 2000)",
    )

    @model_validator(mode="after")
    def _user_of_mariabackup(self) -> Self:
        if self.sst_user and self.sst != "mariabackup":
            raise unfit("sst_user is for sst: mariabackup")
        return self
