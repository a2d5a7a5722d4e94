"""Which package may import which: the arrows of the house, read from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Each package and the others it may import. Packages meet in files otherwise.
ARROWS: dict[str, set[str]] = {
    "data_manifests": set(),
    "spade": {"data_manifests"},
    "analysis": {"data_manifests"},
    "benchmark": {"data_manifests", "spade", "analysis"},
    "study_app": {"data_manifests"},
    # Makes the pictures the study shows, so it alone of the study may need the method (and torch).
    "study_app/stimuli": {"data_manifests", "spade"},
}
PACKAGES = sorted({name.partition("/")[0] for name in ARROWS})
MODULES = sorted(path.relative_to(ROOT) for name in PACKAGES for path in (ROOT / name).rglob("*.py"))


def absolute_imports(source: str) -> Iterator[str]:
    """Top-level name of every absolute import in `source`, wherever it stands (in functions, under TYPE_CHECKING)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def allowed(module: Path) -> set[str]:
    """The packages `module` (a path from the root) may import."""
    own = [name for name in ARROWS if module.is_relative_to(name)]
    return ARROWS[max(own, key=len)]


def forbidden(module: Path, source: str) -> set[str]:
    """The packages of this house that `source` imports against the arrows (its own, by absolute name, included)."""
    return set(absolute_imports(source)) & set(PACKAGES) - allowed(module)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_imports_only_along_the_arrows(module: Path) -> None:
    assert forbidden(module, (ROOT / module).read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    ("module", "source", "names"),
    [
        ("spade/a.py", "def f():\n    import benchmark.plan\n", {"benchmark"}),
        ("spade/solver/a.py", "from spade.errors import InputError\n", {"spade"}),
        ("spade/solver/a.py", "from ..errors import InputError\n", set()),
        ("study_app/pages.py", "import spade\n", {"spade"}),
        ("study_app/stimuli/a.py", "import spade\n", set()),
        ("analysis/a.py", "from spade import trace\nfrom benchmark import plan\n", {"spade", "benchmark"}),
        ("data_manifests/a.py", "if TYPE_CHECKING:\n    from analysis.paired import Paired\n", {"analysis"}),
        ("benchmark/a.py", "import analysis, spade, data_manifests, torch\n", set()),
    ],
)
def test_an_import_against_the_arrows_is_seen(module: str, source: str, names: set[str]) -> None:
    assert forbidden(Path(module), source) == names


def test_the_arrows_have_no_cycle() -> None:
    left = {name: targets - {name} for name, targets in ARROWS.items()}
    while leaves := [name for name, targets in left.items() if not targets & set(left)]:
        for name in leaves:
            del left[name]
    assert left == {}


def test_nothing_under_tests_is_a_package() -> None:
    # tests/benchmark/__init__.py would be imported as `benchmark` and hide the package under test.
    assert sorted((ROOT / "tests").rglob("__init__.py")) == []
