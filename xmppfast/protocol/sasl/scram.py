"""SCRAM (RFC 5802, RFC 7677), on scramp.

scramp reads and writes the messages, compares nonces, and checks proofs and signatures. It takes no
authorization identity and one channel binding type at a time, so the GS2 header is handled here and
handed to scramp's objects ready-made. It prepares names and passwords with Unicode 3.2 only; they
are handed over prepared, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from scramp import ScramClient, ScramException, ScramMechanism

from ...core.errors import SaslCondition, SaslError
from .identity import NOT_AUTHORIZED, check_authzid, prepare_localpart
from .interface import Challenge, ChannelBindings, Credentials, Success
from .keys import pretended
from .password import prepare

# The peer chooses how long a client computes: at most a second or two.
MAX_ITERATIONS = 2_000_000

# gs2-header and the beginning of client-first-message-bare (RFC 5802 section 7).
_CLIENT_FIRST = re.compile(
    r"(?P<flag>n|y|p=(?P<binding>[A-Za-z0-9.-]+)),(?:a=(?P<authzid>[^,]+))?,"
    r"(?P<bare>n=(?P<name>[^,]+),r=(?P<nonce>[^,]+)(?P<extensions>(?:,.*)?))",
    re.DOTALL,
)
_BAD_ESCAPE = re.compile("=(?!2C|3D)")


@dataclass(frozen=True, slots=True)
class _Gs2Header:
    """What scramp asks of a GS2 header."""

    text: str
    binding: bytes = b""

    def __str__(self) -> str:
        return self.text

    def make_cbind_input(self, _: object) -> bytes:
        """Give the value that `c=` has to have (RFC 5802 section 7, cbind-input)."""
        return self.text.encode() + self.binding


class ScramServerMechanism:
    """The server's side of one attempt; see `ServerMechanism`.

    name         with or without -PLUS
    nonce        the server's part, unpredictable
    bindings     empty if no mechanism with -PLUS was offered
    secret       see `keys.pretended`
    """

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
        self._base = name.removesuffix("-PLUS")
        self._bound = name != self._base
        self._domain = domain
        self._credentials = credentials
        self._secret = secret
        self._nonce = nonce
        self._bindings = bindings
        self._exists = False
        self._localpart = ""

    async def respond(self, data: bytes | None) -> Challenge | Success:
        """Take what the client sent."""
        if data is None:
            return Challenge(b"")
        message = _text(data)
        if not self._localpart:
            return await self._first(message)
        try:
            self._exchange.set_client_final(message)
            signature: str = self._exchange.get_server_final()
        except ScramException as error:
            raise _failure(error) from None
        if not self._exists:
            raise SaslError(*NOT_AUTHORIZED)
        return Success(self._localpart, signature.encode())

    async def _first(self, message: str) -> Challenge:
        first = _CLIENT_FIRST.fullmatch(message)
        if first is None:
            raise _malformed("not the first message of a SCRAM client")
        header = self._header(first)
        self._localpart = prepare_localpart(_unescape(first["name"]))
        if first["authzid"] is not None:
            check_authzid(_unescape(first["authzid"]), self._localpart, self._domain)
        found = await self._credentials.lookup(self._localpart)
        # Made in any case, so that both cases cost the same.
        substitute = pretended(self._localpart, self._secret)
        self._exists = found is not None
        keys = (found or substitute).keys[self._base.removeprefix("SCRAM-")]
        exchange = ScramMechanism(self._base).make_server(
            lambda _: (keys.salt, keys.stored_key, keys.server_key, keys.iterations),
            s_nonce=self._nonce,
        )
        try:
            # A name that scramp need not prepare; what is signed is the real message.
            exchange.set_client_first(f"n,,n=x,r={first['nonce']}{first['extensions']}")
            exchange.gs2_header, exchange.client_first_bare = header, first["bare"]
            challenge: str = exchange.get_server_first()
        except ScramException as error:
            raise _failure(error) from None
        self._exchange = exchange
        return Challenge(challenge.encode())

    def _header(self, first: re.Match[str]) -> _Gs2Header:
        """Judge the client's channel binding flag (RFC 5802 section 6)."""
        kind, data = first["binding"], b""
        if kind is None:
            if self._bound:
                raise _malformed("this mechanism needs channel binding")
            if first["flag"] == "y" and self._bindings:
                # Somebody took the mechanisms with -PLUS out of the list that the client saw.
                message = "this server does support channel binding"
                raise SaslError(SaslCondition.NOT_AUTHORIZED, message)
        elif not self._bound:
            raise _malformed("channel binding needs a mechanism with -PLUS")
        elif kind not in self._bindings:
            raise _malformed("channel binding type not supported")
        else:
            data = self._bindings[kind]
        return _Gs2Header(first.string[: first.start("bare")], data)


class ScramClientMechanism:
    """The client's side of one attempt; see `ClientMechanism`.

    name        with or without -PLUS
    username    localpart of the account
    nonce       the client's part, unpredictable
    binding     type and data, for -PLUS
    could_bind  without -PLUS: whether that is only because the server offers none

    Raises ValueError for a password that can't be prepared.
    """

    def __init__(
        self,
        name: str,
        username: str,
        password: str,
        *,
        nonce: str,
        binding: tuple[str, bytes] | None = None,
        could_bind: bool = False,
    ) -> None:
        self.name = name
        self._done = False
        self._challenged = False
        self._exchange = ScramClient([name.removesuffix("-PLUS")], "x", "x", c_nonce=nonce)
        self._exchange.username = _Name(username)
        self._exchange.password = prepare(password)
        if binding is not None:
            self._exchange.gs2_header = _Gs2Header(f"p={binding[0]},,", binding[1])
        else:
            self._exchange.gs2_header = _Gs2Header("y,," if could_bind else "n,,")

    def initial(self) -> bytes:
        """Client-first-message."""
        message: str = self._exchange.get_client_first()
        return message.encode()

    def respond(self, challenge: bytes) -> bytes:
        """Answer a challenge; the first one takes milliseconds to compute."""
        message = _text(challenge)
        try:
            if self._challenged:
                self._exchange.set_server_final(message)
                self._done = True
                return b""
            self._challenged = True
            self._exchange.set_server_first(message)
            if int(self._exchange.iterations) > MAX_ITERATIONS:
                asked = f"the server asks for {self._exchange.iterations} iterations"
                raise SaslError(SaslCondition.ABORTED, asked)
            final: str = self._exchange.get_client_final()
        except ScramException as error:
            raise SaslError(SaslCondition.ABORTED, f"message of the server: {error}") from None
        return final.encode()

    def succeed(self, data: bytes | None) -> None:
        """Check the server's signature, unless the last challenge had it."""
        if data is not None:
            if not self._challenged:
                raise SaslError(SaslCondition.ABORTED, "success before the exchange was complete")
            self.respond(data)
        if not self._done:
            message = "the server gave no proof of knowing the password"
            raise SaslError(SaslCondition.ABORTED, message)


class _Name:
    """What scramp asks of a user name."""

    def __init__(self, text: str) -> None:
        self._text = text

    def escape(self) -> str:
        return self._text.replace("=", "=3D").replace(",", "=2C")


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _malformed("not UTF-8") from None


def _unescape(name: str) -> str:
    if _BAD_ESCAPE.search(name) or "\0" in name:
        raise _malformed("a name that is not written as RFC 5802 says")
    return name.replace("=2C", ",").replace("=3D", "=")


def _failure(error: ScramException) -> SaslError:
    """Give the condition for what scramp found wrong with a client's message."""
    if error.server_error is not None and error.server_error.value in (
        "invalid-proof",
        "channel-bindings-dont-match",
    ):
        return SaslError(*NOT_AUTHORIZED)
    return _malformed(str(error.args[0]))


def _malformed(text: str) -> SaslError:
    return SaslError(SaslCondition.MALFORMED_REQUEST, text)
