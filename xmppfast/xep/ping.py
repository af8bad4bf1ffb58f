"""XMPP Ping (XEP-0199): is the other side there?"""

from __future__ import annotations

from ..core.dispatch import Disco, Feature, Host, OnIq, Target
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from ..core.stanza import element

NAMESPACE = "urn:xmpp:ping"
_PING = f"{{{NAMESPACE}}}ping"
_TARGETS = (Target.SERVER, Target.ACCOUNT, Target.CLIENT)


def ping(host: Host) -> Feature:
    """Answers pings."""
    return Feature(
        "ping",
        tuple(
            registration
            for target in _TARGETS
            for registration in (
                OnIq(_PING, target, get=lambda request: None),
                Disco(target, features=(NAMESPACE,)),
            )
        ),
    )


async def send_ping(host: Host, to: JID) -> None:
    """Return once the other side has answered, be it that it doesn't know pings (section 4.2).

    Raises StanzaError if it can't be reached, TimeoutError without an answer.
    """
    try:
        await host.request(to, "get", element(_PING))
    except StanzaError as error:
        if error.condition not in (
            StanzaCondition.SERVICE_UNAVAILABLE,
            StanzaCondition.FEATURE_NOT_IMPLEMENTED,
        ):
            raise
