"""What has to hold whatever happens, and the books that show whether it does.

Entries come from three places: what is written to connections, what the server's router accepts,
and what clients are given. Messages have numbers: `m17` is the id of the seventeenth that was sent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from operations import DOMAIN
from simulated_network import End, Wire

_HEAD = re.compile(rb"<(message|iq)\b[^>]*>")
_ATTRIBUTE = re.compile(rb"\b(id|type)=['\"]([^'\"]*)['\"]")

# Ids that negotiation has.
_NEGOTIATION = {"bind", "session"}

# What a worker asks in the name of a client whose account has another owner now: the client did
# that before, and gets no second answer.
_REPLAYED = "replay-"


class Reader(NamedTuple):
    """A user's client; another one, when it logs in again."""

    user: str
    number: int


class Copy(NamedTuple):
    """A message on a connection; complete once that many bytes of it are heard."""

    wire: Wire
    end: int
    delayed: bool

    @property
    def arrived(self) -> bool:
        """Whether the client has heard all of it."""
        return self.wire.client.incoming.delivered >= self.end


@dataclass(slots=True)
class Message:
    """What became of a message."""

    number: int
    sender: str
    to: str
    type: str
    uploads: list[tuple[Wire, int]] = field(default_factory=list)
    accepted: bool = False
    copies: list[Copy] = field(default_factory=list)
    refusals: int = 0
    received: list[str] = field(default_factory=list)

    @property
    def account(self) -> str:
        """Localpart of whom it is for."""
        return self.to.partition("@")[0]

    def __str__(self) -> str:
        return f"m{self.number} ({self.type}, {self.sender} to {self.to})"


@dataclass(slots=True)
class Asked:
    """A request that the server accepted on a connection; `target` is where it was forwarded to."""

    wire: str
    target: str | None
    answers: int = 0


class Ledger:
    """The books. `complain` is called with what is wrong."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self.messages: dict[int, Message] = {}
        self._requests: dict[tuple[str, str], Asked] = {}
        self._last: dict[tuple[Reader, str, str, str], int] = {}

    # Entries -------------------------------------------------------------------------------------

    def sends(self, sender: str, to: str, type: str) -> Message:
        """A client is going to send a message."""
        message = Message(len(self.messages) + 1, sender, to, type)
        self.messages[message.number] = message
        return message

    def written(self, wire: Wire, end: End, data: bytes) -> None:
        """One side writes whole stanzas to a connection."""
        for head in _HEAD.finditer(data):
            kind = head[1].decode()
            attributes = {
                key.decode(): value.decode() for key, value in _ATTRIBUTE.findall(head[0])
            }
            id, type = attributes.get("id", ""), attributes.get("type")
            if kind == "iq":
                if end is wire.server and type in ("result", "error"):
                    self._answered(wire, id)
                continue
            last = data.index(b"</message>", head.start()) + len(b"</message>")
            message = self.messages[int(id[1:])]
            offset = end.other.incoming.sent + last
            if end is wire.client:
                message.uploads.append((wire, offset))
            elif type == "error":
                self._refused(wire, message)
            else:
                delayed = b"urn:xmpp:delay" in data[head.start() : last]
                self._copied(message, Copy(wire, offset, delayed))

    def _answered(self, wire: Wire, id: str) -> None:
        if id in _NEGOTIATION:
            return
        # A contact's answer may find the resource on another connection than it was asked on.
        asked = self._requests.get((wire.line.name, id))
        if asked is None:
            self._complain(f"{wire.name} is answered what it did not ask")
            return
        asked.answers += 1
        if asked.answers > 1:
            self._complain(f"{wire.name} is answered twice")

    def _refused(self, wire: Wire, message: Message) -> None:
        message.refusals += 1
        if message.refusals > 1 or message.copies:
            self._complain(f"{message} is refused, and was refused or delivered before")
        if wire.line.name != message.sender:
            self._complain(f"{wire.name} is told that {message} is refused")

    def _copied(self, message: Message, copy: Copy) -> None:
        if not message.accepted:
            self._complain(f"{message} is delivered, but was not accepted")
        if message.refusals:
            self._complain(f"{message} is delivered, but was refused")
        if copy.wire.line.name.partition("/")[0] != message.account:
            self._complain(f"{message} is delivered to {copy.wire.name}")
        if any(known.wire is copy.wire for known in message.copies):
            self._complain(f"{message} is delivered twice on {copy.wire.name}")
        message.copies.append(copy)
        if len(message.copies) > 1 and any(known.delayed for known in message.copies):
            self._complain(f"{message} was stored, and is delivered more than once")

    def accepted(self, wire: str, stanza: Any, target: str | None) -> None:
        """The server takes what came on a wire; `target` is that of the resource it is for."""
        if stanza.name == "message":
            message = self.messages[int(stanza.id[1:])]
            if message.accepted:
                self._complain(f"{message} is accepted twice")
            message.accepted = True
        elif stanza.name == "iq" and stanza.type in ("get", "set"):
            if stanza.id.startswith(_REPLAYED):
                return
            line = wire.partition("#")[0]
            if (line, stanza.id) in self._requests:
                self._complain(f"{wire} asks twice with one id")
            self._requests[line, stanza.id] = Asked(wire, target)

    def received(self, reader: Reader, number: int, sender: str, type: str, kept: bool) -> None:
        """A client is given a message; `kept` if it was stored on its way."""
        message, user = self.messages[number], reader.user
        if type == "error":
            if user != message.sender:
                self._complain(f"{user} learns that {message} is refused")
            return
        if sender != message.sender.replace("/", f"@{DOMAIN}/"):
            self._complain(f"{user} receives {message} from {sender}")
        if user in message.received:
            self._complain(f"{user} receives {message} twice")
        message.received.append(user)
        # What is for a resource that is not there is kept. Once it is there, it has the newer ones
        # at once, and what was kept when it is available (RFC 6121 section 8.5.3.1). A headline is
        # never kept, and does not wait either.
        orders = [f"kept: {kept}"]
        if "/" not in message.to and type != "headline":
            orders.append("all")
        for order in orders:
            key = (reader, sender, message.to, order)
            if self._last.get(key, 0) > number:
                self._complain(f"{user} receives {message} after m{self._last[key]}")
            self._last[key] = number

    # Balances ------------------------------------------------------------------------------------

    def balance_requests(self, connected: Collection[str]) -> None:
        """Every get and set is answered once, or a connection that is needed for it has ended."""
        for asked in self._requests.values():
            alive = {asked.wire, asked.target} - {None} <= set(connected)
            if alive and not asked.answers:
                self._complain(f"a request of {asked.wire} has no answer")

    def balance_messages(self) -> None:
        """Everything that was heard is accepted, everything that arrived is received."""
        for message in self.messages.values():
            if not message.accepted and any(
                not wire.gone and wire.server.incoming.delivered >= end
                for wire, end in message.uploads
            ):
                self._complain(f"{message} reached the server, which did nothing with it")
            wanted = Counter(copy.wire.line.name for copy in message.copies if copy.arrived)
            if wanted != Counter(message.received):
                self._complain(
                    f"{message} arrived at {wanted}, but was given to {message.received}"
                )
            if any(not copy.arrived and not copy.wire.gone for copy in message.copies):
                self._complain(f"{message} does not arrive")

    def balance_accounts(self) -> None:
        """Now that everybody is there: no message that was accepted is lost."""
        for message in self.messages.values():
            if message.accepted and not message.copies and not message.refusals:
                # Nobody takes a headline; and one whose sender is gone can't be refused.
                refusable = message.type == "normal" and "/" in message.to
                if message.type != "headline" and not refusable:
                    self._complain(f"{message} is lost")
