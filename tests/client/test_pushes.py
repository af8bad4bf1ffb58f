"""Roster pushes, as a client takes them (RFC 6121 section 2.1.6)."""

from __future__ import annotations

import asyncio

import pytest

from xmppfast import parse
from xmppfast.client.roster import Roster
from xmppfast.core.dispatch import Request
from xmppfast.core.errors import StanzaError
from xmppfast.core.jid import JID

ALICE = JID.parse("alice@example.org")


async def nobody(type, payload):
    raise AssertionError("nobody is asked")


def push(sender, content):
    data = (
        "<iq xmlns='jabber:client' type='set' id='1'><query xmlns='jabber:iq:roster'>"
        f"{content}</query></iq>"
    )
    to = ALICE.with_resource("a")
    return Request(parse(data), JID.parse(sender), to, None, lambda request, payload: None)


def test_from_the_own_account():
    roster = Roster(nobody)
    roster.pushed(push("alice@example.org", "<item jid='bob@example.org' name='B'/>"), ALICE)
    assert [item.name for item in roster.values()] == ["B"]
    roster.pushed(
        push("alice@example.org", "<item jid='bob@example.org' subscription='remove'/>"), ALICE
    )
    assert not roster


@pytest.mark.parametrize(
    "sender", ["bob@example.org", "alice@example.org/other", "example.org", "alice@example.com"]
)
def test_from_others(sender):
    roster = Roster(nobody)
    with pytest.raises(StanzaError, match="service-unavailable"):
        roster.pushed(push(sender, "<item jid='bob@example.org'/>"), ALICE)
    assert not roster


def test_of_more_than_one_item():
    roster = Roster(nobody)
    items = "<item jid='bob@example.org'/><item jid='carol@example.org'/>"
    with pytest.raises(StanzaError, match="bad-request"):
        roster.pushed(push("alice@example.org", items), ALICE)
    assert not roster


def test_right_behind_the_roster():
    """Both may come in one piece: the push is handled before who asked for the roster goes on."""

    async def ask(type, payload):
        roster.pushed(push("alice@example.org", "<item jid='bob@example.org' name='new'/>"), ALICE)
        return parse(
            "<iq xmlns='jabber:client' type='result' id='1'><query xmlns='jabber:iq:roster'>"
            "<item jid='bob@example.org' name='old'/></query></iq>"
        )

    roster = Roster(ask)
    asyncio.run(roster.fetch(versioned=False))
    assert [item.name for item in roster.values()] == ["new"]
