"""When something was received (XEP-0203), and how times are written."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import Final

from ..core.stanza import element

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(at: datetime) -> int:
    """Microseconds since 1970, as archives have it."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(microseconds: int) -> datetime:
    """The time that `microseconds` made a number of."""
    return _EPOCH + timedelta(microseconds=microseconds)


def delay(at: datetime, domain: str) -> ET.Element:
    """The element that says when `domain` received a stanza."""
    stamp = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
    return element("{urn:xmpp:delay}delay", {"from": domain, "stamp": stamp})
