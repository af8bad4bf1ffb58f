"""How far a run of load has come: a bar where somebody watches and rich is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TextIO


@contextmanager
def showing(out: TextIO) -> Iterator[Callable[[str, float], None]]:
    """Give what is to be called with what is being done, and how much of it is done: 0 to 1."""
    if not out.isatty() or find_spec("rich") is None:
        yield lambda what, part: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:12}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=out), transient=True, auto_refresh=False) as bar:
        tasks: dict[str, TaskID] = {}
        shown = dict[str, int]()

        def update(what: str, part: float) -> None:
            # Redrawn a hundred times in all, not with each of thousands of sessions.
            percent = int(100 * part)
            if shown.get(what) != percent:
                shown[what] = percent
                if what not in tasks:
                    tasks[what] = bar.add_task(what, total=100)
                bar.update(tasks[what], completed=percent, refresh=True)

        yield update
