"""Write elements: namespaces are declared only where they have to be."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from xmppfast import StreamParser, StreamStart, escape, parse, tostring

HEADER = (
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" version='1.0'>"
)


def message(to: str, body: str) -> ET.Element:
    """A message as an ElementTree element."""
    element = ET.Element("{jabber:client}message", {"to": to})
    ET.SubElement(element, "{jabber:client}body").text = body
    ET.SubElement(element, "{urn:xmpp:receipts}request")
    return element


def main() -> None:
    """Serialize for a stream, for a file, and by hand."""
    [header] = StreamParser().feed(HEADER)
    assert isinstance(header, StreamStart)
    print("stream of", header.tag, header.name, header.xmlns, header.default_namespace)
    print("attributes", dict(header.attrib), header.get("version"), header.get("to", "(none)"))

    element = message("juliet@example.com", "Tybalt & I")
    # On the stream, the content namespace is the default already.
    print(tostring(element, xmlns=header.content_namespace).decode())
    # Anywhere else, the element has to declare it.
    print(tostring(element).decode())

    features = ET.Element("{http://etherx.jabber.org/streams}features")
    print(tostring(features, xmlns=header.content_namespace, prefixes=header.prefixes).decode())

    body = parse(tostring(element))[0]
    print("one element of a stanza:", tostring(body).decode())

    name = 'Bob & "Co" <3'
    print(f"<item xmlns='jabber:iq:roster' name='{escape(name)}'/>")
    try:
        tostring(message("juliet@example.com", "\x1b[2J"))
    except ValueError as error:
        print("refused:", error)


if __name__ == "__main__":
    main()
