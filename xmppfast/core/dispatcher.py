"""The features that are installed, as tables: who is called for what."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

from ..xml import Stanza, tostring
from .dispatch import (
    Account,
    Disco,
    Feature,
    OnAccount,
    OnIncoming,
    OnIq,
    OnOutgoing,
    OnSession,
    Outcome,
    Passage,
    PassageHandler,
    Payload,
    Receivers,
    Request,
    Resource,
    StreamFeature,
    Target,
    ordered,
)
from .errors import StanzaCondition, StanzaError
from .jid import JID
from .stanza import KINDS

log = logging.getLogger("xmppfast")

Then = Callable[[Passage], Outcome]


class Dispatcher:
    """Tables of all registrations. Raises ValueError for two that are in each other's way.

    incoming, outgoing    handlers by the kind of stanza
    to_connected          those of `incoming` that see stanzas to connected accounts
    receivers             what stands for these, by the kind of stanza, if there is just one
    stream_features       serialized, by whether they follow authentication
    """

    def __init__(self, features: Iterable[Feature]) -> None:
        self._iq: dict[tuple[Target, str], OnIq] = {}
        self.incoming: dict[str, tuple[PassageHandler, ...]] = dict.fromkeys(KINDS, ())
        self.outgoing: dict[str, tuple[PassageHandler, ...]] = dict.fromkeys(KINDS, ())
        self.to_connected: dict[str, tuple[PassageHandler, ...]] = dict.fromkeys(KINDS, ())
        self.receivers: dict[str, Receivers | None] = dict.fromkeys(KINDS)
        self.stream_features = {False: b"", True: b""}
        self.sessions: list[OnSession] = []
        self.accounts: list[OnAccount] = []
        self._disco: dict[Target, Disco] = {target: Disco(target) for target in Target}
        for feature in ordered(features):
            for registration in feature.registrations:
                self._install(feature.name, registration)

    def _install(self, name: str, registration: object) -> None:
        match registration:
            case OnIq():
                key = (registration.target, registration.tag)
                if key in self._iq:
                    raise ValueError(f"{name}: somebody answers {registration.tag} already")
                self._iq[key] = registration
            case OnIncoming(kind, handler):
                self.incoming[kind] = (*self.incoming[kind], handler)
                if not registration.absent:
                    alone = not self.to_connected[kind]
                    self.receivers[kind] = registration.receivers if alone else None
                    self.to_connected[kind] = (*self.to_connected[kind], handler)
            case OnOutgoing(kind, handler):
                self.outgoing[kind] = (*self.outgoing[kind], handler)
            case OnSession():
                self.sessions.append(registration)
            case OnAccount():
                self.accounts.append(registration)
            case Disco(target, features, identities):
                known = self._disco[target]
                self._disco[target] = Disco(
                    target, known.features + features, known.identities + identities
                )
            case StreamFeature(element, authenticated):
                self.stream_features[authenticated] += tostring(element)
            case _:
                raise TypeError(f"{name}: {registration!r} is no registration")

    def announced(self, target: Target) -> Disco:
        """What all features together say about a target."""
        return self._disco[target]

    def asks(self, target: Target) -> bool:
        """Whether anyone answers requests to that target."""
        return any(known is target for known, _ in self._iq)

    # Requests ------------------------------------------------------------------------------------

    def answer(self, request: Request, target: Target) -> Outcome:
        """Have a request answered. Raises StanzaError, itself or awaited, for the error it gets."""
        known = self._iq.get((target, request.payload.tag))
        if known is None:
            raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
        handler = known.get if request.stanza.type == "get" else known.set
        if handler is None:
            raise StanzaError(StanzaCondition.FEATURE_NOT_IMPLEMENTED)
        payload = handler(request)
        if isinstance(payload, Awaitable):
            return self._answer_later(request, payload)
        self._answered(request, payload)
        return None

    async def _answer_later(self, request: Request, payload: Awaitable[Payload]) -> None:
        self._answered(request, await payload)

    def _answered(self, request: Request, payload: Payload) -> None:
        if not request.answered:
            request.answer(payload)

    # Messages and presence -----------------------------------------------------------------------

    def pass_on(self, passage: Passage, handlers: Sequence[PassageHandler], then: Then) -> Outcome:
        """Show a stanza to handlers in turn; `then` has it if none of them dealt with it.

        Raises what a handler raises, itself or awaited.
        """
        for index, handler in enumerate(handlers):
            done = handler(passage)
            if done is True:
                return None
            if done is not False:
                return self._pass_on_later(done, passage, handlers[index + 1 :], then)
        return then(passage)

    async def _pass_on_later(
        self,
        done: Awaitable[bool],
        passage: Passage,
        handlers: Sequence[PassageHandler],
        then: Then,
    ) -> None:
        if await done:
            return
        outcome = self.pass_on(passage, handlers, then)
        if outcome is not None:
            await outcome

    # Sessions ------------------------------------------------------------------------------------

    async def started(self, resource: Resource) -> None:
        """Tell everybody that a session begins, then wait for all; raises what the first raises."""
        begun: list[Awaitable[None]] = []
        failures: list[Exception] = []
        for known in self.sessions:
            try:
                outcome = None if known.start is None else known.start(resource)
            except Exception as error:
                failures.append(error)
                break
            if outcome is not None:
                begun.append(outcome)
        for outcome in begun:
            try:
                await outcome
            except Exception as error:
                failures.append(error)
        if failures:
            raise failures[0]

    # Accounts ------------------------------------------------------------------------------------

    async def removed(self, account: JID) -> None:
        """Tell everybody that an account is gone."""
        for registration in self.accounts:
            outcome = None if registration.removed is None else registration.removed(account)
            if outcome is not None:
                await outcome

    async def refilled(self, account: Account) -> None:
        """Tell everybody that messages may have been stored for a connected account."""
        for registration in self.accounts:
            outcome = None if registration.refilled is None else registration.refilled(account)
            if outcome is not None:
                await outcome

    def released(self, account: JID) -> None:
        """Tell everybody that another process may have an account's state from now on."""
        for registration in self.accounts:
            if registration.released is not None:
                registration.released(account)


def as_stanza_error(error: Exception, stanza: Stanza) -> StanzaError:
    """What is said about an exception of a handler: one that nobody expected is logged."""
    if isinstance(error, StanzaError):
        return error
    log.error("a handler failed on %s (%s)", stanza.name, stanza.payload, exc_info=error)
    return StanzaError(StanzaCondition.INTERNAL_SERVER_ERROR)
