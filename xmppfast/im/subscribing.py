"""Stanzas about subscriptions, on their way out and in (RFC 6121 section 3).

Where both parties are accounts here, the stanza changes both sides in one turn of the loop, so that
they agree whatever else happens; the roster of one who isn't connected is loaded first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from ..core.dispatch import Host, Outcome, Passage, Resource
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from ..core.namespaces import CLIENT
from ..core.stanza import finished, stanza
from ..xml import parse
from .broadcast import available, introduce, seen, withdraw
from .outcomes import settle
from .roster import push
from .rosters import Change, Roster, Rosters
from .subscription import From, inbound, outbound


class Subscriptions:
    """Handles presence of the types in `subscription.TYPES`.

    most  how many contacts an account may have, requests that wait included
    """

    def __init__(self, host: Host, rosters: Rosters, most: int = 5000) -> None:
        self._host = host
        self._rosters = rosters
        self._most = most

    # From the user -------------------------------------------------------------------------------

    def outgoing(self, passage: Passage) -> bool | Awaitable[bool]:
        """A stanza of a connected account."""
        if passage.stanza.to is None:
            raise StanzaError(StanzaCondition.BAD_REQUEST, "a subscription needs an address")
        assert passage.resource is not None
        roster: Roster = passage.resource.account.state["roster"]
        if passage.to.bare == roster.owner:
            return True  # section 4.2.2: everybody has a subscription to oneself
        if self._host.has(passage.to) and self._rosters.live(passage.to) is None:
            return self._load_then_send(passage, roster)
        return self._send(passage, roster)

    async def _load_then_send(self, passage: Passage, roster: Roster) -> bool:
        here = await self._rosters.load(passage.to)
        done = self._send(passage, roster)
        del here
        return await done

    def _send(self, passage: Passage, roster: Roster) -> Awaitable[bool]:
        assert passage.resource is not None
        type, contact = passage.stanza.type or "", passage.to.bare
        old = roster.get(contact)
        outcome = outbound(type, old.state)
        listed = old.listed or (outcome.state != old.state and type in ("subscribe", "subscribed"))
        waiting = outcome.state.from_ is From.PENDING
        new = replace(
            old, state=outcome.state, listed=listed, request=old.request if waiting else None
        )
        if old.blank and not new.blank:
            self._room(roster)
        gone = seen(self._host.account(roster.owner))
        change, routed = roster.put(new), None
        if outcome.passed:
            # Section 3.1.2 and others: what is routed goes to, and comes from, a bare address.
            sent = parse(passage.stanza.forward(to=str(contact), xmlns=CLIENT))
            routed = self._host.route(sent, roster.owner, contact, passage.resource)
        return self._sent(roster.owner, change, gone, routed)

    async def _sent(
        self, owner: JID, change: Change, gone: list[Resource], routed: Outcome
    ) -> bool:
        told: Callable[[], None] | None = None
        try:
            await settle(change.saved)
            if change.shown:
                told = partial(self._push, owner, change)
        finally:
            change.turn.end(told)
            await settle(routed)
        await settle(self._presence(owner, change, gone))
        return True

    # From the contact ----------------------------------------------------------------------------

    def incoming(self, passage: Passage) -> bool | Awaitable[bool]:
        """A stanza to an account here, existing or not, connected or not."""
        roster = self._rosters.live(passage.to)
        if roster is None:
            return self._load_then_receive(passage)
        return self._receive(passage, roster)

    async def _load_then_receive(self, passage: Passage) -> bool:
        roster = await self._rosters.load(passage.to)
        if roster is None:
            return True  # section 8.5.1: in silence
        return await self._receive(passage, roster)

    def _receive(self, passage: Passage, roster: Roster) -> Awaitable[bool]:
        type, contact = passage.stanza.type or "", passage.sender.bare
        old = roster.get(contact)
        outcome = inbound(type, old.state)
        request = old.request if outcome.state.from_ is From.PENDING else None
        if type == "subscribe" and outcome.passed:
            # Section 3.1.3 rule 4: the complete stanza is kept.
            request = passage.data
        new = replace(old, state=outcome.state, request=request)
        if old.blank and not new.blank:
            self._room(roster)
        account = self._host.account(roster.owner)
        asked, gone = [] if account is None else available(account), seen(account)
        change, replied = roster.put(new), None
        if outcome.reply is not None:
            reply = finished(stanza("presence", type=outcome.reply, to=contact))
            replied = self._host.route(reply, roster.owner, contact)
        # Who becomes available from now on is given the request by `presence`.
        told = asked if outcome.passed else None
        return self._received(passage, change, gone, told, replied)

    async def _received(
        self,
        passage: Passage,
        change: Change,
        gone: list[Resource],
        asked: list[Resource] | None,
        replied: Outcome,
    ) -> bool:
        told: Callable[[], None] | None = None
        try:
            await settle(change.saved)
            told = partial(self._tell, passage, change, asked)
        finally:
            change.turn.end(told)
            await settle(replied)
        await settle(self._presence(passage.to.bare, change, gone))
        return True

    def _tell(self, passage: Passage, change: Change, asked: list[Resource] | None) -> None:
        """Sections 3.1.6, 3.2.3, 3.3.3: first the stanza, to those who get the push as well."""
        account = self._host.account(passage.to)
        if account is not None and asked is not None:
            interested = [it for it in account.resources.values() if it.interested]
            for resource in asked if passage.stanza.type == "subscribe" else interested:
                resource.send(passage.data)
        if change.shown:
            self._push(passage.to, change)

    # Both ----------------------------------------------------------------------------------------

    def _push(self, owner: JID, change: Change) -> None:
        push(self._host, self._host.account(owner), change)

    def _presence(self, owner: JID, change: Change, gone: list[Resource]) -> Outcome:
        """What the contact may see from now on, or no longer.

        gone  what it may have seen until the change was made: what leaves afterwards tells those
              only who may see it then
        """
        before, after = (item.state.from_ is From.SUBSCRIBED for item in (change.old, change.new))
        if after and not before:
            return introduce(self._host, self._host.account(owner), change.new.jid)
        if before and not after:
            return withdraw(self._host, gone, change.new.jid)
        return None

    def _room(self, roster: Roster) -> None:
        if len(roster.items) >= self._most:
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, "there are too many contacts")
