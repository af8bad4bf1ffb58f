"""Where to connect for a domain (RFC 6120 section 3.2, RFC 2782, XEP-0368)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import dns.asyncresolver
import dns.message
import dns.rcode
import dns.rrset
import pytest

from xmppfast.transport.dns import Endpoint, Record, endpoints, resolve_srv

STARTTLS, DIRECT = "_xmpp-client._tcp.example.org", "_xmpps-client._tcp.example.org"


def find(
    zone: dict[str, Sequence[Record] | OSError], choose: Callable[[int], int] = lambda most: most
) -> list[Endpoint]:
    """Endpoints of example.org in that zone."""

    async def resolve(name: str) -> Sequence[Record]:
        answer = zone.get(name, ())
        if isinstance(answer, OSError):
            raise answer
        return answer

    return asyncio.run(endpoints("example.org", resolve=resolve, choose=choose))


def test_no_records() -> None:
    assert find({}) == [Endpoint("example.org", 5222, direct=False)]


def test_priorities() -> None:
    records = [Record(20, 0, 5224, "c."), Record(5, 0, 5222, "a."), Record(10, 0, 5223, "b.")]
    assert [found.host for found in find({STARTTLS: records})] == ["a", "b", "c"]


def test_both_services_are_one_list_direct_tls_first() -> None:
    zone = {
        STARTTLS: [Record(1, 0, 5222, "a."), Record(3, 0, 5222, "c.")],
        DIRECT: [Record(1, 0, 5223, "a."), Record(2, 0, 443, "b.")],
    }
    assert find(zone) == [
        Endpoint("a", 5223, direct=True),
        Endpoint("a", 5222, direct=False),
        Endpoint("b", 443, direct=True),
        Endpoint("c", 5222, direct=False),
    ]


def test_weights() -> None:
    zone = {STARTTLS: [Record(1, weight, 5222, f"w{weight}.") for weight in (10, 0, 30)]}
    random = Random(1)
    first = Counter(find(zone, lambda most: random.randint(0, most))[0].host for _ in range(4000))
    assert set(first) == {"w0", "w10", "w30"}
    assert 0.65 < first["w30"] / 4000 < 0.8
    assert 0.18 < first["w10"] / 4000 < 0.3


def test_every_record_comes_once_whatever_is_chosen() -> None:
    zone = {STARTTLS: [Record(1, weight, 5222, f"{weight}.") for weight in (0, 1, 2, 0)]}
    for choose in (lambda most: 0, lambda most: most, lambda most: most // 2):
        assert sorted(found.host for found in find(zone, choose)) == ["0", "0", "1", "2"]


def test_no_such_service() -> None:
    with pytest.raises(OSError, match=r"example\.org says that it has no XMPP service"):
        find({STARTTLS: [Record(0, 0, 0, ".")], DIRECT: [Record(0, 0, 0, ".")]})
    zone = {STARTTLS: [Record(0, 0, 0, ".")], DIRECT: [Record(0, 0, 5223, "a.")]}
    assert find(zone) == [Endpoint("a", 5223, direct=True)]


def test_resolver_that_fails() -> None:
    """It is not the same as an empty answer: connecting elsewhere then could be what is wanted."""
    failure = OSError("no answer")
    with pytest.raises(OSError, match="no answer"):
        find({STARTTLS: failure})
    assert find({DIRECT: failure, STARTTLS: [Record(0, 0, 5222, "a.")]}) == [
        Endpoint("a", 5222, direct=False)
    ]


class Responder(asyncio.DatagramProtocol):
    """A DNS server that knows one name; others don't exist, and one it does not answer for."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query)
        name = query.question[0].name
        if name.to_text() == f"{STARTTLS}.":
            records = ("5 0 5222 a.example.org.", "10 30 5223 b.example.org.")
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "SRV", *records))
        elif name.to_text().startswith("broken."):
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name.to_text() != "empty.":
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), address)


def test_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Responder, local_addr=("127.0.0.1", 0))
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = transport.get_extra_info("sockname")[1]
        resolver.lifetime = 5
        monkeypatch.setattr(dns.asyncresolver, "default_resolver", resolver)
        try:
            assert sorted(await resolve_srv(STARTTLS), key=str) == [
                Record(10, 30, 5223, "b.example.org."),
                Record(5, 0, 5222, "a.example.org."),
            ]
            assert list(await resolve_srv(DIRECT)) == []
            assert list(await resolve_srv("empty.")) == []
            with pytest.raises(OSError, match=r"looking up broken\.: "):
                await resolve_srv("broken.")
        finally:
            transport.close()

    asyncio.run(main())
