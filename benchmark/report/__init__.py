"""Records and verdicts to a folder: index.html with pictures and a page a sample, pages of their own, and data.

The pages are claims.html, failures.html and sensitivity.html, the data report.md, .json, .csv and junit.xml.
"""

from pathlib import Path

from spade.errors import EnvironmentProblem

from ..records import RunRecords
from ..verdict import Judgement
from . import (
    claims_page,
    content,
    data,
    failures_page,
    gallery,
    junit,
    markdown,
    page,
    sample_page,
    sensitivity_page,
    sheet,
)

FORMATS = {
    "index.html": page.render,
    "claims.html": claims_page.render,
    "failures.html": failures_page.render,
    "sensitivity.html": sensitivity_page.render,
    "report.md": markdown.render,
    "report.json": data.render,
    "report.csv": sheet.render,
    "junit.xml": junit.render,
}
"""What each file of a report is made by; all have the same content."""


def write(run: RunRecords, judgement: Judgement, folder: Path) -> Path:
    """The page that was written, `folder`/index.html, with the other formats and the pictures beside it.

    The same run and verdicts give the same bytes.

    Raises:
        EnvironmentProblem: a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shown = gallery.draw(run, folder)
        said = content.build(run, judgement, shown)
        sample_page.write(run, gallery.gains(run, shown), folder, unit=shown.unit)
        for name, render in FORMATS.items():
            (folder / name).write_text(render(said), encoding="utf-8", newline="\n")
    except OSError as problem:
        raise EnvironmentProblem(
            f"The report in {folder} cannot be written: {problem.strerror}. Make room or name another folder."
        ) from problem
    return folder / "index.html"
