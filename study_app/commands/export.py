"""`export`: a run's answers as files that `spade-stats` reads."""

from pathlib import Path

import click

from .. import unblinding
from ..clock import utc_now
from ..errors import EnvironmentProblem, InputError
from ..export import Export, export_of
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
        write(made, folder)
    if parquet:
        _write_parquet(folder)
    click.echo(f"{made.answers} answers of {made.raters} raters are in {folder}. Next: spade-stats check {folder}")


def write(made: Export, folder: Path) -> None:
    """Put the files into `folder`.

    Raises:
        EnvironmentProblem: they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in made.files.items():
            (folder / name).write_bytes(data)
    except OSError as problem:
        raise EnvironmentProblem(f"The export cannot be written to {folder}: {problem.strerror}.") from problem


def _write_parquet(folder: Path) -> None:
    """`responses.parquet` beside the CSV, every cell the text it is there.

    Raises:
        InputError: pyarrow is not installed.
    """
    try:
        from pyarrow import csv, parquet, string  # noqa: PLC0415 - an extra of its own
    except ImportError as problem:
        raise InputError("--parquet needs pyarrow, which is not installed here: pip install '.[parquet]'.") from problem
    source = folder / "responses.csv"
    names = source.read_text(encoding="utf-8").partition("\n")[0].split(",")
    table = csv.read_csv(source, convert_options=csv.ConvertOptions(column_types={name: string() for name in names}))
    parquet.write_table(table, folder / "responses.parquet")
