"""Put a stimulus set and a design into the database as a study, and open runs of it."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .design import Design
from .errors import InputError
from .models import Arm, Image, Region, Role, Run, RunKind, Study, Task, TaskKind, Visualisation
from .pictures import PictureStore
from .stimulus_set import ARMS, ROLES, Picture, StimulusImage, StimulusSet, pictures
from .tokens import token


def create_study(session: Session, design: Design, stimuli: StimulusSet, store: PictureStore, now: datetime) -> Study:
    """A new study with a main, a catch and a repeat task wherever the design may ask for one.

    Raises:
        InputError: the slug is taken.
        EnvironmentProblem: the pictures cannot be stored.
    """
    if session.scalar(select(Study).where(Study.slug == design.slug)):
        raise InputError(f"There is a study '{design.slug}' already; choose another slug.")
    for picture in pictures(stimuli.images):
        store.add(picture.data)
    study = Study(
        slug=design.slug,
        title=design.title,
        config_json=design.as_json(),
        config_sha256=design.sha256(),
        stimuli_sha256=stimuli.sha256,
        picture_bytes=max(len(picture.data) for picture in pictures(stimuli.images)),
        created_at=now,
    )
    session.add(study)
    session.flush()
    for entry in stimuli.images:
        _add_image(session, study, entry, stimuli)
    session.flush()
    return study


def create_run(session: Session, study: Study, *, kind: RunKind, seed: int, opened_at: datetime | None) -> Run:
    """A run of `study`; without `opened_at` nobody can enter yet."""
    run = Run(token=token(), study_id=study.id, kind=kind, seed=seed, opened_at=opened_at)
    session.add(run)
    session.flush()
    return run


def _add_image(session: Session, study: Study, entry: StimulusImage, stimuli: StimulusSet) -> None:
    image = Image(
        study_id=study.id,
        dataset_ref=entry.ref,
        true_class=entry.true_class,
        pred_class=entry.pred_class,
        sha256=entry.picture.sha256,
        width=stimuli.size.width,
        height=stimuli.size.height,
    )
    session.add(image)
    session.flush()
    regions = {role: _region(image, role, entry.regions[role]) for role in ROLES}
    patterns = {key: _visualisation(image, *key, picture) for key, picture in entry.visualisations.items()}
    session.add_all([*regions.values(), *patterns.values()])
    session.flush()

    def add(kind: TaskKind, role: Role, arm: Arm | None) -> None:
        session.add(
            Task(
                study_id=study.id,
                image_id=image.id,
                role=role,
                arm=arm,
                visualisation_id=patterns[role, arm].id if arm else None,
                answer_region_id=regions[role].id,
                kind=kind,
            )
        )

    for role in ROLES:
        for arm in ARMS:
            add("main", role, arm)
            add("repeat", role, arm)
        add("catch", role, None)


def _region(image: Image, role: Role, picture: Picture) -> Region:
    about = picture.about
    return Region(
        image_id=image.id,
        role=role,
        sha256=picture.sha256,
        bbox=_json(about.get("bbox")),
        mask_sha256=about.get("mask_sha256"),
        area_frac=about.get("area_frac"),
        method=about.get("method", "scorecam"),
        params_json=json.dumps(about.get("params", {}), sort_keys=True),
    )


def _visualisation(image: Image, role: Role, arm: Arm, picture: Picture) -> Visualisation:
    about = picture.about
    return Visualisation(
        image_id=image.id,
        role=role,
        arm=arm,
        sha256=picture.sha256,
        seed=about.get("seed", 0),
        steps=about.get("steps"),
        sparsity=about.get("sparsity"),
        generator_version=about.get("generator_version"),
    )


def _json(value: Any) -> str | None:  # noqa: ANN401 - whatever the manifest holds
    return None if value is None else json.dumps(value)
