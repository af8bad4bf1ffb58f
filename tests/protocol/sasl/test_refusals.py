"""What a server refuses, and with which condition (RFC 6120 section 6.5)."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable
from hashlib import pbkdf2_hmac, sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sasl_sides import (
    ALICE,
    BINDINGS,
    PASSWORD,
    Accounts,
    Offloaded,
    bindings_for,
    client,
    respond,
    server,
)

from xmppfast.core.errors import SaslCondition, SaslError
from xmppfast.protocol.sasl.interface import Challenge, Success

SCRAM = "SCRAM-SHA-256"
PLUS = "SCRAM-SHA-256-PLUS"


def refusal(mechanism: str, *messages: bytes | str | Callable[[bytes], bytes]) -> SaslCondition:
    """The condition that a server of ours ends an exchange with, at the last of these messages."""
    ours = server().start(mechanism)
    challenge = b""
    for message in messages[:-1]:
        step = respond(ours, message(challenge) if callable(message) else message)
        assert isinstance(step, Challenge)
        challenge = step.data
    last = messages[-1]
    with pytest.raises(SaslError) as caught:
        respond(ours, last(challenge) if callable(last) else last)
    return caught.value.condition


@pytest.mark.parametrize("name", ["", "plain", "SCRAM-SHA-512", "EXTERNAL", "SCRAM-SHA-256-PLUS "])
def test_unknown_mechanism(name: str) -> None:
    with pytest.raises(SaslError) as caught:
        server().start(name)
    assert caught.value.condition is SaslCondition.INVALID_MECHANISM


def test_plain_needs_encryption() -> None:
    with pytest.raises(SaslError) as caught:
        server(bindings={}, plaintext=False).start("PLAIN")
    assert caught.value.condition is SaslCondition.ENCRYPTION_REQUIRED


def test_plus_needs_tls() -> None:
    with pytest.raises(SaslError) as caught:
        server(bindings={}).start(PLUS)
    assert caught.value.condition is SaslCondition.INVALID_MECHANISM


@pytest.mark.parametrize(
    ("mechanism", "message", "condition"),
    [
        ("PLAIN", b"", "malformed-request"),
        ("PLAIN", b"alice", "malformed-request"),
        ("PLAIN", b"\0alice", "malformed-request"),
        ("PLAIN", b"\0\0pencil", "malformed-request"),
        ("PLAIN", b"\0alice\0", "malformed-request"),
        ("PLAIN", b"\0alice\0pencil\0", "malformed-request"),
        ("PLAIN", b"\0alice\0\xff", "malformed-request"),
        ("PLAIN", b"\0alice\0pen\x07cil", "not-authorized"),
        ("PLAIN", b"\0al ice\0pencil", "not-authorized"),
        ("PLAIN", b"\0alice@example.org\0pencil", "not-authorized"),
        ("PLAIN", b"bob@example.org\0alice\0pencil", "invalid-authzid"),
        ("PLAIN", b"alice@example.com\0alice\0pencil", "invalid-authzid"),
        ("PLAIN", b"alice@example.org/x\0alice\0pencil", "invalid-authzid"),
        ("PLAIN", b"alice\0alice\0pencil", "invalid-authzid"),
        ("PLAIN", b"@\0alice\0pencil", "invalid-authzid"),
        (SCRAM, "", "malformed-request"),
        (SCRAM, "n,,", "malformed-request"),
        (SCRAM, "n,n=alice,r=x", "malformed-request"),
        (SCRAM, "n,,n=alice", "malformed-request"),
        (SCRAM, "n,,r=x,n=alice", "malformed-request"),
        (SCRAM, "n,,n=,r=x", "malformed-request"),
        (SCRAM, "n,,n=alice,r=", "malformed-request"),
        (SCRAM, "x,,n=alice,r=x", "malformed-request"),
        (SCRAM, "n,,m=ext,n=alice,r=x", "malformed-request"),
        (SCRAM, "n,,n=alice,r=x,m=ext", "malformed-request"),
        (SCRAM, "n,,n=alice,r=x,broken", "malformed-request"),
        (SCRAM, "n,,n=al=ice,r=x", "malformed-request"),
        (SCRAM, "n,,n=alice\0,r=x", "malformed-request"),
        (SCRAM, "n,,n=alice,r=\u00e9", "malformed-request"),
        (SCRAM, b"n,,n=alice,r=\xff", "malformed-request"),
        (SCRAM, "n,,n=al ice,r=x", "not-authorized"),
        (SCRAM, "n,a=bob@example.org,n=alice,r=x", "invalid-authzid"),
        (SCRAM, "n,a=alice,n=alice,r=x", "invalid-authzid"),
        (SCRAM, "p=tls-unique,,n=alice,r=x", "malformed-request"),
        (SCRAM, "y,,n=alice,r=x", "not-authorized"),
        (PLUS, "n,,n=alice,r=x", "malformed-request"),
        (PLUS, "y,,n=alice,r=x", "malformed-request"),
        (PLUS, "p=tls-exporter,,n=alice,r=x", "malformed-request"),
        (PLUS, "p=,,n=alice,r=x", "malformed-request"),
    ],
)
def test_first_message(mechanism: str, message: bytes | str, condition: str) -> None:
    assert refusal(mechanism, message).value == condition


@pytest.mark.parametrize(
    ("old", "new", "condition"),
    [
        (b"r=client", b"r=Client", "malformed-request"),
        (b"r=clientserver", b"r=client", "malformed-request"),
        (b"r=clientserver", b"r=clientserverx", "malformed-request"),
        (b"c=biws", b"c=eSws", "not-authorized"),
        (b"c=biws", b"c=cD10bHMtdW5pcXVlLCw=", "not-authorized"),
        (b"c=biws", b"c=!", "malformed-request"),
        (b"c=biws,", b"", "malformed-request"),
        (b",p=", b",x=y,p=", "not-authorized"),
        (b",p=", b",m=y,p=", "malformed-request"),
        (b",p=", b",p=AAAA", "not-authorized"),
        (b",p=", b",v=", "malformed-request"),
    ],
)
def test_second_message(old: bytes, new: bytes, condition: str) -> None:
    theirs = client().choose((SCRAM, PLUS), ("unheard-of",), ())
    assert theirs is not None
    assert theirs.initial() == b"n,,n=alice,r=client"

    def changed(challenge: bytes) -> bytes:
        final = theirs.respond(challenge)
        assert old in final
        return final.replace(old, new)

    assert refusal(SCRAM, b"n,,n=alice,r=client", changed).value == condition


def test_other_channel_binding_data() -> None:
    """Two TLS connections instead of one: somebody is in between."""
    theirs = client(bindings=dict.fromkeys(BINDINGS, b"other")).choose((PLUS,), tuple(BINDINGS), ())
    assert theirs is not None
    condition = refusal(PLUS, theirs.initial() or b"", theirs.respond)
    assert condition is SaslCondition.NOT_AUTHORIZED


@pytest.mark.parametrize("authzid", ["alice@example.org", "ALICE@Example.org."])
def test_own_authzid_is_accepted(authzid: str) -> None:
    ours = server().start("PLAIN")
    assert respond(ours, f"{authzid}\0alice\0{PASSWORD}") == Success("alice")


def test_own_authzid_is_accepted_by_scram() -> None:
    """Neither our client nor scramp's sends one, so the proof is computed here."""
    ours = server().start(SCRAM)
    bare, header = "n=alice,r=client", "n,a=alice@example.org,"
    challenge = respond(ours, header + bare).data
    assert challenge is not None
    final = f"c={b64encode(header.encode()).decode()},r=clientserver"
    signed = f"{bare},{challenge.decode()},{final}".encode()
    salted = pbkdf2_hmac("sha256", PASSWORD.encode(), ALICE.keys["SHA-256"].salt, 4096)
    key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(sha256(key).digest(), signed, "sha256")
    proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
    success = respond(ours, f"{final},p={b64encode(proof).decode()}")
    assert isinstance(success, Success)
    assert success.username == "alice"


@pytest.mark.parametrize("mechanism", ["PLAIN", SCRAM, "SCRAM-SHA-1", PLUS])
def test_unknown_account_is_like_a_wrong_password(mechanism: str) -> None:
    """The same steps, messages of the same form, the same work, the same error."""
    seen = []
    for name, password in (("alice", "wrong"), ("nobody", "wrong"), ("nobody", PASSWORD)):
        accounts, offloaded = Accounts(alice=ALICE), Offloaded()
        theirs = client(name, password, bindings=bindings_for(mechanism)).choose(
            (mechanism,), tuple(BINDINGS), ()
        )
        assert theirs is not None
        ours = server(accounts=accounts, offload=offloaded).start(mechanism)
        data, shapes = theirs.initial() or b"", []
        error = None
        while error is None:
            try:
                step = respond(ours, data)
            except SaslError as caught:
                error = (caught.condition, caught.text)
            else:
                assert isinstance(step, Challenge)
                shapes.append(len(step.data.split(b",")[1]))
                data = theirs.respond(step.data)
        seen.append((shapes, error, len(accounts.asked), offloaded.count))
    assert seen[0] == seen[1] == seen[2]


def test_unknown_account_has_one_salt() -> None:
    def challenge(name: str) -> bytes | None:
        return respond(server().start(SCRAM), f"n,,n={name},r=x").data

    assert challenge("nobody") == challenge("nobody")
    assert challenge("nobody") != challenge("noone")
    assert challenge("NOBODY") == challenge("nobody")


@pytest.mark.parametrize("mechanism", ["PLAIN", SCRAM, PLUS])
@given(data=st.binary(max_size=60) | st.text(st.sampled_from("npy=,ar\0lice"), max_size=40))
def test_nothing_but_sasl_errors(mechanism: str, data: bytes | str) -> None:
    ours = server().start(mechanism)
    try:
        step = respond(ours, data)
    except SaslError:
        return
    assert isinstance(step, Challenge)
    with pytest.raises(SaslError):
        respond(ours, data)
