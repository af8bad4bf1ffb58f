"""Make a result readable: tables and a chart, and the block of the README.

    python bench/report.py RESULT.json [--readme [FILE]]

Writes RESULT.md, RESULT.html, RESULT.svg and RESULT.png beside the result. With --readme, puts the
short form between `<!-- bench:begin -->` and `<!-- bench:end -->` of that file.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

if not __package__:  # started as a file: look from the project, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench import chart, html, table
from bench.corpus import PROJECT
from bench.figures import Result

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
_IN_README = ("python", "adapters", "adapters, writing", "peers", "C")


def whole(result: Result) -> str:
    """Everything measured, with where and on what, as Markdown."""
    facts = "\n".join(f"- {name}: {value}" for name, value in result.machine.items())
    corpora = "\n".join(f"    {line}" for line in result.corpora)
    skipped = "".join(f"- not measured: {note}\n" for note in result.skipped)
    unsteady = "".join(f"- {line}\n" for line in table.unsteady(result.figures))
    if unsteady:
        unsteady = f"\n{table.UNSTEADY}\n\n{unsteady}"
    return f"{facts}\n{skipped}\n{corpora}\n\n{table.markdown(result.figures)}{unsteady}"


def write(result: Result, stem: Path) -> list[Path]:
    """Write everything as stem.json, .md, .svg, .png and .html; the chart only with matplotlib."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    _write(stem.with_suffix(".json"), result.dump())
    return [stem.with_suffix(".json"), *write_readable(result, stem)]


def write_readable(result: Result, stem: Path) -> list[Path]:
    """Write what people read, beside the JSON file."""
    _write(stem.with_suffix(".md"), whole(result))
    written = [stem.with_suffix(".md")]
    svg = None
    try:
        written += chart.draw(result, stem)
        svg = stem.with_suffix(".svg").read_text(encoding="utf-8")
    except (ImportError, chart.NothingToDrawError) as missing:
        print(f"no chart: {missing}", file=sys.stderr)
    _write(stem.with_suffix(".html"), html.page(result, svg))
    return [*written, stem.with_suffix(".html")]


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def readme_block(result: Result, chart_path: str) -> str:
    """The figures that matter most, to stand between the two marks."""
    shown = [figure for figure in result.figures if figure.section in _IN_README]
    where = "{processor}, {Python}, expat {expat of Python}".format_map(result.machine)
    if "command" in result.machine:
        where += f"; `{result.machine['command']}`"
    return (
        f"![Times as fast as XMLPullParser and expat]({chart_path})\n\n"
        f"{table.markdown(shown)}\n"
        "CPU time, medians of runs taken in turns; in parentheses the least that will do. "
        f"{where}.\n"
    )


def put_block(text: str, block: str, marks: tuple[str, str] = (BEGIN, END)) -> str:
    """The text with the block between the marks; ValueError if they are not there, in order."""
    head, begin, rest = text.partition(marks[0])
    _, end, tail = rest.partition(marks[1])
    if not begin or not end:
        raise ValueError(f"no {marks[0]} ... {marks[1]} to put the figures between")
    return f"{head}{begin}\n{block}{end}{tail}"


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Make a result readable.")
    parser.add_argument("result", type=Path)
    parser.add_argument("--readme", type=Path, nargs="?", const=PROJECT / "README.md")
    arguments = parser.parse_args()
    result = Result.load(arguments.result)
    written = write_readable(result, arguments.result.with_suffix(""))
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
