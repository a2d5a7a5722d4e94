"""Hessians of layers, `H = (2/N) X X^T`, from the inputs those layers saw (N images; Frantar & Alistarh, 2022).

The products run in the dtype of the activations (half precisions in fp32) and are summed in fp64. No unfold buffer
of a whole batch is ever written: a 3x3 convolution of stride 1 and padding 1 needs 13 displacement autocorrelations
and its frame (`_Displacements`), every other one a bounded buffer of shifted views (`_ShiftedViews`).
"""

from collections.abc import Iterator
from itertools import product
from typing import Protocol, Self, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

PrunableLayer: TypeAlias = nn.Conv2d | nn.Linear

_MOST_COLUMNS = 1 << 17  # products of at most this many columns of X stay in fp32 before they go into the fp64 sum
_FEWEST_COLUMNS = 1 << 11  # and of at least this many (one image allowing), so that folding costs little
_BUFFER = 1 << 21  # entries of a buffer between these bounds: 8 MiB in fp32, best of 1 to 64 MiB (it fits the caches)

# The half plane of displacements (dy, dx) between two taps of a 3x3 kernel; the other half are transposes.
_HALF_PLANE = tuple((dy, dx) for dy in range(3) for dx in range(-2, 3) if dy > 0 or dx >= 0)


def linear_gram(x: Tensor) -> Tensor:
    """The Hessian [1, d, d], fp64, of a linear layer that saw one row of `x` [n, d] per image."""
    return GramAccumulator(nn.Linear(x.shape[-1], 1, device="meta")).add(x).hessian(len(x))


def conv_gram(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """The Hessians [groups, d, d], fp64, of a convolution that saw the images `x` [N, C, H, W].

    d = (C / groups) * kh * kw, and column (c, a, b) is c * kh * kw + a * kw + b, as in `conv.weight.flatten(1)`. Any
    stride, padding (numbers, 'same', 'valid'), padding mode, dilation and number of groups.
    """
    return GramAccumulator(conv).add(x).hessian(len(x))


class GramAccumulator:
    """The Hessian of one layer over any number of batches and, where the layer runs several times, over all its runs.

    The caller says at the end how many images there were: a layer inside a network cannot tell images from windows,
    tokens or repeated runs.
    """

    def __init__(self, layer: PrunableLayer) -> None:
        """Empty sums for `layer`, whose geometry is read and whose weights are not."""
        self._layer = layer
        self._sums: _Sums | None = None

    def add(self, x: Tensor) -> Self:
        """Take in the input of one run: [N, C, H, W] (or [C, H, W]) for a convolution, [..., d] for a linear layer."""
        if self._sums is None:
            self._sums = _sums(self._layer, x)
        self._sums.add(_computable(x.detach()))
        return self

    def hessian(self, n_images: int) -> Tensor:
        """`(2/N) X X^T` [groups, d, d], fp64, exactly symmetric, for N = `n_images` images.

        Raises:
            RuntimeError: If no input was added: a layer that saw nothing has no Hessian, rather than one of zeros.
        """
        if self._sums is None:
            raise RuntimeError("no input was added: a layer that never ran has no Hessian")
        return self._sums.total().mul_(2 / n_images)


class _Sums(Protocol):
    """Sums over columns of X that end in `X X^T`."""

    def add(self, x: Tensor) -> None: ...

    def total(self) -> Tensor: ...  # the caller's to change


class _Rows:
    """`X X^T` of a linear layer."""

    def __init__(self, d: int) -> None:
        self._d = d
        self._total = _SquareTotal()

    def add(self, x: Tensor) -> None:
        for rows in torch.split(x.reshape(-1, self._d), _columns_at_once(self._d)):
            self._total.add(rows.T.unsqueeze(0))

    def total(self) -> Tensor:
        return self._total.value


class _Maps:
    """`X X^T` of a 1x1 convolution that sees every pixel once, one group, image by image without a copy.

    For maps with at least as many pixels as channels (else the products of single images cost more than a copy).
    """

    def __init__(self) -> None:
        self._total = _Total()

    def add(self, x: Tensor) -> None:
        for images in _chunks(x, rows=x.shape[-3], columns=x.shape[-2] * x.shape[-1]):
            maps = images.flatten(2)
            self._total.add((maps @ maps.mT).sum(0, keepdim=True))

    def total(self) -> Tensor:
        return _symmetric(self._total.value)


class _ShiftedViews:
    """`X X^T` of any convolution: tap (a, b) sees the padded input, shifted by it and strided.

    The views are written in column order into a bounded buffer, a few images at a time, and only the upper triangle
    of the product is computed.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        self._conv = conv
        self._total = _SquareTotal()

    def add(self, x: Tensor) -> None:
        left, right, top, bottom = self._frame()
        rows, columns = self._positions(x.shape[-2] + top + bottom, x.shape[-1] + left + right)
        kh, kw = self._conv.kernel_size
        for images in _chunks(x, rows=self._conv.in_channels * kh * kw, columns=rows * columns):
            self._total.add(self._patches(images))

    def total(self) -> Tensor:
        return self._total.value

    def _positions(self, height: int, width: int) -> tuple[int, int]:
        """How many outputs a padded input of this size has."""
        (kh, kw), (sh, sw), (dh, dw) = self._conv.kernel_size, self._conv.stride, self._conv.dilation
        return (height - dh * (kh - 1) - 1) // sh + 1, (width - dw * (kw - 1) - 1) // sw + 1

    def _frame(self) -> list[int]:
        """Padding as `functional.pad` wants it: left, right, top, bottom."""
        conv = self._conv
        if conv.padding == "valid":
            return [0, 0, 0, 0]
        if conv.padding == "same":
            missing = [d * (k - 1) for d, k in zip(conv.dilation, conv.kernel_size, strict=True)]
            top, left = (m // 2 for m in missing)
            return [left, missing[1] - left, top, missing[0] - top]
        top, left = (int(p) for p in conv.padding)
        return [left, left, top, top]

    def _patches(self, images: Tensor) -> Tensor:
        """The patches under the kernel, [groups, d, images * positions]."""
        conv = self._conv
        mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
        padded = torch.unflatten(functional.pad(images, self._frame(), mode=mode), 1, (conv.groups, -1)).permute(
            1, 2, 0, 3, 4
        )
        groups, channels, n, height, width = padded.shape
        rows, columns = self._positions(height, width)
        (kh, kw), (sh, sw), (dh, dw) = conv.kernel_size, conv.stride, conv.dilation
        patches = padded.new_empty(groups, channels, kh * kw, n, rows, columns)
        for tap in range(kh * kw):
            top, left = dh * (tap // kw), dw * (tap % kw)
            patches[:, :, tap] = padded[..., top : top + sh * rows : sh, left : left + sw * columns : sw]
        return patches.reshape(groups, channels * kh * kw, -1)


class _Displacements:
    """`X X^T` of a 3x3 convolution with stride 1 and padding 1 by zeros, one group: 13 products where unfold makes 81.

    With q the input position under tap (a, b) of output p, q = p + (a-1, b-1), the block of taps (a, b), (a', b') is
    `R(a'-a, b'-b) = sum_q x(q) x(q + (a'-a, b'-b))^T` less the q whose p lies outside the image. Such a q lies in the
    image together with its partner only where a = a' = 2 (then it is in the first row) or a = a' = 0 (the last), and
    likewise for columns; the corners were then taken off twice.

    Where nearly all of a channel lies in its frame that difference is rounding alone, of either sign. So the diagonal,
    on which dead inputs are told from live ones, is summed by itself from squares: it is never negative, and zero only
    where the input was.
    """

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._inner, self._rows, self._columns, self._corners = _Total(), _Total(), _Total(), _Total()
        self._diagonal = _Total()

    @staticmethod
    def pays(height: int, width: int) -> bool:
        """Whether this beats the triangle of shifted views on maps of this size, by the columns each multiplies.

        Measured on one CPU thread, 64 images: 1.9 to 6 times faster for 4x4 (C = 128) to 32x32 (C = 16); slower at 2x2.
        """
        frame = 6 * (height + width) + 4
        return len(_HALF_PLANE) * (height + 2) * (width + 2) + frame < 45 * height * width

    def add(self, x: Tensor) -> None:
        height, width = x.shape[-2:]
        for images in _chunks(x, rows=self._channels, columns=(height + 2) * (width + 2)):
            maps = images.transpose(0, 1)
            rows = torch.stack([maps[:, :, 0], maps[:, :, -1]])
            columns = torch.stack([maps[..., 0], maps[..., -1]])
            ends = torch.stack([rows[..., 0], rows[..., -1]], dim=1).flatten(0, 1)
            self._inner.add(_shifted_products(maps))
            self._rows.add(_line_products(rows))
            self._columns.add(_line_products(columns))
            self._corners.add(ends @ ends.mT)
            self._diagonal.add(_squares_under_taps(maps))

    def total(self) -> Tensor:
        inner = _full_plane(self._inner.value)
        rows, columns = _full_lines(self._rows.value), _full_lines(self._columns.value)
        corners = torch.unflatten(_symmetric(self._corners.value), 0, (2, 2))
        total = inner.new_empty(self._channels, 9, self._channels, 9)
        for a, b in product(range(3), range(3)):
            blocks = inner[2 - a : 5 - a, 2 - b : 5 - b].clone()  # the nine partners (a', b') of tap (a, b)
            if a != 1:
                blocks[a] -= rows[1 - a // 2, 2 - b : 5 - b]
            if b != 1:
                blocks[:, b] -= columns[1 - b // 2, 2 - a : 5 - a]
            if a != 1 and b != 1:
                blocks[a, b] += corners[1 - a // 2, 1 - b // 2]
            total[:, 3 * a + b] = blocks.permute(2, 3, 0, 1).flatten(2)
        matrix = total.reshape(9 * self._channels, 9 * self._channels)
        matrix.diagonal().copy_(self._diagonal.value.flatten())
        return matrix[None]


class _Total:
    """An fp64 sum of fp32 terms of one shape."""

    value: Tensor

    def add(self, term: Tensor) -> None:
        if hasattr(self, "value"):
            self.value += term
        else:
            self.value = term.double()


class _SquareTotal:
    """The fp64 sum of `x x^T` over pieces x [G, d, n], multiplied out on and above the diagonal blocks only."""

    _upper: Tensor

    def add(self, x: Tensor) -> None:
        groups, d, _ = x.shape
        if not hasattr(self, "_upper"):
            self._upper = x.new_zeros(groups, d, d, dtype=torch.float64)
        for rows in _blocks(d):
            self._upper[:, rows, rows.start :] += x[:, rows] @ x[:, rows.start :].mT

    @property
    def value(self) -> Tensor:
        full = self._upper.clone()
        for rows in _blocks(full.shape[-1]):
            full[:, rows, rows] = _symmetric(full[:, rows, rows])
            full[:, rows.stop :, rows] = full[:, rows, rows.stop :].mT
        return full


def _blocks(d: int) -> Iterator[slice]:
    """Blocks of rows of a [d, d] triangle. Of 32 to 512 rows the best on one CPU thread was 64 to d = 512, then 128."""
    width = 64 if d <= 512 else 128
    for start in range(0, d, width):
        yield slice(start, min(start + width, d))


def _sums(layer: PrunableLayer, x: Tensor) -> _Sums:
    """The cheapest way to sum for this layer on inputs the size of `x`; each is right for every later size too."""
    if isinstance(layer, nn.Linear):
        return _Rows(layer.in_features)
    height, width = x.shape[-2:]
    kernel, padding = layer.kernel_size, layer.padding
    plain = (layer.stride, layer.dilation, layer.groups) == ((1, 1), (1, 1), 1)
    if plain and kernel == (1, 1) and padding in ((0, 0), "same", "valid") and height * width >= layer.in_channels:
        return _Maps()
    zeros = padding in ((1, 1), "same") and layer.padding_mode == "zeros"
    if plain and kernel == (3, 3) and zeros and _Displacements.pays(height, width):
        return _Displacements(layer.in_channels)
    return _ShiftedViews(layer)


def _shifted_products(maps: Tensor) -> Tensor:
    """`sum_q x(q) x(q + delta)^T` [13, C, C] of maps [C, N, H, W], delta over the half plane.

    Two zeros after each row and two rows after each image make every displacement an offset in one flat axis.
    """
    channels, n, height, width = maps.shape
    flat = maps.new_zeros(channels, n, height + 2, width + 2)
    flat[:, :, :height, :width] = maps
    flat = flat.flatten(1)
    offsets = [dy * (width + 2) + dx for dy, dx in _HALF_PLANE]
    return torch.stack([flat[:, : flat.shape[1] - offset] @ flat[:, offset:].T for offset in offsets])


def _squares_under_taps(maps: Tensor) -> Tensor:
    """`sum x^2` over what each of the nine taps sees [C, 9], fp64, of maps [C, N, H, W]: less a first or last line."""
    squares = maps.square().sum(1, dtype=torch.float64)
    seen = [slice(None, -1), slice(None), slice(1, None)]
    return torch.stack([squares[:, rows, columns].sum((1, 2)) for rows, columns in product(seen, seen)], dim=1)


def _line_products(lines: Tensor) -> Tensor:
    """`sum_i x(i) x(i + delta)^T` [3, L, C, C] along lines [L, C, N, length], delta = 0, 1, 2."""
    length = lines.shape[-1]
    pairs = ((lines[..., : max(length - delta, 0)].flatten(2), lines[..., delta:].flatten(2)) for delta in range(3))
    return torch.stack([left @ right.mT for left, right in pairs])


def _full_plane(half: Tensor) -> Tensor:
    """All 25 products [5, 5, C, C], displacement (dy, dx) at [dy + 2, dx + 2], from the half plane [13, C, C]."""
    half = torch.cat([_symmetric(half[:1]), half[1:]])
    return torch.unflatten(torch.cat([half[1:].flip(0).mT, half]), 0, (5, 5))


def _full_lines(half: Tensor) -> Tensor:
    """All products [L, 5, C, C], displacement delta at delta + 2, from those of delta = 0, 1, 2 [3, L, C, C]."""
    half = torch.cat([_symmetric(half[0]).unsqueeze(0), half[1:]])
    return torch.cat([half[1:].flip(0).mT, half]).transpose(0, 1)


def _symmetric(upper: Tensor) -> Tensor:
    """The upper triangle of [..., d, d], mirrored."""
    return upper.triu() + upper.triu(1).mT


def _computable(x: Tensor) -> Tensor:
    """`x`, half precisions widened to fp32: sums of thousands of products do not fit them."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _columns_at_once(rows: int) -> int:
    """How many columns of X go into one product, X having this many rows."""
    return min(max(_BUFFER // rows, _FEWEST_COLUMNS), _MOST_COLUMNS)


def _chunks(x: Tensor, *, rows: int, columns: int) -> Iterator[Tensor]:
    """The images of `x` [N, C, H, W] or [C, H, W], a few at a time, each `columns` columns of an X of `rows` rows."""
    yield from torch.split(x.reshape(-1, *x.shape[-3:]), max(_columns_at_once(rows) // columns, 1))
