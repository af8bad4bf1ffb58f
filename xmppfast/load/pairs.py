"""Messages from one session to another, each of them accounted for."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from ..xml import Stanza, escape
from .crowd import Peer
from .histogram import Histogram

_TEXT = "The quick brown fox jumps over the lazy dog, and then it does so again for good measure. "


class Pair:
    """Two peers, of whom the first one sends messages to the other.

    sent, received  messages so far
    duplicated      messages that came once more
    disordered      messages that came before one that was sent earlier
    refused         messages that came back as errors
    foreign         messages that are not of this run
    echo            whether each message that comes has the next one sent
    times           where latencies go while they are of interest

    The message's id says pair and number, so what comes is known exactly.
    """

    __slots__ = (
        "_expected",
        "_head",
        "_on_way",
        "_prefix",
        "_receiver",
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
        self, sender: Peer, receiver: Peer, name: str, *, body: int, together: bool = False
    ) -> None:
        """Tell the peers to give what they receive to this pair.

        name      begins the ids; of this pair alone
        body      characters of text in each message
        together  whether messages of one turn of the loop go out in one write
        """
        self._prefix = f"{name}-"
        self._head = f"<message to='{escape(str(receiver.jid))}' type='chat' id='{name}-".encode()
        text = (_TEXT * (body // len(_TEXT) + 1))[:body]
        self._tail = f"'><body>{text}</body></message>".encode()
        self._write = sender.write if together else sender.at_once()
        self._expected = 0
        self._on_way: dict[int, float] = {}
        self.sent = self.received = 0
        self.duplicated = self.disordered = self.refused = self.foreign = 0
        self.echo = False
        self.times: Histogram | None = None
        sender.stanza = self._to_sender
        receiver.stanza = self._to_receiver

    @property
    def missing(self) -> int:
        """Messages that were sent and have not come."""
        return len(self._on_way)

    @property
    def bytes(self) -> int:
        """Bytes of a message, about."""
        return len(self._head) + 4 + len(self._tail)

    def send(self, since: float) -> None:
        """Send the next message, whose latency counts from that time of `perf_counter`."""
        number = self.sent
        self.sent = number + 1
        self._on_way[number] = since
        self._write(b"%b%x%b" % (self._head, number, self._tail))

    def _to_receiver(self, stanza: Stanza) -> None:
        id = stanza.id
        if id is None or not id.startswith(self._prefix):
            self.foreign += stanza.name == "message"
            return
        number = int(id[len(self._prefix) :], 16)
        since = self._on_way.pop(number, None)
        if since is None:
            self.duplicated += 1
            return
        self.received += 1
        if number == self._expected:
            self._expected = number + 1
        else:
            self.disordered += 1
            self._expected = max(self._expected, number + 1)
        now = perf_counter()
        if self.times is not None:
            self.times.add(now - since)
        if self.echo:
            self.send(now)

    def _to_sender(self, stanza: Stanza) -> None:
        if stanza.type == "error" and (stanza.id or "").startswith(self._prefix):
            self.refused += 1


def in_pairs(peers: list[Peer], make: Callable[[Peer, Peer, int], Pair]) -> list[Pair]:
    """Make pairs of the first and second peer, the third and fourth, and so on."""
    return [
        make(sender, receiver, number)
        for number, (sender, receiver) in enumerate(zip(peers[::2], peers[1::2], strict=True))
    ]
