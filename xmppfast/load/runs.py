"""Kinds of load: logins, messages in a closed and in an open loop, idle sessions."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from time import perf_counter, perf_counter_ns

from ..core.jid import JID
from .crowd import Crowd, Progress
from .histogram import Histogram
from .observed import Observed
from .pairs import Pair, in_pairs, new_pair
from .report import Report
from .window import Window, undisturbed

Accounts = Sequence[tuple[JID, str]]
"""Addresses and passwords."""

CURVE = tuple(100 * (1 - 10 ** (-step / 10)) for step in range(41))
"""Percentiles for a plot: 0 to 99.99, ten for each nine."""

# Seconds: for what follows a login to settle, for the last messages to come, for stray ones.
_SETTLE = 0.5
DRAIN = 5.0
STRAY = 0.2
# Bytes queued on our side when an open loop gives up: the server does not take the rate;
# nanoseconds between looks at it, and until something is due that a timer can wait for.
_MOST_QUEUED = 64 * 1024 * 1024
_LOOK = 100_000_000
_TIMERS = 3_000_000


async def logins(
    crowd: Crowd, server: Observed, accounts: Accounts, *, at_once: int, progress: Progress
) -> Report:
    """Log in all accounts, and out again.

    The rate counts until the last login; CPU time includes what follows it for half a second.
    """
    report = Report("logins", {"sessions": len(accounts), "at once": at_once})
    server.look()
    begin = server.use()
    await crowd.log_in(accounts, at_once=at_once, progress=progress)
    took = perf_counter() - begin.at
    count = len(crowd.peers)
    await asyncio.sleep(_SETTLE)
    end = server.use()
    report.figures["logins"] = count
    report.figures["logins_per_second"] = count / took
    report.latency("login_us", crowd.times)
    report.percentiles = crowd.times.percentiles(CURVE)
    report.cpu(begin, end, "login", count, observed=bool(server))
    await crowd.log_out()
    await asyncio.sleep(_SETTLE)
    if server and count:
        report.figures["server_cpu_us_per_logout"] = 1e6 * (server.use().cpu - end.cpu) / count
    finish(report, crowd)
    return report


async def idle(
    crowd: Crowd,
    server: Observed,
    accounts: Accounts,
    *,
    seconds: float,
    at_once: int,
    progress: Progress,
) -> Report:
    """Hold sessions that do nothing: memory of each, and CPU time of all.

    Memory is compared with that before the first connection, so the server should be a new one.
    """
    report = Report("idle", {"sessions": len(accounts), "seconds": seconds})
    before = server.memory()
    await crowd.log_in(accounts, at_once=at_once, progress=progress)
    count = len(crowd.peers)
    await asyncio.sleep(4 * _SETTLE)
    server.look()
    begin = server.use()
    await asyncio.sleep(seconds)
    end = server.use()
    during = server.memory()
    await crowd.log_out()
    await asyncio.sleep(4 * _SETTLE)
    after = server.memory()
    report.figures["sessions"] = count
    if server and count:
        grown = during.proportional - before.proportional
        report.figures |= {
            "server_bytes_before": before.proportional,
            "server_bytes_per_session": grown / count,
            "server_resident_bytes_per_session": (during.resident - before.resident) / count,
            "server_bytes_after_logout": after.proportional,
            "server_cpu_ms_per_second": 1e3 * (end.cpu - begin.cpu) / (end.at - begin.at),
        }
    finish(report, crowd)
    return report


async def throughput(
    crowd: Crowd,
    server: Observed,
    accounts: Accounts,
    *,
    window: int,
    seconds: float,
    warmup: float,
    body: int,
    together: bool,
    at_once: int,
    progress: Progress,
) -> Report:
    """Messages in a closed loop: each pair keeps so many on the way.

    window    messages of a pair on the way
    body      characters of text in each
    together  whether messages of one turn go out in one write; otherwise each has its own
    """
    pairs = len(accounts) // 2
    parameters = {"pairs": pairs, "window": window, "body": body}
    report = Report("throughput", parameters)
    await all_in(crowd, accounts, at_once, progress)
    made = _pairs(crowd, body, together)
    with undisturbed():
        for pair in made:
            pair.echo = True
        for _ in range(window):
            for pair in made:
                pair.send(perf_counter_ns())
        await asyncio.sleep(warmup)
        await _measure(report, crowd, server, made, seconds, progress)
    for pair in made:
        pair.echo = False
    await _account_for(report, crowd, made)
    return report


async def rate(
    crowd: Crowd,
    server: Observed,
    accounts: Accounts,
    *,
    per_second: float,
    seconds: float,
    warmup: float,
    body: int,
    together: bool,
    at_once: int,
    progress: Progress,
) -> Report:
    """Messages in an open loop: so many per second, whatever comes back.

    Latency counts from when a message was due, so a server (or this process) that falls behind
    can't hide it. `own_delay_us` says how late this process was itself. Pairs take turns. It keeps
    a processor busy, since timers are too coarse.
    """
    pairs = len(accounts) // 2
    parameters = {"pairs": pairs, "messages/s": per_second, "body": body}
    report = Report("rate", parameters)
    await all_in(crowd, accounts, at_once, progress)
    made = _pairs(crowd, body, together)
    loop = _OpenLoop(crowd, made, per_second)
    with undisturbed():
        sending = asyncio.create_task(loop.run())
        try:
            await asyncio.sleep(warmup)
            loop.delays = Histogram()
            await _measure(report, crowd, server, made, seconds, progress)
        finally:
            loop.stop()
            await sending
    report.latency("own_delay_us", loop.delays)
    report.checks["overrun"] = int(loop.overrun)
    await _account_for(report, crowd, made)
    return report


class _OpenLoop:
    """Sends messages when they are due."""

    def __init__(self, crowd: Crowd, pairs: list[Pair], per_second: float) -> None:
        self._crowd = crowd
        self._pairs = pairs
        self._gap = 1e9 / per_second
        self._going = True
        self.delays = Histogram()
        self.overrun = False

    def stop(self) -> None:
        """Have `run` return."""
        self._going = False

    async def run(self) -> None:
        """Until `stop`, or more is queued than makes sense."""
        pairs, gap = self._pairs, self._gap
        number = 0
        begin = look = perf_counter_ns()
        while self._going:
            now = perf_counter_ns()
            while (due := begin + int(number * gap)) <= now:
                self.delays.add_nanoseconds(now - due)
                pairs[number % len(pairs)].send(due)
                number += 1
            if now > look:
                look = now + _LOOK
                if self._crowd.queued > _MOST_QUEUED:
                    self.overrun = True
                    return
            # Timers have a resolution of a millisecond.
            await asyncio.sleep(0.001 if due - now > _TIMERS else 0)


async def all_in(crowd: Crowd, accounts: Accounts, at_once: int, progress: Progress) -> None:
    """Log in all accounts. ConnectionError if one of them can't."""
    await crowd.log_in(accounts, at_once=at_once, progress=progress)
    if crowd.failed:
        raise ConnectionError(f"{crowd.failed} logins failed; {'; '.join(crowd.failures)}")
    await asyncio.sleep(_SETTLE)


def _pairs(crowd: Crowd, body: int, together: bool) -> list[Pair]:
    run = secrets.token_hex(4)
    return in_pairs(
        crowd.peers,
        lambda sender, receiver, number: new_pair(
            sender, receiver, f"{run}-{number:x}", body=body, together=together
        ),
    )


async def _measure(
    report: Report,
    crowd: Crowd,
    server: Observed,
    pairs: list[Pair],
    seconds: float,
    progress: Progress,
) -> None:
    times = Histogram()
    for pair in pairs:
        pair.times = times
    window = Window(server, lambda: sum(pair.received for pair in pairs), progress)
    await window.measure(seconds, report)
    for pair in pairs:
        pair.times = None
    report.latency("latency_us", times)
    report.percentiles = times.percentiles(CURVE)
    if server:
        report.figures["server_bytes"] = server.memory().proportional


async def _account_for(report: Report, crowd: Crowd, pairs: list[Pair]) -> None:
    """Wait for what is on the way, then count what did not come as it should."""
    until = perf_counter() + DRAIN
    while any(pair.missing for pair in pairs) and perf_counter() < until:
        await asyncio.sleep(0.01)
    await asyncio.sleep(STRAY)
    report.figures["foreign"] = sum(pair.foreign for pair in pairs)
    report.checks |= {
        "lost": sum(pair.missing for pair in pairs),
        "duplicated": sum(pair.duplicated for pair in pairs),
        "disordered": sum(pair.disordered for pair in pairs),
        "refused": sum(pair.refused for pair in pairs),
    }
    await crowd.log_out()
    finish(report, crowd)


def finish(report: Report, crowd: Crowd) -> None:
    """Put what went wrong with sessions into the report."""
    report.checks |= {"failed_logins": crowd.failed, "disconnected": crowd.disconnected}
    report.problems += crowd.failures
