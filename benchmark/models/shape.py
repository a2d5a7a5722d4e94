"""The shape of the embedded network, as a scale says it; torch is not needed to read one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """Blocks and output channels of each stage; `base_width` 64 makes the bottleneck a quarter as wide."""

    blocks: tuple[int, int, int, int] = (1, 1, 1, 1)
    widths: tuple[int, int, int, int] = (64, 128, 256, 512)
    strides: tuple[int, int, int, int] = (2, 2, 2, 1)
    base_width: int = 64
    stem_width: int = 32
    stem_stride: int = 2
