"""Make a result readable: tables and a chart, and the block of the README.

    python bench/report.py RESULT.json [--readme [FILE]]

Writes RESULT.md, RESULT.svg and RESULT.png beside the result. With --readme, puts the short form
between `<!-- bench:begin -->` and `<!-- bench:end -->` of that file.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

if not __package__:  # started as a file: look from the project, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench import chart, table
from bench.corpus import PROJECT
from bench.figures import Result

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
_IN_README = ("python", "C")


def whole(result: Result) -> str:
    """Everything measured, with where and on what, as Markdown."""
    facts = "\n".join(f"- {name}: {value}" for name, value in result.machine.items())
    corpora = "\n".join(f"    {line}" for line in result.corpora)
    skipped = "".join(f"- not measured: {note}\n" for note in result.skipped)
    return f"{facts}\n{skipped}\n{corpora}\n\n{table.markdown(result.figures)}"


def readme_block(result: Result, chart_path: str) -> str:
    """The figures that matter most, to stand between the two marks."""
    shown = [figure for figure in result.figures if figure.section in _IN_README]
    where = "{processor}, {Python}, expat {expat of Python}".format_map(result.machine)
    return (
        f"![Times as fast as XMLPullParser and expat]({chart_path})\n\n"
        f"{table.markdown(shown)}\n"
        "CPU time, medians of runs taken in turns in one process; in parentheses the least that "
        f"will do. {where}.\n"
    )


def put_block(text: str, block: str) -> str:
    """The text with the block between the marks; ValueError if they are not there, in order."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} ... {END} to put the figures between")
    return f"{head}{BEGIN}\n{block}{END}{tail}"


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Make a result readable.")
    parser.add_argument("result", type=Path)
    parser.add_argument("--readme", type=Path, nargs="?", const=PROJECT / "README.md")
    arguments = parser.parse_args()
    result = Result.load(arguments.result)
    written = [arguments.result.with_suffix(".md")]
    written[0].write_text(whole(result), encoding="utf-8")
    written += chart.draw(result, arguments.result.with_suffix(""))
    if arguments.readme:
        path = arguments.result.with_suffix(".svg").resolve()
        where = Path(os.path.relpath(path, arguments.readme.resolve().parent)).as_posix()
        text = arguments.readme.read_text(encoding="utf-8")
        arguments.readme.write_text(put_block(text, readme_block(result, where)), encoding="utf-8")
        written.append(arguments.readme)
    print("\n".join(f"wrote {path}" for path in written))
    return 0


if __name__ == "__main__":
    sys.exit(main())
