"""CAP removes what a slow account of the same rule removes, block by block, with one threshold for the network."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.baselines.cap import Blocks, _blocks, block_fishers, pruned


def problem(n: int, size: int, seed: int = 0) -> Blocks:
    generator = torch.Generator().manual_seed(seed)
    gradients = torch.randn(n, size, 3 * size, generator=generator)
    fisher = gradients @ gradients.mT / (3 * size) + 0.01 * torch.eye(size)
    return Blocks(torch.randn(n, size, generator=generator), fisher, n * size)


def plain(weight: Tensor, fisher: Tensor) -> list[tuple[float, Tensor]]:
    """The (accumulated loss, weights) after each removal of one block: each step solved from scratch.

    With the set K kept, the best weights are w_K + F_KK^-1 F_KP w_P, and a removal costs the growth of
    1/2 (w - w0)^T F (w - w0).
    """
    w0, f = weight.double(), fisher.double()
    kept, steps, spent = list(range(len(w0))), [], 0.0
    current = w0.clone()
    while kept:
        inverse = torch.linalg.inv(f[kept][:, kept])
        costs = current[kept].square() / (2 * inverse.diagonal())
        spent += float(costs.min())
        kept.pop(int(costs.argmin()))
        gone = [i for i in range(len(w0)) if i not in kept]
        current = torch.zeros_like(w0)
        if kept:
            current[kept] = w0[kept] + torch.linalg.solve(f[kept][:, kept], f[kept][:, gone] @ w0[gone])
        steps.append((spent, current))
    return steps


def test_one_threshold_over_all_blocks_and_layers_removes_the_cheapest_accumulated_losses() -> None:
    layers = [problem(3, 5), problem(2, 5, seed=1)]
    walks = [[plain(w, f) for w, f in zip(layer.weights, layer.fisher, strict=True)] for layer in layers]
    losses = sorted(loss for walk in walks for block in walk for loss, _ in block)
    threshold = losses[14]  # 15 of 25 weights: 60 %
    for layer, walk, found in zip(layers, walks, pruned(layers, 0.6), strict=True):
        for block, weights in zip(walk, found.view(-1, 5), strict=True):
            gone = sum(loss <= threshold for loss, _ in block)
            expected = block[gone - 1][1] if gone else None
            original = layer.weights[walk.index(block)]
            torch.testing.assert_close(
                weights, original if expected is None else expected.float(), atol=1e-4, rtol=1e-4
            )
    assert sum(int((w == 0).sum()) for w in pruned(layers, 0.6)) == 15


def test_padding_is_neither_counted_nor_removed() -> None:
    layer = _blocks(torch.tensor([3.0, 1.0, 2.0]), torch.ones(2, 2, 2) * 0.0, damping=1.0)
    assert layer.count == 3
    (found,) = pruned([layer], 2 / 3)
    assert found.tolist() == [3.0, 0.0, 0.0]


def test_weights_that_are_gone_already_stay_gone() -> None:
    layer = problem(2, 6)
    layer.weights[:, ::2] = 0
    (found,) = pruned([layer], 0.75)
    assert (found.view(2, 6)[:, ::2] == 0).all()
    assert int((found == 0).sum()) == 9


def test_the_fisher_blocks_are_means_of_outer_products_of_single_gradients() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(8, 3))
    x, y = torch.randn(5, 1, 3, 3), torch.tensor([0, 1, 2, 0, 1])
    found = block_fishers(network, ["0", "4"], x, y, size=5)
    expected = torch.zeros(5, 5, 5)  # 24 weights of the head: five blocks, the last one short by one
    for image, label in zip(x, y, strict=True):
        network.zero_grad()
        functional.cross_entropy(network(image[None]), label[None]).backward()
        g = functional.pad(network.get_parameter("4.weight").grad.flatten(), (0, 1)).view(5, 5)
        expected += g[:, :, None] * g[:, None, :] / 5
    torch.testing.assert_close(found["4"], expected)
    assert found["0"].shape == (2, 5, 5)
