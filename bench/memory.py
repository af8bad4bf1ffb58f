"""What an idle parser holds, and what it keeps after a large stanza.

    python bench/memory.py BACKEND_MODULE COUNT

measures in its own process and prints JSON: bytes per parser. Each figure is the larger of what
the process has grown by and what the allocators say is in use.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.corpus import HEADER
from bench.figures import Figure
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
    command = [sys.executable, __file__, module, str(parsers)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"memory: the measuring process failed:\n{done.stderr}")
    found = json.loads(done.stdout)
    for subject, values in found.items():
        most = max(values.values())
        detail = ", ".join(f"{how} {value:,.0f}" for how, value in values.items())
        yield Figure("memory", subject, "per parser", most, most, most, "bytes", "", detail)


def _idle(backend: ModuleType, count: int) -> dict[str, float]:
    """Bytes per parser after a header and some stanzas, beyond the header's own bytes."""

    def make(_: int) -> Any:
        parser = backend.StreamParser()
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
        "idle parser": _idle(backend, count),
        "kept after a large stanza": _kept(backend, few),
    }
    tracemalloc.start()
    traced = {
        "idle parser": _idle(backend, few),
        "kept after a large stanza": _kept(backend, few),
    }
    return {name: resident[name] | traced[name] for name in resident}


if __name__ == "__main__":
    print(json.dumps(_measure_here(sys.argv[1], int(sys.argv[2]))))
