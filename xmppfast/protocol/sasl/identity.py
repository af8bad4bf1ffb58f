"""Who is authenticated, and as whom that entity may act (RFC 6120 sections 6.3.7 and 6.3.8)."""

from __future__ import annotations

from ...core.errors import SaslCondition, SaslError
from ...core.jid import JID

# The same for every reason there can be: a name nobody has, a wrong password.
NOT_AUTHORIZED = (SaslCondition.NOT_AUTHORIZED, "wrong name or password")


def prepare_localpart(name: str) -> str:
    """Prepare the simple user name that a client gave; `SaslError` for one nobody can have."""
    try:
        local = JID(name, "localhost").local
    except ValueError:
        raise SaslError(*NOT_AUTHORIZED) from None
    assert local is not None
    return local


def check_authzid(authzid: str, localpart: str, domain: str) -> None:
    """Refuse every authorization identity but the account's own bare JID.

    It needs no look at the account, so it tells nothing about whether there is one.
    """
    try:
        allowed = JID.parse(authzid) == JID(localpart, domain)
    except ValueError:
        allowed = False
    if not allowed:
        message = "nobody may act on behalf of another account"
        raise SaslError(SaslCondition.INVALID_AUTHZID, message)
