"""The engine computes what the plain chain computes: prune, explain, reduce, rank; in any order and company."""

import copy
from dataclasses import replace
from functools import partial
from typing import Any

import fake_evaluator
import fake_laboratory
import numpy as np
import pytest
import torch
from fake_laboratory import FakeMaterial
from torch import Tensor, nn

from benchmark import definition, engine, runner, work
from benchmark.definition import TableDefinition
from benchmark.material import Material
from benchmark.models.laboratory import Laboratory
from benchmark.plan import NETWORK_JOB, Job, Plan, Subject, Unit, generator_seed, hessian_key, make
from benchmark.records import UnitRecord
from benchmark.runner import Finished
from benchmark.unit_networks import UnitNetworks
from benchmark.work import Work
from spade import saliency
from spade.augment import augment
from spade.errors import EnvironmentProblem
from spade.layer_hessians import LayerHessians
from spade.layer_solutions import LayerSolutions
from spade.layers import layer_grams, prunable_layers
from spade.protocol import Protocol
from spade.trace import traced

METHODS = ("Saliency", "LRP", "LIME", "GradientShap")
"""Two that draw no random numbers and two that do; the others differ from them in spade alone."""


def fewer(name: str) -> TableDefinition:
    """A table with the rows of METHODS only."""
    table = definition.load(name)
    return replace(table, rows=tuple(row for row in table.rows if row.method in METHODS or not row.method))


TABLES = tuple(fewer(name) for name in definition.names())


def computed(plan: Plan, material: Material | None = None, *, backwards: bool = False) -> dict[str, Finished]:
    """Every unit of a plan by key."""
    jobs = plan.jobs()[::-1] if backwards else plan.jobs()
    kept: list[Finished] = []
    lab = material or fake_laboratory.material()
    runner.run(jobs, open_evaluator=lambda: engine.opened(lambda: lab, plan.subject), keep=kept.append, workers=1)
    return {one.record.key: one for one in kept}


@pytest.fixture(scope="module")
def subject() -> Subject:
    return fake_laboratory.subject()


@pytest.fixture(scope="module")
def plan(subject: Subject) -> Plan:
    return make(TABLES, subject)


@pytest.fixture(scope="module")
def done(plan: Plan) -> dict[str, Finished]:
    return computed(plan)


def one(plan: Plan, **wanted: object) -> Unit:
    (unit,) = [u for u in plan.units if all(getattr(u, name) == value for name, value in wanted.items())]
    return unit


def rank_auc(heatmap: Tensor, mask: Tensor) -> float:
    """Share of (patch pixel, other pixel) pairs in the right order, ties half: every pair looked at."""
    inside, outside = heatmap[mask].double(), heatmap[~mask].double()
    difference = inside[:, None] - outside[None, :]
    return float((difference > 0).double().mean() + (difference == 0).double().mean() / 2)


def plain(unit: Unit, subject: Subject, lab: Laboratory) -> float:
    """The value of a map unit by the public functions of spade, one after the other, nothing shared."""
    sample = next(s for s in lab.test_samples if s.id == unit.sample)
    image = next((s.image for s in lab.test_samples if s.id == unit.image), None)
    x = lab.normalise(sample.image[None])

    def auc(model: nn.Module) -> float:
        generator = torch.Generator().manual_seed(generator_seed(unit.noise))
        settings = saliency.Settings(**subject.protocol["saliency"])
        answer = saliency.explain(unit.method, model, x, sample.target, generator=generator, settings=settings)
        return rank_auc(saliency.heatmap(answer, subject.protocol["pruning"]["map_channels"]), sample.mask)

    if image is None:
        return auc(lab.model)
    groups = dict(unit.ratios)
    layers = [name for name, module in lab.model.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    ratios = {name: groups[name.partition(".")[0]] for name in layers if name.partition(".")[0] in groups}
    generator = torch.Generator().manual_seed(generator_seed(hessian_key(subject, unit.image)))
    with traced(
        lab.model,
        image,
        ratios=ratios,
        normalise=lab.normalise,
        solver=unit.solver or "obc",
        protocol=Protocol(**subject.protocol["pruning"]),
        generator=generator,
    ) as sparse:
        return auc(sparse.model)


def test_every_unit_has_a_record_and_none_failed(plan: Plan, done: dict[str, Finished]) -> None:
    assert done.keys() == {unit.key for unit in plan.units}
    assert {(f.record.status, f.record.reason) for f in done.values()} == {("ok", "")}


@pytest.mark.parametrize(
    "arm",
    [
        "dense",
        "obc, spade ratios, own sample",
        "sparsegpt, fastspade ratios, own sample",
        "obc, spade ratios, same patch",
        "obc, layer1 at 0.99, own sample",
        "obc, fc at 0.99, own sample",
    ],
)
@pytest.mark.parametrize("method", ["Saliency", "LRP", "LIME", "GradientShap"])
def test_a_value_is_what_the_plain_chain_gives(
    plan: Plan, done: dict[str, Finished], subject: Subject, arm: str, method: str
) -> None:
    unit = one(plan, arm=arm, method=method, sample="t1")
    # The chain prepares all layers at once where the engine prepares those it prunes: equal but for rounding, which
    # moves few pixels past one another among 14,112 pairs or so (400 pixels, 36 of them in the patch).
    assert done[unit.key].record.value == pytest.approx(plain(unit, subject, fake_laboratory.make()), abs=1e-3)


def test_the_map_behind_a_value_ranks_to_that_value(plan: Plan, done: dict[str, Finished]) -> None:
    masks = {s.id: s.mask for s in fake_laboratory.make().test_samples}
    for unit in plan.units:
        finished = done[unit.key]
        if unit.kind == "map" and unit.metric == "trojan_auc":
            assert finished.heatmap is not None
            assert finished.heatmap.dtype == np.float32
            auc = rank_auc(torch.from_numpy(finished.heatmap), masks[unit.sample])
            assert finished.record.value == pytest.approx(auc, abs=1e-12)


def values(found: dict[str, Finished]) -> dict[str, tuple[object, ...]]:
    """What must not depend on how units were computed: all but time and memory."""

    def fixed(record: UnitRecord) -> UnitRecord:
        return replace(record, seconds=0.0, peak_memory_mb=0.0)

    return {key: (fixed(f.record), None if f.heatmap is None else f.heatmap.tobytes()) for key, f in found.items()}


def test_results_are_the_same_bits_in_any_order(plan: Plan, done: dict[str, Finished]) -> None:
    assert values(computed(plan, backwards=True)) == values(done)


def test_results_are_the_same_bits_on_two_worker_processes(plan: Plan, done: dict[str, Finished]) -> None:
    kept: list[Finished] = []
    open_evaluator = partial(engine.opened, fake_laboratory.material, plan.subject)
    runner.run(plan.jobs(), open_evaluator=open_evaluator, keep=kept.append, workers=2)
    assert values({one.record.key: one for one in kept}) == values(done)


def test_results_are_the_same_bits_when_only_some_units_are_left(plan: Plan, done: dict[str, Finished]) -> None:
    some = {unit.key for i, unit in enumerate(plan.units) if i % 17 or unit.sample == "t2"}
    kept: list[Finished] = []
    lab = fake_laboratory.material()
    runner.run(
        plan.jobs(some), open_evaluator=lambda: engine.opened(lambda: lab, plan.subject), keep=kept.append, workers=1
    )
    assert values({one.record.key: one for one in kept}) == {
        key: value for key, value in values(done).items() if key not in some
    }


def test_global_random_numbers_are_neither_used_nor_moved(subject: Subject) -> None:
    table = replace(fewer("2"), arms=fewer("2").arms[::2])  # dense and FastSPADE
    plan = make([table], replace(subject, samples=subject.samples[:1]))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = computed(plan)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert values(computed(plan)) == values(first)


def test_the_network_is_left_as_it_was() -> None:
    lab = fake_laboratory.make()
    before = {name: value.clone() for name, value in lab.model.state_dict().items()}
    computed(make(TABLES, fake_laboratory.subject(1)), FakeMaterial(fake_laboratory.SCALE, 0, lab))
    assert all(torch.equal(value, before[name]) for name, value in lab.model.state_dict().items())
    assert not any(module._forward_hooks or module._backward_hooks for module in lab.model.modules())


def test_the_number_of_threads_is_given_back(plan: Plan) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with engine.opened(fake_laboratory.material, plan.subject):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_a_pruned_record_says_how_sparse_each_pruned_layer_became(plan: Plan, done: dict[str, Finished]) -> None:
    record = done[one(plan, arm="obc, spade ratios, own sample", method="LRP", sample="t0").key].record
    lab = fake_laboratory.make()
    asked = {"layer3": 0.5, "layer4": 0.8}
    pruned = {name for name, _ in lab.model.named_parameters() if "weight" in name and name.partition(".")[0] in asked}
    convolutions = {name.removesuffix(".weight") for name in pruned if lab.model.get_parameter(name).ndim == 4}
    assert set(record.sparsity) == convolutions
    assert all(abs(share - asked[name.partition(".")[0]]) < 0.01 for name, share in record.sparsity.items())


def test_a_record_says_whether_the_prediction_was_kept(plan: Plan, done: dict[str, Finished]) -> None:
    by_arm: dict[str, set[bool | None]] = {}
    for unit in plan.units:
        by_arm.setdefault(unit.arm, set()).add(done[unit.key].record.kept)
    assert by_arm["dense"] == by_arm["control"] == {None}
    assert by_arm["obc, layer1 at 0.99, own sample"] <= {True, False}


def test_probabilities_are_softmax_of_the_target(plan: Plan, done: dict[str, Finished]) -> None:
    lab = fake_laboratory.make()
    sample = lab.test_samples[2]
    with torch.no_grad():
        expected = lab.model(lab.normalise(sample.image[None])).softmax(1)[0, sample.target].item()
    dense = done[one(plan, arm="dense", method="LIME", sample="t2").key].record
    sparse = done[one(plan, arm="obc, layer1 at 0.99, own sample", method="LIME", sample="t2").key].record
    assert dense.probability_dense == pytest.approx(expected)
    assert dense.probability_sparse == pytest.approx(expected)
    assert sparse.probability_dense == pytest.approx(expected)
    assert sparse.probability_sparse != pytest.approx(expected)


def test_methods_with_an_axiom_record_how_far_they_miss_it(plan: Plan, done: dict[str, Finished]) -> None:
    has = {unit.method for unit in plan.units if unit.arm == "dense" and (done[unit.key].record.delta is not None)}
    assert {"LRP", "GradientShap"} <= has
    assert "Saliency" not in has


def test_seconds_and_memory_are_recorded(done: dict[str, Finished]) -> None:
    assert all(f.record.seconds > 0 for f in done.values())
    # a process that imported torch holds more than 100 MB and less than 100 GB
    assert all(100 < f.record.peak_memory_mb < 1e5 for f in done.values())


def test_pruning_is_charged_in_equal_parts_to_the_methods_that_use_it(done: dict[str, Finished], plan: Plan) -> None:
    times = [
        done[unit.key].record.seconds
        for unit in plan.units
        if (unit.arm, unit.sample) == ("obc, spade ratios, own sample", "t0")
    ]
    # Saliency itself takes milliseconds: without its share it would be far below the others' common part
    assert min(times) > 0.2 * sorted(times)[len(times) // 2]


def test_the_patch_oracle_is_perfect_and_noise_is_not(plan: Plan, done: dict[str, Finished]) -> None:
    for sample in ("t0", "t1", "t2"):
        assert done[one(plan, kind="control", method="patch oracle", sample=sample).key].record.value == 1.0
        assert 0.2 < (done[one(plan, kind="control", method="random", sample=sample).key].record.value or 0) < 0.8


def test_the_network_is_measured(plan: Plan, done: dict[str, Finished]) -> None:
    (job,) = [job for job in plan.jobs() if job.name == NETWORK_JOB]
    assert [done[unit.key].record.value for unit in job.units] == [0.75, 0.5, 0.25]


def test_a_lone_sample_skips_the_other_sample_arm() -> None:
    lone = fake_laboratory.subject(1)
    found = computed(make([fewer("a18")], lone), fake_laboratory.material(0, 1))
    skipped = [f.record for f in found.values() if f.record.status == "skipped"]
    assert len(skipped) == len(METHODS)
    assert {record.reason for record in skipped} == {"another sample with the same patch: there is none"}


def test_a_method_the_network_cannot_take_is_unavailable_with_its_reason(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    explain = saliency.explain

    def refuse(method: str, *args: object, **options: object) -> object:
        if method == "LRP":
            raise saliency.MethodUnavailable("LRP needs another network.")
        return explain(method, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(saliency, "explain", refuse)
    found = computed(make([fewer("2")], replace(subject, samples=subject.samples[:1])))
    refused = [f.record for f in found.values() if f.record.status == "unavailable"]
    assert [(record.method, record.reason) for record in refused] == [("LRP", "LRP needs another network.")] * 4


def test_an_unlikely_error_is_a_failed_record_without_paths(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> object:
        raise RuntimeError("cannot read\n  /home/somebody/secret/x.bin")

    monkeypatch.setattr(saliency, "heatmap", broken)
    found = computed(make([fewer("2")], replace(subject, samples=subject.samples[:1])))
    maps = [f for f in found.values() if f.record.arm != "control"]
    assert {f.record.status for f in maps} == {"failed"}
    assert {f.record.reason for f in maps} == {"RuntimeError: cannot read .../x.bin"}
    assert all(f.heatmap is None for f in maps)


def test_a_map_that_is_not_finite_is_a_failure(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    side = fake_laboratory.SIDE
    monkeypatch.setattr(saliency, "heatmap", lambda *_: torch.full((side, side), float("nan")))
    found = computed(make([fewer("2")], replace(subject, samples=subject.samples[:1])))
    reasons = {f.record.reason for f in found.values() if f.record.status == "failed"}
    assert reasons == {"ValueError: The map has 400 values that are not finite."}


def test_pruning_that_fails_is_tried_once_and_fails_every_unit_of_its_arm(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def broken(self: UnitNetworks, solver: str, hessians: object, work: object) -> object:  # noqa: ARG001
        tried.append(solver)
        raise ArithmeticError("the Hessian is singular")

    monkeypatch.setattr(UnitNetworks, "prepared", broken)
    found = computed(make([fewer("2")], replace(subject, samples=subject.samples[:1])))
    status = {f.record.arm: f.record.status for f in found.values()}
    assert status == {
        "dense": "ok",
        "control": "ok",
        "sparse fc": "ok",
        "obc, spade ratios, own sample": "failed",
        "sparsegpt, fastspade ratios, own sample": "failed",
    }
    assert tried == ["obc", "sparsegpt"]


def test_ratios_for_layers_the_network_lacks_fail_alone() -> None:
    ratios = {**fake_laboratory.RATIOS, "spade": {"layer9": 0.5}}
    found = computed(make([fewer("2"), fewer("a20")], fake_laboratory.subject(1, ratios=ratios)))
    failures = {f.record.arm for f in found.values() if f.record.status == "failed"}
    assert failures == {"obc, spade ratios, own sample"}
    reasons = {f.record.reason for f in found.values() if f.record.status == "failed"}
    assert all("No layer is in 'layer9'" in reason for reason in reasons)


def test_a_broken_machine_is_no_failure_of_a_unit(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> object:
        raise EnvironmentProblem("The disk is gone.")

    monkeypatch.setattr(saliency, "explain", broken)
    with pytest.raises(EnvironmentProblem, match="The disk is gone"):
        computed(make([fewer("2")], subject))


def test_a_network_that_gives_nan_fails_with_the_layer_named() -> None:
    lab = fake_laboratory.make()
    with torch.no_grad():
        lab.model.get_parameter("layer2.0.conv1.weight").fill_(float("nan"))
    found = computed(make([fewer("2")], fake_laboratory.subject(1)), FakeMaterial(fake_laboratory.SCALE, 0, lab))
    records = [f.record for f in found.values() if f.record.arm.startswith("obc")]
    assert {record.status for record in records} == {"failed"}
    assert all("layer" in record.reason for record in records)


def test_the_work_made_is_the_least_possible_and_the_one_foretold_whatever_the_tables_ask(
    plan: Plan, done: dict[str, Finished]
) -> None:
    made = Work()
    for finished in done.values():
        made += finished.made
    assert made == work.least(plan.units, plan.subject.protocol)
    assert made == work.ahead(plan.jobs(), plan.subject.protocol)


def test_a_protocol_that_damps_for_each_solver_in_its_own_way_factorises_once_for_each(subject: Subject) -> None:
    pruning = {**subject.protocol["pruning"], "obc_damping": 0.02}
    other = replace(subject, samples=subject.samples[:1], protocol={**subject.protocol, "pruning": pruning})
    plan = make([fewer("2")], other)
    made = Work()
    for finished in computed(plan, fake_laboratory.material(0, 1)).values():
        made += finished.made
    assert (made.hessians, made.factorisations) == (1, 2)
    assert made == work.least(plan.units, other.protocol)


def test_sharing_changes_no_bit(plan: Plan, done: dict[str, Finished]) -> None:
    # Each unit of t1's job by itself, so that its Hessians, factorisations, network and map are nobody else's.
    (job,) = [job for job in plan.jobs() if job.name == "t1"]
    assert {unit.solver for unit in job.units} == {"", "obc", "sparsegpt"}
    alone: dict[str, Finished] = {}
    lab = fake_laboratory.material()
    with engine.opened(lambda: lab, plan.subject) as evaluate:
        for unit in job.units:
            alone |= {one.record.key: one for one in evaluate(Job(job.name, (unit,)))}
    assert values(alone) == {key: value for key, value in values(done).items() if key in alone}


def test_the_least_work_is_counted_by_hand() -> None:
    # Two samples; OBC has one set of ratios and SparseGPT ten. Dense, OBC, SparseGPT and Sparse FC: 4 x 10 maps each.
    plan = make([definition.load("2")], fake_evaluator.subject(2))
    assert work.least(plan.units, {}) == Work(hessians=2, factorisations=2, traces=2 * (1 + 10), maps=2 * 4 * 10)
    own_damping = {"pruning": {"damping": 0.01, "obc_damping": 0.0}}
    assert work.least(plan.units, own_damping).factorisations == 4


def test_a_trace_asked_for_again_after_another_is_made_again_and_foretold_so(subject: Subject) -> None:
    plan = make([fewer("2")], subject)
    (job,) = [job for job in plan.jobs() if job.name == "t0"]
    obc, fast = ([unit for unit in job.units if unit.solver == solver] for solver in ("obc", "sparsegpt"))
    mixed = Job(job.name, (obc[0], fast[0], obc[1]))
    made = Work()
    with engine.opened(fake_laboratory.material, subject) as evaluate:
        for finished in evaluate(mixed):
            made += finished.made
    assert made == work.ahead([mixed], subject.protocol) == Work(hessians=1, factorisations=1, traces=3, maps=3)
    assert work.least(mixed.units, subject.protocol).traces == 2


def test_hessians_are_gathered_once_a_set_of_images_and_each_factorised_once_for_both_solvers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gather, factorise = UnitNetworks.hessians, LayerHessians.matrices
    looks: list[str] = []
    factorised: list[int] = []

    def gathered(self: UnitNetworks, unit: Unit, layers: list[str]) -> object:
        looks.append(unit.home)
        return gather(self, unit, layers)

    def counted(self: LayerHessians, *args: Any) -> Tensor:
        factorised.append(id(self))
        kept.append(self)  # so that no other gets its id
        return factorise(self, *args)

    kept: list[LayerHessians] = []
    monkeypatch.setattr(UnitNetworks, "hessians", gathered)
    monkeypatch.setattr(LayerHessians, "matrices", counted)
    monkeypatch.setattr(saliency, "explain", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("not needed here")))
    plan = make(TABLES, fake_laboratory.subject(2))
    parallel = replace(plan, units=tuple(unit for unit in plan.units if not unit.sequential))
    computed(parallel)
    assert len(set(looks)) == len(looks)
    assert {"t0", "t1"} <= set(looks)
    assert len(set(factorised)) == len(factorised) > 0


def test_a_job_is_answered_in_its_own_order() -> None:
    plan = make([fewer("2")], fake_laboratory.subject(1))
    job: Job = plan.jobs()[0]
    with engine.opened(partial(fake_laboratory.material, 0, 1), plan.subject) as evaluate:
        assert [f.record.key for f in evaluate(job)] == [unit.key for unit in job.units]


@pytest.mark.parametrize(
    ("arm", "image"),
    [
        ("obc, spade ratios, same class", "an image of class 1 for t1"),
        ("obc, spade ratios, many", "many images of any class"),
        ("obc, spade ratios, many of the patch", "many images with patch fish"),
    ],
)
def test_a_network_pruned_for_other_images_is_the_one_their_hessians_give(
    plan: Plan, done: dict[str, Finished], subject: Subject, arm: str, image: str
) -> None:
    unit = one(plan, arm=arm, method="Saliency", sample="t1")
    assert unit.image == image
    material = fake_laboratory.material()
    assert unit.images is not None
    images = material.images(unit.images, subject.n_augmentations)
    assert len(images) == (subject.n_augmentations if "many" in image else 1)
    if not unit.images.many:
        generator = torch.Generator().manual_seed(generator_seed(hessian_key(subject, image)))
        images = augment(images[0], subject.n_augmentations, augmentation="mild", generator=generator)
    rules = Protocol(**subject.protocol["pruning"])
    hessians = layer_grams(material.network(""), material.normalise(images))
    layers = prunable_layers(material.network(""))
    sparse = copy.deepcopy(material.network(""))
    for name in layers:
        ratio = {"layer3": 0.5, "layer4": 0.8}.get(name.partition(".")[0], 0.0)
        solved = LayerSolutions(layers[name], hessians[name], solver="obc", protocol=rules).solve(ratio)
        with torch.no_grad():
            sparse.get_parameter(f"{name}.weight").copy_(solved.weight.view_as(layers[name].weight))
    sample = material.test_samples[1]
    answer = saliency.explain(
        "Saliency",
        sparse,
        material.normalise(sample.image[None]),
        sample.target,
        generator=torch.Generator().manual_seed(0),
        settings=saliency.Settings(**subject.protocol["saliency"]),
    )
    assert done[unit.key].record.value == pytest.approx(rank_auc(saliency.heatmap(answer), sample.mask), abs=1e-3)


def test_sequential_pruning_is_the_sequential_trace(plan: Plan, done: dict[str, Finished], subject: Subject) -> None:
    unit = next(u for u in plan.units if u.sequential and u.method == "LRP" and u.sample == "t1")
    material = fake_laboratory.material()
    sample = material.test_samples[1]
    with (
        traced(
            material.network(""),
            sample.image,
            ratios={
                name: dict(unit.ratios)["layer4"] for name in prunable_layers(material.network("")) if "layer4" in name
            },
            normalise=material.normalise,
            solver="sparsegpt",
            protocol=Protocol(**subject.protocol["pruning"]),
            sequential=True,
            generator=torch.Generator().manual_seed(generator_seed(hessian_key(subject, "t1"))),
        ) as sparse,
        torch.no_grad(),
    ):
        there = sparse.model(material.normalise(sample.image[None])).softmax(1)[0, sample.target].item()
    assert done[unit.key].record.probability_sparse == pytest.approx(there, abs=1e-5)
    parallel = next(
        u
        for u in plan.units
        if u.arm == "sparsegpt, fastspade ratios, own sample" and u.method == "LRP" and u.sample == "t1"
    )
    assert done[parallel.key].record.probability_sparse != done[unit.key].record.probability_sparse


def test_kinds_of_augmentation_prune_differently_and_the_scales_own_kind_is_no_other_unit(
    plan: Plan, done: dict[str, Finished]
) -> None:
    arms = {unit.arm for unit in plan.units if "obc, spade ratios, own sample" in unit.arm}
    assert arms == {"obc, spade ratios, own sample"} | {
        f"obc, spade ratios, own sample, {kind}" for kind in ("J+RC", "RR", "G+RC", "RR+RC", "G")
    }
    said = {done[u.key].record.probability_sparse for u in plan.units if u.arm in arms and u.sample == "t0"}
    assert len(said) == len(arms)


def test_insertion_and_deletion_score_one_map_by_what_the_dense_network_says(
    plan: Plan, done: dict[str, Finished]
) -> None:
    pair = {
        unit.metric: done[unit.key]
        for unit in plan.units
        if unit.sample == "c1" and unit.method == "LRP" and unit.arm == "sparsegpt, fastspade ratios, own sample"
    }
    first, second = pair["insertion"].heatmap, pair["deletion"].heatmap
    assert first is not None
    assert second is not None
    assert np.array_equal(first, second)
    assert pair["insertion"].made.maps + pair["deletion"].made.maps == 1
    material = fake_laboratory.material()
    sample = material.clean_samples[1]
    order = torch.from_numpy(first).flatten().argsort(descending=True, stable=True)
    x = material.normalise(sample.image[None])
    curve = []
    with torch.no_grad():
        for count in np.round(np.linspace(0, 400, 33)).astype(int):
            shown = torch.zeros(400)
            shown[order[:count]] = 1
            logits = material.network("")(x * shown.view(1, 1, 20, 20))
            curve.append((count / 400, logits.double().softmax(1)[0, sample.target].item()))
    places, values = (np.array(one) for one in zip(*curve, strict=True))
    assert pair["insertion"].record.value == pytest.approx(float(np.trapezoid(values / values[-1], places)), abs=1e-5)


def test_a_derived_network_is_explained_like_any_other(plan: Plan, done: dict[str, Finished]) -> None:
    record = done[one(plan, arm="sparse fc", method="Saliency", sample="t0").key].record
    assert record.sparsity == {"fc": pytest.approx(0.5)}
    assert record.kept in {True, False}
    assert record.probability_sparse != record.probability_dense
