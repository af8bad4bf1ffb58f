"""Whom a server's certificate is for (RFC 6120 section 13.7.1.2, RFC 6125 section 6)."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from typing import Final

from cryptography import x509

from .certificates import dns_name

_XMPP_ADDR: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5")
_SRV_NAME: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.7")

# The DER tags of their values (RFC 6120 section 13.7.1.4, RFC 4985 section 2).
_UTF8_STRING, _IA5_STRING = 0x0C, 0x16

_SERVICE: Final = "_xmpp-client."


def check(der: bytes, name: str) -> None:
    """See that a certificate is for a server; who vouches for it is not looked at.

    der   the certificate
    name  the domain as DNS has it, or an IP address

    It has to say so itself, as DNS name, SRV name of the service, XMPP address or IP address; the
    subject's common name does not count. Raises ssl.SSLCertVerificationError.
    """
    try:
        found = list(_identities(x509.load_der_x509_certificate(der)))
    except ValueError as error:
        raise ssl.SSLCertVerificationError(1, f"a certificate nobody can read: {error}") from None
    fits = _address_fits if _is_address(name) else _domain_fits
    if not any(fits(kind, value, name.lower().removesuffix(".")) for kind, value in found):
        listed = ", ".join(value for _, value in found) or "nobody"
        raise ssl.SSLCertVerificationError(
            1, f"hostname mismatch: the certificate is for {listed}, not for {name}"
        )


def _identities(certificate: x509.Certificate) -> Iterator[tuple[str, str]]:
    """What the certificate says, by kind: "DNS", "SRV", "XMPP" or "IP"."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    for name in names:
        match name:
            case x509.DNSName():
                yield "DNS", name.value
            case x509.IPAddress():
                yield "IP", str(name.value)
            case x509.OtherName() if name.type_id == _SRV_NAME:
                yield "SRV", _text(name.value, _IA5_STRING).decode("ascii")
            case x509.OtherName() if name.type_id == _XMPP_ADDR:
                yield "XMPP", _text(name.value, _UTF8_STRING).decode()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _address_fits(kind: str, value: str, name: str) -> bool:
    return kind == "IP" and ipaddress.ip_address(value) == ipaddress.ip_address(name)


def _domain_fits(kind: str, value: str, name: str) -> bool:
    match kind:
        case "DNS":
            return _pattern_fits(value.lower().removesuffix("."), name)
        case "SRV":
            return value.lower().removesuffix(".") == _SERVICE + name
        case "XMPP":
            try:
                return dns_name(value.lower()) == name
            except ValueError:
                return False  # somebody's address is no server's
        case _:
            return False


def _pattern_fits(pattern: str, name: str) -> bool:
    """RFC 6125 section 6.4.3: a star stands for the whole first label, and not for a domain."""
    if pattern.startswith("*."):
        rest = name.partition(".")[2]
        return "." in rest and rest == pattern.removeprefix("*.")
    return pattern == name


def _text(der: bytes, tag: int) -> bytes:
    """The content of a DER value that has to have that tag; ValueError if it has another."""
    if der[0] != tag:
        raise ValueError("a name of another type than it should have")
    # The length is one byte, or that of the length with the highest bit set.
    return der[2 + (der[1] & 0x7F) :] if der[1] & 0x80 else der[2:]
