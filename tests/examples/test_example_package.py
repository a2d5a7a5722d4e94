"""The example package, installed into a folder of its own: its parts are run, and held to their contracts."""

from dataclasses import replace
from pathlib import Path

import fake_laboratory
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from installed_packages import Site, forget
from small_run import small_run

from benchmark import cli, conformance, definition, plan, policy, rerun, scale_subject, verdict
from benchmark.datasets import source
from benchmark.material import Material
from benchmark.models import laboratory
from benchmark.records import SampleNote
from benchmark.scale import Data, Samples, Training, load
from benchmark.selection import ImageSet
from spade import plugins, pruners, saliency
from spade.errors import InputError
from spade.plugins import PluginError
from spade.trace import traced

BROKEN = {"spade_bench.saliency": {"Saliency": "os:sep", "Broken": "no_such_module:METHOD", "Wrong": "os:sep"}}


def units(table: str) -> dict[tuple[str, str], str]:
    """Key by row's method and arm, on one sample of the scale smoke."""
    note = SampleNote("s0", label=0, target=1, patch="fish")
    subject = scale_subject.unexplained(load("smoke"), 0, weights_sha256="0" * 64, samples=(note,))
    made = plan.make([definition.load(table)], subject)
    return {(unit.method, unit.arm): unit.key for unit in made.units if unit.kind == "map"}


@pytest.mark.usefixtures("example")
def test_its_table_is_shown_and_its_parts_keep_every_contract() -> None:
    shown = CliRunner().invoke(cli.main, ["show", "smoothgrad"])
    assert shown.exit_code == 0, shown.output
    assert "SmoothGrad beside Saliency" in shown.output
    checked = CliRunner().invoke(cli.main, ["check-plugin", "spade-bench-example"])
    assert checked.exit_code == 0, checked.output
    assert "FAIL" not in checked.output
    assert checked.output.count("pass") > 40


def test_only_units_of_the_added_method_have_its_source_in_their_keys(example: Site) -> None:
    before, of_the_paper = units("smoothgrad"), units("2")
    assert before["Saliency", "dense"] == of_the_paper["Saliency", "dense"]
    source = example.folder / "spade_bench_example" / "smoothgrad.py"
    source.write_text(source.read_text(encoding="utf-8").replace("COPIES = 16", "COPIES = 17"), encoding="utf-8")
    forget()
    after = units("smoothgrad")
    changed = {name for name, key in before.items() if after[name] != key}
    assert changed == {name for name in before if name[0] == "SmoothGrad"} != set()


def test_a_part_may_not_take_the_name_of_a_built_in_one_nor_stop_other_work(example: Site) -> None:
    example.install("unruly", "2.0", BROKEN)
    assert saliency.find("Saliency") is saliency.METHODS["Saliency"]
    assert "Saliency" not in plugins.offered("saliency", saliency.METHODS)
    (taken,) = [one for one in conformance.named(["unruly"]) if one.name == "Saliency"]
    assert "unruly 2.0" in next(iter(conformance.check(taken))).found
    with pytest.raises(PluginError, match=r"'Broken' of unruly 2\.0 .* cannot be loaded: ModuleNotFoundError"):
        saliency.find("Broken")
    with pytest.raises(PluginError, match=r"'Wrong' of unruly 2\.0 .* is a str"):
        saliency.find("Wrong")
    assert saliency.find("SmoothGrad").random
    assert definition.load("2").id == "2"


def test_without_the_package_its_table_is_unknown() -> None:
    with pytest.raises(InputError, match="No table is called 'smoothgrad'"):
        definition.load("smoothgrad")


def test_wanda_keeps_the_weights_with_the_largest_outputs(example: Site) -> None:
    # Row 1: |1| sqrt(9) = 3 and |2| sqrt(1) = 2, so the second goes; row 2: 0.3 and 0.5, so the first does.
    pruner = pruners.find("Wanda")
    weight = torch.tensor([[1.0, 2.0], [-0.1, 0.5]])
    hessian = torch.tensor([[9.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    assert pruner.prune(weight, hessian, 0.5).tolist() == [[1.0, 0.0], [0.0, 0.5]]
    assert example.packages == {"spade_bench_example"}


@pytest.mark.usefixtures("example")
def test_a_table_that_asks_for_every_pruner_has_a_column_for_the_added_one_with_values_and_gains() -> None:
    table = definition.load("pruners")
    assert [arm.column for arm in table.arms] == ["Dense", "obc", "sparsegpt", "Wanda"]
    run = small_run(replace(table, rows=table.rows[:2]))
    judgement = verdict.judge(run, golden=None, summaries=(), policy=policy.load())
    column = [one.cell for one in judgement.cells if one.cell.column == "Wanda"]
    assert [cell.n for cell in column] == [3, 3, 3]  # two methods and their average, on each of three samples
    assert {one.column for one in judgement.effects} == {"obc", "sparsegpt", "Wanda"}
    other = {one.value for one in run.records.values() if one.arm.startswith("sparsegpt")}
    assert {one.value for one in run.records.values() if one.arm.startswith("Wanda")} != other


@pytest.mark.usefixtures("example")
def test_wanda_prunes_to_the_ratios_in_parallel_and_in_sequence() -> None:
    ratios = {"layer4.0.conv2": 0.5}
    for sequential in (False, True):
        with traced(
            fake_laboratory.network(),
            fake_laboratory.sample(0).image,
            ratios=ratios,
            solver="Wanda",
            n_augmentations=8,
            sequential=sequential,
        ) as sparse:
            assert sparse.sparsity["layer4.0.conv2"] == pytest.approx(0.5, abs=0.02)
            kept = dict(fake_laboratory.network().named_parameters())["layer4.0.conv2.weight"]
            pruned = sparse.model.get_parameter("layer4.0.conv2.weight")
            assert torch.equal(pruned[pruned != 0], kept[pruned != 0])


@pytest.mark.usefixtures("example")
def test_its_scale_trains_on_its_data_set_and_runs_the_tables_of_the_scale_it_is_like(tmp_path: Path) -> None:
    woven, smoke = load("woven"), load("smoke")
    assert (woven.images.classes, woven.images.side, woven.like) == (8, 48, "smoke")
    assert woven.training == smoke.training
    tiny = replace(
        woven,
        data=Data(train=160, test=40, calibration=24),
        network=fake_laboratory.SCALE.network,
        training=Training(epochs=1),
        backdoor=replace(woven.backdoor, trojans=8, clean=40, epochs=1, decay_epoch=1, rounds=1),
        samples=Samples(test=2, calibration=1),
    )
    bench = laboratory.prepare(tiny, 0, store=tmp_path)
    again = laboratory.prepare(tiny, 0, store=tmp_path)
    assert (bench.origin, again.origin) == ("trained", "cache")
    material = Material(tiny, 0, bench)
    assert material.images(ImageSet("class", "3", many=True), 5).shape == (5, 3, 48, 48)
    wanted = plan.make([definition.load(name) for name in ("2", "pruners")], rerun.subject_of(material))
    assert wanted.subject.like == "smoke"
    assert woven.plugins.keys() == {"scale woven", "dataset weave"}


def test_another_source_of_the_data_set_is_another_network(example: Site) -> None:
    before = load("woven").recipe_sha256(0)
    source = example.folder / "spade_bench_example" / "weave.py"
    source.write_text(source.read_text(encoding="utf-8").replace("0.8, 1.2", "0.7, 1.2"), encoding="utf-8")
    forget()
    assert load("woven").recipe_sha256(0) != before


def test_the_classes_of_its_data_set_differ_in_colour_and_the_same_generator_gives_the_same_images(
    example: Site,
) -> None:
    draw = source.opened(load("woven").images, np.random.default_rng(0)).draw
    labels = np.repeat(np.arange(8), 40)
    images = draw(labels, "test", np.random.default_rng(1))
    assert np.array_equal(images, draw(labels, "test", np.random.default_rng(1)))
    middle = images[:, :, 20:28, 20:28].mean(axis=(2, 3)).reshape(8, 40, 3).mean(axis=1)
    assert np.abs(middle[:, None] - middle[None]).sum(axis=2)[np.triu_indices(8, 1)].min() > 5
    assert example.packages
