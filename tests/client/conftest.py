"""A certificate that the clients of these tests trust."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from xmppfast.transport.certificates import ServerCertificate, self_signed


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    """A certificate for localhost."""
    return self_signed(tmp_path_factory.mktemp("tls"), ["localhost"])


@pytest.fixture(scope="session")
def authority(certificate: ServerCertificate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same certificate as a file, to trust it."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(certificate.der))
    return path
