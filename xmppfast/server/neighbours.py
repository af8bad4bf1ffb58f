"""Accounts that other workers have, and what passes between them and this one.

An account's state (roster, blocks, presence of its resources, who is sent what waits) is in the
memory of one worker, its owner: the one where its first resource was bound, or that first had to do
something for it. What concerns the account is done there and nowhere else; clients of the account
that are connected to other workers are its guests (see `guests`). So the rules of RFC 6121 know
nothing of workers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Collection, Mapping
from typing import TYPE_CHECKING, Final

from ..cluster.frames import Frame, Kind
from ..cluster.interface import Bus
from ..cluster.peers import Done, Peers
from ..core.dispatch import Outcome, Passage
from ..core.dispatcher import as_stanza_error
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from ..core.namespaces import CLIENT
from ..xml import StreamCondition, parse
from .guests import Guests, as_stanza
from .ownership import Ownership
from .ways import Item, Lanes, Sent, Unsettled, Way, awaited

if TYPE_CHECKING:
    from ..protocol.link import Link
    from ..protocol.stream import ReceivingStream
    from .lodging import Away
    from .server import Server

log = logging.getLogger("xmppfast.server")

# Seconds that the bus may be away before what is meant for other workers is stored or refused.
_GRACE: Final = 2.0
# Seconds that a worker which stops waits for others to have taken what it sent them.
_PATIENCE: Final = 30.0

_TO_ROSTERS: Final = {"subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe"}


class Neighbours:
    """The other workers of a server. It is the bus's `Member`.

    ownership  who has which account
    ways       to accounts for which something has to wait, or is on its way elsewhere
    unsettled  messages and requests for other workers that are not delivered or stored yet
    """

    def __init__(self, server: Server, bus: Bus) -> None:
        self.server = server
        self.bus = bus
        self.peers: Peers[Sent] = Peers(bus, self._arrived, lambda sent: sent.done())
        self._lanes = Lanes(server.spawn)
        self.ownership = Ownership(server, bus, self.peers, self._lanes)
        self.unsettled = Unsettled()
        self.ways: dict[str, Way] = {}
        self._grace: asyncio.TimerHandle | None = None
        self._refilled: set[str] = set()
        self.guests = Guests(self)

    async def start(self) -> None:
        """Join the others. Raises BusLost."""
        await self.bus.start(self)
        self.ownership.sweep()

    async def close(self) -> None:
        """Leave, once the others have taken what was sent to them, and know what was done here.

        What they send meanwhile stays with them, for the next owner. But it is taken as long as
        anything is on its way to them: they may be leaving, too, and wait for this worker.
        """
        self.ownership.close()
        if self._grace is not None:
            self._grace.cancel()
        try:
            async with asyncio.timeout(_PATIENCE):
                while self.ownership.up:
                    settled = self.peers.settled
                    self.peers.take(not settled)
                    if settled and self.peers.quiet and not self.server.busy:
                        break
                    await asyncio.sleep(0.01)
        except TimeoutError:
            log.warning("other workers did not take everything in time")
        await self.bus.close()

    # Stanzas for accounts that are not connected here --------------------------------------------

    def deliver(self, passage: Passage) -> Outcome:
        """Take a stamped stanza to its account. Raises StanzaError for its sender.

        What goes to another worker is on its way when this returns; the outcome is there only if
        something has to be waited for before more may follow.
        """
        bare = str(passage.to.bare)
        way = self.ways.get(bare)
        if way is None or not way.walking:
            if bare in self.ownership.owned:
                if way is None:
                    return self._work(bare, passage)
            elif not self.ownership.down:
                owner = self.ownership.elsewhere(bare)
                if owner is not None:
                    if way is None or way.towards == owner:
                        return self._send(owner, bare, passage)
                elif way is None and _concerns_nobody(passage):
                    return None
        item = Item(passage, asyncio.get_running_loop().create_future())
        self._walk(bare, item)
        return item.waiting

    def _walk(self, bare: str, item: Item, *, first: bool = False) -> None:
        """Deliver when it can be; for each account in order."""
        way = self.ways.setdefault(bare, Way())
        if first:
            way.queue.appendleft(item)
        else:
            way.queue.append(item)
        if not way.walking:
            way.walking = True
            self.server.spawn(self._walking(bare, way))

    async def _walking(self, bare: str, way: Way) -> None:
        while way.queue:
            blocked = self._blocked(bare, way)
            if blocked is not None:
                # What is lost meanwhile comes back in front of all that waits.
                await blocked
                continue
            item = way.queue.popleft()
            try:
                outcome = self._place(bare, item.passage)
                if outcome is not None:
                    await outcome
            except Exception as error:
                if item.waiting is None:
                    self.server.router.refuse(
                        item.passage, as_stanza_error(error, item.passage.stanza)
                    )
                elif not item.waiting.done():
                    item.waiting.set_exception(error)
            else:
                if item.waiting is not None and not item.waiting.done():
                    item.waiting.set_result(None)
            if item.waiting is None and item.passage.stanza.name != "presence":
                self.unsettled.less(str(item.passage.sender))
        way.walking = False
        self._forget(bare, way)

    def _blocked(self, bare: str, way: Way) -> Outcome:
        """What the first in the queue has to wait for; it is to be asked anew after that."""
        down = self.ownership.down
        if bare in self.ownership.owned:
            return way.empty() if (way.outstanding or way.held) and not down else None
        if down:
            return None
        if self.ownership.up:
            owner = self.ownership.elsewhere(bare)
            if way.outstanding and (owner is None or way.towards != owner):
                return way.empty()
            if owner is not None or _concerns_nobody(way.queue[0].passage):
                return None
        return self.ownership.ask(bare)

    def _place(self, bare: str, passage: Passage) -> Outcome:
        if bare in self.ownership.owned:
            return self._work(bare, passage)
        if self.ownership.down:
            return self._without_bus(bare, passage)
        owner = self.ownership.elsewhere(bare)
        return None if owner is None else self._send(owner, bare, passage)

    def _send(self, owner: str, bare: str, passage: Passage) -> Outcome:
        sender, to, stanza = str(passage.sender), str(passage.to), passage.stanza
        if stanza.to is None:
            data = stanza.forward(from_=sender, to=to, xmlns=CLIENT)
        else:
            data = stanza.forward(from_=sender, xmlns=CLIENT)
        way = self.ways.setdefault(bare, Way())
        way.towards = owner
        way.outstanding += 1
        counted = stanza.name != "presence"
        if counted:
            self.unsettled.more(sender)

        def done() -> None:
            if counted:
                self.unsettled.less(sender)
            way.less()
            self._forget(bare, way)

        sent = Sent(done, passage=passage)
        self.peers.send(owner, Kind.STANZA, sender.encode(), to.encode(), data, kept=sent)
        return self.peers.room(owner)

    def answer(self, data: bytes, receiver: JID, sender: JID) -> None:
        """Send an answer to a resource that is not connected here, if it is connected at all."""
        bare = str(receiver.bare)
        if self.ownership.elsewhere(bare) is not None:
            passage = Passage(as_stanza(data), sender, receiver)
            outcome = self.deliver(passage)
            if outcome is not None:
                self.server.spawn(self._received(passage, outcome))

    def _forget(self, bare: str, way: Way) -> None:
        busy = way.outstanding or way.held or way.walking
        if not busy and self.ways.get(bare) is way:
            del self.ways[bare]
            way.end()

    def _again(self, lost: Collection[Sent]) -> None:
        """What was sent and won't arrive is delivered anew, in front of what came later."""
        for sent in reversed([it for it in lost if it.passage is not None]):
            assert sent.passage is not None
            bare = str(sent.passage.to.bare)
            way = self.ways[bare]
            way.less()
            self._walk(bare, Item(sent.passage, None), first=True)

    def give_back(self, bare: str, passages: Collection[Passage]) -> asyncio.Task[None]:
        """Deliver anew what a guest of an account was not given, before all that came later."""
        items = [Item(it, asyncio.get_running_loop().create_future()) for it in passages]
        for item in reversed(items):
            self.unsettled.more(str(item.passage.sender))
            self._walk(bare, item, first=True)
        return self.server.spawn(self._given_back(items))

    async def _given_back(self, items: Collection[Item]) -> None:
        for item in items:
            assert item.waiting is not None
            await self._received(item.passage, item.waiting)
            self.unsettled.less(str(item.passage.sender))

    def hold_back(self, bare: str) -> None:
        """Have what comes for an account wait for what was sent to a guest; then `go_on`."""
        self.ways.setdefault(bare, Way()).held += 1

    def go_on(self, bare: str) -> None:
        """A guest has what was sent to it, or it was given back."""
        way = self.ways[bare]
        way.free()
        self._forget(bare, way)

    def _without_bus(self, bare: str, passage: Passage) -> Outcome:
        """Deliver what nobody can be asked about: messages are stored as for one who is away."""
        stanza = passage.stanza
        if stanza.name == "iq" and stanza.type in ("get", "set"):
            raise StanzaError(
                StanzaCondition.REMOTE_SERVER_TIMEOUT, "parts of the server are not connected"
            )
        if stanza.name == "presence":
            owner = self.ownership.elsewhere(bare)
            if owner is None or self.peers.room(owner) is not None:
                return None
            return self._send(owner, bare, passage)  # said when the bus is back
        if stanza.name != "message":
            return None
        self._refilled.add(bare)
        return self.server.router.here(passage)

    # Work for accounts of this worker ------------------------------------------------------------

    def _work(self, bare: str, passage: Passage) -> Outcome:
        outcome = self.server.router.here(passage)
        self.ownership.used(bare)
        if outcome is None:
            return None
        self.ownership.hold(bare)
        return self._working(bare, outcome)

    async def _working(self, bare: str, outcome: Awaitable[None]) -> None:
        try:
            await outcome
        finally:
            self.ownership.let_go(bare)

    # Clients of accounts that other workers have ------------------------------------------------

    async def lodge(self, jid: JID, link: Link, stream: ReceivingStream) -> Away | None:
        """Have a resource at the owner of its account; None if that is this worker.

        Then the account is held, see `hold`. Raises StanzaError.
        """
        bare = str(jid.bare)
        while True:
            owner = await self.ownership.owner(bare)
            if owner is not None:
                away = await self.guests.open(owner, jid, link, stream)
                if away is not None:
                    return away
                self.ownership.released(bare, owner)
                continue
            way = self.ways.get(bare)
            if way is not None:
                # What was sent before is to be there first.
                await way.over()
            elif bare in self.ownership.owned:
                self.ownership.hold(bare)
                return None

    async def removed(self, account: JID) -> bool:
        """Have an account's owner end it; False if that is this worker, which then has to."""
        bare = str(account)
        while True:
            owner = await self.ownership.owner(bare)
            if owner is None:
                return False
            sent, answer = awaited()
            self.peers.send(owner, Kind.REMOVED, bare.encode(), kept=sent)
            if await answer:
                return True

    # What others sent ----------------------------------------------------------------------------

    def _arrived(self, worker: str, frame: Frame, done: Done) -> None:
        try:
            self._take(worker, frame, done)
        except Exception as error:
            log.error("what %s sent can't be used", worker, exc_info=error)
            done()

    def _take(self, worker: str, frame: Frame, done: Done) -> None:
        kind, fields = frame
        if kind is Kind.STANZA:
            self._take_stanza(*fields, done=done)
        elif kind is Kind.REFILLED:
            bare = fields[0].decode()
            self._lanes.add(bare, lambda: self._send_stored(bare), done)
        elif kind is Kind.REMOVED:
            account = JID.parse(fields[0].decode())
            self._lanes.add(str(account), lambda: self.server.remove_sessions(account), done)
        else:
            self.guests.take(worker, frame, done)

    def _take_stanza(self, sender: bytes, to: bytes, data: bytes, *, done: Done) -> None:
        jid = JID.parse(to.decode())
        bare = str(jid.bare)
        session = self.server.registry.sessions.get(str(jid))
        if (
            session is not None
            and not session.account.incoming
            and data.startswith((b"<message ", b"<iq "))
            and bare not in self._lanes
        ):
            session.send(data)
            done()
            return
        passage = Passage(parse(data), JID.parse(sender.decode()), jid)
        self._lanes.add(bare, lambda: self._receive(bare, passage), done)

    def _receive(self, bare: str, passage: Passage) -> Outcome:
        try:
            way = self.ways.get(bare)
            if bare in self.ownership.owned:
                if way is None or way.outstanding or not (way.walking or way.held):
                    # What is outstanding may have come here meanwhile, and be this.
                    outcome = self._work(bare, passage)
                else:
                    outcome = self.deliver(passage)
            else:
                outcome = self._receive_elsewhere(bare, passage)
        except Exception as error:
            self.server.router.refuse(passage, as_stanza_error(error, passage.stanza))
            return None
        return None if outcome is None else self._received(passage, outcome)

    async def _received(self, passage: Passage, outcome: Awaitable[None]) -> None:
        try:
            await outcome
        except Exception as error:
            self.server.router.refuse(passage, as_stanza_error(error, passage.stanza))

    async def _receive_elsewhere(self, bare: str, passage: Passage) -> None:
        """Its sender knows less than the bus who has the account."""
        while True:
            if self.ownership.down:
                outcome = self._without_bus(bare, passage)
                break
            await self.ownership.ask(bare)
            if bare in self.ownership.owned:
                outcome = self._work(bare, passage)
                break
            owner = self.ownership.elsewhere(bare)
            if owner is not None:
                sent, answer = awaited()
                fields = (str(passage.sender), str(passage.to))
                data = passage.stanza.forward(xmlns=CLIENT)
                self.peers.send(
                    owner, Kind.STANZA, *(it.encode() for it in fields), data, kept=sent
                )
                if await answer:
                    return
        if outcome is not None:
            await outcome

    def _send_stored(self, bare: str) -> Outcome:
        account = self.server.registry.accounts.get(bare)
        return None if account is None else self.server.dispatcher.refilled(account)

    # Member --------------------------------------------------------------------------------------

    def received(self, sender: str, data: bytes) -> None:
        """`Member.received`."""
        self.peers.received(sender, data)

    def claimed(self, account: str, worker: str) -> None:
        """`Member.claimed`."""
        self.peers.add(worker)
        self.ownership.claimed(account, worker)

    def released(self, account: str, worker: str) -> None:
        """`Member.released`."""
        self.ownership.released(account, worker)

    def taken(self, account: str, worker: str) -> None:
        """`Member.taken`: the other one's sessions stay, as with any conflict."""
        self.ownership.taken(account, worker)
        log.warning("%s was claimed by another worker while the bus was away", account)
        for session in tuple(self.server.registry.sessions.values()):
            if str(session.account.jid) == account:
                session.end(StreamCondition.CONFLICT, "the account is used elsewhere")

    def joined(self, worker: str) -> None:
        """`Member.joined`."""
        self.peers.add(worker)

    def gone(self, worker: str) -> None:
        """`Member.gone`."""
        log.info("worker %s has left", worker)
        self.ownership.gone(worker)
        lost = self.peers.remove(worker)
        self.guests.gone(worker)
        self._again(lost)
        for sent in lost:
            if sent.lost is not None:
                sent.lost()
        self.guests.move(worker)

    def restored(self, owners: Mapping[str, str], workers: Collection[str]) -> None:
        """`Member.restored`."""
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
            log.info("the bus is back")
        for worker in workers:
            self.peers.add(worker)
        self.ownership.restored(owners, workers)
        refilled, self._refilled = self._refilled, set()
        for account in refilled:
            self._tell_refilled(account)
        self.peers.restored()
        self.ownership.wake()

    def _tell_refilled(self, account: str) -> None:
        owner = self.ownership.elsewhere(account)
        if account in self.ownership.owned:
            self._lanes.add(account, lambda: self._send_stored(account), lambda: None)
        elif owner is not None:
            # If that worker dies, so do the sessions that could be sent something.
            self.peers.send(owner, Kind.REFILLED, account.encode(), kept=Sent(lambda: None))

    def lost(self) -> None:
        """`Member.lost`."""
        self.ownership.up = False
        self._grace = asyncio.get_running_loop().call_later(_GRACE, self._give_up)

    def _give_up(self) -> None:
        self.ownership.down = True
        log.error("the bus stays away: messages for other workers are stored")
        self.guests.go_on()
        self._again(
            self.peers.withdraw(
                lambda sent: sent.passage is not None and sent.passage.stanza.name != "presence"
            )
        )
        self.ownership.wake()


def _concerns_nobody(passage: Passage) -> bool:
    """Whether it makes no difference to an account that nobody is connected to."""
    stanza = passage.stanza
    if stanza.name == "presence":
        return stanza.type not in _TO_ROSTERS
    return stanza.name == "iq" and stanza.type in ("result", "error")
