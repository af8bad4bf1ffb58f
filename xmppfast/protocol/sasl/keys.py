"""What a server stores of a password: salted keys for both hash functions of SCRAM.

As text, each hash function has an authPassword value of RFC 5803: `SCRAM-SHA-256$ITERATIONS:SALT$
STORED_KEY:SERVER_KEY`, the latter three in Base64; a space separates the two.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import new as new_hash
from hashlib import pbkdf2_hmac

from .password import prepare

# By hash function of SCRAM, the name that hashlib has for it; the strongest last.
HASHES = {"SHA-1": "sha1", "SHA-256": "sha256"}

# RFC 7677 section 4 asks for at least 4096; a client pays for this at every login.
ITERATIONS = 10_000
_SALT_BYTES = 16

_VALUE = re.compile(r"SCRAM-(SHA-1|SHA-256)\$([1-9][0-9]{0,9}):([^$:]+)\$([^$:]+):([^$:]+)")


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one hash function (RFC 5802 section 3).

    The password can't be read from them, but a client could be made to believe in this server.
    """

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes

    def __repr__(self) -> str:
        return f"<Keys, {self.iterations} iterations>"

    def __str__(self) -> str:
        salt, stored_key, server_key = (
            b64encode(part).decode() for part in (self.salt, self.stored_key, self.server_key)
        )
        return f"{self.iterations}:{salt}${stored_key}:{server_key}"


@dataclass(frozen=True, slots=True)
class StoredKeys:
    """An account's keys by hash function, "SHA-1" and "SHA-256"; `str()` is what to store."""

    keys: Mapping[str, Keys]

    def __str__(self) -> str:
        return " ".join(f"SCRAM-{name}${keys}" for name, keys in self.keys.items())

    @classmethod
    def read(cls, text: str) -> StoredKeys:
        """Read what `str()` wrote; raises ValueError, without showing any of it."""
        keys: dict[str, Keys] = {}
        for value in text.split(" "):
            match = _VALUE.fullmatch(value)
            if match is None:
                raise ValueError("not a stored password of RFC 5803")
            name, iterations, *parts = match.groups()
            salt, stored_key, server_key = (a2b_base64(part, strict_mode=True) for part in parts)
            keys[name] = Keys(salt, int(iterations), stored_key, server_key)
        if keys.keys() != HASHES.keys():
            raise ValueError("a stored password needs the keys of SHA-1 and of SHA-256")
        return cls(keys)


def derive(password: str, *, salt: bytes, iterations: int = ITERATIONS) -> StoredKeys:
    """Make the keys of a new password; takes milliseconds.

    salt        16 unpredictable bytes or more, new ones for each password
    iterations  of PBKDF2

    Raises ValueError for a password that `prepare` refuses, for a shorter salt, and for fewer than
    4096 iterations.
    """
    if len(salt) < _SALT_BYTES:
        raise ValueError(f"a salt needs at least {_SALT_BYTES} bytes, not {len(salt)}")
    if iterations < 4096:
        raise ValueError(f"at least 4096 iterations, not {iterations}")
    prepared = prepare(password)
    return StoredKeys({name: _keys(name, prepared, salt, iterations) for name in HASHES})


def pretended(localpart: str, secret: bytes) -> StoredKeys:
    """Make the keys that an account that does not exist pretends to have.

    secret  32 unpredictable bytes, the same whenever this server runs

    They are always the same ones, look like those of any account, and fit no password.
    """
    # Of what is made of it, only the salt is ever seen.
    seed = hmac.digest(secret, localpart.encode(), "sha256")
    salt = hmac.digest(seed, b"salt", "sha256")[:_SALT_BYTES]
    return StoredKeys(
        {
            name: Keys(
                salt,
                ITERATIONS,
                new_hash(hash_name, b"stored key" + seed).digest(),
                new_hash(hash_name, b"server key" + seed).digest(),
            )
            for name, hash_name in HASHES.items()
        }
    )


def matches(password: bytes, stored: StoredKeys) -> bool:
    """Tell whether the prepared password is the one these keys are of; takes milliseconds."""
    keys = stored.keys["SHA-256"]
    found = _keys("SHA-256", password, keys.salt, keys.iterations)
    return hmac.compare_digest(found.stored_key, keys.stored_key)


def _keys(name: str, password: bytes, salt: bytes, iterations: int) -> Keys:
    hash_name = HASHES[name]
    salted = pbkdf2_hmac(hash_name, password, salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", hash_name)
    stored_key = new_hash(hash_name, client_key).digest()
    return Keys(salt, iterations, stored_key, hmac.digest(salted, b"Server Key", hash_name))
