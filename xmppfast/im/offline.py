"""Messages kept for an account until it can take them (XEP-0160, with the stamps of XEP-0203).

A message is kept before anything else is done with its sender's stanzas, and deleted after it got
to its receiver's connection. So none is lost: at worst, when the server dies between the two, it is
sent again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ..core.dispatch import (
    Account,
    Disco,
    Feature,
    Host,
    OnAccount,
    Outcome,
    Passage,
    Resource,
    Target,
)
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from ..core.namespaces import CLIENT
from ..core.stanza import serialize
from ..storage.interface import Storage
from ..xml import Element
from .delay import delay, microseconds

# Messages sent between two looks at whether the client is still there.
_PAGE: Final = 50

_STATES: Final = "http://jabber.org/protocol/chatstates"
_HINTS: Final = "urn:xmpp:hints"
_NOT_STORED: Final = {f"{{{_HINTS}}}no-store", f"{{{_HINTS}}}no-permanent-store"}


class Offline:
    """Messages that wait.

    most  how many one account may have
    """

    def __init__(self, host: Host, storage: Storage, most: int = 1000) -> None:
        self._host = host
        self._archive = storage.archive("offline")
        self._most = most
        # Accounts whose messages are being sent, and whether there may be more since.
        self._sending: dict[JID, bool] = {}

    def waits(self, account: JID) -> bool:
        """Whether older messages are still being sent: newer ones have to queue up behind."""
        return account.bare in self._sending

    async def store(self, passage: Passage) -> None:
        """Keep a message. StanzaError if it can't be; then the sender is told so."""
        if not worth_storing(passage.stanza):
            return
        owner = passage.to.bare
        if await self._archive.count(str(owner)) >= self._most:
            raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE, "too many messages wait")
        now = self._host.now()
        await self._archive.append(str(owner), microseconds(now), self._delayed(passage, now))
        # The account may have come while the message was written.
        account = self._host.account(owner)
        sent = None if account is None else self.send(account)
        if sent is not None:
            await sent

    def send(self, account: Account) -> Outcome:
        """Send what waits, oldest first, to the resource that takes it (XEP-0160 section 3).

        From now on, what comes for the account has to wait its turn, see `waits`.
        """
        if account.jid in self._sending:
            self._sending[account.jid] = True
            return None
        self._sending[account.jid] = True
        return self._send(account.jid)

    async def _send(self, jid: JID) -> None:
        owner = str(jid)
        try:
            while self._sending[jid]:
                self._sending[jid] = False
                while records := await self._archive.read(owner, limit=_PAGE):
                    # Its last resource may have gone meanwhile, and the first one come again.
                    account = self._host.account(jid)
                    resource = None if account is None else _receiver(account)
                    if resource is None:
                        return
                    for record in records:
                        resource.send(record.value)
                    arriving = resource.arriving(len(records))
                    arrived = len(records) if arriving is None else await arriving
                    # What its client does not have keeps its place.
                    ids = [record.id for record in records[:arrived]]
                    if ids:
                        await self._archive.delete(owner, ids)
        finally:
            del self._sending[jid]

    def _delayed(self, passage: Passage, now: datetime) -> bytes:
        tree = passage.stanza.to_etree()
        tree.set("from", str(passage.sender))
        tree.set("to", passage.stanza.to or str(passage.to))
        tree.append(delay(now, passage.to.domain))
        return serialize(tree)


def offline(waiting: Offline) -> Feature:
    """Announces that messages are kept; `messaging` and `presence` do it."""

    def refilled(account: Account) -> Outcome:
        return waiting.send(account)

    return Feature(
        "offline",
        (Disco(Target.SERVER, features=("msgoffline",)), OnAccount(refilled=refilled)),
    )


def worth_storing(stanza: Element) -> bool:
    """Whether a message says anything that is worth knowing later.

    Not if it has no more than the state of a chat (XEP-0160 section 3), or its sender says that it
    is not to be kept (XEP-0334).
    """
    children = [child for child in stanza if child.tag != f"{{{CLIENT}}}thread"]
    if any(child.tag in _NOT_STORED for child in children):
        return False
    return any(child.xmlns not in (_STATES, _HINTS) for child in children)


def _receiver(account: Account) -> Resource | None:
    """The most available resource; None while nobody takes messages."""
    willing = [it for it in account.resources.values() if (it.priority or 0) >= 0 and it.presence]
    return max(willing, key=lambda it: it.priority or 0, default=None)
