"""How a feature says what it wants to be called for.

A feature is a function in a file of its own. It is given the `Host` and what else it needs, such as
storage, and returns a `Feature`: its name and its registrations. Server and client install a list
of them; no feature knows who does.

Handlers are plain functions, or coroutine functions where they have to wait for storage. While one
waits, further stanzas of the same sender wait too, which keeps their order (RFC 6120 section 10.1);
those of others go on. So a handler changes what is in memory before its first `await`, and waits
only for it to be durable.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from graphlib import CycleError, TopologicalSorter
from typing import Any, Protocol

from ..xml import Element, Stanza, StreamCondition
from .errors import StanzaCondition, StanzaError
from .jid import JID

Outcome = Awaitable[None] | None
"""None: it is done. Otherwise it is done once awaited."""


# Who is there ------------------------------------------------------------------------------------


class Account:
    """A local account with at least one connected resource.

    jid        bare address
    resources  by resourcepart, in the order they were bound
    leaving    those that nothing is delivered to any more, and of which not all is said yet
    incoming   handlers that see every stanza to the account first, in a server; assign a new tuple
    outgoing   likewise for every stanza from the account, also those that features send for it
    state      what features keep for as long as a resource is connected, by the feature's name
    """

    __slots__ = ("incoming", "jid", "leaving", "outgoing", "resources", "state")

    def __init__(self, jid: JID) -> None:
        self.jid = jid
        self.resources: dict[str, Resource] = {}
        self.leaving: tuple[Resource, ...] = ()
        self.incoming: tuple[PassageHandler, ...] = ()
        self.outgoing: tuple[PassageHandler, ...] = ()
        self.state: dict[str, Any] = {}


class Resource:
    """A connected resource (RFC 6120 section 7).

    jid         full address
    account     the account it belongs to
    priority    that of its last available presence; None while it is not available
    presence    its last available presence without `to`; None while it is not available
    interested  whether it asked for the roster (RFC 6121 section 2.1.3)
    state       what features keep for the session, by the feature's name
    """

    __slots__ = ("_state", "account", "interested", "jid", "presence", "priority")

    def __init__(self, jid: JID, account: Account) -> None:
        self.jid = jid
        self.account = account
        self.priority: int | None = None
        self.presence: Stanza | None = None
        self.interested = False
        self._state: dict[str, Any] | None = None

    @property
    def state(self) -> dict[str, Any]:
        """What features keep; most sessions never have any."""
        if self._state is None:
            self._state = {}
        return self._state

    send: Callable[[bytes], None]
    """Queue a serialized stanza; it goes out with the loop's turn. Never blocks."""

    def arriving(self, count: int) -> Awaitable[int] | None:
        """How many of the last stanzas got to the connection, once that is known; None: all.

        The others, which came after those, were not delivered: whoever sent them still has them.
        """
        return None

    @abstractmethod
    def end(self, condition: StreamCondition, text: str = "") -> None:
        """Close the stream with an error (RFC 6120 section 4.9)."""


class Accounts(Protocol):
    """The accounts of a server; addresses are bare."""

    def exists(self, account: JID) -> Awaitable[bool]:
        """Whether there is such an account."""

    async def create(self, account: JID, password: str) -> bool:
        """Make an account; False if there is one. ValueError for a password nobody can have."""

    async def set_password(self, account: JID, password: str) -> bool:
        """Change a password; False if there is no such account. ValueError as above."""

    async def remove(self, account: JID) -> bool:
        """End its sessions, forget all that is kept for it; False if there is no such account."""

    async def names(self, after: str = "", limit: int = 1000) -> list[JID]:
        """The next accounts in order of their text, which is greater than `after`."""


class Host(Protocol):
    """What a server or a client offers its features."""

    @property
    def domain(self) -> JID:
        """The server's own address, or the one the client is connected to."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def new_id(self) -> str:
        """A fresh unpredictable id."""

    def is_local(self, jid: JID) -> bool:
        """Whether the address is of an account here, existing or not."""

    def has(self, jid: JID) -> bool:
        """Whether this process works for that account: it may keep its state in memory."""

    def is_connected(self, jid: JID) -> bool:
        """Whether an account may have connected resources, here or in another process."""

    @property
    def accounts(self) -> Accounts:
        """The accounts of a server; a client has none."""

    async def exists(self, jid: JID) -> bool:
        """Whether there is such a local account; `jid` may be full."""

    def account(self, jid: JID) -> Account | None:
        """The account of that address (bare or full) if any of its resources is connected."""

    def route(
        self, stanza: Stanza, sender: JID, to: JID, resource: Resource | None = None
    ) -> Outcome:
        """Pass a stanza on: to a local account, or to another server.

        sender, to  what it is stamped with; attributes of the stanza itself don't count
        resource    the session it comes from, where `sender` does not say: it gets the error

        Raises nothing. What can't be delivered is answered to the sender as RFC 6120 says.
        """

    def broadcast(self, stanza: Stanza, sender: JID, contacts: Iterable[JID]) -> list[Outcome]:
        """`route` to many: what they get is written once, but for `to`.

        stanza    names nobody
        contacts  bare addresses
        """

    def announced(self, target: Target) -> Disco:
        """What all features together say about a target (XEP-0030)."""

    def request(
        self, to: JID, type: str, payload: ET.Element, sender: JID | None = None
    ) -> Awaitable[Stanza]:
        """Send an iq and wait for its answer.

        sender  the resource it is from; by default this host itself

        Raises StanzaError for an error, and TimeoutError without an answer.
        """


# Requests ----------------------------------------------------------------------------------------


class Target(Enum):
    """Whom an iq is for."""

    SERVER = auto()
    """The server's own address."""
    ACCOUNT = auto()
    """A bare address, or none: the server answers for the account (RFC 6121 section 8.5.2)."""
    CLIENT = auto()
    """A full address; only a client answers for it."""
    STREAM = auto()
    """The server, before authentication: in-band registration."""


class Request:
    """An iq of type get or set that is to be answered.

    stanza    as received
    payload   its one child
    sender    who sent it, as stamped
    to        whom it is for: the sender's own bare address if it named nobody
    resource  the sender's session if that is a local resource
    """

    __slots__ = ("_send", "answered", "payload", "resource", "sender", "stanza", "to")

    def __init__(
        self,
        stanza: Stanza,
        sender: JID,
        to: JID,
        resource: Resource | None,
        send: Callable[[Request, ET.Element | None], None],
    ) -> None:
        self.stanza = stanza
        self.payload: Element = stanza[0]
        self.sender = sender
        self.to = to
        self.resource = resource
        self.answered = False
        self._send = send

    @property
    def own(self) -> bool:
        """Whether the sender asks for the account it is itself."""
        return self.sender.bare == self.to

    def require_own(self) -> None:
        """Raise StanzaError `forbidden` unless the sender asks for its own account."""
        if not self.own:
            raise StanzaError(StanzaCondition.FORBIDDEN)

    def answer(self, payload: ET.Element | None = None) -> None:
        """Send the result now, for a handler that goes on afterwards; it then returns None."""
        if self.answered:
            raise RuntimeError("this request has been answered")
        self.answered = True
        self._send(self, payload)


Payload = ET.Element | None
IqHandler = Callable[[Request], Payload | Awaitable[Payload]]
"""Returns the payload of the result, None for an empty one. Raises StanzaError for an error."""


# Messages and presence ---------------------------------------------------------------------------


class Passage:
    """A message, presence or iq on its way through a server.

    stanza    as received or built
    sender    who sent it, as stamped (RFC 6120 section 8.1.2.1): a full address, for subscriptions
              a bare one
    to        whom it is for: the sender's own bare address for a message that named nobody
    resource  the sender's session, if it is a local resource
    account   of `to`, if it is local and connected
    """

    __slots__ = ("_data", "account", "resource", "sender", "stanza", "to")

    def __init__(
        self,
        stanza: Stanza,
        sender: JID,
        to: JID,
        resource: Resource | None = None,
        account: Account | None = None,
    ) -> None:
        self.stanza = stanza
        self.sender = sender
        self.to = to
        self.resource = resource
        self.account = account
        self._data: bytes | None = None

    @property
    def data(self) -> bytes:
        """What a receiver is sent: the stanza with `from` stamped, and `to` if it had none.

        Written once, the same bytes for all receivers.
        """
        if self._data is None:
            sender = str(self.sender)
            if self.stanza.to is None:
                self._data = self.stanza.forward(from_=sender, to=str(self.to))
            else:
                self._data = self.stanza.forward(from_=sender)
        return self._data


PassageHandler = Callable[[Passage], bool | Awaitable[bool]]
"""Returns whether the stanza is dealt with: if so, nobody else sees it.

Raises StanzaError to have it answered with that, where it may be answered.
"""


Receivers = Callable[[Account], Iterable[Resource]]

# Registrations -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OnIq:
    """Answer requests with that payload.

    tag     Clark name of the payload
    target  whom they are for
    get     handler for type get; a missing one is answered `feature-not-implemented`
    set     handler for type set, likewise
    """

    tag: str
    target: Target
    get: IqHandler | None = None
    set: IqHandler | None = None


@dataclass(frozen=True, slots=True)
class OnOutgoing:
    """See stanzas of a local resource before they are routed. `kind`: "message" or "presence"."""

    kind: str
    handler: PassageHandler


@dataclass(frozen=True, slots=True)
class OnIncoming:
    """See stanzas to local accounts, existing or not. `kind`: "message", "presence" or "iq".

    Messages to the full address of a connected resource are not among them: they go straight there
    (RFC 6121 section 8.5.3.1). Who must see those too puts a handler into `Account.incoming`. Of
    iqs there are only requests to the bare address of an account that exists and isn't connected.

    absent     whether it sees only those to accounts that aren't connected
    receivers  the resources of a connected account that get what is broadcast to its bare address,
               if sending it to them is all that the handler does: then it need not be called
    """

    kind: str
    handler: PassageHandler
    absent: bool = False
    receivers: Receivers | None = None


@dataclass(frozen=True, slots=True)
class OnSession:
    """Be told of sessions.

    start  after a resource was chosen, before the client learns it: nothing is delivered yet, and
           what the feature needs in memory is loaded now. All features' begin before the first of
           them is waited for
    end    when the stream is over, for whatever reason: the resource has left its account, and is
           otherwise as it was
    """

    start: Callable[[Resource], Outcome] | None = None
    end: Callable[[Resource], Outcome] | None = None


@dataclass(frozen=True, slots=True)
class OnAccount:
    """Be told of accounts.

    removed   an account was removed: forget what is kept of its bare address
    refilled  another process may have stored messages for an account that is connected here
    released  another process may have an account's state from now on: keep none of it in memory
    """

    removed: Callable[[JID], Outcome] | None = None
    refilled: Callable[[Account], Outcome] | None = None
    released: Callable[[JID], None] | None = None


@dataclass(frozen=True, slots=True)
class Disco:
    """What service discovery (XEP-0030) says about a target: `var`s of features, identities.

    identities  (category, type, name)
    """

    target: Target
    features: tuple[str, ...] = ()
    identities: tuple[tuple[str, str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class StreamFeature:
    """An element for the server's `<stream:features/>`, before or after authentication."""

    element: ET.Element
    authenticated: bool = True


Registration = OnIq | OnOutgoing | OnIncoming | OnSession | OnAccount | Disco | StreamFeature


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature as it is installed.

    name   unique, the name of its file
    after  names of features whose handlers are called before this one's, where they are installed;
           otherwise the order is that of the list of features, and for `OnSession.end` its reverse
    """

    name: str
    registrations: tuple[Registration, ...] = field(default=())
    after: tuple[str, ...] = ()


def ordered(features: Iterable[Feature]) -> list[Feature]:
    """Features in the order their handlers are called. ValueError for a name twice, or a cycle."""
    by_name: dict[str, Feature] = {}
    for feature in features:
        if feature.name in by_name:
            raise ValueError(f"there are two features {feature.name!r}")
        by_name[feature.name] = feature
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for feature in by_name.values():
        sorter.add(feature.name, *(name for name in feature.after if name in by_name))
    try:
        sorter.prepare()
    except CycleError as error:
        raise ValueError(f"features wait for each other: {', '.join(error.args[1])}") from None
    place = {name: index for index, name in enumerate(by_name)}
    result: list[Feature] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=place.__getitem__)
        name = ready.pop(0)
        result.append(by_name[name])
        sorter.done(name)
    return result
