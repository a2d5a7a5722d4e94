import copy
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import get_model
from torchvision.transforms.v2 import functional as tv

from spade import augment, layers, sparsity, trace
from spade.errors import InputError
from spade.layer_hessians import Work
from spade.layer_solutions import LayerSolutions, Solver, solve_together
from spade.protocol import PROTOCOLS
from spade.pruners import SOLVERS
from spade.trace import look, prepare, traced

N = 12  # augmentations: enough for these layers, few enough for a test
OURS = PROTOCOLS["ours"]


class Unseen(nn.Module):
    """Batch norm, dropout, a residual, a shared and a depthwise layer, functional operations, a layer never run."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.shared = nn.Conv2d(8, 8, 1)
        self.grouped = nn.Conv2d(8, 8, 3, stride=2, groups=2)
        self.idle = nn.Linear(8, 8)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.norm(self.stem(x)))
        x = x + self.shared(functional.relu(self.depthwise(x)))
        x = functional.relu(self.grouped(functional.relu(self.shared(x))))
        return self.head(self.dropout(x.mean(dim=(2, 3))))


@pytest.fixture
def model() -> Unseen:
    torch.manual_seed(0)
    model = Unseen().double()
    model(torch.rand(16, 3, 10, 10, dtype=torch.float64))  # moves the running statistics of batch norm
    return model.eval()


@pytest.fixture
def image() -> Tensor:
    return torch.rand(3, 10, 10, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def normalise(batch: Tensor) -> Tensor:
    return (batch - 0.5) / 0.25


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def augmented(image: Tensor) -> Tensor:
    return normalise(augment.augment(image, N, augmentation=OURS.augmentation, generator=seeded()))


RATIOS = {"stem": 0.5, "shared": 0.8, "grouped": 0.6, "head": 0.9}
OPTIONS: dict[str, Any] = {"normalise": normalise, "n_augmentations": N}


def plain_hessians(model: nn.Module, name: str, images: Tensor) -> Tensor:
    """The Hessians of a layer over all its runs, from inputs that are kept and unfolded."""
    layer = model.get_submodule(name)
    seen: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with torch.no_grad():
        model(images)
    hook.remove()
    if isinstance(layer, nn.Conv2d):
        padding = layer.padding if isinstance(layer.padding, tuple) else (0, 0)
        patches = [functional.unfold(x, layer.kernel_size, padding=padding, stride=layer.stride) for x in seen]
        columns = torch.cat([p.unflatten(1, (layer.groups, -1)).permute(1, 2, 0, 3).flatten(2) for p in patches], 2)
    else:
        columns = torch.cat(seen).T[None]
    return 2 / len(images) * columns @ columns.mT


def weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("solver", ["obc", "sparsegpt"])
class TestAgainstPlainPruning:
    def test_parallel_prunes_every_layer_to_its_inputs_in_the_dense_network(
        self, model: Unseen, image: Tensor, solver: Solver
    ) -> None:
        plain = copy.deepcopy(model)
        for name, ratio in RATIOS.items():
            layer = plain.get_submodule(name)
            assert isinstance(layer, nn.Conv2d | nn.Linear)
            hessians = plain_hessians(model, name, augmented(image))
            solved = LayerSolutions(layer, hessians, solver=solver, protocol=OURS).solve(ratio)
            layer.weight.data = solved.weight.view_as(layer.weight)
        with traced(model, image, ratios=RATIOS, solver=solver, **OPTIONS) as sparse:
            for name, tensor in weights(sparse.model).items():
                assert torch.allclose(tensor, weights(plain)[name], atol=1e-9), name

    def test_sequential_prunes_every_layer_to_its_inputs_behind_pruned_ones(
        self, model: Unseen, image: Tensor, solver: Solver
    ) -> None:
        ratios = {name: ratio for name, ratio in RATIOS.items() if name != "shared"}
        plain = copy.deepcopy(model)
        for name, ratio in ratios.items():
            layer = plain.get_submodule(name)
            assert isinstance(layer, nn.Conv2d | nn.Linear)
            hessians = plain_hessians(plain, name, augmented(image))
            solved = LayerSolutions(layer, hessians, solver=solver, protocol=OURS).solve(ratio)
            layer.weight.data = solved.weight.view_as(layer.weight)
        with traced(model, image, ratios=ratios, solver=solver, sequential=True, **OPTIONS) as sparse:
            for name, tensor in weights(sparse.model).items():
                assert torch.allclose(tensor, weights(plain)[name], atol=1e-9), name

    @pytest.mark.parametrize("sequential", [False, True])
    def test_the_sparsity_told_is_the_share_of_zeros(
        self, model: Unseen, image: Tensor, solver: Solver, *, sequential: bool
    ) -> None:
        with traced(model, image, ratios=RATIOS, solver=solver, sequential=sequential, **OPTIONS) as sparse:
            for name, told in sparse.sparsity.items():
                zeros = (sparse.model.get_submodule(name).weight == 0).double().mean()
                assert float(zeros) == pytest.approx(told)
                assert told >= RATIOS.get(name, 0.0)

    @pytest.mark.parametrize("sequential", [False, True])
    def test_at_ratio_zero_the_outputs_are_those_of_the_network_bit_for_bit(
        self, model: Unseen, image: Tensor, solver: Solver, *, sequential: bool
    ) -> None:
        images = augmented(image)
        with traced(
            model, image, ratios=dict.fromkeys(RATIOS, 0.0), solver=solver, sequential=sequential, **OPTIONS
        ) as sparse:
            assert torch.equal(sparse.model(images), model(images))
        assert torch.equal(prepare(model, image, **OPTIONS).sparse_model({"stem": 0})(images), model(images))


class TestTheGivenModelIsUntouched:
    @contextmanager
    def watched(self, model: nn.Module) -> Iterator[None]:
        """Fails when anything about the model differs at the end."""

        def everything() -> list[Any]:
            return [
                [(name, module.training, id(module)) for name, module in model.named_modules()],
                [(name, id(p), p.requires_grad, p.grad is None, p._version) for name, p in model.named_parameters()],
                [(name, id(b), b._version) for name, b in model.named_buffers()],
                [
                    len(getattr(module, hooks))
                    for module in model.modules()
                    for hooks in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
                ],
            ]

        before, bits = everything(), weights(model)
        yield
        assert everything() == before
        assert all(torch.equal(tensor, bits[name]) for name, tensor in model.state_dict().items())
        assert torch.is_grad_enabled()

    @pytest.mark.parametrize("sequential", [False, True])
    @pytest.mark.parametrize("training", [False, True])
    def test_after_a_trace(self, model: Unseen, image: Tensor, *, training: bool, sequential: bool) -> None:
        model.train(training)
        model.norm.eval()
        model.head.weight.requires_grad = False
        with (
            self.watched(model),
            traced(model, image, ratios=RATIOS, solver="sparsegpt", sequential=sequential, **OPTIONS) as sparse,
        ):
            assert not any(module.training for module in sparse.model.modules())
            assert torch.equal(sparse.model.norm.running_mean, model.norm.running_mean)  # type: ignore[arg-type]
            sparse.model(normalise(image[None])).sum().backward()
            assert not sparse.model.head.weight.requires_grad

    @pytest.mark.parametrize("sequential", [False, True])
    @pytest.mark.parametrize("failure", [InputError, RuntimeError, KeyboardInterrupt])
    def test_after_a_failure_in_the_solver(
        self,
        model: Unseen,
        image: Tensor,
        failure: type[BaseException],
        monkeypatch: pytest.MonkeyPatch,
        *,
        sequential: bool,
    ) -> None:
        calls: list[float] = []
        original = LayerSolutions._begun

        def second_fails(solutions: LayerSolutions, ratio: float) -> Any:
            calls.append(ratio)
            if len(calls) == 2:
                raise failure("in the middle")
            return original(solutions, ratio)

        monkeypatch.setattr(LayerSolutions, "_begun", second_fails)
        model.train()
        with (
            self.watched(model),
            pytest.raises(failure, match="in the middle"),
            traced(model, image, ratios=RATIOS, solver="sparsegpt", sequential=sequential, **OPTIONS),
        ):
            pass

    @pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
    def test_after_a_failure_while_the_trace_is_used(
        self, model: Unseen, image: Tensor, failure: type[BaseException]
    ) -> None:
        def use() -> None:
            with traced(model, image, ratios=RATIOS, solver="sparsegpt", **OPTIONS):
                raise failure

        with self.watched(model), pytest.raises(failure):
            use()

    def test_when_its_forward_pass_counts_in_a_buffer(self, image: Tensor) -> None:
        class Counting(nn.Module):
            passes: Tensor

            def __init__(self) -> None:
                super().__init__()
                self.head = nn.Linear(300, 2, dtype=torch.float64)
                self.register_buffer("passes", torch.zeros(()))

            def forward(self, x: Tensor) -> Tensor:
                self.passes += 1
                return self.head(x.flatten(1))

        model = Counting()
        with self.watched(model), traced(model, image, ratios={"head": 0.5}, solver="sparsegpt", **OPTIONS):
            pass


class TestPrepared:
    def test_ratios_tried_one_after_the_other_are_traces_of_their_own(self, model: Unseen, image: Tensor) -> None:
        prepared = prepare(model, image, solver="sparsegpt", **OPTIONS)
        for ratios in (RATIOS, {"head": 0.5}, {}):
            with traced(model, image, ratios=ratios, solver="sparsegpt", **OPTIONS) as sparse:
                tried = prepared.sparse_model(ratios)
                for name, tensor in weights(sparse.model).items():
                    assert torch.equal(tensor, weights(tried)[name]), name

    def test_two_sparse_models_share_no_tensor(self, model: Unseen, image: Tensor) -> None:
        prepared = prepare(model, image, solver="sparsegpt", **OPTIONS)
        first, second = prepared.sparse_model(RATIOS), prepared.sparse_model(RATIOS)
        expected = weights(second)
        with torch.no_grad():
            for tensor in first.state_dict().values():
                tensor.zero_()
        assert all(torch.equal(tensor, expected[name]) for name, tensor in second.state_dict().items())
        assert all(torch.equal(t, expected[name]) for name, t in weights(prepared.sparse_model(RATIOS)).items())

    def test_a_rewritten_model_is_the_sparse_model_of_the_new_ratios(self, model: Unseen, image: Tensor) -> None:
        prepared = prepare(model, image, solver="sparsegpt", **OPTIONS)
        sparse = prepared.sparse_model(RATIOS)
        parameters = list(sparse.parameters())
        prepared.rewrite(sparse, {"head": 0.5})
        expected = weights(prepared.sparse_model({"head": 0.5}))
        assert all(torch.equal(tensor, expected[name]) for name, tensor in sparse.state_dict().items())
        assert all(old is new for old, new in zip(parameters, sparse.parameters(), strict=True))

    def test_only_a_model_of_its_own_is_rewritten(self, model: Unseen, image: Tensor) -> None:
        prepared = prepare(model, image, solver="sparsegpt", **OPTIONS)
        other = copy.deepcopy(model)
        other.head = nn.Identity()  # type: ignore[assignment]
        with pytest.raises(InputError, match="not made by `sparse_model`"):
            prepared.rewrite(other, RATIOS)

    def test_names_of_modules_and_tensors_are_those_of_the_network(self, model: Unseen, image: Tensor) -> None:
        sparse = prepare(model, image, solver="sparsegpt", **OPTIONS).sparse_model(RATIOS)
        assert [n for n, _ in sparse.named_modules()] == [n for n, _ in model.named_modules()]
        assert list(sparse.state_dict()) == list(model.state_dict())
        assert type(sparse) is type(model)

    def test_hooks_on_a_sparse_model_see_its_gradients(self, model: Unseen, image: Tensor) -> None:
        sparse = prepare(model, image, solver="sparsegpt", **OPTIONS).sparse_model({"stem": 0.5, "head": 0.5})
        seen: list[Tensor] = []
        sparse.get_submodule("norm").register_full_backward_hook(lambda _, __, out: seen.append(out[0]))
        x = normalise(image[None]).requires_grad_()
        sparse(x).sum().backward()
        assert seen
        assert x.grad is not None
        assert x.grad.abs().sum() > 0

    def test_layers_at_ratio_zero_are_never_solved(
        self, model: Unseen, image: Tensor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prepared = prepare(model, image, **OPTIONS)
        monkeypatch.setattr(LayerSolutions, "_obc", lambda _: pytest.fail("solved"))
        prepared.sparse_model(dict.fromkeys(prepared.layers, 0.0))
        assert prepared.solve("stem", 0).sparsity == 0

    def test_layers_are_in_the_order_of_execution_and_the_others_say_why(self, model: Unseen, image: Tensor) -> None:
        prepared = prepare(model, image, **OPTIONS)
        assert prepared.layers == ("stem", "shared", "grouped", "head")
        assert prepared.excluded == {
            "depthwise": "depthwise convolutions are not pruned",
            "idle": "it never ran on this image",
        }

    def test_excluded_layers_stay_dense_whatever_their_ratio(self, model: Unseen, image: Tensor) -> None:
        prepared = prepare(model, image, solver="sparsegpt", **OPTIONS)
        sparse = prepared.sparse_model({"depthwise": 0.9, "idle": 0.9})
        assert all(torch.equal(tensor, weights(model)[name]) for name, tensor in sparse.state_dict().items())
        with pytest.raises(InputError, match="'depthwise' cannot be pruned: depthwise convolutions"):
            prepared.solve("depthwise", 0.9)

    def test_only_the_layers_wanted_are_prepared(self, model: Unseen, image: Tensor) -> None:
        prepared = prepare(model, image, layers=["head"], solver="sparsegpt", **OPTIONS)
        assert prepared.layers == ("head",)
        achieved, _ = prepared.outcome({"head": 0.5, "stem": 0})
        assert achieved == {"head": 0.5, "stem": 0, "shared": 0, "grouped": 0, "idle": 0}
        with pytest.raises(InputError, match="'stem' cannot be pruned: it was not among"):
            prepared.sparse_model({"stem": 0.5})

    def test_ratios_by_rule_fit_the_layers(self, model: Unseen, image: Tensor) -> None:
        prepared = prepare(model, image, solver="sparsegpt", **OPTIONS)
        achieved, _ = prepared.outcome(sparsity.linear(prepared.layers))
        # 0, .33, .66 and .99 move to 0, .4, .6 and .99 of 216, 64, 288 and 32 weights: 26, 173 and 32 go.
        assert achieved == {"stem": 0, "shared": 26 / 64, "grouped": 173 / 288, "head": 1}


class TestWhatATraceDependsOn:
    def run(self, model: nn.Module, image: Tensor, **options: Any) -> dict[str, Tensor]:
        with traced(model, image, ratios=RATIOS, solver="sparsegpt", **(OPTIONS | options)) as sparse:
            return weights(sparse.model)

    def test_not_the_batch_size(self, model: Unseen, image: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = self.run(model, image)
        for size in (1, 5):
            monkeypatch.setattr(trace, "_BATCH", size)
            assert all(torch.allclose(t, whole[name], atol=1e-9) for name, t in self.run(model, image).items())

    def test_not_the_global_generator(self, model: Unseen, image: Tensor) -> None:
        whole, state = self.run(model, image), torch.get_rng_state()
        assert torch.equal(torch.get_rng_state(), state)
        torch.manual_seed(99)
        assert all(torch.equal(t, whole[name]) for name, t in self.run(model, image).items())

    def test_the_generator_given(self, model: Unseen, image: Tensor) -> None:
        default = self.run(model, image)
        assert torch.equal(self.run(model, image, generator=seeded(0))["head.weight"], default["head.weight"])
        assert not torch.equal(self.run(model, image, generator=seeded(1))["head.weight"], default["head.weight"])

    def test_the_image(self, model: Unseen, image: Tensor) -> None:
        assert not torch.equal(self.run(model, 1 - image)["head.weight"], self.run(model, image)["head.weight"])

    def test_the_number_of_augmentations_of_the_protocol(self, model: Unseen, image: Tensor) -> None:
        protocol = replace(OURS, n_augmentations=N)
        by_protocol = self.run(model, image, protocol=protocol, n_augmentations=None)
        assert torch.equal(by_protocol["head.weight"], self.run(model, image)["head.weight"])

    def test_single_precision_images_are_as_good(self, model: Unseen, image: Tensor) -> None:
        double, single = self.run(model, image), self.run(model, image.float())
        assert torch.allclose(single["head.weight"], double["head.weight"], atol=1e-4)


def test_the_official_protocol_leaves_the_first_convolution_alone(model: Unseen, image: Tensor) -> None:
    with traced(
        model, image, ratios=dict.fromkeys(RATIOS, 0.5), protocol="official", solver="sparsegpt", **OPTIONS
    ) as sparse:
        assert torch.equal(sparse.model.stem.weight, model.stem.weight)  # type: ignore[arg-type]
        assert sparse.excluded["stem"] == "protocol 'official' does not prune the first convolution"
        assert sparse.sparsity["head"] > 0


def test_sequential_pruning_says_when_a_layer_runs_again(model: Unseen, image: Tensor) -> None:
    with traced(model, image, ratios=RATIOS, sequential=True, solver="sparsegpt", **OPTIONS) as sparse:
        assert sparse.fallbacks == {"shared": ("pruned at the first of its 2 runs",)}


def test_fall_backs_of_the_solver_are_told(model: Unseen, image: Tensor) -> None:
    # One image seen once gives the head one row of inputs: its Hessian has rank 1, and no damping is asked for.
    protocol = replace(OURS, obc_damping=0.0, augmentation="none")
    options = OPTIONS | {"n_augmentations": 1}
    with traced(model, image, ratios={"head": 0.5}, protocol=protocol, **options) as sparse:
        assert "singular Hessian" in sparse.fallbacks["head"][0]


class TestBadInput:
    def test_an_unknown_layer_is_answered_with_its_neighbour(self, model: Unseen, image: Tensor) -> None:
        with pytest.raises(InputError, match=r"no layer 'stam'\. did you mean 'stem'"):
            self.attempt(model, image, ratios={"stam": 0.5})
        with pytest.raises(InputError, match=r"no layer 'stam'\. did you mean 'stem'"):
            prepare(model, image, layers=["stam"], **OPTIONS)

    @pytest.mark.parametrize("ratio", [-0.1, 1.5, float("nan"), None])
    def test_a_ratio_that_is_no_share(self, model: Unseen, image: Tensor, ratio: Any) -> None:
        with pytest.raises(InputError, match="'stem' is the share of weights to remove"):
            self.attempt(model, image, ratios={"stem": ratio})

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"solver": "obs"}, "no solver 'obs'. did you mean 'obc'"),
            ({"protocol": "offical"}, "'offical'. did you mean 'official'"),
            ({"n_augmentations": 0}, "1 variant or more"),
        ],
    )
    def test_unknown_options(self, model: Unseen, image: Tensor, options: dict[str, Any], sentence: str) -> None:
        with pytest.raises(InputError, match=sentence):
            self.attempt(model, image, **options)

    def test_what_is_no_image(self, model: Unseen, image: Tensor) -> None:
        for wrong, sentence in (
            (image[None], "channels, height, width"),
            (image * 255, r"values in \[0, 1\]"),
            (image * torch.nan, r"values in \[0, 1\]"),
            (image[:1], "Unseen does not take a batch"),
        ):
            with pytest.raises(InputError, match=sentence):
                self.attempt(model, wrong)

    def test_activations_that_are_not_finite(self, model: Unseen, image: Tensor) -> None:
        for sequential in (False, True):
            with pytest.raises(InputError, match="inputs of layer 'stem' hold NaN"):
                self.attempt(model, image, normalise=lambda batch: batch / 0, solver="sparsegpt", sequential=sequential)

    def test_a_model_with_nothing_to_prune(self, image: Tensor) -> None:
        with pytest.raises(InputError, match="ReLU has no layer to prune"):
            self.attempt(nn.ReLU(), image)

    def test_a_model_whose_layers_never_run(self, image: Tensor) -> None:
        class Bypassing(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.head = nn.Linear(300, 2, dtype=torch.float64)

            def forward(self, x: Tensor) -> Tensor:
                return functional.linear(x.flatten(1), self.head.weight)

        for sequential in (False, True):
            with pytest.raises(InputError, match="None of the layers head ran"):
                self.attempt(Bypassing(), image, ratios={"head": 0.5}, sequential=sequential)

    def test_a_model_that_cannot_be_copied(self, model: Unseen, image: Tensor) -> None:
        vars(model)["source"] = (number for number in range(3))  # Python copies no generator
        with pytest.raises(InputError, match="Unseen cannot be copied"):
            self.attempt(model, image)

    def attempt(self, model: nn.Module, image: Tensor, **options: Any) -> None:
        with traced(model, image, **({"ratios": RATIOS} | OPTIONS | options)):
            pass


@pytest.mark.parametrize("solver", ["obc", "sparsegpt"])
@pytest.mark.parametrize(
    ("architecture", "ratios", "depthwise"),
    [
        ("resnet18", {"layer1.0.conv1": 0.8, "fc": 0.9}, 0),
        ("resnet50", {"layer1.0.conv2": 0.8, "layer1.0.downsample.0": 0.9}, 0),
        ("mobilenet_v2", {"features.18.0": 0.8, "features.2.conv.2": 0.9}, 17),
        ("convnext_tiny", {"features.1.0.block.3": 0.8, "features.2.1": 0.9}, 18),
        ("resnext50_32x4d", {"layer1.0.conv2": 0.8}, 0),
    ],
)
def test_networks_of_torchvision_are_traced(
    architecture: str, ratios: dict[str, float], depthwise: int, solver: Solver
) -> None:
    torch.manual_seed(0)
    model = get_model(architecture, num_classes=10).eval()
    image = torch.rand(3, 48, 48)
    before = weights(model)
    if solver == "obc":  # the last of the two layers is enough for the slower solver
        ratios = dict([ratios.popitem()]) if len(ratios) > 1 else ratios
    with traced(model, image, ratios=ratios, solver=solver, n_augmentations=8) as sparse:
        assert {name for name, share in sparse.sparsity.items() if share} == set(ratios)
        assert all(sparse.sparsity[name] == pytest.approx(ratio, abs=1e-3) for name, ratio in ratios.items())
        assert len(sparse.excluded) == depthwise
        changed = {name for name, t in sparse.model.state_dict().items() if not torch.equal(t, before[name])}
        assert changed == {f"{name}.weight" for name in ratios}
        assert sparse.model(image[None]).isfinite().all()
        assert sparse.seconds > 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_photograph_is_traced_through_a_trained_network(shared_data: Path) -> None:
    model = get_model("mobilenet_v2").eval()
    model.load_state_dict(load_file(shared_data / "imagenet_like" / "mobilenet_v2.safetensors"))
    file = min((shared_data / "imagenet_like" / "images").glob("*/*.jpg"))
    with Image.open(file) as photograph:
        picture = tv.center_crop(tv.resize(tv.pil_to_tensor(photograph.convert("RGB")), [256]), [224])
    names = ["features.17.conv.2", "classifier.1"]
    prepared = prepare(model, picture, normalise=normalise_half, solver="sparsegpt", layers=names, n_augmentations=16)
    variants = augment.augment(picture, 16, augmentation=OURS.augmentation, generator=seeded())
    hessians = layers.layer_grams(model, normalise_half(variants), layers=names)
    for name in names:
        # What the trace is for: the layer's outputs on this photograph, kept better than by the largest weights.
        weight = model.get_submodule(name).weight.detach().flatten(1).double()
        solved = prepared.solve(name, 0.8)
        count = int((~solved.kept).sum())
        largest = weight.masked_fill(weight.abs() <= weight.abs().flatten().kthvalue(count).values, 0)
        losses = [
            float(((weight - sparse) @ hessians[name][0] * (weight - sparse)).sum())
            for sparse in (solved.weight.double(), largest, torch.zeros_like(weight))
        ]
        assert losses[0] < losses[1] / 2 < losses[2]
    dense, thin = model(x := normalise_half(picture[None] / 255)), prepared.sparse_model({names[0]: 0.5})(x)
    assert int(dense.argmax()) == int(thin.argmax())


def normalise_half(batch: Tensor) -> Tensor:
    return (batch - 0.5) / 0.5


@pytest.mark.parametrize("name", ["ours", "official"])
def test_both_solvers_share_one_look_and_give_what_they_give_alone(model: Unseen, image: Tensor, name: str) -> None:
    work: Work = Counter()
    shared = look(model, image, protocol=name, layers=RATIOS, generator=seeded(), work=work, **OPTIONS)
    alone: Work = Counter()
    for solver in SOLVERS:
        prepared = shared.prepared(solver)
        own = prepare(model, image, protocol=name, solver=solver, generator=seeded(), work=alone, **OPTIONS)
        for ratios in (RATIOS, dict.fromkeys(RATIOS, 0.5)):
            expected = weights(own.sparse_model({layer: r for layer, r in ratios.items() if layer in own.layers}))
            for key, tensor in weights(prepared.sparse_model(ratios)).items():
                assert torch.equal(tensor, expected[key]), key
    assert work["traces"] == alone["traces"] == 4
    # Five groups: stem, shared, head, and two of the grouped convolution. The official protocol keeps the stem, damps
    # the solvers differently, and permutes the columns of 3x3 convolutions.
    assert work["hessians"] == (5 if name == "ours" else 4)
    assert work["factorisations"] == (5 if name == "ours" else 8)
    assert alone["hessians"] == 2 * work["hessians"]
    assert alone["factorisations"] == (10 if name == "ours" else 8)
    assert work["eliminations"] == alone["eliminations"] == work["hessians"]


def test_several_images_solved_together_have_the_bits_they_have_alone(model: Unseen, image: Tensor) -> None:
    model.float()
    images = [image.float(), image.flip(1).float(), image.flip(2).float()]
    together = [prepare(model, one, solver="sparsegpt", generator=seeded(), **OPTIONS) for one in images]
    solve_together([pair for each in together for pair in each.solutions(RATIOS)])
    for one, prepared in zip(images, together, strict=True):
        alone = prepare(model, one, solver="sparsegpt", generator=seeded(), **OPTIONS)
        for layer, ratio in RATIOS.items():
            assert torch.equal(prepared.solve(layer, ratio).weight, alone.solve(layer, ratio).weight), layer


def test_progress_is_told_after_every_batch(model: Unseen, image: Tensor) -> None:
    told: list[int] = []
    look(model, image, n_augmentations=130, normalise=normalise, watch=told.append)
    assert told == [64, 128, 130]
