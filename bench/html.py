"""One HTML page of a result, with nothing to load: tables, chart, where it was measured."""

from __future__ import annotations

from html import escape

from bench import table
from bench.figures import Result

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --bad: #f85149; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { border-bottom: 1px solid var(--line); padding: .2rem .8rem .2rem 0; text-align: left; }
td + td { font-variant-numeric: tabular-nums; }
svg { max-width: 100%; height: auto; }
pre { overflow-x: auto; }
.met { color: var(--good); } .not-met { color: var(--bad); }
"""


def page(result: Result, svg: str | None) -> str:
    """The page; `svg` is the chart's source, if there is one."""
    facts = "".join(_row("td", [name, value]) for name, value in result.machine.items())
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>xmppfast, measured</title><style>{_STYLE}</style></head><body>",
        "<h1>xmppfast, measured</h1>",
        svg[svg.index("<svg") :] if svg else "",
        *(_section(section) for section in table.sections(result.figures)),
        _unsteady(result),
        "<h2>Where</h2>",
        f"<table>{facts}</table>",
        f"<h2>Streams</h2><pre>{escape(chr(10).join(result.corpora))}</pre>",
    ]
    if result.skipped:
        notes = "".join(f"<li>{escape(note)}</li>" for note in result.skipped)
        parts.append(f"<h2>Not measured</h2><ul>{notes}</ul>")
    return "\n".join((*filter(None, parts), "</body></html>\n"))


def _section(section: table.Section) -> str:
    head = _row("th", ["", *section.columns, ""])
    rows = "".join(
        _row("td", [row.subject, *row.cells, table.verdict(row)], _CLASS[row.met])
        for row in section.rows
    )
    return f"<h2>{escape(section.title)}</h2><table>{head}{rows}</table>"


_CLASS = {None: "", True: "met", False: "not-met"}


def _row(cell: str, values: list[str], last: str = "") -> str:
    shown = [escape(value).replace("&gt;=", "≥").replace("&lt;=", "≤") for value in values]
    marked = f' class="{last}"' if last else ""
    cells = "".join(f"<{cell}>{value}</{cell}>" for value in shown[:-1])
    return f"<tr>{cells}<{cell}{marked}>{shown[-1]}</{cell}></tr>"


def _unsteady(result: Result) -> str:
    lines = table.unsteady(result.figures)
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<h2>Unsteady</h2><p>{table.UNSTEADY}</p><ul>{items}</ul>"
