"""What a client offers its features, and how it answers and asks."""

from __future__ import annotations

import asyncio
import logging
import secrets
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from ..core.dispatch import (
    Account,
    Accounts,
    Disco,
    Feature,
    IqHandler,
    OnIq,
    Outcome,
    Passage,
    Request,
    Resource,
    Target,
)
from ..core.dispatcher import Dispatcher, as_stanza_error
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID, InvalidJID
from ..core.stanza import answerable, error_reply, received_error, result, serialize, stanza
from ..xml import Stanza

log = logging.getLogger("xmppfast.client")


class ClientHost:
    """The client as its features see it (`core.dispatch.Host`).

    jid      own address: bare until there is a session
    send     sends a serialized stanza; raises ConnectionError without a session
    deliver  is given messages and presence that no feature dealt with, and who sent them
    timeout  seconds to wait for an answer
    """

    def __init__(
        self,
        account: JID,
        send: Callable[[bytes], None],
        deliver: Callable[[Stanza, JID], None],
        timeout: float,
    ) -> None:
        self.jid = account
        self.timeout = timeout
        self._send = send
        self._deliver = deliver
        self._features: list[Feature] = []
        self._answers: dict[str, dict[str, IqHandler]] = {}
        self._dispatcher = Dispatcher(())
        self._waiting: dict[tuple[str, JID], asyncio.Future[Stanza]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def install(self, features: Iterable[Feature]) -> None:
        """Add features. ValueError for those in each other's way."""
        self._features += features
        self._build()

    def answer(self, tag: str, type: str, handler: IqHandler) -> None:
        """Have requests with that payload answered. ValueError if somebody does already."""
        handlers = {**self._answers.get(tag, {}), type: handler}
        self._answers[tag] = handlers
        self._build()

    def _build(self) -> None:
        answers = tuple(
            OnIq(tag, Target.CLIENT, **handlers) for tag, handlers in self._answers.items()
        )
        self._dispatcher = Dispatcher([*self._features, Feature("answers", answers)])

    def receive(self, received: Stanza) -> None:
        """Take a stanza of the server."""
        try:
            sender = self.jid.bare if received.from_ is None else JID.parse(received.from_)
        except InvalidJID as error:
            log.warning("a stanza from no address: %s", error)
            return
        if received.name == "iq":
            self._iq(received, sender)
            return
        passage = Passage(received, sender, self.jid)
        self._guard(
            received,
            lambda: self._dispatcher.pass_on(
                passage, self._dispatcher.incoming[received.name], self._then
            ),
            sender,
        )

    def disconnected(self) -> None:
        """Fail those who wait for answers."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the session ended before the answer came"))

    async def close(self) -> None:
        """Stop what features are doing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Host ----------------------------------------------------------------------------------------

    @property
    def domain(self) -> JID:
        """`Host.domain`."""
        return JID(None, self.jid.domain)

    def now(self) -> datetime:
        """`Host.now`."""
        return datetime.now(UTC)

    def new_id(self) -> str:
        """`Host.new_id`."""
        return secrets.token_urlsafe(12)

    def has(self, jid: JID) -> bool:
        """`Host.has`."""
        return self.is_local(jid)

    def is_connected(self, jid: JID) -> bool:
        """`Host.is_connected`."""
        return self.is_local(jid)

    def is_local(self, jid: JID) -> bool:
        """`Host.is_local`: a client has its own account only."""
        return jid.bare == self.jid.bare

    @property
    def accounts(self) -> Accounts:
        """`Host.accounts`: there are none. RuntimeError."""
        raise RuntimeError("a client keeps no accounts")

    async def exists(self, jid: JID) -> bool:
        """`Host.exists`."""
        return self.is_local(jid)

    def account(self, jid: JID) -> Account | None:
        """`Host.account`: a client does not keep resources."""
        return None

    def announced(self, target: Target) -> Disco:
        """`Host.announced`."""
        return self._dispatcher.announced(target)

    def route(
        self, stanza: Stanza, sender: JID, to: JID, resource: Resource | None = None
    ) -> Outcome:
        """`Host.route`: everything goes to the server."""
        try:
            self._send(stanza.forward(from_=None, to=str(to)))
        except ConnectionError as error:
            log.info("not sent: %s", error)
        return None

    def broadcast(self, stanza: Stanza, sender: JID, contacts: Iterable[JID]) -> list[Outcome]:
        """`Host.broadcast`."""
        return [self.route(stanza, sender, contact) for contact in contacts]

    async def request(
        self, to: JID | None, type: str, payload: ET.Element, sender: JID | None = None
    ) -> Stanza:
        """`Host.request`; `to` None is the own account."""
        id = self.new_id()
        # Section 8.1.2.1 of RFC 6120: an answer without `from` is the own account's.
        key = (id, self.jid.bare if to is None else to)
        answer: asyncio.Future[Stanza] = asyncio.get_running_loop().create_future()
        self._waiting[key] = answer
        try:
            self._send(serialize(stanza("iq", payload, to=to, type=type, id=id)))
            async with asyncio.timeout(self.timeout):
                received = await answer
        except TimeoutError:
            raise TimeoutError(f"no answer from {key[1]} in {self.timeout:g} seconds") from None
        finally:
            del self._waiting[key]
        if received.type == "error":
            raise received_error(received)
        return received

    # ---------------------------------------------------------------------------------------------

    def _then(self, passage: Passage) -> Outcome:
        self._deliver(passage.stanza, passage.sender)
        return None

    def _iq(self, received: Stanza, sender: JID) -> None:
        if received.type in ("result", "error"):
            waiting = self._waiting.get((received.id or "", sender))
            if waiting is not None and not waiting.done():
                waiting.set_result(received)
            return
        self._guard(received, lambda: self._ask(received, sender), sender)

    def _ask(self, received: Stanza, sender: JID) -> Outcome:
        if received.type not in ("get", "set") or not received.id or len(received) != 1:
            raise StanzaError(StanzaCondition.BAD_REQUEST)
        request = Request(received, sender, self.jid, None, self._answer)
        return self._dispatcher.answer(request, Target.CLIENT)

    def _answer(self, request: Request, payload: ET.Element | None) -> None:
        received = request.stanza
        self._send(result(received.id or "", payload, to=received.from_))

    def _guard(self, received: Stanza, work: Callable[[], Outcome], sender: JID) -> None:
        """Do something a feature may fail at: the sender learns of that."""
        try:
            outcome = work()
        except Exception as error:
            self._refuse(received, error)
            return
        if outcome is not None:
            task = asyncio.ensure_future(self._wait(received, outcome))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _wait(self, received: Stanza, outcome: Awaitable[None]) -> None:
        try:
            await outcome
        except Exception as error:
            self._refuse(received, error)

    def _refuse(self, received: Stanza, error: Exception) -> None:
        if isinstance(error, ConnectionError):
            return
        refused = as_stanza_error(error, received)
        # A presence is not answered with what a client of ours did wrong (RFC 6121 section 4).
        if received.name == "iq" and answerable(received):
            reply = error_reply(received, refused, to=received.from_, from_=None)
            try:
                self._send(reply)
            except ConnectionError as lost:
                log.info("not answered: %s", lost)
