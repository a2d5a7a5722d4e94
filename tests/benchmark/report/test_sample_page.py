import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from story import Story

from benchmark import report
from benchmark.report import failures_page, sample_page
from benchmark.report.gallery import scaled
from benchmark.report.sample_page import ACROSS, GREYS, TILE
from benchmark.store import Store


def page_of(story: Story, sample: str) -> str:
    return (story.folder / story.content.sample_pages[sample]).read_text(encoding="utf-8")


def test_every_sample_that_a_table_explains_has_a_page_and_the_list_leads_to_it(story: Story) -> None:
    explained = {sample for cell in story.run.asked if cell.kind == "value" for sample, _ in cell.units}
    assert set(story.content.sample_pages) == explained
    listed = (story.folder / "samples.html").read_text(encoding="utf-8")
    for sample, address in story.content.sample_pages.items():
        assert f'<a href="{address}">{sample}</a>' in listed
        assert (story.folder / address).is_file()


def test_a_page_has_the_score_of_every_method_and_arm_of_its_sample(story: Story) -> None:
    sample = "sample-03"
    text = page_of(story, sample)
    table = story.run.tables[0]
    for cell in story.run.asked:
        key = dict(cell.units).get(sample)
        if cell.table != table.id or cell.kind != "value" or key is None:
            continue
        record = story.run.records[key]
        if record.value is not None:
            assert f'aria-label="{cell.row}, {cell.column}"' in text
            assert f"{100 * record.value:.1f}</span>" in text
    assert "it reuses a ReLU" in text


def test_a_map_stands_where_the_page_says_it_does(story: Story) -> None:
    sample = "sample-01"
    text = page_of(story, sample)
    found = re.search(r'aria-label="Saliency, SPADE" style="background-position:(-?\d+)px (-?\d+)px"', text)
    assert found
    x, y = -int(found[1]), -int(found[2])
    cell = next(c for c in story.run.asked if (c.table, c.row, c.column) == ("2", "Saliency", "SPADE"))
    store = Store(story.run.store or Path())
    heatmap = store.read_map(story.run.recipe_sha256, dict(cell.units)[sample])
    seen = store.read_sample(story.run.recipe_sha256, sample)
    assert heatmap is not None
    assert seen is not None
    picture = np.asarray(Image.open((story.folder / story.content.sample_pages[sample]).with_suffix(".png")))
    tile = picture[y : y + TILE, x : x + TILE]
    side = heatmap.shape[0]
    # Plainly, pixel by pixel: the level of the value it falls on, unless the outline is drawn there.
    levels = (scaled(heatmap) * (GREYS - 1)).round()
    for row in range(TILE):
        for column in range(TILE):
            assert tile[row, column] in {levels[row * side // TILE, column * side // TILE], GREYS}
    mask = seen[1][np.ix_(np.arange(TILE) * side // TILE, np.arange(TILE) * side // TILE)]
    assert not (tile[mask] == GREYS).any()
    assert (tile == GREYS).any()
    assert picture.shape[1] == ACROSS * TILE


def test_pages_refer_to_nothing_outside_their_folder(story: Story) -> None:
    pages = [*story.folder.glob("samples/*.html"), story.folder / "samples.html", story.folder / "failures.html"]
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert "<script" not in text
        for address in re.findall(r'(?:src|href)="([^"]+)"|url\("([^"]+)"\)', text):
            target = (address[0] or address[1]).partition("#")[0]
            assert target == "data:," or (path.parent / target).is_file(), (path, target)


def test_without_maps_pages_have_scores_and_say_so(story: Story, tmp_path: Path) -> None:
    report.write(replace(story.run, store=None), story.judgement, tmp_path)
    text = (tmp_path / story.content.sample_pages["sample-00"]).read_text(encoding="utf-8")
    assert "were not kept" in text
    assert "tile-map" not in text.partition("</style>")[2]
    assert not list((tmp_path / "samples").glob("*.png"))


def test_pages_of_an_earlier_report_are_gone(story: Story, tmp_path: Path) -> None:
    below = tmp_path / sample_page.FOLDER
    below.mkdir()
    (below / "sample-9999.html").write_text("old", encoding="utf-8")
    (below / "mine.txt").write_text("mine", encoding="utf-8")
    report.write(story.run, story.judgement, tmp_path)
    assert not (below / "sample-9999.html").exists()
    assert (below / "mine.txt").exists()


def test_failures_stand_on_a_page_with_their_sentence_and_samples(story: Story) -> None:
    text = (story.folder / "failures.html").read_text(encoding="utf-8")
    lost = [record for record in story.run.records.values() if record.status != "ok"]
    assert f"<h1>{len(lost)} units without a value</h1>" in text
    assert "no &lt;memory&gt; | left" in text
    for record in lost:
        assert record.sample in text
    invalid = [one for one in story.judgement.cells if one.outcome == "invalid"]
    section = text.partition('id="invalid"')[2].partition("</section>")[0]
    assert section.count("<li>") == len(invalid) > 0


def test_a_run_without_failures_says_so(story: Story) -> None:
    text = failures_page.render(replace(story.content, problems=(), tables=()))
    assert "Every computed unit has a value" in text
    assert text.count("<p>None.</p>") == len(failures_page.OUTCOMES)


@pytest.mark.parametrize("outcome", failures_page.OUTCOMES)
def test_every_failing_verdict_has_a_heading(story: Story, outcome: str) -> None:
    assert f'id="{outcome}"' in failures_page.render(story.content)
