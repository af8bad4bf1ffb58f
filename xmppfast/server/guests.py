"""Clients of an account that are connected to another worker than the one that has the account.

A client's connection, with its stream and its TLS, stays where it was accepted. There, its session
is `Away`: what the client sends goes to the account's owner. There, it is a `Guest`, a resource of
the account like any other, but for that what is sent to it goes back.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final, NamedTuple

from ..cluster.frames import Frame, Kind
from ..cluster.peers import Done
from ..core.dispatch import Account, Outcome, Passage, Resource
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from ..core.namespaces import CLIENT, ROSTER
from ..core.stanza import KINDS, element, finished, stanza
from ..protocol.link import Link
from ..protocol.stream import ReceivingStream
from ..xml import Stanza, StreamCondition, parse
from .session import Session
from .ways import Lanes, Sent

if TYPE_CHECKING:
    from .neighbours import Neighbours
    from .router import Router

log = logging.getLogger("xmppfast.server")

# Bytes of one client's stanzas on the way to its account before nothing more is read from it.
_MOST_UP: Final = 256 * 1024
# Bytes on the way to one client before it counts as one that doesn't read.
_MOST_DOWN: Final = 4 * 1024 * 1024
_TOKEN_BYTES: Final = 9

_DELAY: Final = "{urn:xmpp:delay}delay"

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
        if not last or self._guests.neighbours.down:
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


class Guests:
    """Both ends of such sessions."""

    def __init__(self, neighbours: Neighbours) -> None:
        self.neighbours = neighbours
        self._server = neighbours.server
        self.peers = neighbours.peers
        self._guests: dict[bytes, Guest] = {}
        self._aways: dict[bytes, Away] = {}
        self._opening: dict[bytes, asyncio.Future[bool]] = {}
        # Sessions that are over, until their owners know: what comes for them is not done.
        self._leaving: dict[bytes, list[Done]] = {}
        self._lanes = Lanes(self._server.spawn)

    @property
    def router(self) -> Router:
        """The server's."""
        return self._server.router

    # At the connection ---------------------------------------------------------------------------

    async def open(self, owner: str, jid: JID, link: Link, stream: ReceivingStream) -> Away | None:
        """Have a resource at another worker; None if that doesn't have the account any more.

        Raises StanzaError if it refuses.
        """
        token = secrets.token_bytes(_TOKEN_BYTES)
        away = Away(self, token, jid, link, stream)
        return away if await self._open(owner, away) else None

    async def _open(self, owner: str, away: Away) -> bool:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        away.owner = owner
        away.heard = 0
        opened = False
        self._aways[away.token] = away
        self._opening[away.token] = answer

        def lost() -> None:
            if not answer.done():
                answer.set_result(False)

        fields = (away.address.encode(), (away.lang or "").encode())
        self.peers.send(owner, Kind.OPEN, away.token, *fields, kept=Sent(lambda: None, lost))
        try:
            opened = await answer
        finally:
            del self._opening[away.token]
            if not opened:
                del self._aways[away.token]
        return opened

    def leave(self, away: Away) -> None:
        """The client's session is over."""
        if away.left:
            return
        away.left = True
        self._aways.pop(away.token, None)
        if away.home is not None:
            self._over(away.home)
        elif away.moving is None:
            self._say_over(away)

    def _say_over(self, away: Away) -> None:
        token = away.token

        def known() -> None:
            for done in self._leaving.pop(token, ()):
                done()

        if away.owner in self.peers:
            self._leaving.setdefault(token, [])
            heard = str(away.heard).encode()
            self.peers.send(away.owner, Kind.OVER, token, heard, kept=Sent(known, known))
        else:
            known()

    def move(self, worker: str) -> None:
        """A worker is gone: its accounts need another owner, those of sessions here."""
        for away in tuple(self._aways.values()):
            if away.owner == worker and away.home is None and away.token not in self._opening:
                away.moving = asyncio.get_running_loop().create_future()
                self._server.spawn(self._move(away))

    async def _move(self, away: Away) -> None:
        try:
            while not await self._settle(away):
                pass
            for received in away.replay():
                outcome = away.repeat(received)
                if outcome is not None:
                    await outcome
        except StanzaError as error:
            away.end(StreamCondition.RESET, str(error))
        moving, away.moving = away.moving, None
        if away.left:
            # It ended while it moved.
            self._aways.pop(away.token, None)
            if away.home is not None:
                self._over(away.home)
            else:
                self._say_over(away)
        if moving is not None:
            moving.set_result(None)

    async def _settle(self, away: Away) -> bool:
        bare = str(away.jid.bare)
        owner = await self.neighbours.owner(bare)
        if owner is not None:
            return await self._open(owner, away)
        self.neighbours.hold(bare)
        try:
            home = await self._server.new_guest(
                away.jid,
                lambda account: Guest(self, "", away.token, away.jid, account, away.lang or ""),
            )
        finally:
            self.neighbours.let_go(bare)
        assert isinstance(home, Guest)
        away.owner, away.home = "", home
        self._guests[home.token] = home
        self._server.registry.add(home)
        return True

    # At the owner --------------------------------------------------------------------------------

    def down(self, guest: Guest, data: bytes, done: Done) -> None:
        """Send to a guest's client."""
        if not guest.worker:
            away = self._aways.get(guest.token)
            if away is not None:
                away.receive(data)
            done()
            return

        if guest.worker in self.peers and not guest.gone:
            # If it gets lost, `_over` knows of it.
            self.peers.send(guest.worker, Kind.DOWN, guest.token, data, kept=Sent(done, done))
        else:
            done()

    def _again(self, data: bytes) -> None:
        """A message that a client could not be sent goes to whoever the account has now."""
        found = as_stanza(data)
        if found.name == "message" and found.from_ is not None and found.to is not None:
            outcome = self._server.route(found, JID.parse(found.from_), JID.parse(found.to))
            if outcome is not None:
                self._server.spawn(_wait(outcome))

    def end(self, guest: Guest, condition: StreamCondition, text: str) -> None:
        """Have a guest's stream closed."""
        if not guest.worker:
            away = self._aways.get(guest.token)
            if away is not None:
                away.end(condition, text)
        elif guest.worker in self.peers:
            fields = (condition.value.encode(), text.encode())
            kept = Sent(lambda: None)
            self.peers.send(guest.worker, Kind.END, guest.token, *fields, kept=kept)

    def _over(self, guest: Guest, heard: int = 0) -> None:
        """A guest has gone; it may have had more than what is known to have arrived."""
        if self._guests.pop(guest.token, None) is None:
            return
        self._server.registry.remove(guest)
        unheard = guest.over(heard)
        passages = [it for it in (self._not_given(guest, it) for it in unheard) if it is not None]
        back = None
        if passages:
            back = self.neighbours.give_back(str(guest.jid.bare), passages)
        guest.free()
        # Behind what it sent before.
        token = guest.token.hex()
        self._lanes.add(token, lambda: self._server.end_session(guest, back), lambda: None)

    def changing(self, account: Account) -> None:
        """Others than before may get what is for all of an account, or it may be stored.

        What comes from now on would overtake what a guest turns out not to have been given.
        """
        if not self.neighbours.down:
            for resource in account.resources.values():
                if isinstance(resource, Guest):
                    resource.hold_back()

    def go_on(self) -> None:
        """The bus stays away: nobody waits for guests."""
        for guest in self._guests.values():
            guest.free()

    def _not_given(self, guest: Guest, unheard: Unheard) -> Passage | None:
        """A message that nobody was given because this guest was not."""
        if unheard.kept or not unheard.data.startswith(b"<message"):
            return None
        found = as_stanza(unheard.data)
        if found.from_ is None or found.to is None or found.type == "error":
            return None
        passage = Passage(found, JID.parse(found.from_), JID.parse(found.to))
        if passage.to == guest.jid or self._was_stored(found):
            return passage  # for this one alone
        given = any(not isinstance(it, Guest) or it.had(unheard.data) for it in unheard.others)
        return None if given else passage

    def _was_stored(self, found: Stanza) -> bool:
        domain = str(self._server.domain)
        return any(it.tag == _DELAY and it.get("from") == domain for it in found)

    def gone(self, worker: str) -> None:
        """A worker is gone, and with it its clients."""
        for guest in [it for it in self._guests.values() if it.worker == worker]:
            self._over(guest)

    async def _admit(self, worker: str, token: bytes, jid: JID, lang: str) -> None:
        bare = str(jid.bare)
        if bare not in self.neighbours.owned or self.neighbours.give_away(bare):
            self._refuse(worker, token, "", "")
            return
        self.neighbours.hold(bare)
        try:
            guest = await self._server.new_guest(
                jid, lambda account: Guest(self, worker, token, jid, account, lang)
            )
        except StanzaError as error:
            self._refuse(worker, token, error.condition.value, error.text)
            return
        finally:
            self.neighbours.let_go(bare)
        assert isinstance(guest, Guest)
        if worker not in self.peers:
            self._server.end_session(guest)
            return
        self._guests[token] = guest
        self.peers.send(worker, Kind.OPENED, token, kept=Sent(lambda: None))
        self._server.registry.add(guest)

    def _refuse(self, worker: str, token: bytes, condition: str, text: str) -> None:
        if worker in self.peers:
            fields = (condition.encode(), text.encode())
            self.peers.send(worker, Kind.REFUSED, token, *fields, kept=Sent(lambda: None))

    # What is said between the two ----------------------------------------------------------------

    def take(self, worker: str, frame: Frame, done: Done) -> None:
        """Take a frame about such a session."""
        kind, (token, *rest) = frame
        if kind is Kind.UP:
            # Whoever sent it may be gone when it is its turn.
            guest = self._guests.get(token)
            self._lanes.add(token.hex(), lambda: self._take_up(worker, token, guest, rest[0]), done)
            return
        if kind is Kind.OPEN:
            address, lang = (field.decode() for field in rest)
            work = self._admit(worker, token, JID.parse(address), lang)
            self._lanes.add(token.hex(), lambda: work, done)
            return
        away, answer = self._aways.get(token), self._opening.get(token)
        if kind is Kind.DOWN:
            if away is not None and not away.left:
                away.heard += 1
                away.receive(rest[0])
            elif away is not None or token in self._leaving:
                self._leaving.setdefault(token, []).append(done)
                return
            else:
                self._again(rest[0])
        elif kind is Kind.OPENED:
            if answer is not None and not answer.done():
                answer.set_result(True)
        elif kind is Kind.REFUSED:
            condition, text = (field.decode() for field in rest)
            if answer is None or answer.done():
                pass
            elif condition:
                known = {member.value: member for member in StanzaCondition}
                answer.set_exception(StanzaError(known[condition], text))
            else:
                answer.set_result(False)
        elif kind is Kind.END:
            condition, text = (field.decode() for field in rest)
            if away is not None:
                away.end(StreamCondition(condition), text)
        elif kind is Kind.OVER:
            left = self._guests.get(token)
            if left is not None:
                self._over(left, int(rest[0]))
        done()

    def _take_up(self, worker: str, token: bytes, guest: Guest | None, data: bytes) -> Outcome:
        if guest is not None:
            return None if guest.closed else self.router.accept(guest, parse(data))
        if worker in self.peers:
            # It was believed dead, and its sessions over.
            fields = (StreamCondition.RESET.value.encode(), b"the session was lost")
            self.peers.send(worker, Kind.END, token, *fields, kept=Sent(lambda: None))
        return None


def accept_away(session: Session, received: Stanza) -> Outcome:
    """`Router.accept` for the sessions of accounts that another worker has."""
    assert isinstance(session, Away)
    return session.accept(received)


async def _wait(outcome: Awaitable[None]) -> None:
    await outcome


def as_stanza(data: bytes) -> Stanza:
    """What is written into a stream, on its own."""
    tree = parse(b"<stream xmlns='" + CLIENT.encode() + b"'>" + data + b"</stream>")[0]
    return finished(tree.to_etree())
