"""A metric that comes later is scored on the stored maps: nothing is made, and no bit differs from a run of its own."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import fake_laboratory
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmark import definition, engine, forecast, known_maps, plan, rerun, scale, unit_file
from benchmark.cost import cost
from benchmark.definition import Mapped, TableDefinition
from benchmark.execution import Execution, execute
from benchmark.metrics.evidence import Evidence
from benchmark.metrics.metric import METRICS, Metric
from benchmark.plan import Plan, make
from benchmark.records import UnitRecord
from benchmark.store import Store
from benchmark.work import Work
from spade import saliency

SUBJECT = fake_laboratory.subject(2)


def mass(heatmap: NDArray[np.float32], evidence: Evidence, **_: object) -> float:
    """The share of a map's mass that lies on the patch."""
    return float(np.abs(heatmap)[evidence.mask].sum(dtype=np.float64) / np.abs(heatmap).sum(dtype=np.float64))


@pytest.fixture(autouse=True)
def metric_of_mass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "mass", Metric("mass on the patch", mass, "higher", "trojan"))


def fewer(name: str, *columns: str, metric: str = "") -> TableDefinition:
    """A table with two rows, the columns that are named (all by default), and another metric where one is."""
    table = definition.load(name)
    rows = tuple(row for row in table.rows if row.method in {"LRP", "GradientShap"})
    arms = tuple(arm for arm in table.arms if not columns or arm.column in columns)
    return replace(table, rows=rows, arms=arms, controls=(), metric=metric or table.metric)


def by_metric(metric: str) -> TableDefinition:
    """Table 3 with the columns of one metric."""
    table = definition.load("3")
    return fewer("3", *(arm.column for arm in table.arms if isinstance(arm, Mapped) and arm.metric == metric))


def carried_out(folder: Path, wanted: Plan, *, retry_failed: bool = False) -> Execution:
    store = Store(folder)

    def stored(record: UnitRecord) -> NDArray[np.float32] | None:
        return store.read_map(wanted.subject.recipe_sha256, record.key, check=record.map_check)

    return execute(
        wanted,
        store,
        open_evaluator=lambda: engine.opened(partial(fake_laboratory.material, 0, 2), wanted.subject, stored),
        workers=1,
        retry_failed=retry_failed,
    )


def records(folder: Path, wanted: Plan) -> dict[str, UnitRecord]:
    """The records of a plan, but for the time they took and where the map came from."""
    found = unit_file.read(Store(folder).units_path(wanted.subject)).records
    return {
        unit.key: replace(found[unit.key], seconds=0.0, peak_memory_mb=0.0, scored_from="") for unit in wanted.units
    }


def maps(folder: Path, wanted: Plan) -> list[bytes]:
    read = partial(Store(folder).read_map, wanted.subject.recipe_sha256)
    found = [read(unit.key) for unit in wanted.units if unit.kind == "map"]
    return [b"" if heatmap is None else heatmap.tobytes() for heatmap in found]


EARLIER_AND_LATER: dict[str, Callable[[], tuple[list[TableDefinition], list[TableDefinition]]]] = {
    "another metric on the arms of Table 2, a derived network among them": lambda: (
        [fewer("2")],
        [fewer("2", metric="mass")],
    ),
    "another metric on sequential pruning": lambda: ([fewer("a17")], [fewer("a17", metric="mass")]),
    "deletion after insertion, which ask the network": lambda: ([by_metric("insertion")], [by_metric("deletion")]),
}


@pytest.mark.parametrize("which", EARLIER_AND_LATER)
def test_a_later_metric_makes_nothing_and_gives_the_bits_of_a_run_of_its_own(tmp_path: Path, which: str) -> None:
    earlier, later = (make(tables, SUBJECT) for tables in EARLIER_AND_LATER[which]())
    assert not {unit.key for unit in earlier.units} & {unit.key for unit in later.units}
    assert carried_out(tmp_path / "store", earlier).made != Work()
    done = carried_out(tmp_path / "store", later)
    assert (done.made, done.least, done.scored, done.notes) == (Work(), Work(), done.computed, ())
    assert done.computed == len(later.units) > 0
    fresh = carried_out(tmp_path / "fresh", later)
    assert (fresh.scored, fresh.made) == (0, fresh.least)
    assert records(tmp_path / "store", later) == records(tmp_path / "fresh", later)
    assert maps(tmp_path / "store", later) == maps(tmp_path / "fresh", later)
    assert all(one.status == "ok" for one in records(tmp_path / "fresh", later).values())


def test_only_missing_maps_are_made_in_a_job_whose_others_are_stored(tmp_path: Path) -> None:
    part, whole = make([fewer("2", "Dense", "SPADE")], SUBJECT), make([fewer("2", metric="mass")], SUBJECT)
    carried_out(tmp_path / "store", part)
    done = carried_out(tmp_path / "store", whole)
    # Two samples' FastSPADE (at the same ratios for both methods) and Sparse FC, two maps each; the others are there.
    assert done.made == done.least == Work(hessians=2, factorisations=2, traces=2, maps=8)
    assert done.scored == 8
    carried_out(tmp_path / "fresh", whole)
    assert records(tmp_path / "store", whole) == records(tmp_path / "fresh", whole)


def test_a_map_that_is_missing_cut_off_or_changed_is_said_and_made_again(tmp_path: Path) -> None:
    earlier, later = make([fewer("2", "SPADE")], SUBJECT), make([fewer("2", "SPADE", metric="mass")], SUBJECT)
    carried_out(tmp_path / "store", earlier)
    missing, cut, changed, _ = sorted((tmp_path / "store" / "maps").rglob("*.npy"))
    missing.unlink()
    cut.write_bytes(cut.read_bytes()[:-7])
    flipped = bytearray(changed.read_bytes())
    flipped[-1] ^= 1
    changed.write_bytes(flipped)
    done = carried_out(tmp_path / "store", later)
    assert done.notes == ("3 stored maps are missing or damaged and will be made again.",)
    assert (done.scored, done.made.maps) == (1, 3)
    assert done.made == done.least
    carried_out(tmp_path / "fresh", later)
    assert records(tmp_path / "store", later) == records(tmp_path / "fresh", later)
    assert maps(tmp_path / "store", later) == maps(tmp_path / "fresh", later)


def test_a_map_that_goes_after_it_was_checked_is_made_like_any_other(tmp_path: Path) -> None:
    earlier, later = make([fewer("2")], SUBJECT), make([fewer("2", metric="mass")], SUBJECT)
    carried_out(tmp_path / "store", earlier)
    there = unit_file.read(Store(tmp_path / "store").units_path(SUBJECT)).records.values()
    known = known_maps.find(later.units, SUBJECT, there, Store(tmp_path / "store")).records
    assert known.keys() == {unit.key for unit in later.units}
    carried_out(tmp_path / "fresh", later)
    expected = records(tmp_path / "fresh", later)
    calls: list[str] = []

    def every_other(record: UnitRecord) -> NDArray[np.float32] | None:
        calls.append(record.key)
        read = Store(tmp_path / "store").read_map(SUBJECT.recipe_sha256, record.key)
        return read if len(calls) % 2 else None

    with engine.opened(partial(fake_laboratory.material, 0, 2), SUBJECT, every_other) as evaluate:
        found = [one.record for job in later.jobs((), known) for one in evaluate(job)]
    assert {bool(one.scored_from) for one in found} == {True, False}
    for one in found:
        whole = expected[one.key]
        plain = replace(one, seconds=0.0, peak_memory_mb=0.0, scored_from="")
        assert plain == replace(whole, policy="", map_key="", map_check="")


def test_maps_that_a_metric_could_not_score_serve_the_mended_metric(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> float:
        raise ZeroDivisionError("there is a mistake in it")

    monkeypatch.setitem(METRICS, "broken", Metric("with a mistake", broken, "higher", "trojan"))
    first, mended = (make([fewer("2", "SPADE", metric=name)], SUBJECT) for name in ("broken", "mass"))
    done = carried_out(tmp_path, first)
    assert done.failed == done.computed == 4
    assert {one.reason for one in records(tmp_path, first).values()} == {"ZeroDivisionError: there is a mistake in it"}
    done = carried_out(tmp_path, mended)
    assert (done.made, done.failed, done.scored) == (Work(), 0, 4)


def test_a_failed_unit_that_is_asked_for_again_takes_no_map_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nan = np.full((fake_laboratory.SIDE, fake_laboratory.SIDE), np.nan, np.float32)
    wanted = make([fewer("2", "Dense")], SUBJECT)
    with monkeypatch.context() as patched:
        patched.setattr(engine.Engine, "explained", lambda *_: (nan, float("nan")))
        assert carried_out(tmp_path, wanted).failed == 4
    again = carried_out(tmp_path, wanted, retry_failed=True)
    assert (again.failed, again.scored, again.made.maps) == (0, 0, 4)


def test_a_method_the_network_cannot_take_is_not_tried_again_for_another_metric(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise saliency.MethodUnavailable("It needs another network.")

    monkeypatch.setattr(saliency, "explain", refuse)
    earlier, later = (make([fewer("2", "SPADE", metric=name)], SUBJECT) for name in ("trojan_auc", "mass"))
    carried_out(tmp_path, earlier)
    done = carried_out(tmp_path, later)
    assert (done.made, done.scored, done.left) == (Work(), 4, 0)
    found = records(tmp_path, later).values()
    assert {(one.status, one.reason) for one in found} == {("unavailable", "It needs another network.")}


def test_records_from_before_the_map_was_noted_serve_nothing_and_harm_nothing(tmp_path: Path) -> None:
    earlier, later = (make([fewer("2", "Dense", metric=name)], SUBJECT) for name in ("trojan_auc", "mass"))
    carried_out(tmp_path, earlier)
    store = Store(tmp_path)
    old = [replace(one, map_key="", map_check="") for one in unit_file.read(store.units_path(SUBJECT)).records.values()]
    assert known_maps.find(later.units, SUBJECT, old, store) == known_maps.KnownMaps({})


def test_units_have_one_map_key_exactly_where_they_share_a_map() -> None:
    with_mass = [replace(definition.load(name), metric="mass") for name in ("2", "a18")]
    wanted = make([*definition.load_all(), *with_mass], fake_laboratory.subject())
    of_maps = [unit for unit in wanted.units if unit.kind == "map"]
    pairs = {(plan.map_key(unit, wanted.subject), unit.map) for unit in of_maps}
    assert len(pairs) == len({key for key, _ in pairs}) == len({one for _, one in pairs}) < len(of_maps)
    assert {plan.map_key(unit, wanted.subject) for unit in wanted.units if unit.kind != "map"} == {""}


def test_the_plan_foretells_that_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carried_out(tmp_path, make([by_metric("insertion")], SUBJECT))
    monkeypatch.setattr(scale, "load", lambda _: fake_laboratory.SCALE)
    monkeypatch.setattr(forecast, "_known_subject", lambda *_: SUBJECT)
    later = by_metric("deletion")
    monkeypatch.setattr(definition, "load", lambda _: later)
    outlook = forecast.outlook(Store(tmp_path), ("3",), "smoke", 0)
    assert outlook.known.keys() == {unit.key for unit in outlook.plan.units}
    # Nothing was scored from a stored map yet, so how long that takes is not known.
    assert (outlook.cost.units, outlook.cost.unmeasured) == (len(outlook.plan.units), len(outlook.plan.units))
    carried_out(tmp_path, outlook.plan)
    found = unit_file.read(Store(tmp_path).units_path(SUBJECT)).records
    scored = [one for one in found.values() if one.scored_from]
    rest = cost(outlook.plan, {}, scored, {unit.key: scored[0] for unit in outlook.plan.units})
    assert rest.unmeasured == 0
    assert rest.seconds == pytest.approx(len(outlook.plan.units) * float(np.median([one.seconds for one in scored])))


def test_worker_processes_read_the_maps_from_the_store(tmp_path: Path) -> None:
    earlier, later = (make([fewer("2", "Dense", metric=name)], SUBJECT) for name in ("trojan_auc", "mass"))
    carried_out(tmp_path, earlier)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rerun, "_material", lambda *_: fake_laboratory.material(0, 2))
        with rerun.opened("smoke", 0, tmp_path, SUBJECT) as evaluate:
            there = unit_file.read(Store(tmp_path).units_path(SUBJECT)).records.values()
            known = known_maps.find(later.units, SUBJECT, there, Store(tmp_path)).records
            found = [one for job in later.jobs((), known) for one in evaluate(job)]
    assert all(one.record.scored_from and one.made == Work() for one in found)
    assert len(found) == len(later.units)
