"""xmppfast's own API: what programs do with stanzas."""

from __future__ import annotations

import importlib
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

from bench.corpus import END, HEADER
from bench.subjects import Chunks, Subject

BODY = "{jabber:client}body"
STAMP = "juliet@example.com/balcony"
MODULES = {"compiled": "xmppfast.xml._tokenizer", "expat": "xmppfast.xml._expat"}


class EventReader:
    """One parser; its events but for the stream's start and end."""

    __slots__ = ("_parser", "_stanza_type")

    def __init__(self, backend: ModuleType) -> None:
        self._parser = backend.StreamParser()
        self._stanza_type = backend.Stanza

    def feed(self, data: bytes) -> Iterator[Any]:
        """The stanzas that are complete with these bytes."""
        return (e for e in self._parser.feed(data) if type(e) is self._stanza_type)


def read_untouched(backend: ModuleType, chunks: Chunks) -> int:
    """Events are taken, and nothing is asked of them."""
    count = 0
    feed = backend.StreamParser().feed
    for chunk in chunks:
        for _ in feed(chunk):
            count += 1
    return count - 2  # the stream's start and end


def read_head(backend: ModuleType, chunks: Chunks) -> int:
    """What a server routes by is read: name, to, from_, type, id."""
    count = 0
    stanza_type = backend.Stanza
    feed = backend.StreamParser().feed
    for chunk in chunks:
        for event in feed(chunk):
            if type(event) is stanza_type:
                count += 1
                _ = event.name
                _ = event.to
                _ = event.from_
                _ = event.type
                _ = event.id
    return count


def read_head_and_body(backend: ModuleType, chunks: Chunks) -> int:
    """What a chat client shows is read: the head and the body's text."""
    count = 0
    stanza_type = backend.Stanza
    feed = backend.StreamParser().feed
    for chunk in chunks:
        for event in feed(chunk):
            if type(event) is stanza_type:
                count += 1
                _ = event.name
                _ = event.to
                _ = event.from_
                _ = event.type
                _ = event.id
                event.findtext(BODY)
    return count


def read_everything(backend: ModuleType, chunks: Chunks) -> int:
    """Tag, attributes and text of every element are read."""
    count = 0
    stanza_type = backend.Stanza
    feed = backend.StreamParser().feed
    for chunk in chunks:
        for event in feed(chunk):
            if type(event) is stanza_type:
                count += 1
                for element in event.iter():
                    element.tag, dict(element.attrib), element.text, element.tail
    return count


def read_and_forward(backend: ModuleType, chunks: Chunks) -> int:
    """The bytes to send on are made, with `from` set."""
    count = 0
    stanza_type = backend.Stanza
    feed = backend.StreamParser().feed
    for chunk in chunks:
        for event in feed(chunk):
            if type(event) is stanza_type:
                count += 1
                event.forward(from_=STAMP)
    return count


def read_to_etree(backend: ModuleType, chunks: Chunks) -> int:
    """A genuine ElementTree tree is made of each stanza."""
    count = 0
    stanza_type = backend.Stanza
    feed = backend.StreamParser().feed
    for chunk in chunks:
        for event in feed(chunk):
            if type(event) is stanza_type:
                count += 1
                event.to_etree()
    return count


def _read_content(stanza: Any) -> ET.Element:
    """What an element's own properties say, without to_etree."""
    copy = ET.Element(stanza.tag, dict(stanza.attrib))
    copy.text, copy.tail = stanza.text, stanza.tail
    copy.extend(map(_read_content, stanza))
    return copy


def _raw_content(stanza: Any) -> ET.Element:
    return ET.fromstring(HEADER + stanza.forward() + END)[0]


def _tree_content(stanza: Any) -> ET.Element:
    tree: ET.Element = stanza.to_etree()
    return tree


def subject(
    backend: ModuleType,
    read: Callable[[ModuleType, Chunks], int],
    content: Callable[[Any], ET.Element] = _read_content,
) -> Subject:
    """The subject for a use of stanzas, on a backend."""
    return Subject(
        open=partial(EventReader, backend),
        content=content,
        read=partial(read, backend),
        write=backend.tostring,
        forward=lambda stanza, sender: stanza.forward(from_=sender),
    )


def _on_the_usual_backend(
    read: Callable[[ModuleType, Chunks], int], content: Callable[[Any], ET.Element] = _read_content
) -> Callable[[], Subject]:
    def make() -> Subject:
        import xmppfast

        return subject(importlib.import_module(MODULES[xmppfast.backend]), read, content)

    return make


untouched = _on_the_usual_backend(read_untouched, _raw_content)
head = _on_the_usual_backend(read_head)
head_and_body = _on_the_usual_backend(read_head_and_body)
everything = _on_the_usual_backend(read_everything)
forward = _on_the_usual_backend(read_and_forward, _raw_content)
to_etree = _on_the_usual_backend(read_to_etree, _tree_content)
