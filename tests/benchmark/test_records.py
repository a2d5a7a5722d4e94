"""Records are data: frozen, and honest about what is absent."""

from dataclasses import FrozenInstanceError

import pytest

from benchmark.records import UnitRecord


def test_a_record_cannot_be_changed() -> None:
    record = UnitRecord("k", "ok", "", "s", "dense", "LIME", 0, value=0.5)
    with pytest.raises(FrozenInstanceError):
        record.value = 0.6  # type: ignore[misc]


def test_what_was_not_measured_is_none_and_not_zero() -> None:
    record = UnitRecord("k", "failed", "no", "s", "dense", "LIME", 0)
    assert (record.value, record.kept, record.probability_dense, record.probability_sparse, record.delta) == (None,) * 5
