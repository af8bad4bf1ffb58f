"""SCRAM (RFC 5802, RFC 7677), the server's side.

The messages are read with one expression each, in the order and with the attributes of section 7; a
server remembers of them what the signatures are over.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Awaitable
from hashlib import new as new_hash
from typing import Final

from ...core.errors import SaslCondition, SaslError
from .identity import NOT_AUTHORIZED, check_authzid, prepare_localpart
from .interface import Challenge, ChannelBindings, Credentials, Step, Success
from .keys import HASHES, Keys, pretended

# Extensions that nobody has to understand, which are those without "m"; what has a meaning has its
# place, too.
_EXTENSIONS: Final = r"(?:,(?![aceimnprsv]=)[A-Za-z]=[^,\0]+)*"
_NONCE: Final = r"[!-+\--~]+"
_BASE64: Final = r"[A-Za-z0-9+/]+={0,2}"

_FIRST: Final = re.compile(
    rf"(?P<header>(?P<flag>n|y|p=(?P<binding>[A-Za-z0-9.-]+)),(?:a=(?P<authzid>[^,]+))?,)"
    rf"(?P<bare>n=(?P<name>[^,]+),r=(?P<nonce>{_NONCE}){_EXTENSIONS})"
)
_FINAL: Final = re.compile(
    rf"(?P<signed>c=(?P<binding>{_BASE64}),r=(?P<nonce>{_NONCE}){_EXTENSIONS}),p=(?P<proof>{_BASE64})"
)
_BAD_ESCAPE: Final = re.compile("=(?!2C|3D)")


class ScramServerMechanism:
    """The server's side of one attempt; see `ServerMechanism`.

    name         with or without -PLUS
    nonce        the server's part, unpredictable
    bindings     empty if no mechanism with -PLUS was offered
    secret       see `keys.pretended`
    """

    __slots__ = (
        "_binding",
        "_bindings",
        "_bound",
        "_credentials",
        "_domain",
        "_exists",
        "_hash",
        "_keys",
        "_localpart",
        "_nonce",
        "_said",
        "_secret",
    )

    _keys: Keys

    def __init__(
        self,
        name: str,
        *,
        domain: str,
        credentials: Credentials,
        secret: bytes,
        nonce: str,
        bindings: ChannelBindings,
    ) -> None:
        base = name.removesuffix("-PLUS")
        self._hash = base.removeprefix("SCRAM-")
        self._bound = name != base
        self._domain = domain
        self._credentials = credentials
        self._secret = secret
        self._nonce = nonce
        self._bindings = bindings
        self._exists = False
        self._localpart = ""
        self._said = ""  # both sides, as far as the signatures are over it
        self._binding = b""  # what "c" has to be

    def respond(self, data: bytes | None) -> Step | Awaitable[Step]:
        """Take what the client sent."""
        if data is None:
            return Challenge(b"")
        try:
            message = data.decode()
        except UnicodeDecodeError:
            raise _malformed("not UTF-8") from None
        return self._final(message) if self._said else self._first(message)

    def _first(self, message: str) -> Awaitable[Step]:
        first = _FIRST.fullmatch(message)
        if first is None:
            raise _malformed("not the first message of a SCRAM client")
        self._binding = first["header"].encode() + self._bound_to(first["flag"], first["binding"])
        localpart = prepare_localpart(_unescape(first["name"]))
        if first["authzid"] is not None:
            check_authzid(_unescape(first["authzid"]), localpart, self._domain)
        self._localpart = localpart
        self._nonce = first["nonce"] + self._nonce
        self._said = first["bare"]
        return self._challenge()

    async def _challenge(self) -> Step:
        found = await self._credentials.lookup(self._localpart)
        # Made in any case, so that both cases cost the same.
        substitute = pretended(self._localpart, self._secret)
        self._exists = found is not None
        keys = self._keys = (found or substitute).keys[self._hash]
        challenge = f"r={self._nonce},s={b64encode(keys.salt).decode()},i={keys.iterations}"
        self._said += f",{challenge},"
        return Challenge(challenge.encode())

    def _bound_to(self, flag: str, kind: str | None) -> bytes:
        """Judge the client's channel binding flag (RFC 5802 section 6); the data it stands for."""
        if kind is None:
            if self._bound:
                raise _malformed("this mechanism needs channel binding")
            if flag == "y" and self._bindings:
                # Somebody took the mechanisms with -PLUS out of the list that the client saw.
                message = "this server does support channel binding"
                raise SaslError(SaslCondition.NOT_AUTHORIZED, message)
            return b""
        if not self._bound:
            raise _malformed("channel binding needs a mechanism with -PLUS")
        if kind not in self._bindings:
            raise _malformed("channel binding type not supported")
        return self._bindings[kind]

    def _final(self, message: str) -> Success:
        final = _FINAL.fullmatch(message)
        if final is None:
            raise _malformed("not the last message of a SCRAM client")
        if final["nonce"] != self._nonce:
            raise _malformed("the nonce is another one")
        try:
            binding, proof = b64decode(final["binding"]), b64decode(final["proof"])
        except ValueError:
            raise _malformed("an attribute is no base64") from None
        keys, name = self._keys, HASHES[self._hash]
        said = (self._said + final["signed"]).encode()
        # Section 3: the client proves that it has the key that the stored one is the hash of.
        signature = hmac.digest(keys.stored_key, said, name)
        proven = len(proof) == len(signature) and hmac.compare_digest(
            new_hash(name, _xor(proof, signature)).digest(), keys.stored_key
        )
        bound = hmac.compare_digest(binding, self._binding)
        if not (proven and bound and self._exists):
            raise SaslError(*NOT_AUTHORIZED)
        verifier = b64encode(hmac.digest(keys.server_key, said, name))
        return Success(self._localpart, b"v=" + verifier)


def _xor(one: bytes, other: bytes) -> bytes:
    size = len(one)
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(size, "big")


def _unescape(name: str) -> str:
    if _BAD_ESCAPE.search(name) or "\0" in name:
        raise _malformed("a name that is not written as RFC 5802 says")
    return name.replace("=2C", ",").replace("=3D", "=")


def _malformed(text: str) -> SaslError:
    return SaslError(SaslCondition.MALFORMED_REQUEST, text)
