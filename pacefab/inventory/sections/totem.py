"""Parts of the section `corosync` that say how nodes talk: links, crypto, compression, times.

Names, ranges and what excludes what are those of `pcs cluster setup` (pcs 0.11); meanings and
defaults those of corosync.conf(5).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pacefab.inventory.model import Part, Port, check_address, unfit

CONF = "corosync.conf(5)"
Whole = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Text = Annotated[str, Field(pattern=r"^[^\s{}#][^\n{}]*$")]
_IpAddress = Annotated[str, AfterValidator(check_address)]


def texts(part: Part) -> dict[str, str]:
    """Return the scalars of a part that have a value, as texts."""
    found = {name: getattr(part, name) for name in type(part).model_fields}
    kept = {k: v for k, v in found.items() if isinstance(v, (str, int))}
    return {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in kept.items()}


def whole(said: str, default: str, source: str = CONF) -> Any:
    """Return the field of a whole number: what it is, and what without it."""
    return Field(
        default=None, description=f"a whole number, 0 or more: {said} (default {default}; {source})"
    )


class Link(Part):
    """Options of one link; the first of the list is those of link 0."""

    link_priority: Annotated[int, Field(ge=0, le=255)] | None = Field(
        default=None,
        description="a whole number from 0 to 255: with link_mode passive the link with the "
        f"highest is used (default 1; {CONF}: knet_link_priority)",
    )
    mcastport: Port | None = Field(
        default=None,
        description=f"a UDP port from 1 to 65535 (default 5405 and the link's number; {CONF})",
    )
    ping_interval: Whole | None = whole("ms between pings", "token / (pong_count * 2)")
    ping_precision: Whole | None = whole("pings that latency is averaged over", "2048")
    ping_timeout: Whole | None = whole("ms until a link is down", "token / pong_count")
    pong_count: Whole | None = whole("answers until a link is up", "2")
    transport: Literal["udp", "sctp"] | None = Field(
        default=None,
        description=f"udp or sctp: what carries knet (default udp; {CONF}: knet_transport)",
    )
    bindnetaddr: _IpAddress | None = Field(
        default=None,
        description="an IP address, transport udp alone: the network that is used (default: that "
        f"of the nodes' addresses; {CONF})",
    )
    broadcast: bool | None = Field(
        default=None,
        description="true or false, transport udp alone: broadcast, not multicast (default false; "
        f"{CONF})",
    )
    mcastaddr: _IpAddress | None = Field(
        default=None,
        description="a multicast address, transport udp alone (default: made of the cluster's "
        f"name; {CONF})",
    )
    ttl: Annotated[int, Field(ge=0, le=255)] | None = Field(
        default=None,
        description=f"a whole number from 0 to 255, transport udp alone (default 1; {CONF})",
    )

    @model_validator(mode="after")
    def _pings(self) -> Self:
        if (self.ping_interval is None) != (self.ping_timeout is None):
            raise unfit("ping_interval and ping_timeout come together (pcs): write both or none")
        return self

    def values(self) -> dict[str, str]:
        """Return the options by corosync's own names."""
        found = texts(self)
        if "broadcast" in found:
            found["broadcast"] = "yes" if self.broadcast else "no"
        return {f"knet_{k}" if k in KNET_NAMES else k: v for k, v in found.items()}


UDP_OPTIONS = ("bindnetaddr", "broadcast", "mcastaddr", "ttl")
KNET_NAMES = (
    "link_priority", "ping_interval", "ping_precision", "ping_timeout", "pong_count", "transport",
)  # fmt: skip


class Crypto(Part):
    """Encryption and authentication of all that the nodes send each other."""

    model: Literal["nss", "openssl"] | None = Field(
        default=None, description=f"nss or openssl: the library (default nss; {CONF})"
    )
    cipher: Literal["none", "aes256", "aes192", "aes128"] = Field(
        default="aes256",
        description=f"none, aes256, aes192 or aes128 (default aes256, as pcs sets it; {CONF})",
    )
    hash: Literal["none", "md5", "sha1", "sha256", "sha384", "sha512"] = Field(
        default="sha256",
        description="none, md5, sha1, sha256, sha384 or sha512 (default sha256, as pcs sets it; "
        f"{CONF})",
    )

    @model_validator(mode="after")
    def _authenticated(self) -> Self:
        if self.cipher != "none" and self.hash == "none":
            raise unfit("a cipher needs a hash too (corosync refuses it): set hash, or cipher none")
        return self


class Compression(Part):
    """Compression of what the nodes send each other."""

    model: Text = Field(
        description=f"a library that knet has, such as zlib, lz4, bzip2 (default none; {CONF})"
    )
    threshold: Whole | None = whole("bytes from which packets are compressed", "100")
    level: Whole | None = whole("the library's level", "the library's own")


class Totem(Part):
    """Times and limits of the protocol, in milliseconds where they are times."""

    token: Whole | None = whole("ms after which a token is lost", "3000")
    token_coefficient: Whole | None = whole("ms more for each node from the third", "650")
    token_retransmit: Annotated[int, Field(ge=30)] | None = Field(
        default=None,
        description="a whole number, 30 or more: ms until a token is sent again (default: made of "
        f"token; {CONF})",
    )
    token_retransmits_before_loss_const: Whole | None = whole("how often it is sent again", "4")
    hold: Whole | None = whole("ms for which a token is held", "180")
    join: Whole | None = whole("ms for join messages", "50")
    send_join: Whole | None = whole("ms before a join message, at most", "0")
    consensus: Whole | None = whole("ms for consensus, at least 1.2 * token", "1.2 * token")
    merge: Whole | None = whole("ms between looks for others", "200")
    downcheck: Whole | None = whole("ms between looks at a network that is down", "1000")
    fail_recv_const: Whole | None = whole("rotations without messages", "2500")
    seqno_unchanged_const: Whole | None = whole("rotations without traffic", "30")
    heartbeat_failures_allowed: Whole | None = whole("lost heartbeats", "0, which is none")
    max_network_delay: Whole | None = whole("ms that a packet may take", "50")
    window_size: Whole | None = whole("messages of one rotation", "50")
    max_messages: Whole | None = whole("messages of one node and rotation", "17")
    miss_count_const: Whole | None = whole("receipts of a token before a resend", "5")
    block_unlisted_ips: bool | None = Field(
        default=None,
        description="true or false: whether packets of addresses that are no node's are dropped "
        f"(default true; {CONF})",
    )

    @model_validator(mode="after")
    def _consensus_fits(self) -> Self:
        token = 3000 if self.token is None else self.token
        if self.consensus is not None and self.consensus * 5 < token * 6:
            raise unfit(f"consensus is at least 1.2 * token, here {token * 6 // 5} (corosync.conf)")
        return self
