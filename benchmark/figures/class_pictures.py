"""Figure J.11: what the class neurons of the patches look for, dense, and pruned for a clean or a patched image.

The paper shows pictures and no number. Here each picture has one: where its features lie between those of clean images
of the class and those of images with the patch, as the dense network's last layer sees them. The ratios are those of
the human study (appendix K): the fourth block at 0.99 by exact OBC; J.11 names none.
"""

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from spade.errors import EnvironmentProblem
from spade.visualisation import Ascent, visualise

from ..baselines.sparse_fc import features
from ..material import Material
from ..models.laboratory import Sample
from ..selection import ImageSet
from .exhibit import Exhibit, Row
from .setting import Setting, Told
from .sparse_copy import SparseCopy, seed_of

ID = "J.11"
RATIOS = {"layer4": 0.99}
COLUMNS = ("dense", "pruned for a clean image", "pruned for a patched image")
IMAGES = 32
"""Images on either side, clean and patched, that a picture is placed between."""

ASCENT = Ascent()


def compute(setting: Setting, told: Told) -> Exhibit:
    """A row a class that a patch leads to; pictures and images [H, W, 3] in [0, 1] are the exhibit's arrays.

    Raises:
        EnvironmentProblem: torch-lucent, which draws the pictures, is not installed.
    """
    if find_spec("lucent") is None:
        raise EnvironmentProblem(
            f"Figure {ID} draws class neurons with torch-lucent, which is not installed; it comes with the extra "
            "'stimuli': pip install 'spade-bench[benchmark,stimuli]'."
        )
    material = Material(setting.scale, setting.seed, setting.laboratory, setting.cache)
    carriers = {sample.patch: sample for sample in reversed(setting.laboratory.test_samples)}
    rows: list[Row] = []
    arrays: dict[str, NDArray[np.float32]] = {}
    total = len(carriers) * len(COLUMNS)
    for patch, patched in sorted(carriers.items()):
        target = patched.target
        sides = tuple(
            features(setting.laboratory.model, _bytes(material.images(wanted, IMAGES)))
            for wanted in (ImageSet("class", str(target), many=True), ImageSet("patch", patch, many=True))
        )
        clean = _clean(material, target)
        for name, sample in zip(COLUMNS[1:], (clean, patched), strict=True):
            arrays[f"{patch}, the image: {name}"] = _shown(sample.image)
        for column in COLUMNS:
            told(f"Figure {ID}", len(rows), total)
            network = setting.laboratory.model
            if column != COLUMNS[0]:
                sample = clean if column == COLUMNS[1] else patched
                copy = SparseCopy(setting.laboratory, sample, setting.scale, solver="obc", groups=tuple(RATIOS))
                copy.prune(RATIOS)
                network = copy.network
            picture = visualise(
                network,
                target,
                size=patched.image.shape[-1],
                normalise=setting.laboratory.normalise,
                ascent=ASCENT,
                seed=seed_of(patch, "class picture") % 2**31,
            )
            arrays[f"{patch}, {column}"] = _shown(picture.image)
            (seen,) = features(setting.laboratory.model, _bytes(picture.image[None]))
            rows.append(
                {
                    "patch": patch,
                    "class": target,
                    "column": column,
                    "leaning": leaning(seen, *sides),
                    "logit": picture.score,
                    "probability": picture.probability,
                }
            )
    told(f"Figure {ID}", total, total)
    return Exhibit(
        ID,
        "Class neurons that a patch leads to: what they look for, dense and pruned for a clean or a patched image",
        "“a sparse model can effectively separate the Trojan concept from the true label in polysemantic neurons” "
        "(caption of J.11)",
        findings(rows),
        tuple(rows),
        {
            "scale": setting.scale.name,
            "seed": setting.seed,
            "ratios": ", ".join(f"{group} at {ratio:g}" for group, ratio in RATIOS.items()),
            "solver": "exact OBC",
            "ascent": f"Adam, {ASCENT.steps} steps of {ASCENT.learning_rate:g}",
            "images on either side": IMAGES,
        },
        arrays,
    )


def leaning(seen: Tensor, clean: Tensor, patched: Tensor) -> float:
    """Where features [p] lie between clean images [N, p] and patched ones [M, p]: from -1 to 1, the patched side.

    The cosine between the way from the middle of both to these features, and the way from the clean to the patched.
    """
    a, b = clean.double().mean(0), patched.double().mean(0)
    return float(torch.nn.functional.cosine_similarity(seen.double() - (a + b) / 2, b - a, dim=0))


def findings(rows: Sequence[Row]) -> tuple[str, ...]:
    """Which way each picture leans, and for how many classes pruning tells the two concepts apart."""
    found = {(str(row["patch"]), str(row["column"])): float(row["leaning"]) for row in rows}
    kinds = list(dict.fromkeys(patch for patch, _ in found))
    dense, clean, patched = ([found[patch, column] for patch in kinds] for column in COLUMNS)
    apart = sum(c < p for c, p in zip(clean, patched, strict=True))
    both = sum(c < d < p for d, c, p in zip(dense, clean, patched, strict=True))
    sides = sum(c < 0 < p for c, p in zip(clean, patched, strict=True))
    means = (f"{np.mean(one):+.2f} {column}" for one, column in zip((dense, clean, patched), COLUMNS, strict=True))
    return (
        (
            f"Leaning from -1 (clean images of the class) to 1 (images with the patch), mean of {len(kinds)} classes: "
            f"{', '.join(means)}."
        ),
        (
            f"Pruned for a patched image the picture leans more to the patch than pruned for a clean one in {apart} of "
            f"{len(kinds)} classes, in {sides} to the one side and the other, in {both} with the dense picture between."
        ),
    )


def draw(exhibit: Exhibit) -> Figure:
    """A row a class: the dense picture, then each image and the picture of the network pruned for it."""
    kinds = list(dict.fromkeys(str(row["patch"]) for row in exhibit.rows))
    figure = Figure(figsize=(8.6, 1.95 * len(kinds)), layout="constrained")
    for panels, patch in zip(figure.subplots(len(kinds), 5, squeeze=False), kinds, strict=True):
        mine = {str(row["column"]): row for row in exhibit.rows if row["patch"] == patch}
        dense, *others = COLUMNS
        shown = [(f"{patch}, {dense}", _title(mine[dense]))]
        for column in others:
            shown += [(f"{patch}, the image: {column}", column.removeprefix("pruned for ").capitalize())]
            shown += [(f"{patch}, {column}", _title(mine[column]))]
        for panel, (name, title) in zip(panels, shown, strict=True):
            panel.imshow(exhibit.arrays[name])
            panel.set_title(title, fontsize=7)
            panel.set_axis_off()
    return figure


def _title(row: Row) -> str:
    first = f"Class {row['class']} ({row['patch']}), dense" if row["column"] == COLUMNS[0] else "pruned for it"
    return f"{first}\nleaning {float(row['leaning']):+.2f}"


def _clean(material: Material, label: int) -> Sample:
    """An image of a class without a patch, drawn anew, that the network gets right; the first drawn if it gets none."""
    drawn = material.images(ImageSet("class", str(label), many=True), IMAGES)
    with torch.no_grad():
        right = material.network("")(material.normalise(drawn)).argmax(1) == label
    image = drawn[int(right.int().argmax())]
    blank = torch.zeros(image.shape[1:], dtype=torch.bool)
    return Sample(id=f"class {label}", image=image, mask=blank, label=label, target=label, patch="")


def _bytes(images: Tensor) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = (images.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    return found


def _shown(image: Tensor) -> NDArray[np.float32]:
    shown: NDArray[np.float32] = image.detach().permute(1, 2, 0).clamp(0, 1).numpy()
    return shown
