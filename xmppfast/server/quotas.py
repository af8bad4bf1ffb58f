"""How much of the server one session, one address of the network, and all together may take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PerSession:
    """What one connection may take.

    queued_bytes          that wait for it to read; one that has more is closed
    bytes_per_second      that it may send; beyond, it is read more slowly
    stanzas_per_second    likewise
    bytes_before_login    of one stanza or stream header before it is authenticated (RFC 6120
                          section 13.12: at least 10,000)
    """

    queued_bytes: int = 4 * MEBIBYTE
    bytes_per_second: int = 64 * MEBIBYTE
    stanzas_per_second: int = 100_000
    bytes_before_login: int = 10_000


@dataclass(frozen=True, slots=True)
class PerAddress:
    """What one IP address may take, or the 64 bits of IPv6 that one customer has.

    connections               at a time; one more is refused
    connections_per_second    beyond, they wait up to five seconds before they are read, then they
                              are refused
    failed_logins_per_minute  beyond, every login fails for the time being
    registrations_per_hour    of accounts (XEP-0077); beyond, they are refused
    """

    connections: int = 20_000
    connections_per_second: int = 1_000
    failed_logins_per_minute: int = 100
    registrations_per_hour: int = 20


@dataclass(frozen=True, slots=True)
class Quotas:
    """All of them.

    queued_bytes     that wait for all connections; if there are more, those with most are closed
    unauthenticated  connections at a time that are not logged in; one more is refused
    """

    per_session: PerSession = field(default_factory=PerSession)
    per_address: PerAddress = field(default_factory=PerAddress)
    queued_bytes: int = 256 * MEBIBYTE
    unauthenticated: int = 10_000
