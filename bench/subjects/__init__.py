"""What is measured: one file per library; each subject reads, and perhaps writes, stanzas.

A subject is named in TABLE and made in a process of its own, so that no library is imported, and
no adapter installed, before its turn. What it needs and can't import makes it skipped by name.
"""

from __future__ import annotations

import importlib
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

Chunks = Sequence[bytes]
Content = Callable[[Any], ET.Element]


class Reader(Protocol):
    """The state of one stream."""

    def feed(self, data: bytes) -> Iterable[Any]:
        """The stanzas that are complete with these bytes, in the library's own form."""


@dataclass(frozen=True)
class Subject:
    """One way to handle stanzas.

    open      begins a stream
    content   a stanza as an ElementTree element, to compare what was read
    record    begins a stream that keeps what `content` needs, where `open` keeps nothing
    read      takes a whole stream and counts stanzas, where that can be done with less around it
    write     serializes a stanza
    forward   makes the bytes to send on, with another `from`
    complete  whether `content` has everything; else only tag, to, from, type and id are compared
    around    what has to be in force while the subject is at work
    """

    open: Callable[[], Reader]
    content: Content
    record: Callable[[], Reader] | None = None
    read: Callable[[Chunks], int] | None = None
    write: Callable[[Any], bytes | str] | None = None
    forward: Callable[[Any, str], bytes | str] | None = None
    complete: bool = True
    around: Callable[[], AbstractContextManager[object]] = nullcontext

    def count(self, chunks: Chunks) -> int:
        """Read a whole stream; returns the number of stanzas."""
        if self.read is not None:
            return self.read(chunks)
        feed = self.open().feed
        count = 0
        for chunk in chunks:
            for _ in feed(chunk):
                count += 1
        return count

    def stanzas(self, chunks: Chunks) -> Iterable[Any]:
        """The stanzas of a whole stream, with their content."""
        feed = (self.record or self.open)().feed
        for chunk in chunks:
            yield from feed(chunk)


class Entry(NamedTuple):
    """Where a subject is made, and what it is measured as.

    place    "file:function" of this package
    group    "baseline", "ours", "peer", "adapter" or "path" (a host's whole way of receiving)
    imports  what a program imports to use it
    library  distribution that brings it; "" for the standard library's and our own
    stock    the subject with the same surface and the stock parser
    """

    place: str
    group: str
    imports: str
    library: str = ""
    stock: str = ""


BASELINE = "XMLPullParser"
TABLE: dict[str, Entry] = {
    BASELINE: Entry("etree:stock", "baseline", "xml.etree.ElementTree"),
    "untouched": Entry("stanza_events:untouched", "ours", "xmppfast"),
    "head": Entry("stanza_events:head", "ours", "xmppfast"),
    "head and body": Entry("stanza_events:head_and_body", "ours", "xmppfast"),
    "everything": Entry("stanza_events:everything", "ours", "xmppfast"),
    "forward": Entry("stanza_events:forward", "ours", "xmppfast"),
    "to_etree": Entry("stanza_events:to_etree", "ours", "xmppfast"),
    "pyexpat": Entry("pyexpat:stock", "peer", "xml.parsers.expat"),
    "xml.sax": Entry("sax:stock", "peer", "xml.sax.expatreader"),
    "lxml": Entry("lxml:stock", "peer", "lxml.etree", "lxml"),
    "Twisted domish": Entry("domish:stock", "peer", "twisted.words.xish.domish", "Twisted"),
    "aioxmpp": Entry("aioxmpp:stock", "peer", "aioxmpp", "aioxmpp"),
    "slixmpp": Entry("slixmpp:stock", "peer", "slixmpp", "slixmpp"),
    "nbxmpp": Entry("nbxmpp:stock", "peer", "nbxmpp.simplexml", "nbxmpp"),
    "adapters.etree": Entry("etree:adapter", "adapter", "xmppfast.adapters.etree", stock=BASELINE),
    "adapters.expat": Entry(
        "pyexpat:adapter", "adapter", "xmppfast.adapters.expat", stock="pyexpat"
    ),
    "adapters.sax": Entry("sax:adapter", "adapter", "xmppfast.adapters.sax", stock="xml.sax"),
    "adapters.sax in aioxmpp": Entry(
        "aioxmpp:adapter", "adapter", "xmppfast.adapters.sax, aioxmpp", "aioxmpp", "aioxmpp"
    ),
    "adapters.domish": Entry(
        "domish:adapter", "adapter", "xmppfast.adapters.domish", "Twisted", "Twisted domish"
    ),
    "adapters.slixmpp": Entry(
        "slixmpp:adapter", "adapter", "xmppfast.adapters.slixmpp", "slixmpp", "slixmpp"
    ),
    "adapters.nbxmpp": Entry(
        "nbxmpp:adapter", "adapter", "xmppfast.adapters.nbxmpp", "nbxmpp", "nbxmpp"
    ),
    "slixmpp receive": Entry("slixmpp:receive", "path", "slixmpp", "slixmpp"),
    "slixmpp receive, adapters.slixmpp": Entry(
        "slixmpp:adapter_receive", "path", "slixmpp", "slixmpp", "slixmpp receive"
    ),
    "aioxmpp receive": Entry("aioxmpp:receive", "path", "aioxmpp", "aioxmpp"),
    "aioxmpp receive, adapters.sax": Entry(
        "aioxmpp:adapter_receive", "path", "aioxmpp", "aioxmpp", "aioxmpp receive"
    ),
}


def make(name: str) -> Subject:
    """Make a subject in this process; ImportError if what it needs is not here."""
    file, _, function = TABLE[name].place.partition(":")
    module = importlib.import_module(f"bench.subjects.{file}")
    made: Subject = getattr(module, function)()
    return made


class Collector:
    """Gathers what a parser's callbacks deliver until it is asked for."""

    __slots__ = ("got",)

    def __init__(self) -> None:
        self.got: list[Any] = []

    def take(self) -> list[Any]:
        """What came since the last call."""
        taken = self.got[:]
        self.got.clear()
        return taken
