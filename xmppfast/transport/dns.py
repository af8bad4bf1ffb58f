"""Finding a domain's servers (RFC 6120 section 3.2, XEP-0368)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from dns.rdtypes.IN.SRV import SRV

PORT = 5222
"""Where a domain's server is, if its DNS does not say anything else."""

_DIRECT, _STARTTLS = "_xmpps-client._tcp", "_xmpp-client._tcp"


@dataclass(frozen=True, slots=True)
class Record:
    """An SRV record (RFC 2782). `target` "." says that there is no such service."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect: host, port, and whether the connection begins with TLS."""

    host: str
    port: int
    direct: bool


Resolver = Callable[[str], Awaitable[Sequence[Record]]]
"""Looks up SRV records by name; an empty answer if there are none. Raises OSError."""


async def resolve_srv(name: str) -> Sequence[Record]:
    """Look up SRV records with the system's resolvers; OSError if none of them answers."""
    try:
        # An absolute name: the machine's search list has no say in this.
        answer = await dns.asyncresolver.resolve(dns.name.from_text(name), "SRV")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except dns.resolver.NoResolverConfiguration:
        return ()
    except dns.exception.DNSException as error:
        raise OSError(f"looking up {name}: {error}") from error
    return [
        Record(record.priority, record.weight, record.port, record.target.to_text())
        for record in answer
        if isinstance(record, SRV)
    ]


async def endpoints(
    domain: str, *, resolve: Resolver = resolve_srv, choose: Callable[[int], int]
) -> list[Endpoint]:
    """List where to try to connect for a domain, in order.

    domain  as DNS has it: ASCII, without a trailing dot
    choose  gives a random number from 0 to the one it is given, both included

    Both services are one list (XEP-0368 section 5); at equal priority, direct TLS comes first.
    Without SRV records it is the domain itself (RFC 6120 section 3.2.2). Raises OSError if the
    resolver does, or for a domain that says it has no such service.
    """
    failure: OSError | None = None
    found: list[tuple[bool, Sequence[Record]]] = []
    for service in (_DIRECT, _STARTTLS):
        try:
            found.append((service == _DIRECT, await resolve(f"{service}.{domain}")))
        except OSError as error:
            failure = error
    here = [
        (record, direct) for direct, records in found for record in records if record.target != "."
    ]
    if not here:
        if failure is not None:
            raise failure
        if any(records for _, records in found):
            raise OSError(f"{domain} says that it has no XMPP service for clients")
        return [Endpoint(domain, PORT, False)]
    ordered: list[Endpoint] = []
    for priority in sorted({record.priority for record, _ in here}):
        for wanted in (True, False):
            group = [
                record
                for record, direct in here
                if record.priority == priority and direct == wanted
            ]
            ordered += (
                Endpoint(record.target.rstrip("."), record.port, wanted)
                for record in _by_weight(group, choose)
            )
    return ordered


def _by_weight(records: Iterable[Record], choose: Callable[[int], int]) -> Iterable[Record]:
    """Put records of one priority in a random order that follows their weights (RFC 2782)."""
    # Those without weight come first in the list, so that they are chosen now and then.
    left = sorted(records, key=lambda record: record.weight)
    while left:
        number = choose(sum(record.weight for record in left))
        for index, record in enumerate(left):
            number -= record.weight
            if number <= 0:
                yield left.pop(index)
                break
