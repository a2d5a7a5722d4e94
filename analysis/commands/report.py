"""`spade-stats report`: the study's export to a page."""

from pathlib import Path

import click

from . import options


@click.command()
@click.argument("export", type=click.Path(path_type=Path))
@click.option(
    "--prereg",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Preregistration (TOML) the run was opened with; without it every analysis is exploratory.",
)
@click.option(
    "--raters", type=click.Path(path_type=Path), default=None, help="Table of raters, where EXPORT is a lone file."
)
@click.option("--run", default=None, help="Which run, where the export holds several.")
@options.seed
@options.out("study-report")
def report(  # noqa: PLR0917 - click passes by name
    export: Path, prereg: Path | None, raters: Path | None, run: str | None, seed: int, folder: Path
) -> None:
    """Analyse EXPORT (a folder, a CSV or a Parquet file) and write the report: HTML, Markdown, LaTeX and JSON."""
    import numpy as np

    from .. import preregistration, responses
    from .. import report as pages
    from ..exclusion import exclude
    from ..measure import MEASURES
    from ..paired import Bootstrap
    from ..raters import analyse_raters
    from ..ratings import of_frame
    from ..report import study as page
    from ..study import analyse

    plan = None if prereg is None else preregistration.read(prereg)
    options.progress("reading")
    read = responses.read(export, raters=raters, run=run)
    found = analyse(read, plan, seed=seed, progress=options.progress)
    kept = exclude(read, found.preregistration.exclusions).kept
    people = None
    if len(kept):
        options.progress("raters")
        people = analyse_raters(
            read.frame,
            kept,
            of_frame(kept),
            MEASURES[found.preregistration.primary],
            level=found.preregistration.level,
            bootstrap=Bootstrap(2000, found.preregistration.level),
            generator=np.random.default_rng([seed, 1]),
        )
    facts = {
        "export": f"{Path(found.source).name}, sha256 {found.sha256}",
        "run": f"{found.run} ({found.run_kind})",
        "preregistration": found.preregistration.sha256 or "none",
        "seed": f"{seed}",
        "drawn": (
            f"{found.effort.deals} dealings, {found.effort.resamples} resamples, {found.posterior.chains.chains} "
            "chains of "
            f"{found.posterior.chains.warm_up} + {found.posterior.chains.kept}"
        ),
        "calibration": "how often each kind of interval held a planted truth: docs/calibration.md of spade-bench",
        **options.versions(),
    }
    written = pages.write(page.build(found, people, facts=facts), folder)
    click.echo(f"The report is {written}.")
