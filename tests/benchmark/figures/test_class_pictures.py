from dataclasses import replace

import fake_laboratory
import pytest
import torch

from benchmark.figures import class_pictures
from benchmark.figures.class_pictures import COLUMNS, findings, leaning
from benchmark.figures.exhibit import Row
from benchmark.figures.setting import Setting
from spade.errors import EnvironmentProblem
from spade.visualisation import Ascent


def test_leaning_is_minus_one_at_the_clean_images_one_at_the_patched_and_zero_between() -> None:
    clean, patched = torch.tensor([[0.0, 2.0], [0.0, 4.0]]), torch.tensor([[4.0, 3.0]])
    # Means (0, 3) and (4, 3), the middle (2, 3), the way from one to the other along the first feature.
    assert leaning(torch.tensor([0.0, 3.0]), clean, patched) == pytest.approx(-1)
    assert leaning(torch.tensor([9.0, 3.0]), clean, patched) == pytest.approx(1)
    assert leaning(torch.tensor([2.0, 8.0]), clean, patched) == pytest.approx(0)
    # (3, 4) lies (1, 1) from the middle: half a right angle.
    assert leaning(torch.tensor([3.0, 4.0]), clean, patched) == pytest.approx(0.5**0.5)


def test_findings_count_the_classes_in_which_pruning_tells_the_two_apart() -> None:
    values = {"fish": (0.1, -0.5, 0.6), "star": (0.9, 0.2, 0.4), "heart": (0.0, 0.3, -0.3)}
    rows: list[Row] = [
        {"patch": patch, "column": column, "leaning": value}
        for patch, of_patch in values.items()
        for column, value in zip(COLUMNS, of_patch, strict=True)
    ]
    means, counts = findings(rows)
    assert "+0.33 dense, +0.00 pruned for a clean image, +0.23 pruned for a patched image" in means
    assert "in 2 of 3 classes, in 1 to the one side and the other, in 1 with the dense picture between" in counts


def test_each_class_has_a_picture_a_column_and_the_images_it_was_pruned_for(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_pictures, "ASCENT", Ascent(steps=2))
    bench = fake_laboratory.make()
    wide = torch.nn.functional.interpolate
    samples = tuple(  # as large as the images that the scale draws
        replace(s, image=wide(s.image[None], size=32)[0], mask=torch.zeros(32, 32, dtype=torch.bool))
        for s in bench.test_samples
    )
    setting = Setting(
        fake_laboratory.SCALE, 0, replace(bench, test_samples=samples), samples, tmp_path_factory.mktemp("cache")
    )
    shown = class_pictures.compute(setting, lambda *_: None)
    assert [(row["patch"], row["class"], row["column"]) for row in shown.rows] == [
        ("fish", samples[0].target, column) for column in COLUMNS
    ]
    assert all(-1 <= float(row["leaning"]) <= 1 for row in shown.rows)
    assert {array.shape for array in shown.arrays.values()} == {(32, 32, 3)}
    pictures = [shown.arrays[f"fish, {column}"] for column in COLUMNS]
    assert not (pictures[0] == pictures[2]).all(), "pruning changed nothing"
    assert len(class_pictures.draw(shown).axes) == 5


def test_without_lucent_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_pictures, "find_spec", lambda _: None)
    bench = fake_laboratory.make()
    with pytest.raises(EnvironmentProblem, match=r"J\.11 .*torch-lucent.*extra 'stimuli'"):
        class_pictures.compute(Setting(fake_laboratory.SCALE, 0, bench, (), None), lambda *_: None)  # type: ignore[arg-type]
