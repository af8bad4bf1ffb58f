"""What the project asks of its server, beside the relay, the other servers, and itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.figures import Result
from bench.servers import floor
from bench.servers.cases import MECHANISMS
from bench.servers.subjects import ASYNCIO

OURS = "xmppfast"
_CASES = ("1x1", "10x10", "200x1", "200x10")
# CPU time per message, at most: times the relay's, and as part of others'.
_FLOOR = (1.6, 2.5, 2.2, 3.0)
_OTHERS = {"ejabberd, lean": (2.5, 4.0, 4.0, 5.0), "Prosody, lean": (5.0, 7.0, 8.0, 10.0)}
_LOGIN = 1 / 3
_TLS = 2.0
_ASYNCIO = 1 / 0.6
_COPY = 1.5
_IDLE = 5.0
_IDLE_TLS = 0.5
_FLAT = 8.0


@dataclass(frozen=True)
class Bar:
    """A value and what it may be at most."""

    name: str
    value: float
    most: float

    @property
    def met(self) -> bool:
        """Whether it is."""
        return self.value <= self.most


def bars(result: Result) -> Iterator[Bar]:
    """All bars whose figures were measured."""

    def value(section: str, subject: str, case: str) -> float | None:
        figure = result.find(section, subject, case)
        return None if figure is None else figure.value

    def ratio(name: str, over: float | None, under: float | None, most: float) -> Iterator[Bar]:
        if over is not None and under:
            yield Bar(name, over / under, most)

    for case, most in zip(_CASES, _FLOOR, strict=True):
        # Taken round by round.
        times = value("times", OURS, case)
        yield from ratio(f"CPU per message, {case}: times the {floor.NAME}'s", times, 1.0, most)
    for other, parts in _OTHERS.items():
        for case, part in zip(_CASES, parts, strict=True):
            name = f"CPU per message, {case}: times that of {other}"
            theirs = value("messages", other, case)
            yield from ratio(name, value("messages", OURS, case), theirs, 1 / part)
        if other.startswith("ejabberd"):
            for mechanism in MECHANISMS:
                mine, theirs = (value("logins", who, mechanism) for who in (OURS, other))
                name = f"CPU per login, {mechanism}: times that of {other}"
                yield from ratio(name, mine, theirs, _LOGIN)
        mine, theirs = value("latency", OURS, "2,000/s"), value("latency", other, "2,000/s")
        yield from ratio(f"p99 at 2,000/s: times that of {other}", mine, theirs, 1.0)
    plain, secure = (value("security", OURS, f"{kind}, gathered") for kind in ("plain", "TLS 1.3"))
    yield from ratio("CPU per message over TLS 1.3: times that without", secure, plain, _TLS)
    for case in _CASES:
        slower, faster = value("messages", ASYNCIO, case), value("messages", OURS, case)
        name = f"CPU per message on plain asyncio, {case}: times that on uvloop"
        yield from ratio(name, slower, faster, _ASYNCIO)
    for figure in result.figures:
        if figure.section == "copies" and figure.subject == OURS:
            # A copy is written alone, as a message is at 200x1; at 10x10 several share a write.
            message = value("messages", OURS, "200x1")
            name = f"CPU per copy, {figure.case}: times that of a message at 200x1"
            yield from ratio(name, figure.value, message, _COPY)
    idle = value("memory", OURS, "idle session")
    if idle is not None:
        yield Bar("memory per idle session, KiB", idle, _IDLE)
    theirs = [value("memory", other, "with TLS") for other in _OTHERS]
    least = min((it for it in theirs if it is not None), default=None)
    name = "memory per idle session with TLS: times that of the better of the others"
    yield from ratio(name, value("memory", OURS, "with TLS"), least, _IDLE_TLS)
    grown = value("growth", OURS, "20,000/s")
    if grown is not None:
        yield Bar("growth of memory while 20,000/s are sustained, MiB", grown, _FLAT)
