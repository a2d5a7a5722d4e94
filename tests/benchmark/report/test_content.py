import math
from dataclasses import replace
from pathlib import Path

import pytest
import synthetic_run
from story import Story

from benchmark import policy
from benchmark.golden import Blessing
from benchmark.records import RunRecords
from benchmark.report import markdown, page
from benchmark.report.content import Content, build
from benchmark.report.gallery import draw
from benchmark.report.notation import MINUS
from benchmark.verdict import judge


def told(run: RunRecords, folder: Path) -> Content:
    judgement = judge(run, golden=None, summaries=(), policy=policy.load())
    return build(run, judgement, draw(run, folder))


def test_the_headline_counts_what_deviates_and_what_is_worse(story: Story) -> None:
    counts = story.content.counts
    judged = counts["within"] + counts["deviates"]
    assert counts["deviates"]
    assert story.content.headline == (
        f"{counts['deviates']} of {judged} cells lie outside their golden range. {counts['invalid']} more are invalid."
    )
    assert "5 resolved" in story.content.summary
    assert "21 unmeasured" in story.content.summary


def test_every_asked_cell_and_every_average_is_in_its_table_once(story: Story) -> None:
    for table in story.content.tables:
        entries = [entry for row in table.rows for entry in row]
        assert len(entries) == len({(entry.row, entry.column) for entry in entries})
    by_id = {table.id: table for table in story.content.tables}
    assert len([entry for row in by_id["2"].rows for entry in row]) == 11 * 4
    assert [entry.row for entry in by_id["2"].controls][-1] == "patch oracle"


def test_a_reason_names_a_whole_column_or_row_once(story: Story) -> None:
    where = {entry.where: entry.cells for entry in story.content.not_run}
    assert where["Table A16, ResNet50/ImageNet",] == 2
    assert where["Table 2, DeepLift, FastSPADE",] == 1


def test_the_error_removed_is_the_gain_over_what_dense_lacks(story: Story) -> None:
    one = next(entry for entry in story.content.directions if entry.id == "spade over dense")
    dense = next(v for v in story.judgement.directions if v.direction.id == one.id).low_mean
    assert one.error_removed == pytest.approx(one.mean / (100 - dense))
    other = next(entry for entry in story.content.directions if entry.id == "spade over fastspade")
    assert math.isnan(other.error_removed)


def test_an_average_gain_compares_the_same_methods_in_both_columns(story: Story) -> None:
    # FastSPADE has no DeepLift here; its average over nine methods against dense's over ten would be another question.
    fast = next(entries for entries in story.content.tables[0].effects if entries[0].column == "FastSPADE")
    average = next(entry for entry in fast if entry.row == "Average")
    dense, pruned = [], []
    cells = {(c.row, c.column): dict(c.units) for c in story.run.asked if c.table == "2" and c.kind == "value"}
    value = {key: record.value for key, record in story.run.records.items()}
    for sample in dict(cells["LRP", "Dense"]):
        rows = [row for row, column in cells if column == "Dense" and row != "DeepLift"]
        before = [value[cells[row, "Dense"][sample]] for row in rows]
        after = [value[cells[row, "FastSPADE"][sample]] for row in rows]
        if None not in before:
            dense.append(sum(v for v in before if v is not None) / len(rows))
            pruned.append(sum(v for v in after if v is not None) / len(rows))
    assert average.n == len(dense)
    assert average.mean == pytest.approx(100 * (sum(pruned) - sum(dense)) / len(dense))


def test_an_arm_tells_its_units_and_how_many_predictions_it_kept(story: Story) -> None:
    arm = next(one for one in story.content.arms if one.arm.startswith("obc"))
    records = [one for one in story.run.records.values() if one.arm == arm.arm]
    assert arm.units == len(records)
    assert arm.kept == pytest.approx(sum(bool(one.kept) for one in records) / len(records))
    dense = next(one for one in story.content.arms if one.arm == "dense")
    assert math.isnan(dense.kept)
    assert dense.without_value == 2


def test_units_without_a_value_are_told_with_their_reason(story: Story) -> None:
    found = {(one.status, one.method): (one.reason, one.units) for one in story.content.problems}
    assert found["failed", "LIME"] == ("no <memory> | left", 2)
    assert found["unavailable", "DeepLift"] == ("it reuses a ReLU", 8)


def test_without_ranges_nothing_is_compared_and_the_headline_says_so(tmp_path: Path) -> None:
    found = told(synthetic_run.run(tables=("a16",)), tmp_path)
    assert found.headline == "No cell was compared with a golden range."
    assert found.ranges == {}
    reasons = {(entry.outcome, entry.reason): entry.where for entry in found.not_run}
    assert reasons["no range", "none was measured"] == ("Table A16, embedded network",)


def test_many_cells_with_one_reason_are_counted_and_not_listed(tmp_path: Path) -> None:
    found = told(synthetic_run.run(tables=("2",)), tmp_path)
    entry = next(one for one in found.not_run if one.outcome == "no range")
    # ten methods and their average under four arms, and five controls
    assert (entry.where, entry.cells) == (("Table 2",), 49)


def test_units_still_to_compute_are_in_the_headline(tmp_path: Path) -> None:
    run = synthetic_run.run(tables=("a16",))
    found = told(replace(run, records={}), tmp_path)
    assert found.headline.endswith("2 more are incomplete.")
    assert found.arms == ()


def test_the_provenance_says_when_the_policy_has_changed_since(story: Story) -> None:
    assert "another one than judges here" in story.content.provenance["Policy at the time of the run"]
    same = replace(
        story.run, provenance=synthetic_run.provenance(policy_sha256=story.judgement.policy.sha256, commit=None)
    )
    found = build(same, story.judgement, story.content.gallery)
    assert "Policy at the time of the run" not in found.provenance
    assert "Commit" not in found.provenance


def test_what_training_took_and_versions_are_told_in_words(story: Story) -> None:
    facts = synthetic_run.provenance(prepared={"": 253.2, "cap": 36.0}, stages={"map": 2, "score": 1}, plugins={})
    found = build(replace(story.run, provenance=facts), story.judgement, story.content.gallery).provenance
    assert found["Training took"] == "network 253.2 s, cap 36.0 s"
    assert found["Stages"] == "map 2, score 1"
    assert "Plugins" not in found


def test_every_blessing_of_the_ranges_is_told_also_two_of_one_day(story: Story) -> None:
    assert story.judgement.golden is not None
    blessings = tuple(Blessing(("2",), f"reason {i}", "2026-01-02", "0.1.0", i, "") for i in range(2))
    judgement = replace(story.judgement, golden=replace(story.judgement.golden, blessings=blessings))
    ranges = build(story.run, judgement, story.content.gallery).ranges
    assert [ranges[f"Blessing {i + 1}, 2026-01-02"] for i in range(2)] == [
        f"tables 2, release 0.1.0: reason {i}" for i in range(2)
    ]


def test_every_knob_of_the_protocol_is_told_by_its_path(story: Story) -> None:
    run = replace(story.run, protocol={"pruning": {"n_augmentations": 8, "obc": {"damping": 0.01}}})
    found = build(run, story.judgement, story.content.gallery).provenance
    assert found["Protocol: pruning, n augmentations"] == "8"
    assert found["Protocol: pruning, obc, damping"] == "0.01"


def test_a_table_of_two_metrics_names_both_dense_columns_and_says_where_lower_is_better(tmp_path: Path) -> None:
    content = told(synthetic_run.run(0, tables=("3",)), tmp_path)
    (table,) = content.tables
    assert table.baselines == "Insertion/Dense and Deletion/Dense"
    for column in table.effects:
        assert {(one.baseline, one.lower_is_better) for one in column} == (
            {("Deletion/Dense", True)} if column[0].column.startswith("Deletion") else {("Insertion/Dense", False)}
        )
    shown = page.render(content)
    assert f"Deletion/FastSPADE {MINUS} Deletion/Dense (lower is better)" in shown
    assert f"Insertion/FastSPADE {MINUS} Insertion/Dense</figcaption>" in shown
    assert "Deletion/FastSPADE (lower is better) |" in markdown.render(content)
