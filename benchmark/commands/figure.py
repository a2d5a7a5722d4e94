"""`spade-bench figure`: the paper's figures, measured on an embedded scale, as numbers and pictures."""

from pathlib import Path

import click

from . import options


@click.command()
@click.argument("names", nargs=-1, metavar="[FIGURE]...")
@options.scale_and_seed
@options.store
@click.option(
    "--samples", type=click.IntRange(1), default=8, show_default=True, help="Test samples looked at, the first ones."
)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("figures"),
    show_default=True,
    help="Folder for figure-ID.csv, .json, .svg and .png, and .npz where it has arrays.",
)
def figure(  # noqa: PLR0917 - click passes by name
    names: tuple[str, ...], scale: str, seed: int, folder: Path, samples: int, into: Path
) -> None:
    """Measure and draw figures of the paper (all that can be, where none is named): 3, H.3 to H.6, I.7, J.9 to J.11.

    Figure 3 is a toy of its own: of the options it takes --seed and --into.
    """
    from spade.errors import EnvironmentProblem, InputError

    from .. import scale as scales
    from ..console import Bars
    from ..figures import exhibit, register
    from ..figures.setting import Setting
    from ..models import laboratory
    from ..store import Store

    wanted = [register.find(name) for name in names or tuple(register.FIGURES)]
    recipe, cache = scales.load(scale), Store(folder).cache
    with Bars() as bars:
        setting: Setting | None = None
        made = []
        for key, one in wanted:
            if isinstance(one, register.Recipe) and setting is None:
                network = laboratory.prepare(recipe, seed, store=cache, progress=bars.training)
                setting = Setting(recipe, seed, network, network.test_samples[:samples], cache)
            try:
                if isinstance(one, register.Toy):
                    shown = one.compute(seed, bars.training)
                else:
                    assert setting is not None  # noqa: S101 - made above
                    shown = one.compute(setting, bars.training)
            except (InputError, EnvironmentProblem) as problem:
                if names:
                    raise
                bars.note(f"Figure {key} was left out: {problem}")
                continue
            made.append((shown, exhibit.write(shown, one.draw(shown), into)))
    for shown, paths in made:
        click.echo(f"\nFigure {shown.id}: {shown.title}\n  The paper: {shown.paper}")
        for finding in shown.findings:
            click.echo(f"  Here: {finding}")
        click.echo(f"  {paths[2]}")
