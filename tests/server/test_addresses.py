"""What one address of the network may take, on a clock of the test's."""

from __future__ import annotations

import pytest

from xmppfast.server.addresses import Addresses, network
from xmppfast.server.quotas import PerAddress

QUOTAS = PerAddress(
    connections=3, connections_per_second=2, failed_logins_per_minute=6, registrations_per_hour=2
)
HERE = "192.0.2.1"


class Clock:
    def __init__(self):
        self.time = 1000.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def addresses(clock):
    return Addresses(QUOTAS, clock)


def test_connections_at_a_time(addresses):
    assert [addresses.connected(HERE) is None for _ in range(4)] == [False, False, False, True]
    assert addresses.connected("192.0.2.2") == 0
    for _ in range(2):
        addresses.disconnected(HERE)
    assert addresses.connected(HERE) is not None


def test_connections_beyond_the_rate_wait_one_behind_the_other(clock):
    addresses = Addresses(PerAddress(connections_per_second=2), clock)
    assert [addresses.connected(HERE) for _ in range(5)] == [0, 0, 0.5, 1, 1.5]
    clock.time += 1.5
    assert addresses.connected(HERE) == 0.5
    assert addresses.connected("192.0.2.2") == 0


def test_nobody_waits_for_those_who_came_in_a_storm(clock):
    addresses = Addresses(PerAddress(connections_per_second=2), clock)
    waits = [addresses.connected(HERE) for _ in range(1000)]
    assert waits[-1] is None
    assert max(wait for wait in waits if wait is not None) < 6
    clock.time += 6
    assert addresses.connected(HERE) == 0


def test_failed_logins(addresses, clock):
    addresses.connected(HERE)
    addresses.connected("192.0.2.2")
    for _ in range(6):
        assert addresses.may_log_in(HERE)
        addresses.failed(HERE)
    assert not addresses.may_log_in(HERE)
    assert addresses.may_log_in("192.0.2.2")
    clock.time += 9
    assert not addresses.may_log_in(HERE)
    clock.time += 1
    assert addresses.may_log_in(HERE)


def test_failures_are_not_forgotten_with_the_connection(addresses, clock):
    for _ in range(6):
        addresses.connected(HERE)
        addresses.failed(HERE)
        addresses.disconnected(HERE)
    addresses.connected(HERE)
    assert not addresses.may_log_in(HERE)


def test_registrations(addresses, clock):
    addresses.connected(HERE)
    assert [addresses.may_register(HERE) for _ in range(3)] == [True, True, False]
    clock.time += 1800
    assert [addresses.may_register(HERE) for _ in range(2)] == [True, False]


def test_who_comes_and_goes_is_forgotten(addresses, clock):
    for number in range(5000):
        peer = f"198.51.{number // 250}.{number % 250}"
        addresses.connected(peer)
        addresses.disconnected(peer)
        clock.time += 0.01
    assert len(addresses) < 2048
    clock.time += 10
    addresses.connected(HERE)
    clock.time += 10
    addresses.disconnected(HERE)
    assert len(addresses) < 2048


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("a wire", "a wire", True),
        (":", ":", True),
    ],
)
def test_what_counts_as_one_address(one, other, same):
    assert (network(one) == network(other)) is same


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_the_machine_itself_is_not_counted(peer: str) -> None:
    """A proxy there stands for everybody."""
    none = PerAddress(1, 1, 1, 1)
    addresses = Addresses(none, lambda: 0.0)
    for _ in range(10):
        assert addresses.connected(peer) == 0.0
        addresses.failed(peer)
        assert addresses.may_log_in(peer)
        assert addresses.may_register(peer)
    addresses.disconnected(peer)
    assert len(addresses) == 0
