"""Finds the first thing wrong in a piece of a stream, in the order that docs/errors.md fixes.

expat decides what is accepted; this reader runs where expat, or a bound that its events showed to
be passed, has refused the stream already, and over what XMPP forbids beyond XML. It tells which
error that is and where.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ._expat_names import (
    ILLEGAL,
    XML_NAMESPACE,
    XMLNS_NAMESPACE,
    is_name_character,
    is_name_start,
)
from .errors import StreamCondition
from .limits import Limits

_BAD = StreamCondition.NOT_WELL_FORMED
_RESTRICTED = StreamCondition.RESTRICTED_XML
_ENCODING = StreamCondition.UNSUPPORTED_ENCODING
_POLICY = StreamCondition.POLICY_VIOLATION

FAULTS = {
    "NOT_UTF8": (_ENCODING, "bytes that are not UTF-8"),
    "CHAR": (_BAD, "character not allowed in XML"),
    "ENCODING": (_ENCODING, "encoding is not UTF-8"),
    "XML_VERSION": (_RESTRICTED, "XML version is not 1.0"),
    "XML_DECLARATION": (_BAD, "malformed XML declaration"),
    "XML_DECLARATION_PLACE": (_BAD, "XML declaration not at the start"),
    "COMMENT": (_RESTRICTED, "comment"),
    "INSTRUCTION": (_RESTRICTED, "processing instruction"),
    "DOCTYPE": (_RESTRICTED, "document type declaration"),
    "MARKUP": (_BAD, "malformed markup"),
    "TEXT_BEFORE_ROOT": (_BAD, "text before the root element"),
    "TEXT_IN_STREAM": (StreamCondition.BAD_FORMAT, "text between stanzas"),
    "AFTER_ROOT": (_BAD, "content after the root element"),
    "REFERENCE": (_BAD, "malformed reference"),
    "REFERENCE_CHAR": (_BAD, "reference to a character not allowed in XML"),
    "ENTITY": (_RESTRICTED, "reference to an entity that is not predefined"),
    "CDATA_END": (_BAD, "']]>' in text"),
    "LT_IN_VALUE": (_BAD, "'<' in an attribute value"),
    "NAME": (_BAD, "malformed qualified name"),
    "TAG": (_BAD, "malformed tag"),
    "MISMATCH": (_BAD, "end tag does not match the start tag"),
    "DUPLICATE": (_BAD, "duplicate attribute"),
    "PREFIX": (_BAD, "namespace prefix is not declared"),
    "NAMESPACE": (_BAD, "reserved namespace prefix or name"),
    "NAMESPACE_EMPTY": (_BAD, "namespace prefix bound to no name"),
    "UNFINISHED": (_BAD, "input ends inside an element"),
    "NO_ELEMENT": (_BAD, "input has no element"),
    "STANZA_BYTES": (_POLICY, "limit on stanza_bytes exceeded"),
    "DEPTH": (_POLICY, "limit on depth exceeded"),
    "ATTRIBUTES": (_POLICY, "limit on attributes exceeded"),
    "CHILDREN": (_POLICY, "limit on children exceeded"),
    "NAME_BYTES": (_POLICY, "limit on name_bytes exceeded"),
    "NAMESPACES": (_POLICY, "limit on namespaces exceeded"),
}

_WHITE = " \t\r\n"
_WHITE_BYTES = b" \t\r\n"
_DECLARATION_BYTES = 256
_DECLARATION = re.compile(
    r"<\?xml"
    r"[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(['\"])(?P<version>1\.[0-9]+)\1"
    r"(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(['\"])(?P<encoding>[A-Za-z][A-Za-z0-9._-]*)\3)?"
    r"(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(['\"])(?:yes|no)\5)?"
    r"[ \t\r\n]*\?>"
)
_SPACE = re.compile(r"[ \t\r\n]*")
_ASCII_NAME = re.compile(r"[A-Za-z0-9_:.-]*")
_TEXT_STOP = re.compile(r"[<&]|\]\]>")
_DIGITS = re.compile(r"[0-9]*")
_HEX_DIGITS = re.compile(r"[0-9A-Fa-f]*")
_VALUE_STOP = {"'": re.compile("['<&]"), '"': re.compile('["<&]')}
_VALUE_PART = re.compile(r"\r\n|[\t\r\n]|&(#?)(x?)(\w+);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "apos": "'", "quot": '"'}


class Fault(NamedTuple):
    """A key of `FAULTS`, and how many bytes of the piece lie before the place."""

    code: str
    offset: int


class Place(NamedTuple):
    """Where in a stream a piece begins: always between two events.

    at_start      it begins with the stream's first byte
    root          the root element's name as written; None before and behind it
    after_root    it is behind the root element
    whole         there is no stream around: the root element is the stanza (`parse`)
    declarations  the header's namespace declarations, prefix ("" for the default) and name
    """

    at_start: bool = False
    root: str | None = None
    after_root: bool = False
    whole: bool = False
    declarations: tuple[tuple[str, str], ...] = ()


class _Open(NamedTuple):
    """An open element: name as written, namespaces in scope, count of their declarations."""

    name: str
    scope: dict[str, str]
    declared: int


class _Found(Exception):
    def __init__(self, code: str, index: int) -> None:
        self.code = code
        self.index = index


class _More(Exception):
    def __init__(self, inside: bool = True) -> None:
        self.inside = inside


def diagnose(piece: bytes, place: Place, limits: Limits, *, final: bool = False) -> Fault | None:
    """The first fault in a piece of a stream that holds at most one complete event.

    None if there is none up to that event's end or, where `final` says that no more will follow,
    up to the end of the piece.
    """
    if place.at_start and piece[:2] == b"<\0":
        return Fault("NOT_UTF8", 1)
    unit = piece.lstrip(_WHITE_BYTES)
    skipped = len(piece) - len(unit)
    most = limits.stanza_bytes
    if place.whole and unit.startswith(b"<?"):
        # The bytes of the stanza count, those of a declaration before it don't.
        most += len(unit) - len(unit[unit.find(b"?>") + 2 :].lstrip(_WHITE_BYTES))
    window = unit[: most + 1]
    text, refused, partial = _characters(window)
    reader = _Reader(text, place, limits, at_start=place.at_start and not skipped)
    inside = False
    try:
        end = len(text[: reader.event()].encode())
    except _Found as found:
        return Fault(found.code, skipped + len(text[: found.index].encode()))
    except _More as more:
        inside = more.inside
    else:
        return Fault("STANZA_BYTES", skipped + most) if end > most else None
    if refused:
        return Fault(refused.code, skipped + refused.offset)
    if len(unit) > most:
        return Fault("STANZA_BYTES", skipped + most)
    if final and (inside or partial):
        return Fault("UNFINISHED", len(piece))
    if final and place.whole and not place.after_root:
        return Fault("NO_ELEMENT", len(piece))
    return None


def _characters(window: bytes) -> tuple[str, Fault | None, bool]:
    """Text before the first bad byte, that byte's fault, whether a character is cut at the end."""
    refused = None
    partial = False
    try:
        text = window.decode()
    except UnicodeDecodeError as error:
        text = window[: error.start].decode()
        partial = error.reason == "unexpected end of data"
        if not partial:
            refused = Fault("NOT_UTF8", error.start)
    illegal = ILLEGAL.search(text)
    if illegal:
        text = text[: illegal.start()]
        refused = Fault("CHAR", len(text.encode()))
    return text, refused, partial


class _Reader:
    """Reads one event of decoded text, character by character where it matters."""

    def __init__(self, text: str, place: Place, limits: Limits, *, at_start: bool) -> None:
        self._text = text
        self._at = 0
        self._place = place
        self._limits = limits
        self._at_start = at_start
        self._elements = 0
        self._stack = [
            _Open(
                place.root or "",
                {"xml": XML_NAMESPACE} | dict(place.declarations),
                len(place.declarations),
            )
        ]

    def event(self) -> int:
        """Index behind the first complete event."""
        while True:
            self._space()
            if self._at >= len(self._text):
                raise _More(inside=False)
            if self._text[self._at] != "<":
                raise self._no_markup()
            if self._markup():
                break
        while len(self._stack) > 1 and self._stanza_is_open():
            self._content()
        return self._at

    def _stanza_is_open(self) -> bool:
        return self._place.whole or self._place.root is not None

    def _no_markup(self) -> _Found:
        start = self._at
        found = _Found(self._misplaced_text(), start)
        if self._text[start] == "&" and found.code == "TEXT_IN_STREAM":
            self._reference()
        return found

    def _misplaced_text(self) -> str:
        if self._place.after_root:
            return "AFTER_ROOT"
        return "TEXT_BEFORE_ROOT" if self._place.root is None else "TEXT_IN_STREAM"

    def _peek(self) -> str:
        if self._at >= len(self._text):
            raise _More
        return self._text[self._at]

    def _space(self) -> bool:
        start = self._at
        self._at = _SPACE.match(self._text, start).end()  # type: ignore[union-attr]
        return self._at > start

    def _content(self) -> None:
        stop = _TEXT_STOP.search(self._text, self._at)
        if stop is None:
            raise _More
        self._at = stop.start()
        if stop[0] == "<":
            self._markup()
        elif stop[0] == "&":
            self._reference()
        else:
            raise _Found("CDATA_END", stop.start())

    def _markup(self) -> bool:
        """Read what begins with "<"; False if it was an XML declaration."""
        start = self._at
        self._at += 1
        first = self._peek()
        if first == "!":
            self._declaration(start)
        elif first == "?":
            self._instruction(start)
            return False
        elif first == "/":
            self._end_tag(start)
        elif first == ":" or is_name_start(first):
            if self._place.after_root:
                raise _Found("AFTER_ROOT", start)
            self._start_tag(start)
        else:
            raise _Found("MARKUP", start)
        return True

    def _declaration(self, start: int) -> None:
        constructs = {"<!--": "COMMENT", "<!DOCTYPE": "DOCTYPE", "<![CDATA[": ""}
        for length in range(3, 10):
            seen = self._text[start : start + length]
            if seen in constructs:
                break
            if not any(construct.startswith(seen) for construct in constructs):
                raise _Found("MARKUP", start)
        else:
            raise _More
        if constructs[seen]:
            raise _Found(constructs[seen], start)
        if len(self._stack) == 1:
            raise _Found(self._misplaced_text(), start)
        end = self._text.find("]]>", start + len(seen))
        if end < 0:
            raise _More
        self._at = end + 3

    def _instruction(self, start: int) -> None:
        self._at += 1
        first = self._peek()
        if first != ":" and not is_name_start(first):
            raise _Found("MARKUP", start)
        for expected in "xml":
            if self._peek().lower() != expected:
                raise _Found("INSTRUCTION", start)
            self._at += 1
        following = self._peek()
        if is_name_character(following):
            raise _Found("INSTRUCTION", start)
        if not (start == 0 and self._at_start and self._text.startswith("<?xml")) or (
            following not in _WHITE
        ):
            raise _Found("XML_DECLARATION_PLACE", start)
        self._xml_declaration()

    def _xml_declaration(self) -> None:
        end = self._text.find("?>", 5) + 2
        if end < 2:
            if len(self._text.encode()) > _DECLARATION_BYTES:
                raise _Found("XML_DECLARATION", 0)
            raise _More
        declaration = _DECLARATION.fullmatch(self._text, 0, end)
        if not declaration or len(declaration[0].encode()) > _DECLARATION_BYTES:
            raise _Found("XML_DECLARATION", 0)
        if declaration["version"] != "1.0":
            raise _Found("XML_VERSION", 0)
        if (declaration["encoding"] or "utf-8").lower() != "utf-8":
            raise _Found("ENCODING", 0)
        self._at = end

    def _end_tag(self, start: int) -> None:
        self._at += 1
        if len(self._stack) == 1:
            if self._place.after_root:
                raise _Found("AFTER_ROOT", start)
            if self._place.root is None:
                raise _Found("MARKUP", start)
        for expected in self._stack[-1].name:
            if self._peek() != expected:
                raise _Found("MISMATCH", start)
            self._at += 1
        if self._peek() not in _WHITE + ">":
            raise _Found("MISMATCH", start)
        self._space()
        if self._peek() != ">":
            raise _Found("TAG", self._at)
        self._at += 1
        if len(self._stack) > 1:
            self._stack.pop()

    def _name(self) -> str:
        text, start = self._text, self._at
        while True:
            self._at = _ASCII_NAME.match(text, self._at).end()  # type: ignore[union-attr]
            if self._at >= len(text) or text[self._at] < "\x80":
                break
            if not is_name_character(text[self._at]):
                break
            self._at += 1
        name = text[start : self._at]
        if len(name.encode()) > self._limits.name_bytes:
            raise _Found("NAME_BYTES", start)
        self._peek()
        parts = name.split(":")
        if len(parts) > 2 or not all(part and is_name_start(part[0]) for part in parts):
            raise _Found("NAME", start)
        return name

    def _start_tag(self, start: int) -> None:
        name = self._name()
        attributes: list[tuple[str, str, int]] = []
        while True:
            separated = self._space()
            following = self._peek()
            if following == ">":
                break
            if following == "/":
                self._at += 1
                if self._peek() != ">":
                    raise _Found("TAG", self._at)
                break
            if not separated or (following != ":" and not is_name_start(following)):
                raise _Found("TAG", self._at)
            if len(attributes) >= self._limits.attributes:
                raise _Found("ATTRIBUTES", self._at)
            attributes.append(self._attribute())
        self._at += 1
        opened = self._judge(start, name, attributes)
        if following == ">":
            self._stack.append(opened)

    def _attribute(self) -> tuple[str, str, int]:
        start = self._at
        name = self._name()
        self._space()
        if self._peek() != "=":
            raise _Found("TAG", self._at)
        self._at += 1
        self._space()
        quote = self._peek()
        if quote not in _VALUE_STOP:
            raise _Found("TAG", self._at)
        self._at += 1
        value_start = self._at
        while True:
            stop = _VALUE_STOP[quote].search(self._text, self._at)
            if stop is None:
                raise _More
            self._at = stop.start()
            if stop[0] == "<":
                raise _Found("LT_IN_VALUE", self._at)
            if stop[0] == "&":
                self._reference()
            else:
                break
        self._at += 1
        return name, self._text[value_start : self._at - 1], start

    def _reference(self) -> None:
        start = self._at
        self._at += 1
        if self._peek() == "#":
            self._at += 1
            hexadecimal = self._peek() == "x"
            self._at += hexadecimal
            digits = (_HEX_DIGITS if hexadecimal else _DIGITS).match(self._text, self._at)
            assert digits is not None
            self._at = digits.end()
            if self._peek() != ";" or not digits[0]:
                raise _Found("REFERENCE", start)
            if not _is_character(digits[0], hexadecimal):
                raise _Found("REFERENCE_CHAR", start)
        else:
            if self._peek() != ":" and not is_name_start(self._peek()):
                raise _Found("REFERENCE", start)
            while is_name_character(self._peek()):
                self._at += 1
            if self._peek() != ";":
                raise _Found("REFERENCE", start)
            if self._text[start + 1 : self._at] not in _ENTITIES:
                raise _Found("ENTITY", start)
        self._at += 1

    def _judge(self, start: int, name: str, attributes: list[tuple[str, str, int]]) -> _Open:
        """What is checked with the closing ">" of a start tag."""
        if self._stanza_is_open():
            if len(self._stack) > self._limits.depth:
                raise _Found("DEPTH", start)
            if self._elements > self._limits.children:
                raise _Found("CHILDREN", start)
            self._elements += 1
        outer = self._stack[-1]
        scope, declared = outer.scope, outer.declared
        for written, value, index in attributes:
            prefix, colon, local = written.rpartition(":")
            if written != "xmlns" and prefix != "xmlns":
                continue
            if scope is outer.scope:
                scope = dict(scope)
            declared += 1
            if declared > self._limits.namespaces:
                raise _Found("NAMESPACES", index)
            declared_prefix = local if colon else ""
            uri = _normalized(value)
            if (
                declared_prefix == "xmlns"
                or uri == XMLNS_NAMESPACE
                or ((declared_prefix == "xml") != (uri == XML_NAMESPACE))
            ):
                raise _Found("NAMESPACE", index)
            if declared_prefix and not uri:
                raise _Found("NAMESPACE_EMPTY", index)
            scope[declared_prefix] = uri
        prefix = name.rpartition(":")[0]
        if prefix == "xmlns":
            raise _Found("NAMESPACE", start + 1)
        if prefix and prefix not in scope:
            raise _Found("PREFIX", start + 1)
        seen: set[str | tuple[str, str]] = set()
        for written, _, index in attributes:
            prefix, _, local = written.rpartition(":")
            keys: list[str | tuple[str, str]] = [written]
            if prefix and prefix != "xmlns":
                if prefix not in scope:
                    raise _Found("PREFIX", index)
                keys.append((scope[prefix], local))
            if not seen.isdisjoint(keys):
                raise _Found("DUPLICATE", index)
            seen.update(keys)
        return _Open(name, scope, declared)


def _is_character(digits: str, hexadecimal: bool) -> bool:
    significant = digits.lstrip("0")
    if not significant or len(significant) > 7:
        return False
    number = int(significant, 16 if hexadecimal else 10)
    return number <= 0x10FFFF and not ILLEGAL.match(chr(number))


def _normalized(value: str) -> str:
    """An attribute value as XML 1.0 sections 2.11 and 3.3.3 have it read."""

    def replace(part: re.Match[str]) -> str:
        number, hexadecimal, body = part.groups()
        if body is None:
            return " "
        if number:
            return chr(int(body, 16 if hexadecimal else 10))
        return _ENTITIES[hexadecimal + body]

    return _VALUE_PART.sub(replace, value)
