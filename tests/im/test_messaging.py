"""Where messages go: every line of RFC 6121 section 8.5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppfast.im.messaging import Address, Rule, rule

# Section 8.5.4, with "error" besides. S: silent or refused, E: refused, O: stored (it may also be
# refused), D: to it, M: to the most available or to all, A: to all, I: nothing.
TABLE = """
                                     normal  chat  groupchat  headline  error
no account, bare                        S     S       E          S        I
no account, full                        S     S       S          S        I
nobody available, bare                  O     O       E          I        I
nobody available, full without match    S     O       S          S        I
only negative, bare                     O     O       E          I        I
only negative, full match               D     D       D          D        D
only negative, full without match       S     O       S          S        I
one willing, bare                       M     M       E          A        I
one willing, full match                 D     D       D          D        D
one willing, full without match         S     M       S          S        I
many willing, bare                      M     M       E          A        I
many willing, full match                D     D       D          D        D
many willing, full without match        S     M       S          S        I
"""
ALLOWED = {
    "S": {Rule.IGNORE, Rule.REFUSE},
    "E": {Rule.REFUSE},
    "O": {Rule.STORE},
    "D": {Rule.TO_IT},
    "M": {Rule.TO_ALL},
    "A": {Rule.TO_ALL},
    "I": {Rule.IGNORE},
}
PRIORITIES = {
    "no account": {},
    "nobody available": {"connected": None},
    "only negative": {"x": -1, "y": -128},
    "one willing": {"x": 0, "y": -1, "z": None},
    "many willing": {"x": 0, "y": 127, "z": -1},
}
HEADER, *LINES = TABLE.strip("\n").splitlines()
CASES = [
    pytest.param(
        type,
        *line[:37].strip().split(", "),
        line[37:].split()[column],
        id=f"{type}-{line[:37].strip()}",
    )
    for column, type in enumerate(HEADER.split())
    for line in LINES
]


@pytest.mark.parametrize(("type", "resources", "to", "letter"), CASES)
def test_section_8_5(type, resources, to, letter):
    if resources == "no account":
        address = Address.NO_ACCOUNT
    else:
        address = {
            "bare": Address.BARE,
            "full match": Address.FULL_MATCHING,
            "full without match": Address.FULL,
        }[to]
    assert rule(type, address, PRIORITIES[resources]) in ALLOWED[letter]


def test_the_choices_made_where_there_is_one():
    """What section 8.5 leaves open: senders are told, but headlines never are answered."""
    for address in (Address.NO_ACCOUNT, Address.FULL):
        assert rule("normal", address, {}) is Rule.REFUSE
        assert rule("groupchat", address, {}) is Rule.REFUSE
        assert rule("headline", address, {}) is Rule.IGNORE


@given(
    st.sampled_from(list(Address)),
    st.dictionaries(st.text(max_size=2), st.none() | st.integers(-128, 127), max_size=4),
)
def test_any_other_type_is_normal(address, priorities):
    """Section 5.2.2."""
    expected = rule("normal", address, priorities)
    assert rule(None, address, priorities) is expected
    assert rule("nonsense", address, priorities) is expected


# The same, as clients see it ---------------------------------------------------------------------

BOBS = """
alice/a logs in
bob/zero logs in
bob/ten logs in
bob/negative logs in
bob/connected logs in
bob/zero sends
    <presence/>
bob/zero receives
    <presence/>
bob/ten sends
    <presence><priority>10</priority></presence>
bob/ten receives
    <presence from='bob@$domain/ten'/>
    <presence from='bob@$domain/zero'/>
bob/zero receives
    <presence from='bob@$domain/ten'/>
bob/negative sends
    <presence><priority>-1</priority></presence>
bob/negative receives, in any order
    <presence from='bob@$domain/ten'/>
    <presence from='bob@$domain/zero'/>
    <presence from='bob@$domain/negative'/>
bob/zero receives
    <presence from='bob@$domain/negative'/>
bob/ten receives
    <presence from='bob@$domain/negative'/>
"""


@pytest.mark.parametrize("type", ["normal", "chat", "headline"])
def test_to_all_who_are_willing(play, type):
    """8.5.2.1.1: to non-negative priorities, `to` as it was, from the full address."""
    play(
        BOBS
        + f"""
alice/a sends
    <message to='bob@$domain' type='{type}' id='m'><body>hi</body></message>
bob/zero receives
    <message to='bob@$domain' from='alice@$domain/a' type='{type}' id='m'><body>hi</body></message>
bob/ten receives
    <message to='bob@$domain' from='alice@$domain/a' type='{type}' id='m'><body>hi</body></message>
bob/negative receives nothing
bob/connected receives nothing
alice/a receives nothing
"""
    )


def test_not_for_an_account(play):
    """8.5.2.1.1: groupchat is refused, an error is dropped."""
    play(
        BOBS
        + """
alice/a sends
    <message to='bob@$domain' type='groupchat' id='g'><body>hi</body></message>
    <message to='bob@$domain' type='error' id='e'/>
alice/a receives
    <message refused='service-unavailable' id='g' from='bob@$domain' to='alice@$domain/a'/>
alice/a receives nothing
bob/zero receives nothing
bob/ten receives nothing
"""
    )


@pytest.mark.parametrize("resource", ["zero", "negative", "connected"])
def test_to_the_resource_that_is_named(play, resource):
    """8.5.3.1: any connected one, whatever its priority."""
    play(
        BOBS
        + f"""
alice/a sends
    <message to='bob@$domain/{resource}' type='groupchat' id='1'/>
    <message to='bob@$domain/{resource}' type='error' id='2'/>
bob/{resource} receives
    <message to='bob@$domain/{resource}' from='alice@$domain/a' type='groupchat' id='1'/>
    <message to='bob@$domain/{resource}' from='alice@$domain/a' type='error' id='2'/>
bob/ten receives nothing
"""
    )


def test_to_a_resource_that_is_not_there(play):
    """8.5.3.2.1: chat as to the account, `to` unchanged; normal and groupchat refused."""
    play(
        BOBS
        + """
alice/a sends
    <message to='bob@$domain/gone' id='n'><body>hi</body></message>
    <message to='bob@$domain/gone' type='groupchat' id='g'><body>hi</body></message>
    <message to='bob@$domain/gone' type='headline' id='h'><body>hi</body></message>
    <message to='bob@$domain/gone' type='error' id='e'/>
    <message to='bob@$domain/gone' type='chat' id='c'><body>hi</body></message>
alice/a receives
    <message refused='service-unavailable' id='n' from='bob@$domain/gone'/>
    <message refused='service-unavailable' id='g' from='bob@$domain/gone'/>
bob/zero receives
    <message to='bob@$domain/gone' type='chat' id='c'/>
bob/ten receives
    <message to='bob@$domain/gone' type='chat' id='c'/>
bob/negative receives nothing
alice/a receives nothing
"""
    )


def test_to_nobody(play):
    """8.5.1: no such account, bare or full."""
    play("""
        alice/a logs in
        alice/a sends
            <message to='nobody@$domain' id='1' type='chat'><body>hi</body></message>
            <message to='nobody@$domain/x' id='2'><body>hi</body></message>
            <message to='nobody@$domain' id='3' type='groupchat'/>
            <message to='nobody@$domain' id='4' type='headline'/>
            <message to='nobody@$domain' id='5' type='error'/>
            <iq to='nobody@$domain' type='get' id='6'><query xmlns='jabber:iq:roster'/></iq>
            <iq to='nobody@$domain/x' type='set' id='7'><query xmlns='jabber:iq:roster'/></iq>
            <iq to='nobody@$domain' type='result' id='8'/>
            <presence to='nobody@$domain'/>
            <presence to='nobody@$domain/x' type='unavailable'/>
        alice/a receives
            <message refused='service-unavailable' id='1' from='nobody@$domain'/>
            <message refused='service-unavailable' id='2' from='nobody@$domain/x'/>
            <message refused='service-unavailable' id='3'/>
            <iq refused='service-unavailable' id='6'/>
            <iq refused='service-unavailable' id='7'/>
        alice/a receives nothing
    """)


def test_without_an_address(play):
    """10.3.1 of RFC 6120: a message that names nobody is for the sender's own account."""
    play("""
        alice/a logs in
        alice/a sends
            <presence/>
            <message id='m'><body>note to self</body></message>
        alice/a receives
            <presence/>
            <message id='m' from='alice@$domain/a' to='alice@$domain'><body>note to self</body>
            </message>
    """)


def test_to_the_server(play):
    """RFC 6120 section 10.5.2: nobody reads the server's mail."""
    play("""
        alice/a logs in
        alice/a sends
            <message id='m' to='$domain'><body>hello?</body></message>
        alice/a receives
            <message refused='service-unavailable' id='m' from='$domain'/>
    """)


def test_an_iq_for_an_account_is_answered_by_the_server(play):
    """8.5.2.1.3, 8.5.2.2.3: never passed to a resource; unknown ones are refused."""
    play(
        BOBS
        + """
alice/a sends
    <iq to='bob@$domain' type='get' id='1'><query xmlns='urn:example:unknown'/></iq>
    <iq to='bob@$domain/ten' type='get' id='2'><query xmlns='urn:example:unknown'/></iq>
alice/a receives
    <iq refused='service-unavailable' id='1' from='bob@$domain'/>
bob/ten receives
    <iq to='bob@$domain/ten' from='alice@$domain/a' type='get' id='2'/>
bob/zero receives nothing
"""
    )


def test_what_is_refused_comes_back(play):
    """RFC 6120 section 8.3.1: with its content, so that its sender knows it without an id."""
    stanzas = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
    error = f"<error><service-unavailable {stanzas}/></error></message>"
    play(f"""
        alice/a logs in
        bob/b logs in
        bob/b sends
            <presence/>
        bob/b receives
            <presence/>
        alice/a sends
            <message to='bob@$domain' type='groupchat'><body>all</body><x xmlns='urn:x'/></message>
            <message to='carol@$domain' type='groupchat'><body>nobody is there</body></message>
            <message to='nobody@$domain/x'><body>no account</body></message>
            <message to='bob@$domain/gone'><body>no resource</body></message>
        alice/a receives
            <message type='error' from='bob@$domain'><body>all</body><x xmlns='urn:x'/>{error}
            <message type='error' from='carol@$domain'><body>nobody is there</body>{error}
            <message type='error' from='nobody@$domain/x'><body>no account</body>{error}
            <message type='error' from='bob@$domain/gone'><body>no resource</body>{error}
        bob/b receives nothing
    """)
