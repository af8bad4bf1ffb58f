"""A run as a picture: latency by percentile; messages, CPU and memory by time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .report import Report

# Middle tones: readable on light and dark pages.
_INK = "#76808a"
_LINES = ("#2f81f7", "#d18616", "#3fb950")


def draw(report: Report, path: Path) -> None:
    """Write the picture; the file's name says whether as SVG or PNG.

    Raises ValueError for a report without anything to draw, ImportError without matplotlib.
    """
    panels = [
        (_latency, bool(report.percentiles)),
        (_rate, len(report.series) > 1),
        (_memory, any(resident for *_, resident in report.series)),
    ]
    wanted = [panel for panel, there in panels if there]
    if not wanted:
        raise ValueError(f"a run of kind {report.kind} has nothing to draw")
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "font.size": 9.5,
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
    }
    with plt.rc_context(style):
        size = (4.8 * len(wanted), 3.4)
        picture, axes = plt.subplots(1, len(wanted), figsize=size, squeeze=False)
        for axis, panel in zip(axes.flat, wanted, strict=True):
            panel(axis, report)
            for side in ("top", "right"):
                axis.spines[side].set_visible(False)
        picture.suptitle(f"{report.kind}: {_parameters(report)}")
        picture.tight_layout()
        picture.savefig(path, transparent=True, dpi=160)
        plt.close(picture)


def _parameters(report: Report) -> str:
    return ", ".join(f"{name} {value}" for name, value in report.parameters.items())


def _latency(axis: Any, report: Report) -> None:
    nines = [1 / (1 - percent / 100) for percent in report.percentiles]
    axis.plot(nines, [1e3 * value for value in report.percentiles.values()], color=_LINES[0])
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xticks([1, 2, 10, 100, 1000, 10000], ["0", "50", "90", "99", "99.9", "99.99"])
    axis.set_xlabel("percent")
    axis.set_ylabel("ms")


def _rate(axis: Any, report: Report) -> None:
    rates, used, before = [], [], (0.0, 0, 0.0)
    for at, delivered, cpu, _ in report.series:
        rates.append((delivered - before[1]) / (at - before[0]))
        used.append(100 * (cpu - before[2]) / (at - before[0]))
        before = (at, delivered, cpu)
    times = [at for at, *_ in report.series]
    axis.plot(times, rates, color=_LINES[0])
    axis.set_ylim(bottom=0)
    axis.set_xlabel("s")
    axis.set_ylabel("delivered per second", color=_LINES[0])
    if any(used):
        other = axis.twinx()
        other.plot(times, used, color=_LINES[1])
        other.set_ylim(bottom=0)
        other.set_ylabel("CPU of the server, %", color=_LINES[1])
        other.spines["top"].set_visible(False)


def _memory(axis: Any, report: Report) -> None:
    times = [at for at, *_ in report.series]
    axis.plot(times, [resident / 2**20 for *_, resident in report.series], color=_LINES[2])
    axis.set_ylim(bottom=0)
    axis.set_xlabel("s")
    axis.set_ylabel("memory of the server, MiB")
