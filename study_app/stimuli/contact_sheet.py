"""All samples of a set on one page, for the researcher's eyes: it shows classes, arms and answers."""

from collections import Counter
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from . import manifest

NAME = "contact-sheet.html"


def write(folder: Path) -> Path:
    """The page of the set in `folder`, beside its manifest.

    Raises:
        InputError: there is no manifest.
        EnvironmentProblem: the disk does not take the page.
    """
    path = folder / NAME
    manifest.replace(path, page(manifest.read(folder), folder.resolve().name))
    return path


def page(content: Mapping[str, Any], title: str) -> str:
    """The page as HTML, which loads the pictures that lie beside it and nothing else."""
    source = files("study_app.stimuli").joinpath("contact_sheet.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    rejected = Counter(entry["reason"].partition(":")[0] for entry in content["made"]["rejected"])
    return environment.from_string(source).render(
        title=title,
        made=content["made"],
        images=content["images"],
        vetoed=sum("vetoed" in entry for entry in content["images"]),
        kept_prediction=sum(entry["trace"]["keeps_prediction"] for entry in content["images"]),
        rejected=rejected.most_common(),
    )
