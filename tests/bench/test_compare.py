"""What counts as a change between two results."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from bench.compare import Verdict, changes, judge
from bench.figures import Figure, Result
from xmppfast.cli import main


def figure(value: float, quartile: float = 0.0, **changes: Any) -> Figure:
    """A ratio of nine rounds, whose quartiles lie that far from the median."""
    named: dict[str, Any] = {
        "section": "python",
        "subject": "untouched",
        "case": "chat",
        "unit": "x",
        "against": "XMLPullParser",
        "rounds": 9,
        **changes,
    }
    return Figure(value=value, low=value - quartile, high=value + quartile, **named)


def result(*figures: Figure, **machine: str) -> Result:
    return Result(machine, [], list(figures), [])


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (figure(20), figure(20), Verdict.SAME),
        (figure(20), figure(21.9), Verdict.SAME),
        (figure(20), figure(18.1), Verdict.SAME),
        (figure(20), figure(23), Verdict.BETTER),
        (figure(20), figure(17), Verdict.WORSE),
        (figure(20, 5), figure(17), Verdict.UNCLEAR),
        (figure(20), figure(17, 5), Verdict.UNCLEAR),
        (figure(20, 0.5), figure(10, 0.5), Verdict.WORSE),
        # Less is better where the figure is a cost.
        (figure(600, unit="bytes"), figure(800, unit="bytes"), Verdict.WORSE),
        (figure(600, unit="bytes"), figure(400, unit="bytes"), Verdict.BETTER),
        # From nothing, any change is infinite.
        (figure(0, unit="%"), figure(0, unit="%"), Verdict.SAME),
        (figure(0, unit="%"), figure(0.1, unit="%"), Verdict.WORSE),
        (figure(0.1, unit="%"), figure(0, unit="%"), Verdict.BETTER),
    ],
)
def test_verdict(before: Figure, after: Figure, verdict: Verdict) -> None:
    assert judge(before, after, 10).verdict is verdict


def test_noise_is_three_standard_errors_of_both_medians() -> None:
    error = 1.2533 * 2 / 1.349 / 3  # quartiles two apart, nine rounds
    change = judge(figure(20, 1), figure(20, 1), 10)
    assert change.noise == pytest.approx(100 * 3 * math.sqrt(2) * error / 20)


def test_more_rounds_make_it_clear() -> None:
    few = judge(figure(20, 1.5), figure(17, 1.5), 10)
    many = judge(figure(20, 1.5, rounds=49), figure(17, 1.5, rounds=49), 10)
    assert (few.verdict, many.verdict) == (Verdict.UNCLEAR, Verdict.WORSE)


def test_only_what_is_comparable_is_compared() -> None:
    before = result(figure(1), figure(1, case="xep"), figure(1, case="small"))
    after = result(figure(1), figure(1, case="xep", against="lxml"), figure(1, case="large"))
    assert [change.case for change in changes(before, after, 10)] == ["chat"]


class TestCommand:
    """`xmppfast bench compare`."""

    @pytest.fixture
    def compare(self, tmp_path: Path) -> Any:
        def run(before: Result, after: Result, *options: str) -> int:
            paths = tmp_path / "a.json", tmp_path / "b.json"
            for path, each in zip(paths, (before, after), strict=True):
                path.write_text(each.dump(), encoding="utf-8")
            return main(["bench", "compare", *map(str, paths), *options])

        return run

    def test_nothing_worse(self, compare: Any, capsys: pytest.CaptureFixture[str]) -> None:
        before = result(figure(20), figure(20, case="xep"), kernel="avx2", command="one")
        after = result(figure(20), figure(30, case="xep"), kernel="neon", command="other")
        assert compare(before, after) == 0
        out = capsys.readouterr().out
        assert out.splitlines() == [
            "not the same: kernel: avx2 before, neon now",
            "better   python, untouched, xep: 20.0x -> 30.0x (+50.0%, noise 0.0%)",
            "2 figures: 1 same, 1 better, 0 worse, 0 unclear",
        ]

    def test_something_worse(self, compare: Any) -> None:
        assert compare(result(figure(20)), result(figure(15))) == 1

    def test_tolerance(self, compare: Any) -> None:
        assert compare(result(figure(20)), result(figure(15)), "--tolerance", "30") == 0

    def test_json(self, compare: Any, capsys: pytest.CaptureFixture[str]) -> None:
        before, after = result(figure(0, unit="%")), result(figure(1, unit="%"))
        assert compare(before, after, "--json") == 1
        whole = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
        assert whole["counts"] == {"same": 0, "better": 0, "worse": 1, "unclear": 0}
        (change,) = whole["changes"]
        assert (change["verdict"], change["percent"]) == ("worse", None)

    def test_nothing_in_common(self, compare: Any, capsys: pytest.CaptureFixture[str]) -> None:
        assert compare(result(figure(1)), result(figure(1, case="xep"))) == 2
        assert "no figure in common" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "figures": [{}]}', "\0"]
    )
    def test_no_result(self, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "bad.json"
        path.write_text(text)
        assert main(["bench", "compare", str(path), str(path)]) == 2
        assert str(path) in capsys.readouterr().err

    def test_missing_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = str(tmp_path / "none.json")
        assert main(["bench", "compare", path, path]) == 2
        assert capsys.readouterr().err == f"xmppfast: {path}: No such file or directory\n"

    @pytest.mark.parametrize("percent", ["-1", "much", "nan", "1e9"])
    def test_wrong_tolerance(self, percent: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["bench", "compare", "a", "b", f"--tolerance={percent}"])
        assert ended.value.code == 2
        assert "must be a percentage" in capsys.readouterr().err
