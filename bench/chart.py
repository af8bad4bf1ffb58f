"""The chart of a result: how many times faster, per corpus; readable on light and dark pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.figures import CORPORA, Figure, Result

# Middle tones: enough contrast to white and to near-black.
_INK = "#76808a"
_BARS = (
    "#2f81f7", "#8957e5", "#db61a2", "#d18616", "#3fb950", "#6e7681", "#e5534b", "#1b7c83"
)  # fmt: skip
_PANELS = {
    "python": "from Python, times as fast as XMLPullParser",
    "C": "src_c alone, times as fast as expat",
    "adapters": "adapters, times as fast as the stock parser",
    "peers": "other libraries, times as fast as XMLPullParser",
}


class NothingToDrawError(ValueError):
    """A result without the figures that the chart is of."""


def draw(result: Result, stem: Path) -> list[Path]:
    """Write the chart as stem.svg and stem.png; ImportError without matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    panels = [name for name in _PANELS if any(f.section == name for f in result.figures)]
    if not panels:
        raise NothingToDrawError("the result has no ratios per corpus to draw")
    style: dict[Any, Any] = {
        "svg.hashsalt": "xmppfast",  # the same figures give the same file
        "svg.fonttype": "none",
        "font.size": 9.5,
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
    }
    with plt.rc_context(style):
        rows = (len(panels) + 1) // 2
        size = (4.8 * min(len(panels), 2), 3.8 * rows)
        picture, axes = plt.subplots(
            rows, min(len(panels), 2), figsize=size, squeeze=False, layout="constrained"
        )
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        for axis, panel in zip(axes.flat, panels, strict=False):
            _panel(axis, _PANELS[panel], [f for f in result.figures if f.section == panel])
        written = [stem.with_suffix(".svg"), stem.with_suffix(".png")]
        picture.savefig(written[0], transparent=True, metadata={"Date": None})
        picture.savefig(written[1], transparent=True, dpi=160, metadata={"Software": None})
        plt.close(picture)
    return written


def _panel(axis: Any, title: str, figures: list[Figure]) -> None:
    """Groups of bars, a group per corpus, a bar per subject, the least that will do as a tick."""
    subjects = list(dict.fromkeys(figure.subject for figure in figures))
    corpora = [name for name in CORPORA if any(f.case == name for f in figures)]
    width = 0.84 / len(subjects)
    for number, subject in enumerate(subjects):
        found = {f.case: f for f in figures if f.subject == subject}
        places = [at for at, corpus in enumerate(corpora) if corpus in found]
        chosen = [found[corpora[at]] for at in places]
        left = [at - 0.42 + (number + 0.5) * width for at in places]
        values, color = [f.value for f in chosen], _BARS[number % len(_BARS)]
        axis.bar(left, values, width * 0.92, label=subject, color=color)
        for at, figure in zip(left, chosen, strict=True):
            if figure.bar is not None:
                ends = (at - width / 2, at + width / 2)
                axis.plot(ends, [figure.bar] * 2, color=_INK, lw=1.4)
    axis.set_title(title, fontsize=10)
    axis.set_xticks(range(len(corpora)), corpora)
    axis.tick_params(length=0)
    axis.axhline(1, color=_INK, lw=0.8, ls=":")
    for side in ("top", "right", "left", "bottom"):
        axis.spines[side].set_visible(False)
    where = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.07)}
    axis.legend(frameon=False, fontsize=8, ncols=min(len(subjects), 3), columnspacing=1, **where)
