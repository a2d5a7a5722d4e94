"""Figure I.7: how alike the gradients of one image under noise are, at every stage, dense against SPADE."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import fmean

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from data_manifests import published

from ..scale import Scale
from .exhibit import DENSE, SPADE, Exhibit, Row
from .setting import Setting, Told
from .sparse_copy import SparseCopy, seed_of

ID = "I.7"
NOISE = 0.1
"""Standard deviation of the added noise, pixels in [0, 1]; the paper does not say."""
COPIES = 100
STAGES = ("input", "conv1", "layer1", "layer2", "layer3", "layer4")
METHOD = "Saliency"
"""The tuned ratios taken for the trace: those of the plain gradient."""


def compute(setting: Setting, told: Told) -> Exhibit:
    """Mean cosine similarity over all pairs of `COPIES` noisy copies, by stage and arm."""
    samples = setting.samples
    ratios = tuned(setting.scale, "spade", METHOD)
    found: dict[tuple[str, str], list[float]] = {(arm, stage): [] for arm in ("Dense", "SPADE") for stage in STAGES}
    for done, sample in enumerate(samples):
        told(f"Figure {ID}", done, len(samples))
        copy = SparseCopy(setting.laboratory, sample, setting.scale, solver="obc", groups=tuple(ratios))
        generator = torch.Generator().manual_seed(seed_of(sample.id, "gradient noise"))
        noise = NOISE * torch.randn(COPIES, *sample.image.shape, generator=generator)
        x = setting.laboratory.normalise(sample.image + noise)
        for arm, chosen in (("Dense", {}), ("SPADE", ratios)):
            copy.prune(chosen)
            for stage, gradient in gradients(copy.network, x, sample.target).items():
                found[arm, stage].append(mean_cosine(gradient))
    told(f"Figure {ID}", len(samples), len(samples))
    rows: list[Row] = []
    for (arm, stage), values in found.items():
        spread = float(torch.tensor(values).std()) if len(values) > 1 else float("nan")
        rows.append({"arm": arm, "stage": stage, "cosine": fmean(values), "sd": spread, "n": len(values)})
    return Exhibit(
        ID,
        "Cosine similarity of gradients under noise",
        f"The mean rises from {_printed('Dense')} to {_printed('SPADE')} (caption of figure I.7), at every layer "
        "(appendix I)",
        _findings(found),
        tuple(rows),
        {
            **setting.conditions,
            "noise [pixels in 0 to 1]": NOISE,
            "copies": COPIES,
            "ratios": f"{METHOD}'s",
        },
    )


def tuned(scale: Scale, arm: str, method: str) -> dict[str, float]:
    """The scale's ratios by group for one method; a scale may also give one set for all methods."""
    ratios: Mapping[str, object] = scale.ratios[arm]
    mine = ratios.get(method, ratios)
    return {str(k): float(v) for k, v in dict(mine).items() if isinstance(v, int | float)}  # type: ignore[call-overload]


def gradients(network: nn.Module, x: Tensor, target: int) -> dict[str, Tensor]:
    """Gradients of the target's logit [N, features] with respect to the input and to the output of each stage."""
    leaf = x.clone().requires_grad_()
    with _outputs(network) as outputs, torch.enable_grad():
        logit = network(leaf)[:, target].sum()
        tensors = {"input": leaf, **outputs}
        grads = torch.autograd.grad(logit, list(tensors.values()))
    return {stage: grad.flatten(1) for stage, grad in zip(tensors, grads, strict=True)}


def mean_cosine(gradient: Tensor) -> float:
    """Mean cosine similarity over all pairs of different rows of [N, features]; a row of zeros is like nothing (0).

    With unit rows u the sum over all pairs is the squared length of their sum less N, which takes one pass, not N^2.
    """
    unit = torch.nn.functional.normalize(gradient.double(), dim=1)
    n = len(unit)
    own = float((unit * unit).sum())
    # Rounding may leave equal rows a last bit above 1.
    return min(1.0, (float(unit.sum(0).square().sum()) - own) / (n * (n - 1)))


@contextmanager
def _outputs(network: nn.Module) -> Iterator[dict[str, Tensor]]:
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, object, Tensor], None]:
        def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            found[name] = output

        return hook

    handles = [network.get_submodule(name).register_forward_hook(keep(name)) for name in STAGES[1:]]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _printed(arm: str) -> str:
    return published.load(ID).cell("Mean gradient cosine similarity", arm).printed


def _findings(found: Mapping[tuple[str, str], list[float]]) -> tuple[str, ...]:
    gains = {stage: fmean(found["SPADE", stage]) - fmean(found["Dense", stage]) for stage in STAGES}
    over_all = {arm: fmean(fmean(found[arm, stage]) for stage in STAGES) for arm in ("Dense", "SPADE")}
    higher = [stage for stage, gain in gains.items() if gain > 0]
    pairs = list(zip(found["Dense", "input"], found["SPADE", "input"], strict=True))
    return (
        f"Mean over the stages: {over_all['Dense']:.4f} dense, {over_all['SPADE']:.4f} SPADE.",
        f"SPADE is higher at {len(higher)} of {len(STAGES)} stages ({', '.join(higher) or 'none'}).",
        f"At the input, SPADE is higher on {sum(s > d for d, s in pairs)} of {len(pairs)} samples.",
    )


def draw(exhibit: Exhibit) -> Figure:
    """Both arms along the network, with one standard deviation over samples."""
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    for shift, (arm, colour) in enumerate((("Dense", DENSE), ("SPADE", SPADE))):
        mine = [row for row in exhibit.rows if row["arm"] == arm]
        axes.errorbar(
            [i + 0.12 * shift - 0.06 for i in range(len(mine))],
            [float(row["cosine"]) for row in mine],
            [float(row["sd"]) for row in mine],
            color=colour,
            marker="o",
            capsize=3,
            label=arm,
        )
    axes.set_xticks(range(len(STAGES)), STAGES)
    axes.set_ylabel("mean cosine similarity of gradients")
    axes.set_xlabel("gradient with respect to")
    axes.legend(frameon=False)
    return figure
