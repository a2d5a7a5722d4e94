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
from benchmark.sensitivity import keep, shifts, variant
from benchmark.store import Store
from spade.errors import InputError
from spade.saliency import SETTINGS

RULES = replace(policy.load(), intervals=replace(policy.load().intervals, draws=200))


def moved(by: float) -> RunRecords:
    run = synthetic_run.run(0, tables=("2",))
    records = {
        key: replace(one, value=(one.value or 0) + by) if one.arm.startswith("obc") else one
        for key, one in run.records.items()
    }
    return replace(run, records=records)


def test_each_cell_is_told_under_every_protocol_with_its_move_from_the_first() -> None:
    found = shifts({"ours": moved(0.0), "paper": moved(-0.02), "official": moved(0.01)}, RULES)
    one = next(shift for shift in found if (shift.row, shift.column) == ("LRP", "SPADE"))
    assert one.means["paper"] - one.means["ours"] == pytest.approx(-2.0)
    between = one.against["official"].difference
    assert between is not None
    assert between.mean == pytest.approx(1.0)
    still = next(shift for shift in found if (shift.row, shift.column) == ("LRP", "Dense"))
    assert still.against["paper"].equal == still.against["paper"].shared == 8


def test_a_cell_that_one_protocol_cannot_fill_says_so() -> None:
    torn = moved(0.0)
    for arm in ("dense", "obc", "sparsegpt"):
        torn = synthetic_run.with_status(torn, "unavailable", "no", method="LRP", arm=arm, share=1)
    found = shifts({"ours": moved(0.0), "paper": torn}, RULES)
    one = next(shift for shift in found if (shift.row, shift.column) == ("LRP", "SPADE"))
    assert math.isnan(one.means["paper"])
    assert one.against == {}


def test_what_is_kept_can_be_read_and_has_no_number_that_json_lacks(tmp_path: Path) -> None:
    runs = {"ours": moved(0.0), "paper": moved(0.01)}
    path = keep(shifts(runs, RULES), tmp_path / "a" / "b.json", runs=runs)
    data = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert set(data["protocols"]) == {"ours", "paper"}
    spade = next(c for c in data["cells"] if (c["row"], c["column"]) == ("LRP", "SPADE"))
    assert spade["against"]["paper"]["difference"] == pytest.approx(1.0)


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
        assert (evaluator.rules.name, evaluator.rules.obc_block) == ("official", "kernel")
        assert evaluator.rules.n_augmentations == fake_laboratory.SCALE.pruning.n_augmentations
        assert evaluator.settings == SETTINGS["official"]
        assert "conv1" not in evaluator.layers  # the published notebook leaves the first convolution dense
