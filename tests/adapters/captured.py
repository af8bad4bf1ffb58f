"""The recorded streams, one by one, and ways to cut them; the examples of the XEPs as streams."""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from shared_data import DATA, capture_names, records
from streams import FOOTER, HEADER


class Stanza(NamedTuple):
    """Where a stanza lies in its stream: data[start:end]."""

    start: int
    end: int


class Stream(NamedTuple):
    """One stream in one direction of a recorded connection."""

    name: str
    data: bytes
    stanzas: tuple[Stanza, ...]

    @property
    def header(self) -> bytes:
        """All in front of the first stanza."""
        return self.data[: self.stanzas[0].start] if self.stanzas else self.data

    def stanza(self, place: Stanza) -> bytes:
        """A stanza's bytes."""
        return self.data[place.start : place.end]


@functools.cache
def streams() -> tuple[Stream, ...]:
    """Every recorded stream over plain XML transports that has a stream header."""
    return tuple(stream for name in capture_names() for stream in _of(name))


def _of(name: str) -> Iterator[Stream]:
    folder = DATA / "captures" / name
    rows = defaultdict(list)
    with open(folder / "stanzas.jsonl", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if "o" in row:
                rows[row["d"], row["s"]].append(row)
    for (direction, number), found in sorted(rows.items()):
        whole = (folder / f"{direction}.bin").read_bytes()
        first, last = found[0]["o"], found[-1]["o"] + found[-1]["n"]
        stanzas = tuple(
            Stanza(row["o"] - first, row["o"] + row["n"] - first)
            for row in found
            if "kind" not in row
        )
        yield Stream(f"{name} {direction} {number}", whole[first:last], stanzas)


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    """The data in pieces of that many bytes."""
    return (data[at : at + size] for at in range(0, len(data), size))


@functools.cache
def stanzas() -> tuple[tuple[bytes, bytes], ...]:
    """Every recorded stanza once, with the header that it stands under."""
    found = {
        stream.stanza(place): stream.header
        for stream in streams()
        if not stream.name.startswith("errors-")
        for place in stream.stanzas
    }
    return tuple((header, stanza) for stanza, header in found.items())


_TAG = re.compile(
    rb"""<!\[CDATA\[.*?\]\]>|<(?P<end>/)?[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>""", re.DOTALL
)


def tags_by(stanza: bytes) -> list[int]:
    """For each number of bytes, how many starts and ends of elements they complete."""
    counts = [0] * (len(stanza) + 1)
    for tag in _TAG.finditer(stanza):
        if not tag[0].startswith(b"<!"):
            counts[tag.end()] = 2 if tag[0].endswith(b"/>") else 1
    return list(itertools.accumulate(counts))


def splits(stanza: bytes) -> list[int]:
    """All places to cut it in two; of long runs of text, the ends and some in between."""
    if len(stanza) < 4000:
        return list(range(len(stanza) + 1))
    near: set[int] = set(range(0, len(stanza), 997))
    for match in re.finditer(rb"[<>&]", stanza):
        near.update(range(max(0, match.start() - 12), min(len(stanza), match.start() + 12)))
    return sorted(near)


@functools.cache
def kinds_of_stanzas() -> tuple[tuple[bytes, bytes], ...]:
    """Of recorded stanzas with the same tags and attributes' names, the first."""
    found: dict[bytes, tuple[bytes, bytes]] = {}
    for header, stanza in stanzas():
        found.setdefault(re.sub(rb"'[^']*'|\"[^\"]*\"|>[^<]+", b"", stanza), (header, stanza))
    return tuple(found.values())


def cut_stanzas() -> Iterator[tuple[bytes, bytes, list[int]]]:
    """Every recorded stanza with its header and where to cut it: the first of a kind everywhere.

    The others are cut in front of their last byte, which is to be enough.
    """
    first = set(kinds_of_stanzas())
    for header, stanza in stanzas():
        places = splits(stanza) if (header, stanza) in first else [len(stanza) - 1]
        yield header, stanza, places


class Example(NamedTuple):
    """An example of a XEP inside a client's stream.

    strict      it is read without `compat`: it has nothing that RFC 6120 section 11.1 forbids
    compatible  it is read with `compat`
    """

    stream: bytes
    strict: bool
    compatible: bool


@functools.cache
def examples() -> tuple[Example, ...]:
    """All that are well-formed, and stanzas or parts of such."""
    return tuple(
        Example(
            HEADER + record["text"].encode() + FOOTER,
            not record["restricted"],
            "doctype" not in record.get("features", ()),
        )
        for record in records("xep_examples.jsonl")
        if record["wf"] and record["shape"] == "fragment" and not record["top_text"]
    )
