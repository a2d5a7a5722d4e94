"""`spade-bench`: rerun the paper's tables, resumable, and say what holds.

Exit codes: 0 fine, 1 a cell deviates (with --check), 2 the command makes no sense, 3 not everything was computed,
4 the machine or the data on it cannot carry the work.
"""

import errno
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from data_manifests.errors import ManifestError
from spade.errors import EnvironmentProblem, InputError, SpadeError

from . import definition
from .commands import options
from .commands.audit import audit
from .commands.bless import bless
from .commands.check_plugin import check_plugin
from .commands.difference import diff
from .commands.export import export
from .commands.export_tables import export_tables
from .commands.figure import figure
from .commands.golden import golden
from .commands.power import power
from .commands.sensitivity import sensitivity
from .commands.times import times
from .commands.verify import verify

if TYPE_CHECKING:
    from .execution import Execution
    from .records import RunRecords
    from .store import Store


class _Sentences(click.Group):
    """Turns failures into one sentence and an exit code; a stop by the user is no failure."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # "export" is of a scale; with a form of tables it can only mean those.
        if args and args[0] == export.name and {"--latex", "--csv"} & set(args):
            args = [str(export_tables.name), *args[1:]]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click declares it
        try:
            return super().invoke(ctx)
        except SpadeError as problem:
            _leave(str(problem), problem.exit_code)
        except ManifestError as problem:
            _leave(str(problem), problem.exit_code)
        except OSError as problem:
            if problem.errno == errno.EPIPE:  # whoever read the output has seen enough; click knows
                raise
            where = f"{problem.filename}: " if problem.filename else ""
            _leave(f"{where}{problem.strerror or problem}.", EnvironmentProblem.exit_code)
        except KeyboardInterrupt:
            _leave("Stopped. What was finished is kept; the same command goes on from there.", 3)


def _leave(sentence: str, code: int) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(code)


@click.group(cls=_Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spade-bench")
def main() -> None:
    """Rerun the SPADE paper's tables on this machine and say what holds.

    Nothing is downloaded. Whatever stops a run, the same command goes on with it.
    """


@main.command("list")
def list_tables() -> None:
    """The tables that can be rerun."""
    from rich.console import Console

    from . import console

    found, broken = list(definition.load_all()), []
    for name in definition.all_names()[len(found) :]:
        try:
            found.append(definition.load(name))
        except InputError as problem:
            broken.append(str(problem))
    Console().print(console.tables(found))
    for sentence in broken:
        click.echo(sentence, err=True)


@main.command()
@click.argument("table")
def show(table: str) -> None:
    """One table: what is computed, what is not and why, and the paper's own cells.

    Of a table that nothing here reruns, the paper's cells alone.
    """
    from rich.console import Console

    from . import console

    out = Console()
    if (paper := definition.printed_only(table)) is not None:
        out.print(f"[bold]Table {paper.id}: {paper.title}[/bold]")
        out.print("Nothing here reruns it. Its cells: " + paper.axes + ".", highlight=False)
        out.print(console.as_printed(paper, "As the paper prints it"))
        return
    found = definition.load(table)
    out.print(f"[bold]Table {found.id}: {found.title}[/bold]")
    out.print(f'"{found.quote}" ({found.place})', highlight=False)
    if found.note:
        out.print(found.note, highlight=False)
    out.print(console.columns(found))
    out.print(console.printed(found))


@main.command()
@options.some_tables
@options.scale_and_seed
@options.store
@options.jobs
@click.option("--calibrate", is_flag=True, help="Compute one sample first (training included) to learn what it takes.")
def plan(table: tuple[str, ...], scale: str, seed: int, folder: Path, jobs: int | None, *, calibrate: bool) -> None:
    """How many units are left, and how long they should take."""
    from rich.console import Console

    from . import console, forecast
    from .store import Store

    names, store, workers = options.asked(table), Store(folder), jobs or options.default_jobs()
    if calibrate:
        _carry_out(names, store, scale=scale, seed=seed, workers=1, calibrate=True)
    outlook = forecast.outlook(store, names, scale, seed)
    out = Console()
    out.print(console.planned(outlook.plan, outlook.stored))
    out.print(console.time_left(outlook.cost, workers, outlook.preparing, outlook.elsewhere), highlight=False)
    if work := console.work_left(outlook.plan, outlook.stored, outlook.known, trained=outlook.trained):
        out.print(work, highlight=False)


@main.command()
@options.some_tables
@options.scale_and_seed
@options.store
@options.jobs
@options.check
@options.pages
@click.option("--retrain", is_flag=True, help="Train the network again even if it is in the cache.")
@click.option("--retry-failed", is_flag=True, help="Compute units again whose record says that they failed.")
def run(  # noqa: PLR0917 - click passes by name
    table: tuple[str, ...],
    scale: str,
    seed: int,
    folder: Path,
    jobs: int | None,
    pages: Path,
    *,
    check: bool,
    retrain: bool,
    retry_failed: bool,
) -> None:
    """Compute what the tables (all by default) still lack, then write the report.

    Ctrl-C, a kill or a full disk cost at most the units in flight; the same command goes on.
    """
    from .store import Store

    names, store = options.asked(table), Store(folder)
    # A scheduler that takes the machine back sends SIGTERM: as good a reason to stop in order as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    done = _carry_out(
        names,
        store,
        scale=scale,
        seed=seed,
        workers=jobs or options.default_jobs(),
        retrain=retrain,
        retry_failed=retry_failed,
    )
    if done.interrupted:
        kept = done.asked - done.left
        _leave(f"Stopped: {kept} of {done.asked} units are stored; the same command goes on from there.", 3)
    sys.exit(_judge(store, store.run(scale, seed, tables=names), pages, check=check))


@main.command()
@options.store
def status(folder: Path) -> None:
    """What is stored: runs, and how complete each of their tables is."""
    from rich.console import Console

    from . import console
    from .store import Store

    store = Store(folder)
    found, broken = {}, []
    for key in store.runs():
        try:
            found[key] = store.run(*key)
        except SpadeError as problem:  # one run must not hide the others
            broken.append(str(problem))
    if not found and not broken:
        click.echo(f"No runs in {folder}. Start one with `spade-bench run`.")
        return
    if found:
        Console().print(console.runs(found))
    if broken:
        _leave("\n".join(broken), EnvironmentProblem.exit_code)


@main.command()
@options.some_tables
@options.scale_and_seed
@options.store
@options.pages
@options.check
def report(table: tuple[str, ...], scale: str, seed: int, folder: Path, pages: Path, *, check: bool) -> None:
    """Write the report of a stored run again; nothing is computed."""
    from .store import Store

    names = options.asked(table) if table else ()
    store = Store(folder)
    sys.exit(_judge(store, store.run(scale, seed, tables=names), pages, check=check))


@main.command()
@options.scale
@click.option(
    "--seed",
    "chosen",
    multiple=True,
    default=(100, 101),
    show_default=True,
    type=click.IntRange(100),
    help="Networks to calibrate on, 100 and up: tables are judged on seeds below. May be given several times.",
)
@options.store
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("benchmark/scales/ratios"),
    show_default=True,
    help="Folder of ratios, in a checkout.",
)
@click.option(
    "--ratios", multiple=True, help="Search only these, and add them to the file; all by default. May be given again."
)
def tune(scale: str, chosen: tuple[int, ...], folder: Path, into: Path, ratios: tuple[str, ...]) -> None:
    """Search the sparsity ratios of a scale, one method after the other; a search that was stopped goes on."""
    from . import scale as scales
    from . import search
    from .console import Bars
    from .models import laboratory
    from .store import Store

    recipe, cache = scales.load(scale), Store(folder).cache
    asked, path = sorted(set(chosen)), into / f"{scale}.toml"
    for name in ratios:
        search.rules(recipe, name)  # an unknown one is known before any network is trained
    into.mkdir(parents=True, exist_ok=True)
    with Bars() as bars:
        networks = {seed: laboratory.prepare(recipe, seed, store=cache, progress=bars.training) for seed in asked}
        searches = cache / "searches" / scale
        found = search.search_scale(recipe, networks, ratios or tuple(search.ARMS), searches, bars.training)
    ids = [sample.id for network in networks.values() for sample in network.calibration_samples]
    origin = search.origin(recipe, asked, ids, datetime.now().astimezone().date())
    there = path.read_text(encoding="utf-8") if ratios and path.is_file() else ""
    text = search.added(there, origin, found) if there else search.as_toml(origin, found)
    path.write_text(text, encoding="utf-8")
    click.echo(f"The ratios are in {path}.")


@main.command()
@options.store
def doctor(folder: Path) -> None:
    """Check the machine, the installation, the definitions and the store."""
    from rich.console import Console

    from .doctor import examine

    out, bad = Console(), 0
    for finding in examine(folder):
        colour = {"ok": "green", "note": "yellow", "bad": "red"}[finding.state]
        out.print(f"[{colour}]{finding.state:>4}[/{colour}] {finding.check}: ", end="", highlight=False)
        out.print(finding.found, markup=False, highlight=False, soft_wrap=True)
        bad += finding.state == "bad"
    if bad:
        _leave(f"{bad} check{'s' * (bad > 1)} failed.", EnvironmentProblem.exit_code)


_READING = (audit, check_plugin, diff, export, export_tables, figure, power, verify)
_MEASURING = (bless, golden, sensitivity, times)
for command in _READING + _MEASURING:
    main.add_command(command)


def _carry_out(
    names: tuple[str, ...],
    store: "Store",
    *,
    scale: str,
    seed: int,
    workers: int,
    retrain: bool = False,
    retry_failed: bool = False,
    calibrate: bool = False,
) -> "Execution":
    """Compute what is missing, under progress bars."""
    from . import console
    from .console import Bars
    from .rerun import Request, Watch, rerun

    request = Request(scale, seed, names, workers, retrain=retrain, retry_failed=retry_failed, calibrate=calibrate)
    with Bars() as bars:
        watch = Watch(training=bars.training, start=bars.start, record=bars.record, note=bars.note)
        done = rerun(request, store, arguments=tuple(sys.argv), started=datetime.now().astimezone(), watch=watch)
        for note in done.notes:
            bars.note(note)
        if done.computed:
            bars.note(f"Made {done.made}; the least possible for these units is {done.least}.")
        if done.scored:
            bars.note(console.from_store(done.scored))
    return done


def _judge(store: "Store", run: "RunRecords", pages: Path, *, check: bool) -> int:
    """The exit code of a run, once its report is written and its verdicts are said."""
    from . import golden_file, policy, report, verdict
    from .remembered import remembering

    with remembering(store.statistics(run.scale, run.seed)) as note:
        if note:
            click.echo(note, err=True)
        judgement = verdict.judge(
            run, golden=golden_file.load(run.scale), summaries=golden_file.load_seeds(run.scale), policy=policy.load()
        )
        page = report.write(run, judgement, pages)
    said = ", ".join(f"{count} {outcome}" for outcome, count in judgement.counts.items() if count)
    click.echo(f"Cells: {said}.")
    for wrong in (one for one in judgement.cells if one.outcome in verdict.FAILING):
        cell = wrong.cell
        click.echo(f"  {wrong.outcome}: table {cell.table}, {cell.row}, {cell.column}: {wrong.reason}")
    click.echo(f"The report is {page}.")
    return judgement.exit_code(check=check)
