"""What is stored of a password."""

from __future__ import annotations

import pytest
from sasl_sides import ALICE, SECRET

from xmppfast.protocol.sasl.keys import ITERATIONS, StoredKeys, derive, matches, pretended
from xmppfast.protocol.sasl.password import prepare

SALT = b"0123456789abcdef"


def test_text() -> None:
    text = str(ALICE)
    assert text.startswith("SCRAM-SHA-1$4096:c2FsdCBvZiAxNiBieXRlcw==$")
    assert " SCRAM-SHA-256$4096:c2FsdCBvZiAxNiBieXRlcw==$" in text
    assert StoredKeys.read(text) == ALICE
    assert "pencil" not in text


def test_neither_repr_nor_errors_show_keys() -> None:
    assert repr(ALICE) == (
        "StoredKeys(keys={'SHA-1': <Keys, 4096 iterations>, 'SHA-256': <Keys, 4096 iterations>})"
    )
    with pytest.raises(ValueError, match="RFC 5803") as caught:
        StoredKeys.read("pencil")
    assert "pencil" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text.partition(" ")[0],
        lambda text: text.partition(" ")[2],
        lambda text: text + " ",
        lambda text: text.replace("4096", "0"),
        lambda text: text.replace("SHA-256", "SHA-512"),
        lambda text: text.replace("$4096", "$x"),
        lambda text: text.replace("c2Fs", "c2F"),
    ],
)
def test_text_that_is_something_else(change) -> None:
    with pytest.raises(ValueError, match=r"password|padding|base64"):
        StoredKeys.read(change(str(ALICE)))


def test_matches() -> None:
    assert matches(b"pencil", ALICE)
    assert not matches(b"Pencil", ALICE)
    assert not matches(b"", ALICE)


def test_derive_refuses_weak_parameters() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes, not 15"):
        derive("pencil", salt=b"0" * 15)
    with pytest.raises(ValueError, match="at least 4096 iterations, not 4095"):
        derive("pencil", salt=SALT, iterations=4095)
    with pytest.raises(ValueError, match="empty"):
        derive("", salt=SALT)


def test_pretended_keys_look_like_others() -> None:
    real, made_up = derive("pencil", salt=SALT), pretended("nobody", SECRET)
    for name, keys in real.keys.items():
        other = made_up.keys[name]
        assert other.iterations == keys.iterations == ITERATIONS
        assert len(other.salt) == len(keys.salt)
        assert len(other.stored_key) == len(keys.stored_key)
        assert len(other.server_key) == len(keys.server_key)
    assert pretended("nobody", SECRET) == made_up
    assert pretended("nobody", b"other") != made_up
    assert pretended("other", SECRET) != made_up


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("pencil", "pencil"),
        ("I\u00adX", "IX"),  # RFC 4013 section 3
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("e\u0301", "\u00e9"),
        ("\U0001f40e e\u0301", "\U0001f40e \u00e9"),  # later than Unicode 3.2: an OpaqueString
    ],
)
def test_preparation(password: str, prepared: str) -> None:
    assert prepare(password) == prepared.encode()
