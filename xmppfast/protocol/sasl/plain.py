"""PLAIN (RFC 4616)."""

from __future__ import annotations

from functools import partial

from ...core.errors import SaslCondition, SaslError
from .identity import NOT_AUTHORIZED, check_authzid, prepare_localpart
from .interface import Challenge, Credentials, Offload, Success
from .keys import matches, pretended
from .password import prepare


class PlainServerMechanism:
    """The server's side of one attempt; see `ServerMechanism`.

    secret  see `keys.pretended`
    """

    def __init__(
        self, *, domain: str, credentials: Credentials, secret: bytes, offload: Offload[bool]
    ) -> None:
        self._domain = domain
        self._credentials = credentials
        self._secret = secret
        self._offload = offload

    async def respond(self, data: bytes | None) -> Challenge | Success:
        """Take what the client sent."""
        if data is None:
            return Challenge(b"")
        try:
            authzid, name, password = data.decode().split("\0")
        except ValueError:
            raise SaslError(SaslCondition.MALFORMED_REQUEST, "not a message of PLAIN") from None
        if not name or not password:
            raise SaslError(SaslCondition.MALFORMED_REQUEST, "a name and a password are needed")
        localpart = prepare_localpart(name)
        if authzid:
            check_authzid(authzid, localpart, self._domain)
        try:
            prepared = prepare(password)
        except ValueError:
            raise SaslError(*NOT_AUTHORIZED) from None
        found = await self._credentials.lookup(localpart)
        # Made in any case, so that both cases cost the same.
        substitute = pretended(localpart, self._secret)
        right = await self._offload(partial(matches, prepared, found or substitute))
        if not right or found is None:
            raise SaslError(*NOT_AUTHORIZED)
        return Success(localpart)


class PlainClientMechanism:
    """The client's side of one attempt; see `ClientMechanism`.

    Raises ValueError for a password that can't be prepared.
    """

    name = "PLAIN"

    def __init__(self, username: str, password: str) -> None:
        self._message = b"\0" + username.encode() + b"\0" + prepare(password)

    def initial(self) -> bytes:
        """Name and password."""
        return self._message

    def respond(self, challenge: bytes) -> bytes:
        """Answer a server that asks although it was told everything."""
        raise SaslError(SaslCondition.ABORTED, "PLAIN has no challenges")

    def succeed(self, data: bytes | None) -> None:
        """Accept the success; nothing comes with it."""
        if data is not None:
            raise SaslError(SaslCondition.ABORTED, "PLAIN has nothing to add to a success")
