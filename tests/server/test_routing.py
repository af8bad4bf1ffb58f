"""The way of stanzas between sessions (RFC 6120 sections 8 and 10)."""

from __future__ import annotations

import asyncio

import pytest
from conversation import Client, new_server
from virtual import run

from xmppfast.core.dispatch import Disco, Feature, OnIncoming, OnIq, OnOutgoing, OnSession, Target
from xmppfast.core.errors import StanzaCondition, StanzaError
from xmppfast.core.jid import JID
from xmppfast.core.stanza import element, finished, stanza

ALICE = "alice@example.org/r"
BOB = "bob@example.org/r"


def pair_test(work, features=(), **settings):
    """Run a conversation of two clients with a new server."""

    async def converse():
        server = await new_server(
            lambda host: [f(host) if callable(f) else f for f in features], **settings
        )
        alice = await Client(server).bound("alice")
        bob = await Client(server).bound("bob")
        await work(alice, bob)
        await server.close()
        assert not server.registry.accounts

    run(converse())


def condition(error):
    """The condition in a stanza of type error."""
    assert error.type == "error", error.raw
    return error.find("{jabber:client}error")[0].name


# Messages ----------------------------------------------------------------------------------------


def test_a_message_is_stamped_and_otherwise_as_it_was():
    async def work(alice, bob):
        alice.send(
            f"<message to='{BOB}' from='carol@example.org' type='chat'><body>a &lt; b</body>"
            "<x:y xmlns:x='urn:x'/></message>"
        )
        assert (await bob.stanza()).raw.decode() == (
            f"<message to='{BOB}' from='{ALICE}' type='chat'><body>a &lt; b</body>"
            "<x:y xmlns:x='urn:x'/></message>"
        )

    pair_test(work)


def test_addresses_are_compared_prepared_and_delivered_as_written():
    async def work(alice, bob):
        alice.send("<message to='BOB@Example.ORG/r'/>")
        assert (await bob.stanza()).to == "BOB@Example.ORG/r"

    pair_test(work)


@pytest.mark.parametrize(
    "start", ["<message ", "<message\n", "<c:message xmlns:c='jabber:client' "]
)
def test_the_language_of_the_stream_is_that_of_its_stanzas(start):
    async def work():
        server = await new_server()
        alice, bob = Client(server), await Client(server).bound("bob")
        alice.header = alice.header.replace(" to=", " xml:lang='de' to=")
        await alice.bound()
        end = "</c:message>" if "c:" in start else "</message>"
        alice.send(f"{start}to='{BOB}'><body/>{end}")
        alice.send(f"{start}to='{BOB}' xml:lang='fr'><body/>{end}")
        assert (await bob.stanza()).lang == "de"
        assert (await bob.stanza()).lang == "fr"

    run(work())


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("a b@example.org", "jid-malformed"),
        ("", "jid-malformed"),
        ("someone@example.com", "remote-server-not-found"),
        ("bob@example.org/other", "service-unavailable"),
        ("example.org", "service-unavailable"),
    ],
)
@pytest.mark.parametrize("name", ["message", "iq"])
def test_what_can_not_be_delivered_is_answered(name, to, expected):
    async def work(alice, bob):
        alice.send(f"<{name} to='{to}' id='1' type='get'><a xmlns='urn:x'/></{name}>")
        answer = await alice.stanza()
        assert (answer.name, answer.id, answer.from_, answer.to) == (name, "1", to, ALICE)
        assert condition(answer) == expected

    pair_test(work)


@pytest.mark.parametrize(
    "data",
    [
        "<message to='a b@example.org' type='error'/>",
        "<message to='someone@example.com' type='error'/>",
        "<iq to='a b@example.org' type='result' id='1'/>",
        "<iq to='bob@example.org/other' type='error' id='1'/>",
        "<iq type='result' id='1'/>",
        "<iq type='error' id='1'/>",
        "<iq to='example.org' type='result' id='1'/>",
        "<iq type='result' id='1'><a/><b/></iq>",
    ],
)
def test_errors_and_results_are_never_answered(data):
    async def work(alice, bob):
        alice.send(data)
        assert await alice.settled() == []

    pair_test(work)


@pytest.mark.parametrize(
    "data",
    [
        "<message xmlns='jabber:server'/>",
        "<stream:features/>",
        "<other/>",
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    ],
)
def test_what_is_no_stanza_ends_the_stream(data):
    async def work(alice, bob):
        alice.send(data)
        expected = "invalid-namespace" if "message" in data else "unsupported-stanza-type"
        assert await alice.stream_error() == expected

    pair_test(work)


def test_order_holds_when_a_handler_waits():
    async def slow(passage):
        await asyncio.sleep(1)
        passage.account.resources["r"].send(passage.data)
        return True

    feature = Feature("slow", (OnIncoming("message", slow),))

    async def work(alice, bob):
        alice.send("<message to='bob@example.org' id='0'/>" + f"<message to='{BOB}' id='1'/>" * 2)
        alice.send(f"<message to='{BOB}' id='2'/></stream:stream>")
        assert [(await bob.stanza()).id for _ in range(4)] == ["0", "1", "1", "2"]

    pair_test(work, [feature])


@pytest.mark.parametrize("end", ["hang up", "break off"])
def test_what_came_before_the_connection_broke_is_still_handled(end):
    async def slow(passage):
        await asyncio.sleep(1)
        return False

    feature = Feature("slow", (OnOutgoing("message", slow),))

    async def work(alice, bob):
        alice.send(f"<message to='{BOB}' id='0'/><message to='{BOB}' id='1'/>")
        await asyncio.sleep(0.5)
        if end == "hang up":
            alice.link._receiver.ended()
        else:
            alice.wire.break_off()
        account = alice.server.registry.accounts["alice@example.org"]
        account.outgoing = (slow,)
        assert [(await bob.stanza()).id for _ in range(2)] == ["0", "1"]
        await asyncio.sleep(5)
        assert "alice@example.org" not in alice.server.registry.accounts

    pair_test(work, [feature])


def test_output_of_a_turn_is_one_write():
    async def work(alice, bob):
        written = len(bob.link.writes)
        alice.send(f"<message to='{BOB}'/>" * 40)
        for _ in range(40):
            await bob.stanza()
        assert len(bob.link.writes) == written + 1

    pair_test(work)


# Iq ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "<iq type='get'><a/></iq>",
        "<iq id='1'><a/></iq>",
        "<iq type='put' id='1'><a/></iq>",
        "<iq type='get' id='1'/>",
        "<iq type='set' id='1'><a/><b/></iq>",
    ],
)
@pytest.mark.parametrize("to", [None, BOB, "example.org"])
def test_bad_iqs(data, to):
    async def work(alice, bob):
        alice.send(data if to is None else data.replace("<iq", f"<iq to='{to}'"))
        assert condition(await alice.stanza()) == "bad-request"
        assert await bob.settled() == []

    pair_test(work)


def test_requests_between_clients():
    async def work(alice, bob):
        alice.send(f"<iq type='get' id='1' to='{BOB}'><q xmlns='urn:x'/></iq>")
        asked = await bob.stanza()
        assert (asked.from_, asked.payload) == (ALICE, "{urn:x}q")
        bob.send(f"<iq type='result' id='1' to='{ALICE}'/>")
        answer = await alice.stanza()
        assert (answer.from_, answer.type, answer.id) == (BOB, "result", "1")

    pair_test(work)


def answering(host):
    """A feature that answers with the names of sender and target."""

    def get(request):
        return element("{urn:x}q", {"from": str(request.sender), "to": str(request.to)})

    async def set_(request):
        raise RuntimeError("this is a bug")

    return Feature(
        "x",
        tuple(OnIq("{urn:x}q", target, get, set_) for target in (Target.SERVER, Target.ACCOUNT)),
    )


@pytest.mark.parametrize(
    ("to", "asked"),
    [
        (None, "alice@example.org"),
        ("alice@example.org", "alice@example.org"),
        ("bob@example.org", "bob@example.org"),
        ("carol@example.org", "carol@example.org"),
        ("example.org", "example.org"),
        ("example.org/x", "example.org/x"),
    ],
)
def test_the_server_answers_for_itself_and_for_accounts(to, asked):
    async def work(alice, bob):
        address = "" if to is None else f" to='{to}'"
        alice.send(f"<iq type='get' id='1'{address}><q xmlns='urn:x'/></iq>")
        answer = await alice.stanza()
        assert (answer.type, answer.id, answer.from_, answer.to) == ("result", "1", to, ALICE)
        assert dict(answer[0].attrib) == {"from": ALICE, "to": asked}

    pair_test(work, [answering])


def test_an_account_that_does_not_exist_answers_as_if_it_knew_nothing():
    async def work(alice, bob):
        alice.send("<iq type='get' id='1' to='dave@example.org'><q xmlns='urn:x'/></iq>")
        alice.send("<iq type='get' id='2' to='carol@example.org'><z xmlns='urn:x'/></iq>")
        first, second = await alice.stanza(), await alice.stanza()
        assert condition(first) == condition(second) == "service-unavailable"
        assert (first.id, second.id) == ("1", "2")

    pair_test(work, [answering])


def test_a_bug_is_answered_logged_and_ends_no_session(caplog):
    async def work(alice, bob):
        alice.send("<iq type='set' id='1'><q xmlns='urn:x'/></iq>")
        assert condition(await alice.stanza()) == "internal-server-error"
        assert await alice.settled() == []

    pair_test(work, [answering])
    assert "this is a bug" in caplog.text


# Presence ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("type", ["available", "get", "x"])
def test_presence_of_no_type_there_is(type):
    async def work(alice, bob):
        alice.send(f"<presence type='{type}' id='1'/>")
        assert condition(await alice.stanza()) == "bad-request"

    pair_test(work)


def test_subscriptions_come_from_the_bare_address():
    seen = []

    def note(passage):
        seen.append((passage.stanza.type, str(passage.sender), str(passage.to)))
        return True

    async def work(alice, bob):
        for type in ("subscribe", "subscribed", "unsubscribe", "unsubscribed", "unavailable"):
            alice.send(f"<presence type='{type}' to='bob@example.org'/>")
        alice.send("<presence/>")
        await alice.settled()
        assert [sender for _, sender, _ in seen] == ["alice@example.org"] * 4 + [ALICE] * 2
        assert seen[-1][2] == "alice@example.org"

    pair_test(work, [Feature("note", (OnOutgoing("presence", note),))])


# Features ----------------------------------------------------------------------------------------


def test_handlers_of_an_account_see_everything():
    async def work(alice, bob):
        def no_bob(passage):
            if passage.sender.bare == JID.parse("bob@example.org"):
                raise StanzaError(StanzaCondition.NOT_ACCEPTABLE)
            return False

        alice.server.registry.accounts["alice@example.org"].incoming = (no_bob,)
        bob.send(f"<message to='{ALICE}'/>")
        assert condition(await bob.stanza()) == "not-acceptable"
        bob.send(f"<iq type='get' id='1' to='{ALICE}'><a/></iq>")
        assert condition(await bob.stanza()) == "not-acceptable"
        alice.send(f"<message to='{ALICE}' id='2'/>")
        assert (await alice.stanza()).id == "2"
        assert await alice.settled() == []

    pair_test(work)


def test_sessions_begin_and_end():
    seen = []

    async def start(resource):
        await asyncio.sleep(1)
        seen.append(("start", str(resource.jid), list(resource.account.resources)))

    def end(resource):
        seen.append(("end", str(resource.jid), list(resource.account.resources)))

    async def work(alice, bob):
        second = await Client(alice.server).bound("alice", "s")
        second.send("</stream:stream>")
        await second.event()
        assert await second.event() is None
        assert seen == [
            ("start", ALICE, []),
            ("start", BOB, []),
            ("start", "alice@example.org/s", ["r"]),
            ("end", "alice@example.org/s", ["r"]),
        ]

    pair_test(work, [Feature("x", (OnSession(start, end),))])


def test_a_session_that_can_not_begin():
    def start(resource):
        if resource.jid.local == "carol":
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT)

    async def work(alice, bob):
        carol = Client(alice.server)
        await carol.authenticated("carol")
        carol.send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        assert condition(await carol.stanza()) == "resource-constraint"

    pair_test(work, [Feature("x", (OnSession(start),))])


def test_a_feature_routes_and_asks():
    hosts = []

    def feature(host):
        hosts.append(host)
        return Feature("x", (Disco(Target.SERVER, ("urn:x",)),))

    async def work(alice, bob):
        (host,) = hosts
        assert host.route(finished(stanza("message", id="1")), host.domain, JID.parse(BOB)) is None
        told = await bob.stanza()
        assert (told.from_, told.to, told.id) == ("example.org", BOB, "1")
        asking = asyncio.ensure_future(host.request(JID.parse(BOB), "get", element("{urn:x}q")))
        asked = await bob.stanza()
        bob.send(f"<iq type='result' id='{asked.id}' to='example.org'/>")
        assert (await asking).type == "result"
        asking = asyncio.ensure_future(host.request(JID.parse(BOB), "get", element("{urn:x}q")))
        asked = await bob.stanza()
        alice.send(f"<iq type='result' id='{asked.id}' to='example.org'/>")
        bob.send(
            f"<iq type='error' id='{asked.id}' to='example.org'><error type='cancel'>"
            "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
        with pytest.raises(StanzaError) as caught:
            await asking
        assert caught.value.condition is StanzaCondition.CONFLICT
        with pytest.raises(TimeoutError):
            await host.request(JID.parse(BOB), "get", element("{urn:x}q"))
        assert host.is_local(JID.parse(BOB))
        assert not host.is_local(host.domain)
        assert await host.exists(JID.parse("carol@example.org"))
        assert not await host.exists(JID.parse("dave@example.org"))
        assert host.announced(Target.SERVER).features == ("urn:x",)

    pair_test(work, [feature])


def test_registration_is_asked_about_before_authentication():
    feature = Feature("x", (OnIq("{urn:x}register", Target.STREAM, get=lambda request: None),))

    async def work(alice, bob):
        carol = Client(alice.server)
        await carol.opened()
        carol.send("<iq type='get' id='1'><register xmlns='urn:x'/></iq>")
        assert (await carol.stanza()).raw == b"<iq type='result' id='1'/>"
        carol.send("<iq type='get' id='2'><other xmlns='urn:x'/></iq>")
        assert condition(await carol.stanza()) == "service-unavailable"

    pair_test(work, [feature])


def test_a_client_that_does_not_read():
    async def work(alice, bob):
        bob.link._receiver.overflowed()
        await asyncio.sleep(0)
        assert bob.server.registry.sessions.keys() == {ALICE}

    pair_test(work)


def test_a_connection_that_is_gone_gets_nothing_while_what_it_sent_is_handled():
    seen = []

    async def slow(passage):
        await asyncio.sleep(5)
        seen.append(passage.stanza.id)
        return False

    def end(resource):
        seen.append(f"end of {resource.jid}")

    features = [Feature("slow", (OnOutgoing("message", slow), OnSession(end=end)))]

    async def work(alice, bob):
        registry = alice.server.registry
        alice.send(f"<message to='{BOB}' id='1'/><message to='{BOB}' id='2'/>")
        await asyncio.sleep(1)
        alice.wire.break_off()
        await asyncio.sleep(0.1)
        assert ALICE not in registry.sessions
        assert registry.accounts["alice@example.org"].resources == {}
        # Who comes with the same resource comes after all that.
        again = await Client(alice.server).bound("alice")
        assert seen == ["1", "2", f"end of {ALICE}"]
        assert registry.sessions.keys() == {ALICE, BOB}
        assert again.jid == ALICE

    pair_test(work, features)


@pytest.mark.parametrize("end", ["conflict", "policy-violation"])
def test_what_a_stream_closed_by_the_server_is_having_done_comes_before_the_next_session(end):
    seen = []

    async def slow(passage):
        await asyncio.sleep(5 if passage.stanza.id == "1" else 0)
        seen.append(passage.stanza.id)
        return True

    features = [
        Feature(
            "slow",
            (
                OnIncoming("message", slow),
                OnSession(end=lambda resource: seen.append(f"end of {resource.jid}")),
            ),
        )
    ]

    async def work(alice, bob):
        alice.send("<message to='bob@example.org' id='1'/><message to='bob@example.org' id='2'/>")
        await asyncio.sleep(1)
        if end == "policy-violation":
            alice.link._receiver.overflowed()
        again = await Client(alice.server).bound("alice")
        again.send("<message to='bob@example.org' id='3'/>")
        await asyncio.sleep(1)
        assert seen == ["1", f"end of {ALICE}", "3"]
        assert alice.server.registry.sessions.keys() == {ALICE, BOB}

    pair_test(work, features)


def test_two_that_want_the_same_resource_at_the_same_time():
    async def start(resource):
        await asyncio.sleep(1)

    async def work(alice, bob):
        clients = [Client(alice.server) for _ in range(3)]
        for client in clients:
            await client.authenticated("carol")
        for client in clients:
            client.send(
                "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                "<resource>x</resource></bind></iq>"
            )
        answers = [await client.stanza() for client in clients]
        assert [answer.type for answer in answers] == ["result", "error", "error"]
        assert condition(answers[1]) == "conflict"

    pair_test(work, [Feature("x", (OnSession(start),))])
