"""Clients of an account that are connected to another worker than the one that has the account.

A client's connection, with its stream and its TLS, stays where it was accepted. There, its session
is `Away`: what the client sends goes to the account's owner. There, it is a `Guest`, a resource of
the account like any other, but for that what is sent to it goes back.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final

from ..cluster.frames import Frame, Kind
from ..cluster.peers import Done
from ..core.dispatch import Account, Outcome, Passage
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from ..core.namespaces import CLIENT
from ..core.stanza import finished
from ..protocol.link import Link
from ..protocol.stream import ReceivingStream
from ..xml import Stanza, StreamCondition, parse
from .lodging import Away, Guest, Unheard
from .ways import Lanes, Sent

if TYPE_CHECKING:
    from .neighbours import Neighbours
    from .router import Router

_TOKEN_BYTES: Final = 9

_DELAY: Final = "{urn:xmpp:delay}delay"


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
        owner = await self.neighbours.ownership.owner(bare)
        if owner is not None:
            return await self._open(owner, away)
        self.neighbours.ownership.hold(bare)
        try:
            home = await self._server.new_guest(
                away.jid,
                lambda account: Guest(self, "", away.token, away.jid, account, away.lang or ""),
            )
        finally:
            self.neighbours.ownership.let_go(bare)
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
        if not self.neighbours.ownership.down:
            for resource in account.resources.values():
                if isinstance(resource, Guest):
                    resource.hold_back()

    def go_on(self) -> None:
        """The bus stays away: nobody waits for guests."""
        for guest in self._guests.values():
            guest.go_on()

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
        if bare not in self.neighbours.ownership.owned or self.neighbours.ownership.give_away(bare):
            self._refuse(worker, token, "", "")
            return
        self.neighbours.ownership.hold(bare)
        try:
            guest = await self._server.new_guest(
                jid, lambda account: Guest(self, worker, token, jid, account, lang)
            )
        except StanzaError as error:
            self._refuse(worker, token, error.condition.value, error.text)
            return
        finally:
            self.neighbours.ownership.let_go(bare)
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


async def _wait(outcome: Awaitable[None]) -> None:
    await outcome


def as_stanza(data: bytes) -> Stanza:
    """What is written into a stream, on its own."""
    tree = parse(b"<stream xmlns='" + CLIENT.encode() + b"'>" + data + b"</stream>")[0]
    return finished(tree.to_etree())
