from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune
from torchvision.models import get_model

from spade.errors import InputError
from spade.layers import evaluating, excluded_layers, layer_grams, named_layers, prunable_layers, watched


class Unseen(nn.Module):
    """A network with a shared layer, a layer never run, one used past its module, and functional operations."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8, 3)  # defined first, run last
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.shared = nn.Conv2d(8, 8, 3, padding=1)
        self.idle = nn.Linear(8, 8)
        self.direct = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.gelu(self.norm(self.stem(x)))
        x = x + self.shared(functional.max_pool2d(x, 2).repeat_interleave(2, 2).repeat_interleave(2, 3))
        x = functional.adaptive_avg_pool2d(torch.relu(self.shared(input=x)), 1).flatten(1)
        return self.head(functional.linear(x, self.direct.weight))


@pytest.fixture
def model() -> Unseen:
    torch.manual_seed(0)
    return Unseen().double()


@pytest.fixture
def images() -> Tensor:
    return torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def inputs_of(model: nn.Module, name: str, images: Tensor) -> list[Tensor]:
    """The inputs of every run of a layer, image by image, kept as they are."""
    seen: list[Tensor] = []
    layer = model.get_submodule(name)
    hook = layer.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(args[0] if args else kwargs["input"]), with_kwargs=True
    )
    with torch.no_grad():
        model.eval()(images)
    hook.remove()
    return seen


def test_a_layer_that_runs_twice_has_one_hessian_over_both_runs(model: Unseen, images: Tensor) -> None:
    first, second = inputs_of(model, "shared", images)
    patches = torch.cat([functional.unfold(x, 3, padding=1).transpose(0, 1).flatten(1) for x in (first, second)], dim=1)
    assert torch.allclose(layer_grams(model, images)["shared"][0], 2 / 6 * patches @ patches.T, rtol=1e-12)


def test_hessians_come_in_the_order_of_first_execution(model: Unseen, images: Tensor) -> None:
    assert list(layer_grams(model, images)) == ["stem", "shared", "head"]


def test_a_layer_that_never_runs_has_no_hessian(model: Unseen, images: Tensor) -> None:
    assert {"idle", "direct"} <= set(prunable_layers(model))
    assert not {"idle", "direct"} & set(layer_grams(model, images))


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_the_batch_size_changes_nothing(model: Unseen, images: Tensor, batch_size: int) -> None:
    whole = layer_grams(model, images, batch_size=6)
    parts = layer_grams(model, images, batch_size=batch_size)
    assert all(torch.allclose(parts[name], whole[name], rtol=1e-12) for name in whole)


def test_batches_from_an_iterator_do_as_well_as_one_tensor(model: Unseen, images: Tensor) -> None:
    whole = layer_grams(model, images)
    parts = layer_grams(model, iter([images[:5], images[5:]]))
    assert all(torch.allclose(parts[name], whole[name], rtol=1e-12) for name in whole)


def test_only_the_layers_asked_for_are_summed(model: Unseen, images: Tensor) -> None:
    assert list(layer_grams(model, images, layers=["head"])) == ["head"]


def test_tokens_are_columns_and_not_images() -> None:
    x = torch.randn(4, 7, 5, dtype=torch.float64)
    hessian = layer_grams(nn.Sequential(nn.Linear(5, 2, dtype=torch.float64)), x)["0"]
    assert torch.allclose(hessian[0], 2 / 4 * x.flatten(0, 1).T @ x.flatten(0, 1))


class TestNothingIsLeftBehind:
    def hooks(self, model: nn.Module) -> int:
        return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())

    def test_after_a_pass(self, model: Unseen, images: Tensor) -> None:
        model.train()
        model.norm.eval()
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        layer_grams(model, images)
        assert self.hooks(model) == 0
        assert model.training
        assert not model.norm.training
        assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
        assert torch.is_grad_enabled()

    @pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
    def test_after_a_failure_in_the_middle(
        self, model: Unseen, images: Tensor, failure: type[BaseException], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: Tensor) -> Tensor:
            raise failure

        monkeypatch.setattr(model.head, "forward", fail)
        model.train()
        with pytest.raises(failure):
            layer_grams(model, images)
        assert self.hooks(model) == 0
        assert model.training
        assert torch.is_grad_enabled()

    def test_when_a_hook_cannot_be_placed(self, model: Unseen) -> None:
        layers = {"stem": model.stem, "missing": None}
        with pytest.raises(AttributeError), watched(layers, lambda *_: None):  # type: ignore[arg-type]
            pass
        assert self.hooks(model) == 0

    def test_after_evaluating(self, model: Unseen) -> None:
        model.train()
        model.stem.eval()
        with evaluating(model):
            assert not any(module.training for module in model.modules())
            assert not torch.is_grad_enabled()
        assert [name for name, module in model.named_modules() if not module.training] == ["stem"]


class TestBadInput:
    def test_activations_that_are_not_finite_name_their_layer(self, model: Unseen, images: Tensor) -> None:
        with torch.no_grad():
            model.stem.weight[0] = torch.nan
        with pytest.raises(InputError, match="inputs of layer 'shared' hold NaN"):
            layer_grams(model, images)

    def test_infinite_pixels_are_told(self, model: Unseen, images: Tensor) -> None:
        images[0, 0, 0, 0] = torch.inf
        with pytest.raises(InputError, match="inputs of layer 'stem' hold NaN, infinity"):
            layer_grams(model, images)

    def test_a_batch_the_model_does_not_take_is_told(self, model: Unseen, images: Tensor) -> None:
        with pytest.raises(InputError, match=r"Unseen does not take a batch \[1, 1, 8, 8\]: .*channels"):
            layer_grams(model, images[:, :1])

    def test_no_images_are_told(self, model: Unseen, images: Tensor) -> None:
        with pytest.raises(InputError, match="no images"):
            layer_grams(model, images[:0])

    def test_an_unknown_layer_is_answered_with_its_neighbour(self, model: Unseen, images: Tensor) -> None:
        with pytest.raises(InputError, match=r"no layer 'sharde'\. did you mean 'shared'"):
            layer_grams(model, images, layers=["sharde"])

    @pytest.mark.parametrize("model", [nn.ReLU(), nn.Sequential(nn.Conv1d(3, 3, 3), nn.BatchNorm1d(3))], ids=str)
    def test_a_model_with_nothing_to_prune_is_told(self, model: nn.Module) -> None:
        with pytest.raises(InputError, match="has no layer to prune"):
            prunable_layers(model)


class Standardised(nn.Conv2d):
    """A convolution that does not use its weight as it is."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight - self.weight.mean(dim=(1, 2, 3), keepdim=True)
        return functional.conv2d(x, weight)


class Plain(nn.Linear):
    """A linear layer under another name."""


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.decoder = nn.Linear(4, 5, bias=False)
        self.decoder.weight = self.embedding.weight


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: parametrizations.weight_norm(nn.Linear(4, 4)), "remove_parametrizations"),
        (lambda: prune.l1_unstructured(nn.Linear(4, 4), "weight", amount=0.5), "computed from others"),
        (lambda: Standardised(4, 4, 1), "Standardised computes something else than Conv2d"),
        (lambda: nn.LazyLinear(4), "not initialised"),
        (lambda: nn.Conv2d(4, 8, 3, groups=4), "depthwise"),
        (lambda: nn.Conv3d(4, 4, 1), "neither nn.Conv2d nor nn.Linear"),
        (lambda: nn.ConvTranspose2d(4, 4, 1), "neither nn.Conv2d nor nn.Linear"),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_layers_that_cannot_be_pruned_say_why(make: Callable[[], nn.Module], reason: str) -> None:
    model = nn.Sequential(nn.Linear(4, 4), make())
    assert list(prunable_layers(model)) == ["0"]
    assert reason in excluded_layers(model)["1"]
    with pytest.raises(InputError, match=f"Layer '1' cannot be pruned: .*{reason}"):
        named_layers(model, ["1"], depthwise=False)


def test_a_weight_that_another_module_uses_is_left_alone() -> None:
    model = nn.Sequential(nn.Linear(4, 4), Tied())
    assert list(prunable_layers(model)) == ["0"]
    assert excluded_layers(model)["1.decoder"] == "its weight is shared by 1.embedding.weight and 1.decoder.weight"


def test_a_subclass_that_changes_nothing_is_pruned() -> None:
    assert list(prunable_layers(nn.Sequential(Plain(4, 4)))) == ["0"]


def test_grouped_convolutions_are_pruned_and_depthwise_ones_on_request() -> None:
    model = nn.Sequential(nn.Conv2d(4, 4, 3, groups=2), nn.Conv2d(4, 4, 3, groups=4))
    assert list(prunable_layers(model)) == ["0"]
    assert list(prunable_layers(model, depthwise=True)) == ["0", "1"]


@pytest.mark.parametrize(
    ("architecture", "layers", "depthwise"),
    [
        ("resnet18", 21, 0),  # 17 convolutions in the trunk, 3 shortcuts, fc
        ("mobilenet_v2", 36, 17),  # 17 blocks with a depthwise convolution each
        ("convnext_tiny", 41, 18),  # stem, 3 downsampling, 18 blocks of two linear layers, head
    ],
)
def test_networks_of_torchvision_have_their_layers(architecture: str, layers: int, depthwise: int) -> None:
    with torch.device("meta"):
        model = get_model(architecture)
    assert len(prunable_layers(model)) == layers
    assert list(excluded_layers(model).values()) == ["depthwise convolutions are not pruned"] * depthwise
