"""`spade-bench export-tables`: the tables of a run for a paper or for a spreadsheet."""

import sys
from pathlib import Path

import click

from . import options


@click.command("export-tables")
@options.some_tables
@options.scale_and_seed
@options.store
@click.option("--latex", "form", flag_value="latex", help="Tables for a paper, with booktabs.")
@click.option("--csv", "form", flag_value="csv", help="One line a sample, at full precision.")
@click.option("--into", type=click.Path(dir_okay=False, path_type=Path), help="A file; by default standard output.")
def export_tables(  # noqa: PLR0917 - click passes by name
    table: tuple[str, ...], scale: str, seed: int, folder: Path, form: str | None, into: Path | None
) -> None:
    """Write the tables of a stored run (all by default) as LaTeX or as CSV; `export` with either form is the same."""
    from spade.errors import EnvironmentProblem, InputError

    from .. import definition, golden_file, policy, typeset
    from ..store import Store
    from ..verdict import judge

    if form is None:
        raise InputError("Say in which form: --latex or --csv.")
    names = tuple(definition.load(name).id for name in table)
    run = Store(folder).run(scale, seed, tables=names)
    if form == "csv":
        text = typeset.tidy(run)
    else:
        verdicts = judge(
            run, golden=golden_file.load(scale), summaries=golden_file.load_seeds(scale), policy=policy.load()
        )
        text = typeset.latex(verdicts, run)
    if into is None:
        sys.stdout.write(text)
        return
    try:
        into.write_text(text, encoding="utf-8", newline="\n")
    except OSError as problem:
        raise EnvironmentProblem(f"{into} cannot be written: {problem.strerror}.") from problem
    count = len(run.tables)
    click.echo(f"{count} {'table is' if count == 1 else 'tables are'} in {into}.")
