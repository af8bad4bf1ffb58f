"""One TLS connection between two buffers (RFC 6120 section 5, RFC 7590)."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from . import identity
from .certificates import end_point

# The most that one TLS record holds.
_RECORD = 16 * 1024


@dataclass(frozen=True, slots=True)
class TlsRole:
    """What a connection needs to know to negotiate TLS.

    context      certificates and rules
    server_side  whether it waits for the other side to begin
    hostname     client: the name the server's certificate has to be for, where it is verified
    certificate  server: its own certificate, DER
    """

    context: ssl.SSLContext
    server_side: bool
    hostname: str | None = None
    certificate: bytes = b""


class Tls:
    """Encrypted bytes on one side, their content on the other; without a socket.

    Every method can raise ssl.SSLError. `outgoing` may have something to send after any of them,
    also after an error: the alert.

    ended  whether the peer said that it sends no more
    """

    def __init__(self, role: TlsRole) -> None:
        self._role = role
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._object = role.context.wrap_bio(
            self._in, self._out, server_side=role.server_side, server_hostname=role.hostname
        )
        self.ended = False

    def handshake(self, data: bytes = b"") -> bool:
        """Take bytes from the network; whether the handshake is complete."""
        self._in.write(data)
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self._check_identity()
        return True

    def _check_identity(self) -> None:
        role = self._role
        if role.hostname is None or role.context.verify_mode is ssl.CERT_NONE:
            return
        try:
            identity.check(self._object.getpeercert(binary_form=True) or b"", role.hostname)
        except ssl.SSLCertVerificationError:
            self._out.read()  # whoever this is does not hear the end of the handshake
            raise

    def feed(self, data: bytes) -> None:
        """Take bytes from the network, to be read."""
        self._in.write(data)

    def read(self) -> bytes:
        """Read the content of the next record; b"" if there is none (yet)."""
        try:
            data = self._object.read(_RECORD)
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLZeroReturnError:
            self.ended = True
            return b""
        assert isinstance(data, bytes)
        return data

    def write(self, data: bytes) -> None:
        """Encrypt."""
        self._object.write(data)

    def finish(self) -> None:
        """Say that nothing more is sent."""
        try:
            self._object.unwrap()
        except ssl.SSLError:
            # The peer's own end is still to come, or it is in the middle of something.
            return

    def outgoing(self) -> bytes:
        """Take what is to be sent."""
        return self._out.read()

    def channel_bindings(self) -> Mapping[str, bytes]:
        """Make the channel binding data by type (RFC 5929, RFC 9266)."""
        certificate = self._role.certificate
        if not self._role.server_side:
            certificate = self._object.getpeercert(binary_form=True) or b""
        # Python gives tls-unique for TLS 1.3, too, where it is not defined.
        unique = "tls-unique" if self._object.version() == "TLSv1.2" else "tls-exporter"
        found = {"tls-server-end-point": end_point(certificate) if certificate else None}
        if unique in ssl.CHANNEL_BINDING_TYPES:
            found[unique] = self._object.get_channel_binding(unique)
        return {kind: data for kind, data in found.items() if data}
