"""The roster as clients see it (RFC 6121 section 2)."""

from __future__ import annotations

import pytest

READY = """
alice/a logs in
alice/a sends
    <roster id='r'/>
alice/a receives
    <contents ver='0'></contents>
"""


def test_adding_changing_and_reading(play):
    """2.3, 2.4, 2.2: the result, then the push to the resource that asked, too."""
    play(
        READY
        + """
alice/a sends
    <set id='1'><item jid='Bob@$domain' name='Böb'><group>A</group><group>B</group></item></set>
alice/a receives
    <push><item jid='bob@$domain' name='Böb' subscription='none'><group>A</group><group>B</group>
    </item></push>
    <iq type='result' id='1' to='alice@$domain/a'/>
alice/a sends
    <set id='2'><item jid='bob@$domain'><group>C</group></item></set>
alice/a receives
    <push><item jid='bob@$domain' subscription='none'><group>C</group></item></push>
    <iq type='result' id='2'/>
alice/a sends
    <roster id='3'/>
alice/a receives
    <contents id='3' ver='2'><item jid='bob@$domain'><group>C</group></item></contents>
"""
    )
    play("""
        alice/again logs in
        alice/again sends
            <roster id='4'/>
        alice/again receives
            <contents id='4' ver='2'><item jid='bob@$domain'><group>C</group></item></contents>
    """)


def test_pushes_go_to_interested_resources(play):
    """2.1.6: to all that asked for the roster, available or not, and to no others."""
    play("""
        alice/one logs in
        alice/two logs in
        alice/available logs in
        bob/b logs in
        alice/one sends
            <roster id='r'/>
        alice/one receives
            <contents ver='0'></contents>
        alice/two sends
            <roster id='r'/>
        alice/two receives
            <contents ver='0'></contents>
        alice/available sends
            <presence/>
        alice/available receives
            <presence/>
        alice/available sends
            <set id='1'><item jid='carol@$domain'/></set>
        alice/available receives
            <iq type='result' id='1'/>
        alice/one receives
            <push><item jid='carol@$domain' subscription='none'/></push>
        alice/two receives
            <push><item jid='carol@$domain' subscription='none'/></push>
        alice/available receives nothing
        bob/b receives nothing
    """)


def test_a_push_is_addressed_to_the_resource(play):
    """2.1.6: an iq of type set with the whole address in `to`, an id, and the version."""
    play(
        READY
        + """
alice/a sends
    <set id='1'><item jid='bob@$domain'/></set>
alice/a receives
    <iq type='set' to='alice@$domain/a' id='$push'><query xmlns='jabber:iq:roster' ver='1'>
        <item jid='bob@$domain'/>
    </query></iq>
    <iq type='result' id='1'/>
alice/a sends
    <iq type='result' id='$push'/>
alice/a receives nothing
"""
    )


def test_what_only_the_server_may_say(play):
    """2.1.2: `ask`, `approved` and `subscription` of a client's roster set are ignored."""
    play(
        READY
        + """
alice/a sends
    <set id='1'><item jid='bob@$domain' ask='subscribe' approved='true' subscription='both'/></set>
alice/a receives
    <push><item jid='bob@$domain' subscription='none' ask='$no'/></push>
    <iq type='result' id='1'/>
""".replace(" ask='$no'", "")
        + """
alice/a sends
    <set id='2'><item jid='bob@$domain' subscription='nonsense'/></set>
alice/a receives
    <push><item jid='bob@$domain' subscription='none'/></push>
    <iq type='result' id='2'/>
alice/a sends
    <roster id='3' />
alice/a receives
    <contents id='3'><item jid='bob@$domain' subscription='none'/></contents>
"""
    )


def test_a_change_keeps_the_subscription(play):
    """2.3.2: name and groups are replaced, nothing else."""
    play(
        """
        alice/a logs in
        alice/a sends
            <set id='1'><item jid='bob@$domain' name='B' subscription='none'/></set>
            <roster id='2'/>
        alice/a receives
            <iq type='result' id='1'/>
            <contents id='2'><item jid='bob@$domain' name='B' subscription='both'/></contents>
        """,
        "alice both bob",
    )


LONG = "x" * 1024


@pytest.mark.parametrize(
    ("condition", "query"),
    [
        pytest.param("bad-request", "<item jid='a@x'/><item jid='b@x'/>", id="two items"),
        pytest.param("bad-request", "", id="no item"),
        pytest.param("bad-request", "<item name='x'/>", id="no jid"),
        pytest.param("bad-request", "<item jid='a@x'/><other xmlns='urn:x'/>", id="something else"),
        pytest.param(
            "bad-request",
            "<item jid='a@x'><group>A</group><group>B</group><group>A</group></item>",
            id="a group twice",
        ),
        pytest.param("not-acceptable", "<item jid='a@x'><group/></item>", id="empty group"),
        pytest.param(
            "not-acceptable", "<item jid='a@x'><group></group></item>", id="group without text"
        ),
        pytest.param("not-acceptable", f"<item jid='a@x' name='{LONG}'/>", id="long name"),
        pytest.param(
            "not-acceptable", f"<item jid='a@x'><group>{LONG}</group></item>", id="long group"
        ),
        pytest.param("jid-malformed", "<item jid='a@b@c'/>", id="not an address"),
        pytest.param(
            "item-not-found", "<item jid='a@x' subscription='remove'/>", id="removing nothing"
        ),
    ],
)
def test_refused(play, condition, query):
    """2.3.3 and 2.5.3: the right error, and nothing has changed."""
    play(
        READY
        + f"""
alice/a sends
    <set id='1'>{query}</set>
alice/a receives
    <iq refused='{condition}' id='1'/>
alice/a sends
    <roster id='2' />
alice/a receives
    <contents id='2' ver='0'></contents>
"""
    )


def test_other_accounts_rosters(play):
    """2.1.5, 2.3.3: nobody reads or changes someone else's roster."""
    play("""
        alice/a logs in
        bob/b logs in
        alice/a sends
            <iq type='get' id='1' to='bob@$domain'><query xmlns='jabber:iq:roster'/></iq>
            <iq type='set' id='2' to='bob@$domain'><query xmlns='jabber:iq:roster'>
                <item jid='alice@$domain'/>
            </query></iq>
            <iq type='get' id='3' to='alice@$domain'><query xmlns='jabber:iq:roster'/></iq>
        alice/a receives
            <iq refused='forbidden' id='1' from='bob@$domain'/>
            <iq refused='forbidden' id='2' from='bob@$domain'/>
            <iq type='result' id='3' from='alice@$domain'/>
    """)


def test_removing(play):
    """2.5.1, 2.5.2: result and push; without subscriptions the contact isn't told."""
    play(
        """
        alice/a logs in
        bob/b logs in
        bob/b sends
            <presence/>
            <roster id='r'/>
        bob/b receives
            <presence/>
            <iq type='result' id='r'/>
        alice/a sends
            <roster id='r'/>
            <set id='1'><item jid='bob@$domain' subscription='remove'/></set>
        alice/a receives
            <contents id='r' ver='1'><item jid='bob@$domain'/></contents>
            <iq type='set'><query xmlns='jabber:iq:roster' ver='2'>
                <item jid='bob@$domain' subscription='remove'/>
            </query></iq>
            <iq type='result' id='1'/>
        alice/a sends
            <roster id='2'/>
        alice/a receives
            <contents id='2' ver='2'></contents>
        bob/b receives nothing
        """,
        "alice none bob",
    )


@pytest.mark.parametrize(
    ("subscription", "told"),
    [
        ("to", "<presence type='unsubscribe'/>"),
        ("from", "<presence type='unsubscribed'/>"),
        ("both", "<presence type='unsubscribe'/><presence type='unsubscribed'/>"),
    ],
)
def test_removing_ends_subscriptions(play, subscription, told):
    """2.5.2: both directions; the contact's server then has none, either."""
    told = told.replace("/>", " from='alice@$domain' to='bob@$domain'/>")
    play(
        f"""
        alice/a logs in
        bob/b logs in
        bob/b sends
            <roster id='r'/>
        bob/b receives
            <iq type='result' id='r'/>
        alice/a sends
            <set id='1'><item jid='bob@$domain' subscription='remove'/></set>
        alice/a receives
            <iq type='result' id='1'/>
        bob/b receives, in any order
            {told.replace("><", ">" + chr(10) + "            <")}
            {"<push><item jid='alice@$domain'/></push>" * (2 if subscription == "both" else 1)}
        bob/b sends
            <roster id='r'/>
        bob/b receives
            <contents id='r'><item jid='alice@$domain' subscription='none'/></contents>
        """,
        f"alice {subscription} bob",
    )


def test_removing_takes_presence_away(play):
    """2.5.2 with 3.2.2 and 3.3.3: both sides become unavailable to each other."""
    play(
        """
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
        alice/a sends
            <set id='1'><item jid='bob@$domain' subscription='remove'/></set>
        alice/a receives, in any order
            <iq type='result' id='1'/>
            <presence type='unavailable' from='bob@$domain/b'/>
        bob/b receives
            <presence type='unavailable' from='alice@$domain/a'/>
        """,
        "alice both bob",
    )


def test_removing_leaves_a_request_waiting(play):
    """3.1.3 rule 4: it waits until it is answered, in the roster or not."""
    play(
        """
        alice/a logs in
        bob/b logs in
        bob/b sends
            <presence type='subscribe' to='alice@$domain' id='s'/>
        bob/b receives nothing
        alice/a sends
            <set id='1'><item jid='bob@$domain' subscription='remove'/></set>
            <presence/>
        alice/a receives
            <iq type='result' id='1'/>
            <presence/>
            <presence type='subscribe' from='bob@$domain' id='s'/>
        """,
        "alice none bob",
    )


# Versions ----------------------------------------------------------------------------------------

CHANGED = """
alice/old logs in
alice/old sends
    <roster id='r'/>
    <set id='1'><item jid='bob@$domain'/></set>
    <set id='2'><item jid='carol@$domain'/></set>
    <set id='3'><item jid='dave@$domain'/></set>
    <set id='4'><item jid='carol@$domain' subscription='remove'/></set>
    <set id='5'><item jid='bob@$domain' name='B'/></set>
alice/old receives
    <iq type='result' id='r'/>
    <iq type='set'><query xmlns='jabber:iq:roster' ver='1'/></iq>
    <iq type='result' id='1'/>
    <iq type='set'><query xmlns='jabber:iq:roster' ver='2'/></iq>
    <iq type='result' id='2'/>
    <iq type='set'><query xmlns='jabber:iq:roster' ver='3'/></iq>
    <iq type='result' id='3'/>
    <iq type='set'><query xmlns='jabber:iq:roster' ver='4'/></iq>
    <iq type='result' id='4'/>
    <iq type='set'><query xmlns='jabber:iq:roster' ver='5'/></iq>
    <iq type='result' id='5'/>
"""


@pytest.mark.parametrize(
    ("known", "pushes"),
    [
        ("5", ()),
        ("4", ((5, "jid='bob@$domain' name='B' subscription='none'"),)),
        (
            "2",
            (
                (3, "jid='dave@$domain' subscription='none'"),
                (4, "jid='carol@$domain' subscription='remove'"),
                (5, "jid='bob@$domain' name='B' subscription='none'"),
            ),
        ),
    ],
)
def test_a_version_that_is_known(play, known, pushes):
    """2.6.3: an empty result, and what has changed since as pushes, in order."""
    play(CHANGED)
    play(
        f"""
alice/new logs in
alice/new sends
    <iq type='get' id='r'><query xmlns='jabber:iq:roster' ver='{known}'/></iq>
    <iq type='get' id='r2'><query xmlns='jabber:iq:roster' ver='{known}'/></iq>
alice/new receives
"""
        + "".join(
            f"    <iq type='result' id='{id}'/>\n"
            + "".join(
                f"    <iq type='set'><query xmlns='jabber:iq:roster' ver='{version}'><item {item}/>"
                "</query></iq>\n"
                for version, item in pushes
            )
            for id in ("r", "r2")
        )
        + "alice/new receives nothing\n"
    )


@pytest.mark.parametrize("known", ["", "6", "-1", "nonsense", "9" * 40, "٣"])
def test_a_version_that_is_not_known(play, known):
    """2.6.2: then the whole roster is sent, with its version."""
    play(CHANGED)
    play(f"""
        alice/new logs in
        alice/new sends
            <iq type='get' id='r'><query xmlns='jabber:iq:roster' ver='{known}'/></iq>
        alice/new receives
            <contents id='r' ver='5'><item jid='dave@$domain'/><item jid='bob@$domain'/></contents>
        alice/new receives nothing
    """)
