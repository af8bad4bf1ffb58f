"""Feeds every captured stanza in two pieces, in all ways, and counts those that are held back.

    python splits.py RECEIVER stock|ours [--data FOLDER] [--longest N] [--tags N] [--every N]

Started with the interpreter of the host's environment; FOLDER has recorded sessions. A stanza is
held back if it hasn't been delivered although its last byte was fed. Prints JSON.

With the stock parser every split has a stream of its own; with ours they follow one another, which
would only make more of whatever one of them left behind. Ours is given wide limits: among the
recorded stanzas are hostile ones.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import pyexpat
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

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


def places(stanza: bytes, longest: int, most_tags: int) -> list[int]:
    """Where to split: everywhere; what would cost too much, in its first and last tag, and a part.

    Feeding a stanza in all ways costs the square of its size. One that is too long is fed in as
    many as come to the same bytes as all ways of one that is just short enough, and one of too
    many tags in as many as come to the same tags; which ones is random, and the same every time.
    """
    ways = range(1, len(stanza))
    share = min(1, (longest / len(stanza)) ** 2, most_tags / stanza.count(b"<"))
    if share == 1:
        return list(ways)
    first, last = stanza.index(b">") + 1, stanza.rindex(b"<")
    some = Random(len(stanza)).sample(ways, int(len(ways) * share))
    return sorted({*ways[:first][:longest], *ways[last:][:longest], *some})


@dataclass
class Count:
    """Of some stanzas: how many, in how many ways there are and were split, and were held back."""

    stanzas: int = 0
    ways: int = 0
    splits: int = 0
    held: int = 0


class Splitter:
    """A receiver that gets stanzas in two pieces, and what came of it."""

    def __init__(self, receiver: Receiver, longest: int, most_tags: int, *, ours: bool) -> None:
        """With our parser, or with the stock one."""
        self.receiver = receiver
        self.longest = longest
        self.most_tags = most_tags
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
                count.ways += len(stanza) - 1
                count.splits += found.splits
                count.held += found.held

    def stanza(self, header: bytes, stanza: bytes) -> Count:
        """Split a stanza."""
        receiver = self.receiver
        found = Count(1)
        for place in places(stanza, self.longest, self.most_tags):
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


def install(adapter: str) -> None:
    """Put an adapter in its place, for any recorded stanza."""
    adapters = importlib.import_module("xmppfast.adapters")
    most = 1_000_000
    adapters.DEFAULT_LIMITS = adapters.Limits(
        stanza_bytes=16 * most, depth=most, attributes=most, children=most, name_bytes=most
    )
    importlib.import_module(f"xmppfast.adapters.{adapter}").install()


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("receiver", choices=RECEIVERS)
    parser.add_argument("variant", choices=["stock", "ours"])
    parser.add_argument("--data", type=Path, help="folder of recorded sessions")
    parser.add_argument("--longest", type=int, default=1024, help="stanzas split everywhere, bytes")
    parser.add_argument("--tags", type=int, default=1000, help="as many, at most")
    parser.add_argument("--every", type=int, default=1, help="take one in so many stanzas")
    chosen = parser.parse_args()
    ours = chosen.variant == "ours"
    if ours:
        install(ADAPTERS[chosen.receiver])
    receiver = RECEIVERS[chosen.receiver]()
    gc.freeze()  # what the host is made of is no work for the collections to come
    splitter = Splitter(receiver, chosen.longest, chosen.tags, ours=ours)
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
