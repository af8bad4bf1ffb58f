"""Registrations and the order they are called in."""

from __future__ import annotations

import asyncio

import pytest

from xmppfast import parse
from xmppfast.core.dispatch import (
    Disco,
    Feature,
    OnIncoming,
    OnIq,
    Passage,
    Request,
    StreamFeature,
    Target,
    ordered,
)
from xmppfast.core.dispatcher import Dispatcher
from xmppfast.core.errors import StanzaCondition, StanzaError
from xmppfast.core.jid import JID
from xmppfast.core.stanza import element

ALICE = JID.parse("alice@example.org")
BOB = JID.parse("bob@example.org")


def names(*features):
    """Names in the order of calls."""
    return [feature.name for feature in ordered(features)]


def test_order_is_that_of_the_list_unless_somebody_comes_after():
    assert names(Feature("a"), Feature("b"), Feature("c")) == ["a", "b", "c"]
    assert names(Feature("a", after=("c",)), Feature("b"), Feature("c")) == ["b", "c", "a"]
    assert names(Feature("a", after=("not-installed",)), Feature("b")) == ["a", "b"]


def test_order_that_is_none():
    with pytest.raises(ValueError, match="two features 'a'"):
        ordered([Feature("a"), Feature("a")])
    with pytest.raises(ValueError, match="wait for each other"):
        ordered([Feature("a", after=("b",)), Feature("b", after=("a",))])


def request(text, sent):
    """A request that notes its answers."""
    stanza = parse(text)
    return Request(stanza, BOB, ALICE, None, lambda request, payload: sent.append(payload))


GET = "<iq type='get' id='1'><q xmlns='urn:x'/></iq>"
SET = "<iq type='set' id='1'><q xmlns='urn:x'/></iq>"


def test_requests_go_by_payload_target_and_type():
    payload = element("{urn:x}q")

    async def later(request):
        return None

    dispatcher = Dispatcher(
        [Feature("x", (OnIq("{urn:x}q", Target.ACCOUNT, get=lambda request: payload, set=later),))]
    )
    sent = []
    assert dispatcher.answer(request(GET, sent), Target.ACCOUNT) is None
    assert sent == [payload]
    asyncio.run(dispatcher.answer(request(SET, sent), Target.ACCOUNT))
    assert sent == [payload, None]
    with pytest.raises(StanzaError) as caught:
        dispatcher.answer(request(GET, sent), Target.SERVER)
    assert caught.value.condition is StanzaCondition.SERVICE_UNAVAILABLE


def test_a_type_nobody_answers():
    dispatcher = Dispatcher([Feature("x", (OnIq("{urn:x}q", Target.ACCOUNT, set=print),))])
    with pytest.raises(StanzaError) as caught:
        dispatcher.answer(request(GET, []), Target.ACCOUNT)
    assert caught.value.condition is StanzaCondition.FEATURE_NOT_IMPLEMENTED


def test_a_request_is_answered_once():
    sent = []

    def early(request):
        request.answer(element("early"))
        assert len(sent) == 1

    dispatcher = Dispatcher([Feature("x", (OnIq("{urn:x}q", Target.ACCOUNT, get=early),))])
    asked = request(GET, sent)
    dispatcher.answer(asked, Target.ACCOUNT)
    assert [each.tag for each in sent] == ["early"]
    with pytest.raises(RuntimeError):
        asked.answer()


def test_who_asks():
    stanza = parse(GET)
    own = Request(stanza, ALICE.with_resource("r"), ALICE, None, print)
    own.require_own()
    with pytest.raises(StanzaError) as caught:
        Request(stanza, BOB, ALICE, None, print).require_own()
    assert caught.value.condition is StanzaCondition.FORBIDDEN


def test_two_that_answer_the_same():
    with pytest.raises(ValueError, match="b: somebody answers"):
        Dispatcher([Feature(n, (OnIq("{urn:x}q", Target.SERVER),)) for n in "ab"])


def test_handlers_in_turn_waiting_or_not():
    seen = []

    def handler(name, done):
        def now(passage):
            seen.append(name)
            return done

        async def later(passage):
            await asyncio.sleep(0)
            seen.append(name)
            return done

        return later if name.isupper() else now

    def outcome(**handlers):
        seen.clear()
        dispatcher = Dispatcher(
            [Feature(n, (OnIncoming("message", handler(n, d)),)) for n, d in handlers.items()]
        )
        passage = Passage(parse("<message/>"), BOB, ALICE)
        waiting = dispatcher.pass_on(
            passage, dispatcher.incoming["message"], lambda passage: seen.append("end")
        )
        if waiting is not None:
            asyncio.run(waiting)
        return seen

    assert outcome() == ["end"]
    assert outcome(a=False, b=False) == ["a", "b", "end"]
    assert outcome(a=True, b=False) == ["a"]
    assert outcome(a=False, B=False, c=False, D=False) == ["a", "B", "c", "D", "end"]
    assert outcome(A=False, B=True, c=False) == ["A", "B"]


def test_what_is_announced():
    dispatcher = Dispatcher(
        [
            Feature(
                "a",
                (
                    Disco(Target.SERVER, ("urn:a",), (("server", "im", None),)),
                    StreamFeature(element("{urn:a}a")),
                ),
            ),
            Feature(
                "b",
                (
                    Disco(Target.SERVER, ("urn:b",)),
                    StreamFeature(element("b"), authenticated=False),
                ),
            ),
        ]
    )
    said = dispatcher.announced(Target.SERVER)
    assert said.features == ("urn:a", "urn:b")
    assert said.identities == (("server", "im", None),)
    assert dispatcher.announced(Target.ACCOUNT).features == ()
    assert dispatcher.stream_features == {True: b"<a xmlns='urn:a'/>", False: b"<b/>"}


def test_what_goes_out_is_written_once():
    passage = Passage(parse("<message><body>x</body></message>"), BOB, ALICE)
    assert passage.data is passage.data
    assert passage.data == (
        b"<message to='alice@example.org' from='bob@example.org'><body>x</body></message>"
    )
    passage = Passage(parse("<message to='ALICE@example.org'/>"), BOB, ALICE)
    assert passage.data == b"<message to='ALICE@example.org' from='bob@example.org'/>"
