"""Accounts by their owners (XEP-0077) and by admins (XEP-0133 with XEP-0050)."""

from __future__ import annotations

import pytest
from asking import ask
from playing import Play

from xmppfast.core.errors import StanzaCondition, StanzaError
from xmppfast.core.jid import JID
from xmppfast.core.stanza import element
from xmppfast.xep.commands import NAMESPACE as COMMANDS
from xmppfast.xep.disco import get_info, get_items
from xmppfast.xep.forms import FORM, Field, form, submitted

SERVER, ALICE, BOB = map(JID.parse, ("example.org", "alice@example.org", "bob@example.org"))
ADMIN = "http://jabber.org/protocol/admin"
STREAM = (
    "<stream:stream to='$domain' version='1.0' xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'>"
)

# Registration ------------------------------------------------------------------------------------

HEADER = (
    "<stream:stream id='*' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)
CONNECTED = f"""
new connects
new sends
    {STREAM}
new receives
    {HEADER}
    <stream:features/>
new sends
    <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
new receives
    <proceed/>
new secures the connection
new sends
    {STREAM}
new receives
    {HEADER}
    <stream:features/>
""".replace("<proceed/>", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")


def test_registration_is_off():
    """Nobody makes an account unless the server says so."""

    async def work(alice):
        info = await get_info(alice, SERVER)
        assert "jabber:iq:register" not in info.features
        with pytest.raises(StanzaError, match="service-unavailable"):
            await alice.request(SERVER, "get", element("{jabber:iq:register}query"))

    ask(work, "alice/a")


def test_registration(play: Play):
    """XEP-0077 section 3.1: fields, a new account, and what is refused."""
    play(
        CONNECTED
        + """
new sends
    <iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>
new receives
    <iq type='result' id='1'><query xmlns='jabber:iq:register'>
        <instructions/><username/><password/>
    </query></iq>
new sends
    <iq type='set' id='2'><query xmlns='jabber:iq:register'>
        <username>Carol</username><password>x</password>
    </query></iq>
    <iq type='set' id='3'><query xmlns='jabber:iq:register'>
        <username>carol</username><password>y</password>
    </query></iq>
    <iq type='set' id='4'><query xmlns='jabber:iq:register'><username>dave</username></query></iq>
    <iq type='set' id='5'><query xmlns='jabber:iq:register'>
        <username>d@ve</username><password>x</password>
    </query></iq>
    <iq type='set' id='6'><query xmlns='jabber:iq:register'/></iq>
new receives
    <iq type='result' id='2'/>
    <iq refused='conflict' id='3'/>
    <iq refused='not-acceptable' id='4'/>
    <iq refused='not-acceptable' id='5'/>
    <iq refused='not-acceptable' id='6'/>
new sends
    <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGNhcm9sAHg=</auth>
new receives
    <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
""",
        register=True,
        threads=True,
    )


def test_changing_and_cancelling(play: Play):
    """XEP-0077 sections 3.2, 3.3: one's own account, and no one else's."""
    play(
        """
        alice/a logs in
        alice/b logs in
        bob/b logs in
        alice/a sends
            <iq type='get' id='1' to='$domain'><query xmlns='jabber:iq:register'/></iq>
            <iq type='set' id='2' to='$domain'><query xmlns='jabber:iq:register'>
                <username>bob</username><password>stolen</password>
            </query></iq>
            <iq type='set' id='3' to='bob@$domain'><query xmlns='jabber:iq:register'>
                <remove/>
            </query></iq>
            <iq type='set' id='4' to='$domain'><query xmlns='jabber:iq:register'>
                <username>alice</username><password>better</password>
            </query></iq>
            <iq type='set' id='5'><query xmlns='jabber:iq:register'>
                <remove/><username>alice</username>
            </query></iq>
        alice/a receives
            <iq type='result' id='1'><query xmlns='jabber:iq:register'>
                <registered/><username>alice</username><password/>
            </query></iq>
            <iq refused='not-allowed' id='2'/>
            <iq refused='forbidden' id='3'/>
            <iq type='result' id='4'/>
            <iq refused='bad-request' id='5'/>
        alice/a sends
            <iq type='set' id='6'><query xmlns='jabber:iq:register'><remove/></query></iq>
        alice/a receives
            <iq type='result' id='6'/>
            <stream:error>
                <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
                <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
            </stream:error>
        alice/a receives the end
        alice/b receives
            <stream:error>
                <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
                <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
            </stream:error>
        bob/b sends
            <message to='alice@$domain' type='chat' id='m'><body>still there?</body></message>
        bob/b receives
            <message refused='service-unavailable' id='m'/>
        """,
        register=True,
        threads=True,
    )


def test_subscriptions_end_with_the_account(play: Play):
    """XEP-0077 section 3.2: contacts are told, and see that it is gone."""
    play(
        """
        bob/b logs in
        bob/b sends
            <roster id='r'/>
            <presence/>
        bob/b receives
            <contents><item jid='alice@$domain' subscription='both'/></contents>
            <presence/>
            <presence type='unavailable' from='alice@$domain'/>
        alice/a logs in
        alice/a sends
            <iq type='set' id='1'><query xmlns='jabber:iq:register'><remove/></query></iq>
        alice/a receives
            <iq type='result' id='1'/>
        bob/b receives
            <presence type='unsubscribe' from='alice@$domain'/>
            <push><item jid='alice@$domain' subscription='to'/></push>
            <presence type='unsubscribed' from='alice@$domain'/>
            <push><item jid='alice@$domain' subscription='none'/></push>
        """,
        "alice both bob",
        register=True,
        threads=True,
    )


# Administration ----------------------------------------------------------------------------------


async def execute(host, name, **values):
    """Do a command in one go; what it answers."""
    fields = [
        Field(var, "text-multi", values=[value] if isinstance(value, str) else value)
        for var, value in values.items()
    ]
    filled = form("submit", None, ADMIN, fields)
    command = element(f"{{{COMMANDS}}}command", {"node": f"{ADMIN}#{name}"}, filled)
    return (await host.request(SERVER, "set", command))[0]


async def refused(work):
    with pytest.raises(StanzaError) as raised:
        await work
    return raised.value


def test_forms():
    """XEP-0004: what is made can be read, and says what it is."""
    fields = [Field("a", "text-single", "A", required=True, values=["1"]), Field("b", "jid-multi")]
    made = form("form", "Title", "urn:x", fields)
    assert submitted(made) == {"FORM_TYPE": ["urn:x"], "a": ["1"], "b": []}
    assert [child.tag.rpartition("}")[2] for child in made] == ["title", "field", "field", "field"]
    assert made[2].attrib == {"var": "a", "type": "text-single", "label": "A"}


def test_only_admins():
    """XEP-0133 section 3: others see no command and execute none."""

    async def work(alice, bob):
        assert await get_items(bob, SERVER, COMMANDS) == []
        names = {item.node for item in await get_items(alice, SERVER, COMMANDS)}
        assert names == {
            f"{ADMIN}#{name}"
            for name in (
                "add-user",
                "delete-user",
                "change-user-password",
                "get-registered-users-list",
                "announce",
            )
        }
        error = await refused(execute(bob, "get-registered-users-list"))
        assert error.condition is StanzaCondition.FORBIDDEN
        error = await refused(execute(alice, "shutdown"))
        assert error.condition is StanzaCondition.ITEM_NOT_FOUND

    ask(work, "alice/a", "bob/b", admins=[ALICE])


def test_the_steps_of_a_command(play: Play):
    """XEP-0050 section 2.4: a form, then what was done; or nothing, if it is cancelled."""
    node = f"node='{ADMIN}#get-registered-users-list'"
    play(
        f"""
        alice/a logs in
        alice/a sends
            <iq type='set' id='1' to='$domain'><command xmlns='{COMMANDS}' {node}/></iq>
        alice/a receives
            <iq type='result' id='1'>
                <command xmlns='{COMMANDS}' {node} sessionid='$s' status='executing'>
                    <actions execute='complete'><complete/></actions>
                    <x xmlns='jabber:x:data' type='form'>
                        <title>List accounts</title>
                        <field var='FORM_TYPE' type='hidden'><value>{ADMIN}</value></field>
                        <field var='max_items' type='text-single'/>
                    </x>
                </command>
            </iq>
        alice/a sends
            <iq type='set' id='2' to='$domain'>
                <command xmlns='{COMMANDS}' {node} sessionid='$s' action='complete'>
                    <x xmlns='jabber:x:data' type='submit'/>
                </command>
            </iq>
        alice/a receives
            <iq type='result' id='2'>
                <command xmlns='{COMMANDS}' {node} sessionid='$s' status='completed'>
                    <x xmlns='jabber:x:data' type='result'>
                        <title/>
                        <field var='FORM_TYPE'/>
                        <field var='registereduserjids'><value>alice@$domain</value></field>
                    </x>
                </command>
            </iq>
        alice/a sends
            <iq type='set' id='3' to='$domain'>
                <command xmlns='{COMMANDS}' {node} sessionid='$s' action='cancel'/>
            </iq>
            <iq type='set' id='4' to='$domain'>
                <command xmlns='{COMMANDS}' {node} action='dance'/>
            </iq>
        alice/a receives
            <iq type='result' id='3'>
                <command xmlns='{COMMANDS}' {node} sessionid='$s' status='canceled'/>
            </iq>
            <iq refused='bad-request' id='4'/>
        """,
        admins=[ALICE],
    )


def test_adding_and_changing():
    """XEP-0133 sections 4.1 and 4.6."""

    async def work(alice):
        dave = "dave@example.org"
        added = {"accountjid": dave, "password": "x", "password-verify": "x"}
        done = await execute(alice, "add-user", **added)
        assert done.get("status") == "completed"
        assert done.findtext(f"{{{COMMANDS}}}note") == f"{dave} was added"
        changed = await execute(alice, "change-user-password", accountjid=dave, password="y")
        assert changed.get("status") == "completed"
        for values, condition in (
            (added, "conflict"),
            ({**added, "password-verify": "y"}, "bad-request"),
            ({**added, "accountjid": "dave@elsewhere.org"}, "not-acceptable"),
            ({**added, "accountjid": "example.org"}, "not-acceptable"),
            ({**added, "accountjid": f"{dave}/x"}, "not-acceptable"),
            ({**added, "accountjid": "@"}, "jid-malformed"),
            ({"accountjid": dave}, "bad-request"),
            ({**added, "password": "\u0378", "password-verify": "\u0378"}, "not-acceptable"),
        ):
            assert (
                await refused(execute(alice, "add-user", **values))
            ).condition.value == condition
        nobody = {"accountjid": "nobody@example.org", "password": "x"}
        error = await refused(execute(alice, "change-user-password", **nobody))
        assert error.condition is StanzaCondition.ITEM_NOT_FOUND
        listed = await execute(alice, "get-registered-users-list")
        assert submitted(listed.find(FORM))["registereduserjids"] == ["alice@example.org", dave]
        listed = await execute(alice, "get-registered-users-list", max_items="1")
        assert submitted(listed.find(FORM))["registereduserjids"] == ["alice@example.org"]

    ask(work, "alice/a", admins=[ALICE], threads=True)


def test_deleting():
    """XEP-0133 section 4.2: sessions end, nothing is left."""

    async def work(alice, bob):
        done = await execute(alice, "delete-user", accountjids=[str(BOB), "nobody@example.org"])
        assert done.findtext(f"{{{COMMANDS}}}note") == f"deleted: {BOB}"
        error = await refused(execute(alice, "delete-user", accountjids=[str(BOB)]))
        assert error.condition is StanzaCondition.ITEM_NOT_FOUND

    ask(work, "alice/a", "bob/b", admins=[ALICE])


def test_announcing(play: Play):
    """XEP-0133 section 4.23: a headline for everybody who is connected."""
    play(
        f"""
        alice/a logs in
        bob/b logs in
        bob/b sends
            <presence/>
        bob/b receives
            <presence/>
        alice/a sends
            <iq type='set' id='1' to='$domain'>
                <command xmlns='{COMMANDS}' node='{ADMIN}#announce'>
                    <x xmlns='jabber:x:data' type='submit'>
                        <field var='subject'><value>Soon</value></field>
                        <field var='announcement'><value>Down</value><value>at 5</value></field>
                    </x>
                </command>
            </iq>
        alice/a receives
            <iq type='result' id='1'/>
        bob/b receives
            <message type='headline' from='$domain' to='bob@$domain'>
                <subject>Soon</subject><body>*</body>
            </message>
        """,
        admins=[ALICE],
    )
