"""Addresses (RFC 7622)."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppfast.core.jid import JID, InvalidJID


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("example.org", (None, "example.org", None)),
        ("alice@example.org", ("alice", "example.org", None)),
        ("alice@example.org/home", ("alice", "example.org", "home")),
        ("example.org/home", (None, "example.org", "home")),
        # RFC 7622 section 3.5, examples of valid addresses
        ("juliet@example.com/foo bar", ("juliet", "example.com", "foo bar")),
        ("juliet@example.com/foo@bar", ("juliet", "example.com", "foo@bar")),
        (r"foo\20bar@example.com", (r"foo\20bar", "example.com", None)),
        ("fussball@example.com", ("fussball", "example.com", None)),
        ("fu\u00dfball@example.com", ("fu\u00dfball", "example.com", None)),
        ("\u03c0@example.com", ("\u03c0", "example.com", None)),
        ("\u03a3@example.com/foo", ("\u03c3", "example.com", "foo")),
        ("\u03c3@example.com/foo", ("\u03c3", "example.com", "foo")),
        ("king@example.com/\u265a", ("king", "example.com", "\u265a")),
        ("a.example.com/b@example.net", (None, "a.example.com", "b@example.net")),
        ("example.org/a/b", (None, "example.org", "a/b")),
        ("Alice@EXAMPLE.org/Home", ("alice", "example.org", "Home")),
        ("alice@example.org.", ("alice", "example.org", None)),
        ("xn--bcher-kva.example", (None, "b\u00fccher.example", None)),
        ("B\u00dcCHER.example", (None, "b\u00fccher.example", None)),
        ("\uff41\uff42@example.org", ("ab", "example.org", None)),
        ("a@\uff45xample.org", ("a", "example.org", None)),
        ("alice@127.0.0.1", ("alice", "127.0.0.1", None)),
        ("alice@[::1]", ("alice", "[::1]", None)),
        ("alice@[0:0::0:1]/x", ("alice", "[::1]", "x")),
        ("a@example.org/e\u0301", ("a", "example.org", "\u00e9")),
        ("a@example.org/\u00a0x", ("a", "example.org", " x")),
        (
            "a" * 1023 + "@" + "b." * 30 + "c/" + "d" * 1023,
            ("a" * 1023, "b." * 30 + "c", "d" * 1023),
        ),
    ],
)
def test_parts(text, parts):
    jid = JID.parse(text)
    assert (jid.local, jid.domain, jid.resource) == parts
    assert JID.parse(str(jid)) == jid
    assert JID(*parts) == jid


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "/",
        "@example.org",
        "alice@",
        "alice@/x",
        "alice@example.org/",
        "/home",
        # RFC 7622 section 3.5, examples of what is no address
        '"juliet"@example.com',
        "foo bar@example.com",
        "henry\u2163@example.com",
        "\u265a@example.com",
        "juliet@",
        "a@b@example.org",
        "a&b@example.org",
        "a'b@example.org",
        "a:b@example.org",
        "a<b@example.org",
        "a\u0000@example.org",
        "alice@exa mple.org",
        "alice@-example.org",
        "alice@example..org",
        "alice@exa_mple.org",
        "alice@example.org..",
        "alice@example\u3002",
        "alice@" + "a" * 64 + ".org",
        "alice@xn--a.example",
        "alice@[::1",
        "alice@[::1%eth0]",
        "alice@[example]",
        "alice@example.org/a\u0007",
        "a" * 1024 + "@example.org",
        "\u00e9" * 512 + "@example.org",
        "a@example.org/" + "b" * 1024,
        "a@example.org/" + "b" * 100_000,
        "a@" + "b." * 512 + "c",
        "\ufe55@example.org",
        "a\uff20b@example.org",
    ],
)
def test_no_address(text):
    with pytest.raises(InvalidJID):
        JID.parse(text)


def test_bare():
    jid = JID.parse("alice@example.org/home")
    assert str(jid.bare) == "alice@example.org"
    assert jid.bare.is_bare
    assert jid.bare.bare is jid.bare
    assert not jid.is_bare
    assert jid.bare.with_resource("home") == jid
    with pytest.raises(InvalidJID):
        jid.with_resource("")


def test_equality_is_that_of_the_prepared_text():
    jid = JID.parse("Alice@Example.ORG/home")
    other = JID("alice", "example.org", "home")
    assert jid == other
    assert hash(jid) == hash(other)
    assert {jid: 1}[other] == 1
    assert jid != JID.parse("alice@example.org/Home")
    assert jid != "alice@example.org/home"


def test_immutable():
    jid = JID.parse("alice@example.org")
    with pytest.raises(AttributeError):
        jid.local = "bob"
    assert repr(jid) == "JID('alice@example.org')"
    assert pickle.loads(pickle.dumps(jid)) == jid


def test_the_same_text_is_parsed_once_unless_it_is_long():
    assert JID.parse("a@example.org/x") is JID.parse("a@example.org/x")
    long = "a@example.org/" + "x" * 500
    assert JID.parse(long) is not JID.parse(long)


@given(st.text())
def test_anything_else_is_refused_or_stays_as_it_was_prepared(text):
    try:
        jid = JID.parse(text)
    except InvalidJID:
        return
    assert JID.parse(str(jid)) == jid
    assert all(
        1 <= len(part.encode()) <= 1023
        for part in (jid.local, jid.domain, jid.resource)
        if part is not None
    )
