"""`spade-stats power`: how often a design would find an effect."""

from pathlib import Path

import click

from . import options

Numbers = tuple[float, ...]


def _numbers(text: str, name: str) -> Numbers:
    from ..errors import AnalysisError

    try:
        return tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise AnalysisError(f"--{name} came as '{text}'; expected numbers, as '12,24,48'.") from None


def _wholes(text: str, name: str) -> tuple[int, ...]:
    from ..errors import AnalysisError

    found = _numbers(text, name)
    if not found or any(one != int(one) or one < 1 for one in found):
        raise AnalysisError(f"--{name} came as '{text}'; expected whole numbers of at least 1, as '12,24,48'.")
    return tuple(int(one) for one in found)


@click.command()
@click.option("--raters", default="24", show_default=True, help="Numbers of raters, as '12,24,48'.")
@click.option("--ratings", default="373,746,1492,2984", show_default=True, help="Numbers of ratings in all.")
@click.option("--images", default=100, show_default=True, type=click.IntRange(2), help="Images, four tasks each.")
@click.option("--difference", default="0.131", show_default=True, help="True differences, SPADE less dense, as shares.")
@click.option("--base", default=None, type=float, help="Dense's share.  [default: the paper's]")
@click.option("--decided", default=None, help="Decided shares, dense and SPADE.  [default: the paper's]")
@click.option(
    "--measure",
    default="overall_success",
    show_default=True,
    type=click.Choice(["overall_success", "agree_decided"]),
    help="What is compared.",
)
@click.option(
    "--heterogeneity",
    default="moderate",
    show_default=True,
    help="How raters and items differ: none, mild, moderate, strong.",
)
@click.option("--studies", default=1000, show_default=True, type=click.IntRange(10), help="Simulated studies a design.")
@click.option("--target", default=0.8, show_default=True, type=click.FloatRange(0.1, 0.99), help="Power wanted.")
@click.option("--alpha", default=0.05, show_default=True, type=click.FloatRange(0.001, 0.5), help="Level of the test.")
@click.option("--looks", default=None, help="Fractions of the ratings at which a study may stop, as '0.5,1'.")
@click.option(
    "--spending", default=None, help="How alpha is spent over the looks: obrien-fleming or pocock; needed with --looks."
)
@options.seed
@options.out("power-report")
def power(  # noqa: PLR0917 - click passes by name
    raters: str,
    ratings: str,
    images: int,
    difference: str,
    base: float | None,
    decided: str | None,
    measure: str,
    heterogeneity: str,
    studies: int,
    target: float,
    alpha: float,
    looks: str | None,
    spending: str | None,
    seed: int,
    folder: Path,
) -> None:
    """How often studies of these sizes would find these differences, by simulating and analysing whole studies."""
    from .. import monitoring
    from .. import report as pages
    from ..errors import AnalysisError
    from ..power import grid, truth_with
    from ..report import power as page
    from ..simulation import PAPER

    if (looks is None) != (spending is None):
        raise AnalysisError("--looks and --spending go together: looking early costs, and the rule says how much.")
    watched = monitoring.looks(_numbers(looks, "looks"), spending=spending, alpha=alpha) if looks and spending else ()
    paper_decided, paper_right = PAPER
    shares = paper_decided if decided is None else _numbers(decided, "decided")
    if len(shares) != 2:
        raise AnalysisError(f"--decided came as '{decided}'; expected two shares, dense and SPADE, as '0.77,0.87'.")
    own = paper_right[0] if measure == "agree_decided" else paper_decided[0] * paper_right[0]
    from_base = own if base is None else base
    effects = dict.fromkeys((0.0, *_numbers(difference, "difference")))
    truths = [
        truth_with(
            base=from_base,
            difference=effect,
            # Without an effect nothing differs, deciding included.
            decided=(shares[0], shares[1] if effect else shares[0]),
            heterogeneity=heterogeneity,
            measure=measure,
        )
        for effect in effects
    ]

    def progress(done: int, of: int) -> None:
        options.progress(f"design {done + 1} of {of}")

    cells = grid(
        raters=_wholes(raters, "raters"),
        ratings=_wholes(ratings, "ratings"),
        images=images,
        truths=truths,
        studies=studies,
        alpha=alpha,
        seed=seed,
        measure=measure,
        looks=watched,
        progress=progress,
    )
    document = page.build(
        cells,
        base=from_base,
        measure=measure,
        heterogeneity=heterogeneity,
        target=target,
        looks=watched,
        spending=spending or "",
        facts={"seed": f"{seed}", "simulated": f"{studies} studies a design", **options.versions()},
    )
    written = pages.write(document, folder)
    for block in document.lead:
        click.echo(block.text)
    click.echo(f"The report is {written}.")
