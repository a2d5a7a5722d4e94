"""A network for one sample whose pruned weights are exchanged at will, and the maps it gives."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from spade import saliency, sparsity, trace
from spade.layers import prunable_layers
from spade.protocol import Protocol, protocol
from spade.saliency import SETTINGS

from ..metrics.trojan_auc import trojan_auc
from ..models.laboratory import Laboratory, Sample
from ..plan import generator_seed
from ..scale import Scale


class SparseCopy:
    """A copy of a laboratory's network, pruned for one sample; the eliminations are made once for all ratios."""

    def __init__(
        self, laboratory: Laboratory, sample: Sample, scale: Scale, *, solver: str, groups: tuple[str, ...]
    ) -> None:
        """`groups` are prefixes of the layers that `prune` may be asked for; `solver` is "obc" or "sparsegpt"."""
        self._rules = rules(scale)
        self._sample = sample
        self._prepared = trace.prepare(
            laboratory.model,
            sample.image,
            normalise=laboratory.normalise,
            solver="obc" if solver == "obc" else "sparsegpt",
            protocol=self._rules,
            layers=[name for name in prunable_layers(laboratory.model) if name.startswith(groups)],
            generator=torch.Generator().manual_seed(seed_of(sample.id, "augmentations")),
        )
        self.network: nn.Module = self._prepared.sparse_model({})
        self._ready = saliency.prepare(self.network)
        self.x: Tensor = laboratory.normalise(sample.image[None])

    def prune(self, ratios: Mapping[str, float]) -> None:
        """Put the weights for these ratios by group into `network`; groups not named become dense again."""
        self._prepared.rewrite(self.network, sparsity.by_group(self._prepared.layers, ratios))

    def heatmap(self, method: str) -> Tensor:
        """The map [H, W] of one saliency method at the present ratios."""
        attribution = saliency.explain(
            method,
            self._ready,
            self.x.clone(),
            self._sample.target,
            generator=torch.Generator().manual_seed(seed_of(self._sample.id, method)),
            settings=SETTINGS[self._rules.name],
        )
        return saliency.heatmap(attribution, self._rules.map_channels)

    def auc(self, method: str) -> float:
        """Trojan AUC [per cent] of one method at the present ratios."""
        return 100 * trojan_auc(self.heatmap(method), self._sample.mask)

    def says_target(self) -> bool:
        """Whether the network still gives the sample its target class."""
        with torch.no_grad():
            return bool(self.network(self.x).argmax(1).item() == self._sample.target)


def rules(scale: Scale) -> Protocol:
    """The scale's protocol with its augmentations."""
    return replace(
        protocol(scale.pruning.protocol),
        augmentation=scale.pruning.augmentation,
        n_augmentations=scale.pruning.n_augmentations,
    )


def seed_of(*parts: str) -> int:
    """A seed that depends on the names and on nothing else."""
    return generator_seed(hashlib.sha256("/".join(parts).encode()).hexdigest())
