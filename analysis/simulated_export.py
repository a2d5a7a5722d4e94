"""A simulated study as the study app would export it, so that reading and analysis can be tried from the file on."""

from pathlib import Path

import numpy as np
import pandas as pd

from data_manifests import codebook

from . import cells
from .ratings import Ratings
from .responses import Responses, checked

START = pd.Timestamp("2026-01-05T09:00:00Z")
"""When the first answer of a simulated study is given; nothing depends on it."""


def export_of(ratings: Ratings, generator: np.random.Generator, *, preregistration: str = "") -> pd.DataFrame:
    """The table of answers, one string a cell, in the codebook's order of columns and by rater and position.

    Sides, response times and the kind of undecided answer are drawn; they carry no effect.
    """
    n = ratings.n
    order = np.argsort(ratings.rater, kind="stable")
    rater, image, item = ratings.rater[order], ratings.image[order], ratings.item[order]
    spade, outcome = ratings.spade[order], ratings.outcome[order]
    starts = np.searchsorted(rater, np.arange(ratings.raters))
    position = np.arange(n) - starts[rater] + 1
    roles = _roles(image, item)
    left = generator.random(n) < 0.5
    key = np.where(left, "left", "right")
    other = np.where(left, "right", "left")
    declined = np.where(generator.random(n) < 0.5, "both", "neither")
    milliseconds = np.round(generator.lognormal(8.3, 0.5, n)).astype(np.int64) + 300
    shown = START + pd.to_timedelta(position * 20, unit="s")
    arm = np.where(spade, "spade", "dense")
    columns = {
        "rating": [f"a{one}" for one in range(n)],
        "study": ["simulated"] * n,
        "run": ["simulated"] * n,
        "run_kind": ["bot"] * n,
        "preregistration": [preregistration] * n,
        "rater": np.asarray(ratings.rater_names, dtype=object)[rater],
        "position": position.astype(str),
        "task": [f"t{one}-{name}" for one, name in zip(item, arm, strict=True)],
        "kind": ["main"] * n,
        "image": np.asarray(ratings.image_names, dtype=object)[image],
        "role": roles,
        "arm": arm,
        "key_side": key,
        "choice": np.select([outcome == 0, outcome == 1], [key, other], declined),
        "input": ["click"] * n,
        "shown_at": shown.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "answered_at": (shown + pd.to_timedelta(milliseconds, unit="ms")).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "client_rt_ms": milliseconds.astype(str),
        "server_rt_ms": milliseconds.astype(str),
        "n_blur": ["0"] * n,
        "device_class": ["desktop"] * n,
        "locale": ["en"] * n,
        "image_error": ["false"] * n,
        "revisions": ["0"] * n,
        "excluded": [""] * n,
    }
    wanted = [name for name in codebook.load("responses").header if name in columns]
    return pd.DataFrame({name: np.asarray(columns[name], dtype=object) for name in wanted})


def responses_of(ratings: Ratings, generator: np.random.Generator, *, preregistration: str = "") -> Responses:
    """The simulated study as if it had been read from its export."""
    frame = export_of(ratings, generator, preregistration=preregistration)
    return checked(cells.Cells(frame, "simulated study", "", ()))


def write(ratings: Ratings, folder: Path, generator: np.random.Generator, *, preregistration: str = "") -> Path:
    """The folder, which then holds responses.csv and raters.csv as the study app writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = export_of(ratings, generator, preregistration=preregistration)
    frame.to_csv(folder / "responses.csv", index=False, lineterminator="\n")
    people = pd.DataFrame({"run": "simulated", "rater": sorted(set(frame["rater"])), "status": "finished"})
    people.to_csv(folder / "raters.csv", index=False, lineterminator="\n")
    return folder


def _roles(image: np.ndarray, item: np.ndarray) -> np.ndarray:
    """The first item of each image is that of the true class, the second that of the predicted one."""
    first = np.full(int(image.max(initial=0)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, image, item)
    return np.where(item == first[image], "true", "pred").astype(object)
