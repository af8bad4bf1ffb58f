"""Whole exchanges: our client with our server, and each with scramp's other side."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sasl_sides import (
    ALICE,
    BINDINGS,
    Accounts,
    Offloaded,
    bindings_for,
    client,
    log_in,
    respond,
    server,
)
from scramp import ScramClient, ScramMechanism

from xmppfast.core.errors import SaslCondition, SaslError
from xmppfast.protocol.sasl.interface import Challenge, Success
from xmppfast.protocol.sasl.keys import derive
from xmppfast.protocol.sasl.password import prepare

ALL = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN")


def test_offered_strongest_first() -> None:
    assert server().names() == ALL
    assert server(bindings={}).names() == ALL[2:]
    assert server(bindings={}, plaintext=False).names() == ALL[2:4]
    assert server().channel_bindings() == ("tls-unique", "tls-server-end-point")


@pytest.mark.parametrize("mechanism", ALL)
def test_log_in(mechanism: str) -> None:
    success = log_in(client(bindings=bindings_for(mechanism)), server(), mechanism)
    assert success.username == "alice"
    assert (success.data is None) == (mechanism == "PLAIN")


@pytest.mark.parametrize("mechanism", ALL)
@pytest.mark.parametrize("password", ["Pencil", "pencil ", "x"])
def test_wrong_password(mechanism: str, password: str) -> None:
    with pytest.raises(SaslError) as caught:
        log_in(client(password=password, bindings=bindings_for(mechanism)), server(), mechanism)
    assert caught.value.condition is SaslCondition.NOT_AUTHORIZED


@pytest.mark.parametrize("mechanism", ALL)
def test_without_initial_response_the_server_asks_for_it(mechanism: str) -> None:
    theirs = server().start(mechanism)
    ours = client(bindings=bindings_for(mechanism)).choose((mechanism,), (), ())
    assert ours is not None
    assert respond(theirs, None) == Challenge(b"")
    step = respond(theirs, ours.initial())
    if mechanism != "PLAIN":
        assert isinstance(step, Challenge)
        step = respond(theirs, ours.respond(step.data))
    assert isinstance(step, Success)


@pytest.mark.parametrize("mechanism", ALL[2:4])
def test_server_signature_in_a_challenge_of_its_own(mechanism: str) -> None:
    ours, theirs = client(bindings={}).choose((mechanism,), (), ()), server().start(mechanism)
    assert ours is not None
    first = respond(theirs, ours.initial())
    last = respond(theirs, ours.respond(first.data or b""))
    assert isinstance(last, Success)
    assert ours.respond(last.data or b"") == b""
    ours.succeed(None)


def test_names_are_compared_as_localparts() -> None:
    accounts = Accounts(alice=ALICE)
    assert log_in(client("ALICE"), server(accounts=accounts)).username == "alice"
    assert accounts.asked == ["alice"]


def test_only_plain_has_the_server_compute() -> None:
    for mechanism in ALL:
        offloaded = Offloaded()
        log_in(client(bindings=bindings_for(mechanism)), server(offload=offloaded), mechanism)
        assert offloaded.count == (mechanism == "PLAIN")


# Letters assigned after Unicode 3.2, and what SCRAM escapes.
NAMES = st.one_of(
    st.text(st.sampled_from("abcxyz019=-._~+,!é漢ꙋ"), min_size=1, max_size=12),
    st.sampled_from(["=2c", "a=3d,b", "ߒߞߏ", "=", ","]),
)
PASSWORDS = st.text(
    st.characters(min_codepoint=0x20, exclude_categories=("Cc", "Cs", "Cn", "Co", "Cf")),
    min_size=1,
    max_size=20,
)


def preparable(password: str) -> bool:
    """Whether it can be a password."""
    try:
        prepare(password)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("mechanism", ALL)
@settings(max_examples=15)
@given(name=NAMES, password=PASSWORDS.filter(preparable))
def test_any_name_and_password(mechanism: str, name: str, password: str) -> None:
    stored = derive(password, salt=b"0123456789abcdef", iterations=4096)
    ours = client(name, password, bindings=bindings_for(mechanism))
    theirs = server(accounts=Accounts(**{name: stored}))
    assert log_in(ours, theirs, mechanism).username == name


@pytest.mark.parametrize("mechanism", ALL[:4])
@settings(max_examples=15)
@given(
    name=st.text(st.sampled_from("abc=-_,é"), min_size=1, max_size=8),
    password=st.text(st.sampled_from("abc=, é漢"), min_size=1, max_size=8),
)
def test_our_server_with_another_client(mechanism: str, name: str, password: str) -> None:
    stored = derive(password, salt=b"0123456789abcdef", iterations=4096)
    binding = ("tls-unique", BINDINGS["tls-unique"]) if mechanism.endswith("-PLUS") else None
    theirs = ScramClient([mechanism], name, password, channel_binding=binding)
    ours = server(accounts=Accounts(**{name: stored})).start(mechanism)
    step = respond(ours, theirs.get_client_first())
    assert isinstance(step, Challenge)
    theirs.set_server_first(step.data.decode())
    step = respond(ours, theirs.get_client_final())
    assert isinstance(step, Success)
    assert step.data is not None
    theirs.set_server_final(step.data.decode())


@pytest.mark.parametrize("mechanism", ALL[:4])
@settings(max_examples=15)
@given(
    name=st.text(st.sampled_from("abc=-_,é"), min_size=1, max_size=8),
    password=st.text(st.sampled_from("abc=, é漢"), min_size=1, max_size=8),
)
def test_our_client_with_another_server(mechanism: str, name: str, password: str) -> None:
    theirs_mechanism = ScramMechanism(mechanism)
    info = theirs_mechanism.make_auth_info(password)
    binding = ("tls-unique", BINDINGS["tls-unique"]) if mechanism.endswith("-PLUS") else None
    theirs = theirs_mechanism.make_server({name: info}.__getitem__, channel_binding=binding)
    bindings = {} if binding is None else {"tls-unique": BINDINGS["tls-unique"]}
    ours = client(name, password, bindings=bindings).choose((mechanism,), (), ())
    assert ours is not None
    theirs.set_client_first((ours.initial() or b"").decode())
    theirs.set_client_final(ours.respond(theirs.get_server_first().encode()).decode())
    ours.succeed(theirs.get_server_final().encode())
