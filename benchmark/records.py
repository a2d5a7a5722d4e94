"""What a run leaves behind: one record a unit, and everything a report or a verdict reads of one run.

Nothing here imports torch, so that `status` and `report` start at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .definition import TableDefinition

Status = Literal["ok", "failed", "unavailable", "skipped"]
"""ok: a value; failed: it raised; unavailable: the network cannot take the method; skipped: nothing to compute."""


@dataclass(frozen=True)
class UnitRecord:
    """The outcome of one unit; a failure is data, with its reason.

    Attributes:
        key: content key of the unit (`benchmark.unit.Unit.key`).
        reason: why there is no value; empty when status is "ok".
        sample: id of the explained sample ("" where the network itself is measured; a patch where it is by patch).
        arm: canonical, table-free name: "dense", "obc own spade", "control", "network", ...
        method: saliency method, control map or measured quantity.
        value: the metric in its own scale (Trojan AUC and accuracies in [0, 1]); None without a value.
        kept: whether the pruned network still predicts what the dense one predicts; None where nothing is pruned.
        probability_dense: softmax of the target class, dense network.
        probability_sparse: the same, of the network the map was made on.
        seconds: CPU-side wall time of this unit, with its share of the pruning it shares with other units.
        peak_memory_mb: largest resident size of its process so far [MB].
        sparsity: achieved share of zeros by pruned layer.
        dead_columns: inputs that were zero in every augmentation, by pruned layer, where there are any.
        fallbacks: what the solver did instead of what was asked, in words.
        delta: completeness or conservation error of the attribution; None where the method has none.
        versions: releases of the libraries that computed it.
        policy: beginning of the sha256 of the policy that was in force when it was computed.
        map_key: sha256 of all that its saliency map depends on, the same for every metric; empty where no map was
            made, and in records from before it was noted.
        map_check: sha256 of the stored map; empty where none is stored.
        scored_from: key of the unit whose stored map was scored; empty where the map was made for this unit's run.
    """

    key: str
    status: Status
    reason: str
    sample: str
    arm: str
    method: str
    seed: int
    value: float | None = None
    kept: bool | None = None
    probability_dense: float | None = None
    probability_sparse: float | None = None
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    sparsity: Mapping[str, float] = field(default_factory=dict)
    dead_columns: Mapping[str, int] = field(default_factory=dict)
    fallbacks: tuple[str, ...] = ()
    delta: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    policy: str = ""
    map_key: str = ""
    map_check: str = ""
    scored_from: str = ""


OF_THE_MAP = ("kept", "probability_dense", "probability_sparse", "sparsity", "dead_columns", "fallbacks", "delta")
"""What a record says of a map and the network behind it, whatever the metric."""


@dataclass(frozen=True)
class AskedCell:
    """Which units one cell of one table is made of.

    kind: "value" (a method under an arm), "control" (a control map; its column is "Control"), "measurement".
    units: (sample id, unit key), in the scale's sample order; empty where `not_run` says why.
    """

    table: str
    row: str
    column: str
    kind: Literal["value", "control", "measurement"]
    units: tuple[tuple[str, str], ...]
    not_run: str = ""


@dataclass(frozen=True)
class SampleNote:
    """What a page says about a test sample."""

    id: str
    label: int
    target: int
    patch: str


@dataclass(frozen=True)
class RunRecords:
    """One run (a scale, a seed, some tables) with all its records: what `report.write` and `verdict.judge` read.

    Attributes:
        recipe_sha256: identity of the recipe of the weights.
        protocol: every knob of the pruning and scoring.
        asked: one entry a cell of every asked table, in printed order.
        records: by unit key; a key in `asked` that is absent here was not computed yet.
        samples: the test samples, in order.
        accuracy: clean accuracy and accuracy on each patch of the prepared network.
        provenance: versions, machine, command and duration (`benchmark.provenance`), fit for publishing.
        store: folder that also holds the maps and the sample images; None where they were not kept.
        weights_sha256: identity of the network and its samples, to the bit; "" where it is not known.
    """

    scale: str
    seed: int
    recipe_sha256: str
    protocol: Mapping[str, Any]
    tables: tuple[TableDefinition, ...]
    asked: tuple[AskedCell, ...]
    records: Mapping[str, UnitRecord]
    samples: tuple[SampleNote, ...]
    accuracy: Mapping[str, float]
    provenance: Mapping[str, Any]
    store: Path | None = None
    weights_sha256: str = ""
