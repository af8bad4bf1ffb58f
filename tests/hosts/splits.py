"""Feeds every captured stanza in two pieces, in all ways, and counts those that are held back.

    python splits.py RECEIVER stock|ours [--data FOLDER] [--longest N] [--every N]

Started with the interpreter of the host's environment; FOLDER has recorded sessions. A stanza is
held back if it hasn't been delivered although its last byte was fed. Prints JSON.

With the stock parser every split has a stream of its own; with ours they follow one another, which
would only make more of whatever one of them left behind.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pyexpat
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from receivers import ADAPTERS, RECEIVERS, Receiver, Refused

HEADER = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
EXAMPLE = b"<presence from='juliet@example.com/balcony' type='unavailable'/>"
PRESENCE = b"<presence/>"
MARKUP = re.compile(rb"<[^>]*>")


def sessions(data: Path) -> Iterator[tuple[bytes, list[bytes]]]:
    """By stream header, the stanzas recorded under it, each distinct pair once."""
    seen = set()
    for records in sorted(data.glob("captures/*/stanzas.jsonl")):
        streams: dict[tuple[str, int], tuple[bytes, list[bytes]]] = {}
        files = {d: (records.parent / f"{d}.bin").read_bytes() for d in ("c2s", "s2c")}
        for line in records.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            raw = files[record["d"]][record["o"] : record["o"] + record["n"]]
            key = record["d"], record["s"]
            if record.get("kind") == "open":
                streams[key] = raw, []
                continue
            if raw.startswith(PRESENCE):
                raw = PRESENCE  # a record in front of an error goes as far as the error
            if "kind" not in record and key in streams and raw not in seen:
                seen.add(raw)
                streams[key][1].append(raw)
        yield from (pair for pair in streams.values() if pair[1])


def header_for(receiver: str, header: bytes) -> bytes:
    """The header as the host wants it: aioxmpp insists on `from` and `id`."""
    if receiver != "aioxmpp":
        return header
    for name in (b"from", b"id"):
        if not re.search(rb"\s" + name + rb"\s*=", header):
            header = header[:-1] + b" " + name + b"='example.org'>"
    return header


def places(stanza: bytes, longest: int) -> list[int]:
    """Where to split: everywhere; in a longer one, in its first and last tag and evenly between.

    Feeding a stanza in all ways costs the square of its size, so a long one is fed in as many as
    come to the same bytes as all ways of one that is just short enough.
    """
    ways = range(1, len(stanza))
    if len(stanza) <= longest:
        return list(ways)
    step = max(1, len(stanza) ** 2 // longest**2)
    first, last = stanza.index(b">"), stanza.rindex(b"<")
    return sorted({*ways[:first][:longest], *ways[last:][:longest], *ways[::step]})


@dataclass
class Count:
    """Of some stanzas: how many, in how many ways they were split, and were held back."""

    stanzas: int = 0
    splits: int = 0
    held: int = 0


class Splitter:
    """A receiver that gets stanzas in two pieces, and what came of it."""

    def __init__(self, receiver: Receiver, longest: int, ours: bool) -> None:
        """With our parser, or with the stock one."""
        self.receiver = receiver
        self.longest = longest
        self.ours = ours
        self.counts = {"example": Count(), "one tag": Count(), "all": Count()}
        self.refused: list[str] = []
        self.where: list[tuple[str, str]] = []

    def fresh(self, header: bytes) -> None:
        """A new stream with its header."""
        self.receiver.open()
        self.receiver.feed(header)

    def session(self, header: bytes, stanzas: Iterable[bytes], *kinds: str) -> None:
        """Split all of these stanzas, which stand under one header."""
        self.fresh(header)
        for stanza in stanzas:
            tags = len(MARKUP.findall(stanza))
            try:
                found = self.stanza(header, stanza)
            except Refused as error:
                self.refused.append(f"{error}: {stanza[:80].decode(errors='replace')}")
                self.fresh(header)
                continue
            for kind in kinds or (("all", "one tag") if tags == 1 else ("all",)):
                count = self.counts[kind]
                count.stanzas += 1
                count.splits += found.splits
                count.held += found.held

    def stanza(self, header: bytes, stanza: bytes) -> Count:
        """Split a stanza."""
        receiver = self.receiver
        found = Count(1)
        for place in places(stanza, self.longest):
            if not self.ours:
                self.fresh(header)
            before = receiver.stanzas
            receiver.feed(stanza[:place])
            if receiver.stanzas != before:
                raise AssertionError(f"delivered before its end: {stanza!r} at {place}")
            receiver.feed(stanza[place:])
            found.splits += 1
            if receiver.stanzas == before + 1:
                continue
            found.held += 1
            if len(self.where) < 5:
                pieces = stanza[:place], stanza[place:]
                self.where.append(tuple(p[-80:].decode(errors="replace") for p in pieces))
            self.fresh(header)
        return found


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("receiver", choices=RECEIVERS)
    parser.add_argument("variant", choices=["stock", "ours"])
    parser.add_argument("--data", type=Path, help="folder of recorded sessions")
    parser.add_argument("--longest", type=int, default=1024, help="stanzas split everywhere, bytes")
    parser.add_argument("--every", type=int, default=1, help="take one in so many stanzas")
    chosen = parser.parse_args()
    ours = chosen.variant == "ours"
    if ours:
        importlib.import_module(f"xmppfast.adapters.{ADAPTERS[chosen.receiver]}").install()
    splitter = Splitter(RECEIVERS[chosen.receiver](), chosen.longest, ours)
    splitter.session(header_for(chosen.receiver, HEADER), [EXAMPLE], "example")
    number = 0
    for header, stanzas in sessions(chosen.data) if chosen.data else ():
        taken = [s for i, s in enumerate(stanzas, number) if i % chosen.every == 0]
        number += len(stanzas)
        splitter.session(header_for(chosen.receiver, header), taken)
    result = {
        "expat": pyexpat.EXPAT_VERSION,
        "counts": {kind: asdict(count) for kind, count in splitter.counts.items()},
        "refused": splitter.refused,
        "where": splitter.where,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
