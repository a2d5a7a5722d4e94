"""Networks that a table may explain besides the dense one, a literal table; each is made once from the dense network.

Nothing here imports torch: definitions and plans are made from names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spade import plugins


@dataclass(frozen=True)
class Network:
    """A network derived from a scale's dense network.

    Attributes:
        title: in words.
        module: where `make(material, settings, progress)` derives it; loaded when it is needed.
        settings: everything the derivation depends on besides the dense network and its data; part of its identity.
    """

    title: str
    module: str
    settings: Mapping[str, Any]


NETWORKS: dict[str, Network] = {
    "sparse fc": Network(
        "the network with a sparse last layer (Wong et al. 2021)",
        "benchmark.baselines.sparse_fc",
        {
            "version": 1,
            "images": 4000,
            "validation_images": 1600,
            "alpha": 0.99,  # Wong et al.'s
            "lambdas": 20,
            "ratio": 0.003,  # the last lambda to the first
            "iterations": 200,
            "within": 0.05,  # of the best validation accuracy, as in Wong et al.
        },
    ),
    "cap": Network(
        "the network pruned to 98 % by CAP and fine-tuned (Kuznedelev et al. 2023)",
        "benchmark.baselines.cap",
        {
            "version": 1,
            "sparsities": [0.9, 0.98],
            "block": 32,
            "gradients": 512,
            "damping": 1e-8,
            "images": 3000,
            "epochs": 3,
            "learning_rate": 0.02,
        },
    ),
}
"""As tables call them."""


def available() -> tuple[str, ...]:
    """Names of every derived network: those above, then those that other installed packages add."""
    return (*NETWORKS, *plugins.offered("network", NETWORKS))


def find(name: str) -> Network:
    """The derived network of that name.

    Raises:
        InputError: there is none (answered with the nearest), or the package that adds it is broken.
    """
    return plugins.part("network", name, NETWORKS, Network)


def entry(stem: str, name: str, digest: str) -> str:
    """The name of the file that keeps a derived network: of the scale and seed `stem`, made from what `digest` says."""
    return f"{stem}-{name.replace(' ', '-')}-{digest}.safetensors"
