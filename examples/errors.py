"""What a bad stream looks like from here, and how to answer it (RFC 6120 section 4.9)."""

from __future__ import annotations

from xmppfast import Limits, Stanza, StreamCondition, StreamError, StreamParser, backend, tostring
from xmppfast import parse as parse_element

HEADER = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
BAD = {
    "a comment": b"<!-- hello -->",
    "an entity bomb": b"<message><body>&lol9;</body></message>",
    "wrong nesting": b"<message>\n<body>hi</message>",
    "text between stanzas": b"hello",
    "Latin-1": "<message><body>Grüße</body></message>".encode("latin-1"),
    "too deep": b"<message><a><b><c/></b></a></message>",
}


def answer(error: StreamError) -> bytes:
    """The stream error to send before closing the connection."""
    name = error.condition.value
    condition = parse_element(f"<{name} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>")
    return b"<stream:error>" + tostring(condition) + b"</stream:error></stream:stream>"


def main() -> None:
    """Feed each of the bad streams to a parser."""
    print("backend:", backend)
    for name, data in BAD.items():
        parser = StreamParser(limits=Limits(depth=3))
        print(f"{name}, {parser.limits.depth} levels allowed:")
        try:
            for event in parser.feed(HEADER + b"<presence/>" + data):
                if isinstance(event, Stanza):
                    print("  delivered before the error:", event.name)
        except StreamError as error:
            blame = "too much" if error.condition is StreamCondition.POLICY_VIOLATION else "wrong"
            print(f"  {blame}, {error.condition.value}: {error.text}")
            print(f"  line {error.line}, column {error.column}, offset {error.offset}")
            print(f"  answer: {answer(error).decode()}")

    parser = StreamParser()
    parser.feed(HEADER + b"<message><body>cut")
    for event in parser.feed(b" off"):
        print("  ", event)
    try:
        parser.close()
    except StreamError as error:
        print("at the end:", error)


if __name__ == "__main__":
    main()
