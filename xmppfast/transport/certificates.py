"""Certificates: a server's own, and the rules for judging a server's."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import new as new_hash
from pathlib import Path

import idna
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# The protocol's name in ALPN (XEP-0368 section 3).
_ALPN = ["xmpp-client"]

# Those who use a certificate made here trust it by hand, so it should last.
_DAYS = 3650


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A server's certificate, ready for connections.

    context  for accepted connections
    der      the certificate itself
    names    what it is for: DNS names and IP addresses
    expires  in UTC
    """

    context: ssl.SSLContext
    der: bytes
    names: tuple[str, ...]
    expires: datetime


def load(certificate: Path, key: Path | None = None) -> ServerCertificate:
    """Read PEM files.

    certificate  the server's certificate first, then those between it and the root
    key          the private key, without a passphrase; by default it is in `certificate`, too

    Raises OSError for a file that can't be read, and ValueError that names it if it has no
    certificate in it, or no key that fits.
    """
    try:
        leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except ValueError as error:
        raise ValueError(f"{certificate}: no certificate in PEM format ({error})") from None
    context = _context(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError(f"{key or certificate}: no private key that fits ({error})") from None
    return ServerCertificate(
        context=context,
        der=leaf.public_bytes(serialization.Encoding.DER),
        names=_names(leaf),
        expires=leaf.not_valid_after_utc,
    )


def self_signed(folder: Path, names: Sequence[str]) -> ServerCertificate:
    """Load the certificate that was made in this folder, or make one there.

    names  DNS names and IP addresses it has to be for

    One that has other names or has expired is replaced. Raises OSError.
    """
    path = folder / "self-signed.pem"
    names = [dns_name(name) for name in names]
    try:
        found = load(path)
    except (FileNotFoundError, ValueError):
        found = None
    if found is None or not {*names} <= {*found.names} or found.expires <= datetime.now(UTC):
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, names)
        found = load(path)
    return found


def client_context(*, verify: bool = True, ca_file: Path | None = None) -> ssl.SSLContext:
    """Make the rules by which a client judges a server's certificate.

    verify   False accepts any, and anybody in between; for tests
    ca_file  PEM file with the authorities to trust instead of the system's

    It says who may vouch for a certificate; whom that is for, `identity.check` judges, because
    OpenSSL knows none of XMPP's ways to say so. Raises OSError and ValueError for `ca_file`.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if not verify:
        context.verify_mode = ssl.CERT_NONE
    elif ca_file is not None:
        try:
            context.load_verify_locations(cadata=ca_file.read_text("ascii"))
        except (ssl.SSLError, ValueError):
            raise ValueError(f"{ca_file}: no certificates in PEM format") from None
    else:
        context.load_default_certs()
    return context


def dns_name(domain: str) -> str:
    """Write a prepared domainpart as DNS and certificates have it; addresses stay as they are."""
    if domain.isascii():
        return domain.strip("[]")
    return idna.encode(domain).decode()


@lru_cache(64)
def end_point(der: bytes) -> bytes | None:
    """Make channel binding data of type tls-server-end-point (RFC 5929 section 4.1).

    None where it is not defined: the signature algorithm has no hash function.
    """
    certificate = x509.load_der_x509_certificate(der)
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    if algorithm is None:
        return None
    name = "sha256" if algorithm.name in ("md5", "sha1") else algorithm.name
    return new_hash(name, der).digest()


def _context(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(_ALPN)
    return context


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase")


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (
        *found.get_values_for_type(x509.DNSName),
        *(str(address) for address in found.get_values_for_type(x509.IPAddress)),
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, names: Sequence[str]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    content = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    # Another process must see the old file or the whole new one, and nobody else the key.
    partial = path.with_suffix(f".{os.getpid()}")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    partial.replace(path)
