"""The way of stanzas through a server (RFC 6120 sections 8 and 10)."""

from __future__ import annotations

import re
import secrets
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Awaitable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ..core.dispatch import Accounts, Outcome, Passage, Request, Resource, Target
from ..core.dispatcher import Dispatcher, as_stanza_error
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID, InvalidJID
from ..core.namespaces import CLIENT
from ..core.stanza import answerable, error_reply, result
from ..protocol.stream import unexpected
from ..xml import Stanza, escape, parse
from .registry import Registry
from .requests import Requests
from .session import Session

if TYPE_CHECKING:
    from .neighbours import Neighbours

_MESSAGE: Final = f"{{{CLIENT}}}message"
_PRESENCE: Final = f"{{{CLIENT}}}presence"
_IQ: Final = f"{{{CLIENT}}}iq"

_NAME: Final = re.compile(rb"<[^\s/>]+")

# Stands where `to` will be. Nobody else knows it, so it is nowhere else in a stanza.
_SOMEBODY: Final = secrets.token_hex(16)

_IQ_TYPES: Final = frozenset({"get", "set", "result", "error"})
_SUBSCRIPTIONS: Final = frozenset({"subscribe", "subscribed", "unsubscribe", "unsubscribed"})
_PRESENCE_TYPES: Final = _SUBSCRIPTIONS | {None, "unavailable", "probe", "error"}


class Router:
    """Takes the stanzas of sessions and features to where they belong.

    straight  messages of sessions that went straight to a connected address
    handled   all other stanzas of sessions, by kind
    """

    def __init__(
        self,
        domain: JID,
        registry: Registry,
        dispatcher: Dispatcher,
        accounts: Accounts,
        requests: Requests,
    ) -> None:
        self._domain = domain
        self._registry = registry
        self._sessions = registry.sessions
        self._dispatcher = dispatcher
        self._accounts = accounts
        self._requests = requests
        self.neighbours: Neighbours | None = None
        self.straight = 0
        self.handled: Counter[str] = Counter()
        self._straight = not dispatcher.outgoing["message"]
        self._receivers = dispatcher.receivers["presence"]

    # From a session ------------------------------------------------------------------------------

    def accept(self, session: Session, stanza: Stanza) -> Outcome:
        """Take a stanza of a session. Raises nothing, whatever is wrong with it.

        A message to a connected full address passes through the first lines and is done; what
        costs time for each stanza is not for here.
        """
        tag = stanza.tag
        if tag == _MESSAGE:
            receiver = self._sessions.get(stanza.to)  # type: ignore[arg-type]
            if (
                receiver is not None
                and self._straight
                and not receiver.account.incoming
                and not session.account.outgoing
            ):
                data = stanza.forward(from_=session.address)
                if session.lang is not None and stanza.lang is None:
                    data = _with_lang(data, session.lang)
                receiver.send(data)
                self.straight += 1
                return None
        elif tag == _IQ:
            if not _valid_iq(stanza):
                self._refuse(session, stanza, StanzaError(StanzaCondition.BAD_REQUEST))
                return None
        elif tag == _PRESENCE:
            if stanza.type not in _PRESENCE_TYPES:
                self._refuse(session, stanza, StanzaError(StanzaCondition.BAD_REQUEST))
                return None
        else:
            left = session.stream.receive(stanza)
            if left is not None:
                session.stream.fail(unexpected(stanza))
            return None
        if self.neighbours is not None and tag == _IQ:
            # An answer says that what came before was taken; no other process may still lose it.
            unsettled = self.neighbours.unsettled.of(session.address)
            if unsettled is not None:
                return self._accept_later(unsettled, session, stanza)
        return self._try(session, stanza)

    async def _accept_later(
        self, unsettled: Awaitable[None], session: Session, stanza: Stanza
    ) -> None:
        await unsettled
        outcome = self._try(session, stanza)
        if outcome is not None:
            await outcome

    def _try(self, session: Session, stanza: Stanza) -> Outcome:
        try:
            outcome = self._accept(session, stanza)
        except Exception as error:
            self._refuse(session, stanza, as_stanza_error(error, stanza))
            return None
        return None if outcome is None else self._finish(session, stanza, outcome)

    def _accept(self, session: Session, stanza: Stanza) -> Outcome:
        if session.lang is not None and stanza.lang is None:
            stanza = parse(_with_lang(stanza.forward(xmlns=CLIENT), session.lang))
        name = stanza.name
        self.handled[name] += 1
        subscription = name == "presence" and stanza.type in _SUBSCRIPTIONS
        if name == "presence" and stanza.to is None and self.neighbours is not None:
            self.neighbours.guests.changing(session.account)
        sender = session.jid.bare if subscription else session.jid
        passage = Passage(stanza, sender, _address(stanza, session.jid.bare), session)
        handlers = (*session.account.outgoing, *self._dispatcher.outgoing[name])
        return self._dispatcher.pass_on(passage, handlers, self.deliver)

    async def _finish(self, session: Session, stanza: Stanza, outcome: Awaitable[None]) -> None:
        try:
            await outcome
        except Exception as error:
            self._refuse(session, stanza, as_stanza_error(error, stanza))

    def _refuse(self, session: Session, stanza: Stanza, error: StanzaError) -> None:
        if answerable(stanza):
            session.send(error_reply(stanza, error, to=session.address, from_=stanza.to))

    # From a feature ------------------------------------------------------------------------------

    def route(
        self, stanza: Stanza, sender: JID, to: JID, resource: Resource | None = None
    ) -> Outcome:
        """`Host.route`."""
        passage = Passage(stanza, sender, to, resource)
        account = self._registry.accounts.get(str(sender.bare))
        try:
            if account is not None and account.outgoing:
                outcome = self._dispatcher.pass_on(passage, account.outgoing, self.deliver)
            else:
                outcome = self.deliver(passage)
        except Exception as error:
            self.refuse(passage, as_stanza_error(error, stanza))
            return None
        return None if outcome is None else self._finish_routed(passage, outcome)

    def broadcast(self, stanza: Stanza, sender: JID, contacts: Iterable[JID]) -> list[Outcome]:
        """`Host.broadcast`.

        Presence to a connected account passes through the first lines of the loop and is done, if
        neither side has handlers of its own.
        """
        accounts, receivers = self._registry.accounts, self._receivers
        own = accounts.get(str(sender.bare))
        if receivers is None or stanza.name != "presence" or (own is not None and own.outgoing):
            return [self.route(stanza, sender, contact) for contact in contacts]
        outcomes: list[Outcome] = []
        data = stanza.forward(from_=str(sender), to=_SOMEBODY)
        before, _, after = data.partition(_SOMEBODY.encode())
        for contact in contacts:
            text = str(contact)
            account = accounts.get(text)
            if account is not None and not account.incoming:
                # Nothing in a bare address needs escaping (RFC 7622 section 3.3.1).
                data = before + text.encode() + after
                for resource in receivers(account):
                    resource.send(data)
            else:
                outcomes.append(self.route(stanza, sender, contact))
        return outcomes

    async def _finish_routed(self, passage: Passage, outcome: Awaitable[None]) -> None:
        try:
            await outcome
        except Exception as error:
            self.refuse(passage, as_stanza_error(error, passage.stanza))

    def refuse(self, passage: Passage, error: StanzaError) -> None:
        """An error for whoever sent the stanza, if it is a connected resource."""
        if not answerable(passage.stanza):
            return
        to = passage.sender if passage.resource is None else passage.resource.jid
        reply = error_reply(passage.stanza, error, to=to, from_=passage.to)
        if passage.resource is not None:
            passage.resource.send(reply)
        else:
            self._reply(reply, to, passage.to)

    def _reply(self, data: bytes, receiver: JID, sender: JID) -> None:
        """Send an answer to a resource, wherever it is connected; to nobody if it isn't."""
        session = self._sessions.get(str(receiver))
        if session is not None:
            session.send(data)
        elif self.neighbours is not None and receiver.resource is not None:
            self.neighbours.answer(data, receiver, sender)

    # To an address -------------------------------------------------------------------------------

    def deliver(self, passage: Passage) -> Outcome:
        """Take a stamped stanza to its address. Raises StanzaError for its sender."""
        to = passage.to
        if to.domain != self._domain.domain:
            raise StanzaError(StanzaCondition.REMOTE_SERVER_NOT_FOUND)
        if to.local is None:
            return self._to_server(passage)
        if self.neighbours is not None:
            bare = str(to.bare)
            if bare not in self._registry.accounts or bare in self.neighbours.ways:
                return self.neighbours.deliver(passage)
        return self.here(passage)

    def here(self, passage: Passage) -> Outcome:
        """Take a stanza to an account that is this process's own to look after."""
        account = passage.account = self._registry.accounts.get(str(passage.to.bare))
        if account is not None and account.incoming:
            return self._dispatcher.pass_on(passage, account.incoming, self._to_account)
        return self._to_account(passage)

    def _to_account(self, passage: Passage) -> Outcome:
        name = passage.stanza.name
        if name == "presence":
            return self._to_handlers(passage)
        resource = self._sessions.get(str(passage.to))
        if resource is not None:
            resource.send(passage.data)
            return None
        if name == "message":
            return self._to_handlers(passage)
        return self._iq(passage)

    def _to_handlers(self, passage: Passage) -> Outcome:
        known = self._dispatcher
        handlers = (known.incoming if passage.account is None else known.to_connected)[
            passage.stanza.name
        ]
        return self._dispatcher.pass_on(passage, handlers, _undeliverable)

    def _to_server(self, passage: Passage) -> Outcome:
        if passage.stanza.name == "iq":
            return self._answer(passage, Target.SERVER)
        return self._to_handlers(passage)

    # Requests ------------------------------------------------------------------------------------

    def _iq(self, passage: Passage) -> Outcome:
        """An iq for no connected resource (RFC 6121 sections 8.5.1, 8.5.2 and 8.5.3.2.3)."""
        if passage.to.resource is not None:
            if passage.stanza.type in ("get", "set"):
                raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
            return None
        if passage.account is None and passage.stanza.type in ("get", "set"):
            return self._answer_if_exists(passage)
        return self._answer(passage, Target.ACCOUNT)

    async def _answer_if_exists(self, passage: Passage) -> None:
        if not await self._accounts.exists(passage.to.bare):
            raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
        outcome = self._dispatcher.pass_on(
            passage,
            self._dispatcher.incoming["iq"],
            lambda passage: self._answer(passage, Target.ACCOUNT),
        )
        if outcome is not None:
            await outcome

    def _answer(self, passage: Passage, target: Target) -> Outcome:
        if passage.stanza.type in ("result", "error"):
            self._requests.answered(passage.stanza, passage.sender)
            return None
        request = Request(
            passage.stanza, passage.sender, passage.to, passage.resource, self._send_result
        )
        return self._dispatcher.answer(request, target)

    def _send_result(self, request: Request, payload: ET.Element | None) -> None:
        stanza = request.stanza
        answer = result(stanza.id or "", payload, to=request.sender, from_=stanza.to)
        if request.resource is not None:
            request.resource.send(answer)
        else:
            self._reply(answer, request.sender, request.to)


def _address(stanza: Stanza, default: JID) -> JID:
    if stanza.to is None:
        return default
    try:
        return JID.parse(stanza.to)
    except InvalidJID as error:
        raise StanzaError(StanzaCondition.JID_MALFORMED, str(error)) from None


def _valid_iq(stanza: Stanza) -> bool:
    """RFC 6120 section 8.2.3."""
    type = stanza.type
    if type not in _IQ_TYPES or not stanza.id:
        return False
    if type == "result":
        return len(stanza) <= 1
    return type == "error" or len(stanza) == 1


def _undeliverable(passage: Passage) -> None:
    """Nobody wanted it: presence is silent, a message is answered."""
    if passage.stanza.name == "message":
        raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)


def _with_lang(data: bytes, lang: str) -> bytes:
    """The bytes of a stanza that has no `xml:lang` with one."""
    at = 8 if data.startswith(b"<message ") else _NAME.match(data).end()  # type: ignore[union-attr]
    return data[:at] + _lang_attribute(lang) + data[at:]


@lru_cache(maxsize=256)
def _lang_attribute(lang: str) -> bytes:
    return f" xml:lang='{escape(lang)}'".encode()
