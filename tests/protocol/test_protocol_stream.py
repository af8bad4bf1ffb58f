"""A stream in both roles (RFC 6120 section 4)."""

from __future__ import annotations

import itertools

import pytest

from xmppfast import Stanza, StreamCondition, StreamEnd, StreamError, StreamStart
from xmppfast.core.errors import PeerStreamError
from xmppfast.core.jid import JID
from xmppfast.core.namespaces import CLIENT, STREAM
from xmppfast.protocol.stream import InitiatingStream, Phase, ReceivingStream, error_bytes

DOMAIN = JID.parse("example.org")


class Both:
    """A client's and a server's stream, and what each sent and was given."""

    def __init__(self):
        ids = itertools.count(1)
        self.wires = {"client": [], "server": []}
        self.given = {"client": [], "server": []}
        self.client = InitiatingStream(self.wires["client"].append, DOMAIN)
        self.server = ReceivingStream(
            self.wires["server"].append, (DOMAIN,), lambda: f"id{next(ids)}"
        )
        self.closed = []
        self.client.closed = lambda: self.closed.append("client")
        self.server.closed = lambda: self.closed.append("server")

    def carry(self):
        """Have everything that was sent received."""
        streams = {"client": self.server, "server": self.client}
        while any(self.wires.values()):
            for name, wire in self.wires.items():
                data = b"".join(wire)
                wire.clear()
                given = self.given["server" if name == "client" else "client"]
                try:
                    for event in streams[name].parser.feed(data):
                        left = streams[name].receive(event)
                        if left is not None:
                            given.append(left)
                except StreamError as error:
                    streams[name].fail(error)

    def opened(self):
        """Exchange headers."""
        self.client.open()
        self.carry()
        assert self.client.phase is self.server.phase is Phase.OPEN
        return self


def test_headers_go_both_ways():
    both = Both().opened()
    (seen,) = both.given["server"]
    (answer,) = both.given["client"]
    assert isinstance(seen, StreamStart)
    assert (seen.to, seen.version, seen.from_) == ("example.org", "1.0", None)
    assert (answer.from_, answer.id, answer.version) == ("example.org", "id1", "1.0")
    assert both.server.features_expected


def test_from_is_answered_with_to():
    both = Both()
    both.client.from_ = JID.parse("alice@example.org")
    both.opened()
    assert both.given["client"][0].to == "alice@example.org"


def test_restart():
    both = Both().opened()
    both.server.restart()
    both.client.restart()
    both.opened()
    assert [each.id for each in both.given["client"]] == ["id1", "id2"]


def test_what_was_learned_before_tls_is_forgotten():
    both = Both().opened()
    half = next(iter(both.server.parser.feed(b"<a/><b")))
    assert isinstance(half, Stanza)
    parser = both.server.parser
    both.server.secured()
    both.client.secured()
    assert both.server.parser is not parser
    assert both.server.peer is None
    both.opened()
    assert [each.id for each in both.given["client"]][-1] == "id2"


def test_orderly_end_from_either_side():
    for first in ("client", "server"):
        both = Both().opened()
        getattr(both, first).close()
        assert getattr(both, first).phase is Phase.CLOSING
        both.carry()
        assert both.client.phase is both.server.phase is Phase.CLOSED
        assert sorted(both.closed) == ["client", "server"]
        assert both.client.error is both.server.error is None


def test_what_was_on_its_way_when_we_ended_our_side_is_still_received():
    both = Both().opened()
    both.client.write(b"<message/>")
    both.server.close()
    both.carry()
    assert both.given["server"][-1].name == "message"


def test_an_error_closes_both():
    both = Both().opened()
    both.client.write(b"<a/>")
    both.server.fail(StreamError(StreamCondition.POLICY_VIOLATION, "a < b"))
    both.carry()
    assert both.client.phase is both.server.phase is Phase.CLOSED
    assert isinstance(both.client.error, PeerStreamError)
    assert both.client.error.condition is StreamCondition.POLICY_VIOLATION
    assert str(both.client.error) == "policy-violation: a < b"
    assert both.server.error.text == "a < b"
    assert [event for event in both.given["server"] if isinstance(event, Stanza)] == []


def test_the_first_error_counts():
    both = Both().opened()
    both.server.fail(StreamError(StreamCondition.RESET, "one"))
    both.server.fail(StreamError(StreamCondition.CONFLICT, "two"))
    assert both.server.error.text == "one"
    assert len(both.wires["server"]) == 1


def test_a_header_comes_before_an_early_error():
    both = Both()
    both.server.fail(StreamError(StreamCondition.SYSTEM_SHUTDOWN, ""))
    sent = b"".join(both.wires["server"])
    assert sent.startswith(b"<?xml version='1.0'?><stream:stream from='example.org' id='id1'")
    assert sent.endswith(
        b"<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
        b"</stream:error></stream:stream>"
    )


def test_see_other_host():
    both = Both().opened()
    both.wires["server"].append(
        b"<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>"
        b"[::1]:5269</see-other-host></stream:error></stream:stream>"
    )
    both.carry()
    assert both.client.error.address == "[::1]:5269"


@pytest.mark.parametrize("content", ["", "<new xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"])
def test_an_error_that_says_nothing(content):
    both = Both().opened()
    both.wires["server"].append(f"<stream:error>{content}</stream:error>".encode())
    both.carry()
    assert both.client.error.condition is StreamCondition.UNDEFINED_CONDITION
    assert both.client.phase is Phase.CLOSED


@pytest.mark.parametrize(
    ("header", "condition"),
    [
        ("<stream:stream xmlns='{c}' xmlns:stream='{s}'>", "unsupported-version"),
        ("<stream:stream xmlns='{c}' xmlns:stream='{s}' version='0.9'>", "unsupported-version"),
        ("<stream:stream xmlns='urn:x' xmlns:stream='{s}' version='1.0'>", "invalid-namespace"),
        ("<stream xmlns='{c}' version='1.0'>", "invalid-namespace"),
        ("<html>", "invalid-namespace"),
    ],
)
def test_a_client_refuses_what_is_no_stream(header, condition):
    both = Both()
    both.client.open()
    both.wires["client"].clear()
    both.wires["server"].append(header.format(c=CLIENT, s=STREAM).encode())
    both.carry()
    assert both.client.error.condition.value == condition
    # Our own header is out already, and is not sent twice.
    assert both.client.phase is Phase.CLOSED
    assert both.given["client"] == []


def test_an_empty_stream():
    both = Both()
    both.wires["client"].append(
        f"<stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAM}' to='example.org'/>".encode()
    )
    both.carry()
    assert both.server.phase is Phase.CLOSED
    assert both.server.error is None


def test_error_without_text():
    assert b"<text" not in error_bytes(StreamError(StreamCondition.RESET, ""))


def test_nothing_happens_after_the_end():
    both = Both().opened()
    both.server.fail(StreamError(StreamCondition.RESET, ""))
    sent = list(both.wires["server"])
    end = StreamEnd
    for event in both.server.parser.feed(b"<a/></stream:stream>"):
        assert both.server.receive(event) is None
    assert isinstance(event, end)
    both.server.close()
    assert both.wires["server"] == sent
