"""What a metric may look at besides the map it scores."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Evidence:
    """One explained image and the network that is to be explained.

    Attributes:
        image: [C, H, W] fp32, as the network takes it.
        mask: [H, W] bool, where the Trojan patch is; nowhere in a clean image.
        probability: softmax of the explained class [N] that the dense network gives to images [N, C, H, W].
    """

    image: Images
    mask: NDArray[np.bool_]
    probability: Callable[[Images], NDArray[np.float64]]
