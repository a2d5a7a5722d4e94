import json
import math
from typing import NoReturn

from story import Story

from benchmark.report import data


def refuse(constant: str) -> NoReturn:
    raise AssertionError(constant)


def test_the_json_has_every_number_at_full_precision_and_no_nan(story: Story) -> None:
    found = json.loads(data.render(story.content), parse_constant=refuse)
    for table, entry in zip(found["tables"], story.content.tables, strict=True):
        for row, cells in zip(table["rows"], entry.rows, strict=True):
            for cell, original in zip(row, cells, strict=True):
                assert cell["mean"] == (original.mean if math.isfinite(original.mean) else None)
                assert cell["reason"] == original.reason
    assert found["counts"] == dict(story.content.counts)
    assert found["paper_values"] == "other data: direction only"
