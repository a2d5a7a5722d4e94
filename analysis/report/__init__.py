"""Reports: what was computed, as sentences, tables and figures, in one document with four forms.

A document (document.py) is blocks without layout. What it says is decided by whoever builds it: of a study (study.py),
of the paper's own counts (paper.py), of a design's power (power.py).
"""

from collections.abc import Callable
from pathlib import Path

from ..errors import AnalysisError
from . import data, latex, markdown, page
from .document import Document

FORMATS: dict[str, Callable[[Document], str]] = {
    "index.html": page.render,
    "report.md": markdown.render,
    "report.tex": latex.render,
    "report.json": data.render,
}
"""What each file of a report is made by; all have the same content."""


def write(document: Document, folder: Path) -> Path:
    """The page that was written, `folder`/index.html, with the other formats and the figures beside it.

    The same document gives the same bytes.

    Raises:
        AnalysisError: a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for figure in document.figures:
            (folder / f"{figure.name}.svg").write_bytes(figure.svg)
            (folder / f"{figure.name}.pdf").write_bytes(figure.pdf)
        for name, render in FORMATS.items():
            (folder / name).write_text(render(document), encoding="utf-8", newline="\n")
    except OSError as problem:
        raise AnalysisError(
            f"The report in {folder} cannot be written: {problem.strerror or problem}. Name another folder with --out."
        ) from problem
    return folder / "index.html"
