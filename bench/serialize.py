"""tostring against ElementTree's, and escape against the standard library's two."""

from __future__ import annotations

import html
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from xml.sax import saxutils

from bench.check import UnequalWorkError, same_trees
from bench.corpus import Corpus
from bench.figures import Figure
from bench.python import USUAL_CHUNK, cut
from bench.subjects import etree
from bench.timing import Work, interleave

LENGTHS = (0, 1, 3, 10, 30, 100, 300, 1000, 10_000, 100_000)
_MESSAGES = 200
# Of each storage width of Python's str: ASCII, Latin-1, UCS-2, UCS-4.
_LETTERS = {"ascii": "e", "latin-1": "é", "ucs2": "я", "ucs4": "🙂"}
_TURN = 0.002  # seconds; long enough for the clock


def tostring(backend: ModuleType, chat: Corpus, rounds: int) -> Iterator[Figure]:
    """Serialize the chat messages at the beginning of a stream, held as ElementTree elements."""
    messages = [
        element
        for element in etree.stanzas(cut(chat.first(500_000).data, USUAL_CHUNK))
        if element.find("{jabber:client}body") is not None
    ][:_MESSAGES]
    for message in messages:
        if not same_trees(ET.fromstring(backend.tostring(message)), message):
            raise UnequalWorkError(f"tostring differs for {ET.tostring(message, 'unicode')}")
    subjects = {
        "tostring": _each(backend.tostring, messages),
        "ET.tostring": _each(ET.tostring, messages),
    }
    timings = interleave(subjects, rounds, least_seconds=_TURN)
    ratio = timings.ratio("tostring", "ET.tostring")
    us = {name: timings.median(name) / len(messages) * 1e6 for name in subjects}
    yield Figure(
        "serialize", "tostring", "chat message", ratio.median, ratio.low, ratio.high, "x",
        "ET.tostring",
        f"{us['tostring']:.2f} against {us['ET.tostring']:.2f} us per message", rounds,
    )  # fmt: skip


def escape(backend: ModuleType, rounds: int, lengths: Sequence[int] = LENGTHS) -> Iterator[Figure]:
    """Escape texts of every length, storage width and dirtiness."""
    peers = {"html.escape": html.escape, "saxutils.escape": saxutils.escape}
    for case, text in _texts(lengths):
        if html.unescape(backend.escape(text)) != text:
            raise UnequalWorkError(f"escape changes the text: {case}")
        calls = {"escape": backend.escape, **peers}
        subjects = {name: _each(call, [text] * 20) for name, call in calls.items()}
        timings = interleave(subjects, rounds, least_seconds=_TURN)
        us = {name: timings.median(name) / 20 * 1e6 for name in subjects}
        for name in peers:
            ratio = timings.ratio("escape", name)
            yield Figure(
                "serialize", f"escape / {name}", case, ratio.median, ratio.low, ratio.high, "x",
                name, f"{us['escape']:.3f} against {us[name]:.3f} us", rounds,
            )  # fmt: skip


def _texts(lengths: Sequence[int]) -> Iterator[tuple[str, str]]:
    for width, letter in _LETTERS.items():
        for length in lengths:
            # Every sixth letter is of that width; a dirty text has every sixtieth to be escaped.
            words = "".join(letter if at % 6 == 5 else "abcde"[at % 6] for at in range(length))
            yield f"{width}, clean, {length}", words
            if length:
                dirty = "".join(
                    "<&>\"'"[at // 60 % 5] if at % 60 == 0 else char
                    for at, char in enumerate(words)
                )
                yield f"{width}, dirty, {length}", dirty


def _each(call: Callable[..., object], arguments: Sequence[object]) -> Work:
    def run() -> None:
        for argument in arguments:
            call(argument)

    return run
