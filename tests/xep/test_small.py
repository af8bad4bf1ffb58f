"""Extensions that answer requests, asked by the functions for clients."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from importlib.metadata import version as version_of
from types import SimpleNamespace

import pytest
from asking import ask

from xmppfast import parse
from xmppfast.core.errors import StanzaCondition, StanzaError
from xmppfast.core.jid import JID
from xmppfast.xep import disco, last_activity, ping, private_xml, vcard, version

SERVER, ALICE, BOB = map(JID.parse, ("example.org", "alice@example.org", "bob@example.org"))
NOBODY = JID.parse("nobody@example.org")


async def condition(work):
    """The condition of the error that it raises."""
    with pytest.raises(StanzaError) as raised:
        await work
    return raised.value.condition


class Answering:
    """A host whose peer always answers the same."""

    def __init__(self, answer):
        self.answer = answer

    async def request(self, to, type, payload):
        if isinstance(self.answer, Exception):
            raise self.answer
        return parse(self.answer)


# Ping --------------------------------------------------------------------------------------------


def test_ping():
    """XEP-0199 sections 4.1, 4.3: the server, and for an account its server, answers."""

    async def work(alice):
        await ping.send_ping(alice, SERVER)
        await ping.send_ping(alice, ALICE)

    ask(work, "alice/a")


@pytest.mark.anyio
async def test_ping_of_one_that_does_not_know_pings():
    """XEP-0199 section 4.2: an answer is an answer; unless nobody is there."""
    for known in (StanzaCondition.SERVICE_UNAVAILABLE, StanzaCondition.FEATURE_NOT_IMPLEMENTED):
        await ping.send_ping(Answering(StanzaError(known)), SERVER)
    error = StanzaError(StanzaCondition.REMOTE_SERVER_NOT_FOUND)
    assert await condition(ping.send_ping(Answering(error), SERVER)) is error.condition


# Version -----------------------------------------------------------------------------------------


def test_version():
    """XEP-0092: name and version, not the system."""

    async def work(alice):
        found = await version.get_version(alice, SERVER)
        assert found == ("xmppfast", version_of("xmppfast"), None)

    ask(work, "alice/a")


@pytest.mark.anyio
async def test_version_of_others():
    answer = (
        "<iq xmlns='jabber:client'><query xmlns='jabber:iq:version'><name>Exodus</name>"
        "<version>0.7</version><os>OS</os></query></iq>"
    )
    assert await version.get_version(Answering(answer), SERVER) == ("Exodus", "0.7", "OS")
    nothing = "<iq xmlns='jabber:client'/>"
    assert await version.get_version(Answering(nothing), SERVER) == (None, None, None)


# Discovery ---------------------------------------------------------------------------------------


def test_what_a_server_is():
    """XEP-0030 section 3: identities, and the features that are installed."""

    async def work(alice):
        info = await disco.get_info(alice, SERVER)
        assert info.identities == (("server", "im", "xmppfast"),)
        assert len(info.features) == len(set(info.features))
        assert {
            "http://jabber.org/protocol/disco#info",
            "http://jabber.org/protocol/disco#items",
            "http://jabber.org/protocol/commands",
            "jabber:iq:last",
            "jabber:iq:private",
            "jabber:iq:version",
            "msgoffline",
            "urn:xmpp:blocking",
            "urn:xmpp:ping",
            "vcard-temp",
        } <= set(info.features)
        assert "jabber:iq:register" not in info.features
        assert await disco.get_items(alice, SERVER) == []

    ask(work, "alice/a")


def test_what_an_account_is():
    """XEP-0030 section 8: only for those who may know that it exists."""

    async def work(alice, bob):
        info = await disco.get_info(alice, ALICE)
        assert info.identities == (("account", "registered", None),)
        assert "vcard-temp" in info.features
        assert await disco.get_items(alice, ALICE) == []
        for jid in (BOB, NOBODY):
            refused = await condition(disco.get_info(alice, jid))
            assert refused is StanzaCondition.SERVICE_UNAVAILABLE
            refused = await condition(disco.get_items(alice, jid))
            assert refused is StanzaCondition.SERVICE_UNAVAILABLE

    ask(work, "alice/a", "bob/b")


def test_nodes():
    """XEP-0030 section 3.2: one that isn't there is not found."""

    async def work(alice):
        for jid in (SERVER, ALICE):
            found = await condition(disco.get_info(alice, jid, "nowhere"))
            assert found is StanzaCondition.ITEM_NOT_FOUND
            found = await condition(disco.get_items(alice, jid, "nowhere"))
            assert found is StanzaCondition.ITEM_NOT_FOUND

    ask(work, "alice/a")


@pytest.mark.anyio
async def test_items_of_others():
    answer = (
        "<iq xmlns='jabber:client'><query xmlns='http://jabber.org/protocol/disco#items'>"
        "<item jid='rooms.example.org' name='Rooms'/><item jid='example.org' node='x'/>"
        "</query></iq>"
    )
    assert await disco.get_items(Answering(answer), SERVER) == [
        disco.Item(JID.parse("rooms.example.org"), "Rooms"),
        disco.Item(SERVER, None, "x"),
    ]


# Last activity -----------------------------------------------------------------------------------


def test_uptime():
    """XEP-0012 section 5."""

    async def work(alice):
        assert (await last_activity.get_last_activity(alice, SERVER)).seconds >= 0

    ask(work, "alice/a")


def test_last_activity(play):
    """XEP-0012 section 3: only for subscribers; with what was said, 0 for who is there."""
    play(
        """
        alice/a logs in
        carol/c logs in
        bob/b logs in
        alice/a sends
            <iq type='get' to='bob@$domain' id='1'><query xmlns='jabber:iq:last'/></iq>
        alice/a receives
            <iq refused='item-not-found' id='1'/>
        bob/b sends
            <presence/>
        bob/b receives
            <presence/>
        alice/a sends
            <iq type='get' to='bob@$domain' id='2'><query xmlns='jabber:iq:last'/></iq>
        alice/a receives
            <iq type='result' id='2'><query xmlns='jabber:iq:last' seconds='0'/></iq>
        bob/b sends
            <presence type='unavailable'><status>Lunch</status></presence>
        bob/b receives
            <presence type='unavailable'/>
        alice/a sends
            <iq type='get' to='bob@$domain' id='3'><query xmlns='jabber:iq:last'/></iq>
        alice/a receives
            <iq type='result' id='3'><query xmlns='jabber:iq:last' seconds='*'>Lunch</query></iq>
        carol/c sends
            <iq type='get' to='bob@$domain' id='4'><query xmlns='jabber:iq:last'/></iq>
        carol/c receives
            <iq refused='forbidden' id='4'/>
        """,
        "alice to bob",
    )


@pytest.mark.anyio
async def test_last_activity_of_others():
    answer = "<iq xmlns='jabber:client'><query xmlns='jabber:iq:last' {}>Bye</query></iq>"
    found = await last_activity.get_last_activity(Answering(answer.format("seconds='903'")), BOB)
    assert found == (903, "Bye")
    for wrong in (answer.format(""), answer.format("seconds='x'"), "<iq xmlns='jabber:client'/>"):
        with pytest.raises(ValueError, match=r"no query|invalid literal"):
            await last_activity.get_last_activity(Answering(wrong), BOB)


# vCard -------------------------------------------------------------------------------------------


def card(name):
    """A card with a name and a picture's worth of text."""
    made = ET.Element("{vcard-temp}vCard")
    ET.SubElement(made, "{vcard-temp}FN").text = name
    photo = ET.SubElement(made, "{vcard-temp}PHOTO")
    ET.SubElement(photo, "{vcard-temp}BINVAL").text = "A" * 10_000
    return made


def test_vcard():
    """XEP-0054 section 3: everybody reads it, its owner writes it."""

    async def work(alice, bob):
        empty = await vcard.get_vcard(alice, ALICE)
        assert len(empty) == 0
        for jid in (BOB, NOBODY):
            refused = await condition(vcard.get_vcard(alice, jid))
            assert refused is StanzaCondition.SERVICE_UNAVAILABLE
        await vcard.set_vcard(bob, BOB, card("Böb"))
        found = await vcard.get_vcard(alice, BOB)
        assert found == parse(ET.tostring(card("Böb")))
        refused = await condition(vcard.set_vcard(alice, BOB, card("A")))
        assert refused is StanzaCondition.FORBIDDEN
        await vcard.set_vcard(bob, BOB, card("Bob"))
        assert (await vcard.get_vcard(bob, BOB)).findtext("{vcard-temp}FN") == "Bob"
        with pytest.raises(ValueError, match="not a card"):
            await vcard.set_vcard(bob, BOB, ET.Element("vCard"))

    ask(work, "alice/a", "bob/b")


# Private XML -------------------------------------------------------------------------------------


def test_private_xml():
    """XEP-0049 section 2: kept by name, for oneself."""

    async def work(alice, bob):
        notes = ET.Element("{urn:example:notes}notes", {"n": "1"})
        ET.SubElement(notes, "{urn:example:notes}note").text = "milk & honey"
        assert len(await private_xml.get_private(alice, ALICE, notes.tag)) == 0
        await private_xml.set_private(alice, ALICE, notes)
        await private_xml.set_private(alice, ALICE, ET.Element("{urn:example:other}x"))
        found = await private_xml.get_private(alice, ALICE, notes.tag)
        assert found == parse(ET.tostring(notes))
        assert len(await private_xml.get_private(bob, BOB, notes.tag)) == 0
        refused = await condition(private_xml.get_private(bob, ALICE, notes.tag))
        assert refused is StanzaCondition.FORBIDDEN
        refused = await condition(private_xml.set_private(bob, ALICE, notes))
        assert refused is StanzaCondition.FORBIDDEN
        await private_xml.set_private(alice, ALICE, ET.Element(notes.tag))
        assert len(await private_xml.get_private(alice, ALICE, notes.tag)) == 0

    ask(work, "alice/a", "bob/b")


@pytest.mark.parametrize(
    ("type", "content", "condition"),
    [
        ("get", "", "bad-request"),
        ("get", "<a xmlns='urn:a'/><b xmlns='urn:b'/>", "bad-request"),
        ("set", "", "bad-request"),
        ("set", "<x/>", "not-acceptable"),
        ("set", "<vCard xmlns='vcard-temp'/>", "not-acceptable"),
        ("set", "<message xmlns='jabber:client'/>", "not-acceptable"),
        ("get", "<x xmlns=''/>", "not-acceptable"),
    ],
)
def test_private_xml_refused(play, type, content, condition):
    """XEP-0049 section 2.3."""
    play(f"""
        alice/a logs in
        alice/a sends
            <iq type='{type}' id='1'><query xmlns='jabber:iq:private'>{content}</query></iq>
        alice/a receives
            <iq refused='{condition}' id='1'/>
    """)


def test_private_xml_is_bounded():
    async def work(alice):
        for number in range(100):
            await private_xml.set_private(alice, ALICE, ET.Element(f"{{urn:{number}}}x"))
        more = private_xml.set_private(alice, ALICE, ET.Element("{urn:more}x"))
        assert await condition(more) is StanzaCondition.RESOURCE_CONSTRAINT
        await private_xml.set_private(alice, ALICE, ET.Element("{urn:0}x"))

    ask(work, "alice/a")


@pytest.mark.anyio
async def test_private_xml_that_is_not_answered():
    answer = "<iq xmlns='jabber:client'><query xmlns='jabber:iq:private'/></iq>"
    with pytest.raises(ValueError, match=r"no \{urn:x\}y"):
        await private_xml.get_private(Answering(answer), ALICE, "{urn:x}y")


def test_a_client_answers():
    """Ping, version and discovery are among the features of a client."""
    from xmppfast.client.defaults import features
    from xmppfast.core.dispatch import Target
    from xmppfast.core.dispatcher import Dispatcher

    installed = Dispatcher(features(SimpleNamespace()))
    assert installed.asks(Target.CLIENT)
    assert set(installed.announced(Target.CLIENT).features) == {
        "jabber:iq:version",
        "urn:xmpp:ping",
    }
