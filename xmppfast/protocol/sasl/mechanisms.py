"""The mechanisms by name: which are offered, which one is chosen."""

from __future__ import annotations

from collections.abc import Callable

from ...core.errors import SaslCondition, SaslError
from . import binding
from .interface import (
    ChannelBindings,
    ClientMechanism,
    Credentials,
    Offload,
    ServerMechanism,
)
from .plain import PlainClientMechanism, PlainServerMechanism
from .scram_client import ScramClientMechanism
from .scram_server import ScramServerMechanism

# Strongest first. Without channel binding, whoever holds a certificate for the name could be in
# between.
PLUS = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS")
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-1")
PLAIN = "PLAIN"

NewNonce = Callable[[], str]
"""Gives unpredictable printable ASCII without commas, other one each time."""


class Server:
    """A server's mechanisms for one stream; see `ServerMechanisms`.

    domain       the server's, as in authorization identities
    credentials  where the accounts are
    secret       32 unpredictable bytes, the same ones whenever this server runs: what accounts that
                 don't exist pretend to have is made of it
    bindings     channel binding data by type; empty without TLS
    plaintext    whether a password may be sent as it is: the stream is encrypted, or configured so
    """

    def __init__(
        self,
        domain: str,
        credentials: Credentials,
        *,
        secret: bytes,
        new_nonce: NewNonce,
        offload: Offload[bool],
        bindings: ChannelBindings,
        plaintext: bool,
    ) -> None:
        self._domain = domain
        self._credentials = credentials
        self._secret = secret
        self._new_nonce = new_nonce
        self._offload = offload
        self._bindings = bindings
        self._plaintext = plaintext

    def names(self) -> tuple[str, ...]:
        """Names to offer, strongest first."""
        plain = (PLAIN,) if self._plaintext else ()
        return (*(PLUS if self._bindings else ()), *SCRAM, *plain)

    def channel_bindings(self) -> tuple[str, ...]:
        """Types of channel binding to advertise (XEP-0440)."""
        return tuple(kind for kind in binding.TYPES if kind in self._bindings)

    def start(self, name: str) -> ServerMechanism:
        """Begin an attempt. SaslError `invalid-mechanism`, or `encryption-required` for PLAIN."""
        if name not in self.names():
            if name == PLAIN:
                message = "PLAIN is for encrypted streams"
                raise SaslError(SaslCondition.ENCRYPTION_REQUIRED, message)
            raise SaslError(SaslCondition.INVALID_MECHANISM, "this mechanism is not offered")
        if name == PLAIN:
            return PlainServerMechanism(
                domain=self._domain,
                credentials=self._credentials,
                secret=self._secret,
                offload=self._offload,
            )
        return ScramServerMechanism(
            name,
            domain=self._domain,
            credentials=self._credentials,
            secret=self._secret,
            nonce=self._new_nonce(),
            bindings=self._bindings,
        )


class Client:
    """How a client authenticates with a password; see `ClientMechanisms`.

    username   localpart of the account
    bindings   channel binding data by type; empty without TLS
    plaintext  whether the password may be sent as it is, which only a verified server should get

    `choose` raises ValueError for a password that can't be prepared.
    """

    def __init__(
        self,
        username: str,
        password: str,
        *,
        new_nonce: NewNonce,
        bindings: ChannelBindings,
        plaintext: bool,
    ) -> None:
        self._username = username
        self._password = password
        self._new_nonce = new_nonce
        self._bindings = bindings
        self._plaintext = plaintext

    def choose(
        self, offered: tuple[str, ...], channel_bindings: tuple[str, ...], tried: tuple[str, ...]
    ) -> ClientMechanism | None:
        """Choose the best of what the server offers that was not tried yet.

        An attempt with channel binding is not followed by one without: its failure may be what
        somebody in between is waiting for.
        """
        kind = binding.choose(self._bindings, channel_bindings)
        plus = PLUS if kind is not None else ()
        weaker = (*SCRAM, *((PLAIN,) if self._plaintext else ()))
        usable = plus if any(name in PLUS for name in tried) else (*plus, *weaker)
        for name in usable:
            if name in offered and name not in tried:
                return self._start(name, kind, any(name in PLUS for name in offered))
        return None

    def _start(self, name: str, kind: str | None, plus_offered: bool) -> ClientMechanism:
        if name == PLAIN:
            return PlainClientMechanism(self._username, self._password)
        bound = name in PLUS and kind is not None
        return ScramClientMechanism(
            name,
            self._username,
            self._password,
            nonce=self._new_nonce(),
            binding=(kind, self._bindings[kind]) if bound and kind is not None else None,
            # RFC 5802 section 6; a server whose types are others than ours is none of these.
            could_bind=bool(self._bindings) and not plus_offered,
        )
