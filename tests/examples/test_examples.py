"""The examples run, and between them use everything that is public."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import xmppfast

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
INTERFACE = ROOT / "xmppfast" / "xml" / "_tokenizer.pyi"

# What each has to say at least; the order counts.
SAYS = {
    "adapters": [
        "ElementTree: [('start', '{http://etherx.jabber.org/streams}stream'), ",
        "('start', '{jabber:client}iq')",
        "SAX: ('jabber:client', 'iq') {(None, 'type'): 'result', (None, 'id'): '1'}",
        "SAX refuses: undefined entity at line 1",
        "switched back: True",
    ],
    "connection": [
        "StreamStart <stream:stream ",
        "Stanza <message from='echo@localhost' to='me@localhost'><body>hi</body></message>",
        "StreamEnd </stream:stream>",
    ],
    "conversation": [
        "connected: romeo@localhost, juliet@localhost",
        "juliet's roster: Romeo, subscription both",
        "Schläfst du? 眠っているの? 🌹",
        "¿Dónde estás?, stored on the way",
        "server: ended with code 0",
    ],
    "elements": [
        "{jabber:client}message = jabber:client + message",
        "body: Wherefore & why?",
        "subject: (none)",
        "found Romeo with text None and tail None",
        "['nurse@example.com']",
        "equal: True hashes too: True true: True",
    ],
    "errors": [
        "wrong, restricted-xml: comment",
        "wrong, not-well-formed: end tag does not match the start tag",
        "line 2, column 9, ",
        "wrong, bad-format: text between stanzas",
        "wrong, unsupported-encoding: bytes that are not UTF-8",
        "too much, policy-violation: limit on depth exceeded",
        "at the end: not-well-formed: input ends inside an element",
    ],
    "extensions": [
        "software: xmppfast",
        "server: (('server', 'im', 'xmppfast'),) True []",
        "up for an hour: False",
        "card: Juliet Capulet",
        "note: balcony, at night",
        "blocked: paris@example.com",
        "to one that is blocked: not-acceptable",
        "visits: 1",
        "visits: 2",
    ],
    "held_back": [
        "in two reads: <presence from='juliet@example.com/balcony' type='unavailable'/>",
        "etree    its parser: ",
        "ours:       delivered with its last byte",
        "expat    its parser: ",
        "ours:       delivered with its last byte",
    ],
    "read_stream": [
        "proceed: the next byte begins a new stream",
        "success: the next byte begins a new stream",
        "message: {jabber:client}body",
        "presence of type subscribed: empty",
    ],
    "route": [
        "from='romeo@example.net/orchard'><body>A &lt; B</body></message>",
        "xmlns:x='urn:example:extension'><x:note>prefix from the header</x:note></message>",
        "xmlns='jabber:server'",
        "without to: <presence type='unavailable' xml:lang='en'/>",
    ],
    "speed": ["XMLPullParser", "pyexpat", f"xmppfast, {xmppfast.backend} backend"],
    "write": [
        "<message to='juliet@example.com'><body>Tybalt &amp; I</body>",
        "<message xmlns='jabber:client' to='juliet@example.com'>",
        "<stream:features/>",
        "Bob &amp; &quot;Co&quot; &lt;3",
        "refused: ",
    ],
}


def test_every_example_is_run_here() -> None:
    assert [path.stem for path in EXAMPLES] == sorted(SAYS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    rest = done.stdout
    for words in SAYS[path.stem]:
        assert words in rest
        rest = rest[rest.index(words) + len(words) :]
    assert list(tmp_path.iterdir()) == []


def public_names() -> set[str]:
    """Everything that users can call or read, without what Python calls itself."""
    names = set(xmppfast.__all__)
    for definition in ast.parse(INTERFACE.read_text(encoding="utf-8")).body:
        if isinstance(definition, ast.ClassDef):
            names |= {part.name for part in definition.body if isinstance(part, ast.FunctionDef)}
    return {name for name in names if not name.startswith("__")}


def test_everything_public_is_in_an_example() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in EXAMPLES)
    assert {name for name in public_names() if not re.search(rf"\b{name}\b", text)} == set()
