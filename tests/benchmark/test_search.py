import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmark import definition, scale, search
from benchmark.metrics.trojan_auc import trojan_auc
from benchmark.models.laboratory import Laboratory, Sample
from benchmark.models.network import SmallResNet
from benchmark.models.shape import Shape
from benchmark.search import Calibration, Found, Rules
from spade import saliency, sparsity, trace
from spade.errors import InputError
from spade.layers import prunable_layers
from spade.protocol import protocol
from spade.saliency import SETTINGS

RULES = Rules(
    solver="obc",
    protocol=replace(protocol("ours"), n_augmentations=16),
    settings=SETTINGS["ours"],
    groups=("fc", "layer4"),
    candidates=(0.5, 0.9),
)


@pytest.fixture(scope="module")
def laboratories() -> dict[int, Laboratory]:
    """A network nobody trained, and two samples of noise with a mask in a corner."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = SmallResNet(Shape(widths=(16, 16, 16, 32), stem_width=8), 5).eval()
    generator = torch.Generator().manual_seed(1)
    mask = torch.zeros(32, 32, dtype=torch.bool)
    mask[:8, :8] = True
    samples = tuple(
        Sample(f"calibration-{i}", torch.rand(3, 32, 32, generator=generator), mask, 0, 1, "star") for i in range(2)
    )
    return {7: Laboratory(network, "", 1.0, {}, (), samples, "trained", ())}


def test_a_candidate_scores_as_a_trace_made_from_scratch(laboratories: dict[int, Laboratory]) -> None:
    lab, ratios = laboratories[7], {"fc": 0.5, "layer4": 0.9}
    calibration = Calibration(laboratories, RULES)
    for bench, sample in zip(calibration.benches, lab.calibration_samples, strict=True):
        with trace.traced(
            lab.model,
            sample.image,
            ratios=sparsity.by_group(tuple(prunable_layers(lab.model)), ratios),
            normalise=lab.normalise,
            protocol=RULES.protocol,
            generator=torch.Generator().manual_seed(search._seed(bench.id, "augmentations")),
        ) as made:
            attribution = saliency.explain(
                "Saliency",
                saliency.prepare(made.model),
                lab.normalise(sample.image[None]),
                sample.target,
                generator=torch.Generator().manual_seed(0),
                settings=RULES.settings,
            )
        plain = trojan_auc(saliency.heatmap(attribution, RULES.protocol.map_channels), sample.mask)
        bench.score("InputXGradient", {"fc": 0.9})  # what was tried before must not show
        assert bench.score("Saliency", ratios) == pytest.approx(plain, abs=1e-6)


def test_the_search_keeps_the_best_of_what_it_tried_and_resumes(
    laboratories: dict[int, Laboratory], tmp_path: Path
) -> None:
    calibration = Calibration(laboratories, RULES)
    asked: list[int] = []
    state = tmp_path / "saliency.jsonl"
    found = calibration.search("Saliency", (), state=state, told=lambda _, done, __: asked.append(done))
    tried = {
        ratio: sum(b.score("Saliency", {"fc": ratio}) for b in calibration.benches) / 2 for ratio in (0.0, 0.5, 0.9)
    }
    assert found.score >= max(tried.values()) - 1e-9
    assert found.dense == pytest.approx(tried[0.0])
    first = len(asked)
    again = calibration.search("Saliency", (), state=state, told=lambda _, done, __: asked.append(done))
    assert again == found
    assert len(asked) == first


def test_a_calibration_sample_that_is_judged_on_is_refused(laboratories: dict[int, Laboratory]) -> None:
    calibration = Calibration(laboratories, RULES)
    with pytest.raises(InputError, match="both to choose ratios and to judge"):
        calibration.search("Saliency", calibration.ids[:1], state=None, told=lambda *_: None)


def test_networks_without_calibration_samples_are_refused(laboratories: dict[int, Laboratory]) -> None:
    empty = Laboratory(laboratories[7].model, "", 1.0, {}, (), (), "trained", ())
    with pytest.raises(InputError, match=r"samples\.calibration"):
        Calibration({7: empty}, RULES)


def test_the_ratios_file_reads_back() -> None:
    found = {"spade": [Found("LRP", {"fc": 0.9, "layer4": 0.0}, 0.95, 0.9), Found("LIME", {"fc": 0.0}, 0.8, 0.8)]}
    text = search.as_toml({"seeds": [100, 101], "date": "2026-01-01", "samples": 32}, found)
    read = tomllib.loads(text)
    assert read["ratios"] == {"spade": {"LRP": {"fc": 0.9}, "LIME": {}}}
    assert read["origin"] == {"seeds": [100, 101], "date": "2026-01-01", "samples": 32}


def test_more_ratios_are_added_behind_those_of_the_same_networks() -> None:
    origin = {"seeds": [100], "recipe_sha256": ["ab"], "date": "2026-01-01"}
    text = search.as_toml(origin, {"spade": [Found("LRP", {"fc": 0.9}, 0.95, 0.9)]})
    more = {"fastspade-few": [Found("LRP", {"fc": 0.2}, 0.95, 0.9, samples=5)]}
    read = tomllib.loads(search.added(text, origin, more))
    assert read == {"origin": origin, "ratios": {"spade": {"LRP": {"fc": 0.9}}, "fastspade-few": {"LRP": {"fc": 0.2}}}}
    with pytest.raises(InputError, match="has ratios 'spade' already"):
        search.added(text, origin, {"spade": []})
    with pytest.raises(InputError, match="other networks"):
        search.added(text, {**origin, "seeds": [101]}, more)


def test_part_of_a_calibration_is_the_first_samples_of_each_network(laboratories: dict[int, Laboratory]) -> None:
    whole = Calibration(laboratories, RULES)
    # three tenths of two samples, rounded up, is one
    assert whole.part(0.3).ids == whole.ids[:1]
    assert whole.part(0.3).benches[0] is whole.benches[0]


def test_what_a_search_maximises_is_what_the_tables_measure() -> None:
    insertion = search.rules(scale.load("mini"), "fastspade-insertion")
    assert (insertion.solver, insertion.metric) == ("sparsegpt", "insertion")
    assert insertion.metric_settings == definition.load("3").metric_settings
    assert search.rules(scale.load("mini"), "fastspade-few").metric == "trojan_auc"


def test_a_search_by_insertion_scores_with_the_dense_network(laboratories: dict[int, Laboratory]) -> None:
    settings = {"steps": 4, "baseline": "blank"}
    lab = laboratories[7]
    bench = Calibration(laboratories, replace(RULES, metric="insertion", metric_settings=settings)).benches[0]
    x = lab.normalise(lab.calibration_samples[0].image[None])
    answer = saliency.explain(
        "Saliency", lab.model, x, 1, generator=torch.Generator().manual_seed(0), settings=RULES.settings
    )
    ranks = saliency.heatmap(answer, RULES.protocol.map_channels).flatten().argsort(descending=True, stable=True)
    values = []
    for count in (0, 256, 512, 768, 1024):
        shown = torch.zeros(1024)
        shown[ranks[:count]] = 1
        with torch.no_grad():
            values.append(lab.model(x * shown.view(1, 1, 32, 32)).softmax(1)[0, 1].item())
    area = (values[0] / 2 + sum(values[1:4]) + values[4] / 2) / 4 / values[4]
    assert bench.score("Saliency", {}) == pytest.approx(area, abs=1e-5)
