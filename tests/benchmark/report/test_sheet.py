import csv
import io
import math

from story import Story

from benchmark.report import sheet


def lines(story: Story) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sheet.render(story.content))))


def test_the_means_come_back_to_the_last_bit(story: Story) -> None:
    found = {(line["table"], line["row"], line["column"], line["what"]): line["mean"] for line in lines(story)}
    for table in story.content.tables:
        for entry in (*(entry for row in table.rows for entry in row), *table.controls):
            text = found[entry.table, entry.row, entry.column, entry.kind]
            assert (float(text) == entry.mean) if text else math.isnan(entry.mean)


def test_there_is_a_line_for_every_cell_effect_and_direction(story: Story) -> None:
    content = story.content
    cells = sum(len(row) for table in content.tables for row in (*table.rows, table.controls))
    effects = sum(len(column) for table in content.tables for column in table.effects)
    assert len(lines(story)) == cells + effects + len(content.directions)


def test_no_number_of_the_paper_stands_without_its_note(story: Story) -> None:
    assert all(line["paper_note"] == "other data: direction only" for line in lines(story) if line["paper"])
