"""A frozen dataclass from what a TOML file or another package gives: every key known, there, and of its type."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from spade.errors import InputError, nearest


def instance(cls: type, data: object, where: str) -> Any:  # noqa: ANN401 - the caller names the class it gets
    """An instance of a dataclass from a mapping; `where` names the mapping in errors.

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
    return cls(**{key: _typed(value, hints[key], f"{where}: {key}") for key, value in data.items()})


def _typed(value: object, hint: Any, where: str) -> object:  # noqa: ANN401 - a type hint is any object
    if get_origin(hint) is Literal:
        allowed = get_args(hint)
        if value not in allowed:
            raise InputError(f"{where} is {value!r}; allowed: {', '.join(map(repr, allowed))}.")
        return value
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        if not isinstance(value, (list, tuple)):
            raise InputError(f"{where} must be a list, found {value!r}.")
        return tuple(value) if inner is not str else tuple(_typed(item, str, where) for item in value)
    if get_origin(hint) is Mapping:
        if not isinstance(value, Mapping):
            raise InputError(f"{where} must be a table of keys, found {value!r}.")
        inner = get_args(hint)[1]
        return {key: item if inner is Any else _typed(item, inner, f"{where}.{key}") for key, item in value.items()}
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:  # exactly: bool is an int to isinstance
        raise InputError(f"{where} must be {hint.__name__}, found {value!r}.")
    return value
