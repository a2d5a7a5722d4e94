"""What a scale relies on in a data set, tried on some hundred of its images."""

import json
from collections.abc import Iterator
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import binomtest

from .datasets.dataset import DataSet, Draw, Part, fault
from .datasets.procedural import ImageSet
from .finding import Finding, Question, answered, raised
from .global_randomness import of_numpy
from .models import training
from .models.network import SmallResNet
from .models.shape import Shape

LEARNT, JUDGED, EPOCHS = 600, 300, 4
MOST_CLASSES = 8
"""Told apart by the small network: with more, so few images say nothing."""

EACH_PART = 1000
"""Images drawn of each part: two parts that draw from one pool of 50,000 then share some almost surely."""

_ALPHA = 0.001  # one data set in a thousand whose classes all look alike passes by chance


def findings(dataset: DataSet) -> Iterator[Finding]:
    """One finding a question; a question whose answer raises does not hold, and the next is asked."""
    try:
        json.dumps(dataset.settings, default=dict, allow_nan=False)
        yield Finding("its settings are plain data", holds=True, found="they can be part of a network's identity")
    except (TypeError, ValueError) as problem:
        yield Finding("its settings are plain data", holds=False, found=f"they are no JSON: {problem}")
        return
    try:
        first = _images(dataset)
    except Exception as problem:  # noqa: BLE001 - whatever a plug-in raises is the finding
        yield Finding("it draws images", holds=False, found=raised(problem))
        return
    reason = fault(first, _labels(dataset).size, dataset.side)
    yield Finding("it draws images", not reason, f"it {reason}" if reason else f"{list(first.shape)} uint8")
    if reason:
        return
    questions: tuple[tuple[str, Question], ...] = (
        ("the same generators give the same images", lambda: _equal(first, _images(dataset))),
        ("no randomness but the generators'", lambda: _without_global_randomness(dataset)),
        ("other generators give other images", lambda: _equal(first, _images(dataset, seed=1), wanted=False)),
        ("train, test, calibration and fresh have no image in common", lambda: _apart(dataset)),
        ("labels and settings are not changed", lambda: _kept(dataset)),
        ("no label, no image", lambda: _none(dataset)),
    )
    sound = True
    for asked, question in questions:
        one = answered(asked, question)
        sound &= one.holds
        yield one
    if sound:  # it takes seconds, and says nothing about images that are not what they should be
        yield answered("a small network learns to tell the classes", lambda: _learnt(dataset))


def _opened(dataset: DataSet, seed: int = 0) -> Draw:
    return dataset.make(dict(dataset.settings), np.random.default_rng(seed))


def _labels(dataset: DataSet, each: int = 2) -> NDArray[np.int64]:
    return np.repeat(np.arange(dataset.classes, dtype=np.int64), each)


def _images(dataset: DataSet, *, seed: int = 0, part: Part = "test") -> NDArray[np.uint8]:
    return _opened(dataset, seed)(_labels(dataset), part, np.random.default_rng(100 + seed))


def _equal(first: NDArray[np.uint8], second: NDArray[np.uint8], *, wanted: bool = True) -> tuple[bool, str]:
    same = np.array_equal(first, second)
    return same == wanted, "they are equal, byte for byte" if same else "they differ"


def _without_global_randomness(dataset: DataSet) -> tuple[bool, str]:
    apart = of_numpy(lambda: _images(dataset))
    return apart, f"drawing images {'leaves' if apart else 'moves on'} numpy's global generator"


def _apart(dataset: DataSet) -> tuple[bool, str]:
    draw, seen = _opened(dataset), dict[bytes, set[str]]()
    labels = np.arange(EACH_PART, dtype=np.int64) % dataset.classes
    for seed, part in enumerate(get_args(Part)):
        for image in draw(labels, part, np.random.default_rng(seed)):
            seen.setdefault(image.tobytes(), set()).add(part)
    twice = sum(len(parts) > 1 for parts in seen.values())
    return not twice, f"{twice} of {len(seen)} images stand in more than one" if twice else f"{len(seen)} images"


def _kept(dataset: DataSet) -> tuple[bool, str]:
    settings, labels = json.loads(json.dumps(dataset.settings, default=dict)), _labels(dataset)
    before = json.dumps(settings), labels.copy()
    dataset.make(settings, np.random.default_rng(0))(labels, "test", np.random.default_rng(1))
    same = json.dumps(settings) == before[0] and np.array_equal(labels, before[1])
    return same, "they are as they were" if same else "it wrote into what it was given"


def _none(dataset: DataSet) -> tuple[bool, str]:
    reason = fault(_opened(dataset)(np.empty(0, np.int64), "fresh", np.random.default_rng(0)), n=0, side=dataset.side)
    return not reason, f"it {reason}" if reason else "an empty array"


def _learnt(dataset: DataSet) -> tuple[bool, str]:
    """Whether a network of the scales' kind, trained for seconds, beats guessing on images it has not seen."""
    draw, threads = _opened(dataset), torch.get_num_threads()
    classes = min(dataset.classes, MOST_CLASSES)
    sizes: dict[Part, int] = {"train": LEARNT, "test": JUDGED}
    sets = {}
    for part, n in sizes.items():
        labels = np.random.default_rng(n).permutation(np.arange(n) % classes).astype(np.int64)
        sets[part] = ImageSet(draw(labels, part, np.random.default_rng(n)), labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = SmallResNet(Shape(widths=(16, 32, 64, 128), base_width=32, stem_width=16), classes)
    try:
        torch.set_num_threads(1)
        training.fit(
            network,
            lambda _: sets["train"],
            n_epochs=EPOCHS,
            batch_size=32,
            learning_rate=0.05,
            weight_decay=5e-4,
            decay_epoch=None,
            generator=torch.Generator().manual_seed(0),
            step=lambda *_: None,
        )
        right = int((training.predict(network.eval(), sets["test"].images) == sets["test"].labels).sum())
    finally:
        torch.set_num_threads(threads)
    told = bool(binomtest(right, JUDGED, 1 / classes, alternative="greater").pvalue < _ALPHA)
    said = f"{right} of {JUDGED} unseen images of {classes} classes right after {EPOCHS} epochs of {LEARNT}"
    return told, f"{said}; guessing gets {JUDGED / classes:.0f}"
