"""A batch of variants of one image: the four kinds of augmentation of the paper (section 3.2, appendix F, table A14).

Every variant has its own parameters, drawn from an explicit generator; torchvision's transforms draw one set a batch
from the global one. Drawing follows those transforms (`RandomResizedCrop`, `ColorJitter`, `RandomErasing`), the work
is done by torchvision's functionals where they take one set of parameters, and by batched equivalents of the colour
functionals where each variant has its own.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor
from torchvision.transforms.v2.functional import (
    erase,
    horizontal_flip,
    resized_crop,
    rgb_to_grayscale,
    to_dtype,
)

from .augmentation import PRESETS, Augmentation, ColourJitter, RandomCrop, RandomRemove, named_augmentation
from .errors import InputError

__all__ = [
    "PRESETS",
    "Augmentation",
    "ColourJitter",
    "RandomCrop",
    "RandomRemove",
    "augment",
    "augmented_batches",
    "checked_image",
    "named_augmentation",
]


def augment(
    image: Tensor,
    n: int,
    *,
    augmentation: Augmentation | str = "a14",
    generator: torch.Generator,
) -> Tensor:
    """The image's variants [n, C, H, W], in [0, 1], in the image's dtype (uint8: fp32) and on its device.

    The first m of n variants are the m variants of the same generator state. Parameters do not depend on the image's
    device; noise does. The generator moves on by two draws, whatever n is.

    Args:
        image: [C, H, W] in [0, 1], or uint8 in [0, 255].
        n: how many.
        augmentation: a name of PRESETS or one of your own.
        generator: on any device.

    Raises:
        InputError: If the image has another shape or range, n is not positive, or the name is unknown.
    """
    return torch.cat(list(augmented_batches(image, n, augmentation=augmentation, generator=generator)))


def augmented_batches(
    image: Tensor,
    n: int,
    *,
    augmentation: Augmentation | str = "a14",
    generator: torch.Generator,
    batch_size: int = 64,
) -> Iterator[Tensor]:
    """The rows of `augment` [at most `batch_size`, C, H, W], for sets too large to hold; same arguments, same rows.

    Raises:
        InputError: As `augment`, or `batch_size` is not positive; when it is called, not when the first row is asked.
    """
    image = checked_image(image)
    augmentation = named_augmentation(augmentation)
    if n < 1 or batch_size < 1:
        raise InputError(f"Ask for 1 variant or more, in batches of 1 or more; got {n} in batches of {batch_size}.")
    if augmentation.jitter is not None and image.shape[0] not in (1, 3):
        raise InputError(f"Colour jitter wants an image of 1 or 3 channels; this one has {image.shape[0]}.")
    parameter_seed, noise_seed = torch.randint(2**62, (2,), generator=generator, device=generator.device).tolist()
    draws = torch.rand(n, _DRAWS, generator=torch.Generator().manual_seed(parameter_seed), dtype=torch.float64)
    noise = torch.Generator(image.device).manual_seed(noise_seed)
    return _batches(image, torch.split(draws, batch_size), augmentation, noise)


def checked_image(image: Tensor) -> Tensor:
    """The image [C, H, W] as floating point in [0, 1].

    Raises:
        InputError: If it has another shape, type or range, or holds NaN.
    """
    if image.ndim != 3 or 0 in image.shape:
        raise InputError(f"An image is one non-empty tensor [channels, height, width]; got {list(image.shape)}.")
    if image.dtype == torch.uint8:
        return to_dtype(image, torch.float32, scale=True)
    if not image.is_floating_point():
        raise InputError(f"An image holds floating-point values in [0, 1] or uint8; got {image.dtype}.")
    low, high = image.aminmax()
    if not (low >= 0 and high <= 1):  # NaN fails both
        raise InputError(
            f"An image holds values in [0, 1]; got {float(low):g} to {float(high):g}. "
            "Divide by 255, and leave the normalisation to `normalise`."
        )
    return image.detach()


# Uniform draws a variant, whatever the augmentation is, so that switching one step off leaves the others as they were:
# flip, remove or not, 4 factors, 4 for their order, then two rectangles.
_ATTEMPTS = 10  # torchvision's: a rectangle that does not fit is drawn again this often
_RECTANGLE = 2 * _ATTEMPTS + 2
_DRAWS = 1 + 1 + 4 + 4 + 2 * _RECTANGLE


def _batches(
    image: Tensor, draws: tuple[Tensor, ...], augmentation: Augmentation, noise: torch.Generator
) -> Iterator[Tensor]:
    for number, u in enumerate(draws):
        batch = _variants(image, u, augmentation, noise)
        if augmentation.keep_first and number == 0:
            batch[0] = image
        yield batch


def _variants(image: Tensor, u: Tensor, augmentation: Augmentation, noise: torch.Generator) -> Tensor:
    """One variant [n, C, H, W] per row of the draws u [n, _DRAWS]."""
    flips, removes, factors, order, crop, remove = torch.split(u, [1, 1, 4, 4, _RECTANGLE, _RECTANGLE], dim=1)
    batch = _cropped(image, crop, augmentation.crop)
    flipped = (flips[:, 0] < augmentation.flip).nonzero()[:, 0].to(batch.device)
    batch[flipped] = horizontal_flip(batch[flipped])
    if augmentation.jitter is not None:
        _jitter(batch, factors, order.argsort(dim=1), augmentation.jitter)
    if augmentation.noise:
        # One variant at a time and in single precision: the stream is the same for every batch size and dtype.
        draw = partial(torch.randn, image.shape, generator=noise, dtype=torch.float32, device=batch.device)
        batch.add_(torch.stack([draw() for _ in batch]), alpha=augmentation.noise).clamp_(0, 1)
    if augmentation.remove is not None:
        _remove(batch, remove, removes[:, 0] < augmentation.remove.p, augmentation.remove)
    return batch


def _cropped(image: Tensor, u: Tensor, crop: RandomCrop | None) -> Tensor:
    if crop is None:
        return image.repeat(len(u), 1, 1, 1)
    height, width = image.shape[-2:]
    area = _between(u[:, :_ATTEMPTS], crop.scale) * height * width
    ratio = _between(u[:, _ATTEMPTS:-2], (math.log(crop.ratio[0]), math.log(crop.ratio[1]))).exp()
    w, h = (area * ratio).sqrt().round().long(), (area / ratio).sqrt().round().long()
    fits = (w > 0) & (w <= width) & (h > 0) & (h <= height)
    # Where none of ten fits, torchvision takes the largest central rectangle of an allowed ratio.
    central_w = min(width, round(height * crop.ratio[1]))
    central_h = min(height, round(width / crop.ratio[0]))
    found, (h, w) = _first(fits, h, w)
    h, w = torch.where(found, h, central_h), torch.where(found, w, central_w)
    top, left = _placed(u[:, -2], height - h), _placed(u[:, -1], width - w)
    top, left = torch.where(found, top, (height - h) // 2), torch.where(found, left, (width - w) // 2)
    boxes = torch.stack([top, left, h, w], dim=1).tolist()
    size = [height, width]
    return torch.stack([resized_crop(image, top=t, left=le, height=hi, width=wi, size=size) for t, le, hi, wi in boxes])


def _remove(batch: Tensor, u: Tensor, chosen: Tensor, remove: RandomRemove) -> None:
    height, width = batch.shape[-2:]
    area = _between(u[:, :_ATTEMPTS], remove.scale) * height * width
    ratio = _between(u[:, _ATTEMPTS:-2], (math.log(remove.ratio[0]), math.log(remove.ratio[1]))).exp()
    h, w = (area * ratio).sqrt().round().long(), (area / ratio).sqrt().round().long()
    found, (h, w) = _first((h < height) & (w < width), h, w)
    boxes = torch.stack([_placed(u[:, -2], height - h), _placed(u[:, -1], width - w), h, w], dim=1)
    black = batch.new_zeros(())
    for row in (found & chosen).nonzero()[:, 0].tolist():
        i, j, height, width = boxes[row].tolist()
        erase(batch[row], i=i, j=j, h=height, w=width, v=black, inplace=True)


def _jitter(batch: Tensor, u: Tensor, order: Tensor, jitter: ColourJitter) -> None:
    """Change the colours of `batch` in place; `order` [n, 4] says which of the four comes when."""
    amounts = (jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue)
    for place in range(4):
        for kind, (amount, adjust) in enumerate(zip(amounts, _ADJUSTMENTS, strict=True)):
            rows = (order[:, place] == kind).nonzero()[:, 0]
            if not amount or not len(rows):
                continue
            centre = 0.0 if adjust is _adjusted_hue else 1.0
            low = centre - amount if adjust is _adjusted_hue else max(centre - amount, 0.0)
            factor = _between(u[rows, kind], (low, centre + amount)).to(batch).view(-1, 1, 1, 1)
            rows = rows.to(batch.device)
            batch[rows] = adjust(batch[rows], factor)


def _adjusted_brightness(batch: Tensor, factor: Tensor) -> Tensor:
    """What torchvision's adjust_brightness gives, with a factor for each image [n, 1, 1, 1]."""
    return (batch * factor).clamp_(0, 1)


def _adjusted_contrast(batch: Tensor, factor: Tensor) -> Tensor:
    """What torchvision's adjust_contrast gives, with a factor for each image."""
    mean = rgb_to_grayscale(batch).mean(dim=(-3, -2, -1), keepdim=True)
    return (batch * factor + mean * (1 - factor)).clamp_(0, 1)


def _adjusted_saturation(batch: Tensor, factor: Tensor) -> Tensor:
    """What torchvision's adjust_saturation gives, with a factor for each image."""
    if batch.shape[1] == 1:
        return batch
    return (batch * factor + rgb_to_grayscale(batch) * (1 - factor)).clamp_(0, 1)


def _adjusted_hue(batch: Tensor, shift: Tensor) -> Tensor:
    """What torchvision's adjust_hue gives, with a shift for each image [n, 1, 1, 1].

    Instead of going to hue, saturation, value and back by tables, the closed form of the way back: with v the largest
    channel, c = v - smallest and k = (n + 6 (hue + shift)) mod 6, a channel is v - c * clamp(min(k, 4 - k), 0, 1),
    where n is 5, 3, 1 for red, green, blue.
    """
    if batch.shape[1] == 1:
        return batch
    r, g, b = batch.unbind(1)
    largest = torch.maximum(torch.maximum(r, g), b)
    chroma = largest - torch.minimum(torch.minimum(r, g), b)
    divisor = torch.where(chroma == 0, 1, chroma)  # a grey pixel has no hue, and any will do
    hue = torch.where(
        largest == r,
        (g - b) / divisor,
        torch.where(largest == g, (b - r) / divisor + 2, (r - g) / divisor + 4),
    )
    turned = hue.unsqueeze(1) + (6 * shift + shift.new_tensor([5, 3, 1]).view(1, 3, 1, 1))
    turned = turned.remainder_(6)
    return largest.unsqueeze(1) - chroma.unsqueeze(1) * torch.minimum(turned, 4 - turned).clamp_(0, 1)


_ADJUSTMENTS: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
    _adjusted_brightness,
    _adjusted_contrast,
    _adjusted_saturation,
    _adjusted_hue,
)


def _between(u: Tensor, bounds: tuple[float, float]) -> Tensor:
    return bounds[0] + u * (bounds[1] - bounds[0])


def _placed(u: Tensor, free: Tensor) -> Tensor:
    """A whole number from 0 to `free`, each as likely."""
    return (u * (free + 1)).long()


def _first(fits: Tensor, *sizes: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Whether any attempt [n, attempts] fits, and the sizes of the first that does (else of the first)."""
    first = fits.long().argmax(dim=1, keepdim=True)
    return fits.any(dim=1), [size.gather(1, first)[:, 0] for size in sizes]
