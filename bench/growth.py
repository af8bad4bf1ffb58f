"""That costs are linear: long items fed one byte at a time, at growing sizes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from types import ModuleType

from bench.corpus import HEADER
from bench.figures import Figure
from xmppfast.xml.limits import Limits

MOST = 10_000_000
_STEPS = 4  # sizes: 1/8, 1/4, 1/2 and all of the most

# Each gives a stanza of about that many bytes.
SHAPES: dict[str, Callable[[int], bytes]] = {
    "text": lambda size: b"<a>" + b"x" * size + b"</a>",
    "attribute": lambda size: b"<a b='" + b"x" * size + b"'/>",
    "name": lambda size: b"<a><" + b"x" * (size // 2) + b"></" + b"x" * (size // 2) + b"></a>",
    "children": lambda size: b"<a>" + b"<b/>" * (size // 4) + b"</a>",
    "attributes": lambda size: b"<a" + b"".join(b" b%x=''" % n for n in range(size // 9)) + b"/>",
    "references": lambda size: b"<a>" + b"&amp;" * (size // 5) + b"</a>",
    "CDATA": lambda size: b"<a>" + b"<![CDATA[]]]>" * (size // 13) + b"</a>",
    "depth": lambda size: b"<a>" * (size // 7) + b"</a>" * (size // 7),
}


def exponent(costs: dict[int, float]) -> float:
    """The power of the size that the cost grows with: the slope of both logarithms."""
    points = [(math.log(size), math.log(cost)) for size, cost in costs.items()]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return slope / sum((x - mean_x) ** 2 for x, _ in points)


def sizes(most: int) -> list[int]:
    """The sizes to measure at, each twice the one before."""
    return [most >> step for step in reversed(range(_STEPS))]


def measure(backend: ModuleType, most: int = MOST, rounds: int = 1) -> Iterator[Figure]:
    """CPU time of feeding one stanza byte by byte, as an exponent of its size."""
    # Nothing but size is to stop these stanzas.
    bound = 2 * most + 10_000
    limits = Limits(
        stanza_bytes=bound, depth=bound, attributes=bound, children=bound, name_bytes=bound
    )
    for shape, build in SHAPES.items():
        costs = {}
        for size in sizes(most):
            costs[size] = min(_feed(backend, build(size), limits) for _ in range(rounds))
        power = exponent(costs)
        per_byte = costs[most] / most * 1e9
        yield Figure(
            "growth", f"python, bytewise, {shape}", f"{most:,} bytes", power, power, power, "",
            "", f"{per_byte:.0f} ns per byte",
        )  # fmt: skip


def _feed(backend: ModuleType, stanza: bytes, limits: Limits) -> float:
    parser = backend.StreamParser(limits=limits)
    feed = parser.feed
    for _ in feed(HEADER):
        pass
    count = 0
    start = time.thread_time()
    for at in range(len(stanza)):
        for _ in feed(stanza[at : at + 1]):
            count += 1
    spent = time.thread_time() - start
    if count != 1:
        raise RuntimeError(f"a stanza of {len(stanza)} bytes gave {count} events")
    return spent
