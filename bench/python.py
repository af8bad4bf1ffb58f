"""The parser from Python, in this process: the fallback backend, and sizes of chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import ModuleType

from bench.check import UnequalWorkError, equal_content
from bench.corpus import Corpus
from bench.figures import Figure
from bench.subjects import BASELINE, Chunks, etree, stanza_events
from bench.timing import Timings, interleave

Read = Callable[[Chunks], int]

USUAL_CHUNK = 4096
SEGMENT_CHUNK = 1460  # what a TCP segment carries on Ethernet
_CHECKED_BYTES = 2_000_000
_BYTEWISE_BYTES = 200_000


def cut(data: bytes, size: int) -> Chunks:
    """The data in chunks of that many bytes."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def check(backend: ModuleType, corpora: Mapping[str, Corpus]) -> None:
    """Make sure that the subjects read the same; raises UnequalWorkError."""
    for corpus in corpora.values():
        part = corpus.first(_CHECKED_BYTES)
        equal_content(backend, part, cut(part.data, USUAL_CHUNK))


def expat_backend(
    backend: ModuleType, corpora: Mapping[str, Corpus], rounds: int
) -> Iterator[Figure]:
    """The fallback on the standard library, untouched stanzas only."""
    for corpus in corpora.values():
        subjects = {"untouched": partial(stanza_events.read_untouched, backend)}
        timings = _time(corpus, cut(corpus.data, USUAL_CHUNK), subjects, rounds)
        yield _ratio("expat backend", "untouched", corpus, timings)


def smaller_chunks(
    backend: ModuleType, corpora: Mapping[str, Corpus], rounds: int
) -> Iterator[Figure]:
    """What 1,460-byte chunks cost compared to 4 KiB ones, and bytewise feeding to expat's."""
    untouched = partial(stanza_events.read_untouched, backend)
    for corpus in corpora.values():
        sizes = {str(size): cut(corpus.data, size) for size in (USUAL_CHUNK, SEGMENT_CHUNK)}
        timings = interleave({size: partial(untouched, c) for size, c in sizes.items()}, rounds)
        cost = timings.ratio(str(USUAL_CHUNK), str(SEGMENT_CHUNK))
        yield Figure(
            "1460-byte chunks", "python, untouched", corpus.name,
            cost.median, cost.low, cost.high, "x", "4 KiB chunks",
            _per_stanza(corpus, timings, str(SEGMENT_CHUNK), str(USUAL_CHUNK)), rounds,
        )  # fmt: skip
    for corpus in corpora.values():
        part = corpus.first(_BYTEWISE_BYTES)
        timings = _time(part, cut(part.data, 1), {"untouched": untouched}, max(3, rounds // 3))
        yield _ratio("bytewise", "untouched", part, timings)


def _time(corpus: Corpus, chunks: Chunks, subjects: Mapping[str, Read], rounds: int) -> Timings:
    everything = {BASELINE: etree.pull_parser, **subjects}
    return interleave(
        {name: _counted(name, subject, corpus, chunks) for name, subject in everything.items()},
        rounds,
    )


def _counted(name: str, subject: Read, corpus: Corpus, chunks: Chunks) -> Callable[[], None]:
    """The subject, held to seeing every stanza of the corpus."""

    def run() -> None:
        count = subject(chunks)
        if count != len(corpus.spans):
            raise UnequalWorkError(
                f"{name} saw {count} stanzas of {corpus.name}, not {len(corpus.spans)}"
            )

    return run


def _ratio(section: str, name: str, corpus: Corpus, timings: Timings) -> Figure:
    ratio = timings.ratio(name, BASELINE)
    return Figure(
        section, name, corpus.name, ratio.median, ratio.low, ratio.high, "x", BASELINE,
        _per_stanza(corpus, timings, name, BASELINE), len(timings.seconds[name]),
    )  # fmt: skip


def _per_stanza(corpus: Corpus, timings: Timings, ours: str, theirs: str) -> str:
    us = [timings.median(name) / len(corpus.spans) * 1e6 for name in (ours, theirs)]
    return f"{us[0]:.3f} against {us[1]:.3f} us per stanza"
