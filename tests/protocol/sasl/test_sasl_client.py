"""What a client chooses, and what it does not put up with."""

from __future__ import annotations

import pytest
from sasl_sides import BINDINGS, client, respond, server

from xmppfast.core.errors import SaslCondition, SaslError
from xmppfast.protocol.sasl.interface import Challenge, ClientMechanism

ALL = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN")
TYPES = ("tls-unique", "tls-server-end-point")


@pytest.mark.parametrize(
    ("offered", "advertised", "tried", "chosen"),
    [
        (ALL, TYPES, (), "SCRAM-SHA-256-PLUS"),
        (tuple(reversed(ALL)), TYPES, (), "SCRAM-SHA-256-PLUS"),
        (ALL, TYPES, ALL[:1], "SCRAM-SHA-1-PLUS"),
        (ALL, TYPES, ALL[:2], None),  # no way down from channel binding
        (ALL, ("tls-exporter",), (), "SCRAM-SHA-256"),
        (ALL, (), (), "SCRAM-SHA-256-PLUS"),
        (ALL[2:], (), (), "SCRAM-SHA-256"),
        (ALL[2:], (), ALL[2:3], "SCRAM-SHA-1"),
        (ALL[2:], (), ALL[2:4], "PLAIN"),
        (ALL[2:], (), ALL[2:], None),
        (("GSSAPI", "DIGEST-MD5"), (), (), None),
        ((), (), (), None),
    ],
)
def test_choice(
    offered: tuple[str, ...], advertised: tuple[str, ...], tried: tuple[str, ...], chosen: str
) -> None:
    mechanism = client().choose(offered, advertised, tried)
    assert (mechanism.name if mechanism else None) == chosen


def test_plain_only_where_it_may() -> None:
    assert client(plaintext=False).choose(("PLAIN",), (), ()) is None


@pytest.mark.parametrize(
    ("bindings", "offered", "advertised", "flag"),
    [
        ({}, ALL, TYPES, "n,,"),
        (BINDINGS, ALL[2:], (), "y,,"),
        (BINDINGS, ALL, ("tls-exporter",), "n,,"),
        (BINDINGS, ALL, TYPES, "p=tls-unique,,"),
        (BINDINGS, ALL, (), "p=tls-unique,,"),
        (BINDINGS, ALL, TYPES[1:], "p=tls-server-end-point,,"),
        ({"tls-server-end-point": b"x"}, ALL, (), "n,,"),
        ({**BINDINGS, "tls-exporter": b"x"}, ALL, (), "p=tls-exporter,,"),
    ],
)
def test_channel_binding_flag(
    bindings: dict[str, bytes], offered: tuple[str, ...], advertised: tuple[str, ...], flag: str
) -> None:
    mechanism = client(bindings=bindings).choose(offered, advertised, ())
    assert mechanism is not None
    assert mechanism.initial() == f"{flag}n=alice,r=client".encode()


def started() -> tuple[ClientMechanism, bytes, bytes]:
    """A client that has answered the challenge; the challenge, and the server's signature."""
    ours, theirs = client().choose(ALL[3:4], (), ()), server(bindings={}).start(ALL[3])
    assert ours is not None
    challenge = respond(theirs, ours.initial())
    assert isinstance(challenge, Challenge)
    signature = respond(theirs, ours.respond(challenge.data)).data
    assert signature is not None
    return ours, challenge.data, signature


def test_success_needs_the_right_signature() -> None:
    ours, _, signature = started()
    ours.succeed(signature)
    for wrong in (None, b"", b"v=", b"v=AAAA", b"e=other-error", b"\xff", signature[:-4] + b"AAA="):
        ours, _, _ = started()
        with pytest.raises(SaslError) as caught:
            ours.succeed(wrong)
        assert caught.value.condition in (SaslCondition.ABORTED, SaslCondition.MALFORMED_REQUEST)


def test_success_before_the_challenge() -> None:
    _, _, signature = started()
    for data in (None, signature):
        ours = client().choose(("SCRAM-SHA-1",), (), ())
        assert ours is not None
        ours.initial()
        with pytest.raises(SaslError):
            ours.succeed(data)


@pytest.mark.parametrize(
    "challenge",
    [
        b"",
        b"\xff",
        b"r=client,s=c2FsdCBvZiAxNiBieXRlcw==,i=4096",  # nothing of the server's in the nonce
        b"r=other,s=c2FsdCBvZiAxNiBieXRlcw==,i=4096",
        b"r=Client1,s=c2FsdCBvZiAxNiBieXRlcw==,i=4096",
        b"r=client1,s=c2FsdCBvZiAxNiBieXRlcw==,i=4095",
        b"r=client1,s=c2FsdCBvZiAxNiBieXRlcw==,i=0",
        b"r=client1,s=c2FsdCBvZiAxNiBieXRlcw==,i=-1",
        b"r=client1,s=c2FsdCBvZiAxNiBieXRlcw==,i=2000001",
        b"r=client1,s=c2FsdCBvZiAxNiBieXRlcw==,i=99999999999999999999",
        b"r=client1,s=!,i=4096",
        b"r=client1,i=4096",
        b"m=x,r=client1,s=c2FsdCBvZiAxNiBieXRlcw==,i=4096",
        b"e=unknown-user",
    ],
)
def test_challenges_not_answered(challenge: bytes) -> None:
    ours = client().choose(("SCRAM-SHA-256",), (), ())
    assert ours is not None
    ours.initial()
    with pytest.raises(SaslError):
        ours.respond(challenge)


def test_plain_is_not_asked_anything() -> None:
    ours = client().choose(("PLAIN",), (), ())
    assert ours is not None
    assert ours.initial() == b"\0alice\0pencil"
    with pytest.raises(SaslError):
        ours.respond(b"")
    with pytest.raises(SaslError):
        ours.succeed(b"")
    ours.succeed(None)


@pytest.mark.parametrize("password", ["", "\0", "\u00ad", "\ud800"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-1"])
def test_passwords_nobody_can_have(mechanism: str, password: str) -> None:
    with pytest.raises(ValueError, match="password"):
        client(password=password).choose((mechanism,), (), ())
