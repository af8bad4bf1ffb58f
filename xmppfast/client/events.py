"""Messages and presence as a client's user sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..core.jid import JID
from ..core.namespaces import CLIENT
from ..xml import Stanza

_DELAY = "{urn:xmpp:delay}delay"


@dataclass(frozen=True, slots=True)
class Message:
    """A message (RFC 6121 section 5).

    from_    who sent it
    type     "chat", "normal", "groupchat", "headline" or "error"
    body     text; None if it has none
    subject, thread, id, lang   None where the message doesn't say
    delay    when it was sent, if it was stored on its way (XEP-0203)
    stanza   all of it
    """

    from_: JID
    type: str
    body: str | None
    subject: str | None
    thread: str | None
    id: str | None
    lang: str | None
    delay: datetime | None
    stanza: Stanza

    @classmethod
    def read(cls, stanza: Stanza, sender: JID) -> Message:
        """Read a stanza; `sender` as stamped."""
        known = ("chat", "groupchat", "headline", "error")
        return cls(
            from_=sender,
            type=stanza.type if stanza.type in known else "normal",
            body=stanza.findtext(f"{{{CLIENT}}}body"),
            subject=stanza.findtext(f"{{{CLIENT}}}subject"),
            thread=stanza.findtext(f"{{{CLIENT}}}thread"),
            id=stanza.id,
            lang=stanza.lang,
            delay=_delay(stanza),
            stanza=stanza,
        )


@dataclass(frozen=True, slots=True)
class Presence:
    """Presence (RFC 6121 section 4), or a stanza about a subscription (section 3).

    from_     whose it is
    type      "available", or the stanza's type: "unavailable", "subscribe", "error" ...
    show      "away", "chat", "dnd", "xa" or None
    status    text; None if there is none
    priority  -128 to 127
    stanza    all of it
    """

    from_: JID
    type: str
    show: str | None
    status: str | None
    priority: int
    stanza: Stanza

    @classmethod
    def read(cls, stanza: Stanza, sender: JID) -> Presence:
        """Read a stanza; `sender` as stamped."""
        try:
            priority = int(stanza.findtext(f"{{{CLIENT}}}priority", "0"))
        except ValueError:
            priority = 0
        return cls(
            from_=sender,
            type=stanza.type or "available",
            show=stanza.findtext(f"{{{CLIENT}}}show"),
            status=stanza.findtext(f"{{{CLIENT}}}status"),
            priority=priority,
            stanza=stanza,
        )


def _delay(stanza: Stanza) -> datetime | None:
    delay = stanza.find(_DELAY)
    if delay is None:
        return None
    try:
        stamp = datetime.fromisoformat(delay.get("stamp", ""))
    except ValueError:
        return None
    return stamp if stamp.tzinfo is not None else None
