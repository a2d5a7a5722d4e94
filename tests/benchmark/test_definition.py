"""Table definitions say what the paper prints and refuse what they do not know."""

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from benchmark import definition
from benchmark.controls import CONTROLS
from benchmark.definition import Dense, Measured, NotRun, OneGroup, Pruned
from data_manifests.published import table as published
from spade.errors import InputError

TEXT = """
id = "x"
version = 1
title = "t"
quote = "q"
place = "p"
setting = "s"
metric = "trojan_auc"
unit = "%"
direction = "higher"
n_paper = 3
average = true
scales = ["smoke"]
rows = ["Saliency", { name = "Lime", method = "LIME" }]
[[arms]]
kind = "dense"
column = "Dense"
[[arms]]
kind = "pruned"
column = "SPADE"
solver = "obc"
ratios = "spade"
"""


def document(**changes: Any) -> dict[str, Any]:
    """The document above, with keys replaced (None removes one)."""
    data = {**tomllib.loads(TEXT), **changes}
    return {key: value for key, value in data.items() if value is not None}


def refusal(data: dict[str, Any]) -> str:
    """The sentence a document is refused with."""
    with pytest.raises(InputError) as caught:
        definition.parse(data, where="x.toml")
    return str(caught.value)


def test_a_definition_becomes_typed_arms_and_rows() -> None:
    table = definition.parse(document(), where="x.toml")
    assert table.arms == (Dense("Dense"), Pruned("SPADE", "obc", "spade", image="own"))
    assert table.methods == ("Saliency", "LIME")
    assert table.factor == 100


def test_an_unknown_key_is_answered_with_the_nearest() -> None:
    assert "x.toml: unknown key 'titel'. did you mean 'title'?" in refusal(document(titel="t"))


def test_an_unknown_key_of_an_arm_is_refused() -> None:
    assert "unknown key 'colour'" in refusal(document(arms=[{"kind": "dense", "column": "D", "colour": "red"}]))


def test_an_unknown_kind_of_arm_is_answered_with_the_nearest() -> None:
    assert "did you mean 'pruned'?" in refusal(document(arms=[{"kind": "prune", "column": "D"}]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": None}, "missing title"),
        ({"n_paper": "3"}, "n_paper must be int, found '3'"),
        ({"average": 1}, "average must be bool, found 1"),
        ({"metric": "trojan"}, "metric is 'trojan'. did you mean 'trojan_auc'?"),
        ({"scales": "smoke"}, "scales must be a list"),
        ({"scales": [1]}, "scales must be str, found 1"),
        ({"samples": "cleen"}, "samples is 'cleen'; allowed: 'trojan', 'clean'"),
        ({"limit": {"smok": 3}}, "limit is 'smok'. did you mean 'smoke'?"),
        ({"limit": {"smoke": 0}}, "limit.smoke is 0; explain 1 sample or more"),
        ({"limit": {"smoke": "3"}}, "limit.smoke must be int, found '3'"),
        ({"limit": 3}, "limit must be a table of keys"),
        ({"controls": ["edge"]}, "controls is 'edge'. did you mean 'edges'?"),
        ({"metric": "insertion"}, "insertion needs clean samples, the table's are trojan"),
        ({"metric": "insertion", "samples": "clean"}, "metric_settings lacks baseline, steps"),
        ({"metric_settings": {"steps": 3}}, "metric_settings is 'steps'"),
        (
            {"metric": "insertion", "samples": "clean", "metric_settings": {"steps": 1, "baseline": "blank"}},
            "metric_settings.steps is 1; a whole number from 2 belongs there",
        ),
        (
            {"metric": "insertion", "samples": "clean", "metric_settings": {"steps": 9, "baseline": "blanc"}},
            "metric_settings.baseline is 'blanc'. did you mean 'blank'?",
        ),
        ({"rows": [{"name": "Lime", "method": "Lime"}]}, "method is 'Lime'. did you mean 'LIME'?"),
        ({"reference": "Dens"}, "reference is 'Dens'. did you mean 'Dense'?"),
        ({"rows": []}, "'rows' must be a list with at least one entry"),
        ({"rows": ["Saliency", "Saliency"]}, "row 'Saliency' is defined twice"),
        ({"rows": [{"name": "LIME"}]}, "row 'LIME' names no method"),
        ({"arms": ["Dense"]}, "an arm needs kind"),
        ({"arms": [{"kind": "measured", "column": "A", "quantity": "clean_accuracy"}]}, "cannot be filled with"),
        (
            {"arms": [{"kind": "one group", "column": "A", "solver": "obc", "group": "fc", "sparsity": 2}]},
            "must lie in 0 to 1",
        ),
    ],
)
def test_a_broken_definition_is_refused_in_words(changes: dict[str, Any], words: str) -> None:
    assert words in refusal(document(**changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ratios": "spad"}, "ratios is 'spad'. did you mean 'spade'?"),
        ({"image": "many of the clas"}, "image is 'many of the clas'. did you mean 'many of the class'?"),
        ({"augmentation": "J+RCC"}, "augmentation 'J+RCC' holds 'RCC'. did you mean 'RC'?"),
        ({"augmentation": "J+J"}, "names a kind twice"),
        ({"metric": "insertoin"}, "metric is 'insertoin'. did you mean 'insertion'?"),
        ({"sequential": True, "image": "any"}, "for the explained sample only, not for 'any'"),
        ({"sequential": "yes"}, "sequential must be bool"),
        ({"solver": "obs"}, "solver is 'obs'. did you mean 'obc'? Allowed: obc, sparsegpt."),
    ],
)
def test_a_pruned_arm_that_asks_for_what_is_not_there_is_refused(changes: dict[str, Any], words: str) -> None:
    arm = {"kind": "pruned", "column": "S", "solver": "obc", "ratios": "spade"}
    assert words in refusal(document(arms=[{**arm, **changes}]))


def test_an_unknown_network_is_answered_with_what_there_is() -> None:
    assert "network is 'sparse'" in refusal(document(arms=[{"kind": "derived", "column": "S", "network": "sparse"}]))


def test_the_names_of_control_maps_are_those_that_can_be_drawn() -> None:
    assert set(definition.CONTROL_MAPS) == set(CONTROLS)


def test_a_column_is_compared_with_the_dense_column_of_its_metric() -> None:
    arms = [{"kind": "dense", "column": f"{m}/D", "metric": m} for m in ("insertion", "deletion")]
    arms += [{"kind": "pruned", "column": "del/S", "solver": "obc", "ratios": "spade", "metric": "deletion"}]
    changes = {"metric": "insertion", "samples": "clean", "metric_settings": {"steps": 9, "baseline": "blank"}}
    table = definition.parse(document(arms=arms, **changes), where="x.toml")
    assert table.baseline("del/S") == "deletion/D"
    assert table.baseline("insertion/D") == "insertion/D"


def test_without_a_dense_column_the_reference_is_what_others_are_compared_with() -> None:
    assert definition.load("a6").baseline("Dense Model + SPADE") == "98% Sparse Model"
    assert definition.load("a17").baseline("Parallel Pruning") == "Sequential Pruning"
    pruned = {"kind": "pruned", "column": "S", "solver": "obc", "ratios": "spade"}
    arms = [pruned, {**pruned, "column": "T"}]
    assert definition.parse(document(arms=arms), where="x.toml").baseline("S") is None
    assert definition.parse(document(arms=arms, reference="T"), where="x.toml").baseline("S") == "T"
    arms.append({"kind": "dense", "column": "D"})
    assert definition.parse(document(arms=arms, reference="T"), where="x.toml").baseline("S") == "D"


def test_an_unknown_table_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"No table is called 'a21'. did you mean 'a\d+'\?"):
        definition.load("a21")


def test_a_table_is_found_in_any_case() -> None:
    assert definition.load("A20") is definition.load("a20") or definition.load("A20") == definition.load("a20")


def test_tables_are_listed_in_the_papers_order() -> None:
    assert definition.names() == ("2", "3", "a2", "a3", "a4", "a6", "a16", "a17", "a18", "a19", "a20")


@pytest.mark.parametrize("name", definition.names())
def test_every_cell_of_a_definition_is_printed_in_the_paper_and_the_reverse(name: str) -> None:
    ours, paper = definition.load(name), published.load(name.upper())
    assert {arm.column for arm in ours.arms} == set(paper.columns)
    embedded = {"embedded network"}  # the paper trained no such network
    assert {row.name for row in ours.rows} - embedded == set(paper.rows) - {"Average"}
    assert ours.average == ("Average" in paper.rows)


@pytest.mark.parametrize("name", definition.names())
def test_the_number_of_samples_is_the_papers_or_zero_where_it_says_none(name: str) -> None:
    assert {cell.n or 0 for cell in published.load(name.upper()).cells} == {definition.load(name).n_paper}


def test_every_row_and_column_that_is_not_run_has_a_reason() -> None:
    tables = definition.load_all()
    assert all(arm.reason for table in tables for arm in table.arms if isinstance(arm, NotRun))
    assert all(row.method or row.not_run for table in tables if table.metric != "accuracy" for row in table.rows)
    assert len([row for row in definition.load("a16").rows if row.not_run]) == 7


def test_table_a20_prunes_one_block_at_a_time_with_obc() -> None:
    arms = [arm for arm in definition.load("a20").arms if isinstance(arm, OneGroup)]
    assert [arm.group for arm in arms] == ["fc", "layer4", "layer3", "layer2", "layer1"]
    assert {(arm.sparsity, arm.solver, arm.image) for arm in arms} == {(0.99, "obc", "own")}


def test_table_a16_measures_the_network() -> None:
    assert all(isinstance(arm, Measured) for arm in definition.load("a16").arms)


def test_a_file_that_is_not_toml_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "2.toml").write_text("id = ")
    monkeypatch.setattr(definition, "files", lambda _: tmp_path)
    definition.load.cache_clear()
    definition.names.cache_clear()
    try:
        with pytest.raises(InputError, match=r"2\.toml is not TOML"):
            definition.load("2")
    finally:
        monkeypatch.undo()
        definition.load.cache_clear()
        definition.names.cache_clear()


def test_each_file_is_named_by_its_id() -> None:
    folder = files("benchmark.tables")
    assert {entry.name for entry in folder.iterdir() if entry.name.endswith(".toml")} == {
        f"{name}.toml" for name in definition.names()
    }
