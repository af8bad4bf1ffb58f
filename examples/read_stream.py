"""Read a recorded stream in pieces, as they would come from a socket.

Usage: read_stream.py [FILE]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from xmppfast import Stanza, StreamEnd, StreamParser, StreamStart

CAPTURE = Path(__file__).parent / "data" / "mcabber-s2c.bin"

# What a server says last in a stream that a new one follows: RFC 6120 sections 5.4.3.3 and 6.4.6.
PROCEED = "{urn:ietf:params:xml:ns:xmpp-tls}proceed"
SUCCESS = "{urn:ietf:params:xml:ns:xmpp-sasl}success"


def chunks(path: Path, size: int) -> Iterator[bytes]:
    """The file's bytes in pieces of that size."""
    with path.open("rb") as file:
        while chunk := file.read(size):
            yield chunk


def main(path: Path) -> None:
    """Print a line for each event."""
    parser = StreamParser()
    for chunk in chunks(path, 1460):
        for event in parser.feed(chunk):
            match event:
                case StreamStart():
                    print(f"stream {event.id} from {event.from_}, version {event.version},")
                    print(f"  language {event.lang}, stanzas in {event.content_namespace}")
                    print(f"  header of {len(event.raw)} bytes, prefixes {dict(event.prefixes)}")
                case Stanza(tag=tag) if tag in (PROCEED, SUCCESS):
                    print(f"{event.name}: the next byte begins a new stream")
                    parser.restart()
                case Stanza():
                    kind = f" of type {event.type}" if event.type else ""
                    print(f"{event.name}{kind}: {event.payload or 'empty'}")
                case StreamEnd():
                    print(f"end of stream: {event.raw!r}")
    parser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else CAPTURE)
