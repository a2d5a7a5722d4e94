"""What `spade explain` does once its command line is understood: read, ask, show, write."""

import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torchvision
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column
from torch import nn

from . import checkpoint, photograph, picture, pruners, sparsity
from .architecture import is_entry
from .errors import InputError, nearest
from .explanation import Explanation, Question, estimated_seconds, explanation, layer_costs
from .layers import prunable_layers
from .protocol import protocol as named_protocol
from .saliency import METHODS, available, find
from .trace import Normalise

_TRACES = {"obc": "SPADE", "sparsegpt": "FastSPADE"}
_SOLVER_NAMES = {"obc": "SPADE, exact OBC", "sparsegpt": "FastSPADE, SparseGPT"}
_STAGES = {"look": "looking at the image", "trace": "pruning for this image", "maps": "saliency maps"}


def _trace(question: Question) -> str:
    """What the trace is called in a picture; a pruner of another package goes by its own name."""
    return _TRACES.get(question.solver, question.solver)


def _pruner(question: Question) -> str:
    return _SOLVER_NAMES.get(question.solver, question.solver)


@dataclass(frozen=True)
class Request:
    """The options of `spade explain` as they were typed."""

    image: Path
    model: str
    weights: Path
    target: int | None
    methods: str | None
    solver: str
    ratios: str
    augmentations: int
    protocol: str
    seed: int
    mean: str
    std: str
    resize: int
    crop: int
    quarter_turns: int
    output: Path


def run(request: Request) -> None:
    """Write the picture a request asks for, and tell on the way what is done and how long it takes.

    Raises:
        InputError: Something in the request cannot be used.
        EnvironmentProblem: The picture cannot be written.
    """
    console = Console(stderr=True, highlight=False)
    # What is wrong with the request is told before the first slow step.
    methods = _methods(request.methods)
    normalise = _normalise(request.mean, request.std)
    named_protocol(request.protocol)
    pruners.check(request.solver)
    picture.check_destination(request.output)
    photo = photograph.read(request.image, resize=request.resize, crop=request.crop)
    for note in photo.notes:
        console.print(f"note: {note}", style="yellow")
    model = checkpoint.load(request.model, request.weights)
    question = Question(
        methods=methods,
        ratios=_ratios(request.ratios, model),
        solver=request.solver,
        protocol=request.protocol,
        n_augmentations=request.augmentations,
        seed=request.seed,
        target=request.target,
    )
    _announce(console, model, question)
    start = time.perf_counter()
    answer = _answered(console, model, photo.image, question, normalise)
    caption = _caption(request, question, answer, model)
    picture.save(answer, caption, request.output)
    _conclude(console, answer, caption, time.perf_counter() - start)
    console.print(f"picture: {request.output}", soft_wrap=True)


def _methods(typed: str | None) -> tuple[str, ...]:
    if typed is None:
        return tuple(METHODS)
    names = tuple(dict.fromkeys(name.strip() for name in typed.split(",") if name.strip()))
    known = available()
    spelling = {name.casefold(): name for name in known}
    for name in names:
        if name.casefold() not in spelling:
            raise InputError(f"The saliency method '{name}' is unknown: {nearest(name, known)}")
    if not names:
        raise InputError(f"--methods names no method. {nearest('', METHODS)}")
    chosen = tuple(spelling[name.casefold()] for name in names)
    for name in chosen:
        find(name)  # a method of another package that cannot be loaded is told now
    return chosen


def _normalise(mean: str, std: str) -> Normalise:
    means, stds = _channel_numbers("--mean", mean), _channel_numbers("--std", std)
    if (stds <= 0).any():
        raise InputError(f"--std {std} divides by zero or turns the image negative; standard deviations are above 0.")
    return lambda images: (images - means.to(images)) / stds.to(images)


def _channel_numbers(option: str, typed: str) -> torch.Tensor:
    try:
        numbers = [float(part) for part in typed.split(",")]
    except ValueError as problem:
        raise InputError(f"{option} {typed} is neither a number nor three numbers with commas between.") from problem
    values = torch.tensor(numbers)
    if len(numbers) not in {1, 3} or not torch.isfinite(values).all():
        raise InputError(f"{option} {typed} must be one finite number, or one for each of the three channels.")
    return values.reshape(-1, 1, 1)


def _ratios(typed: str, model: nn.Module) -> sparsity.Ratios:
    layers = prunable_layers(model)
    if typed == "linear":
        return sparsity.linear(layers)
    if "=" in typed:
        return sparsity.by_group(layers, dict(_group(part) for part in typed.split(",")))
    if _is_number(typed):
        return sparsity.constant(layers, float(typed))
    path = Path(typed)
    if path.suffix != ".toml" and not path.exists():
        raise InputError(
            f"--ratios {typed} is neither 'linear', nor a number, nor a TOML file, nor blocks such as "
            "layer4=0.9,fc=0.8."
        )
    ratios = sparsity.load(path)
    try:
        return sparsity.by_group(layers, ratios)  # a layer is a group of one; a search may have kept blocks
    except InputError as problem:
        raise InputError(f"{path}: {problem}") from problem


def _is_number(typed: str) -> bool:
    try:
        float(typed)
    except ValueError:
        return False
    return True


def _group(typed: str) -> tuple[str, float]:
    name, _, value = typed.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError as problem:
        raise InputError(f"--ratios: '{typed}' is no block and its share of weights, such as layer4=0.9.") from problem


def _announce(console: Console, model: nn.Module, question: Question) -> None:
    costs = layer_costs(model, question.ratios, question.solver)
    if not costs:
        console.print(
            f"note: no layer loses weights; {_trace(question)} will equal dense.",
            style="yellow",
        )
        return
    seconds = estimated_seconds(costs, torch.get_num_threads())
    dearest = max(costs, key=lambda name: costs[name])
    console.print(
        f"{_pruner(question)}: pruning {len(costs)} of {len(prunable_layers(model))} layers takes roughly "
        f"{_spoken(seconds)} on this CPU ({costs[dearest] / sum(costs.values()):.0%} of it for {dearest}); "
        "looking at the image before it and the maps after it are not counted",
        soft_wrap=True,
    )
    if question.solver == "obc" and seconds > 1200:  # longer than people wait at a prompt
        console.print(
            "note: too long? Prune only the last blocks (--ratios fc=0.8,layer4.2=0.9), or use --solver sparsegpt.",
            style="yellow",
        )


def _answered(
    console: Console, model: nn.Module, image: torch.Tensor, question: Question, normalise: Normalise
) -> Explanation:
    at_work = TextColumn("{task.fields[at]}", table_column=Column(no_wrap=True))
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), at_work)
    tenths = dict.fromkeys(_STAGES, 0)
    with Progress(*columns, console=console) as progress:
        tasks = {stage: progress.add_task(words, total=1.0, start=False, at="") for stage, words in _STAGES.items()}

        def watch(stage: str, share: float, at: str) -> None:
            if share == 0:
                progress.start_task(tasks[stage])
            progress.update(tasks[stage], completed=share, at=at)
            # Where no bar can move, as in the log of a scheduler, a line at each tenth.
            if not console.is_terminal and int(10 * share) > tenths[stage]:
                tenths[stage] = int(10 * share)
                console.print(f"{_STAGES[stage]}: {share:.0%}{f', at {at}' if at else ''}", soft_wrap=True)

        return explanation(model, image, question, normalise=normalise, watch=watch)


def _caption(request: Request, question: Question, answer: Explanation, model: nn.Module) -> picture.Caption:
    removed, weights = _removed(answer, model)
    lines = (
        f"{_pruner(question)}, {question.n_augmentations} augmentations, ratios {request.ratios}",
        f"{removed / weights:.0%} of {weights / 1e6:.1f} M prunable weights removed",
        f"trace {_spoken(answer.trace_seconds)}, {len(answer.pairs)} methods twice {_spoken(answer.map_seconds)}",
        f"protocol {question.protocol}, seed {question.seed}; brightest 2 % of each map drawn alike",
        *(f"solver on {name}: {'; '.join(told)}" for name, told in list(answer.fallbacks.items())[:2]),
    )
    return picture.Caption(
        title=f"{request.image.name} · {request.model}",
        lines=lines,
        trace=_trace(question),
        class_names=_class_names(request.model, model),
        quarter_turns=request.quarter_turns,
    )


def _removed(answer: Explanation, model: nn.Module) -> tuple[float, int]:
    sizes = {name: layer.weight.numel() for name, layer in prunable_layers(model).items()}
    return sum(answer.sparsity.get(name, 0.0) * size for name, size in sizes.items()), sum(sizes.values())


def _class_names(name: str, model: nn.Module) -> tuple[str, ...]:
    """ImageNet's class names where the head has its thousand classes; nothing says so, but nothing else has them."""
    if is_entry(name):
        return ()
    shipped = list(torchvision.models.get_model_weights(name))
    categories = tuple(shipped[0].meta["categories"]) if shipped else ()
    head = list(prunable_layers(model).values())[-1]
    return categories if len(categories) == head.weight.shape[0] else ()


def _conclude(console: Console, answer: Explanation, caption: picture.Caption, seconds: float) -> None:
    console.print(f"dense: {caption.class_name(answer.dense.top)} at {picture.percent(answer.dense.top_probability)}")
    console.print(
        f"{caption.trace}: {caption.class_name(answer.sparse.top)} "
        f"at {picture.percent(answer.sparse.top_probability)}; "
        f"prediction {'kept' if answer.kept else 'not kept'}"
    )
    if not answer.kept:
        block = list(answer.sparsity)[-1].partition(".")[0]
        console.print(
            f"note: the {caption.trace} trace no longer answers as the network does, so its maps explain another "
            f"answer; remove less, such as --ratios {block}=0.5.",
            style="yellow",
            soft_wrap=True,
        )
    for pair in answer.pairs:
        if pair.reason:
            console.print(f"note: {pair.reason}", style="yellow", soft_wrap=True)
    for name, told in answer.fallbacks.items():
        console.print(f"note: {name}: {'; '.join(told)}", style="yellow", soft_wrap=True)
    console.print(f"{_spoken(seconds)} in all")


def _spoken(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
