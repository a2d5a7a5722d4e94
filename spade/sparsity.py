"""How much of each layer goes: target ratios by layer name, by rule, by block, or from a file."""

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .errors import EnvironmentProblem, InputError, nearest

Ratios = dict[str, float]

# The ratios of the paper's searches (appendix B).
RATIO_GRID = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)


def constant(layers: Iterable[str], value: float) -> Ratios:
    """The same ratio for every layer."""
    return checked(dict.fromkeys(layers, value))


def linear(layers: Iterable[str], last: float = 0.99, grid: Sequence[float] | None = RATIO_GRID) -> Ratios:
    """Ratios that rise linearly from 0 in the first layer to `last` in the last one (appendix B, table A2).

    The layers come in order of execution, as `Prepared.layers` has them. Each ratio is moved to the closest of `grid`,
    the smaller of two as close; None leaves them as they are.
    """
    names = list(layers)
    steps = max(len(names) - 1, 1)
    exact = [last * i / steps for i in range(len(names))] if len(names) > 1 else [last] * len(names)
    moved = exact if grid is None else [min(sorted(grid), key=lambda g: abs(g - ratio)) for ratio in exact]
    return checked(dict(zip(names, moved, strict=True)))


def by_group(layers: Iterable[str], groups: Mapping[str, float]) -> Ratios:
    """The ratio of its group for every layer, 0 for layers in none.

    A group is the name of a layer or of a module around it (`layer4`, `layer4.2`); the innermost one counts.

    Raises:
        InputError: If no layer is in a group, or a ratio is outside [0, 1].
    """
    names = list(layers)
    for group in groups:
        if not members(names, group):
            modules = {name.rsplit(".", depth)[0] for name in names for depth in range(name.count(".") + 1)}
            raise InputError(f"No layer is in '{group}'. {nearest(group, modules)}")
    innermost = sorted(groups, key=len, reverse=True)
    owner = {name: next((group for group in innermost if name in members([name], group)), None) for name in names}
    return checked({name: 0.0 if group is None else groups[group] for name, group in owner.items()})


def blocks(layers: Iterable[str], depth: int = 2) -> tuple[str, ...]:
    """The groups that the first `depth` parts of the layers' names make, in order.

    With depth 2 a torchvision ResNet50 has conv1, 16 residual blocks and fc: the groups the published code tunes,
    and the first convolution, which it never prunes.
    """
    return tuple(dict.fromkeys(".".join(name.split(".")[:depth]) for name in layers))


def members(layers: Iterable[str], group: str) -> tuple[str, ...]:
    """The layers in a group, in order."""
    return tuple(name for name in layers if name == group or name.startswith(f"{group}."))


def checked(ratios: Mapping[str, object]) -> Ratios:
    """The ratios as floats.

    Raises:
        InputError: If one is no number in [0, 1].
    """
    return {name: _checked_ratio(name, ratio) for name, ratio in ratios.items()}


def load(path: Path) -> Ratios:
    """The ratios in a file that `save` wrote: TOML with one table, `[ratios]`.

    Raises:
        InputError: If there is no such file, it is no TOML, or it says something else than ratios.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} holds no ratios: {error}.") from error
    if set(content) != {"ratios"} or not isinstance(content["ratios"], dict):
        raise InputError(f"{path} should hold one table, [ratios], of layer = ratio; it holds {sorted(content)}.")
    try:
        return checked(content["ratios"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def save(ratios: Mapping[str, float], path: Path) -> None:
    """Write the ratios where `load` finds them; the file is there whole or not at all.

    Raises:
        InputError: If a ratio is no number in [0, 1].
        EnvironmentProblem: If the disk does not take it.
    """
    # A JSON string in UTF-8 is a basic string of TOML.
    entries = [f"{json.dumps(name, ensure_ascii=False)} = {ratio!r}" for name, ratio in checked(ratios).items()]
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_text("\n".join(["[ratios]", *entries, ""]), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise EnvironmentProblem(f"The ratios could not be written to {path}: {error}.") from error


def _checked_ratio(name: str, ratio: object) -> float:
    if isinstance(ratio, int | float) and not isinstance(ratio, bool) and 0 <= ratio <= 1:
        return float(ratio)
    raise InputError(f"The ratio of '{name}' is the share of weights to remove, 0 to 1; got {ratio!r}.")
