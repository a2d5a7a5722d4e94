import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms.v2 import functional as tv  # type: ignore[import-untyped,unused-ignore]

from spade import augment as module
from spade.augment import PRESETS, Augmentation, ColourJitter, RandomCrop, RandomRemove, augment, augmented_batches
from spade.errors import InputError

EVERYTHING = Augmentation(
    jitter=ColourJitter(brightness=0.5, contrast=0.4, saturation=0.6, hue=0.3),
    crop=RandomCrop(scale=(0.2, 1.0)),
    remove=RandomRemove(p=0.7),
    flip=0.5,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape or (3, 20, 24), generator=seeded(seed))


def plain_rectangle(u: Tensor, image: Tensor, scale: tuple[float, float], ratio: tuple[float, float]) -> list[float]:
    """Area and aspect ratio of the ten attempts, then where the rectangle lies: [a1, ..., r1, ..., top, left]."""
    area = image.shape[-2] * image.shape[-1]
    attempts = len(u) // 2 - 1
    areas = [area * (scale[0] + x * (scale[1] - scale[0])) for x in u[:attempts].tolist()]
    low, high = math.log(ratio[0]), math.log(ratio[1])
    ratios = [math.exp(low + x * (high - low)) for x in u[attempts:-2].tolist()]
    return [*areas, *ratios, *u[-2:].tolist()]


def plain_crop(image: Tensor, u: Tensor, crop: RandomCrop) -> Tensor:
    """As torchvision's RandomResizedCrop, one image."""
    *pairs, top, left = plain_rectangle(u, image, crop.scale, crop.ratio)
    height, width = image.shape[-2:]
    for area, ratio in zip(pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :], strict=True):
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            i, j = int(top * (height - h + 1)), int(left * (width - w + 1))
            break
    else:
        if width / height < crop.ratio[0]:
            w, h = width, round(width / crop.ratio[0])
        elif width / height > crop.ratio[1]:
            w, h = round(height * crop.ratio[1]), height
        else:
            w, h = width, height
        i, j = (height - h) // 2, (width - w) // 2
    return tv.resized_crop(image, i, j, h, w, [height, width])  # type: ignore[no-any-return,unused-ignore]


def plain_remove(image: Tensor, u: Tensor, remove: RandomRemove) -> Tensor:
    """As torchvision's RandomErasing, one image."""
    *pairs, top, left = plain_rectangle(u, image, remove.scale, remove.ratio)
    height, width = image.shape[-2:]
    for area, ratio in zip(pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :], strict=True):
        h, w = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if h < height and w < width:
            i, j = int(top * (height - h + 1)), int(left * (width - w + 1))
            image[:, i : i + h, j : j + w] = 0
            break
    return image


def plain_variant(image: Tensor, u: Tensor, a: Augmentation) -> Tensor:
    """One variant from its row of uniform draws, with torchvision's functionals on one image."""
    flip, remove, *rest = u[:10].tolist()
    half = (len(u) - 10) // 2
    x = image.clone() if a.crop is None else plain_crop(image, u[10 : 10 + half], a.crop)
    if flip < a.flip:
        x = tv.horizontal_flip(x)
    if a.jitter is not None:
        factors, order = rest[:4], rest[4:]
        steps = [
            (tv.adjust_brightness, a.jitter.brightness, 1),
            (tv.adjust_contrast, a.jitter.contrast, 1),
            (tv.adjust_saturation, a.jitter.saturation, 1),
            (tv.adjust_hue, a.jitter.hue, 0),
        ]
        for kind in sorted(range(4), key=order.__getitem__):
            adjust, amount, centre = steps[kind]
            if amount:
                x = adjust(x, centre + amount * (2 * factors[kind] - 1))
    if a.remove is not None and remove < a.remove.p:
        x = plain_remove(x, u[10 + half :], a.remove)
    return x


def draws_of(generator: torch.Generator, n: int) -> Tensor:
    """The uniform draws behind `augment` for this generator."""
    seed, _ = torch.randint(2**62, (2,), generator=generator).tolist()
    return torch.rand(n, module._DRAWS, generator=seeded(seed), dtype=torch.float64)


@pytest.mark.parametrize("name", [*PRESETS, "everything"])
def test_a_batch_is_what_torchvision_makes_of_one_image_after_the_other(name: str) -> None:
    augmentation = replace(PRESETS.get(name, EVERYTHING), noise=0.0)
    image = picture()
    plain = torch.stack([plain_variant(image, u, augmentation) for u in draws_of(seeded(3), 40)])
    batch = augment(image, 40, augmentation=augmentation, generator=seeded(3))
    assert torch.allclose(batch, plain, atol=3e-6)


@pytest.mark.parametrize("crop", [RandomCrop(scale=(0.9, 1.0), ratio=(3, 4)), RandomCrop((0.9, 1.0), (0.2, 0.3))])
def test_a_rectangle_that_never_fits_becomes_the_largest_central_one(crop: RandomCrop) -> None:
    image = picture()
    plain = torch.stack([plain_crop(image, u[10 : 10 + len(u[10:]) // 2], crop) for u in draws_of(seeded(), 5)])
    batch = augment(image, 5, augmentation=Augmentation(crop=crop), generator=seeded())
    assert torch.equal(batch, plain)
    assert torch.equal(batch[0], batch[1])


@settings(max_examples=50, deadline=None)
@given(shift=st.floats(-0.5, 0.5), seed=st.integers(0, 9), grey=st.booleans())
def test_hue_in_closed_form_is_hue_by_tables(shift: float, seed: int, *, grey: bool) -> None:
    batch = picture(6, 3, 5, 5, seed=seed)
    batch[0] = 0.5 if grey else batch[0].round()  # greys, and corners of the colour cube
    batch[1, 0] = batch[1, 1]  # two channels as large
    turned = module._adjusted_hue(batch, torch.full((6, 1, 1, 1), shift))
    assert torch.allclose(turned, tv.adjust_hue(batch, shift), atol=3e-6)


@pytest.mark.parametrize("name", PRESETS)
class TestEveryPreset:
    def test_values_stay_between_zero_and_one(self, name: str) -> None:
        batch = augment(picture(), 50, augmentation=name, generator=seeded())
        assert batch.shape == (50, 3, 20, 24)
        assert batch.min() >= 0
        assert batch.max() <= 1

    def test_the_first_variants_do_not_depend_on_how_many_follow(self, name: str) -> None:
        few = augment(picture(), 5, augmentation=name, generator=seeded())
        many = augment(picture(), 70, augmentation=name, generator=seeded())
        assert torch.equal(few, many[:5])

    def test_batches_of_any_size_hold_the_same_variants(self, name: str) -> None:
        whole = augment(picture(), 20, augmentation=name, generator=seeded())
        for size in (1, 7, 20, 64):
            parts = list(augmented_batches(picture(), 20, augmentation=name, generator=seeded(), batch_size=size))
            assert [len(part) for part in parts[:-1]] == [size] * (len(parts) - 1)
            assert torch.equal(torch.cat(parts), whole)

    def test_the_generator_moves_on_by_the_same_whatever_is_done(self, name: str) -> None:
        used, other = seeded(), seeded()
        augment(picture(), 30, augmentation=name, generator=used)
        augment(picture(), 1, augmentation="none", generator=other)
        assert torch.equal(used.get_state(), other.get_state())

    def test_neither_the_image_nor_the_global_generator_changes(self, name: str) -> None:
        image, state = picture(), torch.get_rng_state()
        augment(image, 5, augmentation=name, generator=seeded())
        assert torch.equal(image, picture())
        assert torch.equal(torch.get_rng_state(), state)


def test_another_seed_gives_other_variants() -> None:
    first, second = (augment(picture(), 4, generator=seeded(seed)) for seed in (1, 2))
    assert not torch.equal(first, second)


def test_two_calls_on_one_generator_give_other_variants() -> None:
    generator = seeded()
    assert not torch.equal(augment(picture(), 4, generator=generator), augment(picture(), 4, generator=generator))


def test_leaving_a_step_out_leaves_the_others_as_they_were() -> None:
    cropped = augment(picture(), 6, augmentation=Augmentation(crop=RandomCrop()), generator=seeded())
    removed = augment(
        picture(), 6, augmentation=Augmentation(crop=RandomCrop(), remove=RandomRemove(p=1)), generator=seeded()
    )
    kept = removed != 0
    assert torch.equal(removed[kept], cropped[kept])


def test_noise_has_the_asked_spread() -> None:
    grey = torch.full((3, 64, 64), 0.5)
    batch = augment(grey, 20, augmentation=Augmentation(noise=0.1), generator=seeded())
    # 245,760 draws: the standard error of their standard deviation is 0.1 / sqrt(2 * 245,760) = 0.00014.
    assert abs(float((batch - 0.5).std()) - 0.1) < 0.001
    assert not torch.equal(batch[0], batch[1])


def test_rectangles_are_removed_as_often_as_asked() -> None:
    white = torch.ones(1, 16, 16)
    batch = augment(white, 2000, augmentation=PRESETS["rr"], generator=seeded())
    share = (batch == 0).flatten(1).any(dim=1).double().mean()
    # p = 0.5 (a rectangle fits nearly always): standard error sqrt(0.25 / 2000) = 0.011.
    assert abs(float(share) - 0.5) < 0.05
    areas = (batch == 0).flatten(1).double().mean(dim=1)
    assert float(areas.max()) < 0.33 * 1.1  # sides are rounded to whole pixels


def test_the_first_variant_may_be_the_image_itself() -> None:
    image = picture()
    kept = augment(image, 70, augmentation=replace(EVERYTHING, keep_first=True), generator=seeded())
    free = augment(image, 70, augmentation=EVERYTHING, generator=seeded())
    assert torch.equal(kept[0], image)
    assert torch.equal(kept[1:], free[1:])


def test_no_augmentation_repeats_the_image() -> None:
    assert torch.equal(augment(picture(), 3, augmentation="none", generator=seeded()), picture().expand(3, -1, -1, -1))


def test_bytes_are_read_as_shares_of_255() -> None:
    image = (picture() * 255).byte()
    batch = augment(image, 3, augmentation="none", generator=seeded())
    assert torch.allclose(batch[0], image / 255, rtol=0, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_variants_have_the_dtype_of_the_image(dtype: torch.dtype) -> None:
    assert augment(picture().to(dtype), 2, augmentation=EVERYTHING, generator=seeded()).dtype == dtype


def test_a_grey_image_keeps_its_one_channel() -> None:
    assert augment(picture(1, 8, 8), 4, augmentation=EVERYTHING, generator=seeded()).shape == (4, 1, 8, 8)


class TestBadInput:
    @pytest.mark.parametrize(
        ("image", "sentence"),
        [
            (torch.rand(1, 3, 8, 8), r"\[channels, height, width\]; got \[1, 3, 8, 8\]"),
            (torch.rand(3, 0, 8), "non-empty"),
            (torch.full((3, 8, 8), 1.5), r"values in \[0, 1\]; got 1.5 to 1.5"),
            (torch.full((3, 8, 8), -0.5), r"values in \[0, 1\]; got -0.5"),
            (torch.full((3, 8, 8), torch.nan), r"values in \[0, 1\]; got nan"),
            (torch.zeros(3, 8, 8, dtype=torch.int64), "got torch.int64"),
            (torch.zeros(4, 8, 8), "1 or 3 channels; this one has 4"),
        ],
    )
    def test_what_is_no_image_is_told(self, image: Tensor, sentence: str) -> None:
        with pytest.raises(InputError, match=sentence):
            augment(image, 2, generator=seeded())

    def test_an_unknown_preset_is_answered_with_its_neighbour(self) -> None:
        with pytest.raises(InputError, match=r"no augmentation 'mid'\. did you mean 'mild'"):
            augment(picture(), 2, augmentation="mid", generator=seeded())

    @pytest.mark.parametrize("n", [0, -1])
    def test_no_variants_are_told(self, n: int) -> None:
        with pytest.raises(InputError, match="1 variant or more"):
            augment(picture(), n, generator=seeded())

    @pytest.mark.parametrize(
        "settings",
        [
            lambda: ColourJitter(hue=0.6),
            lambda: ColourJitter(brightness=-1),
            lambda: RandomCrop(scale=(0.5, 1.5)),
            lambda: RandomCrop(ratio=(2, 1)),
            lambda: RandomRemove(p=2),
            lambda: Augmentation(noise=-1),
            lambda: Augmentation(flip=1.5),
        ],
    )
    def test_settings_out_of_range_are_told(self, settings: Callable[[], object]) -> None:
        with pytest.raises(InputError, match="got"):
            settings()
