"""Saliency methods on any network, one family a file."""

from .attribution import Attribution, Channels, heatmap
from .methods import METHODS, Method, explain
from .prepared import MapNotFinite, MethodUnavailable, Prepared, prepare
from .settings import SETTINGS, Settings

__all__ = [
    "METHODS",
    "SETTINGS",
    "Attribution",
    "Channels",
    "MapNotFinite",
    "Method",
    "MethodUnavailable",
    "Prepared",
    "Settings",
    "explain",
    "heatmap",
    "prepare",
]
