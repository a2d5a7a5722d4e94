import json
import math
from dataclasses import replace
from pathlib import Path

import fake_laboratory
import pytest
import synthetic_run
from fake_laboratory import FakeMaterial

from benchmark import policy, rerun, scale
from benchmark.models import laboratory
from benchmark.records import RunRecords
from benchmark.sensitivity import gains, moved, shifts, too_few, variant
from benchmark.sensitivity_file import keep, path, read
from benchmark.store import Store
from spade.errors import InputError
from spade.saliency import SETTINGS

RULES = replace(policy.load(), intervals=replace(policy.load().intervals, draws=200))


def shifted(by: float, *, n_samples: int = 8) -> RunRecords:
    run = synthetic_run.run(0, tables=("2",), n_samples=n_samples)
    records = {
        key: replace(one, value=(one.value or 0) + by) if one.arm.startswith("obc") else one
        for key, one in run.records.items()
    }
    return replace(run, records=records)


def test_each_cell_is_told_under_every_protocol_with_its_move_from_the_first() -> None:
    found = shifts({"ours": shifted(0.0), "paper": shifted(-0.02), "official": shifted(0.01)}, RULES)
    one = next(shift for shift in found if (shift.row, shift.column) == ("LRP", "SPADE"))
    assert one.means["paper"] - one.means["ours"] == pytest.approx(-2.0)
    between = one.against["official"].difference
    assert between is not None
    assert between.mean == pytest.approx(1.0)
    still = next(shift for shift in found if (shift.row, shift.column) == ("LRP", "Dense"))
    assert still.against["paper"].equal == still.against["paper"].shared == 8


def test_a_cell_that_one_protocol_cannot_fill_says_so() -> None:
    torn = shifted(0.0)
    for arm in ("dense", "obc", "sparsegpt"):
        torn = synthetic_run.with_status(torn, "unavailable", "no", method="LRP", arm=arm, share=1)
    found = shifts({"ours": shifted(0.0), "paper": torn}, RULES)
    one = next(shift for shift in found if (shift.row, shift.column) == ("LRP", "SPADE"))
    assert math.isnan(one.means["paper"])
    assert one.against == {}


def test_what_is_kept_can_be_read_and_has_no_number_that_json_lacks(tmp_path: Path) -> None:
    runs = {"ours": shifted(0.0), "paper": shifted(0.01)}
    to = keep(shifts(runs, RULES), gains(runs, RULES), tmp_path / "a" / "b.json", runs=runs)
    data = json.loads(to.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert set(data["protocols"]) == {"ours", "paper"}
    spade = next(c for c in data["cells"] if (c["row"], c["column"]) == ("LRP", "SPADE"))
    assert spade["against"]["paper"]["difference"] == pytest.approx(1.0)


def test_controls_are_no_cells_that_a_protocol_could_move() -> None:
    found = shifts({"ours": shifted(0.0), "paper": shifted(-0.02)}, RULES)
    assert "Control" not in {one.column for one in found}
    assert len(found) == 44  # ten methods and their average, four columns


def test_the_cells_that_move_are_those_whose_chance_is_below_alpha_after_holm() -> None:
    found = shifts({"ours": shifted(0.0), "paper": shifted(-0.02)}, RULES)
    assert moved(found, "paper", RULES.intervals.alpha) == (0, 44)
    shown = tuple(
        replace(one, against={"paper": replace(one.against["paper"], adjusted_p=0.01)})
        if one.column == "SPADE"
        else one
        for one in found
    )
    assert moved(shown, "paper", 0.05) == (11, 44)


def test_so_few_images_that_holm_could_show_nothing_are_called_too_few() -> None:
    assert too_few(8, 44, 0.05)  # flips of 8 signs: p >= 2 / 2^8, and 44 times that is 0.34
    assert not too_few(11, 44, 0.05)  # 44 * 2 / 2^11 = 0.043


def test_the_average_gain_of_a_column_moves_by_what_its_cells_move() -> None:
    found = gains({"ours": shifted(0.0), "paper": shifted(-0.02)}, RULES)
    spade = next(one for one in found if one.column == "SPADE")
    ours, paper = (spade.under[name].difference for name in ("ours", "paper"))
    assert ours is not None
    assert paper is not None
    assert paper.mean - ours.mean == pytest.approx(-2.0)


def test_what_is_kept_of_a_run_is_read_back_and_not_for_another_network(tmp_path: Path) -> None:
    run = replace(shifted(0.0), store=tmp_path)
    runs = {"ours": run, "paper": shifted(0.01)}
    keep(shifts(runs, RULES), gains(runs, RULES), path(tmp_path, run.scale, run.seed, "2"), runs=runs)
    kept = read(run, "2")
    assert kept is not None
    assert list(kept.protocols) == ["ours", "paper"]
    spade = next(one for one in kept.cells if (one.row, one.column) == ("LRP", "SPADE"))
    assert spade.against["paper"].mean == pytest.approx(1.0)
    assert read(replace(run, weights_sha256="another"), "2") is None
    assert read(run, "a18") is None
    path(tmp_path, run.scale, run.seed, "2").write_text("{", encoding="utf-8")
    assert read(run, "2") is None


def test_runs_under_another_protocol_share_the_trained_networks_and_nothing_else(tmp_path: Path) -> None:
    main = Store(tmp_path)
    other = variant(main, "paper")
    (main.cache / "networks").mkdir()
    assert (other.cache / "networks").is_dir()
    assert other.folder != main.folder
    assert variant(main, "paper") == other


def test_a_scale_under_another_protocol_keeps_its_network_and_its_number_of_augmentations() -> None:
    plain = scale.load("smoke")
    other = scale.under(plain, "official")
    assert other.recipe_sha256(0) == plain.recipe_sha256(0)
    assert (other.pruning.protocol, other.pruning.augmentation) == ("official", "notebook")
    assert other.pruning.n_augmentations == plain.pruning.n_augmentations
    with pytest.raises(InputError, match="Unknown protocol 'offical'"):
        scale.under(plain, "offical")


def test_a_worker_opens_the_network_under_the_protocol_of_the_request_not_the_scale_s(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read = scale.under(fake_laboratory.SCALE, "official")
    subject = replace(rerun.subject_of(FakeMaterial(read, 0, fake_laboratory.make())), clean=())
    monkeypatch.setattr(laboratory, "prepare", lambda *_, **_more: fake_laboratory.make())
    with rerun.opened("smoke", 0, tmp_path, subject) as evaluator:
        assert scale.load("smoke").pruning.protocol == "ours"
        assert (evaluator.networks.rules.name, evaluator.networks.rules.obc_block) == ("official", "kernel")
        assert evaluator.networks.rules.n_augmentations == fake_laboratory.SCALE.pruning.n_augmentations
        assert evaluator.settings == SETTINGS["official"]
        assert "conv1" not in evaluator.networks.layers  # the published notebook leaves the first convolution dense
