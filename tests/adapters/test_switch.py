"""Replacements that are made and undone together."""

from __future__ import annotations

import types

import pytest

from xmppfast.adapters._switch import Switch


@pytest.fixture
def owner():
    """Something with two names."""
    return types.SimpleNamespace(a="stock a", b="stock b")


@pytest.fixture
def switch(owner):
    """Ours in their places."""
    return Switch(lambda text="ours": [(owner, "a", f"{text} a"), (owner, "b", f"{text} b")])


def test_there_and_back(owner, switch):
    assert not switch.is_installed
    switch.install()
    assert (owner.a, owner.b, switch.is_installed) == ("ours a", "ours b", True)
    switch.install(text="more")
    assert owner.a == "ours a"
    switch.uninstall()
    switch.uninstall()
    assert (owner.a, owner.b, switch.is_installed) == ("stock a", "stock b", False)


def test_for_a_while(owner, switch):
    with switch.installed(text="my"):
        assert owner.a == "my a"
        with switch.installed():
            assert owner.a == "my a"
        assert owner.a == "my a"
    assert owner.a == "stock a"


def test_for_a_while_that_ends_badly(owner, switch):
    def fail() -> None:
        with switch.installed():
            raise KeyError(owner.a)

    with pytest.raises(KeyError, match="ours a"):
        fail()
    assert owner.a == "stock a"


def test_what_others_replaced_since_is_theirs(owner, switch):
    switch.install()
    owner.b = "theirs"
    switch.uninstall()
    assert (owner.a, owner.b) == ("stock a", "theirs")


def test_nothing_is_replaced_if_something_is_missing(owner):
    switch = Switch(lambda: [(owner, "a", "ours"), (owner, "c", "ours")])
    with pytest.raises(AttributeError):
        switch.install()
    assert owner.a == "stock a"
