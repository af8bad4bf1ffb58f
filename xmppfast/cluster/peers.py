"""The other workers, as this one speaks with them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from .channel import Receiving, Sending
from .frames import Batch, Frame, Kind, decode, encode
from .interface import Bus

_T = TypeVar("_T")

# Bytes that are on the way to one worker before who sends to it has to wait.
_MOST: Final = 4 * 1024 * 1024

Done = Callable[[], None]
"""To be called when a frame is delivered, stored or answered, so that its sender can forget it."""


class _Peer(Generic[_T]):
    """Both directions, and what is to be said with the next batch."""

    def __init__(self) -> None:
        self.sending: Sending[_T] = Sending(secrets.randbits(63) + 1)
        self.receiving = Receiving()
        # What is done is said one batch later: what came of it is out by then.
        self.done: list[int] = []
        self.done_before: list[int] = []
        self.missing = 0
        self.room: asyncio.Future[None] | None = None


class Peers(Generic[_T]):
    """Gathers what is sent until the bus takes it, and tells what has come.

    handle   takes a frame: from whom, the frame, and what to call when it is done
    finish   takes what was given to `send` with a frame, when that frame is done
    """

    def __init__(
        self,
        bus: Bus,
        handle: Callable[[str, Frame, Done], None],
        finish: Callable[[_T], None],
    ) -> None:
        self._bus = bus
        self._handle = handle
        self._finish = finish
        self._peers: dict[str, _Peer[_T]] = {}
        self._speaking: set[str] = set()
        self._taking = True

    def __contains__(self, worker: str) -> bool:
        return worker in self._peers

    def names(self) -> list[str]:
        """Those that are there."""
        return list(self._peers)

    def add(self, worker: str) -> None:
        """A worker is there."""
        if worker != self._bus.name:
            self._peers.setdefault(worker, _Peer())

    def remove(self, worker: str) -> list[_T]:
        """A worker is gone; gives what was sent to it and is not done, in order."""
        peer = self._peers.pop(worker, None)
        if peer is None:
            return []
        if peer.room is not None:
            peer.room.set_result(None)
        return peer.sending.withdraw(lambda kept: True)

    def withdraw(self, which: Callable[[_T], bool]) -> list[_T]:
        """Take back what was sent and is not done; it may have been done all the same."""
        return [it for peer in self._peers.values() for it in peer.sending.withdraw(which)]

    @property
    def settled(self) -> bool:
        """Whether all that was sent is done."""
        return not any(peer.sending.queued for peer in self._peers.values())

    @property
    def quiet(self) -> bool:
        """Whether all that was taken is done, and those who sent it were told so."""
        return not self._speaking and not any(
            peer.receiving.running or peer.done or peer.done_before
            for peer in self._peers.values()
        )

    def take(self, taking: bool) -> None:
        """Take frames, or leave them with those who sent them."""
        if taking and not self._taking:
            for worker, peer in self._peers.items():
                peer.missing = peer.receiving.next
                self._speak(worker)
        self._taking = taking

    def send(self, worker: str, kind: Kind, *fields: bytes, kept: _T) -> None:
        """Send a frame to a worker that is there."""
        self._peers[worker].sending.put(Frame(kind, fields), kept)
        self._speak(worker)

    def room(self, worker: str) -> asyncio.Future[None] | None:
        """Something to await while too much is on the way to that worker."""
        peer = self._peers.get(worker)
        if peer is None or peer.sending.queued < _MOST:
            return None
        if peer.room is None:
            peer.room = asyncio.get_running_loop().create_future()
        return peer.room

    def restored(self) -> None:
        """The bus was away: say again what is not done, and ask for what was missed."""
        self._speaking.clear()
        for worker, peer in self._peers.items():
            peer.sending.again()
            peer.missing = peer.receiving.next
            self._speak(worker)

    def received(self, worker: str, data: bytes) -> None:
        """Take a batch."""
        self.add(worker)
        peer = self._peers[worker]
        batch = decode(data)
        if batch.answers == peer.sending.epoch:
            for kept in peer.sending.done(batch.done):
                self._finish(kept)
            if peer.room is not None and peer.sending.queued < _MOST:
                room, peer.room = peer.room, None
                room.set_result(None)
        if batch.missing:
            # By the number of another epoch nothing is known of this one.
            peer.sending.again(batch.missing if batch.answers == peer.sending.epoch else 0)
            self._speak(worker)
        if not batch.epoch or not self._taking:
            return
        new, before, missing = peer.receiving.take(batch)
        if before or missing:
            peer.done += before
            peer.missing = missing
            self._speak(worker)
        epoch = batch.epoch
        for number, frame in new:

            def done(number: int = number) -> None:
                if peer.receiving.done(epoch, number):
                    peer.done.append(number)
                    self._speak(worker)

            if frame.kind is Kind.NOTHING:
                done()
            else:
                self._handle(worker, frame, done)

    def _speak(self, worker: str) -> None:
        if worker not in self._speaking:
            self._speaking.add(worker)
            self._bus.publish(worker, lambda: self._gather(worker))

    def _gather(self, worker: str) -> bytes | None:
        self._speaking.discard(worker)
        peer = self._peers.get(worker)
        if peer is None:
            return None
        epoch, base, frames = peer.sending.batch()
        done, peer.done_before, peer.done = peer.done_before, peer.done, []
        missing, peer.missing = peer.missing, 0
        if peer.done_before:
            self._speak(worker)
        if not (frames or done or missing):
            return None
        return encode(Batch(epoch, base, frames, peer.receiving.epoch, done, missing))
