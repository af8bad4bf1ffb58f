"""Scenarios: what clients send and what they must receive, as text.

A scenario begins with comments that say what it is about. Then each line is a step:

    NAME connects                      a connection; nothing is sent
    NAME logs in                       a session; NAME is account/resource, or an account with the
                                       resource "home". Over TLS where the wire is.
    NAME sends                         the indented lines that follow, as they are
    NAME receives                      the elements in the indented lines, in this order
    NAME receives, in any order        the same elements in whatever order
    NAME receives nothing              once the server has handled what everybody sent
    NAME receives the end              of the stream
    NAME is disconnected               the connection is closed
    NAME secures the connection        with TLS
    NAME leaves                        ends its stream properly
    NAME breaks off                    closes the connection without a word
    N seconds pass                     of virtual time: such a scenario runs in memory only

An expected element has to have the attributes that are written, others may be there. If it has
children, there are these, in this order, and no others; text must be the same. Without children or
text it says nothing about them; <body></body> and <body/> are the same. What an error says to
people in its <text/> does not count.

$domain is the server's. Any other $word stands for the value it has where it first appears in
something received, or that received nothing but it: id='$id'. `*` is any value, and as the tag of a
child any element. Of an <error/> only the first children need be there, and of a stanza of type
error its <error/>, if nothing else is written: some servers return the content with it. A header,
<stream:stream ...>, is received as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xmppfast import Element, StreamEnd, StreamParser, StreamStart
from xmppfast.core.namespaces import SASL, STANZAS, STREAMS

NAMESPACES = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"

_FOR_PEOPLE = {f"{{{namespace}}}text" for namespace in (SASL, STANZAS, STREAMS)}

_STEP = re.compile(
    r"(?P<who>[\w./-]+) (?P<what>connects|logs in|sends|receives, in any order|receives nothing|"
    r"receives the end|receives|is disconnected|secures the connection|leaves|breaks off)$"
    r"|(?P<seconds>\d+) seconds? pass(es)?$"
)
_VARIABLE = re.compile(r"\$(\w+)")


@dataclass
class Step:
    """One line of a scenario, with the indented ones behind it."""

    line: int
    who: str
    what: str
    text: str = ""


@dataclass
class Scenario:
    """A scenario as it is in its file."""

    name: str
    steps: list[Step] = field(default_factory=list)

    @property
    def virtual(self) -> bool:
        """Whether time has to pass."""
        return any(step.what == "pass" for step in self.steps)

    @property
    def needs_starttls(self) -> bool:
        """Whether a connection is secured on the way."""
        return any(step.what == "secures the connection" for step in self.steps)

    @property
    def accounts(self) -> set[str]:
        """The accounts of everybody who appears."""
        return {step.who.partition("/")[0] for step in self.steps if step.what != "pass"}


def read(path: Path) -> Scenario:
    """Read a file; ValueError for a line that is no step."""
    return read_text(path.read_text(encoding="utf-8"), path.stem)


def read_text(text: str, name: str) -> Scenario:
    """Read a scenario; ValueError for a line that is no step."""
    scenario = Scenario(name)
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0].isspace():
            if not scenario.steps:
                raise ValueError(f"{name}.txt:{number}: text before the first step")
            scenario.steps[-1].text += line.strip() + "\n"
            continue
        match = _STEP.match(line.rstrip())
        if match is None:
            raise ValueError(f"{name}.txt:{number}: no step: {line}")
        if match["seconds"]:
            scenario.steps.append(Step(number, match["seconds"], "pass"))
        else:
            scenario.steps.append(Step(number, match["who"], match["what"]))
    return scenario


class Variables:
    """Values of the words that begin with a dollar sign."""

    def __init__(self, **known: str) -> None:
        self.known = known

    def filled(self, text: str) -> str:
        """The text with the values; KeyError for a word that has none yet."""
        return _VARIABLE.sub(lambda match: self.known[match[1]], text)

    def fits(self, expected: str | None, actual: str | None) -> bool:
        """Whether a value is what is expected; an unknown word takes it on."""
        if expected == "*":
            return actual is not None
        if expected is None or actual is None:
            return expected == actual
        word = _VARIABLE.fullmatch(expected)
        if word and word[1] not in self.known:
            self.known[word[1]] = actual
            return True
        try:
            return self.filled(expected) == actual
        except KeyError:
            return False


def expected(text: str) -> Iterator[Any]:
    """The elements, and perhaps a header, that a step expects."""
    header = text.lstrip().startswith("<stream:stream")
    parser = StreamParser()
    data = text if header else f"<stream:stream {NAMESPACES}>{text}"
    events = list(parser.feed(data.replace("<*", "<any-element")))
    parser.close()
    return iter(events if header else events[1:])


def fits(wanted: Any, actual: Any, variables: Variables) -> bool:
    """Whether an event is what is expected."""
    if isinstance(wanted, StreamEnd):
        return isinstance(actual, StreamEnd)
    if isinstance(wanted, StreamStart) is not isinstance(actual, StreamStart):
        return False
    if not isinstance(wanted, StreamStart):
        return _element_fits(wanted, actual, variables)
    return wanted.tag == actual.tag and _attributes_fit(wanted, actual, variables)


def _element_fits(wanted: Element, actual: Any, variables: Variables) -> bool:
    if not isinstance(actual, Element):
        return False
    if wanted.name == "any-element":
        return True
    if wanted.tag != actual.tag or not _attributes_fit(wanted, actual, variables):
        return False
    text = (wanted.text or "").strip()
    if not len(wanted):
        return not text or variables.fits(text, (actual.text or "").strip())
    needed, children = _children(wanted), _children(actual)
    if wanted.name == "error":
        children = children[: len(needed)]
    elif wanted.get("type") == "error" and len(needed) == 1:
        children = [child for child in children if child.name == "error"]
    return len(needed) == len(children) and all(
        _element_fits(*pair, variables) for pair in zip(needed, children, strict=True)
    )


def _children(element: Element) -> list[Element]:
    return [child for child in element if child.tag not in _FOR_PEOPLE]


def _attributes_fit(wanted: Any, actual: Any, variables: Variables) -> bool:
    return all(variables.fits(value, actual.get(name)) for name, value in wanted.attrib.items())
