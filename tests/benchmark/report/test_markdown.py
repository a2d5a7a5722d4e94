import re
from dataclasses import replace

from story import Story

from benchmark.report import markdown
from benchmark.report.notation import number


def test_every_table_has_as_many_cells_in_each_line_as_in_its_header(story: Story) -> None:
    tables = re.findall(r"(?:^\|.*\n)+", markdown.render(story.content), flags=re.MULTILINE)
    assert len(tables) > 6
    for table in tables:
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(counts) == 1, table


def test_every_cell_is_there_with_paper_ours_range_and_verdict(story: Story) -> None:
    text = markdown.render(story.content)
    for entry in (entry for table in story.content.tables for row in table.rows for entry in row):
        start = f"| {entry.row} | {entry.column} | {entry.paper or '—'} | {number(entry.mean)}"
        assert any(line.startswith(start) and f"**{entry.outcome}**" in line for line in text.splitlines())


def test_the_papers_numbers_are_called_other_data_beside_every_table(story: Story) -> None:
    assert markdown.render(story.content).count("other data: direction only") == len(story.content.tables) + 1


def test_a_bar_a_line_break_or_a_tag_in_a_reason_breaks_nothing(story: Story) -> None:
    hostile = replace(story.content.problems[0], reason="a | b\nc <img src=x>")
    text = markdown.render(replace(story.content, problems=(hostile,)))
    assert "a \\| b c &lt;img src=x>" in text
