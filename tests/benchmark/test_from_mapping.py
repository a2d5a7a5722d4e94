"""Frozen dataclasses from TOML tables: what fits is taken, what does not is named with its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import pytest

from benchmark.from_mapping import instance
from spade.errors import InputError


@dataclass(frozen=True)
class Inner:
    side: int
    noise: float = 0.5


@dataclass(frozen=True)
class Outer:
    inner: Inner
    kind: Literal["a", "b"] = "a"
    span: tuple[int, int] = (0, 1)
    names: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    anything: Any = None


def test_tables_in_tables_become_dataclasses_in_dataclasses_whatever_mapping_they_came_as() -> None:
    given = {"inner": MappingProxyType({"side": 3, "noise": 1}), "span": [2, 5], "limits": {"x": 1}, "anything": [1]}
    found = instance(Outer, MappingProxyType(given), "here")
    assert found == Outer(Inner(3, 1.0), span=(2, 5), limits={"x": 1}, anything=[1])
    assert isinstance(found.inner.noise, float)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"inner": {"sid": 3}}, r"here: inner: unknown key 'sid'.*did you mean 'side'"),
        ({"inner": {}}, r"here: inner: missing side\."),
        ({"inner": 4}, r"here: inner: expected a table of keys, found 4"),
        ({"inner": {"side": True}}, r"here: inner: side must be int, found True"),
        ({"kind": "c"}, r"here: kind is 'c'; allowed: 'a', 'b'"),
        ({"span": [1, 2, 3]}, r"here: span must be a list of 2, found \[1, 2, 3\]"),
        ({"span": 3}, r"here: span must be a list, found 3"),
        ({"names": ["x", 1]}, r"here: names must be str, found 1"),
        ({"limits": {"x": "1"}}, r"here: limits\.x must be int, found '1'"),
        ({"limits": []}, r"here: limits must be a table of keys"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        instance(Outer, {"inner": {"side": 3}} | change, "here")


def test_a_reader_makes_the_values_of_its_type() -> None:
    found = instance(Outer, {"inner": "3"}, "here", {Inner: lambda value, where: Inner(int(str(value)), len(where))})
    assert found.inner == Inner(3, len("here: inner"))
