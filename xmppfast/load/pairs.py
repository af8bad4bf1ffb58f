"""Messages from one session to another, each of them accounted for."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter_ns
from typing import TYPE_CHECKING, Protocol

from ..xml import Stanza, escape
from .crowd import Peer
from .histogram import Histogram

_TEXT = "The quick brown fox jumps over the lazy dog, and then it does so again for good measure. "


class End(Protocol):
    """What is needed of a `Peer` here."""

    stanza: Callable[[Stanza], None]
    write: Callable[[bytes], None]

    @property
    def queued(self) -> int:
        """See `Peer`."""

    @property
    def descriptor(self) -> int | None:
        """See `Peer`."""


class PlainPair:
    """Two peers, of whom the first one sends messages to the other.

    sent, received  messages so far
    duplicated      messages that came once more
    disordered      messages that came before one that was sent earlier, or behind a later one
    refused         messages that came back as errors
    foreign         messages that are not of this run
    echo            whether each message that comes has the next one sent
    times           where latencies go while they are of interest

    The message's id says pair, number and time, in hexadecimal digits: what comes is known exactly.
    """

    __slots__ = (
        "_expected",
        "_head",
        "_prefix",
        "_skipped",
        "_tail",
        "_write",
        "disordered",
        "duplicated",
        "echo",
        "foreign",
        "received",
        "refused",
        "sent",
        "times",
    )

    def __init__(
        self,
        sender: End,
        receiver: End,
        name: str,
        head: bytes,
        tail: bytes,
        *,
        together: bool,
    ) -> None:
        """Tell the peers to give what they receive to this pair.

        name        begins the ids; of this pair alone
        head, tail  of each message, up to its id and from there on
        together    whether messages of one turn of the loop go out in one write
        """
        self._prefix = f"{name}-"
        self._head = head + self._prefix.encode()
        self._tail = tail
        self._write = sender.write if together else at_once(sender)
        self._expected = 0
        self._skipped: set[int] = set()
        self.sent = self.received = 0
        self.duplicated = self.disordered = self.refused = self.foreign = 0
        self.echo = False
        self.times: Histogram | None = None
        sender.stanza = self.to_sender
        receiver.stanza = self.to_receiver

    @property
    def missing(self) -> int:
        """Messages that were sent and have not come."""
        return self.sent - self.received

    def send(self, since: int) -> None:
        """Send the next message, whose latency counts from that time of `perf_counter_ns`."""
        number = self.sent
        self.sent = number + 1
        self._write(b"%b%x-%x%b" % (self._head, number, since, self._tail))

    def to_receiver(self, stanza: Stanza) -> None:
        """Take what came for the second peer."""
        id = stanza.id
        if id is None or not id.startswith(self._prefix):
            self.foreign += stanza.name == "message"
            return
        number, since = (int(part, 16) for part in id[len(self._prefix) :].split("-"))
        if number == self._expected:
            self._expected = number + 1
        elif number > self._expected:
            self.disordered += 1
            self._skipped.update(range(self._expected, number))
            self._expected = number + 1
        elif number in self._skipped:
            self.disordered += 1
            self._skipped.remove(number)
        else:
            self.duplicated += 1
            return
        self.received += 1
        now = perf_counter_ns()
        if self.times is not None:
            self.times.add_nanoseconds(now - since)
        if self.echo:
            self.send(now)

    def to_sender(self, stanza: Stanza) -> None:
        """Take what came for the first peer."""
        if stanza.type == "error" and (stanza.id or "").startswith(self._prefix):
            self.refused += 1


def at_once(sender: End) -> Callable[[bytes], None]:
    """A `write` that makes a system call of its own for each stanza, as if alone.

    That is what a server sees of clients that write now and then. With TLS, and where the network
    doesn't take it, it is the common `write`.
    """
    descriptor = sender.descriptor
    if descriptor is None:
        return sender.write

    def write(data: bytes) -> None:
        if sender.queued:
            sender.write(data)
            return
        try:
            sent = os.write(descriptor, data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # the transport finds out by itself that the connection is gone
        if sent < len(data):
            sender.write(data[sent:])

    return write


if TYPE_CHECKING:
    Pair = PlainPair
else:
    try:
        from ._pair import Pair
    except ImportError:  # it could not be compiled here
        Pair = PlainPair


def new_pair(sender: Peer, receiver: Peer, name: str, *, body: int, together: bool) -> Pair:
    """A pair of two peers; the compiled kind if it is there.

    name      begins the ids; of this pair alone
    body      characters of text in each message
    together  whether messages of one turn of the loop go out in one write
    """
    text = (_TEXT * (body // len(_TEXT) + 1))[:body]
    return Pair(
        sender,
        receiver,
        name,
        f"<message to='{escape(str(receiver.jid))}' type='chat' id='".encode(),
        f"'><body>{text}</body></message>".encode(),
        together=together,
    )


def in_pairs(peers: list[Peer], make: Callable[[Peer, Peer, int], Pair]) -> list[Pair]:
    """Make pairs of the first and second peer, the third and fourth, and so on."""
    return [
        make(sender, receiver, number)
        for number, (sender, receiver) in enumerate(zip(peers[::2], peers[1::2], strict=True))
    ]
