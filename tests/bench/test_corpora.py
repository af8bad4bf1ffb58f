"""The corpora: the same bytes for the same seed, and what they are said to be."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bench.corpus import END, HEADER, Corpus, corpora, generate, read
from xmppfast import Limits, StreamParser

# Of seed 1 at a hundredth of the usual size; they may only change together with bench/stanzas.py.
DIGESTS = {
    "chat": "7bc500e1993d5efe68960ec7b6c5a19d72ccaea1fca216ed0b7fe2155fdebba3",
    "small": "65bf9d79e84adaf7824354d6286f30a4d6fd924c1ee57e8cf09625a1afc2331e",
    "large": "a596844e0e2a08e0c6a7caf50d5f0ccb93b503afe334807342b7052051096248",
}


def make(name: str, seed: int = 1, scale: float = 0.01) -> Corpus:
    return generate(name, seed=seed, scale=scale)


@pytest.mark.parametrize("name", DIGESTS)
def test_seed_fixes_every_byte(name: str) -> None:
    assert hashlib.sha256(make(name).data).hexdigest() == DIGESTS[name]


@pytest.mark.parametrize("name", DIGESTS)
def test_another_seed_gives_another_stream(name: str) -> None:
    assert make(name, seed=2).data != make(name).data


@pytest.mark.parametrize("name", DIGESTS)
def test_spans_are_the_stanzas(name: str) -> None:
    corpus = make(name)
    root = ET.fromstring(corpus.data)
    assert [ET.fromstring(HEADER + data + END)[0].tag for data in corpus.stanzas()] == [
        child.tag for child in root
    ]


@pytest.mark.parametrize("name", DIGESTS)
def test_spans_are_found_again(name: str) -> None:
    corpus = make(name)
    assert read(name, corpus.data) == corpus


def test_chat_has_the_mix_of_a_clients_stream() -> None:
    corpus = make("chat", scale=0.1)
    stanzas = corpus.stanzas()
    kinds = [stanza[1:4] for stanza in stanzas]
    assert 0.6 < kinds.count(b"mes") / len(kinds) < 0.75
    assert 0.2 < kinds.count(b"pre") / len(kinds) < 0.3
    unusual = sum(b"&" in stanza or not stanza.isascii() for stanza in stanzas)
    assert 0.07 < unusual / len(stanzas) < 0.2
    assert 320 < sum(map(len, stanzas)) / len(stanzas) < 370


def test_first_ends_the_stream_behind_a_stanza() -> None:
    corpus = make("chat")
    part = corpus.first(5_000)
    assert part.spans == corpus.spans[: len(part.spans)]
    assert part.spans[-1].end >= 5_000 > part.spans[-2].end
    assert len(ET.fromstring(part.data)) == len(part.spans)


def test_what_xmpp_forbids_is_left_out() -> None:
    stream = HEADER + b"<a/>\n<b><!-- no --></b>[...]<c>></c><!-- no --><d x='>'/><?no?>\n" + END
    corpus = read("xep", stream)
    assert corpus.stanzas() == [b"<a/>", b"<c>></c>", b"<d x='>'/>"]
    assert corpus.dropped == 1
    assert corpus.header == HEADER
    assert read("xep", corpus.data).spans == corpus.spans


def test_folder_without_corpora_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none of chat, xep"):
        corpora(tmp_path)


def test_folder_of_corpora(tmp_path: Path) -> None:
    small = make("small")
    (tmp_path / "small.xml").write_bytes(small.data)
    assert corpora(tmp_path) == {"small": small}


def test_examples_are_used_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XMPPFAST_DATA", str(tmp_path))
    own = make("xep")
    assert own.source == "our own examples of extensions"
    row = (
        '{"kind":"example","shape":"fragment","wf":true,"restricted":%s,"top_text":%s,"text":%s}\n'
    )
    (tmp_path / "xep_examples.jsonl").write_text(
        row % ("false", "false", '"\\n<a/>\\n<b/>"')
        + row % ("false", "false", '"<a/>\\n<b/>\\n"')
        + row % ("true", "false", '"<c><!-- no --></c>"')
        + row % ("false", "true", '"<d/>..."')
    )
    theirs = make("xep", scale=1)
    assert theirs.stanzas() == [b"<a/>", b"<b/>"]
    assert "(the XEPs' examples)" in theirs.statistics()


@pytest.mark.parametrize("name", ["xep", "captures"])
def test_without_the_data_there_are_our_own(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XMPPFAST_DATA", str(tmp_path))
    corpus = make(name, scale=0.1)
    assert corpus.data == make(name, scale=0.1).data
    assert corpus.source in corpus.statistics()
    assert len(list(StreamParser(limits=Limits(stanza_bytes=100_000)).feed(corpus.data))) == (
        len(corpus.spans) + 2
    )
    root = ET.fromstring(corpus.data)
    assert len({child.tag for child in root}) > 3


def test_recorded_sessions_are_used_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XMPPFAST_DATA", str(tmp_path))
    parts = {"c2s": [b"<s xmlns='jabber:client' xmlns:x='urn:x'>", b"<a/>", b"<x:b/>", b" "],
             "s2c": [b"<s xmlns='jabber:server'>", b"<c/>"]}  # fmt: skip
    kinds = {0: "open", 3: "space"}
    for session in ("client-server-plain", "errors-server-raw"):
        folder = tmp_path / "captures" / session
        folder.mkdir(parents=True)
        lines = []
        for side, pieces in parts.items():
            (folder / f"{side}.bin").write_bytes(b"".join(pieces))
            for at, piece in enumerate(pieces):
                kind = {"kind": kinds[at]} if at in kinds else {}
                offset = sum(map(len, pieces[:at]))
                lines.append(json.dumps({"d": side, "o": offset, "n": len(piece), **kind}))
        (folder / "stanzas.jsonl").write_text("\n".join(lines) + "\n")
    corpus = make("captures", scale=1e-5)
    assert set(corpus.stanzas()) == {b"<a/>"}  # the other needs a prefix of its own header
    assert corpus.source == "1 recorded sessions, over and over"
