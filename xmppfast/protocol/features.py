"""The elements of negotiation, as bytes and read from stanzas (RFC 6120 sections 4.3, 5 and 6)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from ..core.errors import SaslCondition, SaslError
from ..core.namespaces import BIND, SASL, SESSION, TLS
from ..xml import Element, escape

CHANNEL_BINDING: Final = "urn:xmpp:sasl-cb:0"

STARTTLS: Final = f"<starttls xmlns='{TLS}'/>".encode()
STARTTLS_REQUIRED: Final = f"<starttls xmlns='{TLS}'><required/></starttls>".encode()
PROCEED: Final = f"<proceed xmlns='{TLS}'/>".encode()
TLS_FAILURE: Final = f"<failure xmlns='{TLS}'/>".encode()
ABORT: Final = f"<abort xmlns='{SASL}'/>".encode()
BIND_OFFER: Final = f"<bind xmlns='{BIND}'/>".encode()
# Clients of RFC 3921 ask for a session; others are told that they needn't.
SESSION_OFFER: Final = f"<session xmlns='{SESSION}'><optional/></session>".encode()


def features(parts: Iterable[bytes]) -> bytes:
    """A `<stream:features/>` with these elements."""
    return b"<stream:features>" + b"".join(parts) + b"</stream:features>"


@lru_cache(maxsize=16)
def mechanisms(names: tuple[str, ...]) -> bytes:
    """The SASL mechanisms on offer."""
    listed = "".join(f"<mechanism>{name}</mechanism>" for name in names)
    return f"<mechanisms xmlns='{SASL}'>{listed}</mechanisms>".encode()


@lru_cache(maxsize=16)
def channel_bindings(names: tuple[str, ...]) -> bytes:
    """The types of channel binding on offer (XEP-0440)."""
    listed = "".join(f"<channel-binding type='{name}'/>" for name in names)
    return (
        f"<sasl-channel-binding xmlns='{CHANNEL_BINDING}'>{listed}</sasl-channel-binding>".encode()
    )


def bound(id: str, address: str) -> bytes:
    """The answer to the request `id` for a resource: the full address."""
    return (
        f"<iq type='result' id='{escape(id)}'><bind xmlns='{BIND}'><jid>{escape(address)}</jid>"
        "</bind></iq>"
    ).encode()


def sasl(name: str, data: bytes | None, mechanism: str | None = None) -> bytes:
    """An `auth`, `challenge`, `response` or `success`; None is no data, other than empty data."""
    named = "" if mechanism is None else f" mechanism='{escape(mechanism)}'"
    if data is None:
        return f"<{name} xmlns='{SASL}'{named}/>".encode()
    # RFC 6120 section 6.4.2: empty data is written as an equals sign.
    return f"<{name} xmlns='{SASL}'{named}>{b64encode(data).decode() or '='}</{name}>".encode()


def sasl_data(element: Element) -> bytes | None:
    """The data of such an element. SaslError `incorrect-encoding` for what is no base64."""
    text = element.text
    if len(element):
        raise SaslError(SaslCondition.MALFORMED_REQUEST, f"<{element.name}/> has children")
    if not text:
        return None
    if text == "=":
        return b""
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        raise SaslError(SaslCondition.INCORRECT_ENCODING, "this is no base64") from None


def sasl_failure(error: SaslError) -> bytes:
    """The `<failure/>` for an error (RFC 6120 section 6.4.5)."""
    text = f"<text xml:lang='en'>{escape(error.text)}</text>" if error.text else ""
    return f"<failure xmlns='{SASL}'><{error.condition.value}/>{text}</failure>".encode()


def received_failure(element: Element) -> SaslError:
    """The error that a `<failure/>` reports; `not-authorized` if it names none that is known."""
    known = {member.value: member for member in SaslCondition}
    condition, text = SaslCondition.NOT_AUTHORIZED, ""
    for child in element:
        if child.name == "text":
            text = child.text or ""
        elif child.name in known:
            condition = known[child.name]
    return SaslError(condition, text)
