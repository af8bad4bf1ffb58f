"""How fast a recorded stream is read here, beside expat in the same process.

Usage: speed.py [FILE]

Each reader gets the recording in chunks of 4 KiB, over and over, in turns; the best turn counts.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Any
from xml.parsers import expat

from xmppfast import Stanza, StreamParser, backend
from xmppfast.cli.recording import Recording

CAPTURE = Path(__file__).parent / "data" / "mcabber-s2c.bin"
CHUNK = 4096
TURNS = 9
TURN_SECONDS = 0.05


def streams(data: bytes) -> list[list[bytes]]:
    """Each stream of the recording in chunks: to expat, every one is a document of its own."""
    recording = Recording(StreamParser(), chunk_size=len(data), restarts=True)
    begins: dict[int, int] = {}
    for placed in [*recording.read(data), *recording.close()]:
        begins.setdefault(placed.stream, placed.offset)
    edges = [*begins.values(), len(data)]
    return [
        [data[at : min(at + CHUNK, end)] for at in range(begin, end, CHUNK)]
        for begin, end in pairwise(edges)
    ]


def read_xmppfast(chunks: list[bytes]) -> int:
    """Take every stanza; returns their count."""
    feed = StreamParser().feed
    count = 0
    for chunk in chunks:
        for event in feed(chunk):
            if type(event) is Stanza:
                count += 1
    return count


def read_elementtree(chunks: list[bytes]) -> int:
    """Take every stanza as an ElementTree element; returns their count."""
    parser: Any = ET.XMLPullParser(("start", "end"))
    root: Any = None
    depth = count = 0
    for chunk in chunks:
        parser.feed(chunk)
        for event, element in parser.read_events():
            if event == "start":
                root = element if root is None else root
                depth += 1
            else:
                depth -= 1
                if depth == 1:
                    count += 1
                    root.clear()
    return count


def read_pyexpat(chunks: list[bytes]) -> int:
    """Have expat call back for tags and text, and keep nothing; returns the count of stanzas."""
    parser = expat.ParserCreate(None, "}")
    depth = count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1

    def end(name: str) -> None:
        nonlocal depth, count
        depth -= 1
        count += depth == 1

    def text(data: str) -> None:
        pass

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    for chunk in chunks:
        parser.Parse(chunk, False)
    return count


def seconds(read: Callable[[list[bytes]], int], documents: list[list[bytes]]) -> float:
    """CPU seconds for one reading, averaged over a turn."""
    times = 0
    began = now = process_time()
    while now - began < TURN_SECONDS:
        for document in documents:
            read(document)
        times += 1
        now = process_time()
    return (now - began) / times


def main(path: Path) -> None:
    """Print MB/s and ratios."""
    data = path.read_bytes()
    documents = streams(data)
    readers = {
        "xml.etree.ElementTree.XMLPullParser": read_elementtree,
        "pyexpat, three empty callbacks": read_pyexpat,
        f"xmppfast, {backend} backend": read_xmppfast,
    }
    counts = {sum(map(read, documents)) for read in readers.values()}
    if len(counts) != 1:
        raise SystemExit(f"the readers disagree about the number of stanzas: {counts}")
    best = dict.fromkeys(readers, float("inf"))
    for _ in range(TURNS):
        for name, read in readers.items():
            best[name] = min(best[name], seconds(read, documents))
    reference = best["xml.etree.ElementTree.XMLPullParser"]
    print(f"{path.name}: {len(data)} bytes, {counts.pop()} stanzas, chunks of {CHUNK} bytes")
    for name, time in best.items():
        print(f"  {name:<36} {len(data) / time / 1e6:8.1f} MB/s  {reference / time:6.1f}x")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else CAPTURE)
