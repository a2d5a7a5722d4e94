"""Networks nobody here wrote: each is traced and explained, or refused by a sentence, and none is changed by it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from spade.errors import InputError
from spade.layer_solutions import Solver
from spade.layers import excluded_layers, prunable_layers
from spade.saliency import METHODS, explain
from spade.trace import traced

SIDE = 12


class Scores(nn.Module):
    """A stem, whatever comes between, and a head."""

    def __init__(self, *middle: nn.Module, width: int = 6) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.middle = nn.Sequential(*middle)
        self.head = nn.Linear(width, 4)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.middle(functional.relu(self.stem(x))).mean(dim=(2, 3)))


class Twice(Scores):
    """One convolution run twice in a pass: weights shared by use."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(6, 6, 3, padding=1), nn.ReLU())

    def forward(self, x: Tensor) -> Any:
        return super().forward(functional.avg_pool2d(x, 2)) + self.head(self.middle(self.stem(x)).mean(dim=(2, 3)))


class TwoResolutions(Scores):
    """The same layers on the image and on half of it, with maps of two sizes."""

    def forward(self, x: Tensor) -> Any:
        return super().forward(x) + super().forward(functional.avg_pool2d(x, 2))


class AsDict(Scores):
    def forward(self, x: Tensor) -> Any:
        return {"logits": super().forward(x)}


class AsTuple(Scores):
    def forward(self, x: Tensor) -> Any:
        return super().forward(x), x.mean()


class Named(NamedTuple):
    logits: Tensor
    features: Tensor


class AsNamedTuple(Scores):
    def forward(self, x: Tensor) -> Any:
        return Named(super().forward(x), x)


@dataclass
class Output:
    logits: Tensor


class AsDataclass(Scores):
    def forward(self, x: Tensor) -> Any:
        return Output(super().forward(x))


class InPlaceOnItsInput(Scores):
    """Normalises the batch it is given in place."""

    def forward(self, x: Tensor) -> Any:
        x -= 0.5
        x.mul_(2)
        return super().forward(x)


class Tied(Scores):
    """Two layers that hold one weight."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(6, 6, 1), nn.ReLU(), nn.Conv2d(6, 6, 1))
        self.middle[2].weight = self.middle[0].weight


class InADict(Scores):
    def __init__(self) -> None:
        super().__init__()
        self.branches = nn.ModuleDict({"left": nn.Conv2d(6, 6, 1), "right": nn.Conv2d(6, 6, 3, padding=1)})

    def forward(self, x: Tensor) -> Any:
        x = functional.relu(self.stem(x))
        return self.head(sum(branch(x) for branch in self.branches.values()).mean(dim=(2, 3)))


class Tokens(Scores):
    """A linear layer on sequences [N, T, d]."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Any:
        tokens = self.stem(x).flatten(2).mT
        return self.head(functional.gelu(self.mix(tokens)).mean(dim=1))


class Counting(Scores):
    """Keeps a state that every pass moves, in evaluation mode too."""

    passes: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x: Tensor) -> Any:
        self.passes += 1
        return super().forward(x)


class EvaluationOnly(Scores):
    """Refuses to be trained."""

    def train(self, mode: bool = True) -> "EvaluationOnly":  # noqa: FBT001, FBT002 - the signature of nn.Module
        if mode:
            raise RuntimeError("this network is for inference")
        super().train(mode)
        return self


def frozen() -> nn.Module:
    return EvaluationOnly().eval().requires_grad_(requires_grad=False)


def weight_normed() -> nn.Module:
    return Scores(parametrizations.weight_norm(nn.Conv2d(6, 6, 3, padding=1)), nn.ReLU())


def weight_normed_by_hooks() -> nn.Module:
    with pytest.warns(FutureWarning):
        return Scores(nn.utils.weight_norm(nn.Conv2d(6, 6, 3, padding=1)), nn.ReLU())


def made_for_inference() -> nn.Module:
    with torch.inference_mode():
        return Scores()


WORKS: dict[str, Callable[[], nn.Module]] = {
    "a layer that runs twice": Twice,
    "two resolutions": TwoResolutions,
    "in-place activations": lambda: Scores(nn.Conv2d(6, 6, 1), nn.ReLU(inplace=True), nn.Conv2d(6, 6, 1)),
    "in place on its input": InPlaceOnItsInput,
    "tied weights": Tied,
    "a dictionary of modules": InADict,
    "grouped, dilated, strided": lambda: Scores(
        nn.Conv2d(6, 6, 3, groups=2, dilation=2, stride=(1, 2), padding=(2, 1)), nn.ReLU()
    ),
    "asymmetric padding": lambda: Scores(
        nn.ZeroPad2d((0, 1, 2, 0)), nn.Conv2d(6, 6, (2, 3), padding="same"), nn.Conv2d(6, 6, (3, 1), padding=(0, 2))
    ),
    "padding by reflection": lambda: Scores(nn.Conv2d(6, 6, 3, padding=1, padding_mode="reflect"), nn.ReLU()),
    "weight norm": weight_normed,
    "weight norm by hooks": weight_normed_by_hooks,
    "token sequences": Tokens,
    "a state that moves": Counting,
    "frozen, for evaluation only": frozen,
    "made in inference mode": made_for_inference,
    "half precision": lambda: Scores().half(),
    "bfloat16": lambda: Scores().bfloat16(),
    "in a wrapper": lambda: nn.DataParallel(Scores()),
}
ONLY_TRACED: dict[str, Callable[[], nn.Module]] = {
    "a dictionary": AsDict,
    "a tuple": AsTuple,
    "a named tuple": AsNamedTuple,
    "a dataclass": AsDataclass,
}


def made(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return build().eval()


def image() -> Tensor:
    return torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def everything(model: nn.Module) -> dict[str, object]:
    """All that could have been changed in a model, as values."""
    found: dict[str, object] = {}
    for name, module in model.named_modules():
        found[f"{name} mode"] = module.training
        hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
        found[f"{name} hooks"] = [len(each) for each in hooks]
        found[f"{name} children"] = [(key, id(child)) for key, child in module._modules.items()]
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        raw = tensor.detach().flatten().view(torch.uint8).tolist()
        found[name] = (id(tensor), tensor.requires_grad, tensor.grad is None, raw)
    return found


@pytest.fixture(params=["obc", "sparsegpt"])
def solver(request: pytest.FixtureRequest) -> Solver:
    found: Solver = request.param
    return found


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("sequential", [False, True])
@pytest.mark.parametrize("name", [*WORKS, *ONLY_TRACED])
def test_it_is_pruned_as_asked_and_left_as_it_was(name: str, solver: Solver, sequential: bool) -> None:  # noqa: FBT001
    model = made((WORKS | ONLY_TRACED)[name])
    before = everything(model)
    layers = prunable_layers(model)
    ratios = dict.fromkeys(layers, 0.5)
    with traced(model, image(), ratios=ratios, solver=solver, n_augmentations=5, sequential=sequential) as sparse:
        for layer in layers:
            weight = sparse.model.get_submodule(layer).weight
            assert isinstance(weight, Tensor)
            assert sparse.sparsity[layer] == float((weight == 0).double().mean()) == 0.5
        assert not excluded_layers(model).keys() & sparse.sparsity.keys()
        x = image()[None].to(next(model.parameters()).dtype)
    assert everything(model) == before
    with torch.no_grad():
        assert type(sparse.model(x)) is type(model(x))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", WORKS)
def test_it_is_explained_or_refused_in_a_sentence_and_left_as_it_was(name: str, method: str) -> None:
    model = made(WORKS[name])
    dtype = next(model.parameters()).dtype
    x = image()[None].to(dtype)
    before, seen = everything(model), x.clone()
    try:
        found = explain(method, model, x, 1, generator=torch.Generator().manual_seed(0))
    except InputError as problem:
        sentence = str(problem)
        assert sentence.startswith(f"{method} cannot take this network: ")
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert method == "LRP" or (name, method) == ("a layer that runs twice", "DeepLift")
    else:
        assert found.values.shape == (3, SIDE, SIDE)
        assert method != "LRP"  # whose rules are for the networks of torchvision it knows
    assert everything(model) == before
    assert torch.equal(x, seen)


@pytest.mark.parametrize("name", ONLY_TRACED)
def test_an_answer_that_is_no_row_of_scores_cannot_be_explained(name: str) -> None:
    model = made(ONLY_TRACED[name])
    with pytest.raises(InputError, match="saliency methods need one row of scores"):
        explain("Saliency", model, image()[None], 1, generator=torch.Generator())


def test_a_network_that_works_in_place_on_its_input_has_the_trace_and_the_maps_of_one_that_does_not() -> None:
    model, plain = made(InPlaceOnItsInput), made(Scores)
    model.load_state_dict(plain.state_dict())
    ratios = {"stem": 0.5, "head": 0.5}

    def normalise(batch: Tensor) -> Tensor:
        return (batch - 0.5) * 2

    with (
        traced(model, image(), ratios=ratios, n_augmentations=5) as ours,
        traced(plain, image(), ratios=ratios, n_augmentations=5, normalise=normalise) as theirs,
    ):
        for name, tensor in theirs.model.state_dict().items():
            assert torch.equal(ours.model.state_dict()[name], tensor)
    x = image()[None]
    for method in ("Saliency", "GuidedBackprop", "GuidedGradCam"):  # which do not multiply by the input
        ours_map = explain(method, model, x, 1, generator=torch.Generator()).values
        theirs_map = explain(method, plain, normalise(x), 1, generator=torch.Generator()).values
        torch.testing.assert_close(ours_map, 2 * theirs_map)


def test_a_network_of_parametrised_layers_alone_has_nothing_to_prune() -> None:
    model = nn.Sequential(parametrizations.weight_norm(nn.Conv2d(3, 4, 3)))
    with pytest.raises(InputError, match=r"no layer to prune.*0: its weight is parametrized"):
        prunable_layers(model)
