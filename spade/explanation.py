"""One image explained twice by every method: by the network as it is, and by its sparse trace."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from .errors import InputError
from .layers import prunable_layers
from .protocol import protocol as named_protocol
from .saliency import SETTINGS, MapNotFinite, MethodUnavailable, Prepared, explain, heatmap
from .saliency import prepare as prepare_saliency
from .saliency.rewrite import twin_of
from .sparsity import Ratios
from .trace import Normalise
from .trace import prepare as prepare_trace

# Multiply-adds a second that elimination and its final solve reach on one CPU thread, counted as (2/3) R d^3;
# measured 12 to 18 e9 over the layers of ResNet50. Only the estimate shown beforehand depends on it.
_ELIMINATION_RATE = 15e9

Watch = Callable[[str, float, str], None]
"""Called with a stage (`look`, `trace` or `maps`), the share of it that is done, and what is worked on now."""


@dataclass(frozen=True)
class Question:
    """What is asked about an image.

    Attributes:
        methods: Names of saliency METHODS.
        ratios: Share of weights to remove by layer; layers not named stay dense.
        solver: `obc` or `sparsegpt`.
        protocol: Name of a protocol, for the trace, the saliency settings and the heatmap's channels.
        n_augmentations: Variants of the image the trace is computed from.
        seed: Of the augmentations and of every method.
        target: Class to explain, the dense network's prediction where None.
    """

    methods: tuple[str, ...]
    ratios: Ratios
    solver: str
    protocol: str
    n_augmentations: int
    seed: int
    target: int | None = None


@dataclass(frozen=True)
class Verdict:
    """What a network says about the image: its top class, and the probabilities of it and of the target."""

    top: int
    top_probability: float
    target_probability: float


@dataclass(frozen=True)
class Pair:
    """One method's heatmaps [H, W] from the dense network and from the trace.

    Attributes:
        method: Its name.
        dense: Heatmap, None where the method could not be computed.
        sparse: The same from the trace.
        reason: Why a heatmap is missing; empty where none is.
        seconds: Time of both.
    """

    method: str
    dense: torch.Tensor | None
    sparse: torch.Tensor | None
    reason: str
    seconds: float


@dataclass(frozen=True)
class Explanation:
    """Everything the picture shows.

    Attributes:
        image: [3, H, W] in [0, 1], what the network saw.
        target: Class explained.
        dense: What the network says.
        sparse: What its trace says.
        pairs: Heatmaps by method.
        sparsity: Achieved share of removed weights by layer.
        fallbacks: What the solver had to do beyond its plain computation, by layer.
        trace_seconds: Time of augmenting, Hessians and solving.
        map_seconds: Time of all saliency methods.
    """

    image: torch.Tensor
    target: int
    dense: Verdict
    sparse: Verdict
    pairs: tuple[Pair, ...]
    sparsity: dict[str, float]
    fallbacks: dict[str, tuple[str, ...]]
    trace_seconds: float
    map_seconds: float

    @property
    def kept(self) -> bool:
        """Whether the trace predicts the class that the network predicts."""
        return self.dense.top == self.sparse.top


def layer_costs(model: nn.Module, ratios: Ratios, solver: str) -> dict[str, float]:
    """Multiply-adds of solving each layer that loses weights: (2/3) R d^3 for OBC, d^3 for SparseGPT."""
    costs = {}
    for name, layer in prunable_layers(model).items():
        if ratios.get(name, 0):
            rows, columns = layer.weight.shape[0], layer.weight[0].numel()
            costs[name] = columns**3 * (2 / 3 * rows if solver == "obc" else 1.0)
    return costs


def estimated_seconds(costs: dict[str, float], threads: int) -> float:
    """Rough time of solving layers of these costs on a CPU, to within a factor of two or three."""
    return sum(costs.values()) / (_ELIMINATION_RATE * threads)


def explanation(
    model: nn.Module,
    image: torch.Tensor,
    question: Question,
    *,
    normalise: Normalise,
    watch: Watch = lambda *_: None,
) -> Explanation:
    """The answer to a question about an image; the model is not touched.

    Args:
        model: A classifier in eval mode.
        image: [3, H, W] in [0, 1].
        question: What is asked.
        normalise: From [N, 3, H, W] in [0, 1] to what the model takes.
        watch: Called as work proceeds: the image and its augmentations are run (`look`), each layer is solved
            (`trace`), each method is asked (`maps`).

    Raises:
        InputError: The model gives no row of scores, the target is out of range, scores are not finite, or an
            argument cannot be used.
    """
    x = normalise(image[None])
    dense_prepared = prepare_saliency(model)
    dense_prepared.anatomy(x)  # what gives no row of scores is refused now, not after minutes of pruning
    dense_scores = _scores(twin_of(model), x, "network")
    target = _target(question.target, dense_scores)
    start = time.perf_counter()
    sparse, sparsity, fallbacks = _trace(model, image, question, normalise, watch)
    trace_seconds = time.perf_counter() - start
    sparse_scores = _scores(sparse, x, "sparse trace")
    start = time.perf_counter()
    networks = (dense_prepared, prepare_saliency(sparse, like=dense_prepared))
    pairs = []
    for done, method in enumerate(question.methods):
        watch("maps", done / len(question.methods), method)
        pairs.append(_pair(method, networks, x, target, question))
    watch("maps", 1.0, "")
    return Explanation(
        image=image,
        target=target,
        dense=_verdict(dense_scores, target),
        sparse=_verdict(sparse_scores, target),
        pairs=tuple(pairs),
        sparsity=sparsity,
        fallbacks=fallbacks,
        trace_seconds=trace_seconds,
        map_seconds=time.perf_counter() - start,
    )


def _trace(
    model: nn.Module, image: torch.Tensor, question: Question, normalise: Normalise, watch: Watch
) -> tuple[nn.Module, dict[str, float], dict[str, tuple[str, ...]]]:
    costs = layer_costs(model, question.ratios, question.solver)
    n = question.n_augmentations
    watch("look", 0.0, f"{n} augmentations")
    prepared = prepare_trace(
        model,
        image,
        normalise=normalise,
        solver=question.solver,  # checked by `prepare`, which answers with near names
        protocol=question.protocol,
        layers=list(costs),
        n_augmentations=n,
        generator=torch.Generator().manual_seed(question.seed),
        watch=lambda done: watch("look", done / n, f"{done} of {n} augmentations"),
    )
    watch("look", 1.0, "")
    # Layers are solved here one by one, and kept by `prepared`, so that the time left can be told.
    done, total = 0.0, sum(costs.values())
    for number, name in enumerate(prepared.layers, 1):
        watch("trace", done / total, f"{name}, layer {number} of {len(prepared.layers)}")
        prepared.solve(name, question.ratios[name])
        done += costs[name]
    watch("trace", 1.0, "")
    ratios = {name: question.ratios[name] for name in prepared.layers}
    achieved, fallbacks = prepared.outcome(ratios)
    sparsity = {name: achieved.get(name, 0.0) for name in prunable_layers(model)}  # in the order of the network
    return prepared.sparse_model(ratios), sparsity, fallbacks


def _pair(method: str, networks: Iterable[Prepared], x: torch.Tensor, target: int, question: Question) -> Pair:
    maps: list[torch.Tensor | None] = []
    reason, seconds = "", 0.0
    for network in networks:
        # The same seed for both, so that their perturbations are the same.
        generator = torch.Generator().manual_seed(question.seed)
        try:
            found = explain(method, network, x, target, generator=generator, settings=SETTINGS[question.protocol])
        except (MethodUnavailable, MapNotFinite) as problem:
            reason = reason or str(problem)
            maps.append(None)
            continue
        except Exception as problem:  # noqa: BLE001 - after hours of pruning, one method must not cost the others
            told = next(iter(str(problem).splitlines()), "")
            reason = reason or f"{method} failed: {type(problem).__name__}: {told}"
            maps.append(None)
            continue
        maps.append(heatmap(found, named_protocol(question.protocol).map_channels))
        seconds += found.seconds
    return Pair(method, maps[0], maps[1], reason, seconds)


def _scores(model: nn.Module, x: torch.Tensor, who: str) -> torch.Tensor:
    with torch.no_grad():
        scores: torch.Tensor = model(x.clone())[0]
    if not torch.isfinite(scores).all():
        raise InputError(f"The {who} gives scores that are NaN or infinite for this image; nothing can be explained.")
    return scores


def _target(asked: int | None, scores: torch.Tensor) -> int:
    if asked is None:
        return int(scores.argmax())
    if not 0 <= asked < len(scores):
        raise InputError(f"Class {asked} is out of range: the network knows classes 0 to {len(scores) - 1}.")
    return asked


def _verdict(scores: torch.Tensor, target: int) -> Verdict:
    probabilities = scores.softmax(dim=0)
    top = int(scores.argmax())
    return Verdict(top, float(probabilities[top]), float(probabilities[target]))
