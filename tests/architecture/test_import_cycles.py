"""Modules of one package import each other without going round in a circle."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["data_manifests", "spade", "benchmark", "study_app", "analysis"]


def name_of(module: Path, root: Path) -> str:
    parts = module.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_at_start(tree: ast.Module) -> list[ast.ImportFrom]:
    """Relative imports run when the module is loaded: not those in functions, nor those for type checkers only."""
    found: list[ast.ImportFrom] = []
    todo: list[ast.stmt] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.ImportFrom) and node.level:
            found.append(node)
        elif isinstance(node, ast.Try):
            todo += [*node.body, *node.orelse, *node.finalbody]
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            todo += [*node.body, *node.orelse]
    return found


def graph(package: Path) -> dict[str, set[str]]:
    """Each module of `package` with the modules of the same package it loads."""
    root = package.parent
    modules = {name_of(path, root): path for path in package.rglob("*.py")}
    edges: dict[str, set[str]] = {}
    for name, path in modules.items():
        here = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
        targets: set[str] = set()
        for node in imported_at_start(ast.parse(path.read_text(encoding="utf-8"))):
            base = ".".join(here[: len(here) - node.level + 1] + ([node.module] if node.module else []))
            named = {f"{base}.{alias.name}" for alias in node.names}
            # `from . import obc` loads obc; `from .obc import prune` loads obc; `from . import PRESETS` this package.
            targets |= {one if one in modules else base for one in named}
        # A module names its own package only to reach a module beside it.
        edges[name] = targets - {name}
    return edges


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_has_no_import_cycle(package: str) -> None:
    try:
        list(TopologicalSorter(graph(ROOT / package)).static_order())
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


def test_a_cycle_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "house"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "door.py").write_text("from .window import pane\n")
    (package / "window.py").write_text("from . import door\n")
    assert graph(package) == {"house": set(), "house.door": {"house.window"}, "house.window": {"house.door"}}
    with pytest.raises(CycleError):
        TopologicalSorter(graph(package)).prepare()
