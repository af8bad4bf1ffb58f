"""The comparison as JSON, as a table and as a chart."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bench import report
from bench.chart import _BARS, _INK
from bench.corpus import PROJECT
from bench.figures import Figure, Result, show
from bench.servers import floor
from bench.servers.bars import bars
from bench.timing import Spread

BEGIN, END = "<!-- servers:begin -->", "<!-- servers:end -->"
put_block = partial(report.put_block, marks=(BEGIN, END))

# Percent of a processor that something else may use without a remark.
_QUIET = 10.0

_UNITS = {
    "messages": "us", "rates": "/s", "logins": "us", "memory": "KiB", "latency": "us",
    "own delay": "us", "security": "us", "copies": "us", "growth": "MiB", "others": "%",
}  # fmt: skip
_TITLES = {
    "messages": "CPU time of the server per message, microseconds",
    "times": "The same, as a multiple of the byte relay's",
    "rates": "Messages per second, as one process could give and one processor take them",
    "latency": "Open loop: 99th percentile of latency, microseconds",
    "own delay": "Of which the load itself was late, 99th percentile, microseconds",
    "growth": "Open loop: growth of the server's memory, MiB",
    "security": "CPU time of the server per message at 10x10 with and without TLS, microseconds",
    "copies": "CPU time of the server per copy, microseconds",
    "logins": "CPU time of the server per login, microseconds",
    "memory": "Memory per idle session, KiB",
    "others": "What else ran on the machine, percent of a processor",
}


def result(
    facts: dict[str, str], found: Mapping[tuple[str, str, str], list[float]], skipped: list[str]
) -> Result:
    """Medians and quartiles of all rounds."""
    figures = []
    for (section, subject, case), values in found.items():
        spread = Spread.of(values)
        figures.append(
            Figure(
                section, subject, case, spread.median, spread.low, spread.high, _UNITS[section],
                rounds=len(values),
            )
        )  # fmt: skip
        least = found.get(("messages", floor.NAME, case))
        if section == "messages" and subject != floor.NAME and least is not None:
            # Round by round: both met the same weather.
            ratios = Spread.of([a / b for a, b in zip(values, least, strict=False)])
            figures.append(
                Figure(
                    "times", subject, case, ratios.median, ratios.low, ratios.high, "",
                    against=floor.NAME, rounds=len(values),
                )
            )  # fmt: skip
    return Result(facts, [], figures, skipped)


def markdown(result: Result) -> str:
    """A table for each thing that was measured."""
    parts = [_table(result, section) for section in _TITLES]
    facts = "".join(f"- {name}: {value}\n" for name, value in result.machine.items())
    skipped = "".join(f"- not measured: {note}\n" for note in result.skipped)
    return "\n".join([facts + skipped, *(part for part in parts if part), _bars(result)])


def _bars(result: Result) -> str:
    rows = ["**What is asked of ours**\n", "| | measured | at most | |", "|---|---|---|---|"]
    for bar in bars(result):
        verdict = "met" if bar.met else "missed"
        rows.append(f"| {bar.name} | {show(bar.value, '')} | {show(bar.most, '')} | {verdict} |")
    return "\n".join(rows) + "\n"


def readme_block(result: Result, chart: str) -> str:
    """The figures that matter most, to stand between the two marks."""
    all = list(bars(result))
    missed = [bar.name for bar in all if not bar.met]
    verdict = f"{len(all) - len(missed)} of {len(all)} bars are met"
    verdict += f"; missed: {'; '.join(missed)}." if missed else "."
    least = min(figure.rounds for figure in result.figures if figure.section == "messages")
    rounds = "one round" if least == 1 else f"medians of {least} rounds"
    busy = max((f.value for f in result.figures if f.section == "others"), default=0.0)
    if busy > _QUIET:
        verdict += f" Other work took up to {busy:.0f}% of a processor: to be measured again."
    return (
        f"![CPU time per message of servers]({chart})\n\n"
        f"{_table(result, 'messages')}\n{_table(result, 'times')}\n"
        f"Plain TCP on loopback, the server kept to one processor; {rounds}. {verdict} "
        f"{result.machine['processor']}; `{result.machine['command']}`.\n"
    )


def main() -> int:
    """Write what people read beside a result: `python -m bench.servers.report RESULT.json`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("--readme", type=Path, nargs="?", const=PROJECT / "README.md")
    options = parser.parse_args()
    result = Result.load(options.result)
    for path in write(result, options.result.with_suffix("")):
        print(f"wrote {path}")
    if options.readme:
        picture = options.result.with_suffix(".svg").resolve()
        where = Path(os.path.relpath(picture, options.readme.resolve().parent)).as_posix()
        text = options.readme.read_text(encoding="utf-8")
        options.readme.write_text(put_block(text, readme_block(result, where)), encoding="utf-8")
    return 0


def _table(result: Result, section: str) -> str:
    figures = [figure for figure in result.figures if figure.section == section]
    if not figures:
        return ""
    cases = list(dict.fromkeys(figure.case for figure in figures))
    rows = [
        f"**{_TITLES[section]}**\n",
        f"| | {' | '.join(cases)} |",
        "|---" * (len(cases) + 1) + "|",
    ]
    for subject in dict.fromkeys(figure.subject for figure in figures):
        cells = [result.find(section, subject, case) for case in cases]
        shown = ["-" if cell is None else show(cell.value, "") for cell in cells]
        rows.append(f"| {subject} | {' | '.join(shown)} |")
    return "\n".join(rows) + "\n"


def write(result: Result, stem: Path) -> list[Path]:
    """Write stem.json and .md, and with matplotlib .svg and .png."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".json").write_text(result.dump(), encoding="utf-8")
    stem.with_suffix(".md").write_text(markdown(result), encoding="utf-8")
    written = [stem.with_suffix(".json"), stem.with_suffix(".md")]
    try:
        written += draw(result, stem)
    except ImportError as missing:
        print(f"no chart: {missing}")
    return written


def draw(result: Result, stem: Path) -> list[Path]:
    """The chart as .svg and .png; ImportError without matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    style: dict[Any, Any] = {
        "svg.hashsalt": "xmppfast",
        "svg.fonttype": "none",
        "font.size": 9.5,
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
    }
    figures = [figure for figure in result.figures if figure.section == "messages"]
    cases = list(dict.fromkeys(figure.case for figure in figures))
    subjects = list(dict.fromkeys(figure.subject for figure in figures))
    width = 0.84 / max(len(subjects), 1)
    with plt.rc_context(style):
        picture, axis = plt.subplots(figsize=(7.2, 3.8), layout="constrained")
        for number, subject in enumerate(subjects):
            values = [result.find("messages", subject, case) for case in cases]
            left = [at - 0.42 + (number + 0.5) * width for at in range(len(cases))]
            heights = [0.0 if value is None else value.value for value in values]
            color = _INK if subject == floor.NAME else _BARS[number % len(_BARS)]
            axis.bar(left, heights, width * 0.92, label=subject, color=color)
        axis.set_yscale("log")
        axis.set_xticks(range(len(cases)), cases)
        axis.set_title("CPU time of the server per message, us; less is better", fontsize=10)
        axis.tick_params(length=0)
        for side in ("top", "right", "left", "bottom"):
            axis.spines[side].set_visible(False)
        axis.legend(frameon=False, fontsize=8)
        written = [stem.with_suffix(".svg"), stem.with_suffix(".png")]
        picture.savefig(written[0], transparent=True, metadata={"Date": None})
        picture.savefig(written[1], transparent=True, dpi=160, metadata={"Software": None})
        plt.close(picture)
    return written


if __name__ == "__main__":
    sys.exit(main())
