"""What `xmppfast parse` prints."""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from xmppfast import backend, parse
from xmppfast.cli import main
from xmppfast.cli.excerpt import excerpt
from xmppfast.cli.render import element_json, may_color, quoted
from xmppfast.cli.stats import quantile

STREAM = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client'"
    b" xmlns:stream='http://etherx.jabber.org/streams' id='s1' xml:lang='de'>"
    b"<message to='a@b' xmlns:x='urn:x' x:y='1'>\n  <body>A &amp; \"B\"</body>"
    b"<html xmlns='urn:h'>see <b>this</b>!<br/></html>\n</message>"
    b"<x:ack xmlns:x='urn:x'><y xmlns=''/></x:ack> "
    b"</stream:stream>"
)
TREE = """\
stream:stream xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams" id="s1" xml:lang="de"
  message to="a@b" {urn:x}y="1"
    body "A & \\"B\\""
    html xmlns="urn:h" "see "
      b "this"
      "!"
      br
  ack xmlns="urn:x"
    y xmlns=""
/stream:stream
"""  # noqa: E501

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """The stream as a file."""
    path = tmp_path / "stream.bin"
    path.write_bytes(STREAM)
    return path


def give_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Have the command find these bytes on its standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_tree(recording: Path, capsys: Captured) -> None:
    assert main(["parse", str(recording)]) == 0
    assert capsys.readouterr() == (TREE, "")


@pytest.mark.parametrize("chunk_size", ["1", "10", "100000"])
def test_chunk_size_changes_nothing(recording: Path, chunk_size: str, capsys: Captured) -> None:
    assert main(["parse", "--chunk-size", chunk_size, str(recording)]) == 0
    assert capsys.readouterr() == (TREE, "")


@pytest.mark.parametrize("arguments", [["parse"], ["parse", "-"]])
def test_standard_input(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    give_stdin(monkeypatch, STREAM)
    assert main(arguments) == 0
    assert capsys.readouterr().out == TREE


def test_json_lines(recording: Path, capsys: Captured) -> None:
    assert main(["parse", "--json", str(recording)]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    start, message, ack, end = events
    message_at, ack_at = STREAM.index(b"<message"), STREAM.index(b"<x:ack")
    assert start == {
        "event": "stream-start",
        "stream": 1,
        "offset": 0,
        "bytes": message_at,
        "tag": "{http://etherx.jabber.org/streams}stream",
        "attributes": {"id": "s1", "{http://www.w3.org/XML/1998/namespace}lang": "de"},
        "default_namespace": "jabber:client",
        "prefixes": {"stream": "http://etherx.jabber.org/streams"},
    }
    assert list(message) == ["event", "stream", "offset", "bytes", "element"]
    assert (message["offset"], message["bytes"]) == (message_at, ack_at - message_at)
    assert message["element"] == {
        "tag": "{jabber:client}message",
        "attributes": {"to": "a@b", "{urn:x}y": "1"},
        "text": "\n  ",
        "tail": None,
        "children": [
            {
                "tag": "{jabber:client}body",
                "attributes": {},
                "text": 'A & "B"',
                "tail": None,
                "children": [],
            },
            {
                "tag": "{urn:h}html",
                "attributes": {},
                "text": "see ",
                "tail": "\n",
                "children": [
                    {
                        "tag": "{urn:h}b",
                        "attributes": {},
                        "text": "this",
                        "tail": "!",
                        "children": [],
                    },
                    {
                        "tag": "{urn:h}br",
                        "attributes": {},
                        "text": None,
                        "tail": None,
                        "children": [],
                    },
                ],
            },
        ],
    }
    assert ack["element"]["children"][0]["tag"] == "y"
    assert end == {
        "event": "stream-end",
        "stream": 1,
        "offset": STREAM.index(b"</stream:stream>"),
        "bytes": len(b"</stream:stream>"),
    }


def test_every_json_field_is_in_the_help(capsys: Captured, recording: Path) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["parse", "--help"])
    assert exit_.value.code == 0
    described = capsys.readouterr().out
    recording.write_bytes(STREAM + b"x")
    main(["parse", "--json", str(recording)])
    fields: set[str] = set()
    for line in capsys.readouterr().out.splitlines():
        event = json.loads(line)
        fields |= event.keys() | event.get("element", {}).keys()
    assert not [field for field in fields if f" {field}" not in described]


def test_stats(recording: Path, capsys: Captured) -> None:
    data = b"<s:r xmlns:s='s' xmlns='u'>" + b"<a/>" * 9 + b"<b>1234567</b> <c xmlns='v'/>"
    recording.write_bytes(data)
    assert main(["parse", "--stats", "--chunk-size", "50", str(recording)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "streams  1",
        "stanzas  11 of 64 bytes",
        "sizes    min 4, mean 5.8, median 4, p90 14, max 14 bytes",
    ]
    assert lines[3].startswith("speed    ")
    assert lines[3].endswith(f"({backend} backend, chunks of 50 bytes)")
    assert f" MB/s: {len(data)} bytes in " in lines[3]
    assert [line.split() for line in lines[4:]] == [
        [],
        ["count", "bytes", "name"],
        ["9", "36", "a"],
        ["1", "14", "b"],
        ["1", "14", "{v}c"],
    ]


def test_stats_of_nothing(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    give_stdin(monkeypatch, b"")
    assert main(["parse", "--stats"]) == 0
    assert capsys.readouterr().out.splitlines() == ["streams  0", "stanzas  0 of 0 bytes"]


def test_quantiles_are_by_nearest_rank() -> None:
    sizes = Counter({1: 5, 2: 4, 100: 1})
    assert [quantile(sizes, Fraction(n, 10)) for n in (0, 5, 6, 9, 10)] == [1, 1, 2, 2, 100]


ERROR = STREAM.replace(b"<br/>", b"<br></b>")
CONDITION = "not-well-formed: end tag does not match the start tag"


def test_an_error_is_shown_in_its_line(recording: Path, capsys: Captured) -> None:
    recording.write_bytes(ERROR)
    assert main(["parse", str(recording)]) == 1
    out, err = capsys.readouterr()
    assert out == TREE.splitlines(keepends=True)[0]
    message, line, caret = err.splitlines()
    at = ERROR.index(b"</b>", ERROR.index(b"<br>"))
    column = at - ERROR.index(b"\n")
    assert message == (f"xmppfast: {recording}: {CONDITION} (line 2, column {column}, offset {at})")
    assert line[caret.index("^") :].startswith("</b></html>")
    assert caret.strip() == "^"


def test_an_error_in_json(recording: Path, capsys: Captured) -> None:
    recording.write_bytes(ERROR)
    assert main(["parse", "--json", str(recording)]) == 1
    out, err = capsys.readouterr()
    event = json.loads(out.splitlines()[-1])
    assert list(event) == ["event", "condition", "text", "offset", "line", "column"]
    assert event["event"] == "error"
    assert f"{event['condition']}: {event['text']}" == CONDITION
    assert event["offset"] == ERROR.index(b"</b>", ERROR.index(b"<br>"))
    assert CONDITION in err


def test_stats_of_what_comes_before_an_error(recording: Path, capsys: Captured) -> None:
    recording.write_bytes(b"<r><a/><b></c>")
    assert main(["parse", "--stats", str(recording)]) == 1
    out, err = capsys.readouterr()
    assert "stanzas  1 of 4 bytes" in out
    assert "<r><a/><b></c>\n          ^\n" in err


@pytest.mark.parametrize("chunk_size", ["1", "5", "65536"])
def test_the_message_does_not_depend_on_chunks(
    recording: Path, chunk_size: str, capsys: Captured
) -> None:
    recording.write_bytes(ERROR)
    main(["parse", str(recording)])
    expected = capsys.readouterr().err
    main(["parse", "--chunk-size", chunk_size, str(recording)])
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(
    ("option", "data"),
    [
        ("stanza-bytes=10000", b"<r><a>" + b"x" * 10000),
        ("depth=2", b"<r><a><b><c/></b></a>"),
        ("attributes=2", b"<r a='' b='' c=''>"),
        ("children=1", b"<r><a><b/><c/></a>"),
        ("name-bytes=3", b"<r><abcd/>"),
        ("namespaces=1", b"<r xmlns='u'><a xmlns:v='w'/>"),
    ],
)
def test_limits(option: str, data: bytes, recording: Path, capsys: Captured) -> None:
    recording.write_bytes(data)
    main(["parse", str(recording)])
    assert "policy-violation" not in capsys.readouterr().err
    assert main(["parse", f"--{option}", str(recording)]) == 1
    name = option.partition("=")[0].replace("-", "_")
    assert f"policy-violation: limit on {name} exceeded" in capsys.readouterr().err


def test_restarts_can_be_switched_off(recording: Path, capsys: Captured) -> None:
    recording.write_bytes(b"<r><a/><?xml version='1.0'?><r>")
    assert main(["parse", str(recording)]) == 0
    assert main(["parse", "--restarts=auto", str(recording)]) == 0
    assert capsys.readouterr().out == "r\n  a\nr\n" * 2
    assert main(["parse", "--restarts=never", str(recording)]) == 1
    assert "XML declaration not at the start" in capsys.readouterr().err


def test_depth_is_not_limited_by_recursion(recording: Path, capsys: Captured) -> None:
    levels = 5000
    recording.write_bytes(b"<r>" + b"<a>" * levels + b"</a>" * levels)
    assert main(["parse", f"--depth={levels}", str(recording)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "  " * levels + "a"
    assert main(["parse", f"--depth={levels}", "--json", str(recording)]) == 0
    assert capsys.readouterr().out.count('"tag": "a"') == levels


def test_terminal_controls_are_escaped(recording: Path, capsys: Captured) -> None:
    recording.write_bytes("<r><a b='\x9b31m'>\u202e\t\\ü漢&#13;</a>".encode())
    assert main(["parse", str(recording)]) == 0
    assert capsys.readouterr().out == 'r\n  a b="\\x9b31m" "\\u202e\\t\\\\ü漢\\r"\n'
    assert quoted('a"\n\U000e0001') == '"a\\"\\n\\U000e0001"'


def test_json_of_an_element_is_what_json_reads() -> None:
    element = parse("<a xmlns='u' b='&quot;'>\u2028é<c/><d/>t</a>")
    read = json.loads(element_json(element))
    assert read["attributes"] == {"b": '"'}
    assert read["text"] == "\u2028é"
    assert [child["tail"] for child in read["children"]] == [None, "t"]


class Terminal(io.StringIO):
    """Text output that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(
    ("out", "environment", "expected"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colors_are_for_terminals(
    out: io.StringIO, environment: dict[str, str], expected: bool
) -> None:
    assert may_color(out, environment) is expected


def test_colors(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["parse", str(recording)]) == 0
    lines = out.getvalue().splitlines()
    assert lines[2] == '    \x1b[1mbody\x1b[0m \x1b[32m"A & \\"B\\""\x1b[0m'
    assert lines[-1] == "\x1b[1m/stream:stream\x1b[0m"


def test_excerpt_points_at_the_place() -> None:
    assert excerpt(b"one\ntwo three\nfour", 8) == "two three\n    ^"
    assert excerpt(b"abc", 3) == "abc\n   ^"
    assert excerpt(b"", 0) == "\n^"


def test_excerpt_escapes_what_is_not_printable_ascii() -> None:
    shown, caret = excerpt(b"a\t\x1b\xc3\xbc<\x00", 5).splitlines()
    assert shown == r"a\t\x1b\xc3\xbc<\x00"
    assert shown[caret.index("^") :] == r"<\x00"


@pytest.mark.parametrize("byte", [b"a", b"\xff", b"\t"])
@pytest.mark.parametrize("before", [0, 5, 36, 37, 1000])
@pytest.mark.parametrize("after", [1, 5, 36, 37, 1000])
def test_excerpt_of_a_long_line_fits_a_terminal(byte: bytes, before: int, after: int) -> None:
    shown, caret = excerpt(byte * before + b"<" + byte * after, before).splitlines()
    assert shown[caret.index("^")] == "<"
    assert len(shown) < 80
    assert shown.startswith("...") == (before * len(excerpt(byte, 0).splitlines()[0]) > 36)
