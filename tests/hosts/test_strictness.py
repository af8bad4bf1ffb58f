"""docs/adapters.md says what each host accepts, with its own parser and with ours; it is so."""

from __future__ import annotations

import pytest
from measured import measure
from pages import REASONS, cells, strictness_rows
from strictness import INPUTS


@pytest.mark.parametrize("variant", ["stock", "ours", "compat"])
def test_table_is_what_is_measured(receiver, variant):
    measured = measure("strictness.py", receiver, variant)
    assert list(measured) == list(INPUTS)
    assert measured == {label: cells(row, receiver)[variant] for label, row in strictness_rows()}


def test_every_difference_has_a_reason(receiver):
    for label, row in strictness_rows():
        found = cells(row, receiver)
        assert found["stock"] == found["ours"] or REASONS[label], label


def test_reasons_are_of_inputs():
    assert set(REASONS) <= set(INPUTS)
