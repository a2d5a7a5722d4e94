"""Parts that do wrong on purpose: the kit names it, a run says it in one sentence, and nothing else is lost."""

import re

import numpy as np
import pytest
from click.testing import CliRunner
from installed_packages import Site
from small_run import small_run

from benchmark import cli, definition, policy, verdict
from benchmark.datasets import source
from benchmark.scale import load
from spade import pruners
from spade.errors import InputError

PRUNER = """
import torch
from spade.pruners import Pruner
calls = []
def prune(weight, hessian, ratio):
    mask = weight.abs() > weight.abs().flatten().quantile(ratio)
    {body}
PART = Pruner("unruly", prune)
"""

DATASET = """
import numpy as np
from benchmark.datasets.dataset import DataSet
calls = []
def make(settings, generator):
    colours = generator.integers(0, 256, (6, 3, 1, 1))
    def draw(labels, part, rng):
        images = np.clip(colours[labels] + rng.integers(-9, 9, (len(labels), 3, 20, 20)), 0, 255).astype(np.uint8)
        {body}
    return draw
PART = DataSet("unruly", 6, 20, make)
"""

SALIENCY = """
import torch
from spade.saliency import Answer, Method
calls = []
def compute(query):
    x = query.leaf
    values = torch.autograd.grad(query.network(x)[0, query.target], x)[0]
    {body}
PART = Method(compute, "gradient", random=False)
"""

METRIC = """
import numpy as np
from benchmark.metrics.metric import Metric
calls = []
def score(heatmap, evidence, **_):
    value = float(heatmap[evidence.mask].mean() - heatmap[~evidence.mask].mean())
    {body}
PART = Metric("unruly", score, "higher", "trojan")
"""

SOURCES = {"pruner": PRUNER, "dataset": DATASET, "saliency": SALIENCY, "metric": METRIC}

RIGHT = {
    "pruner": "return weight * mask",
    "dataset": "return images",
    "saliency": "return Answer(values)",
    "metric": "return value",
}

WRONG = [
    ("pruner", "return (weight * mask)[:-1]", "shape and dtype of the weights"),
    ("pruner", "return (weight * mask).double()", "shape and dtype of the weights"),
    ("pruner", "return weight / 0", "finite weights"),
    ("pruner", "return None", "it prunes a layer"),
    ("pruner", "raise RuntimeError('no idea')", "it prunes a layer"),
    ("pruner", "return weight.mul_(mask)", "weights and Hessian are not changed"),
    ("pruner", "hessian.add_(1); return weight * mask", "weights and Hessian are not changed"),
    ("pruner", "calls.append(1); return weight * mask * len(calls)", "the same layer gives the same weights"),
    ("pruner", "return weight * (torch.rand_like(weight) > ratio)", "no randomness but its arguments'"),
    ("pruner", "return weight * ~mask", "less harm than removing the largest weights"),
    ("pruner", "return weight.clone()", "the asked share of the weights is exactly 0"),
    ("pruner", "torch.linalg.inv(hessian); return weight * mask + 0 * torch.linalg.inv(hessian).sum().float()",
     "a dead input, whose Hessian is singular"),
    ("dataset", "return images[:, :, :-1]", "it draws images"),
    ("dataset", "return images * np.nan", "it draws images"),
    ("dataset", "return list(images)", "it draws images"),
    ("dataset", "raise OSError('no such disk')", "it draws images"),
    ("dataset", "calls.append(1); images[0, 0, 0, 0] = len(calls); return images",
     "the same generators give the same images"),
    ("dataset", "return (images + np.random.randint(0, 9)).astype(np.uint8)", "no randomness but the generators'"),
    ("dataset", "labels[:] = 0; return images", "labels and settings are not changed"),
    ("dataset", "return colours[labels].repeat(20, 2).repeat(20, 3).astype(np.uint8)",
     "train, test, calibration and fresh have no image in common"),
    ("dataset", "return rng.integers(0, 256, images.shape).astype(np.uint8)",
     "a small network learns to tell the classes"),
    ("dataset", "return images[[0]].repeat(len(labels), 0)", "no label, no image"),
    ("saliency", "return Answer(values[0])", "one value for each input value"),
    ("saliency", "return Answer(values / 0)", "finite values"),
    ("saliency", "query.x.add_(1); return Answer(values)", "the image is not changed"),
    ("saliency", "query.network.fc.weight.data.add_(1); return Answer(values)", "the model is given back as it was"),
    ("saliency", "return Answer(values + torch.rand_like(values))", "the same generator gives the same map"),
    ("saliency", "return Answer(torch.ones_like(values))", "a map that differs between pixels"),
    ("metric", "return float('nan')", "a finite number for a map"),
    ("metric", "return -value", "the patch itself scores better than random maps, all but it no better"),
    ("metric", "heatmap[:] = 0; return value", "map, image and mask are not changed"),
    ("metric", "calls.append(1); return value + 1e-6 * len(calls)", "the same map scores the same"),
    ("metric", "return value + 1e-3 * np.random.rand()", "no randomness of its own"),
]  # fmt: skip


def install(site: Site, kind: str, body: str) -> None:
    site.install(
        "unruly", "2.0", {f"spade_bench.{kind}": {"bad": "unruly.part:PART"}}, part=SOURCES[kind].format(body=body)
    )


def failed(output: str) -> set[str]:
    """The questions that a check answered with FAIL."""
    return {line.split("\t")[1] for line in output.splitlines() if line.startswith("FAIL")}


@pytest.mark.parametrize("kind", RIGHT)
def test_a_part_that_does_right_passes_every_check(site: Site, kind: str) -> None:
    install(site, kind, RIGHT[kind])
    checked = CliRunner().invoke(cli.main, ["check-plugin", "bad"])
    assert failed(checked.output) == set()
    assert checked.exit_code == 0


def test_a_metric_that_has_no_score_for_a_map_without_positive_values_passes(site: Site) -> None:
    body = "total = heatmap.clip(0).sum(); assert total > 0; return float(heatmap[evidence.mask].sum() / total)"
    install(site, "metric", body)
    checked = CliRunner().invoke(cli.main, ["check-plugin", "bad"])
    assert failed(checked.output) == set()


@pytest.mark.parametrize(("kind", "body", "asked"), WRONG)
def test_the_kit_names_what_a_part_breaks(site: Site, kind: str, body: str, asked: str) -> None:
    install(site, kind, body)
    checked = CliRunner().invoke(cli.main, ["check-plugin", "bad"])
    assert asked in failed(checked.output), checked.output
    assert checked.exit_code == 1
    assert "Traceback" not in checked.output


@pytest.mark.parametrize("kind", SOURCES)
def test_a_part_that_raises_at_import_fails_its_own_check_and_no_other_command(site: Site, kind: str) -> None:
    site.install(
        "unruly", "2.0", {f"spade_bench.{kind}": {"bad": "unruly.part:PART"}}, part="raise RuntimeError('not today')"
    )
    checked = CliRunner().invoke(cli.main, ["check-plugin", "bad"])
    assert failed(checked.output) == {"it can be loaded"}
    assert "of unruly 2.0 (unruly.part:PART) cannot be loaded: RuntimeError: not today." in checked.output
    assert CliRunner().invoke(cli.main, ["list"]).exit_code == 0
    assert definition.load("2").id == "2"
    assert load("smoke").name == "smoke"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("raise RuntimeError('no idea')", r"pruner 'bad' of unruly 2\.0 .* raised RuntimeError: no idea\."),
        ("return weight[:-1]", r"pruner 'bad' .* gave \[\d+, \d+\] float32 for weights \[\d+, \d+\] float32"),
        ("return weight / 0", r"pruner 'bad' .* gave weights that are NaN or infinite"),
        ("return 3", r"pruner 'bad' .* gave a int; a tensor of weights belongs there"),
    ],
)
def test_a_failing_pruner_costs_its_own_column_only_and_says_why(site: Site, body: str, sentence: str) -> None:
    columns = [{"kind": "dense", "column": "Dense"}, {"kind": "every pruner", "ratios": "fastspade"}]
    table = {"like": "2", "id": "all", "version": 1, "rows": ["Saliency"], "arms": columns, "controls": []}
    site.install(
        "unruly",
        "2.0",
        {"spade_bench.pruner": {"bad": "unruly.part:PART"}, "spade_bench.table": {"all": "unruly.table:TABLE"}},
        part=PRUNER.format(body=body),
        table=f"TABLE = {table!r}",
    )
    run = small_run(definition.load("all"))
    judgement = verdict.judge(run, golden=None, summaries=(), policy=policy.load())
    outcomes = {one.cell.column: one for one in judgement.cells if one.cell.row == "Saliency"}
    assert {column: one.cell.n for column, one in outcomes.items()} == {
        "Dense": 3,
        "obc": 3,
        "sparsegpt": 3,
        "bad": 0,
    }
    assert outcomes["bad"].outcome == "invalid"
    reasons = {one.reason for one in run.records.values() if one.status == "failed"}
    (reason,) = reasons
    assert re.search(sentence, reason), reason
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("raise OSError('no such disk')", r"data set 'bad' of unruly 2\.0 .* raised OSError: no such disk"),
        ("return images / 255", r"data set 'bad' .* gave \[2, 3, 20, 20\] float64 for 2 labels"),
        ("return images[:1]", r"data set 'bad' .* gave \[1, 3, 20, 20\] uint8 for 2 labels"),
    ],
)
def test_a_failing_data_set_is_one_sentence(site: Site, body: str, sentence: str) -> None:
    scale = {"like": "smoke", "images": {"dataset": "bad"}, "backdoor": {"patch_side": 8}}
    site.install(
        "unruly",
        "2.0",
        {"spade_bench.dataset": {"bad": "unruly.part:PART"}, "spade_bench.scale": {"odd": "unruly.scale:SCALE"}},
        part=DATASET.format(body=body),
        scale=f"SCALE = {scale!r}",
    )
    with pytest.raises(InputError, match=sentence):
        source.opened(load("odd").images, np.random.default_rng(0)).draw(
            np.array([1, 2]), "train", np.random.default_rng(0)
        )


def test_unknown_names_are_answered_with_near_ones(site: Site) -> None:
    install(site, "pruner", RIGHT["pruner"])
    with pytest.raises(InputError, match=r"There is no solver 'sparcegpt'\. did you mean 'sparsegpt'\?"):
        pruners.check("sparcegpt")
    arms = [{"kind": "pruned", "column": "A", "solver": "bat", "ratios": "spade"}]
    with pytest.raises(InputError, match=r"column 'A': solver is 'bat'\. did you mean 'bad'\?"):
        definition.parse(definition._document("2") | {"arms": arms}, where="here")
    with pytest.raises(InputError, match=r"There is no scale 'smok'\. did you mean 'smoke'\?"):
        load("smok")


SCALES: dict[str, dict[str, object]] = {
    r"the data set 'bad' has no setting 'nosie'": {"images": {"dataset": "bad", "nosie": 1}},
    r"The data set 'bed' is unknown: did you mean 'bad'\?": {"images": {"dataset": "bed"}},
    r"patch_side is 24; the images have 20 pixels": {"images": {"dataset": "bad"}, "backdoor": {"patch_side": 24}},
    r"like is 'smock'; it must name a scale of this release\. did you mean 'smoke'\?": {"like": "smock"},
    r"unknown key 'image'": {"image": {}},
    r"lead from and to 6 classes, and the images have 3": {"images": {"classes": 3}},
}


@pytest.mark.parametrize("sentence", SCALES)
def test_a_scale_that_cannot_be_is_refused_with_the_place(site: Site, sentence: str) -> None:
    scale: dict[str, object] = {"like": "smoke", **SCALES[sentence]}
    site.install(
        "unruly",
        "2.0",
        {"spade_bench.dataset": {"bad": "unruly.part:PART"}, "spade_bench.scale": {"odd": "unruly.scale:SCALE"}},
        part=DATASET.format(body=RIGHT["dataset"]),
        scale=f"SCALE = {scale!r}",
    )
    with pytest.raises(InputError, match=sentence):
        load("odd")
