"""What a client negotiates before there is a session: TLS, SASL and resource binding.

`Connecting` takes the events of a stream and says what it wants done, or how it ended:

| wanted     | what to do                            | then call  |
| ---------- | ------------------------------------- | ---------- |
| `StartTls` | check that nothing came behind it;    |            |
|            | negotiate TLS                         | `secured`  |
| `Compute`  | have the answer computed where it     |            |
|            | holds up nobody                       | `computed` |
| `Bound`    | the session may begin                 |            |
| `Failed`   | close the link                        |            |
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Final

from ..core.errors import SaslCondition, SaslError
from ..core.jid import JID, InvalidJID
from ..core.namespaces import BIND, CLIENT, SASL, SESSION, STREAM, TLS
from ..core.stanza import element, received_error, serialize, stanza
from ..xml import Element, Stanza, StreamEnd, StreamError, StreamStart
from . import features
from .accepting import StartTls
from .sasl.interface import ClientMechanism, ClientMechanisms
from .stream import InitiatingStream, Phase, unexpected


class NegotiationError(Exception):
    """Server and client have nothing in common to go on with; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Compute:
    """The server has a challenge; `answer` may take milliseconds to compute, and raise SaslError.

    Nothing more may be received until that is done.
    """

    answer: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Bound:
    """There is a session: its full address, and the features the server announced last."""

    jid: JID
    features: Element


@dataclass(frozen=True, slots=True)
class Failed:
    """There will be no session: a StreamError, SaslError, StanzaError or NegotiationError."""

    error: Exception


Want = StartTls | Compute | Bound | Failed


class Tls(Enum):
    """What a client thinks of STARTTLS."""

    REQUIRED = auto()
    OFFERED = auto()
    """Where the server offers it."""
    NEVER = auto()


class _Step(Enum):
    FEATURES = auto()
    UPGRADING = auto()
    AUTHENTICATING = auto()
    BINDING = auto()
    SESSION = auto()
    OVER = auto()


# Who handles an element. What is not here is an error of the stream.
_RULES: Final = {
    (_Step.FEATURES, f"{{{STREAM}}}features"): "_choose",
    (_Step.UPGRADING, f"{{{TLS}}}proceed"): "_upgrade",
    (_Step.UPGRADING, f"{{{TLS}}}failure"): "_no_tls",
    (_Step.AUTHENTICATING, f"{{{SASL}}}challenge"): "_respond",
    (_Step.AUTHENTICATING, f"{{{SASL}}}success"): "_authenticated",
    (_Step.AUTHENTICATING, f"{{{SASL}}}failure"): "_next_mechanism",
    (_Step.BINDING, f"{{{CLIENT}}}iq"): "_bound",
    (_Step.SESSION, f"{{{CLIENT}}}iq"): "_session",
}

# Failures that another mechanism may not have; a wrong password is wrong for all of them.
_ABOUT_MECHANISM: Final = {
    SaslCondition.ABORTED,
    SaslCondition.INVALID_MECHANISM,
    SaslCondition.MECHANISM_TOO_WEAK,
}


class Connecting:
    """Negotiation as a client.

    stream      the stream, which has this object's events
    account     the client's bare address
    mechanisms  the ways to authenticate
    resource    the resource to ask for; None leaves it to the server
    tls         what is thought of STARTTLS
    secure      whether TLS is active already
    """

    def __init__(
        self,
        stream: InitiatingStream,
        account: JID,
        mechanisms: ClientMechanisms,
        resource: str | None = None,
        tls: Tls = Tls.REQUIRED,
        secure: bool = False,
    ) -> None:
        self._stream = stream
        self._account = account
        self._mechanisms = mechanisms
        self._resource = resource
        self._tls = tls
        self._step = _Step.FEATURES
        self._features: Stanza | None = None
        self._mechanism: ClientMechanism | None = None
        self._tried: tuple[str, ...] = ()
        self._failure: SaslError | None = None
        self._is_authenticated = False
        self._jid: JID | None = None
        self._set_secure(secure)

    def start(self) -> None:
        """Send the stream header."""
        self._stream.open()

    def receive(self, event: StreamStart | Stanza | StreamEnd) -> Want | None:
        """Take an event of the stream."""
        left = self._stream.receive(event)
        if self._stream.phase is Phase.CLOSED and self._step is not _Step.OVER:
            self._step = _Step.OVER
            return Failed(self._stream.error or NegotiationError("the server ended the stream"))
        if not isinstance(left, Stanza) or self._step is _Step.OVER:
            return None
        handler = _RULES.get((self._step, left.tag))
        if handler is None:
            return self._give_up(unexpected(left))
        want: Want | None = getattr(self, handler)(left)
        return want

    def _give_up(self, error: Exception) -> Failed:
        self._step = _Step.OVER
        if isinstance(error, StreamError):
            self._stream.fail(error)
        else:
            self._stream.close()
        return Failed(error)

    def _set_secure(self, secure: bool) -> None:
        self._secure = secure
        # RFC 6120 section 4.7.1: who we are is nobody's business without TLS.
        self._stream.from_ = self._account if secure else None

    # Features ------------------------------------------------------------------------------------

    def _choose(self, element: Stanza) -> Want | None:
        self._features = element
        if self._is_authenticated:
            return self._ask_for_resource()
        if not self._secure and self._tls is not Tls.NEVER:
            if element.find(f"{{{TLS}}}starttls") is not None:
                self._step = _Step.UPGRADING
                self._stream.write(features.STARTTLS)
                return None
            if self._tls is Tls.REQUIRED:
                return self._give_up(NegotiationError("the server does not offer TLS"))
        return self._authenticate()

    # TLS -----------------------------------------------------------------------------------------

    def _upgrade(self, element: Stanza) -> Want:
        return StartTls()

    def _no_tls(self, element: Stanza) -> Want:
        return self._give_up(NegotiationError("the server refused to negotiate TLS"))

    def secured(self) -> None:
        """TLS is active: what was learned before it is forgotten."""
        self._set_secure(True)
        self._features = None
        self._step = _Step.FEATURES
        self._stream.secured()
        self._stream.open()

    # SASL ----------------------------------------------------------------------------------------

    def _authenticate(self) -> Want | None:
        assert self._features is not None
        offered = self._features.findall(f"{{{SASL}}}mechanisms/{{{SASL}}}mechanism")
        tag = f"{{{features.CHANNEL_BINDING}}}"
        bindings = self._features.findall(f"{tag}sasl-channel-binding/{tag}channel-binding")
        names = tuple(each.text or "" for each in offered)
        try:
            mechanism = self._mechanisms.choose(
                names, tuple(each.get("type", "") for each in bindings), self._tried
            )
            if mechanism is None:
                listed = ", ".join(names) or "none"
                return self._give_up(
                    self._failure
                    or NegotiationError(f"no way to authenticate; the server offers: {listed}")
                )
            self._tried = (*self._tried, mechanism.name)
            self._mechanism = mechanism
            self._step = _Step.AUTHENTICATING
            self._stream.write(features.sasl("auth", mechanism.initial(), mechanism.name))
        except SaslError as error:
            return self._give_up(error)
        return None

    def _respond(self, element: Stanza) -> Want | None:
        assert self._mechanism is not None
        try:
            challenge = features.sasl_data(element) or b""
        except SaslError as error:
            return self.computed(error)
        return Compute(partial(self._mechanism.respond, challenge))

    def computed(self, answer: bytes | SaslError) -> Want | None:
        """Go on with what came of `Compute`."""
        if self._step is _Step.OVER:
            return None
        if isinstance(answer, SaslError):
            self._stream.write(features.ABORT)
            return self._give_up(answer)
        self._stream.write(features.sasl("response", answer))
        return None

    def _authenticated(self, element: Stanza) -> Want | None:
        assert self._mechanism is not None
        try:
            self._mechanism.succeed(features.sasl_data(element))
        except SaslError as error:
            return self._give_up(error)
        self._is_authenticated = True
        self._mechanism = None
        self._step = _Step.FEATURES
        self._stream.restart()
        self._stream.open()
        return None

    def _next_mechanism(self, element: Stanza) -> Want | None:
        self._failure = features.received_failure(element)
        if self._failure.condition in _ABOUT_MECHANISM:
            return self._authenticate()
        return self._give_up(self._failure)

    # Resource ------------------------------------------------------------------------------------

    def _ask_for_resource(self) -> Want | None:
        assert self._features is not None
        if self._features.find(f"{{{BIND}}}bind") is None:
            return self._give_up(NegotiationError("the server does not offer resource binding"))
        self._step = _Step.BINDING
        tag = f"{{{BIND}}}"
        wanted = None if self._resource is None else element(f"{tag}resource", None, self._resource)
        self._ask("bind", element(f"{tag}bind", None, wanted))
        return None

    def _ask(self, id: str, payload: ET.Element) -> None:
        self._stream.write(serialize(stanza("iq", payload, type="set", id=id)))

    def _bound(self, answer: Stanza) -> Want | None:
        assert self._features is not None
        if answer.type == "error":
            return self._give_up(received_error(answer))
        try:
            text = answer.findtext(f"{{{BIND}}}bind/{{{BIND}}}jid", "")
            self._jid = jid = JID.parse(text.strip())
        except InvalidJID as error:
            return self._give_up(NegotiationError(f"the server bound no usable address: {error}"))
        session = self._features.find(f"{{{SESSION}}}session")
        if session is not None and session.find(f"{{{SESSION}}}optional") is None:
            # Servers of RFC 3921 deliver nothing before this.
            self._step = _Step.SESSION
            self._ask("session", element(f"{{{SESSION}}}session"))
            return None
        self._step = _Step.OVER
        return Bound(jid, self._features)

    def _session(self, answer: Stanza) -> Want | None:
        assert self._features is not None
        assert self._jid is not None
        if answer.type == "error":
            return self._give_up(received_error(answer))
        self._step = _Step.OVER
        return Bound(self._jid, self._features)
