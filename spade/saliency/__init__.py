"""Saliency methods on any network, one family a file."""

from ..saliency_settings import SETTINGS, Settings
from .attribution import Attribution, Channels, heatmap
from .methods import METHODS, Method, available, explain, find
from .prepared import MapNotFinite, MethodUnavailable, Prepared, prepare
from .query import Answer, Query

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
