from collections.abc import Callable

import pytest
import torch
from torch import nn

from spade.saliency import Settings, explain
from spade.saliency.perturbation import segments


def test_occlusion_equals_a_loop_over_squares(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    model = network("relu")
    settings = Settings(occlusion_window=5 / 16, occlusion_stride=3 / 16)
    window, stride = 5, 3
    total, times = torch.zeros(16, 16, dtype=torch.float64), torch.zeros(16, 16, dtype=torch.float64)
    with torch.no_grad():
        score = model(image)[0, 2]
        for top in range(0, 16 - window + stride, stride):
            for left in range(0, 16 - window + stride, stride):
                hidden = image.clone()
                hidden[:, :, top : top + window, left : left + window] = 0
                drop = score - model(hidden)[0, 2]
                total[top : top + window, left : left + window] += drop
                times[top : top + window, left : left + window] += 1
    values = explain("Occlusion", model, image, 2, generator=generator, settings=settings).values
    torch.testing.assert_close(values, (total / times).float().expand(3, 16, 16))


def test_lime_of_an_additive_network_is_the_contribution_of_each_segment(generator: torch.Generator) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 2)).double().eval()
    x = torch.randn(1, 3, 8, 8, dtype=torch.float64, generator=generator)
    settings = Settings(lime_segmentation="grid", lime_segments=4, lime_samples=60)
    values = explain("LIME", model, x, 1, generator=generator, settings=settings).values
    products = (model[1].weight[1].reshape(3, 8, 8) * x[0]).detach().sum(dim=0)
    for rows in (slice(0, 4), slice(4, 8)):
        for columns in (slice(0, 4), slice(4, 8)):
            expected = products[rows, columns].sum().float().expand(3, 4, 4)
            torch.testing.assert_close(values[:, rows, columns], expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("method", ["LIME", "Occlusion"])
def test_perturbation_maps_do_not_depend_on_the_batch_size(
    network: Callable[[str], nn.Module], image: torch.Tensor, method: str
) -> None:
    model = network("relu")
    maps = [
        explain(
            method,
            model,
            image,
            2,
            generator=torch.Generator().manual_seed(5),
            settings=Settings(batch_pixels=pixels),
        ).values
        for pixels in (16 * 16 * 7, 2**20)
    ]
    torch.testing.assert_close(maps[0], maps[1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("height", "width", "n"), [(16, 16, 16), (12, 30, 10), (5, 3, 100)])
def test_a_grid_numbers_every_segment_from_zero(height: int, width: int, n: int) -> None:
    numbers = segments(torch.zeros(1, 3, height, width), n=n, how="grid").unique().tolist()
    assert numbers == list(range(len(numbers)))
    assert 1 <= len(numbers) <= height * width


def test_superpixels_number_every_segment_and_repeat_themselves(image: torch.Tensor) -> None:
    first, second = (segments(image, n=20, how="slic") for _ in range(2))
    assert torch.equal(first, second)
    assert first.unique().tolist() == list(range(int(first.max()) + 1))
    assert 8 <= int(first.max()) + 1 <= 40


def test_superpixels_of_white_noise_do_not_collapse() -> None:
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert int(segments(noise, n=36, how="slic").max()) + 1 >= 18


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_flat_image_has_segments_too(channels: int) -> None:
    assert int(segments(torch.full((1, channels, 16, 16), 0.3), n=9, how="slic").max()) + 1 >= 1
