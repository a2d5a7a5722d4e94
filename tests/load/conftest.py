"""What tests of the study lend to those under load: a PostgreSQL of their own, and drawn pictures."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

DOUBLES = str(Path(__file__).parents[1] / "study_app" / "doubles")
if DOUBLES not in sys.path:  # at import: test modules import the doubles when they are collected
    sys.path.insert(0, DOUBLES)

import postgres_server  # noqa: E402 - found by the line above


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A running PostgreSQL; the test skips where none is installed."""
    folder = postgres_server.binaries()
    if folder is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with postgres_server.server(folder) as url:
        yield url
