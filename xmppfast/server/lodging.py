"""Both ends of a session whose connection is at another worker than its account's owner.

At the connection it is `Away`, at the owner a `Guest`; see `guests`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final, NamedTuple

from ..cluster.frames import Kind
from ..core.dispatch import Account, Outcome, Resource
from ..core.jid import JID
from ..core.namespaces import CLIENT, ROSTER
from ..core.stanza import KINDS, element, finished, stanza
from ..protocol.link import Link
from ..protocol.stream import ReceivingStream
from ..xml import Stanza, StreamCondition
from .session import Session
from .ways import Sent

if TYPE_CHECKING:
    from .guests import Guests

# Bytes of one client's stanzas on the way to its account before nothing more is read from it.
_MOST_UP: Final = 256 * 1024
# Bytes on the way to one client before it counts as one that doesn't read.
_MOST_DOWN: Final = 4 * 1024 * 1024

# Requests whose answers a resource's state depends on: they are made anew for a new owner.
_ASKED: Final = {f"{{{ROSTER}}}query", "{urn:xmpp:blocking}blocklist"}


class Unheard(NamedTuple):
    """What was sent to a guest.

    others  were sent it as well, if it was for all
    kept    whether it is stored until it is known to have arrived
    """

    data: bytes
    others: tuple[Resource, ...]
    kept: bool = False


class Guest(Session):
    """A resource of an account here whose connection is at another worker.

    worker  that has the connection
    token   that names the session between the two
    closed  whether its stream was closed from here: what it has sent since is not for anybody
    gone    whether its client has gone
    sent    how much was sent to it
    unheard what of that may not have arrived, by its number
    awaited the last of it that others have to wait for; 0 if they need not
    kept    how much of it is stored until it is known to have arrived
    arrival of that, if it is waited for: how much of it was lost
    lost    what did not, when its session is over
    """

    __slots__ = (
        "_guests", "_queued", "arrival", "awaited", "closed", "gone", "kept", "lost", "sent",
        "token", "unheard", "worker",
    )  # fmt: skip

    def __init__(
        self, guests: Guests, worker: str, token: bytes, jid: JID, account: Account, lang: str
    ) -> None:
        Resource.__init__(self, jid, account)
        self.address = str(jid)
        self.finished = None
        self.lang = lang or None
        self.worker = worker
        self.token = token
        self.closed = False
        self.send = self._send
        self.gone = False
        self.sent = 0
        self.unheard: dict[int, Unheard] = {}
        self.awaited = 0
        self.kept = 0
        self.arrival: asyncio.Future[int] | None = None
        self.lost: list[bytes] = []
        self._guests = guests
        self._queued = 0

    def _send(self, data: bytes) -> None:
        self._queued += len(data)
        self.sent += 1
        number = self.sent
        self.unheard[number] = Unheard(data, self._others())

        def done() -> None:
            self._queued -= len(data)
            heard = self.unheard.pop(number, None)
            if heard is not None and heard.kept:
                self.kept -= 1
                if not self.kept:
                    self._arrived(0)
            # The first that is left is the oldest.
            if self.awaited and next(iter(self.unheard), self.awaited + 1) > self.awaited:
                self.free()

        self._guests.down(self, data, done)
        if self._queued > _MOST_DOWN:
            self.end(StreamCondition.POLICY_VIOLATION, "you don't read what is sent to you")

    def _others(self) -> tuple[Resource, ...]:
        """Those who have a message, too, if it is for all of the account."""
        resources = self.account.resources
        if len(resources) < 2:
            return ()
        return tuple(
            it
            for it in resources.values()
            if it is not self and it.priority is not None and it.priority >= 0
        )

    def hold_back(self) -> None:
        """Have what comes for the account wait until the client has the messages sent to it."""
        messages = [it for it, sent in self.unheard.items() if sent.data.startswith(b"<message")]
        if messages:
            if not self.awaited:
                self._guests.neighbours.hold_back(str(self.jid.bare))
            self.awaited = messages[-1]

    def arriving(self, count: int) -> Awaitable[int] | None:
        """`Resource.arriving`."""
        last = [it for it in range(self.sent - count + 1, self.sent + 1) if it in self.unheard]
        if not last or self._guests.neighbours.ownership.down:
            return None
        for number in last:
            self.unheard[number] = self.unheard[number]._replace(kept=True)
        self.kept = len(last)
        self.arrival = asyncio.get_running_loop().create_future()
        return self._wait(self.arrival, count)

    async def _wait(self, arrival: asyncio.Future[int], count: int) -> int:
        return count - await arrival

    def _arrived(self, lost: int) -> None:
        if self.arrival is not None:
            arrival, self.arrival = self.arrival, None
            arrival.set_result(lost)

    def over(self, heard: int) -> list[Unheard]:
        """The client is gone, and had so much; gives what it did not have."""
        self.gone = True
        unheard = [it for number, it in self.unheard.items() if number > heard]
        self.lost = [it.data for it in unheard]
        self._arrived(sum(it.kept for it in unheard))
        return unheard

    def go_on(self) -> None:
        """Nobody waits any more for what it has not had: if that is lost, it is given back."""
        for number, it in self.unheard.items():
            self.unheard[number] = it._replace(kept=False)
        self.kept = 0
        self._arrived(0)
        self.free()

    def free(self) -> None:
        """What comes for the account need not wait any more."""
        if self.awaited:
            self.awaited = 0
            self._guests.neighbours.go_on(str(self.jid.bare))

    def had(self, data: bytes) -> bool:
        """Whether those bytes arrived, or still may."""
        return not any(data is lost for lost in self.lost)

    def end(self, condition: StreamCondition, text: str = "") -> None:
        """Have the stream closed with an error."""
        self.closed = True
        self._guests.end(self, condition, text)


class Away(Session):
    """A session on a connection here whose account another worker has.

    heard   how much came from its owner
    owner   that worker; empty while there is none
    home    the resource, if the account has come here meanwhile
    moving  there while the account's next owner is found
    """

    __slots__ = (
        "_asked", "_early", "_guests", "_presence", "_replayed", "_room", "_up", "heard", "home",
        "left", "moving", "owner", "returned", "token",
    )  # fmt: skip

    def __init__(
        self, guests: Guests, token: bytes, jid: JID, link: Link, stream: ReceivingStream
    ) -> None:
        super().__init__(jid, Account(jid.bare), link, stream)
        self.token = token
        self.owner = ""
        self.heard = 0
        self.home: Guest | None = None
        self.moving: asyncio.Future[None] | None = None
        self.left = False
        self.returned: list[Stanza] = []
        self._guests = guests
        self._early: list[bytes] | None = []
        self._replayed: set[bytes] = set()
        self._asked: set[str] = set()
        self._presence: Stanza | None = None
        self._up = 0
        self._room: asyncio.Future[None] | None = None

    # From the account's owner --------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """What is for the client; it is kept until the client knows its resource."""
        if self._replayed:
            answered = next((id for id in self._replayed if id in data[:512]), None)
            if answered is not None:
                self._replayed.discard(answered)
                return
        if self._early is not None:
            self._early.append(data)
        else:
            self.link.write(data)

    def begin(self) -> None:
        """The client knows its resource."""
        early, self._early = self._early or (), None
        for data in early:
            self.link.write(data)

    def leave(self) -> None:
        """The client is gone."""
        self._guests.leave(self)

    # From the client -----------------------------------------------------------------------------

    def accept(self, received: Stanza) -> Outcome:
        """Take a stanza of the client."""
        if received.xmlns != CLIENT or received.name not in KINDS:
            return self._guests.router.accept(self, received)
        if self.moving is not None:
            return self._accept_later(self.moving, received)
        self._remember(received)
        if self.home is not None:
            return self._guests.router.accept(self.home, received)
        return self._send(received)

    async def _accept_later(self, moving: Awaitable[None], received: Stanza) -> None:
        await moving
        outcome = None if self.left else self.accept(received)
        if outcome is not None:
            await outcome

    def _send(self, received: Stanza) -> Outcome:
        data = received.forward(xmlns=CLIENT)
        size = len(data)

        def done() -> None:
            self._up -= size
            if self._room is not None and self._up < _MOST_UP:
                room, self._room = self._room, None
                room.set_result(None)

        def lost() -> None:
            self.returned.append(received)
            done()

        self._up += size
        self._guests.peers.send(self.owner, Kind.UP, self.token, data, kept=Sent(done, lost))
        if self._up < _MOST_UP:
            return None
        if self._room is None:
            self._room = asyncio.get_running_loop().create_future()
        return self._room

    def _remember(self, received: Stanza) -> None:
        """What the resource has become by its stanzas, for an owner that knows nothing of it."""
        if received.name == "presence" and received.to is None:
            if received.type in (None, "unavailable"):
                self._presence = received if received.type is None else None
        elif received.name == "iq" and received.type == "get" and len(received):
            tag = received[0].tag
            if tag in _ASKED:
                self._asked.add(tag)

    def replay(self) -> list[Stanza]:
        """What makes a new resource the one that this was; answers are not for the client."""
        stanzas: list[Stanza] = []
        for tag in sorted(self._asked):
            id = f"replay-{secrets.token_hex(8)}"
            self._replayed.add(id.encode())
            stanzas.append(finished(stanza("iq", element(tag), type="get", id=id)))
        if self._presence is not None:
            stanzas.append(self._presence)
        returned, self.returned = self.returned, []
        return stanzas + returned

    def repeat(self, received: Stanza) -> Outcome:
        """Take a stanza of `replay`."""
        if self.home is not None:
            return self._guests.router.accept(self.home, received)
        return self._send(received)


def accept_away(session: Session, received: Stanza) -> Outcome:
    """`Router.accept` for the sessions of accounts that another worker has."""
    assert isinstance(session, Away)
    return session.accept(received)
