"""What clients of older specifications ask for once they have a resource."""

from __future__ import annotations

import pytest
from conversation import Client, new_server
from virtual import run

from xmppfast.server.established import established


@pytest.mark.parametrize("to", ["", " to='example.org'"])
def test_established(to):
    async def work():
        client = await Client(await new_server(lambda host: [established()])).bound()
        client.send(
            f"<iq type='set' id='1'{to}><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"
        )
        answer = await client.stanza()
        assert (answer.type, answer.id) == ("result", "1")
        client.send(
            f"<iq type='set' id='2'{to}><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
        )
        answer = await client.stanza()
        assert (answer.type, answer[0][0].name) == ("error", "not-allowed")

    run(work())
