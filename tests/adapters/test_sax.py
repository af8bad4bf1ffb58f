"""The XMLReader beside the standard library's."""

from __future__ import annotations

import io
import subprocess
import sys
import xml.sax
from typing import Any
from xml.sax import expatreader, handler
from xml.sax.xmlreader import AttributesNSImpl, InputSource

import pytest
from captured import chunks, examples, kinds_of_stanzas, splits, streams
from hosts import aioxmpp
from shared_data import needs_data

from xmppfast.adapters import sax


class Recorder(handler.ContentHandler):
    """Everything a content handler is told; text in one piece."""

    def __init__(self):
        super().__init__()
        self.told: list[Any] = []

    def characters(self, content):
        if self.told and self.told[-1][0] == "text":
            content = self.told.pop()[1] + content
        self.told.append(("text", content))

    def startElementNS(self, name, qname, attrs):
        self.told.append(("start", name, qname, attrs.items(), attrs.getQNames()))

    def startElement(self, name, attrs):
        self.told.append(("start", name, attrs.items()))


def _record(name):
    def method(self, *arguments):
        self.told.append((name, *arguments))

    setattr(Recorder, name, method)


for _name in (
    "startDocument", "endDocument", "startPrefixMapping", "endPrefixMapping", "endElementNS",
    "endElement",
):
    _record(_name)


class Lexical:
    """A lexical handler that lets everything pass, as bound methods of nothing."""

    comment = startDTD = staticmethod(lambda *_: None)
    endDTD = startCDATA = endCDATA = staticmethod(lambda: None)


def reader(create, namespaces=True):
    """A reader with the features and properties that aioxmpp sets, and its handler."""
    made = create()
    made.setFeature(handler.feature_namespaces, namespaces)
    made.setFeature(handler.feature_external_ges, False)
    made.setProperty(handler.property_lexical_handler, Lexical)
    recorder = Recorder()
    made.setContentHandler(recorder)
    return made, recorder


def read(create, pieces, close=False, **options):
    """What the handler was told, and whether an error ended it."""
    made, recorder = reader(create, **options)
    try:
        for piece in pieces:
            made.feed(piece)
        if close:
            made.close()
    except xml.sax.SAXParseException:
        return recorder.told, True
    return recorder.told, False


stock = expatreader.create_parser
ours = sax.create_parser


def compatible():
    return sax.create_parser(compat=True)


@needs_data
@pytest.mark.parametrize("size", [7, 4096, 1 << 30])
def test_recorded_streams(size):
    count = 0
    for stream in streams():
        if stream.name.startswith("errors-"):  # what XMPP forbids, some of it good XML
            continue
        pieces = list(chunks(stream.data, size))
        # expat may hold back what is cut, on some versions: it is given the whole.
        assert read(ours, pieces) == read(stock, [stream.data]), stream.name
        count += 1
    assert count > 100


@needs_data
@pytest.mark.parametrize("namespaces", [True, False])
def test_examples_of_the_xeps(namespaces):
    for example in examples():
        if not example.strict:
            assert read(ours, [example.stream], namespaces=namespaces)[1], example
        if example.compatible:
            make = ours if example.strict else compatible
            expected = read(stock, [example.stream], namespaces=namespaces)
            assert read(make, [example.stream], namespaces=namespaces) == expected, example
    assert len(examples()) > 3000


@needs_data
def test_every_split_of_every_kind_of_recorded_stanza():
    class Depth(handler.ContentHandler):
        depth = complete = 0

        def startElementNS(self, name, qname, attrs):
            self.depth += 1

        def endElementNS(self, name, qname):
            self.depth -= 1
            self.complete += self.depth == 1

    made: dict[bytes, Any] = {}
    for header, stanza in kinds_of_stanzas():
        if header not in made:
            made[header], _ = reader(ours)
            made[header].setContentHandler(Depth())
            made[header].feed(header)
        depth = made[header].getContentHandler()
        for cut in splits(stanza):
            depth.complete = 0
            made[header].feed(stanza[:cut])
            assert depth.complete == (cut == len(stanza)), (stanza, cut)
            made[header].feed(stanza[cut:])
            assert depth.complete == 1, (stanza, cut)
    assert len(made) > 20


HEADER = b"<?xml version='1.0'?><s:s xmlns='c' xmlns:s='st' xmlns:p='urn:p' s:a='1' b='2'>"


@pytest.mark.parametrize(
    "stanza",
    [
        b"<a/>",
        b"<a xmlns=''><p:b/><b xmlns='d' xmlns:q='e'><q:c/></b></a>",
        b"<p:a xmlns='x' xmlns:q='urn:q'><q:b q:c='1' d='2' p:e='3' xml:lang='f'/></p:a>",
        b"<a>1<![CDATA[]]><b/>2<![CDATA[<&]]>3&amp;&#x1F600;<b>4</b>\r\n5</a>",
        "<\u00e9 \u00fc='\u65e5'>\U0001f600</\u00e9>".encode(),
        b" \n<a/> \n",
        b"<a xml:lang='de'/></s:s>",
    ],
    ids=repr,
)
@pytest.mark.parametrize("namespaces", [True, False])
def test_events(stanza, namespaces):
    data = HEADER + stanza
    expected = read(stock, [data], namespaces=namespaces)
    assert not expected[1]
    assert read(ours, [data], namespaces=namespaces) == expected
    for at in range(1, len(data)):
        assert read(ours, [data[:at], data[at:]], namespaces=namespaces) == expected
    assert read(ours, [HEADER.decode(), bytearray(stanza)], namespaces=namespaces) == expected


def test_the_end():
    data = HEADER + b"<a/></s:s> \n"
    assert read(ours, [data], close=True) == read(stock, [data], close=True)
    assert read(ours, [data], close=True)[0][-1] == ("endDocument",)
    assert read(ours, [HEADER], close=True) == read(stock, [HEADER], close=True)
    made, recorder = reader(ours)
    made.close()  # nothing was begun
    made.feed(HEADER)
    made.reset()
    made.feed(b"<a/>")
    made.close()
    made.close()
    made.feed(b"<b/>")
    kinds = [event[0] for event in recorder.told]
    assert kinds.count("startDocument") == 3
    assert kinds.count("endDocument") == 1


@pytest.mark.parametrize(
    "wrong", [b"</b>", b"<b></a>", b"<b c='1' c='2'/>", b"<q:b/>", b"&x;", b"]]>", b"\0", b"\xff"]
)
def test_errors_come_after_the_events_before_them(wrong):
    data = HEADER + b"<a/><x>" + wrong + b"</x>"
    assert read(ours, [data]) == read(stock, [data])
    assert read(ours, [data])[1]


def test_what_the_error_says():
    made, _ = reader(ours)
    for _ in range(2):
        with pytest.raises(xml.sax.SAXParseException, match="undefined entity") as caught:
            made.feed(HEADER + b"\n<x>\xc3\xa9&y;</x>")
        error = caught.value
        assert (error.getLineNumber(), error.getColumnNumber()) == (2, 4)
        assert (error.getSystemId(), error.getPublicId()) == (None, None)
        assert error.getException().args[0] == "undefined entity: line 2, column 4"
        assert error.getException().code == 11


def test_an_error_handler_that_does_not_raise():
    class Errors(handler.ErrorHandler):
        def __init__(self):
            self.fatal = []

        def fatalError(self, exception):
            self.fatal.append(exception)

    made, recorder = reader(ours)
    made.setErrorHandler(errors := Errors())
    made.feed(HEADER + b"<a></b>")
    made.feed(b"<c/>")
    assert len(errors.fatal) == 2
    assert recorder.told[-1][:2] == ("start", ("c", "a"))


@pytest.mark.parametrize("aside", [b"<!-- x -->", b"<?x y?>", b"text", b"<a>1<!-- x -->2</a>"])
def test_what_expat_passes_over_is_refused_by_default(aside):
    data = HEADER + aside + b"<b>\n<c/>\n</b>"
    assert not read(stock, [data])[1]
    assert read(ours, [data])[1]
    assert read(compatible, [data]) == read(stock, [data])


class Refusal(Exception):
    """What aioxmpp's StreamError is."""


@pytest.mark.parametrize("wrong", [b"<!-- x -->", b"<?x y?>", b"<!DOCTYPE x>"])
def test_handlers_that_refuse_raise_their_own_error(wrong):
    def refuse(*_):
        raise Refusal

    class Refusing(Lexical):
        comment = startDTD = staticmethod(refuse)

    before = b"" if b"DOCTYPE" in wrong else HEADER
    for create in stock, ours:
        made, recorder = reader(create)
        recorder.processingInstruction = refuse
        made.setContentHandler(recorder)
        made.setProperty(handler.property_lexical_handler, Refusing)
        with pytest.raises(Refusal):
            made.feed(before + wrong + b"<a/>")


def test_a_handler_that_raises():
    made, recorder = reader(ours)
    recorder.endElementNS = [].index
    with pytest.raises(TypeError):
        made.feed(HEADER + b"<a/><b/>")
    told = len(recorder.told)
    with pytest.raises(xml.sax.SAXParseException, match="parsing finished"):
        made.feed(b"<c/>")
    assert len(recorder.told) == told


def test_a_handler_may_be_replaced_by_a_handler():
    made, first = reader(ours)
    second = Recorder()
    first.endElementNS = lambda *_: made.setContentHandler(second)
    made.feed(HEADER + b"<a/><b/>")
    assert first.told[-1][1] == ("c", "a")
    assert [event[0] for event in second.told] == ["start", "endElementNS"]


def test_reset_by_a_handler():
    made, recorder = reader(ours)
    recorder.endElementNS = lambda *_: made.reset()
    with pytest.raises(RuntimeError, match="while a handler"):
        made.feed(HEADER + b"<a/>")


def test_positions():
    class Locating(handler.ContentHandler):
        def __init__(self, made):
            self.made = made
            self.places = []

        def startElementNS(self, name, qname, attrs):
            self.places.append((self.made.getLineNumber(), self.made.getColumnNumber()))

    places = []
    for create in stock, ours:
        made, _ = reader(create)
        made.setContentHandler(Locating(made))
        made.feed("<s>\n\n <a/><b/></s>")
        places.append(made.getContentHandler().places)
    assert places[0] == places[1] == [(1, 0), (3, 1), (3, 5)]


def test_attributes():
    made, _ = reader(ours)
    seen = []
    made.setContentHandler(content := handler.ContentHandler())
    content.startElementNS = lambda name, qname, attributes: seen.append(attributes)
    made.feed(b"<a xmlns:p='urn:p' b='1' p:b='2' xml:lang='c'/>")
    (attributes,) = seen
    lang = ("http://www.w3.org/XML/1998/namespace", "lang")
    values = {(None, "b"): "1", ("urn:p", "b"): "2", lang: "c"}
    qnames = {(None, "b"): "b", ("urn:p", "b"): "p:b", lang: "xml:lang"}
    same = AttributesNSImpl(values, qnames)
    assert dict(attributes) == dict(attributes.copy()) == attributes._attrs == values
    assert attributes._qnames == attributes.copy()._qnames == qnames
    for name in ("getLength", "getNames", "getQNames", "keys", "items", "values", "__len__"):
        assert getattr(attributes, name)() == getattr(same, name)(), name
    for name in values:
        for method in ("getType", "getValue", "getQNameByName", "__getitem__", "get"):
            assert getattr(attributes, method)(name) == getattr(same, method)(name)
        assert name in attributes
    for qname in qnames.values():
        for method in ("getValueByQName", "getNameByQName"):
            assert getattr(attributes, method)(qname) == getattr(same, method)(qname)
    for method in ("getValue", "getQNameByName", "getValueByQName", "getNameByQName"):
        with pytest.raises(KeyError):
            getattr(attributes, method)("nothing")
    assert attributes.get((None, "x")) is None


FEATURES = [*handler.all_features, "unknown"]


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("state", [True, False])
def test_features(name, state):
    results = []
    for create in stock, ours:
        made = create()
        try:
            made.setFeature(name, state)
            results.append(bool(made.getFeature(name)))
        except xml.sax.SAXException as error:
            results.append(type(error))
    assert results[0] == results[1]


def test_features_and_properties_at_other_times():
    made, _ = reader(ours)
    made.feed(HEADER)
    with pytest.raises(xml.sax.SAXNotSupportedException):
        made.setFeature(handler.feature_namespaces, False)
    assert made.getProperty(handler.property_lexical_handler) is Lexical
    with pytest.raises(xml.sax.SAXNotRecognizedException):
        made.getProperty("unknown")
    with pytest.raises(xml.sax.SAXNotRecognizedException):
        made.setProperty("unknown", 1)
    with pytest.raises(xml.sax.SAXNotRecognizedException):
        made.getFeature("unknown")


def test_whole_documents_are_left_to_the_standard_library():
    document = b"<!DOCTYPE a [<!ENTITY e 'x'>]><!-- c --><a>1&e;<b/>2</a>"
    for source in io.BytesIO(document), InputSource():
        if isinstance(source, InputSource):
            source.setByteStream(io.BytesIO(document))
        made, recorder = reader(ours)
        made.parse(source)
        assert [event[1] for event in recorder.told if event[0] == "text"] == ["1x", "2"]
        assert recorder.told[-1] == ("endDocument",)


def test_install():
    with sax.installed():
        assert isinstance(xml.sax.make_parser(), sax.Parser)
        assert isinstance(xml.sax.make_parser(["xml.sax.expatreader"]), expatreader.ExpatParser)
    assert isinstance(xml.sax.make_parser(), expatreader.ExpatParser)


def test_the_environment_variable():
    program = "import xml.sax; print(type(xml.sax.make_parser()).__module__)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PY_SAX_PARSER": "xmppfast.adapters.sax", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "xmppfast.adapters.sax\n"


def test_aioxmpp():
    module = aioxmpp()

    def processed(data):
        """What the stream's processor knows after some bytes, or its error."""
        processor = module.XMPPXMLProcessor()
        processor.stanza_parser = module.xso.XSOParser()
        parser = module.make_parser()
        parser.setContentHandler(processor)
        try:
            parser.feed(data)
        except xml.sax.SAXParseException as error:
            return error.getException().args[0].startswith("undefined entity")
        except module.errors.StreamError as error:
            return error.condition
        return processor.remote_id, str(processor.remote_from)

    start = (
        b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
        b" from='example.org' id='x' version='1.0'>"
    )
    wrong = [b"<a>&x;", b"<!-- x -->", b"<?x?>"]
    inputs = [start, b"<a/>", *(start + each for each in wrong), b"<!DOCTYPE a>"]
    expected = [processed(data) for data in inputs]
    with sax.installed():
        assert isinstance(module.make_parser(), sax.Parser)
        assert [processed(data) for data in inputs] == expected
    assert expected[0] == ("x", "example.org")
    assert expected[2] is True  # aioxmpp makes restricted-xml of it
