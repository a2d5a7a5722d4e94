"""Saliency methods on any network, one family a file."""

from .attribution import Attribution, Channels, heatmap
from .methods import METHODS, Method, available, explain, find
from .prepared import MapNotFinite, MethodUnavailable, Prepared, prepare
from .query import Answer, Query
from .settings import SETTINGS, Settings

__all__ = [
    "METHODS",
    "SETTINGS",
    "Answer",
    "Attribution",
    "Channels",
    "MapNotFinite",
    "Method",
    "MethodUnavailable",
    "Prepared",
    "Query",
    "Settings",
    "available",
    "explain",
    "find",
    "heatmap",
    "prepare",
]
