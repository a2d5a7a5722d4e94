"""The researcher's pages, behind a login of their own; one file a page group."""

from . import closing, monitor, overview, raters, trail  # noqa: F401 - their pages join the blueprint
from .door import pages

__all__ = ["pages"]
