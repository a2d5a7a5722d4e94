"""Doubles for the engine, importable here and, since a spawned worker is given this process's path, in workers."""

import sys
from pathlib import Path

DOUBLES = str(Path(__file__).parent / "doubles")
if DOUBLES not in sys.path:  # at import: test modules import the doubles when they are collected
    sys.path.insert(0, DOUBLES)
