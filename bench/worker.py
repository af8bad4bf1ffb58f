"""The process of one subject: does what it is asked on its standard input, a JSON line each.

    python -m bench.worker SUBJECT

Requests are {"do": NAME, ...}; each is answered by a JSON line: {"value": ...}, or {"error": TEXT}
where the subject itself failed. The first line says whether the subject could be made:
{"value": {"version": ...}} or {"missing": TEXT}.
"""

from __future__ import annotations

import gc
import importlib.metadata
import json
import logging
import os
import re
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from bench import content, memory
from bench.corpus import END, HEADER, Corpus, Span
from bench.subjects import TABLE, Chunks, Subject, make

STAMP = "juliet@example.com/balcony"
_TURN = 0.02  # seconds; long enough for the clock
_PLACE = re.compile(r" \([^()]*[\\/][^()]*\)$")  # a file, behind an error of importing
_WRITTEN = 200  # stanzas to serialize
_CUTS = 3  # most random cuts of a stanza


class Worker:
    """A subject, and the stream it is to work on."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.chunks: Chunks = ()
        self.corpus = Corpus("", b"", ())
        self.natives: list[Any] = []

    def load(self, path: str, spans: list[list[int]], chunk: int) -> int:
        """Take a stream to work on, and what its stanzas' places are."""
        data = Path(path).read_bytes()
        self.corpus = Corpus(Path(path).stem, data, tuple(Span(*span) for span in spans))
        self.chunks = whole_chunks(data, chunk)
        self.natives = []
        return len(self.chunks)

    def complete(self) -> bool:
        """Whether everything in a stanza can be compared, or its head only."""
        return self.subject.complete

    def outlines(self, *, complete: bool) -> list[str]:
        """A digest of what each stanza says, or of its head."""
        return [content.digest(text) for text in self._texts(complete)]

    def outline(self, number: int, *, complete: bool) -> str:
        """What one stanza says."""
        return next(t for at, t in enumerate(self._texts(complete)) if at == number)

    def _texts(self, complete: bool) -> Any:
        show = content.outline if complete else content.head
        for stanza in self.subject.stanzas(self.chunks):
            yield show(self.subject.content(stanza))

    def read(self) -> float:
        """CPU seconds to read the stream; every stanza has to be seen.

        A short stream is read over and over, and the mean taken.
        """
        gc.collect()
        spent = 0.0
        times = 0
        while spent < _TURN:
            start = time.thread_time()
            count = self.subject.count(self.chunks)
            spent += time.thread_time() - start
            times += 1
            if count != len(self.corpus.spans):
                raise ValueError(f"saw {count} stanzas of {len(self.corpus.spans)}")
        return spent / times

    def forward(self) -> float:
        """CPU seconds to read the stream and make bytes to send on, with another `from`."""
        forward = self.subject.forward
        assert forward is not None
        gc.collect()
        start = time.thread_time()
        for stanza in self.subject.stanzas(self.chunks):
            forward(stanza, STAMP)
        return time.thread_time() - start

    def can(self, what: str) -> bool:
        """Whether the subject does that at all: write or forward."""
        return getattr(self.subject, what) is not None

    def forwarded(self) -> list[str]:
        """Digests of what is sent on."""
        forward = self.subject.forward
        assert forward is not None
        return [
            content.digest(_read_back(forward(stanza, STAMP)))
            for stanza in self.subject.stanzas(self.chunks)
        ]

    def write(self) -> float:
        """CPU seconds per stanza to serialize, of the stream's first ones."""
        write = self.subject.write
        assert write is not None
        natives = self._natives()
        gc.collect()
        turns = max(1, 2000 // len(natives))
        start = time.thread_time()
        for _ in range(turns):
            for native in natives:
                write(native)
        return (time.thread_time() - start) / turns / len(natives)

    def written(self) -> list[str]:
        """Digests of what is written."""
        write = self.subject.write
        assert write is not None
        return [content.digest(_read_back(write(native))) for native in self._natives()]

    def _natives(self) -> list[Any]:
        if not self.natives:
            part = self.corpus.first(self.corpus.spans[:_WRITTEN][-1].end)
            self.natives = list(self.subject.stanzas(whole_chunks(part.data, 4096)))
        return self.natives

    def first(self) -> float:
        """Wall seconds from a new stream to its first stanza."""
        stanza = self.corpus.data[slice(*self.corpus.spans[0])]
        start = time.perf_counter()
        reader = self.subject.open()
        for _ in reader.feed(HEADER):
            pass
        count = sum(1 for _ in reader.feed(stanza))
        spent = time.perf_counter() - start
        if count != 1:
            raise ValueError(f"saw {count} stanzas of 1")
        return spent

    def latency(self, seed: int) -> dict[str, Any]:
        """Stanzas that come alone and in random pieces: from the last byte to the event.

        Returns wall seconds of those feeds that brought the stanza with its last byte, how many
        were held back until more bytes came, and of how many.
        """
        random = Random(seed)
        reader = self.subject.open()
        for _ in reader.feed(HEADER):
            pass
        seconds = []
        held = seen = 0
        for stanza in self.corpus.stanzas():
            *pieces, last = _pieces(stanza, random)
            for piece in pieces:
                seen += sum(1 for _ in reader.feed(piece))
            start = time.perf_counter()
            now = sum(1 for _ in reader.feed(last))
            spent = time.perf_counter() - start
            seen += now
            if now:
                seconds.append(spent)
            held = held + (now == 0)
        seconds.sort()
        return {"seconds": seconds, "held": held, "stanzas": len(self.corpus.spans)}

    def idle(self, count: int) -> dict[str, float]:
        """Bytes per parser that has read a header and some stanzas."""
        return memory.idle(lambda: self.subject.open(), count)

    def peak(self) -> float:
        """Bytes held at most while a large stanza is read, per byte of it."""
        return memory.peak(lambda: self.subject.open())


def whole_chunks(data: bytes, size: int) -> Chunks:
    """The data in chunks of that many bytes; the last one is not shorter, but longer.

    expat may hold back what a short chunk completes, and nothing would follow the last one.
    """
    last = max(0, len(data) // size - 1) * size
    return [*(data[at : at + size] for at in range(0, last, size)), data[last:]]


def _pieces(stanza: bytes, random: Random) -> list[bytes]:
    count = 1 + int(random.random() * _CUTS)
    places = {1 + int(random.random() * (len(stanza) - 1)) for _ in range(count)}
    return [stanza[a:b] for a, b in pairwise([0, *sorted(places), len(stanza)])]


def _read_back(data: bytes | str) -> str:
    text = data.encode() if isinstance(data, str) else data
    return content.outline(ET.fromstring(HEADER + text + END)[0])


def _serve(subject: Subject, answer: Callable[[object], None]) -> None:
    worker = Worker(subject)
    for line in sys.stdin:
        request = json.loads(line)
        method = getattr(worker, request.pop("do"))
        try:
            with subject.around():
                answer({"value": method(**request)})
        except Exception as error:  # whatever a library raises is the answer
            answer({"error": f"{type(error).__name__}: {error}"[:500]})


def main(name: str) -> int:
    """Serve until standard input ends."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    logging.disable(logging.CRITICAL)

    def answer(value: object) -> None:
        print(json.dumps(value), file=out)

    try:
        subject = make(name)
    except Exception as error:  # importing a library may raise anything
        why = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        answer({"missing": _PLACE.sub("", why)})
        return 0
    library = TABLE[name].library
    version = importlib.metadata.version(library) if library else ""
    answer({"value": {"version": version}})
    _serve(subject, answer)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
