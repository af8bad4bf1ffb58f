"""The comparison of two runs finds what got worse, and what is not a proof."""

from __future__ import annotations

import pytest
from compare import compare, table
from projects import environments, hosts, pinned

STOCK = {"a": "passed", "b": "failed", "c": "skipped", "d": "passed"}


def report(outcomes, fed=0, installed=False):
    """A run as suite.py reports it."""
    return {"outcomes": outcomes, "reasons": {}, "bytes": fed, "installed": installed, "status": 0}


def compared(ours, fed=10, installed=True, **options):
    """The comparison of the stock run with one of ours."""
    return compare("host", "1", report(STOCK), report(ours, fed, installed), **options)


def test_same_outcomes_are_fine():
    result = compared(STOCK)
    assert result.fine
    assert result.tests == 4
    assert result.stock == result.ours == {"passed": 2, "failed": 1, "skipped": 1}


@pytest.mark.parametrize(
    ("changed", "worse"),
    [
        ({"a": "failed"}, ["a"]),
        ({"a": "skipped"}, ["a"]),
        ({"a": "xfailed"}, ["a"]),
        ({"c": "failed"}, ["c"]),
        ({"c": "passed"}, []),
        ({"b": "passed"}, []),
    ],
)
def test_what_is_worse(changed, worse):
    result = compared({**STOCK, **changed})
    assert result.worse == worse
    assert result.fine == (not worse)


def test_a_test_that_is_gone_is_worse():
    assert compared({"b": "failed", "c": "skipped", "d": "passed"}).worse == ["a"]


def test_better():
    assert compared({**STOCK, "b": "passed"}).better == ["b"]


def test_pinned_internals_are_listed_apart():
    result = compared({**STOCK, "a": "failed"}, pinned={"a": "counts calls of the parser"})
    assert (result.fine, result.pinned, result.worse) == (True, ["a"], [])


def test_a_pinned_test_that_passes_is_a_problem():
    assert not compared(STOCK, pinned={"a": "no longer"}).fine


def test_an_idle_parser_is_a_problem():
    assert not compared(STOCK, fed=0).fine
    assert compared(STOCK, fed=0, reads=False).fine
    assert not compared(STOCK, installed=False).fine


def test_ours_in_the_stock_run_is_a_problem():
    assert not compare("h", "1", report(STOCK, 5), report(STOCK, 5, True)).fine


def test_no_test_at_all_is_a_problem():
    assert not compare("h", "1", report({}), report({}, 1, True)).fine


def test_the_table_names_what_changed_and_what_is_missing():
    text = table([compared({**STOCK, "a": "failed"})], {"other": "no network"})
    assert "host: worse: a" in text
    assert "other: not run: no network" in text


def test_hosts_are_in_environments_that_have_them():
    for host in hosts().values():
        names = [p.partition("==")[0].lower() for p in environments()[host.environment].packages]
        assert f"{host.name}=={host.version}".lower() in map(
            str.lower, environments()[host.environment].packages
        )
        assert len(names) == len(set(names))
        assert bool(host.archive) == (host.source != "installed") == bool(host.sha256)


def test_pinned_tests_are_of_known_hosts():
    assert set(pinned()) <= set(hosts())
