"""`spade-stats`: what the answers of the human study say, and what they do not.

Exit codes: 0 fine, 2 the command or its input makes no sense, 4 the installation or the data on it cannot carry the
work.
"""

import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from data_manifests.errors import ManifestError

from .errors import AnalysisError

# numpy, pandas and statsmodels take seconds to import: commands import what computes after parsing.


class _Sentences(click.Group):
    """Turns failures into one sentence and an exit code; a stop by the user is no failure."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click declares it
        try:
            return super().invoke(ctx)
        except AnalysisError as problem:
            _leave(str(problem), 2)
        except ManifestError as problem:
            _leave(str(problem), problem.exit_code)
        except KeyboardInterrupt:
            _leave("Stopped; nothing was written.", 3)


def _leave(sentence: str, code: int) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(code)


export_argument = click.argument("export", type=click.Path(path_type=Path))
raters_option = click.option(
    "--raters", type=click.Path(path_type=Path), default=None, help="Table of raters, where EXPORT is a lone file."
)
run_option = click.option("--run", default=None, help="Which run, where the export holds several.")


@click.group(cls=_Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spade-bench")
def main() -> None:
    """What the answers of the human study say, and what they do not."""


@main.command()
@export_argument
@raters_option
@run_option
def check(export: Path, raters: Path | None, run: str | None) -> None:
    """Hold EXPORT (a folder, a CSV or a Parquet file) against the codebook."""
    from . import responses

    found = responses.read(export, raters=raters, run=run)
    frame = found.frame
    counts = ", ".join(f"{n} {kind}" for kind, n in frame["kind"].value_counts().items() if n)
    click.echo(
        f"{found.source}: run {found.run} ({found.run_kind}), {len(frame)} answers ({counts}) of "
        f"{frame['rater'].nunique()} raters on {frame['image'].nunique()} images."
    )
    if found.missing:
        click.echo(f"Optional columns not in the file: {', '.join(found.missing)}.")
    for note in found.notes:
        click.echo(note)
    click.echo("It is as the codebook says.")
