"""What is done to each variant of an image, and the presets the paper describes; nothing here draws, or needs torch."""

import math
from dataclasses import dataclass

from .errors import InputError, nearest


def _check_ranges(scale: tuple[float, float], ratio: tuple[float, float]) -> None:
    if not (0 <= scale[0] <= scale[1] <= 1 and 0 < ratio[0] <= ratio[1]):
        raise InputError(
            f"A rectangle wants shares of the area in [0, 1] and ratios above 0, low to high; got {scale} and {ratio}."
        )


def _check_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise InputError(f"A probability is between 0 and 1; got {p}.")


@dataclass(frozen=True)
class ColourJitter:
    """Factors in [1 - x, 1 + x] for brightness, contrast, saturation, and a shift in [-x, x] of the hue.

    The hue circle has length 1. The order of the four is drawn for each variant, as in torchvision.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what torchvision's ColorJitter refuses."""
        if min(self.brightness, self.contrast, self.saturation, self.hue) < 0 or self.hue > 0.5:
            raise InputError(f"Colour jitter wants amounts of 0 or more, and at most 0.5 for the hue; got {self}.")


@dataclass(frozen=True)
class RandomCrop:
    """A rectangle of this share of the area and this aspect ratio (width by height), resized to the whole image."""

    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)

    def __post_init__(self) -> None:
        """Refuse ranges that are empty or leave the image."""
        _check_ranges(self.scale, self.ratio)


@dataclass(frozen=True)
class RandomRemove:
    """With probability p, a rectangle of this share of the area and this aspect ratio (height by width) turns black."""

    p: float = 0.5
    scale: tuple[float, float] = (0.02, 0.33)
    ratio: tuple[float, float] = (0.3, 3.3)

    def __post_init__(self) -> None:
        """Refuse ranges that are empty or leave the image."""
        _check_ranges(self.scale, self.ratio)
        _check_probability(self.p)


@dataclass(frozen=True)
class Augmentation:
    """What is done to each variant, in this order: crop, flip, jitter, noise, remove; None or 0 leaves a step out.

    Attributes:
        jitter: colours.
        crop: scale and crop.
        noise: standard deviation of Gaussian noise, in units of the image's [0, 1]; the sum is clamped to [0, 1].
        remove: mask a rectangle.
        flip: probability of a horizontal flip.
        keep_first: whether the first variant is the image itself, unaltered.
    """

    jitter: ColourJitter | None = None
    crop: RandomCrop | None = None
    noise: float = 0.0
    remove: RandomRemove | None = None
    flip: float = 0.0
    keep_first: bool = False

    def __post_init__(self) -> None:
        """Refuse a negative spread and a probability outside [0, 1]."""
        if not 0 <= self.noise < math.inf:
            raise InputError(f"Noise is a standard deviation of 0 or more; got {self.noise}.")
        _check_probability(self.flip)


_TEXT_JITTER = ColourJitter(brightness=0.5, contrast=0.5, saturation=0.5)
_A14_JITTER = ColourJitter(brightness=0.5, hue=0.3)
_A14_CROP = RandomCrop(scale=(0.2, 1.0))
_A14_NOISE = math.sqrt(0.001)

# The places where the paper describes its augmentations disagree (which kinds, and jitter of what).
PRESETS: dict[str, Augmentation] = {
    # Section 3.2: random remove, jitter of brightness, contrast and saturation, crop. The text gives no amounts:
    # brightness, crop and remove from table A14, contrast and saturation as strong as brightness.
    "text": Augmentation(jitter=_TEXT_JITTER, crop=_A14_CROP, remove=RandomRemove()),
    # Table A14, "All Models".
    "a14": Augmentation(jitter=_A14_JITTER, crop=_A14_CROP),
    # Table A14 with the two rows for ConvNeXt: sigma^2 = 0.001.
    "a14_convnext": Augmentation(jitter=_A14_JITTER, crop=_A14_CROP, noise=_A14_NOISE, remove=RandomRemove()),
    # The published notebook: crop, horizontal flip, jitter. Its amounts are those of A14.
    "notebook": Augmentation(jitter=_A14_JITTER, crop=_A14_CROP, flip=0.5),
    # For small images, where strong crops cut the object away.
    "mild": Augmentation(jitter=ColourJitter(brightness=0.2, hue=0.05), crop=RandomCrop(scale=(0.7, 1.0)), noise=0.03),
    # Table A19: J jitter, G Gaussian noise, RC random crop, RR random removal; J+RC is "a14".
    "j+g+rc": Augmentation(jitter=_A14_JITTER, crop=_A14_CROP, noise=_A14_NOISE),
    "rr": Augmentation(remove=RandomRemove()),
    "g+rc": Augmentation(crop=_A14_CROP, noise=_A14_NOISE),
    "rr+rc": Augmentation(crop=_A14_CROP, remove=RandomRemove()),
    "g": Augmentation(noise=_A14_NOISE),
    # The image itself, n times.
    "none": Augmentation(),
}


def named_augmentation(augmentation: Augmentation | str) -> Augmentation:
    """The preset of this name, or what came.

    Raises:
        InputError: If there is no such preset.
    """
    if isinstance(augmentation, Augmentation):
        return augmentation
    if augmentation not in PRESETS:
        raise InputError(f"There is no augmentation '{augmentation}'. {nearest(augmentation, PRESETS)}")
    return PRESETS[augmentation]
