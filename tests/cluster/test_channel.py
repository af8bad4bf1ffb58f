"""Frames between two workers: none lost, none twice, in order, whatever the bus loses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xmppfast.cluster.channel import Receiving, Sending
from xmppfast.cluster.frames import Batch, Frame, Kind, decode, encode

BATCHES = st.builds(
    Batch,
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.lists(
        st.tuples(
            st.integers(0, 2**64 - 1),
            st.builds(
                Frame,
                st.sampled_from(Kind),
                st.lists(st.binary(max_size=20), max_size=4).map(tuple),
            ),
        ),
        max_size=4,
    ),
    st.integers(0, 2**64 - 1),
    st.lists(st.integers(0, 2**64 - 1), max_size=4),
    st.integers(0, 2**64 - 1),
)


@given(BATCHES)
def test_what_was_encoded_is_decoded(batch):
    assert decode(encode(batch)) == batch


def frame(number):
    """A frame that says its number."""
    return Frame(Kind.STANZA, (b"%d" % number,))


STEPS = st.lists(st.sampled_from(["put", "lost", "heard", "missed", "done", "forgotten", "back"]))


@given(STEPS)
def test_everything_arrives_once_and_in_order(steps):
    sending, receiving = Sending(7), Receiving()
    sent = 0
    arrived, running, done = [], [], []

    def say(heard):
        epoch, base, frames = sending.batch()
        if not heard:
            return
        new, before, missing = receiving.take(Batch(epoch, base, frames))
        for number, it in new:
            arrived.append(int(it.fields[0]))
            running.append(number)
        done.extend(sending.done(before))
        if missing:
            sending.again(missing)

    def end(heard):
        numbers = [number for number in running if receiving.done(7, number)]
        running.clear()
        if heard:
            done.extend(sending.done(numbers))

    for step in steps:
        if step == "put":
            sending.put(frame(sent), sent)
            sent += 1
        elif step in ("lost", "heard"):
            say(step == "heard")
        elif step in ("done", "forgotten"):
            end(step == "done")
        elif step == "back":
            sending.again()
    sending.again()
    for _ in range(3):
        say(True)
        end(True)
    assert arrived == list(range(sent))
    assert sorted(done) == list(range(sent))
    assert sending.queued == 0


def test_what_is_withdrawn_does_not_arrive_and_leaves_no_gap():
    sending, receiving = Sending(7), Receiving()
    for number in range(4):
        sending.put(frame(number), number)
    assert sending.withdraw(lambda number: number in (1, 2)) == [1, 2]
    new, _, missing = receiving.take(Batch(*sending.batch()))
    assert [it for _, it in new] == [frame(0), Frame(Kind.NOTHING), Frame(Kind.NOTHING), frame(3)]
    assert not missing
    assert list(sending.done([number for number, _ in new])) == [0, 3]


def test_a_sender_that_begins_anew_is_not_taken_for_the_one_before():
    receiving = Receiving()
    first = Sending(7)
    for number in range(3):
        first.put(frame(number), number)
    receiving.take(Batch(*first.batch()))
    second = Sending(8)
    second.put(frame(10), 10)
    new, before, missing = receiving.take(Batch(*second.batch()))
    assert ([it for _, it in new], before, missing) == ([frame(10)], [], 0)
    assert not receiving.done(7, 1)
    assert receiving.done(8, 1)
