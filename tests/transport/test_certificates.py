"""Certificates from files, and those made here."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from xmppfast.transport.certificates import end_point, load, self_signed

PEM = serialization.Encoding.PEM
PLAIN = serialization.NoEncryption()
PKCS8 = serialization.PrivateFormat.PKCS8


def pem(key, algorithm, days: int = 10, encryption=PLAIN) -> tuple[bytes, bytes]:
    """A certificate and its key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.org")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=20))
    certificate = builder.not_valid_after(now + timedelta(days=days)).sign(key, algorithm)
    return certificate.public_bytes(PEM), key.private_bytes(PEM, PKCS8, encryption)


def test_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    first = self_signed(folder, ["localhost", "127.0.0.1", "::1"])
    assert set(first.names) == {"localhost", "127.0.0.1", "::1"}
    assert self_signed(folder, ["localhost"]).der == first.der
    other = self_signed(folder, ["localhost", "m\u00fcller.example"])
    assert other.der != first.der
    assert "xn--mller-kva.example" in other.names
    assert self_signed(folder, ["localhost", "m\u00fcller.example"]).der == other.der
    files = list(folder.iterdir())
    assert [file.name for file in files] == ["self-signed.pem"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


def test_made_again_when_broken(tmp_path: Path) -> None:
    (tmp_path / "self-signed.pem").write_text("what is this?")
    assert self_signed(tmp_path, ["localhost"]).names == ("localhost",)


def test_two_files_and_one(tmp_path: Path) -> None:
    certificate, key = pem(ec.generate_private_key(ec.SECP256R1()), hashes.SHA384())
    (tmp_path / "cert.pem").write_bytes(certificate)
    (tmp_path / "key.pem").write_bytes(key)
    (tmp_path / "both.pem").write_bytes(key + certificate)
    two = load(tmp_path / "cert.pem", tmp_path / "key.pem")
    assert two.der == load(tmp_path / "both.pem").der
    assert two.names == ()
    assert timedelta(days=9) < two.expires - datetime.now(UTC) < timedelta(days=11)
    binding = end_point(two.der)
    assert binding is not None
    assert len(binding) == 48


def test_certificates_without_hash_function_have_no_binding() -> None:
    certificate, _ = pem(ed25519.Ed25519PrivateKey.generate(), None)
    der = x509.load_pem_x509_certificate(certificate).public_bytes(serialization.Encoding.DER)
    assert end_point(der) is None


def test_files_that_are_wrong(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate, _ = pem(key, hashes.SHA256())
    _, other = pem(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    secret = serialization.BestAvailableEncryption(b"passphrase")
    _, locked = pem(key, hashes.SHA256(), encryption=secret)
    path, key_path = tmp_path / "cert.pem", tmp_path / "key.pem"
    with pytest.raises(FileNotFoundError):
        load(path)
    path.write_bytes(certificate)
    with pytest.raises(ValueError, match=r"cert\.pem: no private key that fits"):
        load(path)
    key_path.write_bytes(other)
    with pytest.raises(ValueError, match=r"key\.pem: no private key that fits"):
        load(path, key_path)
    key_path.write_bytes(locked)
    with pytest.raises(ValueError, match=r"key\.pem: no private key that fits .*passphrase"):
        load(path, key_path)
    with pytest.raises(ValueError, match=r"key\.pem: no certificate"):
        load(key_path)
