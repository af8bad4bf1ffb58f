"""Which stanzas a block stops (XEP-0191 sections 3.3 and 4); `blocking` is how it is set."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Set

from ..core.dispatch import Account, Host, Outcome, Passage, Resource
from ..core.errors import ErrorType, StanzaCondition, StanzaError
from ..core.jid import JID
from ..core.stanza import element
from ..storage.interface import Maps

_BLOCKED = "{urn:xmpp:blocking:errors}blocked"

# The list of most accounts: the same object, since each other one takes 200 bytes.
_NOBODY: frozenset[JID] = frozenset()


def matches(blocked: Set[JID], jid: JID) -> bool:
    """Whether an address is blocked: itself, its bare one, or its domain (section 4)."""
    if not blocked:
        return False
    domain = JID(None, jid.domain)
    candidates = {jid, jid.bare, domain}
    if jid.resource is not None:
        candidates.add(domain.with_resource(jid.resource))
    return not candidates.isdisjoint(blocked)


class Blocklists:
    """The lists of all accounts, and the handlers that hold stanzas to them."""

    def __init__(self, host: Host, lists: Maps) -> None:
        self._host = host
        self._lists = lists

    def of(self, account: Account) -> frozenset[JID]:
        """The list of a connected account."""
        blocked: frozenset[JID] = account.state["blocking"]
        return blocked

    def put(self, account: Account, blocked: frozenset[JID]) -> None:
        """Replace the list of a connected account."""
        account.state["blocking"] = blocked
        self._watch(account)

    def start(self, resource: Resource) -> Outcome:
        """A session begins; the list is read along with what others read then."""
        account = resource.account
        if "blocking" in account.state:
            return None
        return self._start(account, self._lists.items(str(account.jid)))

    async def _start(self, account: Account, entries: Awaitable[Iterable[str]]) -> None:
        blocked = _addresses(await entries)
        if "blocking" not in account.state:
            self.put(account, blocked)

    def _watch(self, account: Account) -> None:
        """See the account's stanzas only while anybody is blocked: it slows them down."""
        some = bool(self.of(account))
        others = tuple(handler for handler in account.incoming if handler != self._incoming)
        account.incoming = (self._incoming, *others) if some else others
        others = tuple(handler for handler in account.outgoing if handler != self._outgoing)
        account.outgoing = (self._outgoing, *others) if some else others

    async def _load(self, account: JID) -> frozenset[JID]:
        return _addresses(await self._lists.items(str(account)))

    # Stanzas -------------------------------------------------------------------------------------

    def _outgoing(self, passage: Passage) -> bool:
        """Of a connected account, from its client or from a feature on its behalf."""
        account = self._host.account(passage.sender)
        # Who blocks the own server can still ask it to end that.
        if account is None or passage.to.bare in (account.jid, self._host.domain):
            return False
        if not matches(self.of(account), passage.to):
            return False
        if passage.resource is None:
            return True
        raise StanzaError(
            StanzaCondition.NOT_ACCEPTABLE, type=ErrorType.CANCEL, application=element(_BLOCKED)
        )

    def _incoming(self, passage: Passage) -> bool:
        """To a connected account."""
        assert passage.account is not None
        return _refuse(passage, self.of(passage.account))

    def to_absent(self, passage: Passage) -> bool | Awaitable[bool]:
        """To one that isn't connected."""
        if passage.to.local is None:
            return False
        if passage.stanza.name == "presence" and passage.stanza.type in (None, "unavailable"):
            return False  # nobody is there to see it
        return self._load_then_refuse(passage)

    async def _load_then_refuse(self, passage: Passage) -> bool:
        return _refuse(passage, await self._load(passage.to.bare))


def _addresses(entries: Iterable[str]) -> frozenset[JID]:
    return frozenset(JID.parse(text) for text in entries) or _NOBODY


def _refuse(passage: Passage, blocked: Set[JID]) -> bool:
    """Section 3.3 rule 3: presence is dropped, the rest refused as if nobody were there."""
    if passage.sender.bare == passage.to.bare or not matches(blocked, passage.sender):
        return False
    if passage.stanza.name != "presence":
        raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
    return True
