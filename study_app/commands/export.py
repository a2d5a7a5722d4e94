"""`export`: a run's answers as files that `spade-stats` reads."""

from collections.abc import Mapping
from pathlib import Path

import click

from .. import unblinding
from ..clock import utc_now
from ..errors import EnvironmentProblem
from ..export import Export, export_of
from ..parquet import PARQUET, as_parquet
from .chosen import database, find_run


@click.command()
@click.argument("run")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--parquet", is_flag=True, help="The answers as Parquet too (needs the extra 'parquet').")
@click.option("--before-close", is_flag=True, help="Look at the arms of a run that is still open; it is recorded.")
def export(run: str, folder: Path, *, parquet: bool, before_close: bool) -> None:
    """Write the answers of RUN to FOLDER: responses.csv, raters.csv and the codebook that explains them.

    Then: spade-stats check FOLDER. The export is recorded in the audit log.
    """
    with database() as opened, opened.writing() as session:
        found = find_run(session, run)
        unblinding.unblind(session, found, actor="command line", purpose="export", now=utc_now(), early=before_close)
        made = export_of(session, found)
        extra = {PARQUET: as_parquet(made.files["responses.csv"])} if parquet else {}
        write(made, folder, extra)
    click.echo(f"{made.answers} answers of {made.raters} raters are in {folder}. Next: spade-stats check {folder}")


def write(made: Export, folder: Path, extra: Mapping[str, bytes] | None = None) -> None:
    """Put the files into `folder`, and those of `extra` beside them.

    Raises:
        EnvironmentProblem: they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in (*made.files.items(), *(extra or {}).items()):
            (folder / name).write_bytes(data)
    except OSError as problem:
        raise EnvironmentProblem(f"The export cannot be written to {folder}: {problem.strerror}.") from problem
