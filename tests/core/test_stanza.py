"""Building and answering stanzas, and the errors in them."""

from __future__ import annotations

import pytest

from xmppfast import parse
from xmppfast.core.errors import ErrorType, SaslCondition, StanzaCondition, StanzaError
from xmppfast.core.jid import JID
from xmppfast.core.stanza import (
    element,
    error_reply,
    finished,
    received_error,
    result,
    serialize,
    stanza,
)

CLIENT = " xmlns='jabber:client'"


def received(text):
    """A stanza as a stream would give it."""
    return parse(text.replace(" ", CLIENT + " ", 1))


def test_element():
    tree = element("{urn:x}a", {"b": "1", "c": None}, "one", element("d"), "two", None, "three")
    assert serialize(tree) == b"<a xmlns='urn:x' b='1'>one<d xmlns=''/>twothree</a>"


def test_element_of_a_received_one():
    tree = element("{urn:x}a", None, parse("<b xmlns='urn:y'>t</b>"))
    assert serialize(tree) == b"<a xmlns='urn:x'><b xmlns='urn:y'>t</b></a>"


def test_stanza():
    tree = stanza(
        "message",
        element("{jabber:client}body", None, "a<b"),
        to=JID.parse("a@b"),
        type="chat",
        lang="de",
    )
    assert serialize(tree) == (
        b"<message to='a@b' type='chat' xml:lang='de'><body>a&lt;b</body></message>"
    )
    assert finished(tree).to == "a@b"
    assert finished(tree).xmlns == "jabber:client"


def test_result():
    assert result("1") == b"<iq type='result' id='1'/>"
    assert result("1", element("{urn:x}q"), to="a@b", from_="c") == (
        b"<iq to='a@b' from='c' type='result' id='1'><q xmlns='urn:x'/></iq>"
    )


def test_error_reply():
    error = StanzaError(
        StanzaCondition.GONE,
        "moved",
        type=ErrorType.MODIFY,
        application=element("{urn:x}far"),
        address="xmpp:x@y",
    )
    reply = error_reply(received("<message id='7' to='x'/>"), error, to="a@b/c", from_="x")
    assert reply == (
        b"<message to='a@b/c' from='x' type='error' id='7'><error type='modify'>"
        b"<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:x@y</gone>"
        b"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>moved</text>"
        b"<far xmlns='urn:x'/></error></message>"
    )
    read = received_error(received(reply.decode()))
    assert (read.condition, read.text, read.type) == (error.condition, "moved", ErrorType.MODIFY)
    assert read.address == "xmpp:x@y"
    assert read.application is not None
    assert read.application.tag == "{urn:x}far"


def test_an_error_returns_what_it_is_about():
    """RFC 6120 section 8.3.1: but not the payload of an iq, which has an id."""
    error = StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
    condition = b"<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
    sent = "<message xml:lang='cs'><error/><body>Ahoj</body><x xmlns='urn:x'/></message>"
    assert error_reply(received(sent), error, to="a@b/c", from_="x") == (
        b"<message to='a@b/c' from='x' type='error' xml:lang='cs'><body>Ahoj</body>"
        b"<x xmlns='urn:x'/><error type='cancel'>" + condition + b"</error></message>"
    )
    asked = received("<iq type='get' id='1'><x xmlns='urn:x'/></iq>")
    assert error_reply(asked, error, to=None, from_=None) == (
        b"<iq type='error' id='1'><error type='cancel'>" + condition + b"</error></iq>"
    )


@pytest.mark.parametrize("text", ["<message type='error'/>", "<iq type='result' id='1'/>"])
def test_what_is_never_answered(text):
    with pytest.raises(ValueError, match="not answered"):
        error_reply(received(text), StanzaError(StanzaCondition.BAD_REQUEST), to="a@b", from_=None)


@pytest.mark.parametrize(
    "text",
    ["<message type='error'/>", "<message type='error'><error type='odd'><new/></error></message>"],
)
def test_an_error_that_says_nothing(text):
    error = received_error(received(text))
    assert error.condition is StanzaCondition.UNDEFINED_CONDITION
    assert error.type is ErrorType.CANCEL


def test_conditions_have_the_types_of_the_rfc():
    assert StanzaCondition("jid-malformed").type is ErrorType.MODIFY
    assert StanzaCondition("forbidden").type is ErrorType.AUTH
    assert StanzaCondition("resource-constraint").type is ErrorType.WAIT
    assert len(StanzaCondition) == 22
    assert len(SaslCondition) == 11
    assert str(StanzaError(StanzaCondition.FORBIDDEN, "no")) == "forbidden: no"
    assert str(StanzaError(StanzaCondition.FORBIDDEN)) == "forbidden"
