"""The expat parser beside pyexpat's own."""

from __future__ import annotations

import functools
import io
from typing import Any
from xml.parsers import expat as stock

import pytest
from captured import chunks, examples, streams
from shared_data import needs_data
from streams import HEADER

from xmppfast import Limits
from xmppfast.adapters import expat

HANDLERS = (
    "StartElementHandler",
    "EndElementHandler",
    "CharacterDataHandler",
    "XmlDeclHandler",
    "StartNamespaceDeclHandler",
    "EndNamespaceDeclHandler",
)


class Log:
    """A parser whose calls are written down; text in a row as one."""

    def __init__(self, module: Any, separator: str | None, **attributes: Any) -> None:
        self.parser = module.ParserCreate(namespace_separator=separator)
        self.calls: list[tuple[Any, ...]] = []
        self.fault: tuple[int, int, int] | None = None
        for name, value in attributes.items():
            setattr(self.parser, name, value)
        for name in HANDLERS:
            setattr(self.parser, name, self.handler(name))

    def handler(self, name: str) -> Any:
        def handle(*about: Any) -> None:
            if isinstance(about[-1], dict):
                about = (*about[:-1], list(about[-1].items()))
            if name == "CharacterDataHandler" and self.calls and self.calls[-1][0] == name:
                self.calls[-1] = (name, self.calls[-1][1] + about[0])
            else:
                self.calls.append((name, *about))

        return handle

    def read(self, pieces: Any, final: bool = False) -> list[tuple[Any, ...]]:
        """All calls; the error is in `fault`."""
        try:
            for piece in pieces:
                self.parser.Parse(piece, False)
            if final:
                self.parser.Parse(b"", True)
        except stock.ExpatError as error:
            self.fault = error.code, error.lineno, error.offset
        return self.calls


def settled(calls: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The calls without text that no tag has followed yet, of which expat reports more."""
    return calls[:-1] if calls and calls[-1][0] == "CharacterDataHandler" else calls


@needs_data
@pytest.mark.parametrize(
    ("separator", "size"), [(None, 7), (None, 4096), (" ", 7), (" ", 4096), ("}", 4096), ("", 4096)]
)
def test_recorded_streams_read_as_by_expat(separator, size):
    count = 0
    for stream in streams():
        if stream.name.startswith("errors-"):
            continue
        pieces = list(chunks(stream.data, size))
        ours, theirs = Log(expat, separator), Log(stock, separator)
        # At once, as otherwise it may hold something back.
        assert settled(ours.read(pieces)) == settled(theirs.read([stream.data])), stream.name
        assert ours.fault is theirs.fault is None, stream.name
        count += 1
    assert count > 100


class Compatible:
    """The module, with what `compat` restores."""

    ParserCreate = staticmethod(functools.partial(expat.ParserCreate, compat=True))


@needs_data
@pytest.mark.parametrize("separator", [None, " "])
def test_examples_of_the_xeps_read_as_by_expat(separator):
    for example in examples():
        strict, theirs = Log(expat, separator), Log(stock, separator)
        calls = strict.read([example.stream])
        assert (strict.fault is None) == example.strict, example
        if not example.strict and example.compatible:
            calls = Log(Compatible, separator).read([example.stream])
        if example.compatible:
            assert calls == theirs.read([example.stream]), example
    assert len(examples()) > 3000


@pytest.mark.parametrize("attributes", [
    {"ordered_attributes": True},
    {"namespace_prefixes": True},
    {"specified_attributes": True, "buffer_text": True, "buffer_size": 10},
])
@pytest.mark.parametrize("separator", [None, " ", "|"])
def test_attributes_of_the_parser(attributes, separator):
    document = HEADER + (
        b"<a b='1' xml:lang='en' c='&lt;&#xE9;'><stream:b xmlns:p='urn:p' p:x='2' y='3'>"
        b"t&amp;u<![CDATA[<v>]]></stream:b><c xmlns='' d='\xc3\xa9'/></a></stream:stream>"
    )
    logs = [Log(module, separator, **attributes) for module in (expat, stock)]
    calls = [log.read([document], final=True) for log in logs]
    assert calls[0] == calls[1]
    assert len(calls[0]) >= 9
    for name, value in attributes.items():
        assert getattr(logs[0].parser, name) == value


@pytest.fixture(params=[expat, stock], ids=["ours", "expat"])
def module(request):
    """Both modules: what is said about one holds for the other."""
    return request.param


def test_bytes_and_text_in_turn():
    log = Log(expat, None)
    log.read(["<s><a>\u00e9", b"\xc3\xa9", bytearray(b"<b"), memoryview(b"/>"), "", "</a></s>"])
    log.read([], final=True)
    assert log.fault is None
    assert ("CharacterDataHandler", "\u00e9\u00e9") in log.calls


def test_results_and_the_end(module):
    parser = module.ParserCreate()
    assert parser.Parse(b"<a/>") == 1
    assert parser.Parse(b"", True) == 1
    with pytest.raises(stock.ExpatError) as caught:
        parser.Parse(b"<b/>")
    assert caught.value.code == 36
    with pytest.raises(TypeError):
        parser.Parse(7)
    assert module.ParserCreate().ParseFile(io.BytesIO(b"<a>" + b" " * 20_000 + b"</a>")) == 1
    with pytest.raises(TypeError, match="bytes"):
        module.ParserCreate().ParseFile(io.StringIO("<a/>"))


@pytest.mark.parametrize("document", [b"", b"<a>", b"<a><b>", b"<a><b"])
def test_an_end_that_comes_too_early(module, document):
    with pytest.raises(stock.ExpatError) as caught:
        module.ParserCreate().Parse(document, True)
    assert caught.value.code == (5 if document.endswith(b"b") else 3)


def test_an_error_has_its_numbers_and_stays(module):
    log = Log(module, None)
    log.read([b"<a>\n<b>\xc3\xa9</b><c x='1' x=''/>"])
    assert log.fault == (8, 2, 17)
    assert [call[1] for call in log.calls if call[0] == "StartElementHandler"] == ["a", "b"]
    assert (log.parser.ErrorCode, log.parser.ErrorLineNumber) == (8, 2)
    assert (log.parser.ErrorColumnNumber, log.parser.ErrorByteIndex) == (17, 22)
    with pytest.raises(stock.ExpatError):
        log.parser.Parse(b"<d/>")


def test_an_undefined_entity_is_known_by_its_text(module):
    with pytest.raises(stock.ExpatError, match=r"^undefined entity") as caught:
        module.ParserCreate().Parse(b"<a><b>&nbsp;</b>")
    assert caught.value.code == 11


def test_places_of_events(module):
    places = []

    def note(*_: object) -> None:
        places.append(
            (parser.CurrentLineNumber, parser.CurrentColumnNumber, parser.CurrentByteIndex)
        )

    parser = module.ParserCreate()
    parser.StartElementHandler = parser.EndElementHandler = parser.XmlDeclHandler = note
    for piece in chunks("<?xml version='1.0'?>\n<s>\n<a>\u00e9\n\u65e5<b/></a >".encode(), 5):
        parser.Parse(piece)
    assert places == [
        (1, 0, 0), (2, 0, 22), (3, 0, 26), (4, 1, 35), (4, 5, 39), (4, 5, 39),
    ]


def test_handlers_are_read_anew_for_each_event(module):
    parser = module.ParserCreate()
    calls = []

    def first(name: str, _: Any) -> None:
        calls.append(("first", name))
        parser.StartElementHandler = second
        parser.EndElementHandler = None

    def second(name: str, _: Any) -> None:
        calls.append(("second", name))

    parser.StartElementHandler = first
    parser.EndElementHandler = lambda name: calls.append(("end", name))
    parser.Parse(b"<a><b/><c/></a>")
    assert calls == [("first", "a"), ("second", "b"), ("second", "c")]


@pytest.mark.parametrize("name", ["StartElementHandler", "EndElementHandler",
                                  "CharacterDataHandler", "StartNamespaceDeclHandler"])
def test_an_exception_ends_the_calls(module, name):
    calls = []

    def fail(*about: Any) -> None:
        calls.append(about)
        raise KeyError("ours")

    parser = module.ParserCreate(namespace_separator=" ")
    setattr(parser, name, fail)
    with pytest.raises(KeyError, match="ours"):
        parser.Parse(b"<a xmlns='u'>\n<b xmlns='v'>x</b><b/></a>")
    with pytest.raises(stock.ExpatError, match="parsing finished") as caught:
        parser.Parse(b"<c/>")
    assert caught.value.code == parser.ErrorCode == 36
    assert len(calls) == 1


def test_a_parser_replaced_by_a_handler_goes_on_with_its_input():
    holder: list[Any] = [None]
    calls: list[str] = []

    def begin() -> None:
        holder[0] = expat.ParserCreate()
        holder[0].StartElementHandler = start
        holder[0].EndElementHandler = end

    def start(name: str, _: Any) -> None:
        calls.append("+" + name)

    def end(name: str) -> None:
        calls.append("-" + name)
        if name == "proceed":
            begin()

    begin()
    holder[0].Parse(b"<s><proceed/><x/>")
    holder[0].Parse(b"<t>")
    assert calls == ["+s", "+proceed", "-proceed", "+x", "-x", "+t"]


def test_what_is_fed_from_inside_a_handler_is_read_behind_the_rest():
    calls: list[str] = []
    parser = expat.ParserCreate()

    def start(name: str, _: Any) -> None:
        calls.append(name)
        if name == "b":
            parser.Parse(b"<d/></s>", True)

    parser.StartElementHandler = start
    parser.Parse(b"<s><b/><c/>")
    assert calls == ["s", "b", "c", "d"]
    with pytest.raises(stock.ExpatError, match="parsing finished"):
        parser.Parse(b" ")


def test_the_declaration_comes_with_its_last_byte():
    for document, expected in {
        "<?xml version='1.0'?>": ("1.0", None, -1),
        '<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>': ("1.0", "UTF-8", 1),
        "<?xml version = '1.0' standalone = 'no'?>": ("1.0", None, 0),
    }.items():
        # Ours bytewise; the stock one may hold it back.
        for module, pieces in (expat, chunks(document.encode(), 1)), (stock, [document]):
            log = Log(module, None)
            log.read(pieces)
            assert log.calls == [("XmlDeclHandler", *expected)]
            assert log.read([b"<a>"])[1:] == [("StartElementHandler", "a", [])]


def test_only_utf8():
    assert expat.ParserCreate("UTF-8").Parse(b"<a/>")
    with pytest.raises(ValueError, match="iso-8859-1"):
        expat.ParserCreate("iso-8859-1")
    with pytest.raises(ValueError, match="at most one character"):
        expat.ParserCreate(None, "ab")


def test_prefixes_must_be_declared_without_namespaces_too():
    log = Log(expat, None)
    log.read([b"<s><p:a/>"])
    assert log.fault == (27, 1, 4)


def test_the_rest_of_the_surface(module):
    parser = module.ParserCreate(intern={})
    parser.SetBase("urn:base")
    assert parser.GetBase() == "urn:base"
    assert parser.GetInputContext() is None
    assert parser.intern == {}
    assert parser.buffer_used == 0
    assert isinstance(parser.SetParamEntityParsing(0), int)
    assert parser.UseForeignDTD(False) is None
    for value, error in [(0, ValueError), ("x", TypeError)]:
        with pytest.raises(error):
            parser.buffer_size = value
    if hasattr(parser, "SetReparseDeferralEnabled"):
        parser.SetReparseDeferralEnabled(False)
        assert parser.GetReparseDeferralEnabled() is False
    for name in dir(stock.ParserCreate()):
        if name.endswith("Handler"):
            setattr(parser, name, None)
            assert getattr(parser, name) is None
    with pytest.raises(AttributeError):
        parser.NoSuchHandler = None


def test_the_input_around_an_event(module):
    found = []
    parser = module.ParserCreate()
    parser.StartElementHandler = lambda *_: found.append(parser.GetInputContext())
    parser.Parse(b"<a><b/>")
    assert found == [b"<a><b/>", b"<b/>"]


def test_compat():
    log = Log(expat, None)
    log.parser = expat.ParserCreate(compat=True)
    for name in HANDLERS:
        setattr(log.parser, name, log.handler(name))
    log.read(["\ufeff<!--x--><a>t<!--y--><b>u<?z?>v</b></a>"], final=True)
    assert log.fault is None
    assert ("CharacterDataHandler", "uv") in log.calls


def test_limits():
    with pytest.raises(stock.ExpatError, match="limit on attributes") as caught:
        expat.ParserCreate(limits=Limits(attributes=1)).Parse(b"<s><a b='1' c='2'/>")
    assert caught.value.code == 43


def test_install_and_back():
    original = stock.ParserCreate
    with expat.installed():
        assert isinstance(stock.ParserCreate(), expat.XMLParserType)
    assert stock.ParserCreate is original
