"""Negotiation as a client, with our server's side of it and with servers that misbehave."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable

import pytest

from xmppfast import StreamError
from xmppfast.core.errors import SaslCondition, SaslError, StanzaCondition, StanzaError
from xmppfast.core.jid import JID
from xmppfast.core.namespaces import BIND, CLIENT, SASL, SESSION, STREAM, TLS
from xmppfast.protocol.accepting import Accepting, Bind, Respond, StartTls, Terms
from xmppfast.protocol.connecting import Bound, Compute, Connecting, Failed, NegotiationError, Tls
from xmppfast.protocol.sasl.keys import derive
from xmppfast.protocol.sasl.mechanisms import Client as ClientMechanisms
from xmppfast.protocol.sasl.mechanisms import Server as ServerMechanisms
from xmppfast.protocol.stream import InitiatingStream, Phase, ReceivingStream

DOMAIN = JID.parse("example.org")
ALICE = JID.parse("alice@example.org")
KEYS = derive("secret", salt=bytes(16), iterations=4096)
BINDING = {"tls-exporter": b"binding"}

HEADER = (
    f"<stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAM}' from='example.org' id='1'"
    " version='1.0'>"
).encode()


class Accounts:
    """One account."""

    async def lookup(self, username):
        return KEYS if username == "alice" else None


async def at_once(work):
    """Runs a costly function."""
    return work()


class Side:
    """A client under test; what it sends is in `sent`, what it wants in `wants`."""

    def __init__(self, password="secret", resource=None, tls=Tls.REQUIRED, secure=False):
        self.sent = []
        self.wants = []
        self.bindings = dict(BINDING) if secure else {}
        nonces = itertools.count()
        self.stream = InitiatingStream(self.sent.append, DOMAIN)
        self.mechanisms = ClientMechanisms(
            "alice",
            password,
            new_nonce=lambda: f"client{next(nonces)}nonce",
            bindings=self.bindings,
            plaintext=True,
        )
        self.negotiation = Connecting(
            self.stream, ALICE, self.mechanisms, resource=resource, tls=tls, secure=secure
        )
        self.negotiation.start()

    def receive(self, data):
        """Take bytes from the server; the last thing wanted."""
        for event in self.stream.parser.feed(data):
            want = self.negotiation.receive(event)
            if isinstance(want, Compute):
                try:
                    want = self.negotiation.computed(want.answer())
                except SaslError as error:
                    want = self.negotiation.computed(error)
            if want is not None:
                self.wants.append(want)
        return self.wants[-1] if self.wants else None

    def taken(self):
        """What was sent since the last time."""
        data = b"".join(self.sent)
        self.sent.clear()
        return data


async def log_in(client, terms, secure=False):
    """Have a client negotiate with our own server's side; what it wanted in the end."""
    out = []
    ids = itertools.count()
    stream = ReceivingStream(out.append, (DOMAIN,), lambda: f"id{next(ids)}")
    secured = [secure]

    def mechanisms():
        return ServerMechanisms(
            "example.org",
            Accounts(),
            secret=bytes(32),
            new_nonce=lambda: f"server{next(ids)}nonce",
            offload=at_once,
            bindings=BINDING if secured[0] else {},
            plaintext=secured[0],
        )

    server = Accepting(stream, terms, mechanisms, secure)
    while not client.wants:
        for event in stream.parser.feed(client.taken()):
            match server.receive(event):
                case StartTls():
                    server.proceed()
                case Respond(mechanism, data):
                    try:
                        step = mechanism.respond(data)
                        outcome = await step if isinstance(step, Awaitable) else step
                    except SaslError as error:
                        outcome = error
                    server.responded(outcome)
                case Bind(jid):
                    server.bound(jid if jid.resource else jid.with_resource("chosen"))
        data = b"".join(out)
        out.clear()
        want = client.receive(data)
        if isinstance(want, StartTls):
            client.wants.clear()
            secured[0] = True
            client.bindings.update(BINDING)
            server.secured()
            client.negotiation.secured()
    return client.wants


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(("resource", "bound"), [("home", "home"), (None, "chosen")])
def test_login(secure, resource, bound):
    client = Side(resource=resource, secure=secure)
    (want,) = asyncio.run(log_in(client, Terms(), secure))
    assert isinstance(want, Bound)
    assert want.jid == ALICE.with_resource(bound)
    assert want.features.find(f"{{{BIND}}}bind") is not None
    assert client.stream.phase is Phase.OPEN


def test_login_without_tls():
    client = Side(tls=Tls.NEVER)
    (want,) = asyncio.run(log_in(client, Terms(tls_required=False)))
    assert isinstance(want, Bound)


def test_wrong_password_is_tried_once():
    client = Side(password="wrong")
    (want,) = asyncio.run(log_in(client, Terms(attempts=1)))
    assert isinstance(want, Failed)
    assert isinstance(want.error, SaslError)
    assert want.error.condition is SaslCondition.NOT_AUTHORIZED


def test_who_we_are_is_not_said_without_tls():
    client = Side()
    assert b"alice" not in client.taken()
    client.receive(
        HEADER + f"<stream:features><starttls xmlns='{TLS}'/></stream:features>".encode()
    )
    assert client.taken() == f"<starttls xmlns='{TLS}'/>".encode()
    assert isinstance(client.receive(f"<proceed xmlns='{TLS}'/>".encode()), StartTls)
    client.negotiation.secured()
    assert b"from='alice@example.org'" in client.taken()


def offers(*mechanisms, extra=""):
    """Features with SASL mechanisms."""
    listed = "".join(f"<mechanism>{name}</mechanism>" for name in mechanisms)
    return (
        f"<stream:features><mechanisms xmlns='{SASL}'>{listed}</mechanisms>{extra}"
        "</stream:features>"
    ).encode()


def failure(client, data):
    """What the client says went wrong when it gets this."""
    want = client.receive(data)
    assert isinstance(want, Failed), want
    assert client.stream.phase in (Phase.CLOSED, Phase.CLOSING)
    return want.error


def test_no_tls_where_it_is_required():
    error = failure(Side(), HEADER + offers("PLAIN"))
    assert isinstance(error, NegotiationError)
    assert str(error) == "the server does not offer TLS"


def test_tls_refused():
    client = Side()
    client.receive(
        HEADER + f"<stream:features><starttls xmlns='{TLS}'/></stream:features>".encode()
    )
    error = failure(client, f"<failure xmlns='{TLS}'/></stream:stream>".encode())
    assert "refused" in str(error)


def test_nothing_in_common():
    error = failure(Side(secure=True), HEADER + offers("X-ODD"))
    assert str(error) == "no way to authenticate; the server offers: X-ODD"
    error = failure(Side(secure=True), HEADER + b"<stream:features/>")
    assert str(error).endswith("offers: none")


def test_another_mechanism_where_one_is_refused():
    client = Side(tls=Tls.NEVER)
    client.receive(HEADER + offers("SCRAM-SHA-1", "PLAIN"))
    assert b"mechanism='SCRAM-SHA-1'" in client.taken()
    client.receive(f"<failure xmlns='{SASL}'><mechanism-too-weak/></failure>".encode())
    assert b"mechanism='PLAIN'" in client.taken()
    error = failure(
        client,
        f"<failure xmlns='{SASL}'><account-disabled/><text>ask us</text></failure>".encode(),
    )
    assert str(error) == "account-disabled: ask us"


@pytest.mark.parametrize(
    "data",
    [
        b"<challenge xmlns='%b'>***</challenge>",
        b"<challenge xmlns='%b'>cj1vdGhlcixzPXg9LGk9NDA5Ng==</challenge>",
    ],
)
def test_a_challenge_that_is_wrong_is_aborted(data):
    client = Side(secure=True)
    client.receive(HEADER + offers("SCRAM-SHA-256"))
    client.taken()
    error = failure(client, data % SASL.encode())
    assert isinstance(error, SaslError)
    assert f"<abort xmlns='{SASL}'/>".encode() in client.taken()


def test_a_success_without_the_servers_signature():
    client = Side(secure=True)
    client.receive(HEADER + offers("SCRAM-SHA-256"))
    error = failure(client, f"<success xmlns='{SASL}'/>".encode())
    assert isinstance(error, SaslError)


def test_stream_errors():
    error = failure(
        Side(secure=True),
        HEADER + b"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
        b"</stream:error></stream:stream>",
    )
    assert isinstance(error, StreamError)
    assert error.condition.value == "conflict"
    error = failure(Side(secure=True), HEADER + b"</stream:stream>")
    assert str(error) == "the server ended the stream"
    error = failure(Side(secure=True), HEADER + b"<message/>")
    assert isinstance(error, StreamError)


def authenticated(features):
    """A client that has authenticated, and was offered these features then."""
    client = Side(secure=True, resource="home")
    client.receive(HEADER + offers("PLAIN"))
    client.receive(f"<success xmlns='{SASL}'/>".encode())
    client.taken()
    client.receive(HEADER + f"<stream:features>{features}</stream:features>".encode())
    return client


def test_no_binding():
    client = authenticated("")
    assert str(client.wants[-1].error) == "the server does not offer resource binding"


def test_binding_refused():
    client = authenticated(f"<bind xmlns='{BIND}'/>")
    assert b"<resource>home</resource>" in client.taken()
    error = failure(
        client,
        b"<iq type='error' id='bind'><error type='cancel'>"
        b"<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    )
    assert isinstance(error, StanzaError)
    assert error.condition is StanzaCondition.CONFLICT


def test_an_address_that_is_none():
    client = authenticated(f"<bind xmlns='{BIND}'/>")
    answer = f"<iq type='result' id='bind'><bind xmlns='{BIND}'><jid>@</jid></bind></iq>"
    assert "no usable address" in str(failure(client, answer.encode()))


@pytest.mark.parametrize(("optional", "asks"), [("", True), ("<optional/>", False)])
def test_a_session_is_asked_for_where_it_has_to_be(optional, asks):
    client = authenticated(f"<bind xmlns='{BIND}'/><session xmlns='{SESSION}'>{optional}</session>")
    client.taken()
    client.receive(
        f"<iq type='result' id='bind'><bind xmlns='{BIND}'><jid>alice@example.org/x</jid></bind>"
        "</iq>".encode()
    )
    assert (b"<session" in client.taken()) is asks
    if asks:
        assert not client.wants
        client.receive(b"<iq type='result' id='session'/>")
    assert client.wants == [Bound(JID.parse("alice@example.org/x"), client.wants[0].features)]
