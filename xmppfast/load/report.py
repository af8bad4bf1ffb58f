"""What a run found."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from .histogram import Histogram
from .observed import Use

Figure = float | int | dict[str, float]


@dataclass
class Report:
    """What a run found.

    kind        of load
    parameters  it was made with
    figures     by name; the name ends with the unit where there is one
    checks      what must be 0: lost, duplicated and disordered messages, errors
    problems    what went wrong, in words; not more than a few of each kind
    series      each second: seconds since the begin, stanzas delivered, the server's CPU seconds
                and its resident bytes
    percentiles seconds by percent, for a plot
    """

    kind: str
    parameters: dict[str, Any]
    figures: dict[str, Figure] = field(default_factory=dict)
    checks: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    series: list[tuple[float, int, float, int]] = field(default_factory=list)
    percentiles: dict[float, float] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, duplicated, disordered or refused."""
        return not any(self.checks.values())

    def dump(self) -> str:
        """As JSON, in one line."""
        return json.dumps({**asdict(self), "clean": self.clean})

    def latency(self, name: str, times: Histogram) -> None:
        """Put the percentiles of some times among the figures, in microseconds."""
        if times.count:
            self.figures[name] = times.microseconds()

    def cpu(self, begin: Use, end: Use, each: str, count: int, *, observed: bool) -> None:
        """Put the CPU time between two moments among the figures, in all and for `each`."""
        self.figures["seconds"] = end.at - begin.at
        self.figures["own_cpu_s"] = end.own - begin.own
        if not observed:
            return
        used = end.cpu - begin.cpu
        self.figures["server_cpu_s"] = used
        # More than a tenth of the time: somebody else was there, and the figures suffer.
        self.figures["other_cpu_s"] = max(
            end.machine - begin.machine - used - (end.own - begin.own), 0.0
        )
        if count:
            self.figures[f"server_cpu_us_per_{each}"] = 1e6 * used / count


def text(report: Report) -> str:
    """For people: a line for each figure."""
    lines = [f"{report.kind}: {', '.join(f'{k} {v}' for k, v in report.parameters.items())}"]
    for name, value in {**report.figures, **report.checks}.items():
        shown = (
            ", ".join(f"{key} {_number(part)}" for key, part in value.items())
            if isinstance(value, dict)
            else _number(value)
        )
        lines.append(f"  {name.replace('_', ' ')}: {shown}")
    lines += [f"  problem: {problem}" for problem in report.problems]
    return "\n".join(lines)


def _number(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
