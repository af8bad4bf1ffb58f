"""The expat parser beside pyexpat's own."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat as stock

import pytest
from captured import chunks, streams
from shared_data import needs_data

from xmppfast.adapters import expat

HEADER = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
HANDLERS = (
    "StartElementHandler",
    "EndElementHandler",
    "CharacterDataHandler",
    "XmlDeclHandler",
    "StartNamespaceDeclHandler",
    "EndNamespaceDeclHandler",
)


class Log:
    """A parser whose calls are written down; text in a row as one."""

    def __init__(self, module: Any, separator: str | None, **attributes: Any) -> None:
        self.parser = module.ParserCreate(namespace_separator=separator)
        self.calls: list[tuple[Any, ...]] = []
        self.fault: tuple[int, int, int] | None = None
        for name, value in attributes.items():
            setattr(self.parser, name, value)
        for name in HANDLERS:
            setattr(self.parser, name, self.handler(name))

    def handler(self, name: str) -> Any:
        def handle(*about: Any) -> None:
            if isinstance(about[-1], dict):
                about = (*about[:-1], list(about[-1].items()))
            if name == "CharacterDataHandler" and self.calls and self.calls[-1][0] == name:
                self.calls[-1] = (name, self.calls[-1][1] + about[0])
            else:
                self.calls.append((name, *about))

        return handle

    def read(self, pieces: Any, final: bool = False) -> list[tuple[Any, ...]]:
        """All calls; the error is in `fault`."""
        try:
            for piece in pieces:
                self.parser.Parse(piece, False)
            if final:
                self.parser.Parse(b"", True)
        except stock.ExpatError as error:
            self.fault = error.code, error.lineno, error.offset
        return self.calls


def settled(calls: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The calls without text that no tag has followed yet, of which expat reports more."""
    return calls[:-1] if calls and calls[-1][0] == "CharacterDataHandler" else calls


@needs_data
@pytest.mark.parametrize(
    ("separator", "size"), [(None, 7), (None, 4096), (" ", 7), (" ", 4096), ("}", 4096), ("", 4096)]
)
def test_recorded_streams_read_as_by_expat(separator, size):
    count = 0
    for stream in streams():
        if stream.name.startswith("errors-"):
            continue
        pieces = list(chunks(stream.data, size))
        ours, theirs = Log(expat, separator), Log(stock, separator)
        assert settled(ours.read(pieces)) == settled(theirs.read(pieces)), stream.name
        assert ours.fault is theirs.fault is None, stream.name
        count += 1
    assert count > 100


@pytest.mark.parametrize("attributes", [
    {"ordered_attributes": True},
    {"namespace_prefixes": True},
    {"specified_attributes": True, "buffer_text": True, "buffer_size": 10},
])
@pytest.mark.parametrize("separator", [None, " ", "|"])
def test_attributes_of_the_parser(attributes, separator):
    document = HEADER + (
        b"<a b='1' xml:lang='en' c='&lt;&#xE9;'><stream:b xmlns:p='urn:p' p:x='2' y='3'>"
        b"t&amp;u<![CDATA[<v>]]></stream:b><c xmlns='' d='\xc3\xa9'/></a></stream:stream>"
    )
    logs = [Log(module, separator, **attributes) for module in (expat, stock)]
    calls = [log.read([document], final=True) for log in logs]
    assert calls[0] == calls[1]
    assert len(calls[0]) >= 9
    for name, value in attributes.items():
        assert getattr(logs[0].parser, name) == value
