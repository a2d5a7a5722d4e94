"""A page's template with its style sheets: every text of a run is escaped, and a name it lacks is an error."""

import math
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from ..cells import decimals
from .notation import amounts, chance, minus, number, share, signed


def page(name: str, *styles: str, filters: dict[str, Any] | None = None, **names: Any) -> Template:  # noqa: ANN401 - as Jinja declares them
    """The template `name`.html.j2, its `style` being the named sheets; `filters` and `names` are its own."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_read),
    )
    environment.filters.update(number=number, signed=signed, chance=chance, share=share, minus=minus, **(filters or {}))
    style = Markup("".join(_read(f"{sheet}.css") for sheet in styles))  # noqa: S704 - our own style sheets
    environment.globals.update(style=style, finite=math.isfinite, decimals=decimals, amounts=amounts, **names)
    return environment.get_template(f"{name}.html.j2")


def _read(name: str) -> str:
    return files("benchmark.report").joinpath(name).read_text(encoding="utf-8")
