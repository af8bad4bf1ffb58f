"""Presence of one account, broadcast to many contacts (RFC 6121 section 4.4.2)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import partial
from time import perf_counter

from ..core.jid import JID
from ..xml import Stanza, escape
from .crowd import Crowd, Peer, Progress
from .histogram import Histogram
from .observed import Observed
from .report import Report
from .runs import CURVE, DRAIN, STRAY, Accounts, all_in, finish
from .window import Window, undisturbed

# Seconds that subscriptions may take, in all.
_SUBSCRIBING = 120.0


async def presence(
    crowd: Crowd,
    server: Observed,
    accounts: Accounts,
    *,
    seconds: float,
    at_once: int,
    progress: Progress,
) -> Report:
    """The first account changes its presence when all others have got the last one.

    Those that are not subscribed to it subscribe first, and stay so. What is counted is copies.
    Raises TimeoutError if subscriptions are not done in two minutes.
    """
    report = Report("presence", {"contacts": len(accounts) - 1})
    if len(accounts) < 2:
        raise ValueError("presence needs two accounts at least")
    await all_in(crowd, accounts, at_once, progress)
    author, *others = crowd.peers
    await _subscribe(author, others, progress)
    broadcast = _Broadcast(author, others)
    with undisturbed():
        broadcast.next()
        await broadcast.measure(report, server, seconds, progress)
    broadcast.going = False
    until = perf_counter() + DRAIN
    while broadcast.missing and perf_counter() < until:
        await asyncio.sleep(0.01)
    await asyncio.sleep(STRAY)
    report.checks |= {
        "lost": broadcast.missing,
        "duplicated": broadcast.duplicated,
        "disordered": broadcast.disordered,
    }
    await crowd.log_out()
    finish(report, crowd)
    return report


async def _subscribe(author: Peer, others: list[Peer], progress: Progress) -> None:
    """Have all others subscribed; over when each has seen the author's presence."""
    waiting = dict.fromkeys(others)
    total = len(others)
    done = asyncio.get_running_loop().create_future()

    def approve(stanza: Stanza) -> None:
        if stanza.name == "presence" and stanza.type == "subscribe" and stanza.from_ is not None:
            to = escape(str(JID.parse(stanza.from_).bare))
            author.write(f"<presence to='{to}' type='subscribed'/>".encode())

    def seen(peer: Peer, stanza: Stanza) -> None:
        if stanza.name == "presence" and stanza.type is None and stanza.from_ == str(author.jid):
            waiting.pop(peer, None)
            progress("subscribing", 1 - len(waiting) / total)
            if not waiting and not done.done():
                done.set_result(None)

    author.stanza = approve
    for peer in others:
        peer.stanza = partial(seen, peer)
    # Those that are subscribed already get this.
    author.write(b"<presence/>")
    await asyncio.sleep(0.5)
    to = escape(str(author.jid.bare))
    for number, peer in enumerate(tuple(waiting)):
        peer.write(f"<presence to='{to}' type='subscribe'/>".encode())
        if number % 50 == 49:
            await asyncio.sleep(0.05)
    async with asyncio.timeout(_SUBSCRIBING):
        await done


class _Broadcast:
    """One presence after the other, each to everybody."""

    def __init__(self, author: Peer, others: list[Peer]) -> None:
        self._author = author
        self._contacts = len(others)
        self._prefix = f"{secrets.token_hex(4)}-"
        self._number = 0
        self._sent_at = 0.0
        self._left = 0
        self._times: Histogram | None = None
        self.received = 0
        self.duplicated = self.disordered = 0
        self.going = True
        author.stanza = _unimportant
        for peer in others:
            peer.stanza = self._receiver()

    @property
    def missing(self) -> int:
        """Copies on the way."""
        return self._left

    def next(self) -> None:
        """Send the next presence."""
        self._number += 1
        self._left = self._contacts
        self._sent_at = perf_counter()
        text = f"<presence id='{self._prefix}{self._number}'><status>at {self._number}</status>"
        self._author.write(f"{text}</presence>".encode())

    async def measure(
        self, report: Report, server: Observed, seconds: float, progress: Progress
    ) -> None:
        """Measure for a while."""
        self._times = times = Histogram()
        window = Window(server, lambda: self.received, progress)
        await window.measure(seconds, report, "copy", "copies")
        self._times = None
        report.latency("latency_us", times)
        report.percentiles = times.percentiles(CURVE)

    def _receiver(self) -> Callable[[Stanza], None]:
        last = 0

        def receive(stanza: Stanza) -> None:
            nonlocal last
            id = stanza.id
            if id is None or not id.startswith(self._prefix):
                return
            number = int(id[len(self._prefix) :])
            if number != last + 1:
                if number <= last:
                    self.duplicated += 1
                    return
                self.disordered += 1
            last = number
            self.received += 1
            self._left -= 1
            if self._times is not None:
                self._times.add(perf_counter() - self._sent_at)
            if not self._left and self.going:
                self.next()

        return receive


def _unimportant(stanza: Stanza) -> None:
    """The author's own presence, which comes back to it."""
