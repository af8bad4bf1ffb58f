"""RFC 6121 appendix A, line by line, and what follows from it for both sides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppfast.im.subscription import TYPES, From, State, To, inbound, outbound

NONE = State()
STATES = {
    "None": NONE,
    "None + Pending Out": State(To.PENDING),
    "None + Pending In": State(To.NONE, From.PENDING),
    "None + Pending Out+In": State(To.PENDING, From.PENDING),
    "To": State(To.SUBSCRIBED),
    "To + Pending In": State(To.SUBSCRIBED, From.PENDING),
    "From": State(To.NONE, From.SUBSCRIBED),
    "From + Pending Out": State(To.PENDING, From.SUBSCRIBED),
    "Both": State(To.SUBSCRIBED, From.SUBSCRIBED),
}

# The tables of the appendix: state, whether the stanza is routed or delivered, new state ("" for no
# change). Only "subscribed" in the state None and its like has pre-approval besides, see below.
A_2_1_OUTBOUND_SUBSCRIBE = """
None                   yes  None + Pending Out
None + Pending Out     yes
None + Pending In      yes  None + Pending Out+In
None + Pending Out+In  yes
To                     yes
To + Pending In        yes
From                   yes  From + Pending Out
From + Pending Out     yes
Both                   yes
"""
A_2_2_OUTBOUND_UNSUBSCRIBE = """
None                   yes
None + Pending Out     yes  None
None + Pending In      yes
None + Pending Out+In  yes  None + Pending In
To                     yes  None
To + Pending In        yes  None + Pending In
From                   yes
From + Pending Out     yes  From
Both                   yes  From
"""
A_2_3_OUTBOUND_SUBSCRIBED = """
None                   no
None + Pending Out     no
None + Pending In      yes  From
None + Pending Out+In  yes  From + Pending Out
To                     no
To + Pending In        yes  Both
From                   no
From + Pending Out     no
Both                   no
"""
A_2_4_OUTBOUND_UNSUBSCRIBED = """
None                   no
None + Pending Out     no
None + Pending In      yes  None
None + Pending Out+In  yes  None + Pending Out
To                     no
To + Pending In        yes  To
From                   yes  None
From + Pending Out     yes  None + Pending Out
Both                   yes  To
"""
A_3_1_INBOUND_SUBSCRIBE = """
None                   yes  None + Pending In
None + Pending Out     yes  None + Pending Out+In
None + Pending In      no
None + Pending Out+In  no
To                     yes  To + Pending In
To + Pending In        no
From                   no
From + Pending Out     no
Both                   no
"""
A_3_2_INBOUND_UNSUBSCRIBE = """
None                   no
None + Pending Out     no
None + Pending In      yes  None
None + Pending Out+In  yes  None + Pending Out
To                     no
To + Pending In        yes  To
From                   yes  None
From + Pending Out     yes  None + Pending Out
Both                   yes  To
"""
A_3_3_INBOUND_SUBSCRIBED = """
None                   no
None + Pending Out     yes  To
None + Pending In      no
None + Pending Out+In  yes  To + Pending In
To                     no
To + Pending In        no
From                   no
From + Pending Out     yes  Both
Both                   no
"""
A_3_4_INBOUND_UNSUBSCRIBED = """
None                   no
None + Pending Out     yes  None
None + Pending In      no
None + Pending Out+In  yes  None + Pending In
To                     yes  None
To + Pending In        yes  None + Pending In
From                   no
From + Pending Out     yes  From
Both                   yes  From
"""
TABLES = {
    (outbound, "subscribe"): A_2_1_OUTBOUND_SUBSCRIBE,
    (outbound, "unsubscribe"): A_2_2_OUTBOUND_UNSUBSCRIBE,
    (outbound, "subscribed"): A_2_3_OUTBOUND_SUBSCRIBED,
    (outbound, "unsubscribed"): A_2_4_OUTBOUND_UNSUBSCRIBED,
    (inbound, "subscribe"): A_3_1_INBOUND_SUBSCRIBE,
    (inbound, "unsubscribe"): A_3_2_INBOUND_UNSUBSCRIBE,
    (inbound, "subscribed"): A_3_3_INBOUND_SUBSCRIBED,
    (inbound, "unsubscribed"): A_3_4_INBOUND_UNSUBSCRIBED,
}
LINES = [
    pytest.param(rule, type, line, id=f"{rule.__name__}-{type}-{line[:23].strip()}")
    for (rule, type), table in TABLES.items()
    for line in table.strip().splitlines()
]


def plain(state: State) -> State:
    """The state as the appendix has it, which doesn't know of pre-approval."""
    return state._replace(from_=From.NONE) if state.from_ is From.APPROVED else state


@pytest.mark.parametrize(("rule", "type", "line"), LINES)
def test_appendix_a(rule, type, line):
    name, passed, new = line[:23].strip(), line[23:28].strip(), line[28:].strip()
    state = STATES[name]
    outcome = rule(type, state)
    assert outcome.passed == (passed == "yes")
    assert plain(outcome.state) == STATES[new or name]
    assert outcome.reply == (
        "subscribed"
        if (rule, type) == (inbound, "subscribe") and state.from_ is From.SUBSCRIBED
        else None
    ), "section 3.1.3 rule 2: who is subscribed already is told so"


@pytest.mark.parametrize("to", To)
def test_pre_approval(to):
    """Section 3.4.2."""
    noted = outbound("subscribed", State(to))
    assert noted == (State(to, From.APPROVED), False, None)
    assert outbound("subscribed", noted.state) == noted
    assert inbound("unsubscribe", noted.state) == noted
    answered = inbound("subscribe", noted.state)
    assert answered == (State(to, From.SUBSCRIBED), False, "subscribed")
    assert outbound("unsubscribed", noted.state) == (State(to), False, None)


@pytest.mark.parametrize(("name", "value"), [(name, name.split(" ")[0].lower()) for name in STATES])
def test_subscription_attribute(name, value):
    """Section 2.1.2.5."""
    assert STATES[name].subscription == value


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(sorted(TYPES))), max_size=40))
def test_both_sides_agree(sent):
    states = [NONE, NONE]

    def receive(side, type):
        outcome = inbound(type, states[side])
        states[side] = outcome.state
        if outcome.reply:
            receive(1 - side, outcome.reply)

    for side, type in sent:
        outcome = outbound(type, states[side])
        states[side] = outcome.state
        if outcome.passed:
            receive(1 - side, type)
        for one, other in (states, reversed(states)):
            assert (one.to is To.SUBSCRIBED) == (other.from_ is From.SUBSCRIBED)
            assert (one.to is To.PENDING) == (other.from_ is From.PENDING)


@given(st.sampled_from(list(To)), st.sampled_from(list(From)), st.sampled_from(sorted(TYPES)))
def test_a_stanza_changes_one_half(to, from_, type):
    state = State(to, from_)
    for rule, half in ((outbound, "to"), (inbound, "from_")):
        if type in ("subscribed", "unsubscribed"):
            half = {"to": "from_", "from_": "to"}[half]
        after = rule(type, state).state
        other = {"to": "from_", "from_": "to"}[half]
        assert getattr(after, other) == getattr(state, other)
