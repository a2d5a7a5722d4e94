from collections.abc import Sequence
from math import hypot
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmark.figures import exhibit, register, two_circles
from benchmark.figures.exhibit import Row
from benchmark.figures.two_circles import CIRCLES, Network, Pruner, accuracy, findings, labels, visualised
from spade.solver import reference


class Hills(nn.Module):
    """A neuron whose logit is a hill over each circle: where ascents end is known without training anything."""

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return torch.stack([(-((points - c.centre) ** 2).sum(1) / c.radius**2).exp() for c in CIRCLES]).sum(0)[:, None]


def test_a_point_is_in_a_circle_if_its_distance_to_the_centre_is_at_most_the_radius() -> None:
    points = torch.rand(500, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    plain = [any(hypot(x - c.x, y - c.y) <= c.radius for c in CIRCLES) for x, y in points.tolist()]
    assert labels(points).tolist() == plain
    assert hypot(CIRCLES[0].x - CIRCLES[1].x, CIRCLES[0].y - CIRCLES[1].y) > CIRCLES[0].radius + CIRCLES[1].radius


def test_an_ascent_ends_on_the_hill_it_starts_on() -> None:
    starts = torch.stack([c.centre + 0.4 * c.radius for c in CIRCLES])
    ends = visualised(Hills(), starts)
    for circle, end in zip(CIRCLES, ends, strict=True):
        assert float(circle.distances(end[None])) < 0.02


def test_an_ascent_stays_in_the_square() -> None:
    slope = nn.Linear(2, 1)
    slope.weight.data = torch.tensor([[1.0, -1.0]])
    assert visualised(slope, torch.zeros(3, 2)).tolist() == [[1.0, -1.0]] * 3


def small(generator: torch.Generator, hidden: int = 12) -> Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(1000, (), generator=generator)))
        return Network(nn.Linear(2, hidden), nn.Linear(hidden, 1))


def test_a_trace_of_the_toy_is_what_the_slow_oracle_makes_of_the_same_points() -> None:
    network = small(torch.Generator().manual_seed(2)).requires_grad_(requires_grad=False)
    network.hidden.bias.data.add_(2)  # every neuron answers, so that none is a dead input
    sample = CIRCLES[1].centre
    made = Pruner(network, sample, noise=0.1, generator=torch.Generator().manual_seed(3)).network(0.5)
    around = sample + 0.1 * torch.randn(two_circles.AUGMENTATIONS, 2, generator=torch.Generator().manual_seed(3))
    inside = network.hidden(around).relu().double()
    hessian = 2 / len(around) * inside.T @ inside
    hessian += 0.01 * hessian.diagonal().mean() * torch.eye(12, dtype=torch.float64)  # the protocol's damping
    order, _ = reference.obc_order(network.decision.weight, hessian)
    kept = torch.ones(1, 12, dtype=torch.bool)
    kept[0, order[0, :6]] = False
    expected = reference.least_squares(network.decision.weight, hessian, kept)
    assert torch.equal(made.decision.weight != 0, kept)
    assert torch.allclose(made.decision.weight.double(), expected, atol=1e-3)
    assert torch.equal(made.decision.bias, network.decision.bias)
    assert network.decision.weight.count_nonzero() == 12


def rows(dense: float, pruned: float) -> list[Row]:
    """Data in which dense visualisations are `dense`, pruned ones `pruned` from the right centre."""
    found: list[Row] = []
    for scenario in ("dense", *(f"the {c.name} circle" for c in CIRCLES)):
        for circle in CIRCLES:
            for start in two_circles.STARTS:
                right = scenario == f"the {circle.name} circle"
                found += [
                    {
                        "network": 0,
                        "accuracy": 0.99,
                        "scenario": scenario,
                        "sample": 0,
                        "start": start,
                        "noise": noise,
                        "ratio": ratio,
                        "logit kept": 1.0,
                        "circle": circle.name,
                        "distance": pruned if right else dense,
                        "inside": 0.0,
                        "nearest": 1.0 if right else 0.5,
                    }
                    for noise in two_circles.NOISES
                    for ratio in two_circles.RATIOS
                ]
    return found


@pytest.mark.parametrize(("dense", "pruned", "said"), [(0.8, 0.1, "9 bring"), (0.1, 0.8, "0 bring")])
def test_findings_say_closer_only_where_it_is_closer(dense: float, pruned: float, said: str) -> None:
    told: Sequence[str] = findings(rows(dense, pruned))
    assert any(f"{pruned:.2f} from its centre (dense {dense:.2f}" in one for one in told)
    assert any(f"Of 9 choices of noise and ratio (first network, from everywhere), {said}" in one for one in told)


def test_the_whole_figure_is_written_with_every_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, least in {"STEPS": 3, "BATCH": 16, "HIDDEN": 12, "NETWORKS": 2, "SAMPLES": 1, "POINTS": 4}.items():
        monkeypatch.setattr(two_circles, name, least)
    monkeypatch.setattr(two_circles, "ASCENT_STEPS", 2)
    key, recipe = register.find("3")
    assert isinstance(recipe, register.Toy)
    shown = recipe.compute(0, lambda *_: None)
    # Two starts and two circles each: dense; nine choices for a sample of either circle; one in the second network.
    assert len(shown.rows) == 2 * 2 * (2 + 2 * 9 + 2 * 1)
    written = exhibit.write(shown, recipe.draw(shown), tmp_path)
    assert key == "3"
    assert {path.name for path in written} == {f"figure-3.{kind}" for kind in ("csv", "json", "svg", "png")}
    assert recipe.compute(0, lambda *_: None).rows == shown.rows


@pytest.mark.slow
def test_a_trained_toy_knows_both_circles() -> None:
    generator = torch.Generator().manual_seed(0)
    network = two_circles.trained(generator)
    assert accuracy(network, generator) > 0.97
    assert all(float(network(c.centre[None])) > 0 for c in CIRCLES)
