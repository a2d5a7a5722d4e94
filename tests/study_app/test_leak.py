"""Nothing a browser receives around the pictures tells the arm, the class or the side of the answer.

Pixels are what is asked about; everything else of every answer of the server (status, headers, lengths, dimensions,
records in the file, tokens, markup) becomes features, and a classifier tries to tell the key from them.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from flask import Flask, Response, request
from rater import Rater
from sklearn.feature_extraction import DictVectorizer
from sklearn.model_selection import StratifiedKFold, permutation_test_score
from sklearn.tree import DecisionTreeClassifier
from sqlalchemy import select
from study_world import MakeWorld, World

from study_app.database import Database
from study_app.models import Assignment
from study_app.shown import SLOTS

IMAGES, RATERS, PERMUTATIONS = 6, 3, 99
Features = dict[str, str | float]


@dataclass
class Run:
    """What browsers received, a row of features a task, and what it should not tell."""

    rows: list[Features] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    """By token: arm, role and key side, from the database."""

    def p_value(self, what: str) -> float:
        """Of a cross-validated classifier's balanced accuracy for `what`, against permuted labels."""
        matrix = DictVectorizer(sparse=False).fit_transform(self.rows)
        labels = np.array([self.keys[token][what] for token in self.tokens])
        matrix = matrix[:, np.ptp(matrix, axis=0) > 0]  # what never changes tells nothing
        model = DecisionTreeClassifier(max_depth=4, random_state=0)
        folds = StratifiedKFold(4, shuffle=True, random_state=0)
        options = {"scoring": "balanced_accuracy", "n_permutations": PERMUTATIONS, "random_state": 0}
        _, _, p = permutation_test_score(model, matrix, labels, cv=folds, **options)
        return float(p)


def described(place: str, status: int, headers: list[tuple[str, str]], body: bytes) -> Features:
    """One answer of the server without its pixels."""
    found: Features = {f"{place} status": float(status), f"{place} bytes": float(len(body))}
    for name, value in headers:
        # A session cookie is signed anew with the time; that it is sent, and its length, remain.
        said = str(len(value)) if name == "Set-Cookie" else value
        found[f"{place} {name}"] = said
        found |= {f"{place} {name} {index}": float(number) for index, number in enumerate(re.findall(r"\d+", said)[:9])}
    if body.startswith(b"\x89PNG"):
        # Dimensions, depth, colour type; the names of all records.
        found |= {
            f"{place} head {index}": float(one) for index, one in enumerate(struct.unpack(">IIBBBBB", body[16:29]))
        }
        found[f"{place} records"] = " ".join(
            sorted({one.decode() for one in re.findall(rb"tEXt|iTXt|eXIf|tIME|PLTE", body)})
        )
    return found


def markup(page: str) -> Features:
    """Every character of a task's page, by counts, with the session's own values taken out."""
    found = {f"page char {one}": float(page.count(one)) for one in set(page) if not one.isalnum()}
    words = re.findall(r"[A-Za-z-]+", re.sub(r'(csrf_token|idem)" value="[^"]*"|/[ts]/[\w-]+', "", page))
    return {**found, **{f"page word {word}": 1.0 for word in words}}


def token_bits(place: str, token: str) -> Features:
    return {f"{place} {index}": float(ord(one)) for index, one in enumerate(token)}


def received(app: Flask, world: World) -> Run:
    """Everything that a few browsers receive from their first task to their last."""
    run = Run()
    for _ in range(RATERS):
        rater = Rater(app)
        rater.begin()
        while 'id="task"' in rater.page:
            token = rater.task
            response = rater.client.get(f"/t/{token}")
            row = described("task", response.status_code, list(response.headers), response.data)
            row |= markup(response.text) | token_bits("token", token)
            for slot in SLOTS:
                sent = rater.client.get(f"/s/{token}/{slot}")
                row |= described(slot, sent.status_code, list(sent.headers), sent.data)
            # The choice depends on nothing, so that what follows it does not either.
            posted = rater.post(f"/t/{token}", rater.form(choice="both"), follow=False)
            row |= described("answer", posted.status_code, [("Set-Cookie", posted.headers.get("Set-Cookie", ""))], b"")
            rater.get("/task")
            run.rows.append(row)
            run.tokens.append(token)
    with world.database.reading() as db:
        for one in db.scalars(select(Assignment)):
            run.keys[one.token] = {"arm": str(one.task.arm), "role": one.task.role, "key_side": one.key_side}
    return run


@pytest.fixture
def study(sqlite_database: Database, make_world: MakeWorld) -> World:
    return make_world(sqlite_database, images=IMAGES)


def test_no_classifier_tells_arm_class_or_side_from_what_surrounds_the_pictures(
    study: World, make_app: Callable[..., Flask]
) -> None:
    app = make_app(study)
    run = received(app, study)
    assert len(run.rows) == RATERS * IMAGES * 4
    # Three looks, so each at a third of 5 %. Tokens are random, so what was found by chance is looked for once more.
    found = [what for what in ("arm", "role", "key_side") if run.p_value(what) <= 0.05 / 3]
    again = received(app, study) if found else run
    app.extensions["spade_study"].database.dispose()
    assert [what for what in found if again.p_value(what) <= 0.05 / 3] == []
    sizes = {
        (row[f"{slot} bytes"], *(row[f"{slot} head {at}"] for at in range(7))) for row in run.rows for slot in SLOTS
    }
    assert len(sizes) == 1
    assert {row[f"{slot} Cache-Control"] for row in run.rows for slot in ("task", *SLOTS)} == {"private, no-store"}
    assert not {
        name
        for row in run.rows
        for name in row
        if re.search(r"etag|last-modified|content-disposition", name, re.IGNORECASE)
    }
    assert len({token[:6] for token in run.tokens}) == len(run.tokens)  # nothing shared, nothing counted


@pytest.mark.parametrize("leak", ["a header with the arm", "one byte more", "a class in the page"])
def test_a_planted_leak_is_found(study: World, make_app: Callable[..., Flask], leak: str) -> None:
    app = make_app(study)

    @app.after_request
    def _leak(response: Response) -> Response:
        token = (request.view_args or {}).get("token")
        with study.database.reading() as db:
            found = db.scalar(select(Assignment).where(Assignment.token == token)) if token else None
            spade = found is not None and found.task.arm == "spade"
        if spade and leak == "a header with the arm":
            response.headers["X-Cache"] = "hit"
        elif spade and leak == "one byte more" and request.endpoint == "pictures.picture":
            response.set_data(response.get_data() + b"\0")
        elif spade and leak == "a class in the page" and request.endpoint == "tasks.task":
            response.set_data(response.get_data().replace(b'class="tiles"', b'class="tiles wide"'))
        return response

    run = received(app, study)
    app.extensions["spade_study"].database.dispose()
    assert run.p_value("arm") <= 1 / (PERMUTATIONS + 1)
