"""The paper's search for sparsity ratios: one group after the other, the last one first (section 3.2).

Starting from a dense network, the last group gets the ratio with the best score, stays at it, and the search goes on
with the group before. The score is the caller's: for the paper, the mean Trojan AUC of one saliency method over about
a hundred calibration samples, whose Hessians are computed once (`spade.trace.prepare`).
"""

import json
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import EnvironmentProblem, InputError
from .sparsity import RATIO_GRID, Ratios, checked

Score = Callable[[Ratios], float]


@dataclass(frozen=True)
class Trial:
    """A score, NaN where there was none, and the ratios by group it belongs to."""

    ratios: Ratios
    score: float


@dataclass(frozen=True)
class Tuned:
    """The outcome of a search.

    Attributes:
        ratios: the best ratio of every group, in the order in which they were searched.
        score: at these ratios.
        dense: the score at all zeros; `score` is never below it.
        trials: everything that was tried, in order.
    """

    ratios: Ratios
    score: float
    dense: float
    trials: tuple[Trial, ...]


def guard(calibration_ids: Iterable[str], test_ids: Iterable[str]) -> None:
    """Nothing, where no calibration sample is a test sample.

    Raises:
        InputError: If one is.
    """
    both = sorted(set(calibration_ids) & set(test_ids))
    if both:
        raise InputError(
            f"{len(both)} samples would be used both to choose ratios and to judge them ({', '.join(both[:3])}"
            f"{', ...' if len(both) > 3 else ''}); take calibration samples that are not test samples."
        )


def tune(
    groups: Sequence[str],
    candidates: Sequence[float] = RATIO_GRID,
    *,
    score: Score,
    calibration_ids: Iterable[str],
    test_ids: Iterable[str],
    state_path: Path | None = None,
) -> Tuned:
    """The ratios found by searching one group after the other, and how.

    Of equal scores the smaller ratio wins: weights go only for a gain. A score of NaN never wins.

    Args:
        groups: in the order of the search, the paper's is the last group of the network first.
        candidates: ratios to try; 0 is always among them.
        score: larger is better; gets a ratio for every group. Called once for each set of ratios.
        calibration_ids: the samples behind `score`.
        test_ids: the samples the outcome will be judged on.
        state_path: where scores are kept as they come, one JSON line each. A search that was stopped goes on from
            there, and a torn last line is ignored.

    Raises:
        InputError: If a sample is in both sets, a group or ratio is given twice or wrong, the state belongs to
            another search, or the dense network has no score.
        EnvironmentProblem: If the state cannot be written.
    """
    calibration = sorted(set(calibration_ids))
    guard(calibration, test_ids)
    grid = _grid(groups, candidates)
    search = {"groups": list(groups), "candidates": grid, "calibration": calibration}
    scored = _Scored(score, _State(state_path, search) if state_path else None)
    ratios = dict.fromkeys(groups, 0.0)
    best = dense = scored(ratios)
    if math.isnan(dense):
        raise InputError("The dense network has no score (NaN); there is nothing to improve on.")
    for group in groups:
        for candidate in grid:
            tried = scored(ratios | {group: candidate})
            if tried > best:
                ratios, best = ratios | {group: candidate}, tried
    return Tuned(ratios, best, dense, tuple(scored.trials))


class _Scored:
    """The score, asked once for each set of ratios and remembered in the state."""

    def __init__(self, score: Score, state: "_State | None") -> None:
        self._score, self._state = score, state
        self._known = {} if state is None else {_key(trial.ratios): trial.score for trial in state.trials}
        self._seen: set[str] = set()
        self.trials: list[Trial] = []

    def __call__(self, ratios: Ratios) -> float:
        key = _key(ratios)
        if key not in self._known:
            self._known[key] = float(self._score(dict(ratios)))
            if self._state is not None:
                self._state.append(Trial(ratios, self._known[key]))
        if key not in self._seen:
            self._seen.add(key)
            self.trials.append(Trial(dict(ratios), self._known[key]))
        return self._known[key]


class _State:
    """Trials in a file: a line that says which search they belong to, then a line a trial."""

    def __init__(self, path: Path, search: dict[str, object]) -> None:
        self._path = path
        lines = _lines(path)
        if lines and lines[0] != search:
            raise InputError(f"{path} belongs to another search (groups, ratios or samples differ); move it away.")
        self.trials = [_trial(line, path) for line in lines[1:]]
        # Written whole before anything is appended: a torn last line would swallow the next one.
        fresh = path.with_name(f"{path.name}.partial")
        self._write(fresh, "w", search, *map(_line, self.trials))
        fresh.replace(path)

    def append(self, trial: Trial) -> None:
        """Keep one more trial; it is on the disk when this returns."""
        self._write(self._path, "a", _line(trial))

    @staticmethod
    def _write(path: Path, mode: str, *lines: dict[str, object]) -> None:
        try:
            with path.open(mode, encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise EnvironmentProblem(f"The state of the search could not be written to {path}: {error}.") from error


def _lines(path: Path) -> list[dict[str, object]]:
    """The lines that end; none where there is no file."""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is no state of a search ({error}); move it away.") from error


def _line(trial: Trial) -> dict[str, object]:
    # JSON has no NaN.
    return {"ratios": trial.ratios, "score": None if math.isnan(trial.score) else trial.score}


def _trial(line: dict[str, object], path: Path) -> Trial:
    match line:
        case {"ratios": dict(ratios), "score": int() | float() | None as score}:
            return Trial(checked(ratios), math.nan if score is None else float(score))
    raise InputError(f"{path} holds a line that is no trial of a search: {line}; move the file away.")


def _grid(groups: Sequence[str], candidates: Sequence[float]) -> list[float]:
    """The candidates and 0, ascending."""
    if not groups or len(set(groups)) < len(groups):
        raise InputError(f"A search wants one or more groups, each once; got {list(groups)}.")
    ratios = checked({str(ratio): ratio for ratio in candidates}).values()
    if len(set(ratios)) < len(candidates):
        raise InputError(f"A search wants each ratio once; got {list(candidates)}.")
    return sorted({0.0, *ratios})


def _key(ratios: Ratios) -> str:
    return json.dumps(ratios, sort_keys=True)
