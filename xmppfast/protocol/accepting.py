"""What a server negotiates before there is a session: TLS, SASL and resource binding.

`Accepting` takes the events of a stream and says what it wants done. Whoever drives it does that,
in its own time and without feeding events meanwhile, and tells it the outcome:

| wanted     | what to do                                       | then call                |
| ---------- | ------------------------------------------------ | ------------------------ |
| `StartTls` | check that nothing came behind it, else `refuse` | `proceed`                |
|            | negotiate TLS                                    | `secured`                |
| `Respond`  | ask `mechanism.respond(data)`, or await it       | `responded`              |
| `Ask`      | answer an iq that comes before authentication    |                          |
| `Bind`     | find a resource for the account                  | `bound` or `not_bound`   |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ..core.errors import SaslCondition, SaslError, StanzaCondition, StanzaError
from ..core.jid import JID, InvalidJID
from ..core.namespaces import BIND, CLIENT, SASL, TLS
from ..core.stanza import error_reply
from ..xml import Stanza, StreamCondition, StreamEnd, StreamError, StreamStart
from . import features
from .sasl.interface import Challenge, ServerMechanism, ServerMechanisms, Success
from .stream import Phase, ReceivingStream, unexpected


@dataclass(frozen=True, slots=True)
class StartTls:
    """The client wants TLS."""


@dataclass(frozen=True, slots=True)
class Respond:
    """The client wants to authenticate; `data` is for `mechanism`."""

    mechanism: ServerMechanism
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Ask:
    """The client sent an iq before authentication, which is for registration only."""

    stanza: Stanza


@dataclass(frozen=True, slots=True)
class Bind:
    """The client wants a resource; `jid` is bare if it leaves the choice to the server."""

    jid: JID


Want = StartTls | Respond | Ask | Bind


@dataclass(frozen=True, slots=True)
class Terms:
    """What a server offers and demands, the same for all streams of a kind.

    tls_offered   STARTTLS is possible
    tls_required  nothing else is, before TLS
    attempts      failed authentications before the stream is closed (RFC 6120 section 6.4.5)
    register      requests before authentication are asked about, not refused
    before        further features, serialized, before authentication
    after         further features, serialized, after it
    most_bytes    of one element or header until there is a session, as far as it is not less than
                  the stream's own limit (RFC 6120 section 13.12)
    """

    tls_offered: bool = True
    tls_required: bool = True
    attempts: int = 3
    register: bool = False
    before: bytes = b""
    after: bytes = b""
    most_bytes: int = 10_000


class _Step(Enum):
    UNAUTHENTICATED = auto()
    UPGRADING = auto()
    AUTHENTICATING = auto()
    RESPONDING = auto()
    AUTHENTICATED = auto()
    BINDING = auto()
    BOUND = auto()


_AUTH: Final = f"{{{SASL}}}auth"
_RESPONSE: Final = f"{{{SASL}}}response"
_ABORT: Final = f"{{{SASL}}}abort"
_STARTTLS: Final = f"{{{TLS}}}starttls"
_IQ: Final = f"{{{CLIENT}}}iq"

# Who handles an element. What is not here is an error of the stream.
_RULES: Final = {
    (_Step.UNAUTHENTICATED, _STARTTLS): "_starttls",
    (_Step.UNAUTHENTICATED, _AUTH): "_auth",
    (_Step.UNAUTHENTICATED, _RESPONSE): "_out_of_turn",
    (_Step.UNAUTHENTICATED, _ABORT): "_out_of_turn",
    (_Step.UNAUTHENTICATED, _IQ): "_ask",
    (_Step.AUTHENTICATING, _RESPONSE): "_response",
    (_Step.AUTHENTICATING, _ABORT): "_abort",
    (_Step.AUTHENTICATING, _AUTH): "_out_of_turn",
    (_Step.AUTHENTICATED, _IQ): "_bind",
}


class Accepting:
    """Negotiation as a server.

    stream      the stream, which has this object's events
    terms       what is offered and demanded
    mechanisms  gives the SASL mechanisms that suit the connection as it is now
    secure      whether TLS is active already
    """

    def __init__(
        self,
        stream: ReceivingStream,
        terms: Terms,
        mechanisms: Callable[[], ServerMechanisms],
        secure: bool = False,
    ) -> None:
        self._stream = stream
        self._terms = terms
        self._new_mechanisms = mechanisms
        self._mechanisms: ServerMechanisms | None = None
        self._mechanism: ServerMechanism | None = None
        self._secure = secure
        self._failures = 0
        self._step = _Step.UNAUTHENTICATED
        self._request: Stanza | None = None
        self.account: JID | None = None
        # Bytes of what is not complete yet.
        self._unread = 0

    def fed(self, size: int) -> None:
        """So much was fed, and what was complete received: StreamError if there is no end of it."""
        self._unread += size
        if self._unread > self._terms.most_bytes:
            raise self._too_large()

    def _too_large(self) -> StreamError:
        return StreamError(
            StreamCondition.POLICY_VIOLATION,
            f"more than {self._terms.most_bytes} bytes before there is a session",
        )

    def receive(self, event: StreamStart | Stanza | StreamEnd) -> Want | None:
        """Take an event of the stream. Raises StreamError for an element that is too large."""
        if isinstance(event, Stanza) and len(event.raw) > self._terms.most_bytes:
            raise self._too_large()
        self._unread -= len(event.raw) if not isinstance(event, StreamEnd) else 0
        left = self._stream.receive(event)
        if left is None or self._stream.phase is not Phase.OPEN:
            return None
        if isinstance(left, StreamStart):
            if self._stream.features_expected:
                self._offer()
            return None
        handler = _RULES.get((self._step, left.tag))
        if handler is None:
            self._stream.fail(unexpected(left))
            return None
        want: Want | None = getattr(self, handler)(left)
        return want

    # Features ------------------------------------------------------------------------------------

    def _offer(self) -> None:
        terms = self._terms
        if self._step is _Step.AUTHENTICATED:
            parts = [features.BIND_OFFER, features.SESSION_OFFER, terms.after]
        else:
            self._mechanisms = self._new_mechanisms()
            parts = []
            if terms.tls_offered and not self._secure:
                parts.append(
                    features.STARTTLS_REQUIRED if terms.tls_required else features.STARTTLS
                )
            if self._may_authenticate:
                if names := self._mechanisms.names():
                    parts.append(features.mechanisms(names))
                if types := self._mechanisms.channel_bindings():
                    parts.append(features.channel_bindings(types))
                parts.append(terms.before)
        self._stream.write(features.features(parts))

    @property
    def _may_authenticate(self) -> bool:
        return self._secure or not self._terms.tls_required

    # TLS -----------------------------------------------------------------------------------------

    def _starttls(self, element: Stanza) -> Want | None:
        if self._secure or not self._terms.tls_offered:
            # RFC 6120 section 5.4.2.2: a failure, then the end of the stream.
            self._stream.write(features.TLS_FAILURE)
            self._stream.close()
            return None
        self._step = _Step.UPGRADING
        return StartTls()

    def refuse(self) -> None:
        """Something came behind `<starttls/>` that TLS does not protect."""
        self._stream.fail(
            StreamError(StreamCondition.POLICY_VIOLATION, "nothing may follow <starttls/>")
        )

    def proceed(self) -> None:
        """Tell the client to begin with TLS."""
        self._stream.write(features.PROCEED)

    def secured(self) -> None:
        """TLS is active: what was learned before it is forgotten."""
        self._secure = True
        self._failures = self._unread = 0
        self._step = _Step.UNAUTHENTICATED
        self._stream.secured()

    # SASL ----------------------------------------------------------------------------------------

    def _auth(self, element: Stanza) -> Want | None:
        try:
            if not self._may_authenticate:
                raise SaslError(SaslCondition.ENCRYPTION_REQUIRED)
            if self._mechanisms is None:
                raise SaslError(SaslCondition.INVALID_MECHANISM)
            data = features.sasl_data(element)
            self._mechanism = self._mechanisms.start(element.get("mechanism", ""))
        except SaslError as error:
            self._failed(error)
            return None
        return self._respond(data)

    def _response(self, element: Stanza) -> Want | None:
        try:
            # In a response, no data and empty data are the same.
            data = features.sasl_data(element) or b""
        except SaslError as error:
            self._failed(error)
            return None
        return self._respond(data)

    def _respond(self, data: bytes | None) -> Want:
        assert self._mechanism is not None
        self._step = _Step.RESPONDING
        return Respond(self._mechanism, data)

    def _abort(self, element: Stanza) -> None:
        self._failed(SaslError(SaslCondition.ABORTED))

    def _out_of_turn(self, element: Stanza) -> None:
        self._failed(
            SaslError(SaslCondition.MALFORMED_REQUEST, f"<{element.name}/> is not expected now")
        )

    def responded(self, outcome: Challenge | Success | SaslError) -> None:
        """Take what the mechanism said."""
        match outcome:
            case Challenge(data):
                self._step = _Step.AUTHENTICATING
                self._stream.write(features.sasl("challenge", data))
            case Success(username, data):
                try:
                    self.account = JID(username, str(self._stream.domain))
                except InvalidJID:
                    self._failed(SaslError(SaslCondition.NOT_AUTHORIZED))
                    return
                self._mechanism = self._mechanisms = None
                self._step = _Step.AUTHENTICATED
                self._stream.write(features.sasl("success", data))
                self._stream.restart()
            case SaslError():
                self._failed(outcome)

    def _failed(self, error: SaslError) -> None:
        self._mechanism = None
        self._step = _Step.UNAUTHENTICATED
        self._stream.write(features.sasl_failure(error))
        self._failures += 1
        if self._failures >= self._terms.attempts:
            self._stream.fail(
                StreamError(StreamCondition.POLICY_VIOLATION, "authentication failed too often")
            )

    # Requests ------------------------------------------------------------------------------------

    def _ask(self, stanza: Stanza) -> Want | None:
        if self._terms.register and self._may_authenticate:
            return Ask(stanza)
        self._stream.fail(unexpected(stanza))
        return None

    def _bind(self, stanza: Stanza) -> Want | None:
        """RFC 6120 section 7: with a resource of the client's choice, or the server's."""
        assert self.account is not None
        if stanza.payload != f"{{{BIND}}}bind":
            self._stream.fail(unexpected(stanza))
            return None
        self._request = stanza
        if stanza.type != "set" or not stanza.id or len(stanza) != 1:
            self.not_bound(StanzaError(StanzaCondition.BAD_REQUEST))
            return None
        resource = stanza.findtext(f"{{{BIND}}}bind/{{{BIND}}}resource")
        try:
            jid = self.account.with_resource(resource) if resource else self.account
        except InvalidJID as error:
            self.not_bound(StanzaError(StanzaCondition.BAD_REQUEST, str(error)))
            return None
        self._step = _Step.BINDING
        return Bind(jid)

    def bound(self, jid: JID) -> None:
        """Tell the client its full address; negotiation is over."""
        assert self._request is not None
        self._step = _Step.BOUND
        self._stream.write(features.bound(self._request.id or "", str(jid)))

    def not_bound(self, error: StanzaError) -> None:
        """Tell the client why not; it may ask again."""
        assert self._request is not None
        self._step = _Step.AUTHENTICATED
        self._stream.write(error_reply(self._request, error, to=None, from_=None))
