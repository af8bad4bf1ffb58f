"""What each address of the network has taken lately: connections, failed logins, registrations.

An address is forgotten when it has no connection and could take as much as ever: those who come and
go cost nothing. The machine's own addresses may take whatever they like: a proxy there, such as one
for TLS, stands for everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple

from .quotas import PerAddress

# Seconds that new connections may be left unread: those that would wait longer are too many.
_MOST_WAIT: Final = 5


class Rate(NamedTuple):
    """So much at once, and then again as it comes back with time."""

    most: float
    per_second: float


class Bucket:
    """What is left to take of a rate (a token bucket); less than nothing if too much was taken."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._left = rate.most
        self._at = now

    def left(self, now: float) -> float:
        """How much can be taken."""
        most, per_second = self._rate
        self._left = min(most, self._left + (now - self._at) * per_second)
        self._at = now
        return self._left

    def take(self, amount: float, now: float) -> float:
        """Take that, and tell for how many seconds it was too much."""
        self._left = self.left(now) - amount
        return max(0.0, -self._left / self._rate.per_second)

    def full(self, now: float) -> bool:
        """Whether it is as if nothing had been taken."""
        return self.left(now) >= self._rate.most


class _Known:
    """One address; there is a bucket for what it has taken any of."""

    __slots__ = ("connecting", "connections", "failing", "registering")

    def __init__(self, connecting: Bucket) -> None:
        self.connections = 0
        self.connecting = connecting
        self.failing: Bucket | None = None
        self.registering: Bucket | None = None

    def forgettable(self, now: float) -> bool:
        buckets = (self.connecting, self.failing, self.registering)
        return not self.connections and all(it is None or it.full(now) for it in buckets)


class Addresses:
    """The addresses that are connected, or were lately; a peer is one that `connected` was told.

    now  seconds of a clock that does not jump
    """

    def __init__(self, quotas: PerAddress, now: Callable[[], float]) -> None:
        self._now = now
        self._known: dict[str, _Known] = {}
        self._many = 1024  # when there are that many, it is time to look who can be forgotten
        self.reconfigure(quotas)

    def reconfigure(self, quotas: PerAddress) -> None:
        """Follow other quotas; what was taken until now still counts as before."""
        self._connections = quotas.connections
        self._connecting = _rate(quotas.connections_per_second, 1)
        self._failing = _rate(quotas.failed_logins_per_minute, 60)
        self._registering = _rate(quotas.registrations_per_hour, 3600)

    def __len__(self) -> int:
        return len(self._known)

    def connected(self, peer: str) -> float | None:
        """Count a connection: seconds to leave it unread, None if there are too many.

        `disconnected` follows in any case.
        """
        now = self._now()
        key = network(peer)
        if key is None:
            return 0.0
        known = self._known.get(key)
        if known is None:
            self._forget_some(now)
            known = self._known[key] = _Known(Bucket(self._connecting, now))
        known.connections += 1
        if known.connections > self._connections:
            return None
        if known.connecting.left(now) < -_MOST_WAIT * self._connecting.per_second:
            return None
        return known.connecting.take(1, now)

    def disconnected(self, peer: str) -> None:
        """A connection is gone."""
        key = network(peer)
        if key is None:
            return
        known = self._known[key]
        known.connections -= 1
        if known.forgettable(self._now()):
            del self._known[key]

    def failed(self, peer: str) -> None:
        """Count a login that failed."""
        key, now = network(peer), self._now()
        if key is None:
            return
        known = self._known[key]
        if known.failing is None:
            known.failing = Bucket(self._failing, now)
        known.failing.take(1, now)

    def may_log_in(self, peer: str) -> bool:
        """Whether a login from there is looked at."""
        key = network(peer)
        failing = None if key is None else self._known[key].failing
        return failing is None or failing.left(self._now()) >= 1

    def may_register(self, peer: str) -> bool:
        """Whether an account may be made from there; if so, it is counted."""
        key, now = network(peer), self._now()
        if key is None:
            return True
        known = self._known[key]
        if known.registering is None:
            known.registering = Bucket(self._registering, now)
        if known.registering.left(now) < 1:
            return False
        known.registering.take(1, now)
        return True

    def _forget_some(self, now: float) -> None:
        if len(self._known) >= self._many:
            for key in [key for key, known in self._known.items() if known.forgettable(now)]:
                del self._known[key]
            self._many = max(1024, 2 * len(self._known))


def _rate(most: int, seconds: int) -> Rate:
    return Rate(most, most / seconds)


@lru_cache(maxsize=4096)
def network(peer: str) -> str | None:
    """What counts as one address: of IPv6 the 64 bits that are one customer's (RFC 6177).

    None for this machine itself.
    """
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return None
    return address.packed[:8].hex() if isinstance(address, IPv6Address) else str(address)
