"""Building and answering stanzas.

What is received is an `xmppfast.Stanza` and never changed. What is made here is an ElementTree
element while it is built, and bytes, or a Stanza of its own, when it is done.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Final

from ..xml import Element, Stanza, parse, tostring
from .errors import ErrorType, StanzaCondition, StanzaError
from .jid import JID
from .namespaces import CLIENT, LANG, STANZAS

KINDS: Final = frozenset({"message", "presence", "iq"})
"""Names of the three kinds of stanzas (RFC 6120 section 8)."""

Child = ET.Element | Element | str | None


def element(
    tag: str, attributes: Mapping[str, str | None] | None = None, *content: Child
) -> ET.Element:
    """A new element: Clark name, attributes (None leaves one out), then text and children in order.

    >>> element("{urn:x}query", {"ver": "1", "node": None}, element("{urn:x}item"))
    """
    made = ET.Element(tag)
    for name, value in (attributes or {}).items():
        if value is not None:
            made.set(name, value)
    last: ET.Element | None = None
    for part in content:
        if part is None:
            continue
        if isinstance(part, str):
            if last is None:
                made.text = (made.text or "") + part
            else:
                last.tail = (last.tail or "") + part
        else:
            last = part if isinstance(part, ET.Element) else part.to_etree()
            made.append(last)
    return made


def stanza(
    name: str,
    *content: Child,
    to: JID | str | None = None,
    from_: JID | str | None = None,
    type: str | None = None,
    id: str | None = None,
    lang: str | None = None,
) -> ET.Element:
    """A new `message`, `presence` or `iq` in the namespace `jabber:client`.

    Clark names of further content in the same namespace: `{jabber:client}body`.
    """
    attributes = {
        "to": None if to is None else str(to),
        "from": None if from_ is None else str(from_),
        "type": type,
        "id": id,
        LANG: lang,
    }
    return element(f"{{{CLIENT}}}{name}", attributes, *content)


def serialize(tree: ET.Element | Element) -> bytes:
    """The bytes of an element for a stream whose content namespace is `jabber:client`."""
    return tostring(tree, xmlns=CLIENT)


def finished(tree: ET.Element) -> Stanza:
    """A Stanza of what was built, to be routed like one that was received."""
    return parse(tostring(tree))


def result(
    id: str,
    payload: ET.Element | Element | None = None,
    *,
    to: JID | str | None = None,
    from_: JID | str | None = None,
) -> bytes:
    """The successful answer to an iq (RFC 6120 section 8.2.3), serialized."""
    return serialize(stanza("iq", payload, to=to, from_=from_, type="result", id=id))


def error_element(error: StanzaError) -> ET.Element:
    """The `<error/>` of a stanza of type error (RFC 6120 section 8.3.2)."""
    condition = element(f"{{{STANZAS}}}{error.condition.value}", None, error.address)
    text = element(f"{{{STANZAS}}}text", {LANG: "en"}, error.text) if error.text else None
    attributes = {"type": error.type.value}
    return element(f"{{{CLIENT}}}error", attributes, condition, text, error.application)


def answerable(received: Stanza) -> bool:
    """Whether an error may be sent back: not for an error, nor for the result of an iq.

    RFC 6120 sections 8.2.3 and 8.3.1.
    """
    return received.type != "error" and not (received.name == "iq" and received.type == "result")


def error_reply(
    received: Stanza,
    error: StanzaError,
    *,
    to: JID | str | None,
    from_: JID | str | None,
) -> bytes:
    """The same kind of stanza with type error, serialized.

    to     who sent the stanza, as stamped
    from_  whom it was for

    A message or presence comes back with its content: its sender may have sent it without an id,
    and has no other way to tell which one it was (RFC 6120 section 8.3.1). Raises ValueError for
    what must not be answered, see `answerable`.
    """
    if not answerable(received):
        raise ValueError("an error or a result is not answered with an error")
    content: list[Child] = []
    if received.name != "iq":
        content += (child for child in received if child.tag != f"{{{CLIENT}}}error")
    reply = stanza(
        received.name,
        *content,
        error_element(error),
        to=to,
        from_=from_,
        type="error",
        id=received.id,
        lang=received.lang if content else None,
    )
    return serialize(reply)


def received_error(received: Stanza) -> StanzaError:
    """The error that a stanza of type error carries; `undefined-condition` if it says nothing."""
    error = received.find(f"{{{received.xmlns}}}error")
    condition, text, address = StanzaCondition.UNDEFINED_CONDITION, "", None
    application: ET.Element | None = None
    known = {member.value: member for member in StanzaCondition}
    for child in error if error is not None else ():
        if child.xmlns != STANZAS:
            application = child.to_etree()
        elif child.name == "text":
            text = child.text or ""
        elif child.name in known:
            condition, address = known[child.name], child.text
    types = {member.value: member for member in ErrorType}
    kind = types.get((error.get("type") if error is not None else None) or "")
    return StanzaError(condition, text, type=kind, application=application, address=address)
