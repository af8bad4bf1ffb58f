"""What a host accepts, with its stock parser and with ours.

    python strictness.py RECEIVER stock|ours|compat

Started with the interpreter of the host's environment. Prints JSON: by the input's name, "accepted"
or the host's error.
"""

from __future__ import annotations

import functools
import importlib
import json
import sys
from collections.abc import Iterator

from receivers import ADAPTERS, RECEIVERS, Receiver, Refused

PARSERS = {
    "etree": ("xml.etree.ElementTree", "XMLPullParser"),
    "expat": ("xml.parsers.expat", "ParserCreate"),
}
DECLARATION = "<?xml version='1.0'?>"
HEADER = (
    "<stream:stream from='example.org' id='s1' version='1.0' xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'>"
)
MESSAGE = "<message><body>hello</body></message>"
STANZA = DECLARATION + HEADER + "<message><body>{}</body></message>"
LATIN = "<?xml version='1.0' encoding='iso-8859-1'?>"

# What is fed: text, or bytes where it isn't UTF-8; a list is fed piece by piece.
INPUTS: dict[str, str | bytes | list[bytes]] = {
    "comment": STANZA.format("hel<!-- c -->lo"),
    "processing instruction": STANZA.format("hel<?target data?>lo"),
    "DTD with an internal entity": (
        f"{DECLARATION}<!DOCTYPE s [<!ENTITY e 'a'>]>{HEADER}<message><body>&e;</body></message>"
    ),
    "undefined entity": STANZA.format("&e;"),
    "undeclared prefix": STANZA.format("<x:y/>"),
    "duplicate attribute by namespace": STANZA.format(
        "<x xmlns:a='urn:1' xmlns:b='urn:1' a:n='1' b:n='2'/>"
    ),
    "text between stanzas": f"{DECLARATION}{HEADER}hello{MESSAGE}",
    "declared as ISO-8859-1, in ASCII": LATIN + HEADER + MESSAGE,
    "declared as ISO-8859-1, and in it": (
        (LATIN + HEADER + MESSAGE.replace("hello", "grüß")).encode("latin-1")
    ),
    "UTF-16": (HEADER + MESSAGE).encode("utf-16"),
    "another root element": f"{DECLARATION}<root from='a' id='1' version='1.0'>{MESSAGE}",
    "bytes that are not UTF-8": STANZA.format("\ufffe").encode().replace(b"\xef\xbf\xbe", b"\xff"),
    "byte order mark": "\ufeff" + STANZA.format("hello"),
    "white space before the declaration": " " + STANZA.format("hello"),
    "stanza of 50,000 levels": STANZA.format("<a>" * 50_000 + "</a>" * 50_000),
    "stanza of 20 MB": STANZA.format("a" * 20_000_000),
    "CDATA": STANZA.format("<![CDATA[hello]]>"),
    "bare >": STANZA.format("a > b"),
    "CRLF": STANZA.format("hel\r\nlo"),
    "white space between stanzas": f"{DECLARATION}{HEADER} \n{MESSAGE}",
    "character in two reads": [STANZA.format("ü").encode()[:-18], b"\xbc</body></message>"],
    "]]> in text": STANZA.format("]]>"),
    "control character": STANZA.format("\x01"),
    "reference to character 0": STANZA.format("&#0;"),
    "duplicate attribute": STANZA.format("<x a='1' a='2'/>"),
    "wrong end tag": STANZA.format("<x></y>"),
    "second declaration": f"{DECLARATION}{DECLARATION}{HEADER}{MESSAGE}",
}


def pieces(data: str | bytes | list[bytes]) -> Iterator[bytes]:
    """The input as it is fed: large ones in reads of 4 KiB."""
    if isinstance(data, list):
        yield from data
        return
    raw = data.encode() if isinstance(data, str) else data
    yield from (raw[i : i + 4096] for i in range(0, len(raw), 4096))


def outcome(receiver: Receiver, data: str | bytes | list[bytes]) -> str:
    """What becomes of the stanza in this input."""
    receiver.open()
    try:
        for piece in pieces(data):
            receiver.feed(piece)
        receiver.feed(MESSAGE.encode("utf-16-le") if data == INPUTS["UTF-16"] else MESSAGE.encode())
    except Refused as error:
        return str(error)
    return "accepted" if receiver.stanzas >= 2 else "nothing delivered"


def install(adapter: str, *, compat: bool) -> None:
    """Put the adapter to use; where `install` has no `compat`, its parsers do."""
    module = importlib.import_module(f"xmppfast.adapters.{adapter}")
    if compat and adapter in PARSERS:
        module.install()
        owner, name = importlib.import_module(PARSERS[adapter][0]), PARSERS[adapter][1]
        setattr(owner, name, functools.partial(getattr(owner, name), compat=True))
    else:
        module.install(**({"compat": True} if compat else {}))


def main() -> None:
    """Print what comes of each."""
    name, variant = sys.argv[1:]
    if variant != "stock":
        install(ADAPTERS[name], compat=variant == "compat")
    receiver = RECEIVERS[name]()
    print(json.dumps({label: outcome(receiver, data) for label, data in INPUTS.items()}))


if __name__ == "__main__":
    main()
