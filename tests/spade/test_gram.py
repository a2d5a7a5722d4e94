from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from spade import gram
from spade.gram import GramAccumulator, conv_gram, linear_gram


def unfolded_gram(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """The slow, plain form: every patch written out by unfold, then one product a group."""
    mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
    padded = functional.pad(x, conv._reversed_padding_repeated_twice, mode=mode)
    patches = functional.unfold(padded, conv.kernel_size, dilation=conv.dilation, stride=conv.stride)
    columns = patches.unflatten(1, (conv.groups, -1)).permute(1, 2, 0, 3).flatten(2)
    return 2 / len(x) * columns @ columns.mT


def convolution(channels: int = 4, **geometry: Any) -> nn.Conv2d:
    return nn.Conv2d(channels, 4, bias=False, dtype=torch.float64, **geometry)


def maps(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


GEOMETRIES = [
    {"kernel_size": 3, "padding": 1},
    {"kernel_size": 3, "padding": "same"},
    {"kernel_size": 3, "padding": 1, "stride": 2},
    {"kernel_size": 3, "padding": 1, "groups": 2},
    {"kernel_size": 3, "padding": 1, "groups": 4},
    {"kernel_size": 3, "padding": 1, "dilation": 2},
    {"kernel_size": 3, "padding": 1, "padding_mode": "reflect"},
    {"kernel_size": 3, "padding": 1, "padding_mode": "replicate"},
    {"kernel_size": (3, 5), "padding": (0, 2), "stride": (3, 1), "padding_mode": "circular"},
    {"kernel_size": (4, 3), "padding": "same", "dilation": (2, 1)},
    {"kernel_size": 3, "padding": "valid"},
    {"kernel_size": 7, "padding": 3, "stride": 2},
    {"kernel_size": 1},
    {"kernel_size": 1, "stride": 2},
    {"kernel_size": 1, "padding": 1},
    {"kernel_size": 1, "groups": 2},
    {"kernel_size": 4, "stride": 4},
]


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("size", [(9, 7), (8, 8), (14, 6)], ids=str)
def test_a_convolution_has_the_gram_of_its_unfolded_input(geometry: dict[str, Any], size: tuple[int, int]) -> None:
    conv, x = convolution(**geometry), maps(5, 4, *size)
    assert torch.allclose(conv_gram(x, conv), unfolded_gram(x, conv), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (2, 1), (2, 2), (2, 5), (3, 3), (4, 4), (5, 2)], ids=str)
def test_tiny_maps_lose_no_boundary(size: tuple[int, int]) -> None:
    conv, x = convolution(kernel_size=3, padding=1), maps(3, 4, *size)
    by_displacement = gram._Displacements(4)
    by_displacement.add(x)
    assert torch.allclose(by_displacement.total() * 2 / 3, unfolded_gram(x, conv), rtol=1e-12, atol=1e-12)
    assert torch.allclose(conv_gram(x, conv), unfolded_gram(x, conv), rtol=1e-12, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_geometry_has_the_gram_of_its_unfolded_input(data: st.DataObject) -> None:
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    groups = data.draw(st.sampled_from([1, 2, 4]))
    kernel, stride, dilation = data.draw(pair), data.draw(pair), data.draw(pair)
    padding = data.draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    mode = data.draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
    conv = convolution(
        kernel_size=kernel, stride=stride, dilation=dilation, padding=padding, groups=groups, padding_mode=mode
    )
    height, width = data.draw(st.tuples(st.integers(7, 11), st.integers(7, 11)))
    x = maps(data.draw(st.integers(1, 3)), 4, height, width, seed=data.draw(st.integers(0, 99)))
    assert torch.allclose(conv_gram(x, conv), unfolded_gram(x, conv), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_the_gram_measures_what_the_layer_puts_out(geometry: dict[str, Any]) -> None:
    # The squared outputs of output channel r, summed over images and positions, are w_r (X X^T) w_r^T.
    conv, x = convolution(**geometry), maps(5, 4, 9, 8)
    outputs = conv(x).square().sum(dim=(0, 2, 3))
    rows = conv.weight.flatten(1).unflatten(0, (conv.groups, -1))
    energies = torch.einsum("grd,gde,gre->gr", rows, conv_gram(x, conv) * len(x) / 2, rows).flatten()
    assert torch.allclose(energies, outputs, rtol=1e-10)


def test_columns_are_in_the_order_of_the_flattened_weight() -> None:
    # Only channel 1 is not zero, and only its top left pixel, which tap (1, 1) sees under output (0, 0), tap (1, 0)
    # under (0, 1), tap (0, 1) under (1, 0) and tap (0, 0) under (1, 1): columns 1 * 9 + 4, 3, 1, 0.
    x = torch.zeros(1, 2, 5, 5, dtype=torch.float64)
    x[0, 1, 0, 0] = 3
    diagonal = conv_gram(x, convolution(2, kernel_size=3, padding=1))[0].diagonal()
    assert diagonal.nonzero()[:, 0].tolist() == [9, 10, 12, 13]
    assert diagonal[9] == 2 * 3**2


def test_a_linear_layer_has_the_gram_of_its_rows() -> None:
    x = maps(7, 5)
    assert torch.allclose(linear_gram(x), (2 / 7 * x.T @ x)[None])


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2d(8, 4, 3, padding=1), (6, 8, 8, 8)),
        (nn.Conv2d(8, 4, 3, stride=2), (6, 8, 8, 8)),
        (nn.Conv2d(8, 4, 1), (6, 8, 8, 8)),
        (nn.Conv2d(8, 4, 1), (6, 8, 1, 1)),
        (nn.Linear(8, 4), (6, 3, 8)),
    ],
    ids=str,
)
class TestAccumulation:
    def test_batches_add_up_to_the_whole(self, layer: gram.PrunableLayer, shape: tuple[int, ...]) -> None:
        x = maps(*shape)
        whole = GramAccumulator(layer).add(x).hessian(6)
        parts = GramAccumulator(layer).add(x[:1]).add(x[1:4]).add(x[4:])
        assert torch.allclose(parts.hessian(6), whole, rtol=1e-13)

    def test_asking_does_not_end_the_sum(self, layer: gram.PrunableLayer, shape: tuple[int, ...]) -> None:
        x = maps(*shape)
        sums = GramAccumulator(layer).add(x)
        first = sums.hessian(6)
        assert torch.equal(sums.hessian(6), first)
        assert torch.allclose(sums.add(x).hessian(6), 2 * first, rtol=1e-13)

    def test_buffers_of_any_size_give_the_same(
        self, layer: gram.PrunableLayer, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        x = maps(*shape)
        whole = GramAccumulator(layer).add(x).hessian(6)
        monkeypatch.setattr(gram, "_BUFFER", 1)
        monkeypatch.setattr(gram, "_FEWEST_COLUMNS", 1)
        assert torch.allclose(GramAccumulator(layer).add(x).hessian(6), whole, rtol=1e-13)

    def test_it_is_exactly_symmetric_in_double_precision(
        self, layer: gram.PrunableLayer, shape: tuple[int, ...]
    ) -> None:
        hessian = GramAccumulator(layer).add(maps(*shape, dtype=torch.float32)).hessian(6)
        assert hessian.dtype == torch.float64
        assert torch.equal(hessian, hessian.mT)

    def test_single_precision_products_lose_no_more_than_their_rounding(
        self, layer: gram.PrunableLayer, shape: tuple[int, ...]
    ) -> None:
        x = maps(*shape, dtype=torch.float32)
        single = GramAccumulator(layer).add(x).hessian(6)
        double = GramAccumulator(layer).add(x.double()).hessian(6)
        assert (single - double).abs().max() <= 1e-6 * double.abs().max()

    def test_half_precision_inputs_are_summed_in_single(
        self, layer: gram.PrunableLayer, shape: tuple[int, ...]
    ) -> None:
        x = maps(*shape, dtype=torch.float32).half()
        assert torch.equal(GramAccumulator(layer).add(x).hessian(6), GramAccumulator(layer).add(x.float()).hessian(6))

    def test_a_layer_that_saw_nothing_has_no_gram(self, layer: gram.PrunableLayer, shape: tuple[int, ...]) -> None:
        del shape
        with pytest.raises(RuntimeError, match="never ran"):
            GramAccumulator(layer).hessian(6)


def test_wide_layers_are_summed_over_blocks_of_the_triangle() -> None:
    # 600 columns are five blocks of 128, the last one shorter.
    x = maps(9, 600)
    assert torch.allclose(linear_gram(x), (2 / 9 * x.T @ x)[None], rtol=1e-12)


def test_a_layer_may_run_on_maps_of_several_sizes() -> None:
    conv = convolution(kernel_size=3, padding=1)
    small, large = maps(3, 4, 2, 2), maps(3, 4, 9, 9)
    for first, second in ((small, large), (large, small)):
        total = GramAccumulator(conv).add(first).add(second).hessian(3)
        assert torch.allclose(total, unfolded_gram(small, conv) + unfolded_gram(large, conv), rtol=1e-12)


def test_a_single_image_without_a_batch_axis_counts_as_a_batch_of_one() -> None:
    conv, x = convolution(kernel_size=3, padding=1), maps(4, 8, 8)
    assert torch.equal(GramAccumulator(conv).add(x).hessian(1), conv_gram(x[None], conv))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_diagonal_is_below_zero_where_all_of_a_channel_lies_in_its_frame(dtype: torch.dtype) -> None:
    # On a 3x3 map the tap in a corner sees four pixels of nine; here the five others hold nearly everything.
    conv = convolution(kernel_size=3, padding=1)
    x = 1e3 * maps(64, 4, 3, 3, dtype=dtype)
    x[:, 1, 1:, 1:] = 0  # nothing at all under the last tap
    x[:, 2, 1:, 1:] *= 1e-6
    diagonal = conv_gram(x, conv)[0].diagonal().unflatten(0, (4, 9))
    assert (diagonal >= 0).all()
    assert diagonal[1, 8] == 0
    plain = unfolded_gram(x.double(), conv)[0].diagonal().unflatten(0, (4, 9))
    assert torch.allclose(diagonal, plain, rtol=1e-5, atol=0)
