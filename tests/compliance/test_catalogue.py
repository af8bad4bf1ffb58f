"""The catalogue of requirements is true to the tests there are."""

from __future__ import annotations

import pytest
from catalogue import LEVELS, PAGE, documents, exists, rendered

CLAUSES = [
    pytest.param(clause, id=f"{document.name}-{clause.id}-{number}")
    for document in documents()
    for number, clause in enumerate(document.clauses)
]


def test_there_are_clauses():
    assert len(CLAUSES) > 50


@pytest.mark.parametrize("clause", CLAUSES)
def test_clause(clause):
    assert clause.level in LEVELS
    assert bool(clause.tests) != bool(clause.reason), "tests, or a reason why there are none"
    assert [test for test in clause.tests if not exists(test)] == []


def test_what_does_not_exist():
    assert exists("tests/compliance/test_catalogue.py::test_what_does_not_exist")
    assert not exists("tests/compliance/test_catalogue.py::test_something_else")
    assert not exists("tests/compliance/test_catalogue.py")
    assert not exists("tests/scenarios/nothing.txt")


def test_the_page_is_current():
    current = PAGE.read_text(encoding="utf-8") == rendered()
    assert current, "run python tests/compliance/catalogue.py"
