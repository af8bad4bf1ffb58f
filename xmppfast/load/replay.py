"""Mixed traffic: the stanzas of a recorded stream, sent again by many pairs of sessions."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter
from typing import Final

from ..core.namespaces import CLIENT
from ..xml import Stanza, escape, parse, tostring
from .crowd import Crowd, Peer, Progress
from .histogram import Histogram
from .observed import Observed
from .pairs import at_once
from .report import Report
from .runs import CURVE, DRAIN, STRAY, Accounts, all_in, finish
from .window import Window, undisturbed

_TEXTUAL: Final = (None, "normal", "chat", "headline")
# Before there is a session, or part of it.
_NEGOTIATING: Final = (
    "{urn:ietf:params:xml:ns:xmpp-bind}bind",
    "{urn:ietf:params:xml:ns:xmpp-session}session",
)


def replayable(stanzas: Iterable[Stanza]) -> list[Stanza]:
    """The stanzas of a client's recorded stream that can be sent again. ValueError if none can.

    That is messages but those to rooms and errors, available presence, and requests that change
    nothing (iq of type get). Subscriptions and settings would change the accounts, results answer
    requests that nobody made.
    """
    found = [stanza for stanza in stanzas if _replayable(stanza)]
    if not found:
        raise ValueError("the recording has no stanza that can be sent again")
    return found


def _replayable(stanza: Stanza) -> bool:
    match stanza.name:
        case "message":
            return stanza.type in _TEXTUAL
        case "presence":
            return stanza.type is None
        case "iq":
            return stanza.type == "get" and stanza.payload not in _NEGOTIATING
    return False


async def replay(
    crowd: Crowd,
    server: Observed,
    accounts: Accounts,
    stanzas: list[Stanza],
    *,
    per_second: float,
    seconds: float,
    at_once: int,
    progress: Progress,
) -> Report:
    """Each pair's first peer sends the stanzas in turn, in an open loop, over and over.

    What was for somebody is for the second peer now; what was for the server, or nobody, is still.
    Messages, presence to the peer, and answers to requests are accounted for; broadcast presence
    is not. Latency counts from when a stanza was due until it, or its answer, came.
    """
    pairs = len(accounts) // 2
    kinds = {name: sum(s.name == name for s in stanzas) for name in ("message", "presence", "iq")}
    parameters = {"pairs": pairs, "stanzas/s": per_second, **kinds}
    report = Report("replay", parameters)
    await all_in(crowd, accounts, at_once, progress)
    run = secrets.token_hex(4)
    players = [
        _Player(sender, receiver, f"{run}{number:x}-", stanzas)
        for number, (sender, receiver) in enumerate(
            zip(crowd.peers[::2], crowd.peers[1::2], strict=True)
        )
    ]
    times = Histogram()
    for player in players:
        player.times = times
    window = Window(server, lambda: sum(player.received for player in players), progress)
    with undisturbed():
        sending = asyncio.create_task(_send(players, per_second))
        try:
            await window.measure(seconds, report, "stanza", "stanzas")
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    report.latency("latency_us", times)
    report.percentiles = times.percentiles(CURVE)
    until = perf_counter() + DRAIN
    while any(player.missing for player in players) and perf_counter() < until:
        await asyncio.sleep(0.01)
    await asyncio.sleep(STRAY)
    report.checks |= {
        "lost": sum(player.missing for player in players),
        "duplicated": sum(player.duplicated for player in players),
        "disordered": sum(player.disordered for player in players),
    }
    await crowd.log_out()
    finish(report, crowd)
    return report


async def _send(players: list[_Player], per_second: float) -> None:
    number, begin = 0, perf_counter()
    while True:
        now = perf_counter()
        while (due := begin + number / per_second) <= now:
            players[number % len(players)].send(due)
            number += 1
        await asyncio.sleep(0.001 if due - now > 0.003 else 0)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A stanza up to its id's value, and behind it; whether something is to come of it."""

    head: bytes
    tail: bytes
    expected: bool


def _prepared(stanzas: Iterable[Stanza], receiver: str) -> Iterator[_Prepared]:
    for stanza in stanzas:
        # Full addresses and accounts are persons; domains are servers.
        to = receiver if "@" in (stanza.to or "") or stanza.name == "message" else stanza.to
        element = parse(stanza.forward(from_=None, to=to, xmlns=CLIENT)).to_etree()
        element.attrib.pop("id", None)
        plain = tostring(element, xmlns=CLIENT)
        name = f"<{stanza.name}".encode()
        assert plain.startswith(name)
        expected = stanza.name != "presence" or to is not None
        yield _Prepared(name + b" id='", b"'" + plain[len(name) :], expected)


class _Player:
    """A pair of peers: what the first one sends, and what has come of it."""

    def __init__(self, sender: Peer, receiver: Peer, prefix: str, stanzas: list[Stanza]) -> None:
        self._write = at_once(sender)
        self._prefix = prefix
        self._turn = cycle(_prepared(stanzas, str(receiver.jid)))
        self._number = 0
        self._on_way: dict[int, float] = {}
        self._last = -1
        self._answer = receiver.write
        self.received = self.duplicated = self.disordered = 0
        self.times: Histogram | None = None
        sender.stanza = self._to_sender
        receiver.stanza = self._to_receiver

    @property
    def missing(self) -> int:
        """Stanzas, and answers, that have not come."""
        return len(self._on_way)

    def send(self, due: float) -> None:
        """Send the next stanza."""
        stanza = next(self._turn)
        number = self._number
        self._number += 1
        id = f"{self._prefix}{number:x}"
        if stanza.expected:
            self._on_way[number] = due
        else:
            id = f"broadcast-{id}"  # whoever is subscribed gets it, and it does not count
        self._write(b"%b%b%b" % (stanza.head, id.encode(), stanza.tail))

    def _to_receiver(self, stanza: Stanza) -> None:
        if stanza.name == "iq":
            if stanza.type == "get":
                # What it says does not matter, but that there is an answer does.
                to, id = escape(stanza.from_ or ""), escape(stanza.id or "")
                self._answer(f"<iq to='{to}' type='result' id='{id}'/>".encode())
            return
        number = self._number_of(stanza)
        if number is not None and self._arrived(number):
            self.disordered += number < self._last
            self._last = max(self._last, number)

    def _to_sender(self, stanza: Stanza) -> None:
        # An error is an answer, too: to what was asked for in the recording.
        if stanza.name == "iq" or stanza.type == "error":
            number = self._number_of(stanza)
            if number is not None:
                self._arrived(number)

    def _number_of(self, stanza: Stanza) -> int | None:
        id = stanza.id
        if id is None or not id.startswith(self._prefix):
            return None
        return int(id[len(self._prefix) :], 16)

    def _arrived(self, number: int) -> bool:
        due = self._on_way.pop(number, None)
        if due is None:
            self.duplicated += 1
            return False
        self.received += 1
        if self.times is not None:
            self.times.add(perf_counter() - due)
        return True
