"""aioxmpp's client with our server: login over TLS, rosters, presence, messages."""

from __future__ import annotations

import asyncio
import sys

import pytest
from accounts import PASSWORD
from hosts import host

from xmppfast.client import Address, Client, Presence
from xmppfast.core.jid import JID

if sys.version_info >= (3, 13):
    pytest.skip("aioxmpp is for Pythons before 3.13", allow_module_level=True)
aioxmpp = host("aioxmpp")

ALICE, BOB = "alice@localhost", "bob@localhost"

# What others' modules deprecate in one another is not our concern.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def aioxmpp_client(server, *, direct=False):
    """Alice, as aioxmpp's client."""
    kind = aioxmpp.connector.XMPPOverTLSConnector if direct else aioxmpp.connector.STARTTLSConnector
    port = server.tls_port if direct else server.port
    return aioxmpp.PresenceManagedClient(
        aioxmpp.JID.fromstr(ALICE),
        # Its own way to verify a self-signed certificate asks for much more.
        aioxmpp.make_security_layer(PASSWORD, no_verify=True),
        override_peer=[("127.0.0.1", port, kind())],
    )


async def until(condition):
    """Wait until that is so."""
    while not condition():
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("direct", [False, True])
def test_friends_and_chat(running, direct):
    async def main():
        async with running("alice", "bob") as server:
            address = Address("127.0.0.1", server.tls_port, direct_tls=True, ca_file=server.ca_file)
            bob = Client(BOB, PASSWORD, address=address)

            @bob.on_presence
            async def agree(presence: Presence) -> None:
                if presence.type == "subscribe":
                    await bob.approve(presence.from_)
                    await bob.subscribe(presence.from_)

            alice = aioxmpp_client(server, direct=direct)
            roster = alice.summon(aioxmpp.RosterClient)
            presence = alice.summon(aioxmpp.PresenceClient)
            dispatcher = alice.summon(aioxmpp.dispatcher.SimpleMessageDispatcher)
            heard, theirs = asyncio.Queue(), aioxmpp.JID.fromstr(BOB)
            dispatcher.register_callback(aioxmpp.MessageType.CHAT, None, heard.put_nowait)
            roster.on_subscribe.connect(lambda stanza: roster.approve(stanza.from_))
            async with bob, alice.connected():
                await roster.set_entry(theirs, name="Bob \u6f22", add_to_groups={"friends"})
                roster.subscribe(theirs)
                await until(
                    lambda: theirs in roster.items and roster.items[theirs].subscription == "both"
                )
                assert roster.items[theirs].name == "Bob \u6f22"
                await bob.send_presence(show="xa")
                await until(
                    lambda: any(
                        found.show is aioxmpp.PresenceShow.EXTENDED_AWAY
                        for found in presence.get_peer_resources(theirs).values()
                    )
                )
                message = aioxmpp.Message(type_=aioxmpp.MessageType.CHAT, to=theirs)
                message.body[None] = "h\u00e4llo \u6f22 <&>"
                await alice.send(message)
                received = await anext(bob.messages())
                assert received.body == "h\u00e4llo \u6f22 <&>"
                assert received.from_ == JID.parse(str(alice.local_jid))
                await bob.send_message(received.from_, "\u00bfqu\u00e9?")
                assert (await heard.get()).body.any() == "\u00bfqu\u00e9?"
                await aioxmpp.ping.ping(alice, aioxmpp.JID.fromstr("localhost"))
                info = await alice.summon(aioxmpp.DiscoClient).query_info(
                    aioxmpp.JID.fromstr("localhost")
                )
                assert "urn:xmpp:ping" in info.features

    async def limited():
        async with asyncio.timeout(180):
            await main()

    asyncio.run(limited())


def test_wrong_password(running):
    async def main():
        async with running("alice") as server:
            alice = aioxmpp_client(server)
            alice = aioxmpp.PresenceManagedClient(
                aioxmpp.JID.fromstr(ALICE),
                aioxmpp.make_security_layer("wrong", no_verify=True),
                override_peer=alice.override_peer,
            )
            with pytest.raises(host("aiosasl").AuthenticationFailure):
                async with alice.connected():
                    pass

    asyncio.run(main())
