"""The report as JSON, at full precision; NaN and infinity, which JSON has not, become null."""

import json
import math
from dataclasses import asdict
from typing import Any

from .content import OTHER_DATA, Content


def render(content: Content) -> str:
    """The report as JSON text."""
    data = {"paper_values": OTHER_DATA, **_plain(asdict(content))}
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
