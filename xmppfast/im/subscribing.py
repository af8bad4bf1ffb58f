"""Stanzas about subscriptions, on their way out and in (RFC 6121 section 3).

Where both parties are accounts here, the stanza changes both sides in one turn of the loop, so that
they agree whatever else happens; the roster of one who isn't connected is loaded first.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

from ..core.dispatch import Account, Host, Outcome, Passage, Resource
from ..core.errors import StanzaCondition, StanzaError
from ..core.namespaces import CLIENT
from ..core.stanza import finished, stanza
from ..xml import parse
from .broadcast import available, introduce, withdraw
from .outcomes import settle
from .roster import push
from .rosters import Item, Roster, Rosters
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
        if self._host.is_local(passage.to) and self._rosters.live(passage.to) is None:
            return self._load_then_send(passage, roster)
        return self._send(passage, roster)

    async def _load_then_send(self, passage: Passage, roster: Roster) -> bool:
        here = await self._rosters.load(passage.to)
        done = self._send(passage, roster)
        del here
        return await done

    def _send(self, passage: Passage, roster: Roster) -> Awaitable[bool]:
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
        saved = roster.put(new) if new != old else None
        # Section 3.1.2 and others: what is routed goes to, and comes from, a bare address.
        routed: Outcome = None
        if outcome.passed:
            sent = parse(passage.stanza.forward(to=str(contact), xmlns=CLIENT))
            routed = self._host.route(sent, roster.owner, contact)
        return self._sent(passage, old, new, roster.version, saved, routed)

    async def _sent(
        self,
        passage: Passage,
        old: Item,
        new: Item,
        version: int,
        saved: Outcome,
        routed: Outcome,
    ) -> bool:
        assert passage.resource is not None
        account = passage.resource.account
        try:
            await settle(saved)
            # Before the contact's side goes on: its answer may change the item again.
            if new.shown != old.shown:
                push(self._host, account, new, version)
        finally:
            await settle(routed)
        await settle(self._presence(account, old, new))
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
        saved = roster.put(new) if new != old else None
        version = roster.version
        replied: Outcome = None
        if outcome.reply is not None:
            reply = finished(stanza("presence", type=outcome.reply, to=contact))
            replied = self._host.route(reply, roster.owner, contact)
        # Who becomes available from now on is given the request by `presence`.
        account = self._host.account(roster.owner)
        asked = available(account) if account is not None and type == "subscribe" else []
        receivers = asked if outcome.passed else None
        return self._received(passage, old, new, version, receivers, settle(saved, replied))

    async def _received(
        self,
        passage: Passage,
        old: Item,
        new: Item,
        version: int,
        passed: list[Resource] | None,
        outcome: Outcome,
    ) -> bool:
        await settle(outcome)
        # Looked up only now: someone may have come or gone in the meantime.
        account = self._host.account(passage.to)
        if account is not None and passed is not None:
            # Sections 3.1.6, 3.2.3, 3.3.3: first the stanza, to those who get the push as well.
            if passage.stanza.type != "subscribe":
                passed = [it for it in account.resources.values() if it.interested]
            for resource in passed:
                resource.send(passage.data)
        if new.shown != old.shown:
            push(self._host, account, new, version)
        await settle(self._presence(account, old, new))
        return True

    # Both ----------------------------------------------------------------------------------------

    def _presence(self, account: Account | None, old: Item, new: Item) -> Outcome:
        """What the contact may see from now on, or no longer."""
        before, after = (item.state.from_ is From.SUBSCRIBED for item in (old, new))
        if after and not before:
            return introduce(self._host, account, new.jid)
        if before and not after:
            return withdraw(self._host, account, new.jid)
        return None

    def _room(self, roster: Roster) -> None:
        if len(roster.items) >= self._most:
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, "there are too many contacts")
