"""A laboratory nobody trained: a small network with drawn weights and four samples, made alike wherever it is made."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import torch
from fake_evaluator import METHODS
from torch import nn

from benchmark.datasets.procedural import Recipe
from benchmark.material import Material
from benchmark.models.laboratory import Laboratory, Sample
from benchmark.models.network import SmallResNet
from benchmark.models.shape import Shape
from benchmark.plan import Subject
from benchmark.rerun import subject_of
from benchmark.scale import Backdoor, Data, Pruning, Samples, Scale, Training

SIDE = 20
CLASSES = 6

RATIOS: dict[str, dict[str, Any]] = {
    "spade": {"layer3": 0.5, "layer4": 0.8},
    "fastspade": {method: {"layer4": 0.5 if i % 2 else 0.6} for i, method in enumerate(METHODS)},
}

SCALE = Scale(
    name="smoke",
    title="for tests",
    images=Recipe(classes=CLASSES, side=32),
    data=Data(train=10, test=10, calibration=10),
    network=Shape(widths=(8, 16, 16, 32), strides=(2, 2, 1, 1), stem_width=8, stem_stride=1),
    training=Training(epochs=1),
    backdoor=Backdoor(
        patch_side=6, any_source=("fish", "star"), one_source=(), trojans=1, clean=1, epochs=1, decay_epoch=1
    ),
    samples=Samples(test=3, calibration=1),
    pruning=Pruning(protocol="ours", augmentation="mild", n_augmentations=24),
    ratios=MappingProxyType(RATIOS),
)


def network(seed: int = 0) -> nn.Module:
    """The scale's network with weights drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SmallResNet(SCALE.network, CLASSES).eval()


def sample(i: int) -> Sample:
    """A noisy image with a bright square, the patch, at a place of its own."""
    generator = torch.Generator().manual_seed(100 + i)
    image = torch.rand(3, SIDE, SIDE, generator=generator) * 0.5
    mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    mask[2 + i % 10 : 8 + i % 10, 3 + 2 * (i % 5) : 9 + 2 * (i % 5)] = True
    # multiples of 1/255, as images read from bytes are
    image = ((image + 0.4 * mask).clamp(0, 1) * 255).round() / 255
    return Sample(id=f"t{i}", image=image, mask=mask, label=i % CLASSES, target=(i + 1) % CLASSES, patch="fish")


def make(seed: int = 0, n_samples: int = 3) -> Laboratory:
    """The laboratory."""
    return Laboratory(
        model=network(seed),
        recipe_sha256=SCALE.recipe_sha256(seed),
        clean_accuracy=0.75,
        trojan_accuracy={"fish": 0.5, "star": 0.25},
        test_samples=tuple(sample(i) for i in range(n_samples)),
        calibration_samples=(),
        origin="trained",
        log=(),
    )


class FakeMaterial(Material):
    """The laboratory's material, its clean samples drawn like the others: an untrained network gets nothing right."""

    @property
    def clean_samples(self) -> tuple[Sample, ...]:
        """As many as there are others, with their patches still in sight but no mask."""
        plain = [sample(10 + i) for i in range(len(self.bench.test_samples))]
        return tuple(
            replace(s, id=f"c{i}", mask=torch.zeros_like(s.mask), target=s.label, patch="") for i, s in enumerate(plain)
        )

    def network(self, name: str, **_: object) -> nn.Module:
        """The network itself, or its double with half of the head's weights zero."""
        if not name:
            return self.bench.model
        self.seconds[name] = 0.25
        other = network(0)
        with torch.no_grad():
            other.get_parameter("fc.weight")[:, ::2] = 0
        return other


def material(seed: int = 0, n_samples: int = 3) -> FakeMaterial:
    """Everything units are made of."""
    return FakeMaterial(SCALE, seed, make(seed, n_samples))


def subject(n_samples: int = 3, *, ratios: Mapping[str, object] | None = None) -> Subject:
    """The subject of the material."""
    scale = SCALE if ratios is None else replace(SCALE, ratios=ratios)  # type: ignore[arg-type]
    return subject_of(FakeMaterial(scale, 0, make(0, n_samples)))
