"""`xmppfast parse`: the events of a recorded stream."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from .. import Limits, StreamError, StreamParser
from .excerpt import excerpt
from .progress import Progress
from .recording import Recording
from .render import JsonLines, Tree, may_color, quoted
from .stats import Stats

DESCRIPTION = """\
Show the events of a recorded XMPP stream: the bytes that one side of a connection sent, without
TLS. By default they are shown as an indented tree.
"""

EPILOG = """\
JSON lines (--json): one object per event.
  event        "stream-start", "stanza", "stream-end", or "error" as the last one
  stream       number of the stream, from 1; it grows with every restart
  offset       bytes of the recording before the event
  bytes        length of the event in bytes
A stream-start also has
  tag          "{namespace}name" of the root element
  attributes   object: values by name, as "{namespace}name" or "name"
  default_namespace   string or null
  prefixes     object: namespace names by declared prefix
A stanza also has
  element      object with tag, attributes, text (string or null), tail (string or null; the text
               behind the element's end, inside its parent), children (array of such objects)
An error has event, condition (of RFC 6120 section 4.9.3), text, offset, line, column.

Exit codes: 0 the recording was read to its end; 1 stream error; 2 wrong usage, or a file that
can't be read; 130 interrupted; 141 the reader of the output went away.
"""

_BLOCK = 64 * 1024
_LIMIT_HELP = {
    "stanza_bytes": "bytes of one stanza",
    "depth": "levels of elements in a stanza",
    "attributes": "attributes of one element",
    "children": "elements in one stanza",
    "name_bytes": "bytes of one name",
    "namespaces": "namespace declarations in scope",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this command."""
    parser.add_argument("file", metavar="FILE", nargs="?", default="-", help="default: - for stdin")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="one JSON object per event and line")
    output.add_argument("--stats", action="store_true", help="counts, sizes and speed instead")
    parser.add_argument(
        "--chunk-size",
        type=_chunk_size,
        default=_BLOCK,
        metavar="N",
        help="most bytes to feed to the parser at once (default: %(default)s)",
    )
    parser.add_argument(
        "--restarts",
        choices=("auto", "never"),
        default="auto",
        help="auto: a new XML declaration or stream header between two stanzas begins a new stream,"
        " as it does after TLS and SASL negotiation; never: it is an error, or a stanza",
    )
    limits = parser.add_argument_group("limits")
    for name, what in _LIMIT_HELP.items():
        limits.add_argument(
            "--" + name.replace("_", "-"),
            type=int,
            default=getattr(Limits(), name),
            metavar="N",
            help=f"{what} (default: %(default)s)",
        )


def run(options: argparse.Namespace, limits: Limits) -> int:
    """Read and show the recording; returns the exit code. Raises OSError."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    recording = Recording(
        StreamParser(limits=limits),
        chunk_size=options.chunk_size,
        restarts=options.restarts == "auto",
    )
    shown: Tree | JsonLines | Stats
    if options.stats:
        shown = Stats()
    elif options.json:
        shown = JsonLines(sys.stdout)
    else:
        shown = Tree(sys.stdout, color=may_color(sys.stdout, os.environ))
    with ExitStack() as stack:
        if options.file == "-":
            source: BinaryIO = sys.stdin.buffer
        else:
            source = stack.enter_context(Path(options.file).open("rb"))
        failure = _show(source, recording, shown, options.chunk_size)
    if isinstance(shown, Stats):
        shown.summary(sys.stdout, recording, options.chunk_size)
    if failure is None:
        return 0
    sys.stdout.flush()
    name = "stdin" if options.file == "-" else quoted(options.file)[1:-1]
    begin, data = recording.around_error()
    print(f"xmppfast: {name}: {failure}", file=sys.stderr)
    print(excerpt(data, failure.offset - begin), file=sys.stderr)
    return 1


def _show(
    source: BinaryIO, recording: Recording, shown: Tree | JsonLines | Stats, chunk_size: int
) -> StreamError | None:
    """Show everything up to the end or to the error, which is returned."""
    enabled = sys.stderr.isatty() and (isinstance(shown, Stats) or not sys.stdout.isatty())
    progress = Progress(sys.stderr, total=_size(source), enabled=enabled)
    try:
        for block in _blocks(source, chunk_size):
            for placed in recording.read(block):
                shown.write(placed)
            progress.update(recording.offset)
        for placed in recording.close():
            shown.write(placed)
    except StreamError as error:
        shown.error(error)
        return error
    finally:
        progress.clear()
    return None


def _blocks(source: BinaryIO, chunk_size: int) -> Iterator[bytes]:
    """What there is to read, in whole chunks of a file, and as it comes from anything else."""
    read = getattr(source, "read1", source.read)
    size = max(1, _BLOCK // chunk_size) * chunk_size
    while block := read(size):
        yield block


def _size(source: BinaryIO) -> int | None:
    try:
        status = os.fstat(source.fileno())
    except OSError:  # not a file of the operating system
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _chunk_size(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a number of bytes, at least 1, not {text!r}")
    return int(text)
