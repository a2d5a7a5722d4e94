"""What importing a package loads: a study server and an analyst must not need torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Run in a fresh interpreter that looks where this one looks; prints the top-level names that the imports loaded.
PROBE = """
import importlib, json, sys
path, names = json.loads(sys.argv[1])
sys.path[:] = path
before = set(sys.modules)
for name in names:
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def modules(package: str, *, without: str = "-") -> list[str]:
    """Every importable module of `package`, except `without` and what lies below it."""
    paths = sorted((ROOT / package).rglob("*.py"))
    names = [path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for path in paths]
    kept = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    return [name for name in kept if name != without and not name.startswith(without + ".")]


def loaded(names: list[str]) -> set[str]:
    """Top-level names that importing all of `names` loads in a fresh interpreter."""
    path = [str(Path(entry).resolve()) for entry in sys.path]
    done = subprocess.run(  # noqa: S603 - this interpreter, on a script of ours
        [sys.executable, "-c", PROBE, json.dumps([path, names])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


HEAVY = {"torch", "torchvision", "captum", "zennit", "lucent", "pytorch_grad_cam"}


def test_data_manifests_loads_only_the_standard_library() -> None:
    assert loaded(modules("data_manifests")) - set(sys.stdlib_module_names) == {"data_manifests"}


def test_analysis_loads_neither_torch_nor_flask() -> None:
    assert loaded(modules("analysis")) & (HEAVY | {"flask", "sqlalchemy", "spade", "benchmark"}) == set()


def test_serving_the_study_loads_no_torch() -> None:
    names = modules("study_app", without="study_app.stimuli")
    assert loaded(names) & (HEAVY | {"spade", "benchmark"}) == set()


@pytest.mark.parametrize("command", ["spade.cli", "benchmark.cli"])
def test_a_command_line_parses_before_it_loads_torch(command: str) -> None:
    assert loaded([command]) & (HEAVY | {"statsmodels", "sklearn", "matplotlib"}) == set()


def test_importing_what_makes_a_plan_loads_no_torch() -> None:
    assert loaded(["benchmark.forecast"]) & (HEAVY | {"sklearn", "skimage"}) == set()


def test_what_is_loaded_is_seen() -> None:
    assert {"colorsys", "wave"} <= loaded(["colorsys", "wave"])
