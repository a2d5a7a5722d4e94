"""A frozen dataclass from what a TOML file or another package gives: every key known, there, and of its type."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from spade.errors import InputError, nearest

Readers = Mapping[Any, Callable[[object, str], object]]
"""By type, what makes a value of it from the value given and the place it has in errors."""

_NONE: Readers = MappingProxyType({})
_PLAIN = (bool, int, float, str)


def instance(cls: type, data: object, where: str, readers: Readers = _NONE) -> Any:  # noqa: ANN401 - the caller names the class it gets
    """An instance of a dataclass from a mapping, and of those in it; `where` names the mapping in errors.

    readers: for types of fields that are no plain data.

    Raises:
        InputError: a key is unknown (answered with the nearest), missing or mistyped.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"{where}: expected a table of keys, found {data!r}.")
    hints = get_type_hints(cls)
    for key in data:
        if key not in hints:
            raise InputError(f"{where}: unknown key '{key}'. {nearest(key, hints)}")
    missing = [f.name for f in fields(cls) if f.default is f.default_factory is MISSING and f.name not in data]
    if missing:
        raise InputError(f"{where}: missing {', '.join(missing)}.")
    return cls(**{key: _typed(value, hints[key], f"{where}: {key}", readers) for key, value in data.items()})


def _typed(value: object, hint: Any, where: str, readers: Readers) -> object:  # noqa: ANN401 - a type hint is any object
    kind = get_origin(hint)
    if hint in readers:
        return readers[hint](value, where)
    if hint is Any:
        return value
    if kind in _CONTAINERS:
        return _CONTAINERS[kind](value, get_args(hint), where, readers)
    if isinstance(hint, type) and is_dataclass(hint):
        return instance(hint, value, where, readers)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:  # exactly: bool is an int to isinstance
        raise InputError(f"{where} must be {hint.__name__}, found {value!r}.")
    return value


def _one_of(value: object, allowed: tuple[Any, ...], where: str, _: Readers) -> object:
    if value not in allowed:
        raise InputError(f"{where} is {value!r}; allowed: {', '.join(map(repr, allowed))}.")
    return value


def _tuple(value: object, inner: tuple[Any, ...], where: str, readers: Readers) -> object:
    if not isinstance(value, (list, tuple)):
        raise InputError(f"{where} must be a list, found {value!r}.")
    if Ellipsis not in inner and len(value) != len(inner):
        raise InputError(f"{where} must be a list of {len(inner)}, found {value!r}.")
    return tuple(_typed(item, inner[0], where, readers) if inner[0] in _PLAIN else item for item in value)


def _mapping(value: object, inner: tuple[Any, ...], where: str, readers: Readers) -> object:
    if not isinstance(value, Mapping):
        raise InputError(f"{where} must be a table of keys, found {value!r}.")
    return {key: _typed(item, inner[1], f"{where}.{key}", readers) for key, item in value.items()}


_CONTAINERS: Mapping[Any, Callable[[object, tuple[Any, ...], str, Readers], object]] = MappingProxyType(
    {Literal: _one_of, tuple: _tuple, Mapping: _mapping}
)
