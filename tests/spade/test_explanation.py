import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from spade.errors import InputError
from spade.explanation import Question, estimated_seconds, explanation, layer_costs
from spade.layer_solutions import Solver
from spade.protocol import protocol
from spade.saliency import METHODS, Answer, Method, explain, heatmap
from spade.trace import traced


def _identity(images: torch.Tensor) -> torch.Tensor:
    return images


@pytest.fixture
def model() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(32, 5),
        ).eval()


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))


QUESTION = Question(
    methods=("Saliency", "LIME"),
    ratios={"2": 0.5, "6": 0.8},
    solver="obc",
    protocol="ours",
    n_augmentations=16,
    seed=4,
)


@pytest.mark.parametrize("solver", ["obc", "sparsegpt"])
def test_maps_are_those_of_the_network_and_of_its_trace(model: nn.Module, image: torch.Tensor, solver: Solver) -> None:
    answer = explanation(model, image, replace(QUESTION, solver=solver), normalise=_identity)
    generator = torch.Generator().manual_seed(4)
    with traced(
        model,
        image,
        ratios=QUESTION.ratios,
        solver=solver,
        n_augmentations=16,
        generator=generator,
    ) as trace:
        networks = {"dense": model, "sparse": trace.model}
        assert {name: value for name, value in answer.sparsity.items() if value} == {
            name: value for name, value in trace.sparsity.items() if value
        }
    assert [pair.method for pair in answer.pairs] == ["Saliency", "LIME"]
    for pair in answer.pairs:
        for which, network in networks.items():
            found = explain(
                pair.method, network, image[None], answer.target, generator=torch.Generator().manual_seed(4)
            )
            torch.testing.assert_close(getattr(pair, which), heatmap(found, protocol(QUESTION.protocol).map_channels))


def test_the_network_is_untouched(model: nn.Module, image: torch.Tensor) -> None:
    before = copy.deepcopy(model.state_dict())
    explanation(model, image, QUESTION, normalise=_identity)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_the_target_is_what_the_network_predicts_unless_told(model: nn.Module, image: torch.Tensor) -> None:
    with torch.no_grad():
        scores = model(image[None])[0]
    answer = explanation(model, image, QUESTION, normalise=_identity)
    assert answer.target == answer.dense.top == int(scores.argmax())
    assert answer.dense.top_probability == pytest.approx(float(scores.softmax(0).max()))
    told = explanation(model, image, replace(QUESTION, target=3), normalise=_identity)
    assert told.target == 3
    assert told.dense.target_probability == pytest.approx(float(scores.softmax(0)[3]))


@pytest.mark.parametrize("target", [-1, 5])
def test_a_target_out_of_range_is_answered_with_the_range(model: nn.Module, image: torch.Tensor, target: int) -> None:
    with pytest.raises(InputError, match="classes 0 to 4"):
        explanation(model, image, replace(QUESTION, target=target), normalise=_identity)


def test_without_ratios_both_maps_are_equal(model: nn.Module, image: torch.Tensor) -> None:
    answer = explanation(model, image, replace(QUESTION, ratios={"2": 0.0}), normalise=_identity)
    assert answer.kept
    for pair in answer.pairs:
        assert pair.dense is not None
        assert pair.sparse is not None
        assert torch.equal(pair.dense, pair.sparse)


def test_a_method_that_cannot_run_has_its_reason(image: torch.Tensor, model: nn.Module) -> None:
    smooth = nn.Sequential(*[nn.GELU() if isinstance(module, nn.ReLU) else module for module in model.children()])
    answer = explanation(smooth, image, replace(QUESTION, methods=("LRP", "Saliency")), normalise=_identity)
    assert answer.pairs[0].dense is None
    assert "rules are defined for ReLU networks" in answer.pairs[0].reason
    assert answer.pairs[1].reason == ""


def test_a_method_that_breaks_costs_its_own_panels_alone(
    image: torch.Tensor, model: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> Answer:
        raise AssertionError("hooks were in\nanother order")

    monkeypatch.setitem(METHODS, "DeepLift", Method(broken, "gradient"))
    answer = explanation(model, image, replace(QUESTION, methods=("DeepLift", "Saliency")), normalise=_identity)
    assert (answer.pairs[0].dense, answer.pairs[0].sparse) == (None, None)
    assert answer.pairs[0].reason == "DeepLift failed: AssertionError: hooks were in"
    assert answer.pairs[1].dense is not None


def test_progress_runs_from_nothing_to_all_and_names_each_layer_and_method(
    model: nn.Module, image: torch.Tensor
) -> None:
    seen: dict[str, list[float]] = {}
    worked_on: dict[str, list[str]] = {}

    def watch(stage: str, share: float, at: str) -> None:
        seen.setdefault(stage, []).append(share)
        worked_on.setdefault(stage, []).append(at)

    explanation(model, image, QUESTION, normalise=_identity, watch=watch)
    for shares in seen.values():
        assert shares[0] == 0
        assert shares[-1] == pytest.approx(1)
        assert shares == sorted(shares)
    assert list(seen) == ["look", "trace", "maps"]
    assert worked_on["look"] == ["16 augmentations", "16 of 16 augmentations", ""]
    assert worked_on["trace"] == ["2, layer 1 of 2", "6, layer 2 of 2", ""]
    assert worked_on["maps"] == ["Saliency", "LIME", ""]


class _Answering(nn.Module):
    """Puts the scores into a dictionary, as many libraries do."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": self.model(x)}


def test_a_network_that_gives_no_row_of_scores_is_refused_before_anything_is_pruned(
    model: nn.Module, image: torch.Tensor
) -> None:
    stages: list[str] = []
    ratios = {f"model.{name}": ratio for name, ratio in QUESTION.ratios.items()}
    with pytest.raises(InputError, match="answers one image with dict; saliency methods need one row of scores"):
        explanation(
            _Answering(model),
            image,
            replace(QUESTION, ratios=ratios),
            normalise=_identity,
            watch=lambda stage, *_: stages.append(stage),
        )
    assert not stages


def test_scores_that_are_not_finite_are_told(model: nn.Module, image: torch.Tensor) -> None:
    with torch.no_grad():
        model[6].bias[0] = float("nan")
    with pytest.raises(InputError, match="scores that are NaN"):
        explanation(model, image, QUESTION, normalise=_identity)


def test_costs_follow_rows_and_the_cube_of_columns(model: nn.Module) -> None:
    # Layer 2 is 8 x 72, layer 6 is 5 x 32; layer 0 keeps all its weights.
    assert layer_costs(model, QUESTION.ratios, "obc") == {
        "2": pytest.approx(2 / 3 * 8 * 72**3),
        "6": pytest.approx(2 / 3 * 5 * 32**3),
    }
    assert layer_costs(model, QUESTION.ratios, "sparsegpt") == {"2": 72**3, "6": 32**3}
    assert estimated_seconds({"a": 15e9, "b": 15e9}, threads=2) == pytest.approx(1.0)
