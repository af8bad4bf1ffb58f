"""The streams to measure on: chat, xep, small, large and captures, and their statistics.

    python bench/corpus.py [--seed N] [--scale X] [--out DIR]

Each is one stream header, its stanzas, and the stream's end, in DIR/<name>.xml.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

if not __package__:  # started as a file: look from the project, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench import captures
from bench.stanzas import StanzaSource

PROJECT = Path(__file__).resolve().parents[1]
OUT = PROJECT / "bench" / "out"
NAMES = ("chat", "xep", "small", "large", "captures")
HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    b"xmlns:stream='http://etherx.jabber.org/streams' from='example.org' id='c2s-5e1f' "
    b"version='1.0' xml:lang='en'>"
)
END = b"</stream:stream>"
_MEGABYTES = {"chat": 20, "xep": 1.2, "small": 8, "large": 16, "captures": 2}


class Span(NamedTuple):
    """Where a stanza lies in its stream: data[start:end]."""

    start: int
    end: int


@dataclass(frozen=True)
class Corpus:
    """One stream, complete from its header to its end tag."""

    name: str
    data: bytes
    spans: tuple[Span, ...]
    dropped: int = 0
    """Stanzas left out because XMPP forbids what they hold (RFC 6120 section 11.1)."""
    source: str = field(default="", compare=False)
    """Where the stanzas are from, where there is a choice."""

    @property
    def header(self) -> bytes:
        """The stream header with its XML declaration."""
        return self.data[: self.data.index(b">", self.data.index(b"<stream:stream")) + 1]

    def stanzas(self) -> list[bytes]:
        """Each stanza's bytes."""
        return [self.data[start:end] for start, end in self.spans]

    def first(self, size: int) -> Corpus:
        """The same stream, ended after the first stanza that brings it to `size` bytes."""
        for count, span in enumerate(self.spans, 1):
            if span.end >= size:
                data = self.data[: span.end] + END
                return Corpus(self.name, data, self.spans[:count], source=self.source)
        return self

    def statistics(self) -> str:
        """One line: bytes, stanzas, and how the sizes are spread."""
        sizes = sorted(end - start for start, end in self.spans)
        return (
            f"{self.name:8} {len(self.data):>9} bytes {len(sizes):>7} stanzas  "
            f"mean {sum(sizes) / len(sizes):.0f}  median {sizes[len(sizes) // 2]}  "
            f"p90 {sizes[len(sizes) * 9 // 10]}  max {sizes[-1]}"
            + (f"  ({self.dropped} left out)" if self.dropped else "")
            + (f"  ({self.source})" if self.source else "")
        )


def read(name: str, data: bytes) -> Corpus:
    """Find the stanzas of a stream with expat, and leave out what no XMPP stream may hold.

    A stanza with a comment or a processing instruction goes, and so does text between stanzas.
    Raises ValueError if nothing is left, ExpatError if the stream is not well-formed.
    """
    spans: list[Span] = []
    depth = start = dropped = 0
    clean = tidy = True
    parser = expat.ParserCreate()

    def close_stanza() -> None:
        """A stanza ends where the next thing in the stream begins."""
        nonlocal start, dropped
        if start and clean:
            spans.append(Span(start, parser.CurrentByteIndex))
        elif start:
            dropped += 1
        start = 0

    def on_start(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth, start, clean
        if depth == 1:
            close_stanza()
            start, clean = parser.CurrentByteIndex, True
        depth += 1

    def on_end(_name: str) -> None:
        nonlocal depth
        depth -= 1
        if depth == 0:
            close_stanza()

    def on_forbidden(*_: object) -> None:
        nonlocal clean, tidy
        if depth == 1:
            close_stanza()
            tidy = False
        clean = False

    def on_text(text: str) -> None:
        nonlocal tidy
        if depth == 1:
            close_stanza()
            tidy = tidy and not text.strip()

    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    parser.CommentHandler = parser.ProcessingInstructionHandler = on_forbidden
    parser.CharacterDataHandler = on_text
    parser.Parse(data, True)
    if not spans:
        raise ValueError(f"{name}: no stanzas in this stream")
    if tidy and not dropped:
        return Corpus(name, data, tuple(spans))
    header = data[: data.index(b">", data.index(b"<", data.index(b"?>"))) + 1]
    return _assemble(name, (data[a:b] for a, b in spans), header, b"\n", dropped)


def _assemble(
    name: str, stanzas: Iterator[bytes], header: bytes, between: bytes, dropped: int = 0
) -> Corpus:
    pieces = [header]
    spans = []
    at = len(header)
    for stanza in stanzas:
        pieces += (between, stanza)
        at += len(between)
        spans.append(Span(at, at + len(stanza)))
        at += len(stanza)
    return Corpus(name, b"".join((*pieces, between, END)), tuple(spans), dropped)


def _draw(name: str, size: int, seed: int) -> Iterator[bytes]:
    source = StanzaSource(seed)
    drawn = payload = 0
    while drawn < size:
        if name != "large":
            stanza = {"chat": source.chat, "small": source.small, "xep": source.extension}[name]()
        elif payload * 2 <= drawn:
            stanza = source.large_payload()
            payload += len(stanza)
        else:
            stanza = source.large_roster()
        data = stanza.encode()
        drawn += len(data)
        yield data


def _examples(path: Path) -> Iterator[bytes]:
    """The examples of the XEPs that are stanzas, each once."""
    seen = set()
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            text = row["text"].strip()
            if (
                (row["kind"], row["shape"]) == ("example", "fragment")
                and row["wf"]
                and not row["restricted"]
                and not row["top_text"]
                and text not in seen
            ):
                seen.add(text)
                yield text.encode()


def data_folder() -> Path:
    """Where the XEPs' examples and recorded sessions lie, if they are here."""
    return Path(os.environ.get("XMPPFAST_DATA") or PROJECT.parent / "shared" / "data")


def generate(name: str, *, seed: int = 1, scale: float = 1.0) -> Corpus:
    """Make a corpus; the same bytes for the same seed, and for `xep` and `captures`, source."""
    size = int(_MEGABYTES[name] * 1_000_000 * scale)
    seed = seed * 4 + NAMES.index(name)
    if name == "captures":
        source, recorded = captures.stanzas(data_folder(), PROJECT / "examples" / "data")
        # Stanzas that lean on declarations of their own stream's header can't stand under ours.
        found = _assemble(name, (s for s in recorded if _stands_alone(s)), HEADER, b"")
        repeated = _assemble(name, _repeated(found.stanzas(), size), HEADER, b"")
        return replace(repeated, source=source)
    path = data_folder() / "xep_examples.jsonl"
    if name == "xep" and path.exists():
        # Several stanzas can be one example: expat finds them.
        found = read(name, _assemble(name, _examples(path), HEADER, b"\n").data)
        whole = replace(found, source="the XEPs' examples")
        return whole.first(int(len(whole.data) * scale))
    between = b"\n" if name == "xep" else b""
    source = "our own examples of extensions" if name == "xep" else ""
    return replace(_assemble(name, _draw(name, size, seed), HEADER, between), source=source)


def _stands_alone(stanza: bytes) -> bool:
    try:
        ET.fromstring(HEADER + stanza + END)
        return len(read("", HEADER + stanza + END).spans) == 1
    except (ValueError, ET.ParseError):
        return False


def _repeated(stanzas: list[bytes], size: int) -> Iterator[bytes]:
    drawn = 0
    for stanza in itertools.cycle(stanzas):
        if drawn >= size:
            return
        drawn += len(stanza)
        yield stanza


def load(folder: Path) -> dict[str, Corpus]:
    """Read the corpora in a folder; one that is absent is left out."""
    return {
        name: read(name, (folder / f"{name}.xml").read_bytes())
        for name in NAMES
        if (folder / f"{name}.xml").exists()
    }


def corpora(
    folder: Path | None = None,
    *,
    seed: int = 1,
    scale: float = 1.0,
    names: Iterable[str] = NAMES,
) -> dict[str, Corpus]:
    """The corpora with these names: those in a folder, or our own.

    Raises FileNotFoundError if the folder has none of them.
    """
    if folder is None:
        return {name: generate(name, seed=seed, scale=scale) for name in NAMES if name in names}
    found = {name: corpus for name, corpus in load(folder).items() if name in names}
    if not found:
        raise FileNotFoundError(f"none of {', '.join(names)} (.xml) in {folder}")
    return {name: corpus.first(int(len(corpus.data) * scale)) for name, corpus in found.items()}


def main() -> int:
    """Write the corpora and print their statistics."""
    parser = argparse.ArgumentParser(description="Make the corpora to measure on.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="of the usual sizes")
    parser.add_argument("--from", dest="folder", type=Path, help="use the corpora found there")
    parser.add_argument("--out", type=Path, default=OUT / "corpus")
    arguments = parser.parse_args()
    found = corpora(arguments.folder, seed=arguments.seed, scale=arguments.scale)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for corpus in found.values():
        (arguments.out / f"{corpus.name}.xml").write_bytes(corpus.data)
        print(corpus.statistics())
    return 0


if __name__ == "__main__":
    sys.exit(main())
