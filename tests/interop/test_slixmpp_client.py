"""slixmpp's client with our server: login over TLS, rosters, presence, messages."""

from __future__ import annotations

import asyncio

import pytest
from accounts import PASSWORD
from implementations import CI

if CI:
    import slixmpp
else:
    slixmpp = pytest.importorskip("slixmpp")


class Client(slixmpp.ClientXMPP):
    """A client whose events can be waited for."""

    def __init__(self, name, server, mechanism=None, resource="slix"):
        super().__init__(f"{name}@localhost/{resource}", PASSWORD, sasl_mech=mechanism)
        self.ca_certs = server.ca_file
        self.auto_reconnect = False
        self.seen = asyncio.Queue()
        self.use_message_ids = True
        for event in ("session_start", "message", "presence", "failed_auth", "disconnected"):
            self.add_event_handler(event, lambda data, event=event: self.note(event, data))
        self.register_plugin("xep_0199")
        self.register_plugin("xep_0030")

    def note(self, event, data):
        """Keep an event."""
        self.seen.put_nowait((event, data))

    async def next(self, *events):
        """The next event of one of these kinds."""
        async with asyncio.timeout(60):
            while True:
                event, data = await self.seen.get()
                if event in events:
                    return data

    async def log_in(self, port):
        """Connect with STARTTLS; get the roster, be available."""
        self.connect("127.0.0.1", port)
        await self.next("session_start")
        await self.get_roster()
        self.send_presence()
        await self.next("presence")
        return self

    async def log_out(self):
        """Disconnect and wait for it."""
        await self.disconnect()


async def until(condition):
    """Wait until that is so."""
    while not condition():
        await asyncio.sleep(0.01)


def client_test(running, work, *names):
    """Run a conversation with a new server."""

    async def converse():
        async with asyncio.timeout(180), running(*names) as server:
            await work(server)

    asyncio.run(converse())


# With channel binding it knows no type that TLS 1.3 has.
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"])
def test_login(running, mechanism):
    async def work(server):
        alice = await Client("alice", server, mechanism).log_in(server.port)
        assert str(alice.boundjid) == "alice@localhost/slix"
        await alice.log_out()

    client_test(running, work, "alice")


def test_direct_tls(running):
    async def work(server):
        alice = Client("alice", server)
        alice.enable_direct_tls = True
        alice.enable_starttls = False
        await alice.log_in(server.tls_port)
        await alice.log_out()

    client_test(running, work, "alice")


def test_wrong_password(running):
    async def work(server):
        alice = Client("alice", server)
        alice.credentials["password"] = alice.password = "wrong"
        alice.connect("127.0.0.1", server.port)
        await alice.next("failed_auth")
        await alice.disconnect()

    client_test(running, work, "alice")


def test_friends(running):
    async def work(server):
        alice = await Client("alice", server).log_in(server.port)
        bob = await Client("bob", server).log_in(server.port)
        alice.send_presence_subscription("bob@localhost")
        # slixmpp grants subscriptions and asks for its own by itself.
        seen = await alice.next("presence")
        while seen["type"] != "available" or seen["from"] != bob.boundjid:
            seen = await alice.next("presence")
        await until(lambda: alice.client_roster["bob@localhost"]["subscription"] == "both")
        await until(lambda: bob.client_roster["alice@localhost"]["subscription"] == "both")

        text = "Grüße & <♥> \U0001f600"
        alice.send_message("bob@localhost", text, mtype="chat")
        message = await bob.next("message")
        assert (message["body"], str(message["from"])) == (text, "alice@localhost/slix")
        message.reply("back").send()
        assert (await alice.next("message"))["body"] == "back"

        assert await alice.plugin["xep_0199"].ping(bob.boundjid, timeout=60) > 0
        await bob.log_out()
        seen = await alice.next("presence")
        while seen["type"] != "unavailable":
            seen = await alice.next("presence")
        assert seen["from"] == "bob@localhost/slix"

        alice.send_message("bob@localhost", "later", mtype="chat")
        # Its answer says that the server is done with what was sent before.
        assert await alice.plugin["xep_0199"].ping("localhost", timeout=60) > 0
        bob = await Client("bob", server).log_in(server.port)
        message = await bob.next("message")
        assert message["body"] == "later"
        assert message.xml.find("{urn:xmpp:delay}delay") is not None

        await alice.update_roster("bob@localhost", subscription="remove")
        await until(
            lambda: "bob@localhost" not in alice.client_roster
            or alice.client_roster["bob@localhost"]["subscription"] in ("none", "remove")
        )
        await alice.log_out()
        await bob.log_out()

    client_test(running, work, "alice", "bob")


def test_the_newer_session_takes_the_resource(running):
    async def work(server):
        first = await Client("alice", server).log_in(server.port)
        second = await Client("alice", server).log_in(server.port)
        await first.next("disconnected")
        assert len(server.service.server.registry.sessions) == 1
        await second.log_out()

    client_test(running, work, "alice")


def test_the_command(command):
    """`xmppfast serve`, as it comes: SQLite, a certificate of its own, users added meanwhile."""

    async def converse():
        alice = await Client("alice", command).log_in(command.port)
        bob = await Client("bob", command).log_in(command.port)
        alice.send_message(bob.boundjid, "hello", mtype="chat")
        assert (await bob.next("message"))["body"] == "hello"
        await bob.log_out()
        alice.send_message("bob@localhost", "while you were out", mtype="chat")
        assert await alice.plugin["xep_0199"].ping("localhost", timeout=60) > 0
        bob = await Client("bob", command).log_in(command.port)
        assert (await bob.next("message"))["body"] == "while you were out"
        command.stop()
        await alice.next("disconnected")
        await bob.next("disconnected")

    asyncio.run(converse())
