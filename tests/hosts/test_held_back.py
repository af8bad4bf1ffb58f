"""Stanzas whose last byte was fed are delivered: with our parsers always, with expat's not.

expat defers a token that arrives in pieces since 2.6, and in older versions that were patched to do
so. What the interpreter at hand has is found by experiment.
"""

from __future__ import annotations

import re
import subprocess

import pytest
from measured import interpreter, measure
from pages import HELD_BACK_PAGE, block
from receivers import RECEIVERS
from shared_data import DATA, needs_data

DEFERS = """
from pyexpat import EXPAT_VERSION, ParserCreate
parser = ParserCreate()
ends = []
parser.EndElementHandler = ends.append
for data in b"<r>", b"<a b='0123456789'", b"/>":
    parser.Parse(data)
print(EXPAT_VERSION, not ends)
"""


def expat_of(receiver: str) -> tuple[str, bool]:
    """Version of the expat that the receiver's host has, and whether it defers."""
    command = [str(interpreter(receiver)), "-c", DEFERS]
    said = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60)
    version, defers = said.stdout.split()
    return version, defers == "True"


def test_stock_parser_holds_back(receiver):
    version, defers = expat_of(receiver)
    result = measure("splits.py", receiver, "stock")
    example = result["counts"]["example"]
    assert example["splits"] > 50
    if not defers:
        assert example["held"] == 0
        pytest.skip(f"{version} here defers nothing: no reproduction with {receiver}")
    # All splits in the second half of the tag or so.
    assert 0.4 < example["held"] / example["splits"] < 0.6


def test_ours_holds_nothing_back(receiver):
    example = measure("splits.py", receiver, "ours")["counts"]["example"]
    assert example["splits"] > 50
    assert example["held"] == 0


def test_the_page_says_what_was_measured():
    rows = [line.strip("|").split("|") for line in block(HELD_BACK_PAGE, "held-back").splitlines()]
    assert [row[0].strip() for row in rows[2:]] == list(RECEIVERS)
    for _, _, example, *_, ours in rows[2:]:
        assert 40 < float(re.search(r"([\d.]+) %", example)[1]) < 60
        assert re.fullmatch(r" 0 of [\d,]+ ", ours)


@needs_data
def test_ours_holds_nothing_back_of_captured_stanzas(receiver):
    result = measure("splits.py", receiver, "ours", "--data", DATA, "--longest", 256, "--every", 5)
    assert result["where"] == []
    assert result["counts"]["all"]["held"] == 0
    assert result["counts"]["all"]["splits"] > 150_000
    assert result["refused"] == []
