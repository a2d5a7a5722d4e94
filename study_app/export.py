"""What a run holds, as the codebook's tables: answers and raters, by pseudonym, ready to be analysed."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data_manifests import codebook

from .models import (
    Assignment,
    Exclusion,
    Image,
    Participant,
    Response,
    ResponseRevision,
    Run,
    Task,
    TrainingAttempt,
    Visualisation,
)

ABOUT = "about.json"
SUMS = "SHA256SUMS"

_FORMULA = ("=", "+", "-", "@", "\t")
"""What a spreadsheet may take for the beginning of a formula."""


@dataclass(frozen=True)
class Export:
    """Files by name, and how much is in them."""

    files: Mapping[str, bytes]
    answers: int
    raters: int


def export_of(session: Session, run: Run) -> Export:
    """Everything an analysis of `run` needs, in the order of pseudonyms and positions: the same rows, the same bytes.

    `responses.csv` and `raters.csv` as the codebook says, the codebook itself, where the answers came from
    (`about.json`) and the hash of each file (`SHA256SUMS`, as sha256sum checks it). No identity is read.
    """
    answers, people = list(_answers(session, run)), list(_people(session, run))
    written = {
        codebook.load("responses").file: _csv("responses", answers),
        codebook.load("raters").file: _csv("raters", people),
        codebook.FILE: files("data_manifests").joinpath(codebook.FILE).read_bytes(),
    }
    excluded = sum(one["excluded"] != "" for one in people)
    late = _excluded_since(session, run, run.unblinded_at)
    counts = {"answers": len(answers), "raters": len(people), "excluded": excluded, "excluded_after_unblinding": late}
    written[ABOUT] = _about(run, **counts)
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(written.items()))
    return Export({**written, SUMS: sums.encode()}, len(answers), len(people))


def as_token(text: str) -> str:
    """`text` where it is a token of the codebook; else one made of it, with a hash that keeps two such texts apart."""
    if re.fullmatch(codebook.TOKEN, text):
        return text
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", text)[:150].lstrip("_") or "name"
    return f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def as_cell(text: str) -> str:
    """`text` as one line that no spreadsheet calculates: an apostrophe goes before what would begin a formula."""
    line = " ".join(text.split("\n")).replace("\r", " ").replace("\0", "")
    return f"'{line}" if line.startswith(_FORMULA) else line


def in_words(exclusion: Exclusion) -> str:
    """Why somebody was left out, as the export says it: the reason, and the note behind a colon where there is one."""
    return f"{exclusion.reason}: {exclusion.note}" if exclusion.note else exclusion.reason


def rating_name(assignment: str) -> str:
    """The public name of an answer: it cannot be turned back into the address at which somebody answered."""
    return "a" + hashlib.sha256(assignment.encode()).hexdigest()[:24]


def _answers(session: Session, run: Run) -> Iterable[dict[str, str]]:
    revisions = (
        select(ResponseRevision.response_id, func.count().label("count"))
        .group_by(ResponseRevision.response_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Response,
            Assignment,
            Participant,
            Task,
            Image.dataset_ref,
            Visualisation.sha256,
            Exclusion,
            revisions.c.count,
        )
        .join(Assignment, Assignment.id == Response.assignment_id)
        .join(Participant, Participant.id == Assignment.participant_id)
        .join(Task, Task.id == Assignment.task_id)
        .join(Image, Image.id == Task.image_id)
        .outerjoin(Visualisation, Visualisation.id == Task.visualisation_id)
        .outerjoin(Exclusion, Exclusion.participant_id == Participant.id)
        .outerjoin(revisions, revisions.c.response_id == Response.id)
        .where(Participant.run_id == run.id, Task.kind != "train")
    )
    # Sorted here: databases order letters by their own rules.
    for response, assignment, person, task, ref, pattern, excluded, taken_back in sorted(
        rows, key=lambda row: (row[2].token, row[1].position)
    ):
        image = as_token(ref)
        name = ":".join((image[:150], task.role, task.arm or "none", task.kind))
        yield {
            "rating": rating_name(assignment.token),
            "study": as_token(run.study.slug),
            "run": run.token,
            "run_kind": run.kind,
            "preregistration": run.prereg_sha256 or "",
            "rater": person.token,
            "position": str(assignment.position + 1),
            "task": name,
            "kind": task.kind,
            "image": image,
            "role": task.role,
            "arm": task.arm or "",
            "visualisation": pattern or "",
            "key_side": assignment.key_side,
            "choice": response.choice,
            "input": response.input,
            "shown_at": _moment(assignment.shown_at),
            "answered_at": _moment(response.at),
            "client_rt_ms": "" if response.client_rt_ms is None else str(response.client_rt_ms),
            "server_rt_ms": str(response.server_rt_ms),
            "n_blur": str(response.n_blur),
            "viewport": as_cell(response.viewport or ""),
            "device_class": _device(person.device_class),
            "locale": as_token(response.locale),
            "image_error": "true" if response.image_error else "false",
            "revisions": str(taken_back or 0),
            "excluded": as_cell(in_words(excluded) if excluded else ""),
        }


def _people(session: Session, run: Run) -> Iterable[dict[str, str]]:
    tries = (
        select(TrainingAttempt.participant_id, func.count().label("count"))
        .group_by(TrainingAttempt.participant_id)
        .subquery()
    )
    rows = session.execute(
        select(Participant, Exclusion, tries.c.count)
        .outerjoin(Exclusion, Exclusion.participant_id == Participant.id)
        .outerjoin(tries, tries.c.participant_id == Participant.id)
        .where(Participant.run_id == run.id)
    )
    for person, excluded, attempts in sorted(rows, key=lambda row: row[0].token):
        yield {
            "run": run.token,
            "rater": person.token,
            "status": person.status,
            "entered_at": _moment(person.created_at),
            "finished_at": _moment(person.finished_at),
            "training_attempts": str(attempts or 0),
            "device_class": _device(person.device_class),
            "locale": as_token(person.locale),
            "excluded": as_cell(in_words(excluded) if excluded else ""),
        }


def _about(run: Run, **counts: int) -> bytes:
    study = run.study
    content = {
        "study": study.slug,
        "title": study.title,
        "rules_sha256": study.config_sha256,
        "stimuli_sha256": study.stimuli_sha256,
        "run": run.token,
        "run_kind": run.kind,
        "seed": run.seed,
        "preregistration_sha256": run.prereg_sha256,
        "opened_at": _moment(run.opened_at),
        "closed_at": _moment(run.closed_at),
        **counts,
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _excluded_since(session: Session, run: Run, moment: datetime | None) -> int:
    """How many were excluded after `moment`; nobody where there was none."""
    if moment is None:
        return 0
    set_aside = select(func.count(Exclusion.id)).join(Participant).where(Participant.run_id == run.id)
    return session.scalar(set_aside.where(Exclusion.at > moment)) or 0


def _csv(table: str, rows: Iterable[Mapping[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, codebook.load(table).header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _device(name: str) -> str:
    return "other" if name == "unknown" else name
