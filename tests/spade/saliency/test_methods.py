import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from spade.errors import InputError
from spade.saliency import METHODS, SETTINGS, Settings, explain, prepare

QUICK = Settings(integration_steps=3, shap_samples=3, lime_samples=12, lime_segments=4, occlusion_stride=3 / 16)
NAMES = [
    "Saliency",
    "InputXGradient",
    "DeepLift",
    "LRP",
    "GuidedBackprop",
    "GuidedGradCam",
    "LIME",
    "Occlusion",
    "IntegratedGradients",
    "GradientShap",
]


def test_the_ten_methods_are_the_papers() -> None:
    assert list(METHODS) == NAMES


def _state(model: nn.Module) -> list[object]:
    """Everything about a model that a method could leave changed, tensors by value."""
    state: list[object] = []
    for name, module in model.named_modules():
        hooks = [len(value) for key, value in sorted(vars(module).items()) if "hooks" in key and value is not None]
        state.append(
            (name, type(module), module.training, sorted(vars(module)), hooks, getattr(module, "inplace", None))
        )
    for name, tensor in model.state_dict(keep_vars=True).items():
        state.append((name, id(tensor), tensor.requires_grad, tensor.grad is None, tensor.detach().numpy().tobytes()))
    return state


@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize("name", ["bottlenecks", "basic_blocks"])
def test_the_model_and_the_image_are_as_before_after_every_method(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator, method: str, name: str
) -> None:
    model = network(name)
    model.train()  # as a caller may have left it
    before, picture = _state(model), image.clone()
    attribution = explain(method, model, image, 2, generator=generator, settings=QUICK)
    assert _state(model) == before
    assert torch.equal(image, picture)
    assert not image.requires_grad
    assert attribution.values.shape == (3, 16, 16)
    assert attribution.values.dtype == torch.float32
    assert not attribution.values.requires_grad
    assert method == "GuidedGradCam" or attribution.values.abs().max() > 0  # a class map may be all negative
    assert attribution.seconds > 0


@pytest.mark.parametrize("method", NAMES)
def test_a_preparation_carries_nothing_from_one_method_to_the_next(
    network: Callable[[str], nn.Module], image: torch.Tensor, method: str
) -> None:
    model = network("bottlenecks")
    prepared = prepare(model)
    for other in NAMES:
        explain(other, prepared, image, 0, generator=torch.Generator().manual_seed(1), settings=QUICK)
    assert not any(module._forward_hooks for module in prepared.network.modules())
    again = explain(method, prepared, image, 2, generator=torch.Generator().manual_seed(2), settings=QUICK).values
    fresh = explain(method, model, image, 2, generator=torch.Generator().manual_seed(2), settings=QUICK).values
    assert torch.equal(again, fresh)


@pytest.mark.parametrize("method", NAMES)
def test_the_model_is_as_before_after_a_failure(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator, method: str
) -> None:
    model = network("bottlenecks")
    with torch.no_grad():
        model.fc.weight[1, 0] = float("nan")
    before = _state(model)
    with pytest.raises(InputError):
        explain(method, model, image, 1, generator=generator, settings=QUICK)
    assert _state(model) == before


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.random])
def test_random_methods_follow_the_generator_and_give_the_global_ones_back(
    network: Callable[[str], nn.Module], image: torch.Tensor, method: str
) -> None:
    model = network("relu")
    torch.manual_seed(1)
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    maps = [
        explain(method, model, image, 1, generator=torch.Generator().manual_seed(seed), settings=QUICK).values
        for seed in (4, 4, 5)
    ]
    assert torch.equal(maps[0], maps[1])
    assert not torch.equal(maps[0], maps[2])
    assert torch.equal(torch.get_rng_state(), state)
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if not method.random])
def test_methods_without_randomness_draw_nothing(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator, method: str
) -> None:
    state = generator.get_state()
    explain(method, network("bottlenecks"), image, 1, generator=generator, settings=QUICK)
    assert torch.equal(generator.get_state(), state)


@pytest.mark.parametrize("method", ["DeepLift", "LRP", "IntegratedGradients", "GradientShap"])
def test_complete_methods_report_their_error(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator, method: str
) -> None:
    attribution = explain(method, network("bottlenecks"), image, 1, generator=generator)
    total = float(attribution.values.double().sum())
    assert attribution.delta == pytest.approx(total - attribution.expected, abs=1e-4)


@pytest.mark.parametrize(
    "method", ["Saliency", "InputXGradient", "GuidedBackprop", "GuidedGradCam", "LIME", "Occlusion"]
)
def test_other_methods_have_no_error_to_report(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator, method: str
) -> None:
    attribution = explain(method, network("relu"), image, 1, generator=generator, settings=QUICK)
    assert np.isnan(attribution.delta)
    assert np.isnan(attribution.expected)


def test_an_unknown_method_is_answered_with_near_names(image: torch.Tensor, generator: torch.Generator) -> None:
    with pytest.raises(InputError, match=r"'guidedgradcam' is unknown: did you mean 'GuidedGradCam'"):
        explain("guidedgradcam", nn.Identity(), image, 0, generator=generator)


@pytest.mark.parametrize("target", [-1, 4])
def test_a_class_out_of_range_is_answered_with_the_range(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator, target: int
) -> None:
    with pytest.raises(InputError, match=r"out of range: the network knows classes 0 to 3"):
        explain("Saliency", network("relu"), image, target, generator=generator)


@pytest.mark.parametrize(
    "x", [torch.zeros(3, 8, 8), torch.zeros(2, 3, 8, 8), torch.zeros(1, 3, 8, 8, dtype=torch.uint8)]
)
def test_what_is_not_one_image_is_refused(x: torch.Tensor, generator: torch.Generator) -> None:
    with pytest.raises(InputError, match="needs one image"):
        explain("Saliency", nn.Identity(), x, 0, generator=generator)


def test_an_image_with_nan_is_refused(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    image[0, 0, 0, 0] = float("nan")
    with pytest.raises(InputError, match="NaN or infinite"):
        explain("Saliency", network("relu"), image, 0, generator=generator)


def test_a_wrong_number_of_channels_is_told_by_shape(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    with pytest.raises(InputError, match=r"cannot take an input of shape \[1, 1, 16, 16\]"):
        explain("Saliency", network("relu"), image[:, :1], 0, generator=generator)


def test_a_network_that_does_not_answer_with_scores_is_refused(image: torch.Tensor, generator: torch.Generator) -> None:
    with pytest.raises(InputError, match=r"answers one image with shape \[1, 3, 16, 16\]"):
        explain("Saliency", nn.Identity(), image, 0, generator=generator)


def test_weights_with_nan_are_told_apart_from_a_dark_map(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    model = copy.deepcopy(network("relu"))
    with torch.no_grad():
        model[0].weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(InputError, match="score for class 0 is nan"):
        explain("Saliency", model, image, 0, generator=generator)


@pytest.mark.parametrize(
    "change", [{"lime_samples": 0}, {"occlusion_window": 0.0}, {"occlusion_stride": 1.5}, {"shap_noise": -0.1}]
)
def test_settings_no_method_can_use_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(change))):
        replace(SETTINGS["ours"], **change)  # type: ignore[arg-type]
