"""Presence between accounts (RFC 6121 section 4)."""

from __future__ import annotations

import asyncio

import pytest

from xmppfast import parse
from xmppfast.core.errors import StanzaError
from xmppfast.im.presence import read_priority


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("", 0),
        ("<priority>127</priority>", 127),
        ("<priority>-128</priority>", -128),
        ("<priority> +5\n</priority>", 5),
        ("<priority>-0</priority>", 0),
        ("<priority>007</priority>", 7),
        ("<priority>128</priority>", None),
        ("<priority>-129</priority>", None),
        ("<priority>1.5</priority>", None),
        ("<priority/>", None),
        ("<priority>high</priority>", None),
        ("<priority>٣</priority>", None),
        ("<priority>99999999999999999999</priority>", None),
        ("<priority>1</priority><priority>1</priority>", None),
        ("<priority>1<b/></priority>", None),
        ("<priority xmlns='urn:x'>500</priority>", 0),
    ],
)
def test_priority(text, priority):
    """4.7.2.3: an integer from -128 to 127, 0 where it isn't said; else bad-request."""
    stanza = parse(f"<presence xmlns='jabber:client'>{text}</presence>")
    if priority is None:
        with pytest.raises(StanzaError, match="bad-request"):
            read_priority(stanza)
    else:
        assert read_priority(stanza) == priority


def test_a_wrong_priority_changes_nothing(play):
    """4.7.2.3: refused, and the resource is not available."""
    play("""
        alice/a logs in
        alice/a sends
            <presence id='p'><priority>128</priority></presence>
            <presence id='q' to='bob@$domain'><priority>x</priority></presence>
            <message to='alice@$domain' type='headline'/>
        alice/a receives
            <presence refused='bad-request' id='p'/>
            <presence refused='bad-request' id='q'/>
        alice/a receives nothing
    """)


def test_presence_of_a_type_that_is_none(play):
    """4.7.1: refused, whomever it is for, and not delivered; `available` is no type."""
    play("""
        alice/a logs in
        bob/b logs in
        alice/a sends
            <presence id='1' type='available'/>
            <presence id='2' type='bogus' to='bob@$domain/b'/>
            <presence id='3' type='' to='bob@$domain/b'/>
        alice/a receives
            <presence refused='bad-request' id='1'/>
            <presence refused='bad-request' id='2' from='bob@$domain/b'/>
            <presence refused='bad-request' id='3' from='bob@$domain/b'/>
        bob/b receives nothing
    """)


def test_initial_presence(play):
    """4.2.2: to subscribers, and to the account's own available resources, itself included."""
    play(
        """
        bob/from logs in
        carol/to logs in
        dave/both logs in
        erin/none logs in
        bob/from sends
            <presence/>
        bob/from receives
            <presence from='bob@$domain/from'/>
            <presence from='alice@$domain' type='unavailable'/>
        dave/both sends
            <presence/>
        dave/both receives
            <presence from='dave@$domain/both'/>
            <presence from='alice@$domain' type='unavailable'/>
        alice/connected logs in
        alice/a logs in
        alice/a sends
            <presence id='i'><show>away</show><status>brb</status></presence>
        alice/a receives, in any order
            <presence id='i' from='alice@$domain/a' to='alice@$domain'/>
            <presence from='dave@$domain/both' to='alice@$domain/a'/>
            <presence type='unavailable' from='carol@$domain' to='alice@$domain/a'/>
        bob/from receives
            <presence id='i' from='alice@$domain/a' to='bob@$domain'>
                <show>away</show><status>brb</status>
            </presence>
        dave/both receives
            <presence id='i' from='alice@$domain/a' to='dave@$domain'/>
        carol/to receives nothing
        erin/none receives nothing
        alice/connected receives nothing
        alice/a receives nothing
        """,
        "alice from bob",
        "alice to carol",
        "alice both dave",
        "alice none erin",
    )


def test_further_resources(play):
    """4.2.2: a new resource is told of the others, and they of it; non-available ones aren't."""
    play("""
        alice/one logs in
        alice/two logs in
        alice/three logs in
        alice/one sends
            <presence><status>1</status></presence>
        alice/one receives
            <presence from='alice@$domain/one'/>
        alice/two sends
            <presence/>
        alice/two receives
            <presence from='alice@$domain/two' to='alice@$domain'/>
            <presence from='alice@$domain/one'><status>1</status></presence>
        alice/one receives
            <presence from='alice@$domain/two'/>
        alice/three receives nothing
    """)


def test_subsequent_presence(play):
    """4.4.2: broadcast as before, without probes."""
    play(
        """
        bob/b logs in
        bob/b sends
            <presence/>
        bob/b receives
            <presence/>
            <presence type='unavailable' from='alice@$domain'/>
        alice/a logs in
        alice/a sends
            <presence/>
            <presence><show>dnd</show></presence>
        alice/a receives, in any order
            <presence from='alice@$domain/a'/>
            <presence from='alice@$domain/a'><show>dnd</show></presence>
            <presence from='bob@$domain/b'/>
        bob/b receives
            <presence from='alice@$domain/a'/>
            <presence from='alice@$domain/a' to='bob@$domain'><show>dnd</show></presence>
        bob/b receives nothing
        alice/a receives nothing
        """,
        "alice both bob",
    )


@pytest.mark.parametrize("how", ["leaves", "breaks off"])
def test_unavailable(play, how):
    """4.5.2: said by the client, or by the server when the stream is over."""
    play(
        f"""
        bob/b logs in
        alice/one logs in
        alice/two logs in
        alice/two sends
            <presence/>
        alice/two receives
            <presence/>
            <presence type='unavailable' from='bob@$domain'/>
        alice/one sends
            <presence/>
        alice/one receives
            <presence from='alice@$domain/one'/>
            <presence from='alice@$domain/two'/>
            <presence type='unavailable' from='bob@$domain'/>
        alice/two receives
            <presence from='alice@$domain/one'/>
        bob/b sends
            <presence/>
        bob/b receives, in any order
            <presence from='bob@$domain/b'/>
            <presence from='alice@$domain/one'/>
            <presence from='alice@$domain/two'/>
        alice/one receives
            <presence from='bob@$domain/b'/>
        alice/two receives
            <presence from='bob@$domain/b'/>
        alice/one sends
            <presence type='unavailable'><status>bye</status></presence>
        alice/one receives
            <presence type='unavailable' from='alice@$domain/one'><status>bye</status></presence>
        alice/two receives
            <presence type='unavailable' from='alice@$domain/one'><status>bye</status></presence>
        bob/b receives
            <presence type='unavailable' from='alice@$domain/one' to='bob@$domain'>
                <status>bye</status>
            </presence>
        bob/b sends
            <presence><show>xa</show></presence>
        bob/b receives
            <presence from='bob@$domain/b'/>
        alice/two receives
            <presence from='bob@$domain/b'><show>xa</show></presence>
        alice/one receives nothing
        alice/two {how}
        bob/b receives
            <presence type='unavailable' from='alice@$domain/two' to='bob@$domain'/>
        """,
        "alice both bob",
    )


def test_directed_presence(play_alone):
    """4.6.2, 4.6.3: unsubscribed ones get it, and are told when it ends; not twice."""
    play_alone(
        """
        alice/a logs in
        bob/friend logs in
        carol/stranger logs in
        dave/told logs in
        bob/friend sends
            <presence/>
        bob/friend receives
            <presence/>
            <presence type='unavailable' from='alice@$domain'/>
        alice/a sends
            <presence to='carol@$domain/stranger' id='1'/>
            <presence to='dave@$domain/told' id='2'/>
            <presence to='dave@$domain/told' id='3' type='unavailable'/>
            <presence to='bob@$domain/friend' id='4'/>
        carol/stranger receives
            <presence to='carol@$domain/stranger' from='alice@$domain/a' id='1'/>
        dave/told receives
            <presence to='dave@$domain/told' from='alice@$domain/a' id='2'/>
            <presence to='dave@$domain/told' from='alice@$domain/a' id='3' type='unavailable'/>
        bob/friend receives
            <presence from='alice@$domain/a' id='4'/>
        alice/a sends
            <presence id='5'/>
        alice/a receives, in any order
            <presence id='5'/>
            <presence from='bob@$domain/friend'/>
        bob/friend receives
            <presence id='5'/>
        carol/stranger receives nothing
        alice/a sends
            <presence type='unavailable' id='6'/>
        alice/a receives
            <presence id='6'/>
        carol/stranger receives
            <presence type='unavailable' id='6' from='alice@$domain/a'/>
        bob/friend receives
            <presence type='unavailable' id='6' from='alice@$domain/a' to='bob@$domain'/>
        bob/friend receives nothing
        dave/told receives nothing
        alice/a sends
            <presence type='unavailable' id='7'/>
        alice/a receives nothing
        carol/stranger receives nothing
        """,
        "alice both bob",
    )


def test_directed_presence_of_one_who_never_was_available(play):
    """4.6.3: it ends with the session, too."""
    play("""
        alice/a logs in
        carol/c logs in
        alice/a sends
            <presence to='carol@$domain/c'/>
        carol/c receives
            <presence from='alice@$domain/a'/>
        alice/a leaves
        carol/c receives
            <presence type='unavailable' from='alice@$domain/a' to='carol@$domain/c'/>
    """)


def test_directed_presence_to_a_resource_of_a_subscriber_that_is_not_available(play_alone):
    """4.6.3: the broadcast does not reach it, so it is told by itself; an available one is not."""
    play_alone(
        """
        alice/a logs in
        alice/other logs in
        bob/connected logs in
        bob/available logs in
        alice/a sends
            <presence/>
        alice/a receives
            <presence/>
            <presence type='unavailable' from='bob@$domain'/>
        bob/available sends
            <presence/>
        bob/available receives, in any order
            <presence from='bob@$domain/available'/>
            <presence from='alice@$domain/a'/>
        alice/a receives
            <presence from='bob@$domain/available'/>
        alice/a sends
            <presence to='bob@$domain/connected'/>
            <presence to='bob@$domain/available'/>
            <presence to='alice@$domain/other'/>
        bob/connected receives
            <presence from='alice@$domain/a'/>
        bob/available receives
            <presence from='alice@$domain/a'/>
        alice/other receives
            <presence from='alice@$domain/a'/>
        alice/a breaks off
        bob/connected receives
            <presence type='unavailable' from='alice@$domain/a' to='bob@$domain/connected'/>
        bob/available receives
            <presence type='unavailable' from='alice@$domain/a' to='bob@$domain'/>
        alice/other receives
            <presence type='unavailable' from='alice@$domain/a' to='alice@$domain/other'/>
        bob/connected receives nothing
        bob/available receives nothing
        alice/other receives nothing
        """,
        "alice both bob",
    )


def test_delivery(play):
    """8.5.2.1.2, 8.5.3.1, 8.5.3.2.2: bare to available ones, full to that one or nobody."""
    play("""
        alice/a logs in
        bob/available logs in
        bob/negative logs in
        bob/connected logs in
        bob/available sends
            <presence/>
        bob/available receives
            <presence/>
        bob/negative sends
            <presence><priority>-5</priority></presence>
        bob/negative receives, in any order
            <presence from='bob@$domain/negative'/>
            <presence from='bob@$domain/available'/>
        bob/available receives
            <presence from='bob@$domain/negative'/>
        alice/a sends
            <presence to='bob@$domain' id='1'/>
            <presence to='bob@$domain/connected' id='2'/>
            <presence to='bob@$domain/gone' id='3'/>
            <presence to='bob@$domain' id='4' type='unavailable'/>
        bob/available receives
            <presence id='1' to='bob@$domain' from='alice@$domain/a'/>
            <presence id='4'/>
        bob/negative receives
            <presence id='1'/>
            <presence id='4'/>
        bob/connected receives
            <presence id='2' to='bob@$domain/connected'/>
        bob/connected receives nothing
        bob/available receives nothing
    """)


# Probes ------------------------------------------------------------------------------------------


def test_a_probe_of_a_subscriber(play):
    """4.3.2: answered with the presence of each available resource."""
    play(
        """
        bob/one logs in
        bob/two logs in
        bob/one sends
            <presence><status>1</status></presence>
        bob/one receives
            <presence/>
        alice/a logs in
        alice/a sends
            <presence type='probe' to='bob@$domain'/>
        alice/a receives
            <presence from='bob@$domain/one' to='alice@$domain/a'><status>1</status></presence>
        alice/a sends
            <presence type='probe' to='bob@$domain/one'/>
            <presence type='probe' to='bob@$domain/gone'/>
        alice/a receives
            <presence from='bob@$domain/one'/>
            <presence type='unavailable' from='bob@$domain/gone'/>
        bob/two receives nothing
        """,
        "alice to bob",
    )


@pytest.mark.parametrize("relation", ["alice from bob", "alice none bob"])
def test_a_probe_of_someone_else(play, relation):
    """4.3.2 rule 1: answered `unsubscribed`, which appendix A.3.4 hides; nothing is told."""
    play(
        """
        bob/b logs in
        alice/a logs in
        bob/b sends
            <presence/>
        bob/b receives
            <presence from='bob@$domain/b'/>
        alice/a sends
            <presence type='probe' to='bob@$domain'/>
            <presence type='probe' to='bob@$domain/b'/>
            <presence type='probe' to='nobody@$domain'/>
        alice/a receives nothing
        bob/b receives nothing
        """.replace(
            "<presence from='bob@$domain/b'/>\n",
            "<presence from='bob@$domain/b'/>\n"
            + ("            <presence type='unavailable'/>\n" if "from" in relation else ""),
        ),
        relation,
    )


def test_a_probe_by_one_who_only_believes_to_be_subscribed(play):
    """4.3.2 rule 1: `unsubscribed` puts right what the sender's server has wrong."""
    play(
        """
        alice/a logs in
        alice/a sends
            <roster id='r'/>
            <presence/>
        alice/a receives
            <contents><item jid='gone@$domain' subscription='both'/></contents>
            <presence/>
            <presence type='unavailable' from='gone@$domain'/>
        alice/a sends
            <presence type='probe' to='gone@$domain'/>
        alice/a receives
            <presence type='unsubscribed' from='gone@$domain' to='alice@$domain'/>
            <push><item jid='gone@$domain' subscription='from'/></push>
        """,
        "alice both gone",
    )


def test_a_probe_is_no_answer_to_a_request(play):
    """4.3.2 with 3.1: while a request waits, `unsubscribed` would refuse it."""
    play("""
        alice/a logs in
        bob/b logs in
        bob/b sends
            <presence/>
        bob/b receives
            <presence/>
        alice/a sends
            <presence type='subscribe' to='bob@$domain'/>
            <presence type='probe' to='bob@$domain'/>
        alice/a receives nothing
        bob/b receives
            <presence type='subscribe'/>
        bob/b receives nothing
    """)


def test_ones_own_account_is_probed_freely(play):
    """4.3.2: everybody has a subscription to oneself."""
    play("""
        alice/a logs in
        alice/b logs in
        alice/a sends
            <presence id='p'/>
        alice/a receives
            <presence id='p'/>
        alice/b sends
            <presence type='probe' to='alice@$domain'/>
        alice/b receives
            <presence id='p' from='alice@$domain/a' to='alice@$domain/b'/>
    """)


def test_the_last_unavailable_presence(play):
    """4.3.2: complete, with the time it was received."""
    play("""
        bob/desk logs in
        bob/desk sends
            <presence/>
            <presence type='unavailable'><status>Gone fishing</status></presence>
        bob/desk receives
            <presence/>
            <presence type='unavailable'/>
        bob/desk leaves
    """)
    play(
        """
        alice/a logs in
        alice/a sends
            <presence/>
        alice/a receives
            <presence/>
            <presence type='unavailable' from='bob@$domain/desk' to='alice@$domain/a'>
                <status>Gone fishing</status>
                <delay xmlns='urn:xmpp:delay' from='$domain' stamp='*'/>
            </presence>
        """.replace("alice/a logs in", "bob/zero logs in\n        alice/a logs in"),
        "alice both bob",
    )


@pytest.mark.parametrize("connected", [True, False])
def test_who_comes_while_a_probe_is_answered(play, storage, monkeypatch, connected):
    """4.3.2: that somebody was away is not said after that they came."""
    values = storage.values("last presence")

    def late(read):
        async def reading(*arguments):
            found = await read(*arguments)
            await asyncio.sleep(2)
            return found

        return reading

    for name in ("get", "get_many"):
        monkeypatch.setattr(values, name, late(getattr(values, name)))
    arrives = "alice/a logs in"
    play(
        f"""
        {arrives if connected else ""}
        bob/b logs in
        bob/b sends
            <presence/>
        bob/b receives
            <presence from='bob@$domain/b'/>
        {arrives if not connected else ""}
        alice/a sends
            <presence/>
        bob/b receives
            <presence from='alice@$domain/a'/>
        5 seconds pass
        alice/a sends
            <presence type='unavailable'/>
        {"bob/b receives" if connected else ""}
            {"<presence from='alice@$domain/a'/>" if connected else ""}
        bob/b receives
            <presence from='alice@$domain/a' type='unavailable'/>
        """,
        "alice both bob",
    )


def test_directed_to_the_own_account_while_unavailable(play):
    """4.6.3: the account's other resources are told of the end, too, and once."""
    play(
        """
        alice/a logs in
        alice/b logs in
        alice/a sends
            <presence/>
        alice/a receives
            <presence from='alice@$domain/a'/>
        alice/b sends
            <presence to='alice@$domain'/>
        alice/a receives
            <presence from='alice@$domain/b'/>
        alice/b breaks off
        alice/a receives
            <presence from='alice@$domain/b' type='unavailable'/>
        alice/a receives nothing
        alice/b logs in
        alice/b sends
            <presence to='alice@$domain'/>
            <presence/>
        alice/a receives
            <presence from='alice@$domain/b'/>
            <presence from='alice@$domain/b'/>
        alice/b breaks off
        alice/a receives
            <presence from='alice@$domain/b' type='unavailable'/>
        alice/a receives nothing
        """
    )
