"""The recorded streams, one by one, and ways to cut them."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from shared_data import DATA, capture_names


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
