"""What an idle parser holds, and what it keeps after a large stanza.

    python -m bench.memory BACKEND_MODULE COUNT

measures in its own process and prints JSON: bytes per parser. Each figure is the larger of what
the process has grown by and what the allocators say is in use.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.corpus import HEADER
from bench.figures import Figure
from bench.processes import run_module
from bench.python import cut

_CHAT = (
    b"<message to='juliet@example.com/balcony' from='romeo@example.net/orchard' id='a1' "
    b"type='chat'><body>Art thou not Romeo, and a Montague?</body>"
    b"<active xmlns='http://jabber.org/protocol/chatstates'/></message>"
)
_LARGE = (
    b"<iq type='result' id='a2'><query xmlns='jabber:iq:roster'>"
    + b"<item jid='nurse@example.com' name='Nurse'><group>Servants</group></item>" * 5_000
    + b"</query></iq>"
)


def measure(module: str, parsers: int) -> Iterator[Figure]:
    """Both figures, each from a process of its own."""
    if not Path("/proc/self/statm").exists():
        raise NotImplementedError("memory: there is no /proc/self/statm here to read")
    for subject, values in run_module("bench.memory", module, parsers).items():
        most = max(values.values())
        detail = ", ".join(f"{how} {value:,.0f}" for how, value in values.items())
        yield Figure("memory", subject, "per parser", most, most, most, "bytes", "", detail)


def idle(open_parser: Callable[[], Any], count: int) -> dict[str, float]:
    """Bytes per parser after a header and some stanzas, resident and as Python counts them."""
    resident = _idle(open_parser, count)
    tracemalloc.start()
    try:
        return resident | _idle(open_parser, max(1, count // 50))
    finally:
        tracemalloc.stop()


def peak(open_parser: Callable[[], Any]) -> float:
    """Bytes held at most while a large stanza is read and kept, per byte of the stanza.

    The larger of what the process and what Python's allocators had more of at their highest.
    """
    chunks = cut(_LARGE, 4096)
    warm, parser = open_parser(), open_parser()
    _drain(warm, HEADER + _CHAT)
    _drain(parser, HEADER + _CHAT)
    for chunk in chunks:
        _drain(warm, chunk)
    before = _settled()
    # Writing 5 there sets the highest residence back to the present one (proc(5)).
    Path("/proc/self/clear_refs").write_text("5")
    kept = [stanza for chunk in chunks for stanza in parser.feed(chunk)]
    most = _highest_residence() - before
    if len(kept) != 1:
        raise ValueError(f"saw {len(kept)} stanzas of 1")
    del kept
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        again = [stanza for chunk in chunks for stanza in parser.feed(chunk)]
        most = max(most, tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    if len(again) != 1:
        raise ValueError(f"saw {len(again)} stanzas of 1")
    return most / len(_LARGE)


def _highest_residence() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _idle(open_parser: Callable[[], Any], count: int) -> dict[str, float]:
    """Bytes per parser after a header and some stanzas, beyond the header's own bytes."""

    def make(_: int) -> Any:
        parser = open_parser()
        _drain(parser, HEADER + 3 * _CHAT)
        return parser

    parsers = [make(0)]  # what the first one brings along is not the parsers'
    grown = _growth(lambda: parsers.extend(map(make, range(count))))
    return {how: value / count - len(HEADER) - 8 for how, value in grown.items()}  # 8: in the list


def _kept(backend: ModuleType, count: int) -> dict[str, float]:
    """Bytes per parser that a stanza of 350 KiB leaves behind, once it is dropped."""
    parsers = [backend.StreamParser() for _ in range(count + 1)]
    for parser in parsers:
        _drain(parser, HEADER + 3 * _CHAT)
    _read_large(parsers[:1])
    grown = _growth(lambda: _read_large(parsers[1:]))
    return {how: value / count for how, value in grown.items()}


def _read_large(parsers: list[Any]) -> None:
    chunks = cut(_LARGE + _CHAT, 4096)
    for parser in parsers:
        for chunk in chunks:
            _drain(parser, chunk)


def _drain(parser: Any, data: bytes) -> None:
    for _ in parser.feed(data):
        pass


def _growth(step: Callable[[], object]) -> dict[str, float]:
    """What the process and Python's allocators hold more of after a step."""
    tracing = tracemalloc.is_tracing()
    before = _settled()
    step()
    after = _settled()
    return {"traced" if tracing else "resident": after - before}


def _settled() -> float:
    gc.collect()
    if tracemalloc.is_tracing():
        return tracemalloc.get_traced_memory()[0]
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)  # free memory that the C library holds on to is nobody's
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _measure_here(module: str, count: int) -> dict[str, dict[str, float]]:
    backend = importlib.import_module(module)
    few = max(1, count // 50)  # for what costs more time
    resident = {
        "idle parser": _idle(backend.StreamParser, count),
        "kept after a large stanza": _kept(backend, few),
    }
    tracemalloc.start()
    traced = {
        "idle parser": _idle(backend.StreamParser, few),
        "kept after a large stanza": _kept(backend, few),
    }
    return {name: resident[name] | traced[name] for name in resident}


if __name__ == "__main__":
    print(json.dumps(_measure_here(sys.argv[1], int(sys.argv[2]))))
