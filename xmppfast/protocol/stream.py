"""A stream in both directions and roles: headers, its end and its errors (RFC 6120 section 4).

Feed the bytes to `stream.parser` and give each event to `receive`; what the stream has to say goes
to the `write` it is given.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Collection
from enum import Enum
from typing import Final

from ..core.errors import PeerStreamError
from ..core.jid import JID, InvalidJID
from ..core.namespaces import CLIENT, STREAM, STREAMS
from ..core.stanza import KINDS
from ..xml import (
    Limits,
    Stanza,
    StreamCondition,
    StreamEnd,
    StreamError,
    StreamParser,
    StreamStart,
    escape,
)

_CONDITIONS: Final = {member.value: member for member in StreamCondition}
_VERSION: Final = re.compile(r"([0-9]+)\.([0-9]+)")
_ERROR: Final = f"{{{STREAM}}}error"
_END: Final = b"</stream:stream>"


class Phase(Enum):
    """How far a stream is."""

    NEW = "the peer's header has not come yet"
    OPEN = "stanzas go both ways"
    CLOSING = "we ended our side, what the peer sends is still received"
    CLOSED = "nothing more is sent or received"


class _Signal(Enum):
    HEADER = "the peer's header"
    ELEMENT = "an element at depth 1"
    ERROR = "the peer's stream error"
    END = "the end of the peer's stream"
    FAULT = "the stream is found wrong"
    CLOSE = "we have nothing more to say"


# What is done, and the phase it leads to. What is not here changes nothing.
_RULES: Final = {
    (Phase.NEW, _Signal.HEADER): (Phase.OPEN, "_answer"),
    (Phase.NEW, _Signal.FAULT): (Phase.CLOSED, "_explain"),
    (Phase.NEW, _Signal.CLOSE): (Phase.CLOSED, "_end"),
    (Phase.NEW, _Signal.END): (Phase.CLOSED, "_end"),
    (Phase.OPEN, _Signal.ELEMENT): (Phase.OPEN, None),
    (Phase.OPEN, _Signal.ERROR): (Phase.CLOSED, "_end"),
    (Phase.OPEN, _Signal.END): (Phase.CLOSED, "_end"),
    (Phase.OPEN, _Signal.FAULT): (Phase.CLOSED, "_explain"),
    (Phase.OPEN, _Signal.CLOSE): (Phase.CLOSING, "_end"),
    # Section 4.4: what was on its way when we ended our side is still handled.
    (Phase.CLOSING, _Signal.ELEMENT): (Phase.CLOSING, None),
    (Phase.CLOSING, _Signal.ERROR): (Phase.CLOSED, None),
    (Phase.CLOSING, _Signal.END): (Phase.CLOSED, None),
    (Phase.CLOSING, _Signal.FAULT): (Phase.CLOSED, None),
}


class Stream:
    """Both directions of a stream; see `ReceivingStream` and `InitiatingStream`.

    phase   how far it is
    parser  what the peer's bytes are to be fed to
    peer    the peer's header, once it came
    error   why the stream was closed, if one side had an error to report
    closed  is called when the phase becomes CLOSED
    """

    __slots__ = ("_limits", "_said_header", "closed", "error", "parser", "peer", "phase", "write")

    def __init__(self, write: Callable[[bytes], None], limits: Limits | None = None) -> None:
        self.write = write
        self._limits = limits or Limits()
        self.parser = StreamParser(limits=self._limits)
        self.phase = Phase.NEW
        self.peer: StreamStart | None = None
        self.error: StreamError | None = None
        self.closed: Callable[[], None] = _nothing
        self._said_header = False

    def receive(self, event: StreamStart | Stanza | StreamEnd) -> StreamStart | Stanza | None:
        """Take an event; the result is what is left for the layer above to handle.

        A header is given on once it is answered, an element while anyone is interested.
        """
        if isinstance(event, Stanza):
            if event.tag == _ERROR:
                error = _peer_error(event)
                if self.phase is not Phase.CLOSED:
                    self.error = error
                self._signal(_Signal.ERROR)
                return None
            return event if self._signal(_Signal.ELEMENT) else None
        if isinstance(event, StreamEnd):
            self._signal(_Signal.END)
            return None
        try:
            self._check(event)
        except StreamError as error:
            self.peer = event
            self.fail(error)
            return None
        self.peer = event
        return event if self._signal(_Signal.HEADER) else None

    def fail(self, error: StreamError) -> None:
        """Close the stream with an error, after a header if none was sent (section 4.9.1.2)."""
        if self.phase is not Phase.CLOSED and self.error is None:
            self.error = error
        self._signal(_Signal.FAULT)

    def close(self) -> None:
        """End our side of the stream; the peer ends its own (section 4.4)."""
        self._signal(_Signal.CLOSE)

    def restart(self) -> None:
        """Begin anew with the next unread byte, after SASL negotiation (section 4.3.3)."""
        self.parser.restart()
        self._forget()

    def secured(self) -> None:
        """Begin anew after TLS negotiation: nothing learned before it counts (section 5.4.3.3)."""
        self.parser = StreamParser(limits=self._limits)
        self._forget()

    def _forget(self) -> None:
        self.phase = Phase.NEW
        self.peer = None
        self._said_header = False

    def _signal(self, signal: _Signal) -> bool:
        rule = _RULES.get((self.phase, signal))
        if rule is None:
            return False
        phase, action = rule
        if action is not None:
            getattr(self, action)()
        if phase is not self.phase:
            self.phase = phase
            if phase is Phase.CLOSED:
                self.closed()
        return True

    def _answer(self) -> None:
        if not self._said_header:
            self._say_header()

    def _say_header(self) -> None:
        self._said_header = True
        self.write(self._header())

    def _end(self) -> None:
        self._answer()
        self.write(_END)

    def _explain(self) -> None:
        assert self.error is not None
        self._answer()
        self.write(error_bytes(self.error) + _END)

    @abstractmethod
    def _check(self, start: StreamStart) -> None:
        """Raise StreamError for a header that can't be accepted."""

    @abstractmethod
    def _header(self) -> bytes:
        """Our header; in answer to `peer`, as far as there is one."""


class ReceivingStream(Stream):
    """The stream of the receiving entity, a server.

    domain   the domain served, when the peer didn't ask for one
    domains  all domains served
    new_id   gives an unpredictable id (section 4.7.3)

    `features_expected` says whether the peer knows of features; those of before XMPP 1.0 don't
    (section 4.7.5).
    """

    __slots__ = ("_addressee", "_domains", "_new_id", "domain", "features_expected")

    def __init__(
        self,
        write: Callable[[bytes], None],
        domains: Collection[JID],
        new_id: Callable[[], str],
        limits: Limits | None = None,
    ) -> None:
        super().__init__(write, limits)
        self._domains = domains
        self._new_id = new_id
        self.domain = next(iter(domains))
        self._forget()

    def restart(self) -> None:
        """Begin anew, for the domain that the peer authenticated at."""
        super().restart()
        if len(self._domains) > 1:
            self._domains = (self.domain,)

    def _forget(self) -> None:
        super()._forget()
        self.features_expected = True
        self._addressee: JID | None = None

    def _check(self, start: StreamStart) -> None:
        _check_namespaces(start)
        self.features_expected = _version(start) >= (1, 0)
        if not start.to:
            raise StreamError(
                StreamCondition.IMPROPER_ADDRESSING, "the stream header names no domain"
            )
        try:
            asked = JID.parse(start.to)
        except InvalidJID as error:
            raise StreamError(StreamCondition.IMPROPER_ADDRESSING, f"'to': {error}") from None
        if asked not in self._domains:
            raise StreamError(StreamCondition.HOST_UNKNOWN, f"{asked} is not served here")
        self.domain = asked
        if start.from_ is not None:
            try:
                self._addressee = JID.parse(start.from_).bare
            except InvalidJID as error:
                raise StreamError(StreamCondition.INVALID_FROM, f"'from': {error}") from None

    def _header(self) -> bytes:
        attributes = {"from": str(self.domain), "id": self._new_id()}
        if self._addressee is not None:
            attributes["to"] = str(self._addressee)
        # Section 4.7.5: as high as the peer's and ours, and none for one that has none.
        return header(attributes, version="1.0" if self.features_expected else None, lang="en")


class InitiatingStream(Stream):
    """The stream of the initiating entity, a client.

    to     the domain it wants
    from_  its own bare address, sent over TLS only (section 4.7.1)
    lang   language of what is for people; None says nothing (section 4.7.4)
    """

    __slots__ = ("from_", "lang", "to")

    def __init__(
        self, write: Callable[[bytes], None], to: JID, limits: Limits | None = None
    ) -> None:
        super().__init__(write, limits)
        self.to = to
        self.from_: JID | None = None
        self.lang: str | None = "en"

    def open(self) -> None:
        """Send the header, at the beginning and after each restart."""
        self._say_header()

    def _check(self, start: StreamStart) -> None:
        _check_namespaces(start)
        if _version(start) < (1, 0):
            raise StreamError(
                StreamCondition.UNSUPPORTED_VERSION, "the server doesn't speak XMPP 1.0"
            )

    def _header(self) -> bytes:
        attributes = {"to": str(self.to)}
        if self.from_ is not None:
            attributes["from"] = str(self.from_)
        return header(attributes, version="1.0", lang=self.lang)


def header(attributes: dict[str, str], *, version: str | None, lang: str | None) -> bytes:
    """A stream header for clients and servers, with an XML declaration."""
    written = "".join(f" {name}='{escape(value)}'" for name, value in attributes.items())
    if version is not None:
        written += f" version='{version}'"
    if lang is not None:
        written += f" xml:lang='{lang}'"
    return (
        f"<?xml version='1.0'?><stream:stream{written} xmlns='{CLIENT}' xmlns:stream='{STREAM}'>"
    ).encode()


def error_bytes(error: StreamError) -> bytes:
    """The `<stream:error/>` for an error (section 4.9.2)."""
    text = (
        f"<text xmlns='{STREAMS}' xml:lang='en'>{escape(error.text)}</text>" if error.text else ""
    )
    return (
        f"<stream:error><{error.condition.value} xmlns='{STREAMS}'/>{text}</stream:error>"
    ).encode()


def unexpected(element: Stanza) -> StreamError:
    """The error for an element at depth 1 that has no place there (section 4.9.3)."""
    if element.name not in KINDS:
        return StreamError(
            StreamCondition.UNSUPPORTED_STANZA_TYPE, f"<{element.name}/> is not expected"
        )
    if element.xmlns != CLIENT:
        return StreamError(
            StreamCondition.INVALID_NAMESPACE, f"a {element.name} in namespace {element.xmlns}"
        )
    # Section 7.1: not before authentication, nor before there is a resource.
    return StreamError(
        StreamCondition.NOT_AUTHORIZED, f"no {element.name} before there is a session"
    )


def _nothing() -> None:
    """Nobody wants to know."""


def _check_namespaces(start: StreamStart) -> None:
    """Sections 4.8.1, 4.8.2 and 4.8.5."""
    if start.xmlns != STREAM:
        if start.name == "stream" and STREAM in start.prefixes.values():
            raise StreamError(
                StreamCondition.BAD_NAMESPACE_PREFIX,
                "the stream header lacks the prefix of the stream namespace",
            )
        raise StreamError(StreamCondition.INVALID_NAMESPACE, f"no stream: {start.tag}")
    if start.name != "stream":
        raise StreamError(StreamCondition.BAD_FORMAT, f"no stream: {start.tag}")
    if start.content_namespace != CLIENT:
        raise StreamError(
            StreamCondition.INVALID_NAMESPACE,
            f"the content namespace is {start.content_namespace}, not {CLIENT}",
        )


def _version(start: StreamStart) -> tuple[int, int]:
    """Section 4.7.5: a missing version is older than 1.0."""
    if start.version is None:
        return (0, 9)
    match = _VERSION.fullmatch(start.version)
    if match is None or len(start.version) > 16:
        raise StreamError(
            StreamCondition.UNSUPPORTED_VERSION, f"{start.version!r} is no version of XMPP"
        )
    return int(match[1]), int(match[2])


def _peer_error(element: Stanza) -> PeerStreamError:
    condition, text, address = StreamCondition.UNDEFINED_CONDITION, "", None
    for child in element:
        if child.xmlns == STREAMS and child.name == "text":
            text = child.text or ""
        elif child.xmlns == STREAMS and child.name in _CONDITIONS:
            condition, address = _CONDITIONS[child.name], child.text
    return PeerStreamError(condition, text, address)
