"""The exchanges printed in RFC 5802 section 5 and RFC 7677 section 3, both sides, byte by byte."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode

import pytest
from sasl_sides import Accounts, client, respond, server

from xmppfast.protocol.sasl.interface import Challenge, Success
from xmppfast.protocol.sasl.keys import Keys, StoredKeys

RFC5802 = [
    "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
]
RFC7677 = [
    "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
]
VECTORS = pytest.mark.parametrize(
    ("mechanism", "messages"), [("SCRAM-SHA-1", RFC5802), ("SCRAM-SHA-256", RFC7677)]
)


def attributes(message: str) -> dict[str, str]:
    """Attributes of a SCRAM message by letter."""
    return dict(part.split("=", 1) for part in message.split(",") if "=" in part)


def keys(name: str, salt: bytes) -> Keys:
    """Keys of the password of both documents, straight from RFC 5802 section 3."""
    salted = hashlib.pbkdf2_hmac(name, b"pencil", salt, 4096)
    client_key = hmac.digest(salted, b"Client Key", name)
    server_key = hmac.digest(salted, b"Server Key", name)
    return Keys(salt, 4096, hashlib.new(name, client_key).digest(), server_key)


@VECTORS
def test_client(mechanism: str, messages: list[str]) -> None:
    nonce = attributes(messages[0])["r"]
    ours = client("user", "pencil", bindings={}, nonce=nonce).choose((mechanism,), (), ())
    assert ours is not None
    assert ours.initial() == messages[0].encode()
    assert ours.respond(messages[1].encode()) == messages[2].encode()
    ours.succeed(messages[3].encode())


@VECTORS
def test_server(mechanism: str, messages: list[str]) -> None:
    first = attributes(messages[1])
    salt = b64decode(first["s"])
    accounts = Accounts(
        user=StoredKeys({"SHA-1": keys("sha1", salt), "SHA-256": keys("sha256", salt)})
    )
    nonce = first["r"].removeprefix(attributes(messages[0])["r"])
    ours = server(accounts=accounts, nonce=nonce).start(mechanism)
    assert respond(ours, messages[0]) == Challenge(messages[1].encode())
    assert respond(ours, messages[2]) == Success("user", messages[3].encode())
