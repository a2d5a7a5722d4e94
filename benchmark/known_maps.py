"""The stored saliency maps that units of a plan can be scored from: no Hessian, network or map is made for them.

A unit's map is known by the sha256 of all it depends on, the metric left out (`unit_key.map_key`); it stands in every
record beside the check sum of the stored map.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .records import UnitRecord
from .store import Store
from .unit import Subject, Unit
from .unit_key import map_key


@dataclass(frozen=True)
class KnownMaps:
    """The units that stored maps serve.

    Attributes:
        records: by unit key, the record of a unit of another metric whose map is stored; or which says that the method
            cannot be had, whatever the metric.
        lost: how many maps were made once and cannot be read now, or are not what was stored.
    """

    records: Mapping[str, UnitRecord]
    lost: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence about maps that were lost."""
        if not self.lost:
            return ()
        many = self.lost > 1
        return (f"{self.lost} stored map{'s are' if many else ' is'} missing or damaged and will be made again.",)


def find(units: Iterable[Unit], subject: Subject, records: Iterable[UnitRecord], store: Store) -> KnownMaps:
    """The stored maps that some units without a record can be scored from; each map is read once and checked."""
    makers: dict[str, list[UnitRecord]] = {}
    for record in records:
        if record.map_key:
            makers.setdefault(record.map_key, []).append(record)
    if not makers:
        return KnownMaps({})
    by_map: dict[str, UnitRecord | None] = {}
    found: dict[str, UnitRecord] = {}
    for unit in units:
        name = map_key(unit, subject)
        if name not in makers:
            continue
        if name not in by_map:
            by_map[name] = next((one for one in makers[name] if _usable(one, subject, store)), None)
        maker = by_map[name]
        if maker is not None:
            found[unit.key] = maker
    return KnownMaps(found, lost=sum(maker is None for maker in by_map.values()))


def _usable(maker: UnitRecord, subject: Subject, store: Store) -> bool:
    """Whether a new metric can be had from what a record left behind."""
    if maker.status == "unavailable":
        return True
    return store.read_map(subject.recipe_sha256, maker.key, check=maker.map_check) is not None
