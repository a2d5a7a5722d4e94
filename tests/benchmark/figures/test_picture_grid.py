from pathlib import Path

import fake_laboratory
import numpy as np
import pytest
import torch

from benchmark import definition
from benchmark.figures import picture_grid, register
from benchmark.figures.setting import Setting
from benchmark.metrics.evidence import Evidence
from benchmark.metrics.insertion import insertion
from benchmark.metrics.trojan_auc import trojan_auc
from benchmark.models.laboratory import Sample
from spade.errors import InputError


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    bench = fake_laboratory.make()
    return Setting(fake_laboratory.SCALE, 0, bench, bench.test_samples[:2], tmp_path_factory.mktemp("cache"))


def test_each_map_of_the_patched_grid_has_the_auc_that_its_pixels_give(setting: Setting) -> None:
    shown = picture_grid.patched(setting, lambda *_: None)
    assert len(shown.rows) == 2 * 4 * 2
    masks = {sample.id: sample.mask.numpy() for sample in setting.samples}
    for row in shown.rows:
        heatmap = shown.arrays[f"{row['sample']} {row['method']} {row['arm']}"]
        assert row["auc"] == pytest.approx(100 * trojan_auc(heatmap, masks[str(row["sample"])]))
    assert shown.conditions["samples"] == 2


def test_each_map_of_the_clean_grid_has_the_insertion_score_of_table_3(setting: Setting) -> None:
    shown = picture_grid.clean(setting, lambda *_: None)
    assert {row["arm"] for row in shown.rows} == {"Dense", "FastSPADE"}
    (finding,) = shown.findings
    higher = sum(
        two["insertion"] > one["insertion"] for one, two in zip(shown.rows[::2], shown.rows[1::2], strict=True)
    )
    assert f"on {higher} of the 8 maps" in finding
    bench, settings = setting.laboratory, definition.load("3").metric_settings
    for row in shown.rows[:2]:
        image = shown.arrays[str(row["sample"])].transpose(2, 0, 1)
        sample = Sample(str(row["sample"]), _tensor(image), _tensor(image[0] < 0), 0, 0, "")
        said = bench.model(bench.normalise(sample.image[None])).argmax(1).item()  # clean: the network is right on it

        def probability(images: np.ndarray, said: int = int(said)) -> np.ndarray:
            found: np.ndarray = bench.model(_tensor(images)).detach().double().softmax(1)[:, said].numpy()
            return found

        evidence = Evidence(bench.normalise(sample.image[None])[0].numpy(), sample.mask.numpy(), probability)
        heatmap = shown.arrays[f"{row['sample']} {row['method']} {row['arm']}"]
        assert row["insertion"] == pytest.approx(100 * insertion(heatmap, evidence, **settings), rel=1e-5)


def test_a_grid_is_drawn_with_a_panel_for_every_map_and_image(setting: Setting, tmp_path: Path) -> None:
    figure = picture_grid.draw(picture_grid.patched(setting, lambda *_: None))
    assert len(figure.axes) == 2 * (1 + 4 * 2)
    figure.savefig(tmp_path / "grid.png")


def test_the_grid_on_food_101_says_what_stands_for_it() -> None:
    with pytest.raises(InputError, match=r"J\.8 .*Food-101.*J\.10"):
        register.find("j8")


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))
