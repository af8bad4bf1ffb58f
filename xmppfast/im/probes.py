"""Answers to presence probes (RFC 6121 section 4.3.2)."""

from __future__ import annotations

from collections.abc import Awaitable

from ..core.dispatch import Host, Passage, Resource
from ..core.stanza import finished, stanza
from .broadcast import available, unavailable
from .last import LastPresence
from .outcomes import settle
from .rosters import Roster, Rosters
from .subscription import From


class Probes:
    """Tells those who may know whether an account is available."""

    def __init__(self, host: Host, rosters: Rosters, last: LastPresence) -> None:
        self._host = host
        self._rosters = rosters
        self._last = last

    def incoming(self, passage: Passage) -> bool | Awaitable[bool]:
        """A probe for an account here, existing or not, connected or not."""
        roster = self._rosters.live(passage.to)
        return self._load_then_answer(passage) if roster is None else self._answer(passage, roster)

    async def _load_then_answer(self, passage: Passage) -> bool:
        roster = await self._rosters.load(passage.to)
        if roster is not None:
            return await self._answer(passage, roster)
        # As if it were there and didn't know who asks: nobody can tell the difference.
        await self._refuse(passage)
        return True

    async def _answer(self, passage: Passage, roster: Roster) -> bool:
        from_ = roster.get(passage.sender.bare).state.from_
        if passage.sender.bare != roster.owner and from_ is not From.SUBSCRIBED:
            # While a request waits, this would be the answer to it.
            if from_ is not From.PENDING:
                await self._refuse(passage)
            return True
        if self._asked_for(passage):
            await self._answer_available(passage)
        else:
            await self._answer_unavailable(passage, roster)
        return True

    def _asked_for(self, passage: Passage) -> list[Resource]:
        account = self._host.account(passage.to)
        resources = [] if account is None else available(account)
        if passage.to.resource is not None:
            resources = [it for it in resources if it.jid == passage.to]
        return resources

    async def _answer_available(self, passage: Passage) -> None:
        for resource in self._asked_for(passage):
            if resource.presence is not None:
                await settle(self._host.route(resource.presence, resource.jid, passage.sender))

    async def _refuse(self, passage: Passage) -> None:
        refusal = finished(stanza("presence", type="unsubscribed"))
        await settle(self._host.route(refusal, passage.to.bare, passage.sender.bare))

    async def _answer_unavailable(self, passage: Passage, roster: Roster) -> None:
        last = await self._last.find(roster.owner)
        if self._asked_for(passage):
            # It has come meanwhile: that it was away is no longer news.
            await self._answer_available(passage)
            return
        seen = last.seen_by(passage.sender) if last is not None else None
        presence, sender = unavailable(), passage.to
        if last is not None and seen is not None and passage.to in (last.resource, roster.owner):
            presence, sender = seen, last.resource
        await settle(self._host.route(presence, sender, passage.sender))
