"""A network and images as files, as small as a stimulus set can be made of."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from spade import architecture
from spade.visualisation import Ascent
from study_app.stimuli.recipe import Recipe
from study_app.stimuli.regions import RegionRule

CODE = """
from torch import nn


def build():
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(8, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 16, 3, padding=1), nn.ReLU()),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 4),
    )
"""


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with network.py, w.safetensors, classes.txt and images of four classes; the network guesses."""
    folder = tmp_path_factory.mktemp("laboratory")
    (folder / "network.py").write_text(CODE)
    torch.manual_seed(0)
    state = architecture.build(f"{folder / 'network.py'}:build").state_dict()
    # Scores so large that the softmax over masks settles on one: then classes have regions of their own.
    state["4.weight"] *= 1000
    save_file(state, folder / "w.safetensors")
    (folder / "classes.txt").write_text("ant\nbee\ncat\ndog <3\n")
    rng = np.random.default_rng(0)
    for name in ("ant", "bee", "cat", "dog <3"):
        (folder / "images" / name).mkdir(parents=True)
        for number in range(5):
            coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((40, 36)).save(folder / "images" / name / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def recipe(laboratory: Path) -> Recipe:
    return Recipe(
        model=f"{laboratory / 'network.py'}:build",
        weights=laboratory / "w.safetensors",
        images=laboratory / "images",
        classes=laboratory / "classes.txt",
        samples=2,
        resize=32,
        crop=32,
        mean=(0.5,),
        std=(0.25,),
        block=("1",),
        sparsity=0.9,
        augmentations=8,
        regions=RegionRule(threshold=0.9, least=0.0, most=0.9),
        ascent=Ascent(steps=3),
    )
