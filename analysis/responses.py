"""The study's answers, read once, held against the codebook, and from then on trusted."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data_manifests import codebook
from data_manifests.errors import allowed_names

from . import cells as raw
from .conformity import refuse_duplicates, refuse_where, typed
from .errors import AnalysisError

OUTCOMES = ("agree", "disagree", "undecided")
"""What an answer says of Score-CAM's region: chosen, the other one chosen, or neither of the two."""
ARMS = ("dense", "spade")


@dataclass(frozen=True, eq=False)
class Responses:
    """One run's answers.

    Attributes:
        frame: one row an answer, by rater and position, with the codebook's columns (those the file has; types as
            `conformity.typed` gives them) and three derived ones: `item` (category, "image|role"), `outcome` (category
            of OUTCOMES) and `row` (int64, the row in the file, its header being row 1). Tokens and choices are
            categories. Treat it as read-only.
        raters: one row a rater, or None where no such table was given.
        source: the file, as errors name it.
        sha256: hash of the file.
        run: the run's name.
        run_kind: "main", "pilot" or "bot".
        missing: optional columns the file lacks.
        notes: what was odd and did no harm, a sentence each.
    """

    frame: pd.DataFrame
    raters: pd.DataFrame | None
    source: str
    sha256: str
    run: str
    run_kind: str
    missing: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def preregistration(self) -> str | None:
        """Hash of the preregistration the run was opened with, or None where it had none."""
        if "preregistration" not in self.frame.columns:
            return None
        hashes = self.frame["preregistration"].dropna().unique()
        return str(hashes[0]) if len(hashes) else None


def read(path: Path, *, raters: Path | None = None, run: str | None = None) -> Responses:
    """The answers of one run in an export: its folder, or its table of answers as CSV or Parquet.

    In a folder `responses.csv` (else `responses.parquet`) and, where there is one, `raters.csv` are read; `raters`
    names the latter for a lone file. `run` chooses where the export holds several.

    Raises:
        AnalysisError: the export departs from the codebook; row and column are named.
    """
    answers, people = _files(path, raters)
    return checked(raw.read(answers), None if people is None else raw.read(people), run=run)


def checked(cells: raw.Cells, raters: raw.Cells | None = None, *, run: str | None = None) -> Responses:
    """The answers of one run in a table of cells, after every check.

    Raises:
        AnalysisError: as `read`.
    """
    book = codebook.load("responses")
    frame = typed(cells, book)
    if frame.empty:
        raise AnalysisError(f"{cells.where}: the file has a header and no answers.")
    frame["row"] = np.arange(len(frame)) + raw.FIRST_ROW
    _refuse_contradictions(frame, cells.where)
    frame, chosen = _one_run(frame, run, cells.where)
    people = None
    if raters is not None:
        people = typed(raters, codebook.load("raters"))
        people = people[people["run"] == chosen].reset_index(drop=True)
        _refuse_unknown_raters(frame, people, cells.where, raters.where)
    notes = [*cells.notes, *(raters.notes if raters is not None else ()), *_oddities(frame)]
    frame = _derived(frame)
    return Responses(
        frame,
        people,
        cells.where,
        cells.sha256,
        chosen,
        str(frame["run_kind"].iloc[0]),
        tuple(name for name in book.header if name not in frame.columns),
        tuple(notes),
    )


def _files(path: Path, raters: Path | None) -> tuple[Path, Path | None]:
    if not path.is_dir():
        if not path.exists():
            raise AnalysisError(f"{path}: there is no such file or folder; expected an export of the study.")
        return path, raters
    answers = [path / "responses.csv", path / "responses.parquet"]
    found = next((one for one in answers if one.is_file()), None)
    if found is None:
        raise AnalysisError(f"{path}: the folder has no responses.csv or responses.parquet; expected an export.")
    beside = [path / "raters.csv", path / "raters.parquet"]
    return found, raters or next((one for one in beside if one.is_file()), None)


def _refuse_contradictions(frame: pd.DataFrame, where: str) -> None:
    """Refuse what each cell allows and no study can hold."""
    catch, armless = (frame["kind"] == "catch").to_numpy(), frame["arm"].isna().to_numpy()
    refuse_where(armless & ~catch, "arm", where, "the cell is empty; expected dense or spade for all but catch tasks.")
    refuse_where(~armless & catch, "arm", where, "a catch task belongs to no arm; expected an empty cell.")
    counted = frame[(frame["kind"] == "main").to_numpy()]
    names = ["run", "rater", "image", "role", "arm"]
    if counted.duplicated(names).any():
        # Rows keep their place in the file for the sentence: other kinds get a value of their own.
        places = frame[names].astype(object)
        places.loc[(frame["kind"] != "main").to_numpy(), "arm"] = frame["rating"].astype(object)
        refuse_duplicates(places, names, where, " (the same task answered twice by one rater)")
    kinds = frame.groupby("run", observed=True)["run_kind"].transform("first")
    refuse_where((frame["run_kind"] != kinds).to_numpy(), "run_kind", where, "one run has answers of two kinds.")
    if "preregistration" in frame.columns:
        hashes = frame["preregistration"].astype(object).fillna("")
        first = hashes.groupby(frame["run"], observed=True).transform("first")
        sentence = "one run has two preregistration hashes; expected the one it was opened with."
        refuse_where((hashes != first).to_numpy(), "preregistration", where, sentence)


def _one_run(frame: pd.DataFrame, run: str | None, where: str) -> tuple[pd.DataFrame, str]:
    runs = [str(one) for one in frame["run"].unique()]
    if run is None and len(runs) > 1:
        raise AnalysisError(f"{where}: the file holds {len(runs)} runs ({', '.join(runs)}); say which one to analyse.")
    if run is not None and run not in runs:
        raise AnalysisError(f"{where}: the file has no run '{run}'; {allowed_names(run, runs)}")
    chosen = runs[0] if run is None else run
    return frame[(frame["run"] == chosen).to_numpy()].copy(), chosen


def _refuse_unknown_raters(frame: pd.DataFrame, people: pd.DataFrame, where: str, listed: str) -> None:
    known = set(people["rater"].astype(object))
    bad = ~frame["rater"].astype(object).isin(known).to_numpy()
    if bad.any():
        first = frame[bad].iloc[0]
        near = allowed_names(str(first["rater"]), sorted(known)[:8])
        raise AnalysisError(
            f"{where}, row {first['row']}, column 'rater': '{first['rater']}' is not among the {len(known)} raters of "
            f"this run in {listed}; {near}"
        )


def _oddities(frame: pd.DataFrame) -> list[str]:
    notes = []
    step = frame["position"].diff()
    changed = frame["rater"].astype(object) != frame["rater"].astype(object).shift()
    blocks = int(changed.sum())
    if blocks > frame["rater"].nunique() or bool((step[~changed] < 0).any()):
        notes.append("Rows were not in the order of raters and positions; they were sorted, which changes no result.")
    if {"shown_at", "answered_at"} <= set(frame.columns):
        early = int((frame["answered_at"] < frame["shown_at"]).sum())
        if early:
            notes.append(f"{early} answers are stored before their task was shown: the server's clock was set back.")
    names = ["rater", "image", "role", "arm"]
    first = frame[(frame["kind"] == "main").to_numpy()].set_index(names).index
    repeats = frame[(frame["kind"] == "repeat").to_numpy()].set_index(names).index
    orphans = int((~repeats.isin(first)).sum()) if len(repeats) else 0
    if orphans:
        notes.append(f"{orphans} repeated tasks have no first answer by the same rater; they pair with nothing.")
    return notes


def _derived(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.sort_values(["rater", "position"], kind="stable").reset_index(drop=True)
    for name in {"rater", "image", "rating", "task"} & set(frame.columns):
        frame[name] = frame[name].cat.remove_unused_categories()
    undecided = frame["choice"].isin(["both", "neither"]).to_numpy()
    right = (frame["choice"].astype(object) == frame["key_side"].astype(object)).to_numpy()
    codes = np.where(undecided, 2, np.where(right, 0, 1)).astype(np.int64)
    frame["outcome"] = pd.Categorical.from_codes(codes, categories=pd.Index(OUTCOMES))
    roles = len(frame["role"].cat.categories)
    pair = frame["image"].cat.codes.to_numpy().astype(np.int64) * roles + frame["role"].cat.codes.to_numpy()
    seen, codes = np.unique(pair, return_inverse=True)
    images, role_names = frame["image"].cat.categories, frame["role"].cat.categories
    labels = [f"{images[one // roles]}|{role_names[one % roles]}" for one in seen]
    frame["item"] = pd.Categorical.from_codes(codes.astype(np.int64), categories=pd.Index(labels))
    return frame
