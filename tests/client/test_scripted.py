"""The client with servers that do unusual things, played from scripts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from served import run, until

from xmppfast.client import Address, Client, ConnectFailed, Disconnected
from xmppfast.core.dispatch import Request
from xmppfast.core.jid import JID
from xmppfast.core.stanza import element
from xmppfast.xml import StreamCondition

HEADER = (
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    " from='localhost' id='1' version='1.0'>"
)
SASL = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
STREAMS = "xmlns='urn:ietf:params:xml:ns:xmpp-streams'"
TLS = "xmlns='urn:ietf:params:xml:ns:xmpp-tls'"
ROSTER = "xmlns='jabber:iq:roster'"
BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"

MECHANISMS = f"<mechanisms {SASL}><mechanism>PLAIN</mechanism></mechanisms>"
LOGIN = [
    ("<stream:stream", f"{HEADER}<stream:features>{MECHANISMS}</stream:features>"),
    ("</auth>", f"<success {SASL}/>"),
    ("<stream:stream", f"{HEADER}<stream:features>{BIND}</bind></stream:features>"),
    (
        "</iq>",
        f"<iq type='result' id='bind'>{BIND}<jid>alice@localhost/x</jid></bind></iq>",
    ),
]
EMPTY_ROSTER = ("</iq>", f"<iq type='result' id='@ID@'><query {ROSTER}/></iq>")


def stream_error(condition: str, content: str = "", text: str = "") -> str:
    """A stream error and the end of the stream."""
    said = f"<text {STREAMS}>{text}</text>" if text else ""
    inner = f"<{condition} {STREAMS}>{content}</{condition}>{said}"
    return f"<stream:error>{inner}</stream:error></stream:stream>"


class Played:
    """A server that plays scripts, one for each connection, the last one again and again.

    A script is a list of what to wait for, and what to send then; `@ID@` is the id of the last
    request. What clients sent is in `heard`.
    """

    def __init__(self, *scripts: list[tuple[str, str]]) -> None:
        self.scripts = list(scripts)
        self.heard: list[bytes] = []
        self.port = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        number = len(self.heard)
        self.heard.append(b"")
        waiting = b""
        with suppress(ConnectionError):
            for expected, answer in script:
                while expected.encode() not in waiting:
                    data = await reader.read(65536)
                    if not data:
                        break
                    waiting += data
                    self.heard[number] += data
                before, _, waiting = waiting.partition(expected.encode())
                id = before.rpartition(b" id='")[2].partition(b"'")[0].decode()
                writer.write(answer.replace("@ID@", id).encode())
                await writer.drain()
            while data := await reader.read(65536):
                self.heard[number] += data
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def playing(*scripts: list[tuple[str, str]]) -> AsyncIterator[Played]:
    """Run such a server."""
    played = Played(*scripts)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(played(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    played.port = server.sockets[0].getsockname()[1]
    try:
        yield played
    finally:
        server.close()
        await asyncio.gather(*tasks)


def client(played: Played, *, plaintext: bool = True, **options: object) -> Client:
    """A client of alice there, without TLS unless it has to."""
    address = Address("127.0.0.1", played.port, plaintext=plaintext, timeout=60)
    return Client("alice@localhost", "secret", address=address, **options)


END = ("</stream:stream>", "</stream:stream>")


def test_see_other_host_before_login() -> None:
    async def main() -> None:
        async with playing([*LOGIN, EMPTY_ROSTER, END]) as there:
            elsewhere = stream_error("see-other-host", f"127.0.0.1:{there.port}")
            async with playing([("<stream:stream", HEADER + elsewhere)]) as here:
                async with client(here) as alice:
                    assert alice.jid == JID.parse("alice@localhost/x")
                assert len(here.heard) == len(there.heard) == 1

    run(main())


def test_see_other_host_in_a_session() -> None:
    async def main() -> None:
        async with playing([*LOGIN, EMPTY_ROSTER, END]) as there:
            elsewhere = stream_error("see-other-host", f"127.0.0.1:{there.port}")
            async with (
                playing([*LOGIN, EMPTY_ROSTER, ("<presence", elsewhere)]) as here,
                client(here),
            ):
                await until(lambda: there.heard and b"<presence" in there.heard[0])
            assert len(here.heard) == 1

    run(main())


def test_sent_in_circles() -> None:
    async def main() -> None:
        async with playing([]) as here:
            elsewhere = stream_error("see-other-host", f"127.0.0.1:{here.port}")
            here.scripts = [[("<stream:stream", HEADER + elsewhere)]]
            with pytest.raises(ConnectFailed, match="keep on sending us elsewhere"):
                await client(here).__aenter__()
            assert len(here.heard) == 6

    run(main())


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("host-unknown", StreamCondition.HOST_UNKNOWN),
        ("policy-violation", StreamCondition.POLICY_VIOLATION),
        ("made-up", StreamCondition.UNDEFINED_CONDITION),
        ("see-other-host", StreamCondition.SEE_OTHER_HOST),  # without saying where
    ],
)
def test_what_the_server_says_is_told(condition: str, expected: StreamCondition) -> None:
    async def main() -> None:
        error = stream_error(condition, text="no, because")
        async with playing([("<stream:stream", HEADER + error)]) as here:
            with pytest.raises(Disconnected, match="no, because") as caught:
                await client(here).__aenter__()
            assert caught.value.condition is expected

    run(main())


def test_nothing_is_believed_that_came_before_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Features and success injected behind `<proceed/>` (RFC 6120 section 5.4.2.2)."""
    monkeypatch.setattr("xmppfast.transport.connection._HANDSHAKE", 0.5)

    async def main() -> None:
        starttls = f"<stream:features><starttls {TLS}/></stream:features>"
        injected = f"<proceed {TLS}/>{HEADER}<stream:features>{MECHANISMS}</stream:features>"
        script = [("<stream:stream", HEADER + starttls), ("<starttls", injected)]
        async with playing(script) as here:
            with pytest.raises(ConnectFailed):
                await client(here, plaintext=False).__aenter__()
            assert b"<auth" not in here.heard[0]
            # The handshake begins right behind the request, and it is not answered.
            assert here.heard[0].count(b"\x16\x03\x01") == 1

    run(main())


def test_no_password_without_tls() -> None:
    async def main() -> None:
        async with playing(LOGIN) as here:
            with pytest.raises(ConnectFailed, match="does not offer TLS"):
                await client(here, plaintext=False).__aenter__()
            assert b"<auth" not in here.heard[0]

    run(main())


def test_server_that_hangs() -> None:
    async def main() -> None:
        async with playing([("<stream:stream", HEADER), ("never", "")]) as here:
            address = Address("127.0.0.1", here.port, plaintext=True, timeout=0.2)
            with pytest.raises(ConnectFailed, match="no answer in time"):
                await Client("alice@localhost", "x", address=address).__aenter__()

    run(main())


def test_server_that_is_none() -> None:
    async def main() -> None:
        async with playing([("<stream:stream", "HTTP/1.1 400 Bad Request\r\n\r\n")]) as here:
            with pytest.raises(Disconnected, match="not-well-formed"):
                await client(here).__aenter__()

    run(main())


PUSH = f"<query {ROSTER}><item jid='eve@localhost' subscription='both'/></query>"


@pytest.mark.parametrize("sender", ["from='eve@localhost'", "from='localhost'"])
def test_roster_pushes_of_others_are_refused(sender: str) -> None:
    async def main() -> None:
        push = f"<iq type='set' id='push' {sender}>{PUSH}</iq>"
        own = f"<iq type='set' id='own'>{PUSH.replace('eve', 'bob')}</iq>"
        script = [*LOGIN, EMPTY_ROSTER, ("<presence", push + own), END]
        async with playing(script) as here:
            async with client(here) as alice:
                await until(lambda: len(alice.roster) == 1)
                assert list(alice.roster) == [JID.parse("bob@localhost")]
            assert b"id='push'" in here.heard[0]
            assert b"service-unavailable" in here.heard[0]

    run(main())


def test_answers_of_others_are_no_answers() -> None:
    """The id alone does not make an answer; it has to come from who was asked."""

    async def main() -> None:
        forged = "<iq type='result' id='@ID@' from='eve@localhost'><x xmlns='urn:forged'/></iq>"
        real = "<iq type='result' id='@ID@' from='bob@localhost/y'><x xmlns='urn:real'/></iq>"
        script = [*LOGIN, EMPTY_ROSTER, ("</iq>", forged + real), END]
        async with playing(script) as here, client(here, available=False) as alice:
            question = element("{urn:example}q", None, "?")
            answer = await alice.iq("get", question, "bob@localhost/y")
            assert answer.payload == "{urn:real}x"

    run(main())


def test_roster_version_is_given_when_coming_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xmppfast.client.client._FIRST_DELAY", 0.01)

    async def main() -> None:
        versioning = f"{BIND}</bind><ver xmlns='urn:xmpp:features:rosterver'/></stream:features>"
        login = [*LOGIN]
        login[2] = ("<stream:stream", f"{HEADER}<stream:features>{versioning}")
        item = "<item jid='bob@localhost' name='Bob' subscription='both'/>"
        first = (
            "</iq>",
            f"<iq type='result' id='@ID@'><query {ROSTER} ver='7'>{item}</query></iq>",
        )
        unchanged = ("</iq>", "<iq type='result' id='@ID@'/>")
        async with playing(
            [*login, first, ("<presence", "</stream:stream>")],
            [*login, unchanged, END],
        ) as here:
            async with client(here) as alice:
                await until(lambda: len(here.heard) == 2 and b"<presence" in here.heard[1])
                assert alice.roster[JID.parse("bob@localhost")].name == "Bob"
            assert b"ver=''" in here.heard[0]
            assert b"ver='7'" in here.heard[1]

    run(main())


def test_what_comes_right_behind_the_resource_is_received() -> None:
    async def main() -> None:
        login = [*LOGIN]
        early = (
            "<iq type='get' id='early' from='bob@localhost/y'><ping xmlns='urn:xmpp:ping'/></iq>"
        )
        message = "<message from='bob@localhost/y'><body>first</body></message>"
        login[3] = (login[3][0], login[3][1] + message + early)
        async with playing([*login, EMPTY_ROSTER, END]) as here:
            async with client(here) as alice:
                assert (await anext(alice.messages())).body == "first"
            _, _, answer = here.heard[0].partition(b"</iq>")
            assert b"id='early'" in answer
            assert b"type='result'" in answer

    run(main())


def test_stream_error_while_the_roster_is_fetched() -> None:
    async def main() -> None:
        error = stream_error("conflict", text="not you again")
        async with playing([*LOGIN, ("</iq>", error)]) as here:
            with pytest.raises(Disconnected, match="conflict: not you again"):
                await client(here).__aenter__()

    run(main())


def test_requests_that_are_wrong_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        wrong = (
            "<iq type='get' id='two' from='bob@localhost/y'><a xmlns='u'/><b xmlns='u'/></iq>"
            "<iq type='get' id='none' from='bob@localhost/y'/>"
            "<iq type='ask' id='type' from='bob@localhost/y'><a xmlns='u'/></iq>"
            "<iq type='get' id='fails' from='bob@localhost/y'><fail xmlns='urn:example'/></iq>"
            "<iq type='result' id='late' from='bob@localhost/y'/>"
            "<message from='@'><body>from nowhere</body></message>"
        )
        script = [*LOGIN, EMPTY_ROSTER, ("<presence", wrong), END]
        async with playing(script) as here:
            alice = client(here)

            @alice.on_iq("{urn:example}fail")
            def fail(request: Request) -> None:
                raise RuntimeError("handlers may fail")

            async with alice:
                await until(lambda: b"'fails'" in here.heard[0])
            sent = here.heard[0].decode()
            for id, condition in (
                ("two", "bad-request"),
                ("none", "bad-request"),
                ("type", "bad-request"),
                ("fails", "internal-server-error"),
            ):
                _, found, answer = sent.partition(f"id='{id}'")
                assert found
                assert condition in answer.partition("</iq>")[0]
            assert "'late'" not in sent

    run(main())


def test_a_request_in_one_piece_with_the_resource() -> None:
    """It is answered, and what comes with it is received: the session is there by then."""
    *login, (asked, bound) = LOGIN
    behind = (
        "<iq type='get' id='p' from='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
        "<iq type='get' id='u' from='localhost'><unknown xmlns='urn:example'/></iq>"
        "<message from='bob@localhost/x' type='chat'><body>early</body></message>"
    )
    answered = ("</iq>", "")

    async def main() -> None:
        script = [*login, (asked, bound + behind), answered, EMPTY_ROSTER, END]
        async with playing(script) as here:
            async with client(here) as alice:
                message = await anext(alice.messages())
                assert message.body == "early"
            heard = here.heard[0].decode()
            assert "<iq to='localhost' type='result' id='p'/>" in heard
            assert "<iq to='localhost' type='error' id='u'>" in heard

    run(main())
