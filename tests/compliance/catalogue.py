"""The catalogue of requirements: which clause is held by which test, or why it is not.

Each .toml file beside this one is about one document:

    title = "RFC 6121: ..."

    [[clause]]
    id = "2.1.6"            the section
    level = "MUST"          MUST, SHOULD, MAY, and MUST NOT, SHOULD NOT
    says = "..."            the requirement, in short
    tests = ["tests/im/test_roster.py::test_pushes_go_to_interested_resources"]
    reason = "..."          instead of tests: why there are none

A test is a function, without parameters, or a script of `tests/scenarios`. Run this file to write
docs/compliance.md.
"""

from __future__ import annotations

import ast
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
PAGE = ROOT / "docs" / "compliance.md"
LEVELS = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"}

_HEAD = (
    "What the documents require, and the tests that hold it. Written by"
    " `python tests/compliance/catalogue.py` from the lists in"
    " [tests/compliance](../tests/compliance); a test sees to it that this page is current and"
    " that every test it names exists."
)
_COLUMNS = 140


@dataclass(frozen=True)
class Clause:
    """One requirement."""

    id: str
    level: str
    says: str
    tests: list[str] = field(default_factory=list)
    reason: str | None = None


@dataclass(frozen=True)
class Document:
    """What one document requires."""

    name: str
    title: str
    clauses: list[Clause]


def documents() -> Iterator[Document]:
    """All lists. TypeError for a clause with a key that there isn't."""
    for path in sorted(FOLDER.glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        clauses = [Clause(**clause) for clause in content["clause"]]
        yield Document(path.stem, content["title"], clauses)


@cache
def _functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def exists(test: str) -> bool:
    """Whether there is such a test."""
    name, _, function = test.partition("::")
    path = ROOT / name
    if not path.is_file():
        return False
    return path.suffix == ".txt" if not function else function in _functions(path)


def rendered() -> str:
    """The page."""
    lines = ["# Compliance", "", *textwrap.wrap(_HEAD, _COLUMNS), ""]
    for document in documents():
        held = sum(bool(clause.tests) for clause in document.clauses)
        lines.append(f"## {document.title}")
        lines.append(f"{held} of {len(document.clauses)} clauses are held by tests.\n")
        for clause in document.clauses:
            lines += _entry(clause)
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _entry(clause: Clause) -> list[str]:
    if clause.tests:
        names = (test.removeprefix("tests/") for test in clause.tests)
        proof = "; ".join(f"`{name}`" for name in names)
    else:
        proof = f"*not tested: {clause.reason}*"
    text = f"- **{clause.id}** {clause.level}: {clause.says} {proof}"
    return textwrap.wrap(
        text, _COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
