"""Negotiation as a client sees it (RFC 6120 sections 4 to 7)."""

from __future__ import annotations

import asyncio
import base64

import pytest
from accounts import PASSWORD
from conversation import DOMAIN, HEADER, Client, new_server
from virtual import run

from xmppfast import StreamEnd, StreamStart
from xmppfast.core.namespaces import BIND, SASL, STREAM, TLS

STARTTLS = f"<starttls xmlns='{TLS}'/>"


def client_test(work, **settings):
    """Run a conversation of one client with a new server."""

    async def converse():
        server = await new_server(**settings)
        await work(Client(server))
        await server.close()
        assert not server.registry.accounts
        assert not server.connections

    run(converse())


# Headers -----------------------------------------------------------------------------------------


def test_response_header():
    async def work(client):
        client.send(HEADER.replace("to=", "from='alice@example.org/x' to="))
        start = await client.event()
        assert start.from_ == DOMAIN
        assert start.to == "alice@example.org"
        assert start.version == "1.0"
        assert start.lang == "en"
        assert len(start.id) >= 16
        assert start.content_namespace == "jabber:client"

    client_test(work)


def test_each_stream_has_an_id_of_its_own():
    async def work(client):
        client.send(HEADER)
        first = await client.event()
        other = Client(client.server)
        other.send(HEADER)
        second = await other.event()
        assert first.id != second.id

    client_test(work)


@pytest.mark.parametrize(
    ("header", "condition"),
    [
        (HEADER.replace(DOMAIN, "example.com"), "host-unknown"),
        (HEADER.replace(f"to='{DOMAIN}' ", ""), "improper-addressing"),
        (HEADER.replace(DOMAIN, "a b"), "improper-addressing"),
        (HEADER.replace("to=", "from='@' to="), "invalid-from"),
        (HEADER.replace(STREAM, "urn:x"), "invalid-namespace"),
        (HEADER.replace("jabber:client", "jabber:server"), "invalid-namespace"),
        (HEADER.replace("xmlns='jabber:client' ", ""), "invalid-namespace"),
        (HEADER.replace("<stream:stream", "<stream"), "bad-namespace-prefix"),
        (HEADER.replace("<stream:stream", "<stream:river"), "bad-format"),
        (HEADER.replace("'1.0'", "'one'"), "unsupported-version"),
        ("<?xml version='1.0' encoding='ISO-8859-1'?>" + HEADER, "unsupported-encoding"),
        ("<!DOCTYPE x>" + HEADER, "restricted-xml"),
        ("<!-- x -->" + HEADER, "restricted-xml"),
        ("x", "not-well-formed"),
    ],
)
def test_a_wrong_header_is_answered_with_one_before_the_error(header, condition):
    async def work(client):
        client.send(header)
        start = await client.event()
        assert isinstance(start, StreamStart)
        assert start.from_ == DOMAIN
        assert start.id
        assert await client.stream_error() == condition

    client_test(work)


def test_content_namespace_with_a_prefix():
    async def work(client):
        client.send(
            f"<stream xmlns='{STREAM}' xmlns:c='jabber:client' to='{DOMAIN}' version='1.0'>"
        )
        assert isinstance(await client.event(), StreamStart)
        assert (await client.event()).name == "features"

    client_test(work)


@pytest.mark.parametrize("version", ["", " version='0.9'"])
def test_no_features_before_xmpp_1_0(version):
    async def work(client):
        client.send(HEADER.replace(" version='1.0'", version))
        start = await client.event()
        assert start.version is None
        client.send("<message/>")
        assert await client.stream_error() == "not-authorized"

    client_test(work)


@pytest.mark.parametrize("version", ["1.1", "1.10", "2.0"])
def test_a_higher_version_is_answered_with_ours(version):
    async def work(client):
        client.send(HEADER.replace("1.0", version))
        assert (await client.event()).version == "1.0"
        assert (await client.event()).name == "features"

    client_test(work)


def test_the_end_is_answered():
    async def work(client):
        await client.opened()
        client.send("</stream:stream>")
        assert isinstance(await client.event(), StreamEnd)
        assert await client.event() is None

    client_test(work)


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        ("<!-- -->", "restricted-xml"),
        ("<?pi?>", "restricted-xml"),
        ("<a>&nbsp;</a>", "restricted-xml"),
        ("<a></b>", "not-well-formed"),
        ("<a b='' b=''/>", "not-well-formed"),
        ("<a>\x01</a>", "not-well-formed"),
        ("<x:a/>", "not-well-formed"),
        (b"<a>\xff</a>", "unsupported-encoding"),
        ("text", "bad-format"),
        ("<message/>", "not-authorized"),
        ("<presence/>", "not-authorized"),
        ("<iq type='get' id='1'><a xmlns='urn:x'/></iq>", "not-authorized"),
        ("<message xmlns='jabber:server'/>", "invalid-namespace"),
        ("<other/>", "unsupported-stanza-type"),
        ("<a b='" + "x" * 600_000, "policy-violation"),
    ],
)
def test_a_violation_closes_the_stream(data, condition):
    async def work(client):
        await client.opened()
        client.send(data)
        assert await client.stream_error() == condition

    client_test(work)


def test_nothing_is_heard_after_the_stream_was_closed():
    async def work(client):
        await client.opened()
        client.send("<other/>" + HEADER + "<other/>")
        assert await client.stream_error() == "unsupported-stanza-type"

    client_test(work)


def test_a_client_that_does_not_go_on():
    async def work(client):
        await client.opened()
        assert await client.stream_error() == "connection-timeout"

    client_test(work, login_seconds=30.0)


# TLS ---------------------------------------------------------------------------------------------


def test_tls_comes_first():
    async def work(client):
        features = await client.opened()
        assert [each.tag for each in features] == [f"{{{TLS}}}starttls"]
        assert features[0][0].name == "required"
        client.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>AGEAYg==</auth>")
        failure = await client.stanza()
        assert failure.tag == f"{{{SASL}}}failure"
        assert failure[0].name == "encryption-required"
        client.send(STARTTLS)
        assert (await client.stanza()).tag == f"{{{TLS}}}proceed"
        await client.wire.secure()
        features = await client.opened()
        assert features.find(f"{{{TLS}}}starttls") is None
        assert features.find(f"{{{SASL}}}mechanisms") is not None

    client_test(work, plaintext=False)


@pytest.mark.parametrize("behind", ["<a/>", " <a", HEADER, "<", STARTTLS])
def test_bytes_behind_starttls_are_refused(behind):
    async def work(client):
        await client.opened()
        client.send(STARTTLS + behind)
        assert await client.stream_error() == "policy-violation"

    client_test(work)


def test_no_second_tls():
    async def work(client):
        await client.opened()
        client.send(STARTTLS)
        await client.stanza()
        await client.wire.secure()
        await client.opened()
        client.send(STARTTLS)
        assert (await client.stanza()).tag == f"{{{TLS}}}failure"
        assert isinstance(await client.event(), StreamEnd)
        client.send("</stream:stream>")
        assert await client.event() is None

    client_test(work)


# SASL --------------------------------------------------------------------------------------------


def auth(mechanism, text=""):
    """An `<auth/>` element."""
    return f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{text}</auth>"


def plain(authzid, name, password):
    """Data of PLAIN."""
    return base64.b64encode(f"{authzid}\0{name}\0{password}".encode()).decode()


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        (auth("PLAIN", plain("", "alice", "wrong")), "not-authorized"),
        (auth("PLAIN", plain("", "nobody", PASSWORD)), "not-authorized"),
        (auth("PLAIN", plain("bob@example.org", "alice", PASSWORD)), "invalid-authzid"),
        (auth("PLAIN", "***"), "incorrect-encoding"),
        (auth("PLAIN", "Zg"), "incorrect-encoding"),
        (auth("PLAIN", base64.b64encode(b"nothing").decode()), "malformed-request"),
        (auth("PLAIN", "<a/>"), "malformed-request"),
        (auth("ROT13"), "invalid-mechanism"),
        (f"<auth xmlns='{SASL}'/>", "invalid-mechanism"),
        (f"<response xmlns='{SASL}'/>", "malformed-request"),
        (f"{auth('SCRAM-SHA-1')}<abort xmlns='{SASL}'/>", "aborted"),
    ],
)
def test_failures(data, condition):
    async def work(client):
        await client.opened()
        client.send(data)
        failure = await client.stanza()
        if failure.name == "challenge":
            failure = await client.stanza()
        assert failure.tag == f"{{{SASL}}}failure"
        assert failure[0].name == condition
        client.send(auth("PLAIN", plain("", "alice", PASSWORD)))
        assert (await client.stanza()).name == "success"

    client_test(work)


def test_no_initial_response_is_asked_for():
    async def work(client):
        await client.opened()
        client.send(auth("PLAIN"))
        challenge = await client.stanza()
        assert challenge.tag == f"{{{SASL}}}challenge"
        assert challenge.text == "="
        client.send(f"<response xmlns='{SASL}'>{plain('', 'alice', PASSWORD)}</response>")
        assert (await client.stanza()).name == "success"

    client_test(work)


def test_attempts_are_limited():
    async def work(client):
        await client.opened()
        client.send(auth("PLAIN", plain("", "alice", "wrong")) * 5)
        for _ in range(3):
            assert (await client.stanza()).name == "failure"
        assert await client.stream_error() == "policy-violation"

    client_test(work)


def test_the_domain_stays_after_authentication():
    async def work(client):
        await client.opened()
        client.send(auth("PLAIN", plain("", "alice", PASSWORD)))
        assert (await client.stanza()).name == "success"
        client.send(HEADER.replace(DOMAIN, "example.com"))
        assert await client.stream_error() == "host-unknown"

    client_test(work)


def test_the_new_stream_may_follow_at_once():
    async def work(client):
        await client.opened()
        client.send(auth("PLAIN", plain("", "alice", PASSWORD)) + HEADER)
        assert (await client.stanza()).name == "success"
        assert isinstance(await client.event(), StreamStart)
        assert (await client.stanza()).find(f"{{{BIND}}}bind") is not None

    client_test(work)


# Resource binding --------------------------------------------------------------------------------


def bind(resource=None, id="b"):
    """A request for a resource."""
    wanted = "" if resource is None else f"<resource>{resource}</resource>"
    return f"<iq type='set' id='{id}'><bind xmlns='{BIND}'>{wanted}</bind></iq>"


@pytest.mark.parametrize("resource", [None, ""])
def test_the_server_chooses_a_resource(resource):
    async def work(client):
        await client.authenticated()
        client.send(bind(resource))
        answer = await client.stanza()
        jid = answer.findtext(f"{{{BIND}}}bind/{{{BIND}}}jid")
        account, _, chosen = jid.partition("/")
        assert account == "alice@example.org"
        assert len(chosen) >= 16

    client_test(work)


@pytest.mark.parametrize("request_", [bind("a&#x9;b"), bind("x" * 1024)])
def test_a_resource_that_is_none(request_):
    async def work(client):
        await client.authenticated()
        client.send(request_)
        answer = await client.stanza()
        assert answer.type == "error"
        assert answer[0][0].name == "bad-request"
        client.send(bind("fine"))
        assert (await client.stanza()).type == "result"

    client_test(work)


@pytest.mark.parametrize("stanza", ["<message/>", "<presence/>", "<iq type='get' id='1'><a/></iq>"])
def test_nothing_before_binding(stanza):
    async def work(client):
        await client.authenticated()
        client.send(stanza)
        assert await client.stream_error() == "not-authorized"

    client_test(work)


def test_the_newer_session_takes_the_resource():
    async def work(client):
        await client.bound()
        other = await Client(client.server).bound()
        assert other.jid == client.jid
        assert await client.stream_error() == "conflict"
        other.send(f"<message to='{other.jid}' id='m'/>")
        assert (await other.stanza()).id == "m"

    client_test(work)


def test_resources_of_an_account_are_limited():
    async def work(client):
        await client.bound(resource="1")
        other = await Client(client.server).bound(resource="2")
        third = Client(client.server)
        await third.authenticated()
        third.send(bind("3"))
        answer = await third.stanza()
        assert answer[0][0].name == "resource-constraint"
        other.send("</stream:stream>")
        await other.event()
        assert await other.event() is None
        third.send(bind("3"))
        assert (await third.stanza()).type == "result"

    client_test(work, resources=2)


def test_shutdown():
    async def work(client):
        await client.bound()
        closing = client.server.close()
        await closing
        assert await client.stream_error() == "system-shutdown"

    client_test(work)


def test_storage_that_fails_is_a_temporary_failure(caplog):
    async def work(client):
        async def lookup(username):
            raise OSError("the disk is on fire")

        client.server.accounts.lookup = lookup
        await client.opened()
        client.send(auth("PLAIN", plain("", "alice", PASSWORD)))
        failure = await client.stanza()
        assert failure[0].name == "temporary-auth-failure"
        assert len(failure) == 1

    client_test(work)
    assert "the disk is on fire" in caplog.text


def held_lookup(server):
    """Have credentials wait until the event is set."""
    ready, lookup = asyncio.Event(), server.accounts.lookup

    async def later(username):
        await ready.wait()
        return await lookup(username)

    server.accounts.lookup = later
    return ready


def test_a_client_that_goes_on_before_it_is_answered_is_paused():
    async def work(client):
        ready = held_lookup(client.server)
        await client.opened()
        client.send(auth("PLAIN", plain("", "alice", PASSWORD)))
        await asyncio.sleep(1)
        assert client.link.reading
        client.send(HEADER)
        client.send(bind("r"))
        await asyncio.sleep(1)
        assert not client.link.reading
        assert len(client.link._in) == 1
        ready.set()
        assert (await client.stanza()).name == "success"
        assert isinstance(await client.event(), StreamStart)
        assert (await client.stanza()).find(f"{{{BIND}}}bind") is not None
        assert (await client.stanza()).type == "result"
        assert client.link.reading

    client_test(work)


def test_the_end_comes_after_what_was_sent_before_it():
    async def work(client):
        ready = held_lookup(client.server)
        await client.opened()
        client.send(auth("PLAIN", plain("", "alice", PASSWORD)))
        await asyncio.sleep(1)
        client.link._receiver.ended()
        await asyncio.sleep(1)
        assert not client.link.closed
        ready.set()
        assert (await client.stanza()).name == "success"
        assert isinstance(await client.event(), StreamStart)
        assert isinstance(await client.event(), StreamEnd)
        assert await client.event() is None

    client_test(work)
