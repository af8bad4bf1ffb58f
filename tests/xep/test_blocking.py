"""Blocking Command (XEP-0191)."""

from __future__ import annotations

import pytest
from asking import ask

from xmppfast.core.errors import StanzaCondition, StanzaError
from xmppfast.core.jid import JID
from xmppfast.xep.blocking import block, get_blocked, unblock
from xmppfast.xep.blocklist import matches

ALICE, BOB = map(JID.parse, ("alice@example.org", "bob@example.org"))


def test_by_a_client():
    """Sections 3.2 to 3.5."""

    async def work(alice, bob):
        jids = {JID.parse(text) for text in ("a@example.net", "b@example.net/x", "example.com")}
        assert await get_blocked(alice, ALICE) == set()
        await block(alice, ALICE, *jids)
        assert await get_blocked(alice, ALICE) == jids
        await unblock(alice, ALICE, JID.parse("example.com"), JID.parse("never.example.com"))
        assert await get_blocked(alice, ALICE) == jids - {JID.parse("example.com")}
        await unblock(alice, ALICE)
        assert await get_blocked(alice, ALICE) == set()
        with pytest.raises(StanzaError, match="forbidden"):
            await block(alice, BOB, ALICE)
        with pytest.raises(StanzaError, match="bad-request"):
            await block(alice, ALICE)
        many = [JID.parse(f"c{number}@example.net") for number in range(1001)]
        with pytest.raises(StanzaError) as raised:
            await block(alice, ALICE, *many)
        assert raised.value.condition is StanzaCondition.RESOURCE_CONSTRAINT

    ask(work, "alice/a", "bob/b")


@pytest.mark.parametrize(
    ("jid", "by"),
    [
        ("a@x/r", {"a@x/r", "a@x", "x/r", "x"}),
        ("a@x", {"a@x", "x"}),
        ("x/r", {"x/r", "x"}),
        ("x", {"x"}),
        ("a@x/s", {"a@x", "x"}),
        ("a@y.x", set()),
    ],
)
def test_what_matches(jid, by):
    """Section 4."""
    for text in ("a@x/r", "a@x", "x/r", "x"):
        assert matches({JID.parse(text)}, JID.parse(jid)) is (text in by)
    assert not matches(set(), JID.parse(jid))


BLOCK = """
            <iq type='set' id='block'><block xmlns='urn:xmpp:blocking'>
                <item jid='alice@$domain'/>
            </block></iq>
"""


def test_nothing_gets_through(play):
    """Section 3.3: neither way; what is refused says no more than if nobody were there."""
    play(
        f"""
        alice/a logs in
        bob/b logs in
        bob/b sends
            <presence/>
{BLOCK}
        bob/b receives
            <presence/>
            <iq type='result' id='block'/>
        alice/a sends
            <message id='1' to='bob@$domain' type='chat'><body>hi</body></message>
            <message id='2' to='bob@$domain/b'><body>hi</body></message>
            <iq type='get' id='3' to='bob@$domain/b'><query xmlns='urn:example'/></iq>
            <presence id='4' to='bob@$domain'/>
            <presence id='5' to='bob@$domain' type='subscribe'/>
        alice/a receives
            <message refused='service-unavailable' id='1'/>
            <message refused='service-unavailable' id='2'/>
            <iq refused='service-unavailable' id='3'/>
        alice/a receives nothing
        bob/b sends
            <message id='6' to='alice@$domain/a'><body>hi</body></message>
        bob/b receives
            <message type='error' id='6'><error type='cancel'>
                <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
                <blocked xmlns='urn:xmpp:blocking:errors'/>
            </error></message>
        bob/b receives nothing
        alice/a receives nothing
        """
    )
    play("""
        bob/zero logs in
        bob/zero receives nothing
        bob/zero sends
            <presence/>
        bob/zero receives
            <presence/>
        bob/zero receives nothing
    """)


def test_while_one_is_away(play):
    """Section 3.3 rule 3: also what would be stored."""
    play(f"""
        bob/b logs in
        bob/b sends
{BLOCK}
        bob/b receives
            <iq type='result' id='block'/>
    """)
    play("""
        bob connects
        alice/a logs in
        alice/a sends
            <message id='1' to='bob@$domain' type='chat'><body>hi</body></message>
            <presence id='2' to='bob@$domain' type='subscribe'/>
            <presence id='3' to='bob@$domain' type='probe'/>
            <iq type='get' id='4' to='bob@$domain'><ping xmlns='urn:xmpp:ping'/></iq>
        alice/a receives
            <message refused='service-unavailable' id='1'/>
            <iq refused='service-unavailable' id='4' from='bob@$domain'/>
    """)
    play("""
        bob/b logs in
        bob/b sends
            <presence/>
        bob/b receives
            <presence/>
        bob/b receives nothing
    """)


def test_presence_ends_and_comes_back(play):
    """Sections 3.3 and 3.5: a subscriber sees that it ends, and what it is when unblocked."""
    play(
        f"""
        alice/a logs in
        bob/b logs in
        bob/b sends
            <presence/>
        bob/b receives
            <presence/>
            <presence type='unavailable' from='alice@$domain'/>
        alice/a sends
            <presence/>
        alice/a receives, in any order
            <presence from='alice@$domain/a'/>
            <presence from='bob@$domain/b'/>
        bob/b receives
            <presence from='alice@$domain/a'/>
        bob/b sends
{BLOCK}
            <presence><show>away</show></presence>
        bob/b receives
            <iq type='result' id='block'/>
            <presence from='bob@$domain/b'/>
        alice/a receives
            <presence type='unavailable' from='bob@$domain/b'/>
        alice/a receives nothing
        bob/b sends
            <iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>
        bob/b receives
            <iq type='result' id='u'/>
        alice/a receives
            <presence from='bob@$domain/b' to='alice@$domain'><show>away</show></presence>
        """,
        "alice both bob",
    )


def test_pushes(play):
    """Sections 3.3 and 3.5: to resources that asked for the list."""
    play("""
        alice/asked logs in
        alice/not logs in
        alice/asked sends
            <iq type='get' id='1'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        alice/asked receives
            <iq type='result' id='1'><blocklist xmlns='urn:xmpp:blocking'/></iq>
        alice/not sends
            <iq type='set' id='2'><block xmlns='urn:xmpp:blocking'><item jid='x.org'/></block></iq>
            <iq type='set' id='3'><unblock xmlns='urn:xmpp:blocking'/></iq>
        alice/not receives
            <iq type='result' id='2'/>
            <iq type='result' id='3'/>
        alice/asked receives
            <iq type='set'><block xmlns='urn:xmpp:blocking'><item jid='x.org'/></block></iq>
            <iq type='set' id='*'><unblock xmlns='urn:xmpp:blocking'/></iq>
        alice/not receives nothing
    """)


def test_ones_own_server_can_be_asked_to_end_it(play):
    """A block of the own domain can be taken back."""
    play("""
        alice/a logs in
        alice/a sends
            <iq type='set' id='1'><block xmlns='urn:xmpp:blocking'>
                <item jid='$domain'/>
            </block></iq>
            <iq type='get' id='2' to='$domain'><ping xmlns='urn:xmpp:ping'/></iq>
            <iq type='set' id='3'><unblock xmlns='urn:xmpp:blocking'/></iq>
        alice/a receives
            <iq type='result' id='1'/>
            <iq type='result' id='2'/>
            <iq type='result' id='3'/>
    """)


def test_what_is_no_address(play):
    """RFC 6120 section 8.3.3.8."""
    play("""
        alice/a logs in
        alice/a sends
            <iq type='set' id='1'><block xmlns='urn:xmpp:blocking'><item jid='@'/></block></iq>
            <iq type='set' id='2'><block xmlns='urn:xmpp:blocking'><item/></block></iq>
        alice/a receives
            <iq refused='jid-malformed' id='1'/>
            <iq refused='jid-malformed' id='2'/>
    """)


def test_the_last_presence_is_not_for_those_who_are_blocked(play):
    """Section 3.3: neither at login nor by a probe, though the subscription lives on."""
    play(
        f"""
        bob/b logs in
        bob/b sends
            <presence/>
{BLOCK}
            <presence type='unavailable'><status>Off to Paris</status></presence>
        bob/b receives, in any order
            <presence/>
            <presence type='unavailable' from='alice@$domain'/>
            <presence type='unavailable' from='carol@$domain'/>
            <iq type='result' id='block'/>
            <presence type='unavailable' from='bob@$domain/b'/>
        bob/b leaves
        """,
        "alice both bob",
        "carol both bob",
    )
    play("""
        bob connects
        alice/a logs in
        carol/c logs in
        carol/c sends
            <presence/>
        carol/c receives
            <presence/>
            <presence type='unavailable' from='bob@$domain/b'>
                <status>Off to Paris</status><delay xmlns='urn:xmpp:delay'/>
            </presence>
        alice/a sends
            <presence/>
            <presence type='probe' to='bob@$domain'/>
        alice/a receives
            <presence from='alice@$domain/a'/>
            <presence type='unavailable' from='bob@$domain'/>
        alice/a receives nothing
    """)


def test_nothing_of_who_is_blocked_is_seen_at_login(play):
    """Section 3.3: not even how they said that they leave."""
    play(
        f"""
        alice/a logs in
        alice/a sends
            <presence/>
        alice/a receives
            <presence/>
            <presence type='unavailable' from='bob@$domain'/>
        alice/a sends
            <presence type='unavailable'><status>You will regret this</status></presence>
        alice/a receives
            <presence type='unavailable' from='alice@$domain/a'/>
        alice/a leaves
        bob/b logs in
        bob/b sends
{BLOCK}
            <presence/>
        bob/b receives
            <iq type='result' id='block'/>
            <presence from='bob@$domain/b'/>
        bob/b receives nothing
        """,
        "alice both bob",
    )


@pytest.mark.parametrize("blocked", ["alice@$domain", "$domain"])
def test_what_features_send_for_an_account_is_stopped_too(play, blocked):
    """Section 3.3: broadcasts and subscriptions, by bare address and by domain."""
    play(
        f"""
        alice/a logs in
        bob/b logs in
        alice/a sends
            <presence/>
        alice/a receives, in any order
            <presence from='alice@$domain/a'/>
            <presence type='unavailable' from='bob@$domain'/>
        bob/b sends
            <iq type='set' id='b'><block xmlns='urn:xmpp:blocking'>
                <item jid='{blocked}'/>
            </block></iq>
            <presence/>
        bob/b receives
            <iq type='result' id='b'/>
            <presence from='bob@$domain/b'/>
        alice/a receives nothing
        bob/b sends
            <iq type='set' id='r'><query xmlns='jabber:iq:roster'>
                <item jid='alice@$domain' subscription='remove'/>
            </query></iq>
            <iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>
        bob/b receives
            <iq type='result' id='r'/>
            <iq type='result' id='u'/>
        alice/a receives nothing
        """,
        "alice both bob",
    )


def test_answers_to_who_is_blocked_go_nowhere(play):
    """Section 3.3: iqs of type result and error are dropped, both ways, and messages of error."""
    play(
        f"""
        alice/a logs in
        bob/b logs in
        bob/b sends
{BLOCK}
        bob/b receives
            <iq type='result' id='block'/>
        alice/a sends
            <iq type='result' id='1' to='bob@$domain/b'/>
            <iq type='error' id='2' to='bob@$domain/b'/>
            <message type='error' id='3' to='bob@$domain/b'/>
        alice/a receives nothing
        bob/b sends
            <iq type='result' id='4' to='alice@$domain/a'/>
            <presence id='5' to='alice@$domain'/>
        bob/b receives
            <presence type='error' id='5'><error type='cancel'>
                <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
                <blocked xmlns='urn:xmpp:blocking:errors'/>
            </error></presence>
        bob/b receives nothing
        alice/a receives nothing
        """
    )
