"""A plan asks for each unit once, under a key that says what its value depends on."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import pytest
from fake_evaluator import METHODS, subject

from benchmark import definition
from benchmark.definition import Row
from benchmark.plan import Plan, Subject, make
from benchmark.selection import ImageSet
from benchmark.unit_key import STAGES, generator_seed, hessian_key, sealed
from spade.errors import InputError

ALL = definition.load_all()


def plan_of(*names: str, of: Subject | None = None) -> Plan:
    return make([definition.load(name) for name in names], of or subject())


def test_table_2_asks_for_every_sample_arm_and_method_and_for_the_controls() -> None:
    # 4 samples x (4 arms x 10 methods + 5 controls) = 180
    assert len(plan_of("2").units) == 4 * (4 * 10 + 5)


def test_a_unit_that_two_tables_ask_for_is_computed_once() -> None:
    together, apart = plan_of("2", "a18"), [plan_of("2"), plan_of("a18")]
    shared = {unit.key for unit in apart[0].units} & {unit.key for unit in apart[1].units}
    assert len(shared) == 4 * 2 * 10  # dense, and SPADE = 1SI
    assert Counter(unit.key for unit in together.units).most_common(1)[0][1] == 1
    assert len(together.units) == len(apart[0].units) + len(apart[1].units) - len(shared)


def test_the_order_of_tables_changes_no_unit() -> None:
    forward, backward = make(ALL, subject()), make(reversed(ALL), subject())
    assert {unit.key: unit for unit in forward.units} == {unit.key: unit for unit in backward.units}


def test_the_key_is_the_sha256_of_what_the_value_depends_on() -> None:
    of = subject()
    unit = next(u for u in plan_of("2").units if u.solver == "obc" and u.sample == "s1" and u.method == "LIME")
    spelled = {
        "stage": "score",
        "versions": {"hessian": 1, "trace": 1, "map": 1, "score": 1},
        "kind": "map",
        "protocol": of.protocol,
        "numerics": of.numerics,
        "solver": "obc",
        "image": "s1",
        "ratios": [["layer3", 0.8], ["layer4", 0.9]],
        "n_augmentations": 8,
        "weights": "12" * 32,
        "seed": 0,
        "sample": "s1",
        "method": "LIME",
        "metric": "trojan_auc",
    }
    text = json.dumps(spelled, sort_keys=True, separators=(",", ":"))
    assert unit.key == hashlib.sha256(text.encode()).hexdigest()


def test_every_knob_a_unit_asks_for_is_in_its_key() -> None:
    unit = next(u for u in plan_of("2").units if u.solver == "obc")
    changes: list[dict[str, Any]] = [
        {"network": "cap"},
        {"augmentation": "G"},
        {"sequential": True},
        {"rule": "linear"},
        {"settings": (("steps", 3),)},
        {"images": ImageSet("any", many=True)},
        {"metric": "insertion"},
        {"ratios": (("fc", 0.5),)},
    ]
    keys = {sealed(replace(unit, **change), subject()).key for change in changes}
    assert len(keys | {unit.key}) == len(changes) + 1


@pytest.mark.parametrize(
    "changed",
    [
        replace(subject(), weights_sha256="cd" * 32),
        replace(subject(), seed=1),
        replace(subject(), protocol={"name": "paper"}),
        replace(subject(), numerics={"device": "cuda"}),
        replace(subject(), n_augmentations=9),
    ],
)
def test_whatever_a_value_depends_on_changes_every_key(changed: Subject) -> None:
    before, after = plan_of("2"), plan_of("2", of=changed)
    assert not {unit.key for unit in before.units} & {unit.key for unit in after.units}


def test_other_ratios_change_only_the_units_pruned_with_them() -> None:
    changed = replace(subject(), ratios={**subject().ratios, "spade": {"layer4": 0.5}})
    before, after = plan_of("2").units, plan_of("2", of=changed).units
    different = [old.solver for old, new in zip(before, after, strict=True) if old.key != new.key]
    assert different == ["obc"] * 40


def test_ratios_by_method_reach_their_method() -> None:
    units = [u for u in plan_of("2").units if u.solver == "sparsegpt" and u.sample == "s0"]
    assert {u.method: dict(u.ratios) for u in units} == subject().ratios["fastspade"]


def test_a_method_without_ratios_is_an_error_that_names_the_scale() -> None:
    ratios = {**subject().ratios, "fastspade": {"LIME": {"fc": 0.5}}}
    with pytest.raises(InputError, match="Scale 'smoke', ratios 'fastspade': none for Saliency"):
        plan_of("2", of=replace(subject(), ratios=ratios))


def test_ratios_no_arm_knows_are_an_error_with_near_names() -> None:
    with pytest.raises(
        InputError, match=r"no ratios called 'spade', but some called 'spades'.* did you mean 'spade'\?"
    ):
        plan_of("2", of=replace(subject(), ratios={"spades": {}}))


def test_cells_whose_ratios_nobody_searched_are_not_run_and_say_so() -> None:
    plan = plan_of("2", of=replace(subject(), ratios={"spade": subject().ratios["spade"]}))
    idle = {cell.column: cell.not_run for cell in plan.asked if cell.column in {"SPADE", "FastSPADE"}}
    assert idle == {"SPADE": "", "FastSPADE": "scale 'smoke' has no ratios 'fastspade' (searched with SparseGPT)"}


def test_a_table_that_a_scale_cannot_run_is_an_error() -> None:
    with pytest.raises(InputError, match="Table 2 is not defined at scale 'big'"):
        plan_of("2", of=subject(scale="big"))


def test_arms_of_one_sample_and_method_share_their_noise_and_no_others_do() -> None:
    noise: dict[str, set[tuple[str, str]]] = {}
    for unit in make(ALL, subject()).units:
        if unit.kind == "map":
            noise.setdefault(unit.noise, set()).add((unit.sample, unit.method))
    assert sorted(pair for pairs in noise.values() for pair in pairs) == sorted(
        product(("c0", "c1", "c2", "c3", "s0", "s1", "s2", "s3"), METHODS)
    )
    assert all(len(pairs) == 1 for pairs in noise.values())


def test_both_solvers_see_the_same_augmentations() -> None:
    of = subject()
    assert hessian_key(of, "s0") != hessian_key(of, "s1")
    assert hessian_key(of, "s0") == hessian_key(replace(of, ratios={}), "s0")


def test_a_lone_sample_has_no_other_and_says_so() -> None:
    units = [u for u in plan_of("a18", of=subject(1)).units if "same patch" in u.arm]
    assert {unit.impossible for unit in units} == {"another sample with the same patch: there is none"}


def test_a_job_holds_what_one_set_of_images_prunes() -> None:
    plan = make(ALL, subject())
    jobs = plan.jobs()
    samples = [job.name for job in jobs if job.name in {"s0", "s1", "s2", "s3"}]
    assert samples == ["s0", "s1", "s2", "s3"] == [job.name for job in jobs][:4]
    assert sorted(unit.key for job in jobs for unit in job.units) == sorted(unit.key for unit in plan.units)
    for job in jobs:
        assert len({(unit.image, unit.augmentation) for unit in job.units if unit.solver}) <= 1
    pruned = [(unit.image, unit.augmentation) for job in jobs for unit in job.units[:1] if unit.solver]
    assert len(set(pruned)) == len(pruned)


def test_methods_on_one_sparse_network_follow_each_other() -> None:
    networks = [(unit.trace, unit.sample) for unit in make(ALL, subject()).jobs()[0].units]
    turns = sum(before != after for before, after in pairwise(networks))
    assert turns == len(set(networks)) - 1


def test_a_stored_unit_is_in_no_job() -> None:
    plan = plan_of("2")
    stored = {unit.key for unit in plan.units[:7]}
    assert {unit.key for job in plan.jobs(stored) for unit in job.units} == {unit.key for unit in plan.units} - stored


def test_the_network_is_measured_once_and_patch_by_patch() -> None:
    plan = plan_of("a16")
    assert [(unit.method, unit.sample) for unit in plan.units] == [
        ("clean_accuracy", ""),
        ("trojan_accuracy", "fish"),
        ("trojan_accuracy", "star"),
    ]


def test_cells_that_are_not_run_have_a_reason_and_no_units() -> None:
    for cell in make(ALL, subject()).asked:
        assert bool(cell.units) != bool(cell.not_run)


def test_a_row_that_is_not_run_asks_for_nothing() -> None:
    table = replace(definition.load("2"), rows=(Row("LIME", "LIME", not_run="too slow"),), controls=())
    plan = make([table], subject())
    assert plan.units == ()
    assert {cell.not_run for cell in plan.asked} == {"too slow"}


def test_a_generator_seed_is_what_a_generator_takes() -> None:
    assert generator_seed("f" * 64) == 2**63 - 1
    assert generator_seed("0" * 64) == 0


def test_a_unit_rests_on_stages_that_have_a_version() -> None:
    assert all(stage in STAGES for unit in make(ALL, subject()).units for stage in unit.stages)
