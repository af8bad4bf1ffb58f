"""tostring against ElementTree's, and escape against the standard library's two.

    python -m bench.serialize BACKEND_MODULE LENGTH...

escapes texts of these lengths and prints JSON: by case, the seconds of each function.
"""

from __future__ import annotations

import html
import importlib
import json
import statistics
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from xml.sax import saxutils

from bench.check import UnequalWorkError, same_trees
from bench.corpus import Corpus
from bench.figures import Figure
from bench.processes import run_module
from bench.python import USUAL_CHUNK, cut
from bench.subjects import etree
from bench.timing import Spread, Work, interleave

LENGTHS = (0, 1, 3, 10, 30, 100, 300, 1000, 10_000, 100_000)
_MESSAGES = 200
# Of each storage width of Python's str: ASCII, Latin-1, UCS-2, UCS-4.
_LETTERS = {"ascii": "e", "latin-1": "é", "ucs2": "я", "ucs4": "🙂"}
_TURN = 0.002  # seconds; long enough for the clock
_COPIES = 20  # texts escaped in one call of what is timed
_ROUNDS = 3  # in one process
_PEERS: dict[str, Callable[[str], str]] = {
    "html.escape": html.escape,
    "saxutils.escape": saxutils.escape,
}


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


def escape(module: str, rounds: int, lengths: Sequence[int] = LENGTHS) -> Iterator[Figure]:
    """Escape texts of every length, storage width and dirtiness, each round in a new process.

    So little work takes a different time in each process, by where things lie in its memory.
    """
    found = [run_module("bench.serialize", module, *lengths) for _ in range(rounds)]
    for case in found[0]:
        for name in _PEERS:
            ratio = Spread.of([seconds[case][name] / seconds[case]["escape"] for seconds in found])
            us = [
                statistics.median(seconds[case][each] for seconds in found) / _COPIES * 1e6
                for each in ("escape", name)
            ]
            yield Figure(
                "serialize", f"escape / {name}", case, ratio.median, ratio.low, ratio.high, "x",
                name, f"{us[0]:.3f} against {us[1]:.3f} us", rounds,
            )  # fmt: skip


def _escape_here(backend: ModuleType, lengths: Sequence[int]) -> dict[str, dict[str, float]]:
    """By case, the seconds that each function takes."""
    calls: dict[str, Callable[[str], str]] = {"escape": backend.escape, **_PEERS}
    found = {}
    for case, text in _texts(lengths):
        if html.unescape(backend.escape(text)) != text:
            raise UnequalWorkError(f"escape changes the text: {case}")
        subjects = {name: _each(call, [text] * _COPIES) for name, call in calls.items()}
        timings = interleave(subjects, _ROUNDS, least_seconds=_TURN)
        found[case] = {name: timings.median(name) for name in subjects}
    return found


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


if __name__ == "__main__":
    lengths_given = [int(length) for length in sys.argv[2:]]
    print(json.dumps(_escape_here(importlib.import_module(sys.argv[1]), lengths_given)))
