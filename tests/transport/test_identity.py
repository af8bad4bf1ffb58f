"""Whom a certificate is for (RFC 6120 section 13.7.1.2, RFC 6125 section 6)."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from xmppfast.transport.identity import check

KEY = ec.generate_private_key(ec.SECP256R1())


def other(oid: str, tag: int, value: bytes) -> x509.OtherName:
    """A name of XMPP's, or somebody's."""
    length = bytes([len(value)]) if len(value) < 128 else b"\x81" + bytes([len(value)])
    return x509.OtherName(x509.ObjectIdentifier(oid), bytes([tag]) + length + value)


def srv(value: str) -> x509.OtherName:
    return other("1.3.6.1.5.5.7.8.7", 0x16, value.encode())


def xmpp(value: str) -> x509.OtherName:
    return other("1.3.6.1.5.5.7.8.5", 0x0C, value.encode())


def dns(value: str) -> x509.DNSName:
    return x509.DNSName(value)


def ip(value: str) -> x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_address(value))


def certificate(*names: x509.GeneralName) -> bytes:
    """A certificate for these; its common name is example.org."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.org")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, KEY.public_key(), 1)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("example.org", dns("example.org")),
        ("example.org", dns("Example.ORG.")),
        ("im.example.org", dns("*.example.org")),
        ("example.org", srv("_xmpp-client.example.org")),
        ("example.org", srv("_XMPP-client.Example.org")),
        ("example.org", xmpp("example.org")),
        ("xn--mller-kva.example", xmpp("Müller.example")),
        ("xn--mller-kva.example", dns("xn--mller-kva.example")),
        ("127.0.0.1", ip("127.0.0.1")),
        ("::1", ip("0:0:0:0:0:0:0:1")),
        (f"{'a' * 60}.{'b' * 60}.{'c' * 60}", xmpp(f"{'a' * 60}.{'b' * 60}.{'c' * 60}")),
    ],
)
def test_what_fits(name: str, value: x509.GeneralName) -> None:
    """DNS-ID, SRV-ID and XmppAddr (RFC 6120 section 13.7.1.2.1), one is enough."""
    check(certificate(value), name)
    check(certificate(dns("elsewhere.example"), value), name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("example.org", None),
        ("example.org", dns("example.com")),
        ("example.org", dns("*.example.org")),
        ("a.b.example.org", dns("*.example.org")),
        ("im.example.org", dns("i*.example.org")),
        ("im.example.org", dns("im.*.org")),
        ("example.org", dns("*.org")),
        ("example.org", dns("*")),
        ("example.org", dns("")),
        ("example.org", srv("_xmpp-server.example.org")),
        ("example.org", srv("_xmpp-client.example.com")),
        ("im.example.org", srv("_xmpp-client.*.example.org")),
        ("example.org", srv("example.org")),
        ("example.org", xmpp("alice@example.org")),
        ("example.org", xmpp("example.org/r")),
        ("im.example.org", xmpp("*.example.org")),
        ("example.org", xmpp("")),
        ("example.org", other("1.2.3.4", 0x0C, b"example.org")),
        ("example.org", x509.UniformResourceIdentifier("xmpp:example.org")),
        ("127.0.0.1", ip("127.0.0.2")),
        ("127.0.0.1", dns("127.0.0.1")),
        ("127.0.0.1", dns("*.0.0.1")),
        ("127.0.0.1", xmpp("127.0.0.1")),
        ("example.org", ip("127.0.0.1")),
    ],
)
def test_what_does_not_fit(name: str, value: x509.GeneralName | None) -> None:
    """Nor does the subject's common name, which is example.org in all of these."""
    names = () if value is None else (value,)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        check(certificate(*names), name)


@pytest.mark.parametrize(
    "broken",
    [
        other("1.3.6.1.5.5.7.8.5", 0x16, b"example.org"),
        other("1.3.6.1.5.5.7.8.5", 0x0C, b"\xff"),
        other("1.3.6.1.5.5.7.8.7", 0x16, b"_xmpp-client.ex\xe4mple.org"),
    ],
    ids=["type", "UTF-8", "ASCII"],
)
def test_what_nobody_can_read(broken: x509.GeneralName) -> None:
    """It is no reason to believe anything else that the certificate says."""
    with pytest.raises(ssl.SSLCertVerificationError, match="nobody can read"):
        check(certificate(broken, dns("example.org")), "example.org")
    with pytest.raises(ssl.SSLCertVerificationError, match="nobody can read"):
        check(b"", "example.org")
