"""A broadcast is what `route` to each of the contacts would be (RFC 6121 section 4.4.2)."""

from __future__ import annotations

import pytest
from conversation import DOMAIN, Client, new_server
from virtual import run

from xmppfast.core.dispatch import Feature, OnIncoming
from xmppfast.core.errors import StanzaCondition, StanzaError
from xmppfast.core.jid import JID
from xmppfast.im.broadcast import unavailable
from xmppfast.im.outcomes import settle
from xmppfast.server.defaults import features
from xmppfast.storage.memory import MemoryStorage
from xmppfast.xml import parse

ALICE = JID.parse(f"alice@{DOMAIN}/r")
# Connected twice, connected but not available, absent, there is no such account, elsewhere, a full
# address, the server itself.
CONTACTS = [
    JID.parse(text)
    for text in (
        f"bob@{DOMAIN}",
        f"carol@{DOMAIN}",
        f"dora@{DOMAIN}",
        f"nobody@{DOMAIN}",
        "bob@elsewhere.example",
        f"bob@{DOMAIN}/2",
        DOMAIN,
    )
]
BODY = "<show>away</show><status>a &lt; ü</status><c xmlns='urn:c' to='somebody'/>"
STANZAS = {
    "available": parse(f"<presence xmlns='jabber:client'>{BODY}</presence>"),
    "with attributes": parse(
        f"<presence xmlns='jabber:client' id='1' from='x@y' xml:lang='de' >{BODY}</presence>"
    ),
    "prefixed": parse("<c:presence xmlns:c='jabber:client'><c:show>dnd</c:show></c:presence>"),
    "unavailable": unavailable(),
}


def both_ways(work, stanza=STANZAS["available"], more=()):
    """What is seen when `stanza` is broadcast, and when it is routed to each contact."""

    async def watch(broadcast):
        server = await new_server(
            lambda host: [*more, *features(MemoryStorage())(host)],
            ("alice", "bob", "carol", "dora"),
        )
        clients = [
            await Client(server).bound(name, resource)
            for name, resource in (("alice", "r"), ("bob", "1"), ("bob", "2"), ("carol", "r"))
        ]
        for client in clients[:3]:
            client.send("<presence/>")
        await work(server, clients)
        for client in clients:
            await client.settled()
        if broadcast:
            outcomes = server.broadcast(stanza, ALICE, iter(CONTACTS))
        else:
            outcomes = [server.route(stanza, ALICE, contact) for contact in CONTACTS]
        await settle(*outcomes)
        seen = [[stanza.raw for stanza in await client.settled()] for client in clients]
        await server.close()
        return seen

    async def converse():
        return await watch(True), await watch(False)

    return run(converse())


async def nothing(server, clients):
    """Nothing more happens before."""


@pytest.mark.parametrize("stanza", STANZAS.values(), ids=STANZAS)
def test_a_broadcast_is_what_each_contact_would_get(stanza):
    broadcast, routed = both_ways(nothing, stanza)
    assert broadcast == routed
    alice, one, two, carol = broadcast
    assert [parse(it).to for it in one] == [f"bob@{DOMAIN}"]
    assert [parse(it).to for it in two] == [f"bob@{DOMAIN}", f"bob@{DOMAIN}/2"]
    assert {parse(it).from_ for it in one + two} == {str(ALICE)}
    assert not carol
    assert [parse(it).from_ for it in alice] == ["bob@elsewhere.example"]  # can't be reached


@pytest.mark.parametrize("who", [0, 1], ids=["by the sender", "by the receiver"])
def test_who_is_blocked_gets_nothing(who):
    async def block(server, clients):
        blocked = (f"bob@{DOMAIN}", f"alice@{DOMAIN}")[who]
        clients[who].send(
            "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'>"
            f"<item jid='{blocked}'/></block></iq>"
        )

    broadcast, routed = both_ways(block)
    assert broadcast == routed
    assert [len(it) for it in broadcast[1:3]] == [0, 0]


@pytest.mark.parametrize("does", ["looks", "takes", "refuses"])
def test_handlers_of_other_features_see_every_copy(does):
    seen = []

    def handler(passage):
        if passage.sender == ALICE:
            seen.append(str(passage.to))
            if does == "refuses":
                raise StanzaError(StanzaCondition.NOT_ALLOWED)
        return does == "takes"

    async def forget(server, clients):
        for client in clients:
            await client.settled()
        seen.clear()

    broadcast, routed = both_ways(forget, more=[Feature("x", (OnIncoming("presence", handler),))])
    assert broadcast == routed
    assert seen == [str(it) for it in CONTACTS if it.domain == DOMAIN]
    assert bool(broadcast[1]) == (does == "looks")


def test_a_handler_for_the_absent_sees_only_what_is_for_them():
    seen = []

    def handler(passage):
        if passage.sender == ALICE:
            seen.append(str(passage.to))
        return False

    async def forget(server, clients):
        for client in clients:
            await client.settled()
        seen.clear()

    registered = OnIncoming("presence", handler, absent=True)
    broadcast, routed = both_ways(forget, more=[Feature("x", (registered,))])
    assert broadcast == routed
    assert seen == [f"dora@{DOMAIN}", f"nobody@{DOMAIN}", DOMAIN]
