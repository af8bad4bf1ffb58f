"""Stanzas of recorded sessions: many where the recordings lie beside the project, else one's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from xmppfast import Limits, Stanza, StreamParser
from xmppfast.cli.recording import Recording

# Sessions that were made to show errors, and those between servers or with components, whose
# stanzas are in other namespaces.
_NOT_CLIENTS = ("errors-", "s2s", "slixcomp")
_CLIENT = b"jabber:client"


def stanzas(data: Path, examples: Path) -> tuple[str, Iterator[bytes]]:
    """What the stanzas are from, and the bytes of each in the order of recording."""
    folders = sorted(data.glob("captures/*/stanzas.jsonl"))
    if folders:
        chosen = [p.parent for p in folders if not p.parent.name.startswith(_NOT_CLIENTS)]
        return f"{len(chosen)} recorded sessions, over and over", _of_folders(chosen)
    return "the recorded session in examples/, over and over", _of_files(examples)


def _of_folders(folders: list[Path]) -> Iterator[bytes]:
    for folder in folders:
        sides = {side: (folder / f"{side}.bin").read_bytes() for side in ("c2s", "s2c")}
        client = dict.fromkeys(sides, False)
        with (folder / "stanzas.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                side, begin = record["d"], record["o"]
                part = sides[side][begin : begin + record["n"]]
                if record.get("kind") == "open":
                    client[side] = _CLIENT in part
                elif "kind" not in record and client[side]:
                    yield part


def _of_files(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.glob("*.bin")):
        data = path.read_bytes()
        parser = StreamParser(limits=Limits(stanza_bytes=len(data) + 10_000))
        recording = Recording(parser, chunk_size=len(data), restarts=True)
        for placed in [*recording.read(data), *recording.close()]:
            if isinstance(placed.event, Stanza):
                yield placed.event.raw
