import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import synthetic_run
from PIL import Image
from story import Story

from benchmark.definition import load
from benchmark.report.gallery import EACH, OUTLINE, draw
from benchmark.store import Store


def test_best_and_worst_are_by_the_mean_gain_over_the_methods(story: Story) -> None:
    dense: dict[str, list[float]] = {}
    spade: dict[str, list[float]] = {}
    failed = {one.sample for one in story.run.records.values() if one.status == "failed"}
    for cell in story.run.asked:
        target = {"Dense": dense, "SPADE": spade}.get(cell.column)
        if cell.table != "2" or cell.kind != "value" or target is None:
            continue
        for sample, key in cell.units:
            value = story.run.records[key].value
            if value is not None and sample not in failed:
                target.setdefault(sample, []).append(100 * value)
    gains = {sample: float(np.mean(spade[sample]) - np.mean(dense[sample])) for sample in dense}
    ranked = sorted(gains, key=gains.__getitem__, reverse=True)
    shown = story.content.gallery.samples
    assert [one.id for one in shown] == [*ranked[:EACH], *ranked[::-1][:EACH]]
    assert [one.end for one in shown] == ["best"] * EACH + ["worst"] * EACH
    assert [one.gain for one in shown] == pytest.approx([gains[one.id] for one in shown])


def test_a_map_is_dark_where_it_is_high_and_the_patch_is_outlined(story: Story) -> None:
    sample = story.content.gallery.samples[0]
    entry = sample.maps[0][0]
    found = Store(story.run.store or Path()).read_sample(story.run.recipe_sha256, sample.id)
    assert found is not None
    mask = found[1]
    pixels = np.asarray(Image.open(story.folder / entry.picture).convert("RGB")).astype(int)
    factor = pixels.shape[0] // mask.shape[0]
    outlined = (pixels == OUTLINE).all(axis=2)
    large = mask.repeat(factor, 0).repeat(factor, 1)
    assert outlined.any()
    assert not (outlined & large).any()
    rows, columns = np.nonzero(large)
    around = outlined[rows.min() - 4 : rows.max() + 5, columns.min() - 4 : columns.max() + 5]
    assert outlined.sum() == around.sum()
    assert pixels[large].mean() < pixels[~large & ~outlined].mean()


def test_the_image_and_the_patch_are_the_stored_ones(story: Story) -> None:
    sample = story.content.gallery.samples[0]
    found = Store(story.run.store or Path()).read_sample(story.run.recipe_sha256, sample.id)
    assert found is not None
    image = np.asarray(Image.open(story.folder / sample.image))
    np.testing.assert_array_equal(image[::3, ::3].transpose(2, 0, 1), found[0])
    np.testing.assert_array_equal(np.asarray(Image.open(story.folder / sample.mask))[::3, ::3] == 0, found[1])


def test_a_unit_without_a_value_has_no_picture(story: Story) -> None:
    entries = [one for sample in story.content.gallery.samples for row in sample.maps for one in row]
    assert any(math.isnan(one.value) for one in entries)
    assert all(bool(one.picture) == math.isfinite(one.value) for one in entries)


def test_a_run_that_kept_no_maps_says_so_and_shows_the_values(tmp_path: Path) -> None:
    found = draw(synthetic_run.run(tables=("2",)), tmp_path)
    assert "were not kept" in found.note
    assert len(found.samples) == 2 * EACH
    assert not any(one.picture for sample in found.samples for row in sample.maps for one in row)
    assert list(tmp_path.iterdir()) == []


def test_some_lost_maps_are_counted(tmp_path: Path) -> None:
    store = tmp_path / "store"
    run = synthetic_run.run(5, tables=("2",), store=store)
    sample = draw(run, tmp_path).samples[0].id
    key = next(dict(cell.units)[sample] for cell in run.asked if (cell.row, cell.column) == ("LRP", "SPADE"))
    next(store.rglob(f"{key}.npy")).unlink()
    assert draw(run, tmp_path).note == "1 of 180 maps were not kept."


@pytest.mark.parametrize(
    ("n_samples", "ends"), [(1, ["best"]), (2, ["best", "worst"]), (5, ["best"] * 2 + ["worst"] * 2)]
)
def test_no_sample_is_shown_as_both_best_and_worst(tmp_path: Path, n_samples: int, ends: list[str]) -> None:
    found = draw(synthetic_run.run(tables=("2",), n_samples=n_samples), tmp_path).samples
    assert [one.end for one in found] == ends
    assert len({one.id for one in found}) == len(found)


def test_a_run_without_a_pruned_column_says_why_there_is_no_gallery(tmp_path: Path) -> None:
    run = synthetic_run.run(tables=("a16",))
    assert "No table of this run" in draw(run, tmp_path).note
    assert draw(replace(run, tables=(load("2"),)), tmp_path).samples == ()
