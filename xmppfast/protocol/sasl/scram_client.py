"""SCRAM (RFC 5802, RFC 7677), the client's side, on scramp.

scramp reads and writes the messages, compares nonces, and checks the server's signature. It
prepares names and passwords with Unicode 3.2 only, and knows other types of channel binding than
XMPP; they are handed over ready-made.
"""

from __future__ import annotations

from dataclasses import dataclass

from scramp import ScramClient, ScramException

from ...core.errors import SaslCondition, SaslError
from .password import prepare

# The peer chooses how long a client computes: at most a second or two.
MAX_ITERATIONS = 2_000_000


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
        raise SaslError(SaslCondition.MALFORMED_REQUEST, "not UTF-8") from None
