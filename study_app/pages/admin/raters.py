"""The raters of a run, one by one: what is unusual about their answers, and whether they count."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ... import exclusion
from ...errors import InputError
from ...models import REASONS, Assignment, Exclusion, Participant, Response, Run, Task, TrainingAttempt
from ...monitor import last_seen
from ...rater_quality import Quality, rater_quality
from ...resources import resources
from .door import caller, pages
from .monitor import run_of


@dataclass(frozen=True)
class Line:
    """One person of a run, in a line."""

    person: Participant
    seen_at: datetime
    answers: int
    """Of all kinds."""
    quality: Quality | None
    """None before the first main answer."""
    excluded: Exclusion | None


# What a table of raters can be sorted by: the value, None last.
_KEYS: dict[str, Callable[[Line], object]] = {
    "rater": lambda one: one.person.token.casefold(),
    "status": lambda one: one.person.status,
    "seen": lambda one: one.seen_at,
    "answers": lambda one: one.answers,
    "median": lambda one: one.quality and one.quality.median_ms,
    "fast": lambda one: one.quality and _share(one.quality.fast, one.quality.timed),
    "undecided": lambda one: one.quality and _share(one.quality.undecided, one.quality.answers),
    "left": lambda one: one.quality and _share(one.quality.left, one.quality.decided),
    "run": lambda one: one.quality and one.quality.longest_run,
    "catch": lambda one: one.quality and _share(one.quality.catch_missed, one.quality.catch),
    "repeat": lambda one: one.quality and _share(one.quality.repeats_changed, one.quality.repeats),
    "signs": lambda one: one.quality and len(one.quality.signs),
}


@pages.get("/runs/<token>/raters")
def raters(token: str) -> ResponseReturnValue:
    """Everybody in a run with what is unusual about their answers, sorted as asked."""
    with resources().database.reading() as db:
        found = run_of(db, token)
        key, backwards = request.args.get("sort", "seen"), request.args.get("order") != "up"
        if key not in _KEYS:
            abort(404)
        return render_template(
            "admin/raters.html",
            run=found,
            lines=ordered(_lines(db, found), _KEYS[key], backwards=backwards),
            sort=key,
            order="down" if backwards else "up",
        )


@pages.get("/runs/<token>/raters/<rater>")
def rater(token: str, rater: str) -> ResponseReturnValue:
    """One person's answers in order, without the pictures and without what was right."""
    with resources().database.reading() as db:
        found = run_of(db, token)
        person = rater_of(db, found, rater)
        rows = db.execute(
            select(Assignment, Task.kind, Response)
            .join(Task, Task.id == Assignment.task_id)
            .outerjoin(Response, Response.assignment_id == Assignment.id)
            .where(Assignment.participant_id == person.id)
            .order_by(Assignment.position)
        ).all()
        tries = db.scalar(select(func.count()).where(TrainingAttempt.participant_id == person.id))
        return render_template(
            "admin/rater.html",
            run=found,
            person=person,
            quality=rater_quality(db, found).get(person.token),
            rows=rows,
            tries=tries,
            seen_at=last_seen(db, found)[person.id],
            excluded=exclusion.exclusion_of(db, person),
            decisions=exclusion.decisions(db, person),
            reasons=REASONS,
        )


@pages.post("/runs/<token>/raters/<rater>/exclude")
def exclude(token: str, rater: str) -> ResponseReturnValue:
    """Set the answers of a rater aside; 400 where the reason does not do."""
    parts = resources()
    with parts.database.writing() as db:
        found = run_of(db, token)
        person = rater_of(db, found, rater)
        reason, note = request.form.get("reason", ""), request.form.get("note", "")
        try:
            exclusion.exclude(db, found, person, reason=reason, note=note, actor=caller().actor, now=parts.clock())
        except InputError:
            words = gettext("Choose a reason from the list; “other” needs a note, of 500 characters at most.")
            abort(400, description=words)
    return redirect(url_for("admin.rater", token=token, rater=rater), code=303)


@pages.post("/runs/<token>/raters/<rater>/readmit")
def readmit(token: str, rater: str) -> ResponseReturnValue:
    """Let the answers of a rater count again; where they do already, nothing changes."""
    parts = resources()
    with parts.database.writing() as db:
        found = run_of(db, token)
        person = rater_of(db, found, rater)
        note = request.form.get("note", "")
        if exclusion.exclusion_of(db, person):
            exclusion.readmit(db, found, person, note=note, actor=caller().actor, now=parts.clock())
    return redirect(url_for("admin.rater", token=token, rater=rater), code=303)


def rater_of(db: Session, run: Run, token: str) -> Participant:
    """The person of that pseudonym in `run`; 404 where there is none."""
    found = db.scalar(select(Participant).where(Participant.run_id == run.id, Participant.token == token))
    if found is None:
        abort(404, description=gettext("There is nobody of that name in this run."))
    return found


def ordered(lines: list[Line], key: Callable[[Line], object], *, backwards: bool) -> list[Line]:
    """By `key`; who has no such value stands last, whichever way the others go."""
    known = [(key(one), one) for one in lines]
    there = [pair for pair in known if pair[0] is not None and pair[0] == pair[0]]
    there.sort(key=lambda pair: pair[0], reverse=backwards)  # type: ignore[arg-type, return-value]
    placed = {id(one) for _, one in there}
    return [one for _, one in there] + [one for one in lines if id(one) not in placed]


def _lines(db: Session, run: Run) -> list[Line]:
    seen, quality = last_seen(db, run), rater_quality(db, run)
    counted = db.execute(
        select(Assignment.participant_id, func.count())
        .join(Response, Response.assignment_id == Assignment.id)
        .join(Participant, Participant.id == Assignment.participant_id)
        .where(Participant.run_id == run.id)
        .group_by(Assignment.participant_id)
    )
    answers = {person: count for person, count in counted}  # noqa: C416 - rows are not pairs to a type checker
    everybody = db.execute(
        select(Participant, Exclusion)
        .outerjoin(Exclusion, Exclusion.participant_id == Participant.id)
        .where(Participant.run_id == run.id)
        .order_by(Participant.id)
    )
    return [Line(one, seen[one.id], answers.get(one.id, 0), quality.get(one.token), out) for one, out in everybody]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
