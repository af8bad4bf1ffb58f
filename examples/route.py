"""Pass stanzas on, as a server does: read the head, stamp the sender, send the rest untouched."""

from __future__ import annotations

from collections.abc import Iterator

from xmppfast import Limits, Stanza, StreamParser

STREAM = (
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" xmlns:x='urn:example:extension' to='example.net' version='1.0'>"
    b"<message to='juliet@example.com' from='mercutio@example.net'><body>A &lt; B</body></message>"
    b"<message to='nurse@example.com' type='chat'><x:note>prefix from the header</x:note></message>"
    b"<presence type='unavailable' to='juliet@example.com' xml:lang='en'/>"
)
SENDER = "romeo@example.net/orchard"


def forwarded(data: bytes) -> Iterator[tuple[str | None, bytes]]:
    """Receivers and what they are to be sent."""
    parser = StreamParser(limits=Limits(stanza_bytes=64 * 1024, depth=64))
    for event in parser.feed(data):
        if isinstance(event, Stanza):
            # A client's own `from` must not be believed (RFC 6120 section 8.1.2.1).
            yield event.to, event.forward(from_=SENDER)
    parser.close()


def main() -> None:
    """Show what is sent for each stanza."""
    for to, data in forwarded(STREAM):
        print(f"{to}: {data.decode()}")
    for event in StreamParser().feed(STREAM):
        if isinstance(event, Stanza) and event.name == "presence":
            print("to another server:", event.forward(xmlns="jabber:server", to="romeo@x").decode())
            print("without to:", event.forward(to=None).decode())


if __name__ == "__main__":
    main()
