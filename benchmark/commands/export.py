"""`spade-bench export`: an embedded scale as files that anyone's tool can read."""

from pathlib import Path

import click

from . import options


@click.command()
@click.argument("scale")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@options.seed
@click.option(
    "--images",
    default=2000,
    show_default=True,
    type=click.IntRange(1),
    help="Fresh images to write. A study finds its misclassified samples among them.",
)
@click.option("--planted", is_flag=True, help="The backdoored network instead of the one before planting.")
@click.option(
    "--store",
    "networks",
    default=options.DEFAULT_STORE,
    show_default=True,
    envvar="SPADE_BENCH_STORE",
    show_envvar=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where --planted finds, or keeps, the trained network.",
)
def export(scale: str, folder: Path, seed: int, images: int, networks: Path, *, planted: bool) -> None:
    """Write a scale's network and fresh labelled images into FOLDER, in the ordinary layout.

    Weights, the code of the network, class names, images/CLASS/NUMBER.png, and the options that `spade-study stimuli`
    wants for them. The network is trained first, which takes minutes; the same command goes on after a stop.
    """
    from .. import export_scale
    from .. import scale as scales
    from ..console import Bars
    from ..store import Store

    recipe = scales.load(scale)
    with Bars() as bars:
        done = export_scale.export(
            recipe,
            seed,
            folder,
            n_images=images,
            planted=Store(networks).cache if planted else None,
            progress=bars.training,
        )
    how = "made now" if done.made else "found there"
    click.echo(
        f"{folder}: network ({how}) and {done.images} images, {done.accuracy:.1%} right, {done.wrong} misclassified."
    )
    click.echo(f"Next: spade-study stimuli SET --config {folder / 'stimuli.toml'}")
