"""What the engine asks of whoever supplies its networks, samples and images."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from torch import Tensor, nn

from .selection import ImageSet


class Sample(Protocol):
    """An image to be explained."""

    @property
    def id(self) -> str:
        """Name, unlike that of any other sample of the material."""

    @property
    def image(self) -> Tensor:
        """[C, H, W] in [0, 1], or uint8."""

    @property
    def mask(self) -> Tensor:
        """[H, W] bool: where the patch is, if there is one."""

    @property
    def target(self) -> int:
        """The class that the maps explain."""


class Supply(Protocol):
    """A backdoored network in evaluation mode, with everything made from it and its samples."""

    @property
    def clean_accuracy(self) -> float:
        """Share of unpatched test images it gets right."""

    @property
    def trojan_accuracy(self) -> Mapping[str, float]:
        """By patch: share of patched test images that it takes for the patch's target."""

    @property
    def test_samples(self) -> Sequence[Sample]:
        """What is explained and carries a patch."""

    @property
    def clean_samples(self) -> Sequence[Sample]:
        """What is explained and carries none."""

    def network(self, name: str, /) -> nn.Module:
        """The network itself for "", else one that NETWORKS names."""

    def images(self, wanted: ImageSet, n: int, /) -> Tensor:
        """The images [N, C, H, W] in [0, 1] of a set: one, or n."""

    def normalise(self, images: Tensor, /) -> Tensor:
        """Images [N, C, H, W] in [0, 1] as the network takes them."""
