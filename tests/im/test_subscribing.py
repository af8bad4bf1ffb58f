"""Subscriptions between accounts, as their clients see them (RFC 6121 section 3)."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
import virtual
from conversation import Client, new_server
from playing import subscribe

from xmppfast.core.dispatcher import Dispatcher
from xmppfast.server.defaults import features
from xmppfast.storage.memory import MemoryStorage

ROSTERS = """
alice/a logs in
bob/b logs in
alice/a sends
    <roster id='r'/>
    <presence/>
alice/a receives
    <iq type='result' id='r'/>
    <presence from='alice@$domain/a'/>
bob/b sends
    <roster id='r'/>
    <presence id='bob'/>
bob/b receives
    <iq type='result' id='r'/>
    <presence from='bob@$domain/b'/>
"""
ASKED = (
    ROSTERS
    + """
alice/a sends
    <presence type='subscribe' to='bob@$domain' id='s'/>
alice/a receives
    <push><item jid='bob@$domain' subscription='none' ask='subscribe'/></push>
bob/b receives
    <presence type='subscribe' to='bob@$domain' from='alice@$domain' id='s'/>
"""
)
APPROVED = (
    ASKED
    + """
bob/b sends
    <presence type='subscribed' to='alice@$domain' id='ok'/>
bob/b receives
    <push><item jid='alice@$domain' subscription='from'/></push>
alice/a receives
    <presence type='subscribed' to='alice@$domain' from='bob@$domain' id='ok'/>
    <push><item jid='bob@$domain' subscription='to'/></push>
    <presence from='bob@$domain/b' to='alice@$domain' id='bob'/>
"""
)


def test_request_and_approval(play):
    """3.1.2, 3.1.5, 3.1.6: the stanza, then the push, then presence; bare addresses."""
    play(APPROVED + "alice/a receives nothing\nbob/b receives nothing")


def test_the_address_of_a_request_is_made_bare(play):
    """3.1.2: a full `to` is stripped of its resource."""
    play(
        ROSTERS
        + """
alice/a sends
    <presence type='subscribe' to='bob@$domain/x' id='s'><status>hi</status></presence>
alice/a receives
    <push><item jid='bob@$domain' subscription='none' ask='subscribe'/></push>
bob/b receives
    <presence type='subscribe' to='bob@$domain' from='alice@$domain' id='s'>
        <status>hi</status>
    </presence>
"""
    )


def test_a_request_goes_to_all_available_resources(play):
    """3.1.3 rule 3: available, not merely connected or interested."""
    play("""
        alice/a logs in
        bob/available logs in
        bob/negative logs in
        bob/interested logs in
        bob/available sends
            <presence/>
        bob/available receives
            <presence from='bob@$domain/available'/>
        bob/negative sends
            <presence><priority>-1</priority></presence>
        bob/negative receives, in any order
            <presence from='bob@$domain/available'/>
            <presence from='bob@$domain/negative'/>
        bob/available receives
            <presence from='bob@$domain/negative'/>
        bob/interested sends
            <roster id='r'/>
        bob/interested receives
            <iq type='result' id='r'/>
        alice/a sends
            <presence type='subscribe' to='bob@$domain'/>
        bob/available receives
            <presence type='subscribe' from='alice@$domain'/>
        bob/negative receives
            <presence type='subscribe' from='alice@$domain'/>
        bob/interested receives nothing
    """)


def test_a_stored_request_comes_complete_at_each_login(play):
    """3.1.3 rule 4: the entire stanza, at each new available resource until it is answered."""
    play("""
        bob/zero logs in
        alice/a logs in
        alice/a sends
            <presence type='subscribe' to='bob@$domain' id='s1' xml:lang='fr'>
                <status>c'est moi</status><nick xmlns='http://jabber.org/protocol/nick'>Al</nick>
            </presence>
            <presence type='subscribe' to='bob@$domain' id='s2'/>
        alice/a receives nothing
    """)
    for resource in ("one", "two"):
        play(f"""
            bob/{resource} logs in
            bob/{resource} receives nothing
            bob/{resource} sends
                <presence/>
            bob/{resource} receives
                <presence from='bob@$domain/{resource}'/>
                <presence type='subscribe' from='alice@$domain' id='s1' xml:lang='fr'>
                    <status>c'est moi</status><nick xmlns='http://jabber.org/protocol/nick'>Al</nick>
                </presence>
            bob/{resource} sends
                <presence/>
            bob/{resource} receives
                <presence from='bob@$domain/{resource}'/>
            bob/{resource} receives nothing
        """)
    play("""
        bob/b logs in
        bob/b sends
            <presence type='unsubscribed' to='alice@$domain'/>
            <presence/>
        bob/b receives
            <presence from='bob@$domain/b'/>
        bob/b receives nothing
    """)


def test_a_request_that_waits_is_not_in_the_roster(play):
    """Appendix A.1: items in the state None + Pending In are not pushed or delivered."""
    play(
        ASKED
        + """
bob/b sends
    <roster id='again'/>
bob/b receives
    <contents ver='0'></contents>
"""
    )
    play("""
        bob/b logs in
        bob/b sends
            <roster id='r'/>
        bob/b receives
            <contents ver='0'></contents>
    """)


def test_a_request_is_denied(play):
    """3.2.2, 3.2.3: `unsubscribed` answers it; the pending state ends."""
    play(
        ASKED
        + """
bob/b sends
    <presence type='unsubscribed' to='alice@$domain'/>
alice/a receives
    <presence type='unsubscribed' to='alice@$domain' from='bob@$domain'/>
    <push><item jid='bob@$domain' subscription='none'/></push>
bob/b receives nothing
"""
    )


def test_who_is_subscribed_already_is_told_so(play):
    """3.1.3 rule 2: the contact's server answers, the contact isn't asked."""
    play(
        APPROVED
        + """
alice/a sends
    <presence type='subscribe' to='bob@$domain'/>
alice/a receives nothing
bob/b receives nothing
"""
    )


def test_cancelling_a_subscription_to_oneself(play):
    """3.2.2, 3.2.3: unsubscribed, push, unavailable; the contact's copy is updated."""
    play(
        APPROVED
        + """
bob/b sends
    <presence type='unsubscribed' to='alice@$domain/a' id='u'/>
bob/b receives
    <push><item jid='alice@$domain' subscription='none'/></push>
alice/a receives
    <presence type='unsubscribed' to='alice@$domain' from='bob@$domain' id='u'/>
    <push><item jid='bob@$domain' subscription='none'/></push>
    <presence type='unavailable' from='bob@$domain/b' to='alice@$domain'/>
bob/b sends
    <presence id='later'/>
bob/b receives
    <presence id='later' from='bob@$domain/b'/>
alice/a receives nothing
"""
    )


def test_unsubscribing(play):
    """3.3.2, 3.3.3: routed, push; the contact's server tells the contact, and sends unavailable."""
    play(
        APPROVED
        + """
alice/a sends
    <presence type='unsubscribe' to='bob@$domain' id='u'/>
bob/b receives
    <presence type='unsubscribe' to='bob@$domain' from='alice@$domain' id='u'/>
    <push><item jid='alice@$domain' subscription='none'/></push>
alice/a receives, in any order
    <push><item jid='bob@$domain' subscription='none'/></push>
    <presence type='unavailable' from='bob@$domain/b' to='alice@$domain'/>
alice/a receives nothing
bob/b receives nothing
"""
    )


def test_in_both_directions(play):
    """3.1: the states are none, from, both, and back to none one by one."""
    play(
        APPROVED
        + """
bob/b sends
    <presence type='subscribe' to='alice@$domain'/>
bob/b receives
    <push><item jid='alice@$domain' subscription='from' ask='subscribe'/></push>
alice/a receives
    <presence type='subscribe' to='alice@$domain' from='bob@$domain'/>
alice/a sends
    <presence type='subscribed' to='bob@$domain'/>
alice/a receives
    <push><item jid='bob@$domain' subscription='both'/></push>
bob/b receives
    <presence type='subscribed' to='bob@$domain' from='alice@$domain'/>
    <push><item jid='alice@$domain' subscription='both'/></push>
    <presence from='alice@$domain/a' to='bob@$domain'/>
alice/a sends
    <presence type='unsubscribe' to='bob@$domain'/>
alice/a receives, in any order
    <push><item jid='bob@$domain' subscription='from'/></push>
    <presence type='unavailable' from='bob@$domain/b'/>
bob/b receives
    <presence type='unsubscribe' from='alice@$domain'/>
    <push><item jid='alice@$domain' subscription='to'/></push>
"""
    )


def test_an_approval_nobody_asked_for_is_ignored(play):
    """3.1.6: `subscribed` counts only where the user asked; and is no way into a roster."""
    play("""
        alice/a logs in
        bob/b logs in
        alice/a sends
            <roster id='r'/>
            <presence/>
        alice/a receives
            <iq type='result' id='r'/>
            <presence/>
        bob/b sends
            <presence type='subscribed' to='alice@$domain'/>
            <presence type='unsubscribed' to='alice@$domain'/>
            <presence type='unsubscribe' to='alice@$domain'/>
        alice/a receives nothing
        bob/b receives nothing
    """)


def test_answers_reach_interested_resources(play):
    """3.1.6 step 1: interested ones, available or not, and no others."""
    play("""
        alice/interested logs in
        alice/available logs in
        bob/b logs in
        alice/interested sends
            <roster id='r'/>
            <presence type='subscribe' to='bob@$domain'/>
        alice/interested receives
            <iq type='result' id='r'/>
            <iq type='set'/>
        bob/b sends
            <presence type='subscribed' to='alice@$domain'/>
        alice/interested receives
            <presence type='subscribed' from='bob@$domain'/>
            <push><item jid='bob@$domain' subscription='to'/></push>
        alice/available receives nothing
    """)


def test_pre_approval(play):
    """3.4.2: noted and pushed, not routed; a request is then answered for the user."""
    play(
        ROSTERS
        + """
bob/b sends
    <presence type='subscribed' to='alice@$domain'/>
bob/b receives
    <push><item jid='alice@$domain' subscription='none' approved='true'/></push>
alice/a receives nothing
alice/a sends
    <presence type='subscribe' to='bob@$domain'/>
bob/b receives
    <push><item jid='alice@$domain' subscription='from'/></push>
alice/a receives
    <push><item jid='bob@$domain' subscription='none' ask='subscribe'/></push>
    <presence type='subscribed' from='bob@$domain' to='alice@$domain'/>
    <push><item jid='bob@$domain' subscription='to'/></push>
    <presence from='bob@$domain/b' to='alice@$domain'/>
bob/b receives nothing
"""
    )


def test_pre_approval_is_cancelled(play):
    """3.4.2: `unsubscribed` takes it back, without a word to the contact."""
    play(
        ROSTERS
        + """
bob/b sends
    <presence type='subscribed' to='alice@$domain'/>
    <presence type='subscribed' to='alice@$domain'/>
    <presence type='unsubscribed' to='alice@$domain'/>
bob/b receives
    <push><item jid='alice@$domain' subscription='none' approved='true'/></push>
    <push><item jid='alice@$domain' subscription='none'/></push>
bob/b receives nothing
alice/a receives nothing
"""
    )


def test_pre_approval_is_announced():
    """3.4.1: a stream feature, as is 2.6.1 versioning."""
    announced = Dispatcher(features(MemoryStorage())(Mock())).stream_features
    assert announced[False] == b""
    assert b"<sub xmlns='urn:xmpp:features:pre-approval'/>" in announced[True]
    assert b"<ver xmlns='urn:xmpp:features:rosterver'/>" in announced[True]


def test_one_cannot_subscribe_to_oneself(play):
    """4.2.2: everybody has a subscription to one's own presence already."""
    play(
        ROSTERS
        + """
alice/a sends
    <presence type='subscribe' to='alice@$domain'/>
    <presence type='subscribed' to='alice@$domain/a'/>
alice/a receives nothing
"""
    )


def test_a_subscription_needs_an_address(play):
    """3.1.1: a request without `to` is for nobody."""
    play("""
        alice/a logs in
        alice/a sends
            <presence type='subscribe' id='s'/>
        alice/a receives
            <presence refused='bad-request' id='s'/>
    """)


def test_a_request_that_can_not_be_routed(play):
    """3.1.2: the resource that sent it is told; the contact stays asked."""
    play(
        ROSTERS
        + """
alice/other logs in
alice/other sends
    <presence/>
alice/other receives, in any order
    <presence from='alice@$domain/other'/>
    <presence from='alice@$domain/a'/>
alice/a receives
    <presence from='alice@$domain/other'/>
alice/a sends
    <presence type='subscribe' to='carol@elsewhere.example/r' id='s'/>
alice/a receives, in any order
    <presence refused='remote-server-not-found' id='s' from='carol@elsewhere.example'/>
    <push><item jid='carol@elsewhere.example' subscription='none' ask='subscribe'/></push>
alice/other receives nothing
"""
    )


def test_a_request_to_nobody_is_silent(play):
    """8.5.1: nothing tells whether an account exists."""
    play("""
        alice/a logs in
        alice/a sends
            <presence type='subscribe' to='nobody@$domain'/>
            <presence type='unsubscribed' to='nobody@$domain'/>
        alice/a receives nothing
    """)


@pytest.mark.parametrize(
    ("who", "what"),
    [
        pytest.param(
            "bob", "<presence type='unsubscribe' to='alice@example.org'/>", id="unsubscribe"
        ),
        pytest.param(
            "alice", "<presence type='unsubscribed' to='bob@example.org'/>", id="unsubscribed"
        ),
        pytest.param(
            "alice",
            "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>"
            "<item jid='bob@example.org' subscription='remove'/></query></iq>",
            id="removed",
        ),
    ],
)
def test_a_resource_that_is_leaving_is_taken_away_too(who, what):
    """3.2.2, 3.3.3, 2.5.2: nothing is left of a resource whose end is yet to be told of."""

    async def work():
        storage = MemoryStorage()
        await subscribe(storage, "alice both bob")
        server = await new_server(features(storage))
        phone = await Client(server).bound("alice", "phone")
        tablet = await Client(server).bound("alice", "tablet")
        bob = await Client(server).bound("bob", "b")
        bob.send("<presence/>")
        await bob.settled()
        phone.send("<presence/>")
        await phone.settled()
        # As when its connection is gone while something it sent is still being handled.
        server.registry.remove(server.registry.sessions[phone.jid])
        sender = bob if who == "bob" else tablet
        sender.send(what)
        come = await sender.settled() + await bob.settled()
        assert [it.type for it in come if it.from_ == phone.jid] == [None, "unavailable"]
        account = server.registry.accounts["alice@example.org"]
        assert [str(resource.jid) for resource in account.leaving] == [phone.jid]
        phone.wire.break_off()
        assert await bob.settled() == []
        assert account.leaving == ()
        await server.close()

    virtual.run(work())
