"""xmppfast's own API, on either backend: what programs do with stanzas."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType

from bench.subjects import Chunks, Subject

BODY = "{jabber:client}body"
STAMP = "juliet@example.com/balcony"


def untouched(backend: ModuleType, chunks: Chunks) -> int:
    """Events are taken, and nothing is asked of them."""
    count = 0
    feed = backend.StreamParser().feed
    for chunk in chunks:
        for _ in feed(chunk):
            count += 1
    return count - 2  # the stream's start and end


def head(backend: ModuleType, chunks: Chunks) -> int:
    """What a server routes by is read: name, to, from_, type, id."""
    count = 0
    stanza_type = backend.Stanza
    feed = backend.StreamParser().feed
    for chunk in chunks:
        for event in feed(chunk):
            if type(event) is stanza_type:
                count += 1
                event.name, event.to, event.from_, event.type, event.id  # noqa: B018
    return count


def head_and_body(backend: ModuleType, chunks: Chunks) -> int:
    """What a chat client shows is read: the head and the body's text."""
    count = 0
    stanza_type = backend.Stanza
    feed = backend.StreamParser().feed
    for chunk in chunks:
        for event in feed(chunk):
            if type(event) is stanza_type:
                count += 1
                event.name, event.to, event.from_, event.type, event.id  # noqa: B018
                event.findtext(BODY)
    return count


def forward(backend: ModuleType, chunks: Chunks) -> int:
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


def to_etree(backend: ModuleType, chunks: Chunks) -> int:
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


_ALL: dict[str, Callable[[ModuleType, Chunks], int]] = {
    "untouched": untouched,
    "head": head,
    "head and body": head_and_body,
    "forward": forward,
    "to_etree": to_etree,
}


def subjects(backend: ModuleType) -> dict[str, Subject]:
    """The subjects by name, on a backend."""
    return {name: partial(subject, backend) for name, subject in _ALL.items()}
