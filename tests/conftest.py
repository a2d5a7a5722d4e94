"""What every test may ask for; the doubles of each package are importable by their bare names."""

import os
import sys
from pathlib import Path

import hypothesis
import pytest

# Time is measured under tests/speed; a loaded machine is no failure of an example. The examples are the same in every
# run, so that a change is not refused for what it did not touch; `tox run -e explore` looks further, at random.
hypothesis.settings.register_profile("spade", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None, derandomize=False, max_examples=500, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("SPADE_EXAMPLES", "spade"))

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent

# At import: test modules import the doubles when they are collected, and a spawned worker is given this path.
sys.path[:0] = [str(folder) for folder in sorted(TESTS.glob("*/doubles")) if str(folder) not in sys.path]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real photographs and weights that are never committed; the test skips where it is missing."""
    path = Path(os.environ.get("SPADE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip("real photographs and weights are not on this machine (set SPADE_SHARED_DATA to their folder)")
    return path
