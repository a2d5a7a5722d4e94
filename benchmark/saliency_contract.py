"""What every table relies on in a saliency method, tried on a small network with drawn weights."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from spade import saliency
from spade.saliency import Answer, Method, Prepared, Query, Settings

from . import global_randomness
from .finding import Finding, Question, answered, raised
from .models.network import SmallResNet
from .models.shape import Shape

SIDE, CLASSES = 20, 6
CHANGED = "the map changes with torch's global generator; draw from query.generator"
_TOLERANCE = 1e-4  # of the largest value: sums of other batches differ by rounding


def findings(name: str, method: Method) -> Iterator[Finding]:
    """One finding a question; a question whose answer raises does not hold, and the next is asked."""
    model = network(0)
    prepared, x = saliency.prepare(model), image(0)

    def answer(**changes: object) -> Answer:
        asked = {"prepared": prepared, "x": x, "target": 1, "seed": 5, "settings": Settings()} | changes
        return _answer(method, asked)

    def values(**changes: object) -> Tensor:
        return answer(**changes).values.detach()

    try:
        first = values()
    except Exception as problem:  # noqa: BLE001 - whatever a plug-in raises is the finding
        yield Finding("it explains a small residual network", holds=False, found=raised(problem))
        return
    yield Finding("it explains a small residual network", holds=True, found=f"{SIDE} pixels, {CLASSES} classes")
    shape = tuple(first.shape) == tuple(x.shape)
    yield Finding("one value for each input value", shape, f"{list(first.shape)} for an image {list(x.shape)}")
    yield Finding("the input's dtype", first.dtype == x.dtype, f"{first.dtype} for {x.dtype}")
    finite = bool(torch.isfinite(first).all())
    yield Finding("finite values", finite, "all are finite" if finite else "NaN or infinite values")
    if not shape or not finite:
        return
    varied = float(first.max() - first.min()) > 0
    yield Finding(
        "a map that differs between pixels", varied, f"from {float(first.min()):.3g} to {float(first.max()):.3g}"
    )
    questions: tuple[tuple[str, Question], ...] = (
        ("the same generator gives the same map", lambda: _alike(first, values())),
        ("no randomness but the generator's", lambda: global_randomness.of_torch(first, values, changed=CHANGED)),
        (
            "another generator gives another map, as `random` says"
            if method.random
            else "any generator gives the same map, as `random` says",
            lambda: _alike(first, values(seed=6), wanted=not method.random),
        ),
        ("the model is given back as it was", lambda: _untouched(model, prepared, values)),
        ("the image is not changed", lambda: _image_kept(x, values)),
        ("another class gives another map", lambda: _alike(first, values(target=2), wanted=False)),
        (
            "other weights give another map",
            lambda: _alike(first, values(prepared=saliency.prepare(network(1))), wanted=False),
        ),
        ("a sparse copy of the network is explained", lambda: _sparse(model, prepared, values)),
        (
            "the number of images a pass does not matter",
            lambda: _close(first, values(settings=replace(Settings(), batch_pixels=SIDE * SIDE))),
        ),
        ("through the door that tables use", lambda: _explained(name, prepared, x, first)),
    )
    for asked, question in questions:
        yield answered(asked, question)


def network(seed: int) -> nn.Module:
    """A small residual network in evaluation mode with weights drawn from `seed`."""
    shape = Shape(widths=(8, 16, 16, 32), strides=(2, 2, 1, 1), stem_width=8, stem_stride=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SmallResNet(shape, CLASSES).eval()


def image(seed: int) -> Tensor:
    """A normalised image [1, 3, SIDE, SIDE] of noise."""
    return torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def _answer(method: Method, asked: dict[str, object]) -> Answer:
    prepared, x, target, seed, settings = (asked[key] for key in ("prepared", "x", "target", "seed", "settings"))
    if not isinstance(prepared, Prepared) or not isinstance(x, Tensor) or not isinstance(settings, Settings):
        raise TypeError("a question is asked with other things than a network, an image and settings")
    prepared.anatomy(x)
    with torch.no_grad():
        score = float(prepared.network(x)[0, int(str(target))])
    generator = torch.Generator().manual_seed(int(str(seed)))
    return method.compute(Query(prepared, x, int(str(target)), score, settings, generator))


Values = Callable[..., Tensor]


def _alike(first: Tensor, second: Tensor, *, wanted: bool = True) -> tuple[bool, str]:
    """Bit for bit, or (where maps ought to differ) not."""
    equal = torch.equal(first, second)
    return equal == wanted, "the two maps are equal, bit for bit" if equal else "the two maps differ"


def _close(first: Tensor, second: Tensor) -> tuple[bool, str]:
    gap = float((first - second).abs().max() / first.abs().max())
    return gap <= _TOLERANCE, f"the two maps differ by {gap:.1g} of the largest value; {_TOLERANCE:g} is rounding"


def _untouched(model: nn.Module, prepared: Prepared, values: Values) -> tuple[bool, str]:
    before = _state(model), _state(prepared.network)
    values()
    if (_state(model), _state(prepared.network)) != before:
        return False, "weights, buffers, gradients, hooks, modes or requires_grad are others than before"
    return True, "weights, buffers, gradients, hooks and modes are the same"


def _state(model: nn.Module) -> list[object]:
    tensors = [(name, hash(one.detach().numpy().tobytes())) for name, one in model.state_dict().items()]
    gradients = [(name, one.requires_grad, one.grad is None) for name, one in model.named_parameters()]
    hooks = [
        (name, one.training, len(one._forward_hooks), len(one._forward_pre_hooks), len(one._backward_hooks))  # noqa: SLF001 - torch counts them nowhere else
        for name, one in model.named_modules()
    ]
    return [tensors, gradients, hooks]


def _image_kept(x: Tensor, values: Values) -> tuple[bool, str]:
    mine = x.clone()
    values(x=mine)
    same = torch.equal(mine, x) and not mine.requires_grad and mine.grad is None
    return same, "it is as it was" if same else "its values, or its requires_grad, are others; use query.leaf"


def _sparse(model: nn.Module, prepared: Prepared, values: Values) -> tuple[bool, str]:
    sparse = network(0)
    sparse.load_state_dict(model.state_dict())
    with torch.no_grad():
        sparse.get_parameter("fc.weight")[:, ::2] = 0
    found = values(prepared=saliency.prepare(sparse, like=prepared))
    finite = bool(torch.isfinite(found).all())
    return finite, "its map is finite" if finite else "its map holds NaN or infinite values"


def _explained(name: str, prepared: Prepared, x: Tensor, first: Tensor) -> tuple[bool, str]:
    made = saliency.explain(name, prepared, x, 1, generator=torch.Generator().manual_seed(5))
    return _alike(first[0].to(torch.float32), made.values)
