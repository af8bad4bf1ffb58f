"""Stanzas whose last byte was fed are delivered: with our parsers always, with expat's not.

expat defers a token that arrives in pieces since 2.6, and in older versions that were patched to do
so. What the interpreter at hand has is found by experiment.
"""

from __future__ import annotations

import subprocess

import pytest
from measured import interpreter, measure
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

# In the captures, and refused by us on purpose: more levels than the adapters' limits allow.
DEEP = "<a><a><a><a>"


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


@needs_data
def test_ours_holds_nothing_back_of_captured_stanzas(receiver):
    result = measure("splits.py", receiver, "ours", "--data", DATA, "--longest", 512, "--every", 2)
    assert result["where"] == []
    assert result["counts"]["all"]["held"] == 0
    assert result["counts"]["all"]["splits"] > 300_000
    assert [text for text in result["refused"] if DEEP not in text] == []
