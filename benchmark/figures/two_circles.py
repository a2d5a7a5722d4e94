"""Figure 3: a neuron that answers to two circles, and what its visualisations show without and with SPADE.

The paper says little of its toy: two circles that do not overlap, one larger, labelled 1 in a space labelled -1; one
hidden layer of 1000 neurons; a visualisation algorithm on the decision neuron. What it leaves open is chosen here, and
stands in the exhibit's conditions: the space is a square, visualisations stay in it, and the ratios are the paper's
linear rule (appendix B), which for two layers is 0 and 0.99. How the picture depends on the choice is part of the data.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle as Disc
from torch import Tensor, nn

from spade.layer_solutions import LayerSolutions
from spade.layers import layer_grams
from spade.protocol import protocol

from .exhibit import DENSE, FASTSPADE, SPADE, Exhibit, Row
from .setting import Told

ID = "3"


@dataclass(frozen=True)
class Circle:
    """A region labelled 1; centre and radius in a space of -1 to 1 each way."""

    name: str
    x: float
    y: float
    radius: float

    @property
    def centre(self) -> Tensor:
        """[2]."""
        return torch.tensor([self.x, self.y])

    def distances(self, points: Tensor) -> Tensor:
        """Of points [N, 2] from the centre [N]."""
        found: Tensor = torch.linalg.vector_norm(points - self.centre, dim=1)
        return found


CIRCLES = (Circle("larger", -0.35, -0.25, 0.5), Circle("smaller", 0.6, 0.55, 0.25))

HIDDEN = 1000
STEPS, BATCH, LEARNING_RATE = 2000, 1024, 5e-3
NETWORKS = 3
SAMPLES = 5
POINTS = 100
ASCENT_STEPS, ASCENT_RATE = 400, 0.02
AUGMENTATIONS = 256
NOISES = (0.05, 0.1, 0.2)
RATIOS = (0.5, 0.9, 0.99)
NOISE, RATIO = 0.1, 0.99
"""The main scenarios: the paper's ratio for a last layer, and a noise fixed before anything was looked at."""

STARTS = ("everywhere", "the middle")
"""Where an ascent begins: uniformly in the square, or close to 0, as pictures begin close to grey."""


def labels(points: Tensor) -> Tensor:
    """Whether each point [N, 2] lies in a circle, [N] bool."""
    return torch.stack([circle.distances(points) <= circle.radius for circle in CIRCLES]).any(dim=0)


class Network(nn.Module):
    """One hidden layer and the decision neuron."""

    def __init__(self, hidden: nn.Linear, decision: nn.Linear) -> None:
        super().__init__()
        self.hidden, self.decision = hidden, decision

    def forward(self, points: Tensor) -> Tensor:
        """Logits [N, 1] of points [N, 2]; positive means label 1."""
        logits: Tensor = self.decision(self.hidden(points).relu())
        return logits


def trained(generator: torch.Generator) -> Network:
    """A network of one hidden layer, trained on points drawn anew for every step; its logit is positive in a circle.

    A quarter of each batch is drawn in a circle, as often in either, so that the smaller one is learned as well.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))
        network = Network(nn.Linear(2, HIDDEN), nn.Linear(HIDDEN, 1))
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        points = torch.cat(
            [_everywhere(3 * BATCH // 4, generator), *(_inside(c, BATCH // 8, generator) for c in CIRCLES)]
        )
        loss = nn.functional.binary_cross_entropy_with_logits(network(points)[:, 0], labels(points).float())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval().requires_grad_(requires_grad=False)


def accuracy(network: nn.Module, generator: torch.Generator) -> float:
    """Share of 10,000 points of the square that are labelled rightly."""
    points = _everywhere(10_000, generator)
    return float(((network(points)[:, 0] > 0) == labels(points)).float().mean())


def visualised(network: nn.Module, starts: Tensor) -> Tensor:
    """Where gradient ascent on the neuron's logit ends [N, 2], by Adam from each start, kept in the square."""
    points = starts.clone().requires_grad_()
    optimiser = torch.optim.Adam([points], lr=ASCENT_RATE)
    for _ in range(ASCENT_STEPS):
        optimiser.zero_grad()
        (-network(points).sum()).backward()
        optimiser.step()
        with torch.no_grad():
            points.clamp_(-1, 1)
    return points.detach()


class Pruner:
    """Traces of one network around one sample; a ratio more costs next to nothing."""

    def __init__(self, network: Network, sample: Tensor, *, noise: float, generator: torch.Generator) -> None:
        """The sample [2] is augmented by Gaussian noise; the last layer's Hessian is of what they are inside."""
        self._network = network
        around = sample + noise * torch.randn(AUGMENTATIONS, 2, generator=generator)
        hessian = layer_grams(network, [around], layers=["decision"])["decision"]
        self._solutions = LayerSolutions(network.decision, hessian, solver="obc", protocol=protocol("ours"))

    def network(self, ratio: float) -> Network:
        """The trace: the last layer pruned by exact OBC, the first one dense."""
        decision = copy.deepcopy(self._network.decision)
        with torch.no_grad():
            decision.weight.copy_(self._solutions.solve(ratio).weight)
        return Network(self._network.hidden, decision).eval().requires_grad_(requires_grad=False)


def compute(seed: int, told: Told) -> Exhibit:
    """Distances of visualisations from the centres of both circles, dense and for samples of either circle."""
    rows: list[Row] = []
    shown: dict[str, np.ndarray] = {}
    for number in range(NETWORKS):
        told(f"Figure {ID}", number, NETWORKS)
        generator = torch.Generator().manual_seed(1000 * seed + number)
        network = trained(generator)
        right = accuracy(network, generator)
        starts = {
            "everywhere": _everywhere(POINTS, generator),
            "the middle": 0.01 * torch.randn(POINTS, 2, generator=generator),
        }
        for start, ends in _scenarios(network, starts, generator, alone=number > 0):
            rows += ends.rows(number, right, start)
            if number == 0 and ends.shown:
                shown[f"{ends.scenario}, from {start}"] = ends.points.numpy()
                shown[f"sample of {ends.scenario}"] = ends.sample.numpy()
        if number == 0:
            shown["logits"] = network(_grid())[:, 0].view(_SIDE, _SIDE).numpy()
    told(f"Figure {ID}", NETWORKS, NETWORKS)
    return Exhibit(
        ID,
        "One neuron, two circles: where its visualisations lie, dense and pruned for a sample",
        "“With standard feature visualization, the feature visualizations are always located near the center of the "
        "larger circle ... if we prune the model using specific samples, we can discern the roles of the larger circle "
        "and smaller circle separately” (section 3)",
        findings(rows),
        tuple(rows),
        {
            "seed": seed,
            "networks": NETWORKS,
            "samples": SAMPLES,
            "points": POINTS,
            "augmentations": AUGMENTATIONS,
            "noise": NOISE,
            "ratio of the last layer": RATIO,
            "ratio of the first layer": 0,
            "solver": "exact OBC",
            "ascent": f"Adam, {ASCENT_STEPS} steps of {ASCENT_RATE:g}, in the square from -1 to 1",
            **{f"{c.name} circle": f"radius {c.radius:g} around ({c.x:g}, {c.y:g})" for c in CIRCLES},
        },
        shown,
    )


@dataclass(frozen=True, eq=False)
class _Ends:
    """Where the ascents of one scenario ended."""

    scenario: str
    sample: Tensor
    which: int
    noise: float
    ratio: float
    kept: float
    points: Tensor

    @property
    def shown(self) -> bool:
        """Whether it is drawn: the first sample at the main choice."""
        return self.which == 0 and (self.scenario == "dense" or (self.noise, self.ratio) == (NOISE, RATIO))

    def rows(self, number: int, right: float, start: str) -> Iterator[Row]:
        distances = [circle.distances(self.points) for circle in CIRCLES]
        nearest = torch.stack(distances).argmin(dim=0)
        for index, (circle, distance) in enumerate(zip(CIRCLES, distances, strict=True)):
            yield {
                "network": number,
                "accuracy": right,
                "scenario": self.scenario,
                "sample": self.which,
                "start": start,
                "noise": self.noise,
                "ratio": self.ratio,
                "logit kept": self.kept,
                "circle": circle.name,
                "distance": float(distance.mean()),
                "inside": float((distance <= circle.radius).float().mean()),
                "nearest": float((nearest == index).float().mean()),
            }


def _scenarios(
    network: Network, starts: dict[str, Tensor], generator: torch.Generator, *, alone: bool
) -> Iterator[tuple[str, _Ends]]:
    """Dense, then each sample of either circle; other noises and ratios for the first network only (not `alone`)."""
    for start, points in starts.items():
        ends = visualised(network, points)
        yield start, _Ends("dense", torch.full((2,), torch.nan), 0, 0.0, 0.0, 1.0, ends)
    for circle in CIRCLES:
        for which in range(SAMPLES):
            sample = _inside(circle, 1, generator)[0]
            for noise in (NOISE,) if alone or which else NOISES:
                pruner = Pruner(network, sample, noise=noise, generator=generator)
                for ratio in (RATIO,) if alone or which else RATIOS:
                    sparse = pruner.network(ratio)
                    kept = float(sparse(sample[None])[0, 0] / network(sample[None])[0, 0])
                    for start, points in starts.items():
                        ends = visualised(sparse, points)
                        yield start, _Ends(f"the {circle.name} circle", sample, which, noise, ratio, kept, ends)


def findings(rows: Sequence[Row]) -> tuple[str, ...]:
    """What the main choice says in numbers, and in how many other choices it says the same."""
    said = []
    for start in STARTS:
        dense = _mean(rows, "dense", start, "nearest", "larger", NOISE, RATIO)
        said.append(
            f"Dense, from {start}: {dense:.0%} of the visualisations are nearest the larger circle "
            f"({_mean(rows, 'dense', start, 'distance', 'larger', NOISE, RATIO):.2f} from its centre on average, "
            f"{_mean(rows, 'dense', start, 'distance', 'smaller', NOISE, RATIO):.2f} from the smaller one's)."
        )
        for circle in CIRCLES:
            scenario = f"the {circle.name} circle"
            before = _mean(rows, "dense", start, "distance", circle.name, NOISE, RATIO)
            after = _mean(rows, scenario, start, "distance", circle.name, NOISE, RATIO)
            near = _mean(rows, scenario, start, "nearest", circle.name, NOISE, RATIO)
            said.append(
                f"Pruned for a sample of {scenario}, from {start}: {after:.2f} from its centre (dense {before:.2f}, "
                f"radius {circle.radius:g}), {near:.0%} nearest to it."
            )
    closer = []
    for noise in NOISES:
        for ratio in RATIOS:
            gains = [
                _mean(rows, f"the {c.name} circle", STARTS[0], "distance", c.name, noise, ratio)
                < _mean(rows, "dense", STARTS[0], "distance", c.name, noise, ratio)
                for c in CIRCLES
            ]
            closer.append(all(gains))
    said.append(
        f"Of {len(closer)} choices of noise and ratio (first network, from {STARTS[0]}), {sum(closer)} bring the "
        "visualisations closer to the right centre for both circles."
    )
    right = sorted({float(row["accuracy"]) for row in rows})
    said.append(f"The networks label {right[0]:.1%} to {right[-1]:.1%} of the square rightly.")
    return tuple(said)


def _mean(  # noqa: PLR0917 - a cell of the data by its coordinates
    rows: Sequence[Row], scenario: str, start: str, what: str, circle: str, noise: float, ratio: float
) -> float:
    """The mean over networks and samples; at other than the main choice, of the first network and sample alone."""
    main = (noise, ratio) == (NOISE, RATIO)
    chosen = [
        float(row[what])
        for row in rows
        if (row["scenario"], row["start"], row["circle"]) == (scenario, start, circle)
        and (scenario == "dense" or (row["noise"], row["ratio"]) == (noise, ratio))
        and (main or (row["network"], row["sample"]) == (0, 0))
    ]
    return sum(chosen) / len(chosen) if chosen else float("nan")


def draw(exhibit: Exhibit) -> Figure:
    """Three panels as in the paper: dense, and pruned for a sample of either circle; ascents from everywhere."""
    figure = Figure(figsize=(10.5, 3.9), layout="constrained")
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    logits, axis = exhibit.arrays["logits"], np.linspace(-1, 1, _SIDE)
    titles = {"dense": "Dense", **{f"the {c.name} circle": f"SPADE, a sample of the {c.name} circle" for c in CIRCLES}}
    for panel, (scenario, title) in zip(panels, titles.items(), strict=True):
        panel.contourf(axis, axis, logits > 0, levels=[-0.5, 0.5, 1.5], colors=["#fbe3d3", "#d3e5f3"])
        for circle in CIRCLES:
            panel.add_patch(Disc((circle.x, circle.y), circle.radius, fill=False, edgecolor=SPADE, linewidth=1.2))
            panel.plot(circle.x, circle.y, marker="+", color=SPADE, markersize=9)
        for start, mark, colour in zip(STARTS, ("o", "^"), ("#009E73", "#000000"), strict=True):
            points = exhibit.arrays[f"{scenario}, from {start}"]
            panel.scatter(*points.T, s=14, marker=mark, color=colour, alpha=0.6, linewidths=0, label=f"from {start}")
        sample = exhibit.arrays[f"sample of {scenario}"]
        if np.isfinite(sample).all():
            panel.plot(*sample, marker="*", color=FASTSPADE, markersize=13, linestyle="none", label="the sample")
        panel.set_title(title, fontsize=10)
        panel.set_aspect("equal")
        panel.tick_params(labelsize=7, color=DENSE)
    panels[-1].legend(fontsize=7, loc="lower right")
    figure.supxlabel(
        "shaded: where the network says 1; circles: where it should; marks: where visualisations end", fontsize=9
    )
    return figure


_SIDE = 161


def _grid() -> Tensor:
    """Points [_SIDE^2, 2] of the square, row by row."""
    axis = torch.linspace(-1, 1, _SIDE)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def _everywhere(n: int, generator: torch.Generator) -> Tensor:
    return 2 * torch.rand(n, 2, generator=generator) - 1


def _inside(circle: Circle, n: int, generator: torch.Generator) -> Tensor:
    """Points [n, 2] spread evenly over a circle."""
    radius = circle.radius * torch.rand(n, generator=generator).sqrt()
    angle = 2 * torch.pi * torch.rand(n, generator=generator)
    return circle.centre + torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
