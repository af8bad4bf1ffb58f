"""Every subject reads, writes and forwards under pytest-benchmark.

    pytest bench/ [--benchmark-only] [-k chat] ...

For a look at one library while working on it. All subjects share one process here, one after the
other, so that figures to be relied on come from `xmppfast bench`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from bench import content
from bench.corpus import NAMES, Corpus, generate
from bench.subjects import BASELINE, TABLE, Subject, make
from bench.subjects.stanza_events import STAMP
from bench.worker import whole_chunks

_BYTES = 60_000
_LARGE_BYTES = 300_000

Benchmark = Callable[..., Any]


@cache
def corpus(name: str) -> Corpus:
    """A small one."""
    size = _LARGE_BYTES if name == "large" else _BYTES
    return generate(name, scale=0.05).first(size)


@cache
def chunks(name: str) -> list[bytes]:
    """Its bytes as they come."""
    return list(whole_chunks(corpus(name).data, 4096))


@pytest.fixture(params=TABLE)
def subject_name(request: pytest.FixtureRequest) -> str:
    """Each subject's name in turn."""
    name: str = request.param
    return name


@pytest.fixture
def subject(subject_name: str) -> Iterator[Subject]:
    """The subject; one whose library isn't here is skipped, in CI it fails."""
    try:
        made = make(subject_name)
    except (ImportError, ValueError) as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"{subject_name}: {missing}")
    with made.around():
        yield made


@pytest.mark.parametrize("name", NAMES)
def benchmark_reading(benchmark: Benchmark, subject_name: str, subject: Subject, name: str) -> None:
    """A whole stream, which is read as ElementTree reads it."""
    if TABLE[subject_name].group == "path" and name != "chat":
        pytest.skip("a whole way of receiving makes objects of what it knows, not of all this")
    show = content.outline if subject.complete else content.head
    read = [show(subject.content(stanza)) for stanza in subject.stanzas(chunks(name))]
    stock = make(BASELINE)
    assert read == [show(stock.content(stanza)) for stanza in stock.stanzas(chunks(name))]
    assert benchmark(subject.count, chunks(name)) == len(corpus(name).spans)


def benchmark_writing(benchmark: Benchmark, subject: Subject) -> None:
    """A stanza of chat, held in the library's own form."""
    write = subject.write
    if write is None:
        pytest.skip("has no serializer")
    stanza = next(iter(subject.stanzas(chunks("chat"))))
    assert benchmark(write, stanza)


def benchmark_forwarding(benchmark: Benchmark, subject: Subject) -> None:
    """A stream of chat, with another `from`."""
    forward = subject.forward
    if forward is None:
        pytest.skip("has no serializer")

    def work() -> int:
        return sum(1 for stanza in subject.stanzas(chunks("chat")) if forward(stanza, STAMP))

    assert benchmark(work) == len(corpus("chat").spans)
